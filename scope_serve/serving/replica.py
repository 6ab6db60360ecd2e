"""The deployment class of a pipeline: an actor that runs it for the sessions that lease it."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import ray
from ray import serve

from scope_serve.serving import ray_adapter
from scope_serve.serving.lease_request import LeaseRequest


class PipelineReplica:
    """Ties a `StagePool` to Ray Serve.

    The pool is imported in the constructor: it needs torch, which the tasks that build
    applications and the processes of the gateway must not load just to know this class.
    """

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, import_path: str, load_params: Mapping[str, Any], sessions: int
    ) -> None:
        from scope_serve.serving.stage_pool import StagePool  # noqa: PLC0415 - see the class

        self._name = serve.get_replica_context().replica_id.unique_id
        self._pool = StagePool(import_path, load_params, sessions)
        node_id = ray.get_runtime_context().get_node_id()
        self._address = await self._pool.start(node_id, ray_adapter.node_ip_address())

    def record_replica_metadata(self) -> dict[str, Any]:
        """Publish where links are accepted; Serve hands it to callers that choose a replica."""
        return {"link": self._address.model_dump(), "replica": self._name}

    async def lease(self, request: LeaseRequest) -> AsyncGenerator[dict[str, Any], None]:
        """Serve one session; see `StagePool.lease`. Ends when the caller goes away."""
        async with contextlib.aclosing(self._pool.lease(request)) as events:
            async for event in events:
                yield event

    def check_health(self) -> None:
        """Let Serve replace the replica when a pipeline object is lost for good."""
        self._pool.check_health()

    async def __del__(self) -> None:
        """End links and threads; called by Serve when a replica stops in good order."""
        if hasattr(self, "_pool"):  # absent if the constructor failed
            await self._pool.aclose()
