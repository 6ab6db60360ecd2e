"""A 16-bit counter drawn into a picture, readable after lossy codecs, scaling and inversion.

The top of the picture carries 19 blocks: a black and a white reference, 16 bits (most
significant first) and an even parity bit. A block is 1/20 of the width and 4/45 of the height,
16x16 at 320x180, so the code survives any scaling of the whole picture. Pure: numpy only.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Luma: TypeAlias = NDArray[np.uint8]
"""A Y plane, ``(height, width)``."""

MIN_WIDTH = 320
MIN_HEIGHT = 180
COUNTER_SIZE = 1 << 16
"""Numbers wrap here."""

_BITS = 16
_BLOCKS = 2 + _BITS + 1
_DARK, _BRIGHT = 24, 228
_MIN_CONTRAST = 48.0
_UNCLEAR = (0.35, 0.65)
"""Relative brightness that is neither black nor white: the code is damaged."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A number read from a picture, and whether the picture's brightness is inverted."""

    number: int
    inverted: bool


def stamp(luma: Luma, number: int) -> None:
    """Draw ``number`` modulo `COUNTER_SIZE` into the top of ``luma``, in place.

    Raises:
        ValueError: The picture is smaller than 320x180.
    """
    height, width = luma.shape
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        message = f"a barcode needs {MIN_WIDTH}x{MIN_HEIGHT}, not {width}x{height}"
        raise ValueError(message)
    for index, bit in enumerate(_pattern(number % COUNTER_SIZE)):
        luma[_block(index, width, height)] = _BRIGHT if bit else _DARK


def decode(luma: Luma) -> Reading | None:
    """Return the number in ``luma``; None if there is none or it is damaged."""
    height, width = luma.shape
    if width < _BLOCKS * 4 or height < 32:
        return None
    levels = [_level(luma, index, width, height) for index in range(_BLOCKS)]
    black, contrast = levels[0], levels[1] - levels[0]
    if abs(contrast) < _MIN_CONTRAST:
        return None
    relative = [(level - black) / contrast for level in levels[2:]]
    if any(_UNCLEAR[0] < value < _UNCLEAR[1] for value in relative):
        return None
    bits = [value > 0.5 for value in relative]
    if sum(bits) % 2:
        return None
    number = sum(1 << (_BITS - 1 - index) for index, bit in enumerate(bits[:_BITS]) if bit)
    return Reading(number, inverted=contrast < 0)


def read(luma: Luma) -> int | None:
    """Return the number in ``luma``, inverted or not; None if there is none or it is damaged."""
    reading = decode(luma)
    return None if reading is None else reading.number


def _pattern(number: int) -> list[bool]:
    bits = [bool(number >> shift & 1) for shift in reversed(range(_BITS))]
    return [False, True, *bits, sum(bits) % 2 == 1]


def _block(index: int, width: int, height: int) -> tuple[slice, slice]:
    return slice(0, height * 4 // 45), slice(index * width // 20, (index + 1) * width // 20)


def _level(luma: Luma, index: int, width: int, height: int) -> float:
    """Mean brightness of the inner half of a block; its border suffers from codecs."""
    rows, columns = _block(index, width, height)
    inset_y = rows.stop // 4
    inset_x = (columns.stop - columns.start) // 4
    inner: NDArray[Any] = luma[
        rows.start + inset_y : rows.stop - inset_y,
        columns.start + inset_x : columns.stop - inset_x,
    ]
    return float(inner.mean())
