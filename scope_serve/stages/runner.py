"""Runs one pipeline for one session at a time, without ever blocking an event loop."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scope_serve.errors import PipelineUnavailableError
from scope_serve.pipelines.interface import Pipeline
from scope_serve.stages.calls import CallLoop
from scope_serve.stages.construction import config_class_of
from scope_serve.stages.error_budget import ErrorBudget
from scope_serve.stages.events import StageEvent
from scope_serve.stages.exchange import Exchange, StageStats
from scope_serve.stages.parameters import ParameterRules
from scope_serve.stages.run import StageRun, settle
from scope_serve.stages.slot import PipelineSlot
from scope_serve.stages.worker import WorkerThread

__all__ = ["StageLimits", "StageRun", "StageRunner", "StageStats"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StageLimits:
    """How much a stage puts up with from its pipeline.

    Attributes:
        call_end_s: How long the end of a run waits for the call that is under way.
        close_s: How long closing waits for the thread before it abandons it.
        errors: Failed calls that a session survives.
    """

    call_end_s: float = 10.0
    close_s: float = 10.0
    errors: ErrorBudget = field(default_factory=ErrorBudget)


class StageRunner:
    """Owns one pipeline instance and the thread in which it is made and called.

    Args:
        pipeline_class: A class with a configuration class.
        load_params: Load parameters of every session that brings none of its own.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` …; ``"auto"`` is CUDA where there is one.
        limits: What to put up with.

    Raises:
        TypeError: The class is not a pipeline.
    """

    def __init__(
        self,
        pipeline_class: type[Pipeline],
        *,
        load_params: Mapping[str, Any],
        device: str = "auto",
        limits: StageLimits | None = None,
    ) -> None:
        self._rules = ParameterRules(config_class_of(pipeline_class))
        self._load_params = dict(load_params)
        self._limits = limits or StageLimits()
        self._slot = PipelineSlot(pipeline_class, device)
        self._thread = WorkerThread(f"stage-{self._rules.pipeline_id}")
        self._run: StageRun | None = None
        self._is_started = False
        self._is_beginning = False
        self._is_closed = False

    async def start(self) -> None:
        """Start the thread and make the pipeline in it. `aclose` must follow, also on errors.

        Raises:
            PipelineLoadError: The constructor failed; the reason carries its error.
            RuntimeError: It was called before.
        """
        if self._is_started or self._is_closed:
            raise RuntimeError("a stage runner starts once")
        self._is_started = True
        self._thread.start()
        await self._load(self._load_params)

    async def begin(
        self,
        parameters: Mapping[str, Any],
        *,
        input_mode: str,
        emit: Callable[[StageEvent], None],
    ) -> StageRun:
        """Begin to call the pipeline for a session.

        If the session's load parameters differ from those of the loaded instance, a new one is
        made first.

        Args:
            parameters: Initial parameters, load parameters among them.
            input_mode: One of the pipeline's modes.
            emit: Gets every event, in the pipeline thread; must not block.

        Raises:
            ParameterError: A parameter or the input mode is not allowed.
            PipelineLoadError: No instance could be made.
            PipelineUnavailableError: A call of an earlier run has still not returned.
            RuntimeError: A run is open, or the runner is not started or is closed.
        """
        self._require_free()
        self._rules.check_mode(input_mode)
        load_params, runtime = self._rules.split(parameters)
        update = self._rules.parse({**runtime, "input_mode": input_mode})
        self._is_beginning = True
        try:
            await self._load({**self._load_params, **load_params})
            if self._is_closed:
                raise RuntimeError("the stage runner was closed meanwhile")
            exchange = Exchange(update)
            returned = self._thread.submit(lambda: self._call_until_ended(exchange, emit))
            self._run = StageRun(exchange, self._rules, returned, self._limits.call_end_s)
        finally:
            self._is_beginning = False
        return self._run

    @property
    def is_busy(self) -> bool:
        """Whether a session has the pipeline, or its last call has not returned."""
        return self._is_beginning or (self._run is not None and not self._run.is_over)

    @property
    def is_stuck(self) -> bool:
        """Whether the last call of a run that was ended does not return."""
        return self._run is not None and self._run.is_stuck

    async def aclose(self) -> None:
        """End the run, release the pipeline and end the thread. Idempotent.

        The wait is bounded: a thread that hangs in the pipeline is abandoned.
        """
        if not self._is_closed:
            self._is_closed = True
            if self._run is not None:
                self._run.request_end()
            self._thread.submit(self._slot.release)
            self._thread.close()
        if not self._is_started:
            return
        if await settle(self._thread.ended, self._limits.close_s):
            self._thread.join()
        else:
            logger.error(
                "a pipeline thread hangs and is abandoned",
                extra={"pipeline_id": self._rules.pipeline_id},
            )

    def _require_free(self) -> None:
        if not self._is_started or self._is_closed:
            raise RuntimeError("the stage runner is not started, or closed")
        if self.is_stuck:
            raise PipelineUnavailableError(self._rules.pipeline_id, "a call does not return")
        if self.is_busy:
            raise RuntimeError("a run is open; end it first")

    async def _load(self, load_params: Mapping[str, Any]) -> None:
        await asyncio.wrap_future(self._thread.submit(lambda: self._slot.load(load_params)))

    def _call_until_ended(self, exchange: Exchange, emit: Callable[[StageEvent], None]) -> None:
        """Run the calls of one session, in the pipeline thread."""
        loop = CallLoop(
            self._slot.pipeline,
            pipeline_id=self._rules.pipeline_id,
            exchange=exchange,
            converter=self._slot.converter,
            emit=emit,
            budget=self._limits.errors,
        )
        if not loop.run():
            self._slot.release()
