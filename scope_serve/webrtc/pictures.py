"""Between PyAV's pictures and ours."""

from fractions import Fraction

import av
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from scope_serve.frames import CLOCK_RATE_HZ, I420Frame, i420_size_bytes

TIME_BASE = Fraction(1, CLOCK_RATE_HZ)


def from_av(picture: av.VideoFrame, *, entered_ns: int) -> I420Frame:
    """Return ``picture`` as a frame, its planes copied once.

    Args:
        picture: A decoded picture; anything but yuv420p is converted first.
        entered_ns: When it entered the session (``time.monotonic_ns()``).
    """
    if picture.format.name != "yuv420p":
        picture = picture.reformat(format="yuv420p")
    width, height = picture.width, picture.height
    data = bytearray(i420_size_bytes(width, height))
    target = np.frombuffer(data, np.uint8)
    start = 0
    for index, plane in enumerate(picture.planes):
        columns, rows = _plane_size(index, width, height)
        end = start + columns * rows
        target[start:end].reshape(rows, columns)[:] = _rows(plane, rows)[:, :columns]
        start = end
    return I420Frame(data, width, height, _ticks(picture), entered_ns)


def to_av(frame: I420Frame, *, pts: int) -> av.VideoFrame:
    """Return ``frame`` as a PyAV picture to be shown at ``pts`` ticks of the RTP clock."""
    picture = av.VideoFrame(frame.width, frame.height, "yuv420p")
    source = np.frombuffer(frame.data, np.uint8)
    start = 0
    for index, plane in enumerate(picture.planes):
        columns, rows = _plane_size(index, frame.width, frame.height)
        end = start + columns * rows
        _rows(plane, rows)[:, :columns] = source[start:end].reshape(rows, columns)
        start = end
    picture.pts = pts
    picture.time_base = TIME_BASE
    return picture


def _plane_size(index: int, width: int, height: int) -> tuple[int, int]:
    return (width, height) if index == 0 else (-(-width // 2), -(-height // 2))


def _rows(plane: VideoPlane, rows: int) -> NDArray[np.uint8]:
    """Return a view of the plane's memory as rows, padding at their ends included."""
    memory: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)
    return memory[: plane.line_size * rows].reshape(rows, plane.line_size)


def _ticks(picture: av.VideoFrame) -> int | None:
    if picture.pts is None or picture.time_base is None:
        return None
    return round(picture.pts * picture.time_base * CLOCK_RATE_HZ)
