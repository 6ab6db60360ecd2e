"""What travels between client and server, as plain values. Pure: no I/O, no aiortc."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from scope_serve.client.errors import ReportedError, StreamStoppedError

Json: TypeAlias = dict[str, Any]
InputMode: TypeAlias = Literal["text", "video"]


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The sentence and the stable code of an HTTP error body."""

    detail: str
    code: str | None = None


def read_error_body(status: int, reason: str, body: str) -> ErrorBody:
    """Return what the body of an error response says, whoever wrote it.

    Understands ``{"detail": "...", "code": "..."}``, FastAPI's list of validation errors, and
    falls back to the status line for anything else (a proxy's HTML page, an empty body).
    """
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return ErrorBody(f"the server answered {status} {reason}".rstrip())
    code = parsed.get("code")
    detail = parsed.get("detail")
    if isinstance(detail, list):
        detail = "; ".join(_validation_sentence(item) for item in detail)
    if not isinstance(detail, str) or not detail:
        detail = f"the server answered {status} {reason}".rstrip()
    return ErrorBody(detail, code if isinstance(code, str) else None)


def _validation_sentence(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    places = [str(part) for part in item.get("loc", ()) if part != "body"]
    message = str(item.get("msg", "is invalid"))
    return f"{'.'.join(places)}: {message}" if places else message


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


def read_ice_servers(body: Mapping[str, Any]) -> tuple[IceServer, ...]:
    """Return the servers of ``{"iceServers": [{"urls": str | list, ...}]}``."""
    servers = []
    for entry in body.get("iceServers", ()):
        urls = entry["urls"]
        servers.append(
            IceServer(
                (urls,) if isinstance(urls, str) else tuple(urls),
                entry.get("username"),
                entry.get("credential"),
            )
        )
    return tuple(servers)


def initial_parameters(
    pipeline_ids: Sequence[str], input_mode: InputMode, parameters: Mapping[str, Any]
) -> Json:
    """Return ``initialParameters`` of an offer: the caller's parameters, None left out."""
    chosen = {name: value for name, value in parameters.items() if value is not None}
    return {**chosen, "pipeline_ids": list(pipeline_ids), "input_mode": input_mode}


def read_message(data: str | bytes) -> Json | None:
    """Return a data-channel message of the server, or None if it is not a JSON object."""
    try:
        message = json.loads(data)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def stop_reason(message: Mapping[str, Any]) -> StreamStoppedError | None:
    """Return why a ``stream_stopped`` message ends the stream; None for an ordinary end."""
    reason = message.get("error_message")
    return StreamStoppedError(str(reason)) if reason else None


def reported_error(message: Mapping[str, Any]) -> ReportedError | None:
    """Return the error that an ``error`` message reports; None for every other type."""
    if message.get("type") != "error":
        return None
    field = message.get("field")
    return ReportedError(
        str(message.get("code", "error")),
        str(message.get("message", "an error without a message")),
        None if field is None else str(field),
    )


def server_latency_ms(message: Mapping[str, Any]) -> float | None:
    """Return the median latency within the server that a ``session_stats`` message carries."""
    if message.get("type") != "session_stats":
        return None
    latency = message.get("latency_ms")
    if isinstance(latency, Mapping):
        latency = latency.get("p50")
    if isinstance(latency, bool) or not isinstance(latency, int | float):
        return None
    return float(latency)


def stats_latency_p95_ms(message: Mapping[str, Any]) -> float | None:
    """Return the 95th percentile beside it, if the server sends percentiles."""
    latency = message.get("latency_ms")
    value = latency.get("p95") if isinstance(latency, Mapping) else None
    return float(value) if isinstance(value, int | float) else None
