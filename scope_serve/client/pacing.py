"""When to send which picture of a recording, so that it plays in real time. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What to do with the next picture."""

    SEND = "send"
    WAIT = "wait"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a picture; ``wait_s`` is above zero for `Action.WAIT` only."""

    action: Action
    wait_s: float = 0.0


class Pacer:
    """Plays presentation times against a clock that starts with the first picture.

    A picture that is more than ``max_late_s`` late is skipped, as a camera would have done: a
    stall must not be followed by a burst of old pictures.
    """

    def __init__(self, max_late_s: float = 0.25) -> None:
        self._max_late_s = max_late_s
        self._started_s: float | None = None

    def decide(self, at_s: float, now_s: float) -> Decision:
        """Decide on the picture due ``at_s`` after the first one, at ``now_s`` on any clock."""
        if self._started_s is None:
            self._started_s = now_s - at_s
        late_s = now_s - self._started_s - at_s
        if late_s < 0:
            return Decision(Action.WAIT, -late_s)
        return Decision(Action.SKIP if late_s > self._max_late_s else Action.SEND)


class RecordingClock:
    """Turns the timestamps of received pictures into strictly increasing ticks from zero.

    Follows the sender's timestamps, because they are free of network jitter, as long as they
    agree with the times of arrival; a sender that restarts its clock does not tear a hole.
    """

    _MAX_DRIFT_S = 1.0

    def __init__(self, ticks_per_s: int) -> None:
        self._ticks_per_s = ticks_per_s
        self._last_tick = -1
        self._offset_s: float | None = None
        self._first_arrival_s = 0.0

    def tick(self, pts_s: float | None, arrival_s: float) -> int:
        """Return the tick of the next picture."""
        if self._last_tick < 0:
            self._first_arrival_s = arrival_s
        elapsed_s = arrival_s - self._first_arrival_s
        tick = round(self._position(pts_s, elapsed_s) * self._ticks_per_s)
        self._last_tick = max(tick, self._last_tick + 1)
        return self._last_tick

    def _position(self, pts_s: float | None, elapsed_s: float) -> float:
        if pts_s is None:
            return elapsed_s
        offset_s = self._offset_s
        if offset_s is None or abs(pts_s + offset_s - elapsed_s) > self._MAX_DRIFT_S:
            offset_s = self._offset_s = elapsed_s - pts_s
        return pts_s + offset_s
