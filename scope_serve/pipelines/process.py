"""Conversions between the frames that a pipeline receives and what models compute with."""

from collections.abc import Sequence

import torch
from torch.nn import functional


def normalize_frame_sizes(  # noqa: PLR0917 -- the signature is Scope's
    frames: Sequence[torch.Tensor],
    target_height: int | None = None,
    target_width: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> list[torch.Tensor]:
    """Bring frames to one size, bilinearly.

    Args:
        frames: ``(T, H, W, C)`` each.
        target_height: Height of the result; that of the first frame if None.
        target_width: Width of the result; that of the first frame if None.
        device: Where the result is; where each frame is if None.
        dtype: Type of the result; that of each frame if None. The range is kept.

    Returns:
        As many frames as given. A frame that needs no change is returned as it is.
    """
    if not frames:
        return []
    height = target_height or frames[0].shape[1]
    width = target_width or frames[0].shape[2]
    return [_resize(frame.to(device=device), height, width, dtype) for frame in frames]


def _resize(
    frame: torch.Tensor, height: int, width: int, dtype: torch.dtype | None
) -> torch.Tensor:
    result_type = dtype or frame.dtype
    if frame.shape[1:3] == (height, width):
        return frame.to(dtype=result_type)
    planes = frame.permute(0, 3, 1, 2).float()
    planes = functional.interpolate(
        planes, size=(height, width), mode="bilinear", align_corners=False
    )
    if not result_type.is_floating_point:
        planes = planes.round()
    return planes.permute(0, 2, 3, 1).to(dtype=result_type).contiguous()


def preprocess_chunk(  # noqa: PLR0917 -- the signature is Scope's
    chunk: Sequence[torch.Tensor],
    device: torch.device | str,
    dtype: torch.dtype,
    height: int | None = None,
    width: int | None = None,
) -> torch.Tensor:
    """Turn received frames into what video models take.

    Args:
        chunk: ``(1, H, W, C)`` each, 0 to 255. Not modified.
        device: Where the result is.
        dtype: Type of the result, a floating-point type.
        height: Height of the result; that of the first frame if None.
        width: Width of the result; that of the first frame if None.

    Returns:
        ``(1, C, T, H, W)`` in [-1, 1].
    """
    frames = normalize_frame_sizes(chunk, height, width, device)
    video = torch.cat(frames).permute(3, 0, 1, 2).unsqueeze(0)
    return video.to(dtype=dtype).div(127.5).sub(1.0)


def postprocess_chunk(chunk: torch.Tensor) -> torch.Tensor:
    """Turn what video models make into what a pipeline returns.

    Args:
        chunk: ``(1, T, C, H, W)`` in [-1, 1]. Not modified.

    Returns:
        ``(T, H, W, C)`` float32 in [0, 1].
    """
    video = chunk.squeeze(0).permute(0, 2, 3, 1).float()
    return video.mul(0.5).add(0.5).clamp(0.0, 1.0).contiguous()
