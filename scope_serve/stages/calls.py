"""Calls a pipeline for one session until the session ends. Runs in the pipeline thread."""

import logging
import time
from collections.abc import Callable
from typing import Any

import torch

from scope_serve.errors import InputRequiredError, PipelineCallError
from scope_serve.pipelines.interface import Pipeline
from scope_serve.stages.colour import ColourConverter
from scope_serve.stages.error_budget import ErrorBudget, FailureWindow
from scope_serve.stages.events import FramesReady, StageEvent, StageFailed
from scope_serve.stages.exchange import CallInput, Exchange
from scope_serve.stages.outputs import CallOutput, frame_times, positive_rate, read_output
from scope_serve.stages.parameter_state import CallParameters
from scope_serve.stages.timestamps import frame_timestamp
from scope_serve.stages.tracebacks import release_frames

logger = logging.getLogger(__name__)

IDLE_WAIT_S = 0.01
"""Longest pause after a call that was given no pictures and returned none."""


class CallLoop:
    """The prepare-and-call cycle of one run."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        pipeline_id: str,
        exchange: Exchange,
        converter: ColourConverter,
        emit: Callable[[StageEvent], None],
        budget: ErrorBudget,
    ) -> None:
        self._pipeline = pipeline
        self._pipeline_id = pipeline_id
        self._exchange = exchange
        self._converter = converter
        self._emit_event = emit
        self._failures = FailureWindow(budget)
        # Plugins may be any class with a __call__: everything but that is optional.
        self._prepare: Callable[..., Any] | None = getattr(pipeline, "prepare", None)
        self._frame_rate = _native_rate(pipeline)

    def run(self) -> bool:
        """Call until the run ends or fails for good. To be used once.

        Returns:
            Whether the pipeline can be called again in another run.
        """
        try:
            return self._run()
        finally:
            # The frames of a logged error may outlive the run, and this object with them.
            del self._pipeline, self._prepare

    def _run(self) -> bool:
        while (parameters := self._exchange.wait_for_turn()) is not None:
            try:
                self._take_turn(parameters)
            except InputRequiredError as error:
                release_frames(error)
                self._emit(StageFailed(error, is_fatal=True))
                return True
            except BaseException as error:  # noqa: BLE001 -- border to foreign code
                if self._report(error):
                    return False
        return True

    def _take_turn(self, parameters: CallParameters) -> None:
        frame_count = self._required_frames(parameters)
        call = self._exchange.claim(parameters, frame_count)
        if call is None:
            return
        started = time.monotonic()
        output = self._call(parameters, call)
        if self._is_transition_over(parameters):
            self._exchange.finish_transition(parameters)
        if output is None:
            self._exchange.finish_empty_call(call, duration_s=time.monotonic() - started)
            if not call.frames:
                self._exchange.wait_for_news(call, IDLE_WAIT_S)
            return
        frames = self._converter.to_i420(output.video, frame_times(output, call.frames))
        self._exchange.finish_call(duration_s=time.monotonic() - started, frame_count=len(frames))
        self._emit(FramesReady(frames, output.frame_rate or self._frame_rate))

    def _required_frames(self, parameters: CallParameters) -> int:
        """Return how many pictures the pipeline wants for its next call; 0 for none."""
        if self._prepare is None:
            return 0
        mode = {"video": True} if parameters.is_video_mode else {}
        requirements = self._prepare(**parameters.keywords, **mode)
        if requirements is None:
            return 0
        count = getattr(requirements, "input_size", None)
        if not isinstance(count, int) or count < 1:
            reason = f"prepare() asked for {count!r} frames; wanted a whole number above 0"
            raise PipelineCallError(self._pipeline_id, reason)
        if not parameters.is_video_mode:
            raise InputRequiredError(self._pipeline_id, count)
        return count

    def _call(self, parameters: CallParameters, call: CallInput) -> CallOutput | None:
        keywords = {**parameters.keywords, "init_cache": call.has_init_cache}
        if call.frames:
            keywords["video"] = self._converter.to_rgb(call.frames)
            keywords["video_timestamps"] = [frame_timestamp(frame) for frame in call.frames]
        return read_output(self._pipeline(**keywords), pipeline_id=self._pipeline_id)

    def _is_transition_over(self, parameters: CallParameters) -> bool:
        """Return whether the pipeline has finished the transition that it was given.

        A pipeline that does not say so in its ``state`` is given a transition only once.
        """
        if "transition" not in parameters.keywords:
            return False
        read = getattr(getattr(self._pipeline, "state", None), "get", None)
        return not (callable(read) and read("_transition_active"))

    def _report(self, error: BaseException) -> bool:
        """Tell the session about a failure; return whether it was the last one."""
        self._exchange.count_error()
        release_frames(error)
        is_fatal = self._failures.record() or isinstance(error, torch.cuda.OutOfMemoryError)
        logger.warning(
            "a pipeline failed",
            exc_info=error,
            extra={"pipeline_id": self._pipeline_id, "is_fatal": is_fatal},
        )
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, PipelineCallError):
            reason = error.reason
        self._emit(StageFailed(PipelineCallError(self._pipeline_id, reason), is_fatal))
        return is_fatal

    def _emit(self, event: StageEvent) -> None:
        if self._exchange.is_ended:
            return
        try:
            self._emit_event(event)
        except Exception:
            # The session that listens is broken; the pipeline is not.
            logger.exception("a stage event could not be delivered")
            self._exchange.end()


def _native_rate(pipeline: Pipeline) -> float | None:
    """Return the frame rate of the model itself, if the pipeline knows one."""
    try:
        return positive_rate(getattr(getattr(pipeline, "config", None), "frame_rate", None))
    except Exception as error:
        # Configurations of plugins may be of any kind.
        logger.debug("a pipeline's frame rate cannot be read", exc_info=error)
        return None
