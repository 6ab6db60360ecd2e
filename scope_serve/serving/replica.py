"""The deployment class of a pipeline: an actor that runs it for the sessions that lease it."""

import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import ray
from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from scope_serve.errors import CapacityError, PipelineLoadError
from scope_serve.links.server import LinkServer
from scope_serve.pipelines.loading import load_pipeline_class
from scope_serve.serving import ray_adapter
from scope_serve.serving.stage_endpoint import StageEndpoint
from scope_serve.stages.runner import StageRunner

logger = logging.getLogger(__name__)


class LeaseRequest(BaseModel):
    """What a session asks of a replica."""

    model_config = ConfigDict(extra="forbid")

    input_mode: str = Field(description="Mode that the stage runs in.")
    parameters: dict[str, Any] = Field(description="Load and runtime parameters to start with.")


class PipelineReplica:
    """Holds one pipeline object, with its own thread, for each session it can serve.

    All objects are made before the replica counts as ready, so that a lease finds them loaded.
    """

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, import_path: str, load_params: Mapping[str, Any], sessions: int
    ) -> None:
        pipeline_class = load_pipeline_class(import_path)
        self._links = LinkServer()
        self._runners = [
            StageRunner(pipeline_class, load_params=load_params) for _ in range(sessions)
        ]
        context = ray.get_runtime_context()
        self._address = await self._links.start(
            context.get_node_id(), ray_adapter.node_ip_address()
        )
        for runner in self._runners:
            await runner.start()
        self._name = serve.get_replica_context().replica_id.unique_id

    def record_replica_metadata(self) -> dict[str, Any]:
        """Publish where links are accepted; Serve hands it to callers that choose a replica."""
        return {"link": self._address.model_dump(), "replica": self._name}

    async def lease(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Serve one session until its link closes or the caller goes away.

        Yields:
            First ``{"token": …}``: the place is reserved and the link may connect. Last
            ``{"ended": reason}``.

        Raises:
            CapacityError: Every pipeline object is in use.
            ParameterError: The pipeline does not accept the parameters.
            PipelineLoadError: It could not be loaded with them.
        """
        wanted = LeaseRequest.model_validate(request)
        endpoint = StageEndpoint(self._free_runner(), self._links)
        try:
            token = await endpoint.open(wanted.parameters, input_mode=wanted.input_mode)
            yield {"token": token}
            yield {"ended": await endpoint.closed()}
        finally:
            await endpoint.aclose()

    def _free_runner(self) -> StageRunner:
        for runner in self._runners:
            if not runner.is_busy:
                return runner
        raise CapacityError(f"replica {self._name} serves {len(self._runners)} sessions already")

    async def check_health(self) -> None:
        """Let Serve replace the replica when a pipeline object is lost for good.

        Raises:
            PipelineLoadError: One of them cannot run any more.
        """
        for runner in self._runners:
            if runner.is_stuck:
                raise PipelineLoadError(self._name, "a pipeline call never returned")

    async def __del__(self) -> None:
        """End links and threads; called by Serve when a replica stops in good order."""
        await self._links.aclose()
        for runner in self._runners:
            await runner.aclose()
