"""The pipeline objects of one replica, and the leases on them. No Ray here."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from scope_serve.errors import CapacityError, PipelineCallError
from scope_serve.links.address import LinkAddress
from scope_serve.links.server import LinkServer
from scope_serve.pipelines.loading import load_pipeline_class
from scope_serve.serving.lease_request import LeaseRequest
from scope_serve.serving.stage_endpoint import StageEndpoint
from scope_serve.stages.runner import StageRunner
from scope_serve.tasks import TaskScope

logger = logging.getLogger(__name__)


class StagePool:
    """One pipeline object, with a thread of its own, for each session that fits.

    Args:
        import_path: The pipeline's class, as ``module:Class``.
        load_params: Load parameters of sessions that bring none.
        sessions: How many objects to make.
    """

    def __init__(self, import_path: str, load_params: Mapping[str, Any], sessions: int) -> None:
        self._pipeline_class = load_pipeline_class(import_path)
        self._links = LinkServer()
        self._places = asyncio.Semaphore(sessions)
        self._tasks = TaskScope()
        self._runners = [
            StageRunner(self._pipeline_class, load_params=load_params) for _ in range(sessions)
        ]

    async def start(self, node_id: str, host: str) -> LinkAddress:
        """Make all pipeline objects, then accept links; return where.

        Raises:
            PipelineLoadError: A constructor failed.
        """
        for runner in self._runners:
            await runner.start()
        return await self._links.start(node_id, host)

    async def lease(self, request: LeaseRequest) -> AsyncGenerator[dict[str, Any], None]:
        """Serve one session until its link closes or this generator is closed.

        While the call that a session left behind has not returned, the next one waits for it:
        Serve counts the place as free as soon as the session is gone.

        Yields:
            First ``{"token": …}``: the place is reserved and the link may connect. Last
            ``{"ended": reason}``.

        Raises:
            CapacityError: No pipeline object is left whose calls return.
            ParameterError: The pipeline does not accept the parameters.
            PipelineLoadError: It could not be loaded with them.
        """
        await self._places.acquire()
        try:
            endpoint = StageEndpoint(self._free_runner(), self._links)
        except CapacityError:
            self._places.release()
            raise
        try:
            token = await endpoint.open(request.parameters, input_mode=request.input_mode)
            yield {"token": token}
            yield {"ended": await endpoint.closed()}
        finally:
            # Serve may cancel a call again while it ends, and must not cut the end short.
            await asyncio.shield(self._tasks.start(self._give_back(endpoint), name="lease/end"))

    async def _give_back(self, endpoint: StageEndpoint) -> None:
        try:
            await endpoint.aclose()
        finally:
            self._places.release()

    def _free_runner(self) -> StageRunner:
        for runner in self._runners:
            if not runner.is_busy:
                return runner
        raise CapacityError("calls of the pipeline do not return")

    def check_health(self) -> None:
        """Return if every pipeline object can be used.

        Raises:
            PipelineCallError: A call did not return after its session had ended.
        """
        if any(runner.is_stuck for runner in self._runners):
            raise PipelineCallError(self._pipeline_class.__name__, "a call never returned")

    async def aclose(self) -> None:
        """End links and threads. Idempotent."""
        await self._links.aclose()
        for runner in self._runners:
            await runner.aclose()
        await self._tasks.aclose()
