"""Which replica a call goes to.

Serve pickles a router's module by value into every caller, so this module keeps no state.
"""

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from scope_serve.errors import ReplicaGoneError

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
        """Return the replicas to choose from.

        A pinned call whose replica is gone fails with `ReplicaGoneError`.
        """
        if pending_request is None:
            return [candidate_replicas]
        # Without this, Serve asks again at once, in a tight loop, while every replica is full.
        pending_request.routing_context.should_backoff = True
        wanted = _pinned_to(pending_request)
        if wanted is None:
            return [candidate_replicas]
        pinned = [each for each in candidate_replicas if each.replica_id.unique_id == wanted]
        if pinned:
            return [pinned]
        # An error raised here would end Serve's routing task and leave the caller waiting.
        if not pending_request.future.done():
            pending_request.future.set_exception(ReplicaGoneError(wanted))
        return [candidate_replicas]


def _pinned_to(pending_request: PendingRequest) -> str | None:
    session_id = str(pending_request.metadata.session_id or "")
    return session_id.removeprefix(PIN) if session_id.startswith(PIN) else None
