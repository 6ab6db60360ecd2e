"""Loads pipelines on a desktop Scope, which runs only what was loaded before."""

import asyncio
from collections.abc import Sequence

from scope_serve.client.client import ScopeClient
from scope_serve.client.errors import ClientError, ServerResponseError
from scope_serve.client.wire import Json

_POLL_S = 0.25
_POLLS_UNTIL_LOADING = 8
"""How often a server may still say ``not_loaded`` before it has begun."""


class LoadFailedError(ClientError):
    """The server could not load the pipelines."""

    code = "load_failed"


def is_not_loaded(error: ServerResponseError) -> bool:
    """Return whether an offer was refused because its pipeline has to be loaded first."""
    return error.status == 400 and "not loaded" in error.detail.lower()


async def load_and_wait(client: ScopeClient, pipeline_ids: Sequence[str], timeout_s: float) -> None:
    """Load pipelines and return when they can be used.

    Raises:
        LoadFailedError: They could not be loaded, or not in time.
    """
    names = ", ".join(pipeline_ids)
    await client.load(pipeline_ids)
    try:
        async with asyncio.timeout(timeout_s):
            status = await _settled(client)
    except TimeoutError:
        message = f"{names} not loaded within {timeout_s:g} s"
        raise LoadFailedError(message) from None
    if status["status"] != "loaded":
        reason = status.get("error") or f"its status is {status['status']!r}"
        message = f"the server could not load {names}: {reason}"
        raise LoadFailedError(message)


async def _settled(client: ScopeClient) -> Json:
    """Return the status once it is neither loading nor about to."""
    polls = 0
    while True:
        status = await client.load_status()
        waits = status.get("status") == "not_loaded" and polls < _POLLS_UNTIL_LOADING
        if status.get("status") != "loading" and not waits:
            return {"status": None, **status}
        polls += 1
        await asyncio.sleep(_POLL_S)
