"""Colour conversion as tensor operations, for pictures that are on a GPU anyway.

BT.601 with limited range on the YUV side and full range on the RGB side. Chroma is averaged over
2x2 pixels on the way down and repeated on the way up. The functions work on any device.
"""

import numpy as np
import torch
from torch import Tensor

_LUMA_SCALE = 255.0 / 219.0
_V_TO_R = 1.402 * 255.0 / 224.0
_U_TO_G = -0.344136 * 255.0 / 224.0
_V_TO_G = -0.714136 * 255.0 / 224.0
_U_TO_B = 1.772 * 255.0 / 224.0

_RGB_TO_Y = (65.481 / 255.0, 128.553 / 255.0, 24.966 / 255.0)
_RGB_TO_U = (-37.797 / 255.0, -74.203 / 255.0, 112.0 / 255.0)
_RGB_TO_V = (112.0 / 255.0, -93.786 / 255.0, -18.214 / 255.0)


def i420_to_rgb(planes: Tensor, width: int, height: int) -> Tensor:
    """Convert pictures of one size.

    Args:
        planes: ``(N, i420_size_bytes(width, height))`` uint8.
        width: Columns of the Y plane, even or odd.
        height: Rows of the Y plane, even or odd.

    Returns:
        ``(N, height, width, 3)`` uint8 RGB, contiguous, on the device of ``planes``.
    """
    half_width, half_height = -(-width // 2), -(-height // 2)
    luma_size, chroma_size = width * height, half_width * half_height
    y, u, v = torch.split(planes, [luma_size, chroma_size, chroma_size], dim=1)
    luma = (y.reshape(-1, height, width).float() - 16.0) * _LUMA_SCALE
    u = u.reshape(-1, half_height, half_width).float() - 128.0
    v = v.reshape(-1, half_height, half_width).float() - 128.0
    chroma = torch.stack((v * _V_TO_R, u * _U_TO_G + v * _V_TO_G, u * _U_TO_B), dim=-1)
    luma = _repeat_last(luma, rows=2 * half_height, columns=2 * half_width)
    blocks = luma.reshape(-1, half_height, 2, half_width, 2, 1)
    rgb = _to_uint8(blocks + chroma[:, :, None, :, None, :])
    rgb = rgb.reshape(-1, 2 * half_height, 2 * half_width, 3)
    return rgb[:, :height, :width].contiguous()


def rgb_to_i420(rgb: Tensor) -> Tensor:
    """Convert pictures of one even size.

    Args:
        rgb: ``(N, H, W, 3)`` uint8, H and W even.

    Returns:
        ``(N, i420_size_bytes(W, H))`` uint8, on the device of ``rgb``.
    """
    count, height, width, _ = rgb.shape
    red, green, blue = rgb.float().unbind(dim=-1)
    luma = _to_uint8(_weigh(_RGB_TO_Y, red, green, blue) + 16.0)
    blocks = torch.stack((red, green, blue)).reshape(3, count, height // 2, 2, width // 2, 2)
    red, green, blue = blocks.mean(dim=(3, 5)).unbind(dim=0)
    u = _to_uint8(_weigh(_RGB_TO_U, red, green, blue) + 128.0)
    v = _to_uint8(_weigh(_RGB_TO_V, red, green, blue) + 128.0)
    return torch.cat([plane.reshape(count, -1) for plane in (luma, u, v)], dim=1)


def pad_to_even(rgb: Tensor) -> Tensor:
    """Repeat the last row and column of ``(N, H, W, 3)`` where H or W is odd."""
    _, height, width, _ = rgb.shape
    if height % 2:
        rgb = torch.cat((rgb, rgb[:, -1:]), dim=1)
    if width % 2:
        rgb = torch.cat((rgb, rgb[:, :, -1:]), dim=2)
    return rgb


def stack_planes(pictures: list[bytes | bytearray | memoryview], *, is_pinned: bool) -> Tensor:
    """Copy pictures of one size into one host tensor ``(N, size)``, ready for upload."""
    size = memoryview(pictures[0]).nbytes
    stacked = torch.empty((len(pictures), size), dtype=torch.uint8, pin_memory=is_pinned)
    rows = stacked.numpy()
    for row, picture in zip(rows, pictures, strict=True):
        row[:] = np.frombuffer(picture, dtype=np.uint8)
    return stacked


def _repeat_last(planes: Tensor, *, rows: int, columns: int) -> Tensor:
    if planes.shape[1] < rows:
        planes = torch.cat((planes, planes[:, -1:]), dim=1)
    if planes.shape[2] < columns:
        planes = torch.cat((planes, planes[:, :, -1:]), dim=2)
    return planes


def _weigh(weights: tuple[float, float, float], red: Tensor, green: Tensor, blue: Tensor) -> Tensor:
    return red * weights[0] + green * weights[1] + blue * weights[2]


def _to_uint8(values: Tensor) -> Tensor:
    return values.add(0.5).clamp_(0.0, 255.0).to(torch.uint8)
