import asyncio
import logging
import threading
import traceback
import weakref

import pytest

from scope_serve.stages.run import settle
from scope_serve.stages.tracebacks import release_frames
from scope_serve.stages.worker import WorkerThread


class Ballast:
    pass


@pytest.fixture
def worker():
    thread = WorkerThread("test-worker")
    thread.start()
    yield thread
    thread.close()
    thread.join()


def test_jobs_run_in_order_in_the_named_thread(worker):
    names = [worker.submit(lambda: threading.current_thread().name) for _ in range(3)]
    numbers = [worker.submit(lambda number=number: number) for number in range(3)]

    assert [future.result(timeout=20) for future in names] == ["test-worker"] * 3
    assert [future.result(timeout=20) for future in numbers] == [0, 1, 2]


def test_job_that_fails_stops_nothing(worker):
    failed = worker.submit(lambda: 1 / 0)

    assert worker.submit(lambda: "next").result(timeout=20) == "next"
    assert isinstance(failed.exception(timeout=20), ZeroDivisionError)


def test_finished_job_is_not_held(worker):
    ballast = Ballast()
    held = weakref.ref(ballast)
    worker.submit(lambda ballast=ballast: None).result(timeout=20)
    worker.submit(lambda: None).result(timeout=20)
    del ballast

    assert held() is None


async def test_wait_that_is_given_up_does_not_disturb_the_job(worker):
    proceed = threading.Event()
    job = worker.submit(lambda: proceed.wait(20) or None)

    assert not await settle(job, 0.01)
    proceed.set()

    assert await settle(job, 20)


async def test_cancelled_waiter_does_not_cancel_the_job(worker):
    proceed = threading.Event()
    job = worker.submit(lambda: proceed.wait(20))
    waiter = asyncio.wrap_future(job)
    waiter.cancel()
    proceed.set()

    assert await asyncio.wrap_future(job)


async def test_error_of_a_job_is_logged(worker, caplog):
    with caplog.at_level(logging.ERROR):
        assert await settle(worker.submit(lambda: 1 / 0), 20)

    assert "the pipeline thread failed" in caplog.text


def fail_with(ballast):
    held = ballast
    try:
        {}[type(held).__name__]
    except KeyError as error:
        raise ValueError("outer") from error


def test_errors_let_go_of_locals_but_stay_printable():
    ballast = Ballast()
    held = weakref.ref(ballast)
    try:
        fail_with(ballast)
    except ValueError as error:
        caught = error
        release_frames(error)
    del ballast

    assert held() is None
    text = "".join(traceback.format_exception(caught))
    assert "fail_with" in text
    assert "KeyError: 'Ballast'" in text
