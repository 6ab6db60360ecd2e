"""Runs the coroutine of a command so that SIGTERM ends it as cleanly as Ctrl-C does."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived; everything has been closed."""


def run(command: Coroutine[Any, Any, _T]) -> _T:
    """Return what ``command`` returns.

    Raises:
        KeyboardInterrupt: SIGINT arrived, and ``command`` has cleaned up.
        TerminatedError: SIGTERM arrived, and ``command`` has cleaned up.
    """
    try:
        return asyncio.run(_until_terminated(command))
    except asyncio.CancelledError:
        raise TerminatedError from None


async def _until_terminated(command: Coroutine[Any, Any, _T]) -> _T:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await command
