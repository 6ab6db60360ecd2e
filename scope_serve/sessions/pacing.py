"""When each picture is shown. Pure: the caller brings the clock."""

from dataclasses import dataclass

DEFAULT_FPS = 30.0
MAX_FPS = 60.0
MIN_FPS = 1.0
_SMOOTHING = 0.3
_CATCH_UP = 0.9
"""Share of the interval that is left while more than one chunk of live pictures waits."""
_MAX_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A processed picture, as far as pacing needs to know it.

    Attributes:
        now_s: When it arrived.
        position: Its place in the output of one pipeline call.
        length: How many pictures that call made.
        is_live: Whether it was made from video that the client sends.
        frame_rate: Pictures per second that the pipeline says it makes, if it says so.
    """

    now_s: float
    position: int
    length: int
    is_live: bool
    frame_rate: float | None


class Pacer:
    """Decides when pictures are due.

    Single pictures made from live video are due at once: their cadence is the camera's, and any
    wait would be latency. Pictures of a longer chunk arrive together and are spread over the time
    until the next chunk is expected. Pictures made from nothing are played at the pipeline's
    frame rate, or at `DEFAULT_FPS` if it can keep up with that, because such a pipeline would
    otherwise run flat out.
    """

    def __init__(self) -> None:
        self._due_s: float | None = None
        self._chunk_started_s: float | None = None
        self._chunk_length = 1
        self._measured_s: float | None = None

    def due_s(self, arrival: Arrival) -> float:
        """Return the time at which the picture is due; it may be in the past."""
        if arrival.position == 0:
            self._measure(arrival)
        interval_s = self._interval_s(arrival)
        if interval_s is None or self._due_s is None:
            self._due_s = arrival.now_s
            return arrival.now_s
        due_s = self._due_s + interval_s
        ahead_s = due_s - arrival.now_s
        if arrival.is_live and ahead_s > interval_s * arrival.length:
            due_s = self._due_s + interval_s * _CATCH_UP
        elif ahead_s < -2 * interval_s:
            due_s = arrival.now_s
        self._due_s = due_s
        return due_s

    def _measure(self, arrival: Arrival) -> None:
        """Learn from the begin of a chunk how long a picture of the last one may be shown."""
        started_s, self._chunk_started_s = self._chunk_started_s, arrival.now_s
        length, self._chunk_length = self._chunk_length, arrival.length
        if started_s is None:
            return
        found_s = (arrival.now_s - started_s) / length
        known_s = self._measured_s
        if known_s is None:
            self._measured_s = found_s
        elif self._due_s is not None and self._due_s - arrival.now_s > known_s:
            # Pictures still wait, so stages wait for them to be played: what is measured now is
            # the pace of the playing itself, and the pipeline may well be faster.
            self._measured_s = min(found_s, known_s * _CATCH_UP)
        else:
            # A pause is not a pace.
            found_s = min(found_s, known_s * _MAX_GROWTH)
            self._measured_s = known_s + _SMOOTHING * (found_s - known_s)
        self._measured_s = min(1 / MIN_FPS, max(1 / MAX_FPS, self._measured_s))

    def _interval_s(self, arrival: Arrival) -> float | None:
        if arrival.frame_rate is not None:
            return 1 / min(MAX_FPS, max(MIN_FPS, arrival.frame_rate))
        if arrival.length == 1:
            return None if arrival.is_live else 1 / DEFAULT_FPS
        if self._measured_s is None:
            return 1 / DEFAULT_FPS
        return self._measured_s if arrival.is_live else max(self._measured_s, 1 / DEFAULT_FPS)
