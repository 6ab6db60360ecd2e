"""Refuses request bodies that are longer than any that the API needs."""

from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1 << 20
"""An offer is a few kilobytes; its prompts and graph may be some more."""


class BodyLimit:
    """ASGI middleware that answers 413 to a body of more than `MAX_BODY_BYTES`.

    It believes neither a missing nor a false ``Content-Length``: bytes are counted as they come.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body of an HTTP request, then pass it on; pass on anything else as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            detail = f"the request body is longer than {MAX_BODY_BYTES} bytes"
            answer = JSONResponse(
                {"detail": detail, "code": "body_too_long"},
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, _Replay(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """Return the body, or None if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


class _Replay:
    """Gives the body once, then whatever comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
