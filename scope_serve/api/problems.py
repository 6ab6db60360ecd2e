"""Errors as HTTP responses: the one place that knows status codes.

Every error body is ``{"detail": …, "code": …}``. ``detail`` is what FastAPI and Scope send: a
sentence, or FastAPI's list for a body that does not fit its schema. ``code`` is stable.
"""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from scope_serve.errors import (
    CapacityError,
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


def install(app: FastAPI) -> None:
    """Answer every error that a route of ``app`` raises."""

    @app.exception_handler(ScopeServeError)
    async def on_known(_: Request, error: ScopeServeError) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_AFTER_S)} if error.retryable else None
        return JSONResponse(body_of(error), status_of(error), headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The input itself is left out: an offer is long, and a NaN in it is no JSON.
        found = [{key: each[key] for key in ("type", "loc", "msg")} for each in error.errors()]
        body = {"detail": jsonable_encoder(found), "code": "invalid_request"}
        return JSONResponse(body, HTTPStatus.UNPROCESSABLE_ENTITY)

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(HTTPStatus(error.status_code), "http_error")
        return JSONResponse(
            {"detail": error.detail, "code": code}, error.status_code, error.headers
        )

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        logger.error("unexpected error", exc_info=error, extra={"path": request.url.path})
        body = {"detail": "internal error; the server's log says more", "code": "internal_error"}
        return JSONResponse(body, HTTPStatus.INTERNAL_SERVER_ERROR)
