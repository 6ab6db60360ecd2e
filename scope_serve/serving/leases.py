"""Leases as held Serve requests.

A lease is one streaming call that stays open for the life of the stage. So Serve itself counts
sessions: capacity (``max_ongoing_requests``), autoscaling and draining see each of them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle

from scope_serve.errors import CapacityError, LinkError, PipelineCallError, ScopeServeError
from scope_serve.links.address import LinkAddress
from scope_serve.links.client import connect_link
from scope_serve.links.connection import FrameLink, LinkListener
from scope_serve.serving import ray_adapter
from scope_serve.serving.catalog import Catalog, OfferedPipeline
from scope_serve.serving.failures import own_error
from scope_serve.serving.lease_request import LeaseRequest
from scope_serve.sessions.chain import StageSpec
from scope_serve.sessions.leases import StageLease
from scope_serve.tasks import TaskScope, cancel_and_wait

logger = logging.getLogger(__name__)


_ATTEMPTS = 3


class ServeLeases:
    """Places stages on the replicas of their pipelines' deployments."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        node_id: str,
        admission_timeout_s: float,
        cold_start_timeout_s: float,
        recovery_timeout_s: float,
    ) -> None:
        self._catalog = catalog
        self._node_id = node_id
        self._admission_timeout_s = admission_timeout_s
        self._cold_start_timeout_s = cold_start_timeout_s
        self._recovery_timeout_s = recovery_timeout_s
        self._handles: dict[tuple[str, str], DeploymentHandle[Any]] = {}
        self._tasks = TaskScope(on_error=_log_unexpected)

    async def acquire(
        self,
        spec: StageSpec,
        parameters: Mapping[str, Any],
        listener: LinkListener,
        *,
        is_recovery: bool,
    ) -> StageLease:
        """Reserve a place for ``spec`` and connect to it; see `StageLeases.acquire`."""
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(LinkError):  # a replica that died just now
                return await self._acquire(spec, parameters, listener, is_recovery=is_recovery)
        return await self._acquire(spec, parameters, listener, is_recovery=is_recovery)

    async def _acquire(
        self,
        spec: StageSpec,
        parameters: Mapping[str, Any],
        listener: LinkListener,
        *,
        is_recovery: bool,
    ) -> StageLease:
        pipeline = await self._catalog.find(spec.pipeline_id)
        request = LeaseRequest(input_mode=spec.input_mode, parameters=dict(parameters))
        lease = _ServeLease(self._handle(pipeline), spec.pipeline_id, request, self._node_id)
        lease.task = self._tasks.start(lease.hold(), name=f"lease/{spec.node_id}")
        try:
            await self._wait_for_place(lease, pipeline, is_recovery=is_recovery)
            await lease.connect(listener)
        except BaseException:
            await lease.release()
            raise
        return lease

    async def _wait_for_place(
        self, lease: "_ServeLease", pipeline: OfferedPipeline, *, is_recovery: bool
    ) -> None:
        """Return once the place is granted or refused; see now and then what there is to wait for.

        Raises:
            CapacityError: Nothing was free in time.
            PipelineUnavailableError: The deployment failed meanwhile.
        """
        pipeline_id = pipeline.entry.descriptor.pipeline_id
        waited_s = 0.0
        while (left_s := self._timeout_s(pipeline, is_recovery=is_recovery) - waited_s) > 0:
            step_s = min(left_s, self._admission_timeout_s)
            if await lease.is_answered(within_s=step_s):
                return
            waited_s += step_s
            pipeline = await self._catalog.find(pipeline_id)
        found = f"no replica of pipeline {pipeline_id!r} was free within {waited_s:g} s"
        raise CapacityError(f"{found}: {pipeline.message}" if pipeline.message else found)

    def _timeout_s(self, pipeline: OfferedPipeline, *, is_recovery: bool) -> float:
        if is_recovery:
            return self._recovery_timeout_s
        is_cold = pipeline.running_replicas == 0
        return self._cold_start_timeout_s if is_cold else self._admission_timeout_s

    def _handle(self, pipeline: OfferedPipeline) -> DeploymentHandle[Any]:
        key = (pipeline.entry.deployment, pipeline.application)
        if key not in self._handles:
            handle = serve.get_deployment_handle(*key)
            self._handles[key] = ray_adapter.over_grpc(handle, stream=True, method_name="lease")
        return self._handles[key]

    async def aclose(self) -> None:
        """Give every place back."""
        await self._tasks.aclose()


def _log_unexpected(error: BaseException) -> None:
    logger.error("lease failed", exc_info=error)


class _ServeLease:
    """One held call and the link that belongs to it."""

    task: "asyncio.Task[None]"

    def __init__(
        self, handle: DeploymentHandle[Any], pipeline_id: str, request: LeaseRequest, node_id: str
    ) -> None:
        self._handle = handle
        self._pipeline_id = pipeline_id
        self._request = request
        self._node_id = node_id
        self._granted: asyncio.Future[tuple[LinkAddress, str]] = (
            asyncio.get_running_loop().create_future()
        )
        self._link: FrameLink | None = None
        self.replica = ""

    @property
    def link(self) -> FrameLink:
        """The link; only on a lease that `ServeLeases.acquire` returned."""
        assert self._link is not None
        return self._link

    async def hold(self) -> None:
        """Keep the call open until the replica ends it or this task is cancelled."""
        try:
            async with self._handle.choose_replica() as selection:
                metadata = selection.replica_metadata
                self.replica = str(metadata["replica"])
                call = self._handle.dispatch(selection, self._request)
                async with contextlib.aclosing(ray_adapter.stream(call)) as events:
                    async for event in events:
                        self._take(event, metadata)
        except (BackPressureError, RayError, RayServeException) as error:
            self._refuse(_refusal(error, self._pipeline_id))
        except ScopeServeError as error:
            self._refuse(error)
        finally:
            # Also after a cancellation or a bug: nobody must wait for an answer any more.
            self._refuse(LinkError("the lease is over"))

    def _take(self, event: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        if "token" in event:
            address = LinkAddress.model_validate(metadata["link"])
            self._granted.set_result((address, str(event["token"])))
        else:
            self._refuse(LinkError(str(event.get("ended"))))

    def _refuse(self, error: ScopeServeError) -> None:
        if not self._granted.done():
            self._granted.set_exception(error)
        elif self._link is not None:
            self._link.close(str(error))

    async def is_answered(self, *, within_s: float) -> bool:
        """Wait until the place is granted or refused; return whether it is in time."""
        done, _ = await asyncio.wait({self._granted}, timeout=within_s)
        return bool(done)

    async def connect(self, listener: LinkListener) -> None:
        """Open the link to the place that was granted; raises why it was refused."""
        address, token = await self._granted
        self._link = await connect_link(
            address, token=token, node_id=self._node_id, listener=listener
        )

    async def release(self) -> None:
        """Close the link and end the call."""
        if self._link is not None:
            self._link.close("released")
        await cancel_and_wait(self.task)
        if self._granted.done() and not self._granted.cancelled():
            with contextlib.suppress(ScopeServeError):
                self._granted.exception()


def _refusal(error: Exception, pipeline_id: str) -> ScopeServeError:
    """Return the error that a replica raised, or one that says that none could be reached."""
    if (found := own_error(error)) is not None:
        return found
    if isinstance(error, BackPressureError):
        return CapacityError("too many sessions wait for a replica already")
    if isinstance(error, RayTaskError):
        cause = error.cause
        return PipelineCallError(pipeline_id, f"{type(cause).__name__}: {cause}")
    return LinkError(f"the replica is gone: {type(error).__name__}: {error}")
