"""The FastAPI application."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse

from scope_serve import __version__
from scope_serve.api import problems
from scope_serve.api.body_limit import BodyLimit
from scope_serve.api.gateway import Gateway
from scope_serve.api.routes.health import health_router
from scope_serve.api.routes.pipelines import pipelines_router
from scope_serve.api.routes.webrtc import webrtc_router
from scope_serve.settings import BuildSettings


def create_app(gateway: Gateway) -> FastAPI:
    """Return the API in front of ``gateway``."""
    app = FastAPI(
        title="scope_serve",
        version=__version__,
        summary="Real-time video pipelines as a service",
    )
    problems.install(app)
    app.add_middleware(BodyLimit)
    # Scope's browser clients come from other origins. No cookies are used, so any may call.
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
    )

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("docs")

    app.include_router(health_router(gateway, git_commit=BuildSettings().git_commit))
    app.include_router(pipelines_router(gateway))
    app.include_router(webrtc_router(gateway))
    return app
