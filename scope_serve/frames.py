"""The picture as it travels between the parts of this package: planar YUV 4:2:0."""

from dataclasses import dataclass

CLOCK_RATE_HZ = 90_000
"""Ticks per second of ``pts``: the RTP clock of every video codec (RFC 3551, section 5)."""


@dataclass(frozen=True, slots=True)
class I420Frame:
    """One picture in planar YUV 4:2:0 (BT.601, limited range), the form codecs speak.

    Attributes:
        data: The Y plane (``height * width`` bytes), then U, then V (each
            ``ceil(height / 2) * ceil(width / 2)`` bytes), without padding between rows.
            Never written to after the frame is made, so it may be shared between threads.
        width: Columns of the Y plane, at least 1.
        height: Rows of the Y plane, at least 1.
        pts: Presentation time in ticks of `CLOCK_RATE_HZ`, or None if the picture has none.
        entered_ns: ``time.monotonic_ns()`` of the session host when the picture (or the newest
            picture that it was made from) entered the session; 0 if it was made from nothing.
            Opaque to stages, which copy it from their input to their output.
    """

    data: bytes | bytearray | memoryview
    width: int
    height: int
    pts: int | None = None
    entered_ns: int = 0


def i420_size_bytes(width: int, height: int) -> int:
    """Return how many bytes a picture of this size has."""
    return width * height + 2 * (-(-width // 2)) * (-(-height // 2))
