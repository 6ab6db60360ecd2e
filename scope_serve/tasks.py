"""Tasks with an owner: started by name, awaited or cancelled when their scope closes."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class TaskScope:
    """Owns background tasks; ``aclose()`` cancels and awaits every one of them.

    A task that ends with an error reports it at once through ``on_error`` (default: an error
    log), because nobody awaits a background task until its scope closes.

    Tasks start in an empty `contextvars.Context`. A task started while an HTTP request is being
    handled must not inherit that request's identity: Ray Serve's routers match concurrent calls
    by it and would starve all but one of them.
    """

    def __init__(self, on_error: Callable[[BaseException], None] | None = None) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_error = on_error
        self._closed = False

    def start(self, coro: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run ``coro`` as a task of this scope.

        Raises:
            RuntimeError: The scope is closed; ``coro`` is closed without having run.
        """
        task = self._create(coro, name)
        task.add_done_callback(self._report)
        return task

    async def run(self, coro: Coroutine[Any, Any, _T], *, name: str) -> _T:
        """Return what ``coro`` returns or raise what it raises, run as a task of this scope.

        Raises:
            RuntimeError: The scope is closed; ``coro`` is closed without having run.
        """
        return await self._create(coro, name)

    def _create(self, coro: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        if self._closed:
            coro.close()
            message = f"cannot start {name!r}: its scope is closed"
            raise RuntimeError(message)
        loop = asyncio.get_running_loop()
        task = loop.create_task(coro, name=name, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _report(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._on_error is not None:
            self._on_error(error)
        else:
            logger.error("background task failed", exc_info=error, extra={"task": task.get_name()})

    async def aclose(self) -> None:
        """Cancel every task of the scope and wait until all have ended. Idempotent.

        The task that calls it is left out, so that a task may close the scope it belongs to.
        """
        self._closed = True
        current = asyncio.current_task()
        while others := [task for task in self._tasks if task is not current]:
            for task in others:
                task.cancel()
            await asyncio.wait(others)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel ``task`` and return when it has ended, whatever it ended with."""
    task.cancel()
    await asyncio.wait([task])
