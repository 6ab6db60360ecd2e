"""Schema discovery."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from scope_serve.api.gateway import Gateway


def pipelines_router(gateway: Gateway) -> APIRouter:
    """Return the routes that describe pipelines."""
    router = APIRouter(tags=["pipelines"])

    @router.get("/pipelines")
    @router.get("/api/v1/pipelines/schemas")
    async def list_pipelines() -> Mapping[str, Any]:
        """Every pipeline that is offered, with metadata, parameters and UI hints."""
        return {"pipelines": await gateway.schemas()}

    return router
