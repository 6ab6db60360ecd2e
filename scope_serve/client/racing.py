"""Run things together until the first of them ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from scope_serve.tasks import TaskScope


async def first_to_end(*steps: Coroutine[Any, Any, object]) -> None:
    """Run ``steps`` together; when one ends, cancel the others and wait for them.

    Raises:
        Exception: What the first step that ended raised, if it did.
    """
    async with TaskScope(on_error=lambda _: None) as scope:
        tasks = [scope.start(step, name=f"race/{place}") for place, step in enumerate(steps)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task in done:
            task.result()
