"""Tensor work that built-in pipelines share."""

from collections.abc import Sequence

import torch

from scope_serve.pipelines.process import normalize_frame_sizes

BT601_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601."""


def stack_frames(
    frames: Sequence[torch.Tensor], device: torch.device | str | None = None
) -> torch.Tensor:
    """Join received frames.

    Args:
        frames: At least one, ``(1, H, W, 3)`` uint8 each. Frames that differ in size from the
            first are resized to it.
        device: Where the result is; where the frames are if None.

    Returns:
        ``(T, H, W, 3)`` uint8; for one frame that is already there, the frame itself.
    """
    same_size = normalize_frame_sizes(frames, device=device)
    return same_size[0] if len(same_size) == 1 else torch.cat(same_size)


def luma(video: torch.Tensor) -> torch.Tensor:
    """Return the BT.601 luma of a video, as a video with three equal channels.

    Args:
        video: ``(T, H, W, 3)`` uint8 RGB. Not modified.

    Returns:
        A new ``(T, H, W, 3)`` uint8 tensor, rounded to nearest.
    """
    weights = torch.tensor(BT601_LUMA, device=video.device)
    # Adding a half before the cast to uint8, which truncates, rounds to nearest.
    weighted = torch.matmul(video.float(), weights).add_(0.5).to(torch.uint8)
    return torch.stack((weighted, weighted, weighted), dim=-1)
