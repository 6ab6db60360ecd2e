"""Messages from the server to the client on the data channel. Pure.

Scope's clients know ``stream_stopped``, ``parameters_updated`` and a few that this server never
sends, and ignore types that they do not know; so additions are safe.
"""

import json
from collections.abc import Mapping
from typing import Any

from scope_serve.errors import InvalidRequestError

MAX_MESSAGE_BYTES = 64 * 1024
MAX_DEPTH = 32
"""Nested further, a value could overflow the stack of whoever walks through it later."""


def error_message(code: str, message: str, **details: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an ``error`` message: something was refused or failed, the stream goes on."""
    known = {name: value for name, value in details.items() if value is not None}
    return {"type": "error", "code": code, "message": message, **known}


def stream_stopped(code: str, message: str) -> dict[str, Any]:
    """Return the message that the stream is over because of an error."""
    return {"type": "stream_stopped", "error_message": message, "code": code}


def parse_client_message(text: str | bytes) -> Mapping[str, Any]:
    """Return the parameters in a data-channel message.

    Raises:
        InvalidRequestError: It is too long, nested too deeply, or not a JSON object.
    """
    size_bytes = len(text if isinstance(text, bytes) else text.encode(errors="replace"))
    if size_bytes > MAX_MESSAGE_BYTES:
        found = f"a data-channel message of {size_bytes} bytes"
        raise InvalidRequestError(f"{found}; at most {MAX_MESSAGE_BYTES} are read")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"a data-channel message is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        found = type(parsed).__name__
        raise InvalidRequestError(f"a data-channel message must be a JSON object, not a {found}")
    if not _is_shallow(parsed, MAX_DEPTH):
        raise InvalidRequestError(f"a data-channel message has more than {MAX_DEPTH} levels")
    return parsed


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)
