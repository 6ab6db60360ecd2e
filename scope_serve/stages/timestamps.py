"""Presentation times as pipelines see them, and as frames carry them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scope_serve.frames import CLOCK_RATE_HZ, I420Frame

logger = logging.getLogger(__name__)

FRAME_TIME_BASE = Fraction(1, CLOCK_RATE_HZ)


@dataclass(frozen=True, slots=True)
class MediaTimestamp:
    """When a picture is shown: ``pts * time_base`` seconds.

    Attributes:
        pts: Ticks, or None if unknown.
        time_base: Seconds per tick, or None if unknown.
    """

    pts: int | None = None
    time_base: Fraction | None = None


@dataclass(frozen=True, slots=True)
class FrameTime:
    """The two times that an output picture carries; see `I420Frame`."""

    pts: int | None = None
    entered_ns: int = 0


def frame_timestamp(frame: I420Frame) -> MediaTimestamp:
    """Return the presentation time of an input picture."""
    return MediaTimestamp(pts=frame.pts, time_base=FRAME_TIME_BASE)


def ticks_from_timestamps(timestamps: object, count: int) -> list[int | None] | None:
    """Return ``count`` times in ticks of `CLOCK_RATE_HZ` from a pipeline's timestamps.

    Args:
        timestamps: A list of objects or dicts with ``pts`` and ``time_base``. Anything that
            cannot be read as a time counts as "unknown".
        count: Pictures that need a time; the list is cut or filled up with None.

    Returns:
        None if ``timestamps`` is not a list.
    """
    if not isinstance(timestamps, Sequence) or isinstance(timestamps, str | bytes):
        return None
    ticks = [_ticks(timestamp) for timestamp in timestamps[:count]]
    return ticks + [None] * (count - len(ticks))


def _ticks(timestamp: object) -> int | None:
    if isinstance(timestamp, Mapping):
        pts, time_base = timestamp.get("pts"), timestamp.get("time_base")
    else:
        pts, time_base = getattr(timestamp, "pts", None), getattr(timestamp, "time_base", None)
    if pts is None or time_base is None:
        return None
    try:
        return round(Fraction(pts) * Fraction(time_base) * CLOCK_RATE_HZ)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        logger.debug("a pipeline's timestamp cannot be read", exc_info=error)
        return None
