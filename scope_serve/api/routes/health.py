"""Liveness and readiness."""

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from scope_serve import __version__
from scope_serve.api.gateway import Gateway


def health_router(gateway: Gateway, *, git_commit: str) -> APIRouter:
    """Return the health routes."""
    router = APIRouter(tags=["health"])
    started = dt.datetime.now(dt.UTC).timestamp()
    started_monotonic_s = time.monotonic()

    @router.get("/health")
    async def health() -> Mapping[str, Any]:
        """Live: this process answers. Says nothing about pipelines."""
        return {
            "status": "healthy",
            "timestamp": dt.datetime.now().astimezone().isoformat(),
            "server_start_time": started,
            "uptime_s": round(time.monotonic() - started_monotonic_s, 3),
            "version": __version__,
            "git_commit": git_commit,
        }

    @router.get("/ready")
    async def ready() -> Mapping[str, Any]:
        """Ready: sessions can be opened; else 503 with the reason."""
        await gateway.check_ready()
        return {"status": "ready"}

    return router
