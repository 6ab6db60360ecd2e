"""The deployment class that owns WebRTC connections and their sessions."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from scope_serve.api.gateway import SessionRequest
from scope_serve.api.wire import Answer, Candidate
from scope_serve.errors import CapacityError, ReplicaGoneError, SessionNotFoundError
from scope_serve.serving import ray_adapter
from scope_serve.serving.args import GatewayArgs
from scope_serve.serving.catalog import Catalog
from scope_serve.serving.leases import ServeLeases
from scope_serve.serving.routers import PIN
from scope_serve.sessions.chain import resolve_chain
from scope_serve.tasks import TaskScope

if TYPE_CHECKING:
    from scope_serve.serving.hosted_session import HostedSession

logger = logging.getLogger(__name__)

HOLD_RETRY_S = 0.5


class SessionHost:
    """Carries sessions: one peer connection and one chain of leases for each.

    A session is a task of its host, not part of the HTTP request that asked for it, so ingress
    replicas may come and go. The host holds a lease on itself per session: without one Serve
    would take a host full of sessions for idle.
    """

    async def __init__(self, args: Mapping[str, Any]) -> None:  # type: ignore[misc]  # Serve awaits it
        # aiortc loads here, not with the class: the tasks that build applications need none.
        from scope_serve.serving.hosted_session import HostedSession  # noqa: PLC0415
        from scope_serve.webrtc.ice import notice_vanished_clients  # noqa: PLC0415

        notice_vanished_clients()
        self._make_session = HostedSession
        self._args = GatewayArgs.model_validate(args)
        context = serve.get_replica_context()
        self._name = context.replica_id.unique_id
        self._catalog = Catalog()
        self._leases = ServeLeases(
            self._catalog,
            node_id=ray.get_runtime_context().get_node_id(),
            admission_timeout_s=self._args.admission_timeout_s,
            cold_start_timeout_s=self._args.cold_start_timeout_s,
            recovery_timeout_s=self._args.recovery_timeout_s,
        )
        handle = serve.get_deployment_handle(context.deployment, context.app_name)
        self._self_handle = ray_adapter.over_grpc(
            handle, stream=True, method_name="hold", session_id=f"{PIN}{self._name}"
        )
        self._sessions: dict[str, HostedSession] = {}
        self._opening = 0
        self._tasks = TaskScope()

    async def open_session(self, request: SessionRequest) -> Answer:
        """Lease the stages, then answer the offer.

        Raises:
            CapacityError: The host is full, or a pipeline has no free replica.
            ScopeServeError: Anything else that is wrong with the request or the pipelines.
        """
        if len(self._sessions) + self._opening >= self._args.sessions_per_host:
            raise CapacityError(f"all {self._args.sessions_per_host} places of the host are taken")
        self._opening += 1
        try:
            # A task of its own: the calls below must not share the identity of this request.
            return await self._tasks.run(self._open(request), name="session/open")
        finally:
            self._opening -= 1

    async def _open(self, request: SessionRequest) -> Answer:
        session_id = f"{self._name}.{secrets.token_urlsafe(18)}"
        hosted = self._make_session(
            session_id,
            leases=self._leases,
            ice_servers=self._args.ice_servers,
            on_end=self._end,
        )
        try:
            await hosted.accept(request.sdp)
            chain = resolve_chain(
                request.nodes,
                await self._catalog.descriptors(),
                input_mode=request.input_mode,
                has_video_input=hosted.has_video_input,
            )
            sdp = await hosted.answer(chain, request.parameters)
        except BaseException:
            await hosted.aclose("start failed")
            raise
        self._sessions[session_id] = hosted
        self._tasks.start(self._hold(hosted), name=f"session/{session_id}/hold")
        logger.info(
            "session opened",
            extra={"session_id": session_id, "chain": [spec.pipeline_id for spec in chain]},
        )
        return Answer(sdp=sdp, session_id=session_id)

    async def _hold(self, hosted: "HostedSession") -> None:
        """Keep the lease on this host for as long as the session lives.

        The router of a host that has just started may not know the host itself yet.
        """
        while not hosted.ended.is_set():
            try:
                call = self._self_handle.remote(hosted.id)
                async with contextlib.aclosing(ray_adapter.stream(call)) as events:
                    async for _ in events:
                        pass
                return
            except (ReplicaGoneError, RayError, RayServeException) as error:
                logger.warning("host is not leased: %s", error, extra={"session_id": hosted.id})
                await asyncio.sleep(HOLD_RETRY_S)

    async def hold(self, session_id: str) -> AsyncIterator[str]:
        """Stay open for as long as a session of this host lives; called by the host itself."""
        hosted = self._sessions.get(session_id)
        if hosted is not None:
            yield "held"
            await hosted.ended.wait()
            yield "over"

    async def add_candidates(self, session_id: str, candidates: Sequence[Candidate]) -> None:
        """Add trickled candidates to a session of this host.

        Raises:
            SessionNotFoundError: The session is over.
            InvalidCandidateError: A candidate cannot be parsed.
        """
        hosted = self._sessions.get(session_id)
        if hosted is None:
            raise SessionNotFoundError(session_id)
        await hosted.add_candidates(candidates)

    async def close_session(self, session_id: str) -> None:
        """End a session of this host; does nothing if it is over."""
        hosted = self._sessions.pop(session_id, None)
        if hosted is not None:
            await hosted.aclose("closed by the client")

    async def close_all(self, reason: str) -> int:
        """Tell every client that its stream stops, end all sessions and return how many."""
        sessions, self._sessions = list(self._sessions.values()), {}
        await asyncio.gather(*(hosted.stop(reason) for hosted in sessions))
        return len(sessions)

    async def describe_sessions(self) -> list[dict[str, Any]]:
        """Return the state of every session of this host."""
        return [hosted.describe() for hosted in self._sessions.values()]

    def _end(self, hosted: "HostedSession", reason: str) -> None:
        """End a session that cannot go on; called by the session."""
        self._sessions.pop(hosted.id, None)
        with contextlib.suppress(RuntimeError):
            self._tasks.start(hosted.aclose(reason), name=f"session/{hosted.id}/close")

    async def __del__(self) -> None:
        """End everything; called by Serve when a host stops in good order."""
        await self.close_all("the server is shutting down")
        await self._tasks.aclose()
        await self._leases.aclose()
