"""Drawing into frames: rectangles and cached text, clipped at the edges."""

from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


def paste(frame: torch.Tensor, tile: torch.Tensor, corner: tuple[int, int]) -> None:
    """Copy a ``(h, w, 3)`` tile into a ``(H, W, 3)`` frame; what lies outside is cut off.

    Args:
        frame: Written to.
        tile: On the same device.
        corner: Row and column of the tile's first pixel; may be negative.
    """
    top, left = corner
    first_row, first_column = max(0, -top), max(0, -left)
    rows = min(tile.shape[0], frame.shape[0] - top)
    columns = min(tile.shape[1], frame.shape[1] - left)
    if rows > first_row and columns > first_column:
        frame[top + first_row : top + rows, left + first_column : left + columns] = tile[
            first_row:rows, first_column:columns
        ]


def fill(
    frame: torch.Tensor, corner: tuple[int, int], size: tuple[int, int], colour: Colour
) -> None:
    """Paint a rectangle into a ``(H, W, 3)`` frame; what lies outside is cut off.

    Args:
        frame: Written to.
        corner: Row and column of its first pixel; may be negative.
        size: Its height and width.
        colour: Red, green and blue, 0 to 255.
    """
    (top, left), (height, width) = corner, size
    area = frame[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    for channel, value in enumerate(colour):
        area[..., channel].fill_(value)


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own scalable font in a size in pixels."""
    return ImageFont.load_default(size=max(1, size))


def text_width(text: str, size: int) -> int:
    """Return how many columns a line of text takes."""
    return int(font(size).getlength(text)) + 1


def render_text(
    text: str, size: int, *, width: int | None = None, colour: Colour = WHITE
) -> torch.Tensor:
    """Draw one line of text on black.

    Args:
        text: The line.
        size: Font size in pixels; the tile is about 1.4 times as high.
        width: Columns of the tile, with the text in their middle; just enough if None.
        colour: Of the letters.

    Returns:
        A new ``(h, w, 3)`` uint8 tile.
    """
    height = max(1, round(size * 1.4))
    columns = max(1, text_width(text, size) + size // 2 if width is None else width)
    image = Image.new("RGB", (columns, height), BLACK)
    ImageDraw.Draw(image).text(
        (columns / 2, height / 2), text, font=font(size), fill=colour, anchor="mm"
    )
    return torch.from_numpy(np.array(image))


def shorten(text: str, size: int, width: int) -> str:
    """Return ``text`` on one line, cut with an ellipsis where it would be wider than ``width``."""
    line = " ".join(text[:500].split())
    if text_width(line, size) <= width:
        return line
    while line and text_width(line + "…", size) > width:
        line = line[:-1]
    return line.rstrip() + "…"
