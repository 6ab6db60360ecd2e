"""Timestamps of the outgoing pictures. Pure: the caller brings the clock."""

from scope_serve.frames import CLOCK_RATE_HZ

_MAX_DRIFT_TICKS = CLOCK_RATE_HZ // 2


class OutgoingTimestamps:
    """Gives each outgoing picture its place on the RTP clock.

    A picture made from a live one keeps the distance in time to its predecessor that the camera
    gave it, so a jump of the processing time does not show as uneven motion. Others are stamped
    with the time they are sent. A picture whose own time is more than half a second away from the
    clock (a pause, a new source) starts anew from the clock. The result always grows.
    """

    def __init__(self) -> None:
        self._origin_s: float | None = None
        self._offset: int | None = None
        self._last = -1

    def stamp(self, pts: int | None, now_s: float) -> int:
        """Return the ticks for a picture that is sent at ``now_s`` and has its own ``pts``."""
        if self._origin_s is None:
            self._origin_s = now_s
        clock = round((now_s - self._origin_s) * CLOCK_RATE_HZ)
        ticks = clock if pts is None else self._aligned(pts, clock)
        self._last = max(self._last + 1, ticks)
        return self._last

    def _aligned(self, pts: int, clock: int) -> int:
        if self._offset is None or abs(pts + self._offset - clock) > _MAX_DRIFT_TICKS:
            self._offset = clock - pts
        return pts + self._offset
