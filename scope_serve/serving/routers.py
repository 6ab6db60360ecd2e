"""Which replica a call goes to.

Serve pickles a router's module by value into every caller, so this module keeps no state.
"""

from typing import Any

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

PIN = "pin:"
"""A call with the session id ``pin:<replica>`` goes to that replica or nowhere."""


class PinRouter(RequestRouter):
    """Sends pinned calls to their replica and all others to the least busy one.

    Serve's own router compares two random replicas, which places a few long sessions unevenly;
    this one offers all replicas at once.
    """

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        """Return the replicas to choose from."""
        wanted = _pinned_to(pending_request)
        if wanted is None:
            return [candidate_replicas]
        pinned = [each for each in candidate_replicas if each.replica_id.unique_id == wanted]
        if not pinned and candidate_replicas:
            raise ReplicaGoneError(wanted)
        return [pinned]


class ReplicaGoneError(Exception):
    """The replica that a call is pinned to does not exist any more."""


def _pinned_to(pending_request: PendingRequest | None) -> str | None:
    if pending_request is None:
        return None
    session_id: Any = pending_request.metadata.session_id
    return session_id.removeprefix(PIN) if str(session_id or "").startswith(PIN) else None
