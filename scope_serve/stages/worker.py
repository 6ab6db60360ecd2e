"""A thread of one's own."""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")
Job = tuple[Callable[[], Any], "Future[Any]"]


class WorkerThread:
    """Runs jobs one after the other in one named daemon thread.

    Unlike an executor's threads it does not keep the process alive: a job may hang for ever.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._ended: Future[None] = _running_future()

    @property
    def ended(self) -> "Future[None]":
        """Done when the thread has run its last job."""
        return self._ended

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, job: Callable[[], ResultT]) -> "Future[ResultT]":
        """Run ``job`` after all earlier ones. The future cannot be cancelled."""
        future: Future[ResultT] = _running_future()
        self._jobs.put((job, future))
        return future

    def close(self) -> None:
        """Let the thread end after the jobs it has."""
        self._jobs.put(None)

    def join(self) -> None:
        """Wait for the thread itself; instant once `ended` is done."""
        self._thread.join()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            _run(*item)
            del item  # a job may hold a pipeline
        self._ended.set_result(None)


def _run(job: Callable[[], Any], future: "Future[Any]") -> None:
    try:
        result = job()
    except BaseException as error:  # noqa: BLE001 -- it belongs to whoever awaits the future
        future.set_exception(error)
    else:
        future.set_result(result)


def _running_future() -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future
