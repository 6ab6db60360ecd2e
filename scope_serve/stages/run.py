"""One session's use of a pipeline, as the session sees it."""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from scope_serve.frames import I420Frame
from scope_serve.stages.exchange import Exchange, StageStats
from scope_serve.stages.parameters import ParameterRules

logger = logging.getLogger(__name__)


class StageRun:
    """One session's use of a pipeline. Methods that are not coroutines never block."""

    def __init__(
        self, exchange: Exchange, rules: ParameterRules, returned: "Future[None]", wait_s: float
    ) -> None:
        self._exchange = exchange
        self._rules = rules
        self._returned = returned
        self._wait_s = wait_s
        self._was_given_up = False

    def push(self, frame: I420Frame) -> None:
        """Add an input picture, from any thread.

        At most ``max(30, 2 * input_size)`` wait; then each new one pushes out the oldest.

        Raises:
            ValueError: The picture has not as many bytes as its size needs.
        """
        self._exchange.push(frame)

    def update(self, parameters: Mapping[str, Any]) -> None:
        """Change parameters from the next call on, from any thread.

        A value of None removes a parameter. Updates are merged, never dropped.

        Raises:
            LoadParameterError: One needs a new instance. Nothing is applied.
            ParameterError: One has a value that is not allowed. Nothing is applied.
        """
        self._exchange.update(self._rules.parse(parameters))

    def acknowledge(self, frame_count: int) -> None:
        """Say that the consumer took this many output pictures, from any thread.

        The pipeline is called only while no more than one call's pictures wait.
        """
        self._exchange.acknowledge(frame_count)

    @property
    def parameters(self) -> dict[str, Any]:
        """Initial parameters that make a replacement go on from here; JSON types only.

        Without load parameters and without those that reach only one call.
        """
        return self._exchange.replay

    @property
    def stats(self) -> StageStats:
        """Counts so far."""
        return self._exchange.stats

    @property
    def has_returned(self) -> bool:
        """Whether the pipeline thread is done with this run."""
        return self._returned.done()

    @property
    def is_over(self) -> bool:
        """Whether the run was ended and the pipeline thread is done with it."""
        return self._exchange.is_ended and self.has_returned

    @property
    def is_stuck(self) -> bool:
        """Whether `end` gave up waiting, and the call has still not returned."""
        return self._was_given_up and not self.has_returned

    def request_end(self) -> None:
        """Stop calling and emit nothing more, without waiting. Idempotent."""
        self._exchange.end()

    async def end(self) -> None:
        """Stop calling, emit nothing more, and wait for the call that is under way. Idempotent.

        The wait is bounded: a call that does not return keeps the runner busy.
        """
        self.request_end()
        if not await settle(self._returned, self._wait_s):
            self._was_given_up = True
            logger.error(
                "a pipeline call does not return", extra={"pipeline_id": self._rules.pipeline_id}
            )


async def settle(future: "Future[None]", timeout_s: float) -> bool:
    """Wait until ``future`` is done; return whether it is in time."""
    waiter = asyncio.wrap_future(future)
    done, _ = await asyncio.wait([waiter], timeout=timeout_s)
    if not done:
        waiter.cancel()  # else the thread might report to a closed loop
    elif error := waiter.exception():
        logger.error("the pipeline thread failed", exc_info=error)
    return bool(done)
