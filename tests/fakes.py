"""Fakes that keep in memory what the real thing would do elsewhere."""

from scope_serve.api.wire import Answer
from scope_serve.errors import SessionNotFoundError

SCHEMA = {"id": "gray", "name": "Gray", "supported_modes": ["video"]}


class MemoryGateway:
    """A gateway whose sessions are the requests that opened them.

    Attributes:
        sessions: Requests by session id; a closed session is gone.
        candidates: Candidates by session id.
        failure: Raised by every method that may fail, if there is one.
    """

    def __init__(self, failure=None):
        self.sessions = {}
        self.candidates = {}
        self.failure = failure

    async def schemas(self):
        """Return one schema."""
        self._fail()
        return {"gray": SCHEMA}

    async def check_ready(self):
        """Raise the failure, if there is one."""
        self._fail()

    def ice_servers(self):
        """Return one server."""
        return [{"urls": "stun:stun.example:3478"}]

    async def open_session(self, request):
        """Keep the request."""
        self._fail()
        session_id = f"host.{len(self.sessions)}"
        self.sessions[session_id] = request
        return Answer(sdp="v=0 answer", session_id=session_id)

    async def add_candidates(self, session_id, candidates):
        """Keep the candidates."""
        self._fail()
        if session_id not in self.sessions:
            raise SessionNotFoundError(session_id)
        self.candidates.setdefault(session_id, []).extend(candidates)

    async def close_session(self, session_id):
        """Forget the request."""
        self._fail()
        self.sessions.pop(session_id, None)

    def _fail(self):
        if self.failure is not None:
            raise self.failure
