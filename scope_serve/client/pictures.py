"""Pictures as PyAV frames: their luma, even sizes, and a moving test pattern."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from scope_serve.client import barcode

_PLANAR_YUV = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12", "gray"})
_RING = 30


def luma_of(frame: av.VideoFrame) -> barcode.Luma:
    """Return the Y plane of ``frame``, ``(height, width)``, as a view where that is possible."""
    if frame.format.name not in _PLANAR_YUV:
        frame = frame.reformat(format="yuv420p")
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def even_yuv420p(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the picture upright, in YUV 4:2:0, with even sides: what every encoder accepts."""
    if turns := round(frame.rotation / 90) % 4:
        pixels: NDArray[np.uint8] = np.rot90(frame.to_ndarray(format="rgb24"), turns)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    width, height = max(2, frame.width & ~1), max(2, frame.height & ~1)
    if frame.format.name == "yuv420p" and (frame.width, frame.height) == (width, height):
        return frame
    return frame.reformat(width=width, height=height, format="yuv420p")


class TestPattern:
    """Colour bars under a moving square, drawn in advance, with a barcode per picture.

    Drawing in advance keeps the cost of a picture to one copy, so that a measurement sees the
    codec and the network and not this class.
    """

    __test__ = False  # its name is no test's

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        bars = _bars(width, height)
        self._ring = [_with_square(bars, width, height, step / _RING) for step in range(_RING)]

    def frame(self, number: int) -> av.VideoFrame:
        """Return picture ``number``, which says so in its barcode."""
        planes = self._ring[number % _RING]
        barcode.stamp(planes[: self.height], number)
        return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _bars(width: int, height: int) -> NDArray[np.uint8]:
    """Return the seven colours of SMPTE bars as stacked I420 planes."""
    colours = [
        (191, 191, 191),
        (191, 191, 0),
        (0, 191, 191),
        (0, 191, 0),
        (191, 0, 191),
        (191, 0, 0),
        (0, 0, 191),
    ]
    columns = np.arange(width) * len(colours) // width
    row = np.array(colours, np.uint8)[columns]
    pixels = np.ascontiguousarray(np.broadcast_to(row, (height, width, 3)))
    planes: NDArray[Any] = av.VideoFrame.from_ndarray(pixels, format="rgb24").to_ndarray(
        format="yuv420p"
    )
    return planes


def _with_square(
    bars: NDArray[np.uint8], width: int, height: int, phase: float
) -> NDArray[np.uint8]:
    planes = bars.copy()
    side = height // 4
    left = int(phase * (width - side))
    top = height // 2
    planes[top : top + side, left : left + side] = 235
    return planes
