"""Errors as HTTP responses: the one place that knows status codes.

Every error body is ``{"detail": …, "code": …}``. ``detail`` is what FastAPI and Scope send: a
sentence, or FastAPI's list for a body that does not fit its schema. ``code`` is stable.
"""

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scope_serve.errors import (
    CapacityError,
    InputRequiredError,
    InvalidCandidateError,
    InvalidOfferError,
    InvalidRequestError,
    LinkError,
    ParameterError,
    PipelineLoadError,
    PipelineNotFoundError,
    PipelineUnavailableError,
    ScopeServeError,
    SessionNotFoundError,
    StageLostError,
    UnsupportedGraphError,
)

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2

_STATUS: dict[type[ScopeServeError], HTTPStatus] = {
    CapacityError: HTTPStatus.SERVICE_UNAVAILABLE,
    InputRequiredError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidCandidateError: HTTPStatus.NOT_FOUND,  # Scope's answer to a candidate it cannot parse
    InvalidOfferError: HTTPStatus.BAD_REQUEST,
    InvalidRequestError: HTTPStatus.BAD_REQUEST,
    LinkError: HTTPStatus.SERVICE_UNAVAILABLE,
    ParameterError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PipelineLoadError: HTTPStatus.INTERNAL_SERVER_ERROR,
    PipelineNotFoundError: HTTPStatus.NOT_FOUND,
    PipelineUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    SessionNotFoundError: HTTPStatus.NOT_FOUND,
    StageLostError: HTTPStatus.SERVICE_UNAVAILABLE,
    UnsupportedGraphError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

_CODES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
}


def status_of(error: ScopeServeError) -> HTTPStatus:
    """Return the status for ``error``: its class's, or that of the nearest class above it."""
    for each in type(error).__mro__:
        if each in _STATUS:
            return _STATUS[each]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def body_of(error: ScopeServeError) -> dict[str, Any]:
    """Return the response body for ``error``."""
    body: dict[str, Any] = {"detail": str(error), "code": error.code}
    if error.field is not None:
        body["field"] = error.field
    return body


class _Problem(JSONResponse):
    """A response in ASCII: names that clients sent may hold half a surrogate pair."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - as Starlette's
        return json.dumps(content, allow_nan=False).encode("ascii")


def install(app: FastAPI) -> None:
    """Answer every error that a route of ``app`` raises. Middleware comes after this."""

    @app.exception_handler(ScopeServeError)
    async def on_known(_: Request, error: ScopeServeError) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_AFTER_S)} if error.retryable else None
        return _Problem(body_of(error), status_of(error), headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The input itself is left out: an offer is long, and a NaN in it is no JSON.
        found = [{key: each[key] for key in ("type", "loc", "msg")} for each in error.errors()]
        body = {"detail": jsonable_encoder(found), "code": "invalid_request"}
        return _Problem(body, HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(HTTPStatus(error.status_code), "http_error")
        return _Problem({"detail": error.detail, "code": code}, error.status_code, error.headers)

    app.add_middleware(_BugBarrier)


class _BugBarrier:
    """Answers errors that nobody expected.

    A handler for ``Exception`` would run outside of all middleware, so that a browser could not
    read its answer for want of CORS headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def watched(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if has_started or scope["type"] != "http":
                raise
            logger.exception("unexpected error", extra={"path": scope["path"]})
            detail = "internal error; the server's log says more"
            body = {"detail": detail, "code": "internal_error"}
            await _Problem(body, HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send)
