"""WebRTC signalling, with Scope's bodies and status codes."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from scope_serve.api.gateway import Gateway
from scope_serve.api.graph import session_request
from scope_serve.api.wire import Answer, Candidates, Offer


def webrtc_router(gateway: Gateway) -> APIRouter:
    """Return the signalling routes."""
    router = APIRouter(prefix="/api/v1/webrtc", tags=["webrtc"])

    @router.get("/ice-servers")
    async def ice_servers() -> Mapping[str, Any]:
        """ICE servers for the client's ``RTCPeerConnection``."""
        return {"iceServers": gateway.ice_servers()}

    @router.post("/offer")
    async def offer(body: Offer) -> Answer:
        """Open a session: lease its stages, then answer the offer."""
        return await gateway.open_session(session_request(body))

    @router.patch("/offer/{session_id}", status_code=HTTPStatus.NO_CONTENT)
    async def add_candidates(session_id: str, body: Candidates) -> None:
        """Add ICE candidates that the client found after its offer."""
        await gateway.add_candidates(session_id, body.candidates)

    @router.delete("/offer/{session_id}", status_code=HTTPStatus.NO_CONTENT)
    async def close(session_id: str) -> None:
        """End a session. A session that is over already is no error."""
        await gateway.close_session(session_id)

    return router
