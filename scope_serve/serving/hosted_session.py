"""A session and the peer connection that it belongs to."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scope_serve.api.wire import Candidate
from scope_serve.errors import InvalidOfferError, InvalidRequestError
from scope_serve.frames import I420Frame
from scope_serve.sessions.chain import StageSpec
from scope_serve.sessions.leases import StageLeases
from scope_serve.sessions.messages import error_message, parse_client_message, stream_stopped
from scope_serve.sessions.session import Session
from scope_serve.tasks import TaskScope
from scope_serve.webrtc.ice_servers import IceServer
from scope_serve.webrtc.peer import Peer

logger = logging.getLogger(__name__)

REPORT_INTERVAL_S = 1.0


class HostedSession:
    """Ties what the client sends to the session, and what the session makes to the client.

    Args:
        session_id: Name of the session.
        leases: Where its stages get their places.
        ice_servers: STUN and TURN servers to use.
        on_end: Called at most once, with the session and a reason, if it ends by itself: the
            client is gone or a stage cannot go on. `aclose` must then be called.
    """

    def __init__(
        self,
        session_id: str,
        *,
        leases: StageLeases,
        ice_servers: Sequence[IceServer],
        on_end: Callable[["HostedSession", str], None],
    ) -> None:
        self.id = session_id
        self.ended = asyncio.Event()
        self._leases = leases
        self._on_end = on_end
        self._peer = Peer(ice_servers, self, self._next_frame)
        self._session: Session | None = None
        self._tasks = TaskScope()
        self._closing: asyncio.Task[None] | None = None
        self._has_told_end = False

    async def accept(self, sdp: str) -> None:
        """Take the client's offer; raises `InvalidOfferError`."""
        await self._peer.accept(sdp)

    @property
    def has_video_input(self) -> bool:
        """Whether the client sends video."""
        return self._peer.has_video_input

    async def answer(self, chain: Sequence[StageSpec], parameters: Mapping[str, Any]) -> str:
        """Start every stage of ``chain``, then return the answer's SDP.

        Raises:
            ScopeServeError: Why a stage cannot start, or the offer cannot be answered.
        """
        session = Session(
            self.id,
            chain,
            parameters,
            leases=self._leases,
            notify=self._peer.send,
            on_end=self._stopped,
        )
        await session.start()
        if self._closing is not None:
            await session.aclose("closed while it started")
            raise InvalidOfferError("the session was closed while it started")
        self._session = session
        try:
            sdp = await self._peer.answer()
        except InvalidOfferError:
            session.check_running()  # a session that fails closes the connection
            raise
        session.check_running()
        if self._has_told_end:
            raise InvalidOfferError("the client's connection ended before it was answered")
        self._tasks.start(self._report(session), name=f"session/{self.id}/report")
        return sdp

    async def add_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Add trickled candidates; raises `InvalidCandidateError`."""
        for each in candidates:
            await self._peer.add_candidate(each.candidate, each.sdp_mid, each.sdp_mline_index)

    def describe(self) -> dict[str, Any]:
        """Return the state of the session, ready for JSON."""
        return {} if self._session is None else self._session.describe()

    async def stop(self, reason: str) -> None:
        """Tell the client that the stream stops, then close."""
        self._peer.send(stream_stopped("server_stopped", reason))
        await self.aclose(reason)

    async def aclose(self, reason: str) -> None:
        """Close the connection and give all places back. Idempotent.

        It goes on to its end even if the caller is cancelled, as a request is whose client has
        gone away.
        """
        if self._closing is None:
            self._has_told_end = True
            self._closing = self._tasks.start(self._close(reason), name=f"session/{self.id}/close")
        await asyncio.shield(self._closing)

    async def _close(self, reason: str) -> None:
        async with contextlib.AsyncExitStack() as closing:
            closing.callback(self.ended.set)
            if self._session is not None:
                closing.push_async_callback(self._session.aclose, reason)
            closing.push_async_callback(self._peer.aclose)
            await self._tasks.aclose()
            await self._peer.flush()

    async def _next_frame(self) -> I420Frame:
        assert self._session is not None
        return await self._session.next_frame()

    async def _report(self, session: Session) -> None:
        while True:
            await asyncio.sleep(REPORT_INTERVAL_S)
            if self._peer.has_channel:
                self._peer.send({"type": "session_stats", **session.report()})

    def _stopped(self) -> None:
        self._tell_end("a stage cannot go on")

    def _tell_end(self, reason: str) -> None:
        if not self._has_told_end:
            self._has_told_end = True
            self._on_end(self, reason)

    # what the peer tells

    def peer_frame(self, frame: I420Frame) -> None:
        """Take a picture from the client."""
        if self._session is not None:
            self._session.push_frame(frame)

    def peer_message(self, text: str | bytes) -> None:
        """Take parameters from the client."""
        if self._session is None:
            return
        try:
            self._session.update(parse_client_message(text))
        except InvalidRequestError as error:
            self._peer.send(error_message("invalid_message", str(error)))

    def peer_closed(self, reason: str) -> None:
        """End the session: the client is gone."""
        self._tell_end(reason)
