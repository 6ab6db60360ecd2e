"""What the two sides of a run share: its callers, on any thread, and the pipeline thread."""

import threading
from dataclasses import dataclass

from scope_serve.frames import I420Frame, i420_size_bytes
from scope_serve.stages.backlog import InputBacklog
from scope_serve.stages.flow import OutputCredit
from scope_serve.stages.parameter_state import CallParameters, ParameterState
from scope_serve.stages.parameters import ParameterUpdate

MAX_STALE_PREPARATIONS = 3
"""After so many preparations in a row that an update overtook, a call is made all the same."""


@dataclass(frozen=True, slots=True)
class StageStats:
    """Counts of one run.

    Attributes:
        frames_in: Pictures that were pushed.
        frames_out: Pictures that were emitted.
        frames_dropped: Pushed pictures that never reached the pipeline.
        calls: Calls of the pipeline, failed ones included.
        errors: Calls and preparations that failed.
        last_call_s: Duration of the last call that returned, colour conversion included.
    """

    frames_in: int = 0
    frames_out: int = 0
    frames_dropped: int = 0
    calls: int = 0
    errors: int = 0
    last_call_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CallInput:
    """What one call gets besides parameters.

    Attributes:
        frames: The pictures; empty if the pipeline asked for none.
        has_init_cache: The value of ``init_cache``.
        arrivals: Marks the moment, for `Exchange.wait_for_news`.
    """

    frames: list[I420Frame]
    has_init_cache: bool
    arrivals: tuple[int, int]


class Exchange:
    """Input, parameters and credit of one run, under one lock.

    The methods of the first half are for callers and never block. Those of the second half are
    for the pipeline thread.
    """

    def __init__(self, parameters: ParameterUpdate) -> None:
        self._condition = threading.Condition()
        self._backlog = InputBacklog()
        self._credit = OutputCredit()
        self._parameters = ParameterState()
        self._parameters.apply(parameters)
        self._has_init_cache = True
        self._stale_preparations = 0
        self._is_ended = False
        self._frames_out = 0
        self._calls = 0
        self._errors = 0
        self._last_call_s = 0.0

    def push(self, frame: I420Frame) -> None:
        """Add an input picture; while the run has no use for it, drop and count it.

        Raises:
            ValueError: The picture has not as many bytes as its size needs.
        """
        size, wanted = memoryview(frame.data).nbytes, i420_size_bytes(frame.width, frame.height)
        if size != wanted:
            message = f"a {frame.width}x{frame.height} picture has {wanted} bytes, not {size}"
            raise ValueError(message)
        with self._condition:
            if self._is_ended or not self._parameters.is_video_mode:
                self._backlog.refuse()
                return
            self._backlog.add(frame)
            self._condition.notify_all()

    def update(self, update: ParameterUpdate) -> None:
        """Merge an update into the parameters of the next call."""
        with self._condition:
            self._parameters.apply(update)
            self._has_init_cache |= update.control.resets_cache
            if not self._parameters.is_video_mode:
                self._backlog.clear()
            self._condition.notify_all()

    def acknowledge(self, frame_count: int) -> None:
        """Take note that the consumer took output pictures."""
        with self._condition:
            self._credit.acknowledge(frame_count)
            self._condition.notify_all()

    def end(self) -> None:
        """Let no further call begin and no further event out. Idempotent."""
        with self._condition:
            self._is_ended = True
            self._backlog.clear()
            self._condition.notify_all()

    @property
    def is_ended(self) -> bool:
        """Whether `end` was called."""
        with self._condition:
            return self._is_ended

    @property
    def replay(self) -> dict[str, object]:
        """A parameter message that brings another instance into the same state."""
        with self._condition:
            return self._parameters.replay()

    @property
    def stats(self) -> StageStats:
        """The counts so far."""
        with self._condition:
            return StageStats(
                frames_in=self._backlog.received,
                frames_out=self._frames_out,
                frames_dropped=self._backlog.dropped,
                calls=self._calls,
                errors=self._errors,
                last_call_s=self._last_call_s,
            )

    def wait_for_turn(self) -> CallParameters | None:
        """Wait until a call may be prepared; return its parameters, or None at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_ended or self._may_call())
            return None if self._is_ended else self._parameters.snapshot()

    def claim(self, parameters: CallParameters, frame_count: int) -> CallInput | None:
        """Wait for input pictures, and take them together with the parameters.

        Returns:
            None if the call must be prepared again, because the parameters changed meanwhile.
        """
        with self._condition:
            if not self._wait_for_frames(frame_count, parameters.version):
                return None
            if self._is_ended or self._parameters.is_paused or self._is_stale(parameters):
                return None
            frames = self._backlog.take(frame_count)
            self._parameters.commit(parameters)
            has_init_cache, self._has_init_cache = self._has_init_cache, False
            self._calls += 1
            return CallInput(frames, has_init_cache, self._arrivals())

    def finish_call(self, *, duration_s: float, frame_count: int) -> None:
        """Count a call that returned pictures; to be called before they are emitted."""
        with self._condition:
            self._last_call_s = duration_s
            self._frames_out += frame_count
            self._credit.emit(frame_count)

    def finish_empty_call(self, call: CallInput, *, duration_s: float) -> None:
        """Count a call that returned no pictures: its ``init_cache`` stays due."""
        with self._condition:
            self._last_call_s = duration_s
            self._has_init_cache |= call.has_init_cache

    def finish_transition(self, parameters: CallParameters) -> None:
        """Give the transition of a call to no later one."""
        with self._condition:
            self._parameters.end_transition(parameters)

    def count_error(self) -> None:
        """Count a failed call or preparation."""
        with self._condition:
            self._errors += 1

    def wait_for_news(self, call: CallInput, timeout_s: float) -> None:
        """Wait for a picture or an update that came after ``call`` began, or for the end."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._is_ended or self._arrivals() != call.arrivals, timeout_s
            )

    def _may_call(self) -> bool:
        return not self._parameters.is_paused and self._credit.allows_call

    def _arrivals(self) -> tuple[int, int]:
        return (self._backlog.received, self._parameters.version)

    def _is_stale(self, parameters: CallParameters) -> bool:
        """Return whether a call with these parameters would be behind its own input pictures."""
        if self._parameters.version == parameters.version:
            self._stale_preparations = 0
            return False
        self._stale_preparations += 1
        return self._stale_preparations % (MAX_STALE_PREPARATIONS + 1) != 0

    def _wait_for_frames(self, count: int, version: int) -> bool:
        """Return whether pictures are there; False if the parameters changed before they were."""
        self._backlog.reserve(count)
        self._condition.wait_for(
            lambda: (
                self._is_ended or len(self._backlog) >= count or self._parameters.version != version
            )
        )
        return len(self._backlog) >= count
