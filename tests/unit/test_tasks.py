import asyncio
import contextvars
import logging

import pytest

from scope_serve.tasks import TaskScope, cancel_and_wait

REQUEST = contextvars.ContextVar("REQUEST", default="none")


async def for_ever():
    await asyncio.Event().wait()


async def fails():
    raise ValueError("no good")


async def test_closing_a_scope_ends_its_tasks():
    async with TaskScope() as scope:
        task = scope.start(for_ever(), name="t")
    assert task.cancelled()


async def test_a_task_may_close_the_scope_it_belongs_to():
    scope = TaskScope()
    other = scope.start(for_ever(), name="other")
    await scope.start(scope.aclose(), name="closer")
    assert other.cancelled()


async def test_the_error_of_a_background_task_is_told_at_once():
    told = asyncio.get_running_loop().create_future()
    async with TaskScope(on_error=told.set_result) as scope:
        scope.start(fails(), name="t")
        assert str(await told) == "no good"


async def test_the_error_of_a_background_task_is_logged_by_default(caplog):
    async with TaskScope() as scope:
        await asyncio.wait([scope.start(fails(), name="t")])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_the_error_of_an_awaited_task_goes_to_who_awaits_it_only(caplog):
    async with TaskScope() as scope:
        with pytest.raises(ValueError, match="no good"):
            await scope.run(fails(), name="t")
    assert not caplog.records


async def test_a_task_does_not_inherit_the_context_of_who_starts_it():
    REQUEST.set("mine")

    async def read():
        return REQUEST.get()

    async with TaskScope() as scope:
        assert await scope.run(read(), name="t") == "none"


async def test_a_closed_scope_starts_nothing():
    scope = TaskScope()
    await scope.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        scope.start(for_ever(), name="t")


async def test_cancelling_the_one_who_waits_is_not_swallowed():
    is_running, is_cancelled, stubborn_may_end = (asyncio.Event() for _ in range(3))

    async def stubborn():
        try:
            is_running.set()
            await for_ever()
        finally:
            is_cancelled.set()
            await stubborn_may_end.wait()

    async with TaskScope() as scope:
        task = scope.start(stubborn(), name="stubborn")
        await is_running.wait()
        waiter = scope.start(cancel_and_wait(task), name="waiter")
        await is_cancelled.wait()
        waiter.cancel()
        await asyncio.wait([waiter])
        assert waiter.cancelled()
        stubborn_may_end.set()
