"""What a pipeline returned, checked and turned into pictures with times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from scope_serve.errors import PipelineCallError
from scope_serve.frames import I420Frame
from scope_serve.stages.timestamps import FrameTime, ticks_from_timestamps

_WANTED = "a tensor (T, H, W, 3), float in [0, 1] or uint8"


@dataclass(frozen=True, slots=True)
class CallOutput:
    """The pictures of one call.

    Attributes:
        video: ``(T, H, W, 3)`` uint8 RGB, T at least 1.
        pts: Presentation times in ticks, if the pipeline gave any.
        frame_rate: Pictures per second, if the pipeline gave it.
    """

    video: Tensor
    pts: Sequence[int | None] | None
    frame_rate: float | None


def read_output(result: object, *, pipeline_id: str) -> CallOutput | None:
    """Check what a pipeline returned.

    Returns:
        None if there are no pictures (yet).

    Raises:
        PipelineCallError: It is not a dict, or ``video`` is not video.
    """
    if result is None:
        return None
    if not isinstance(result, Mapping):
        reason = f"it returned {type(result).__name__}, wanted a dict"
        raise PipelineCallError(pipeline_id, reason)
    video = result.get("video")
    if video is None:
        return None
    if fault := _fault(video):
        raise PipelineCallError(pipeline_id, f"output 'video' {fault}; wanted {_WANTED}")
    if video.shape[0] == 0:
        return None
    return CallOutput(
        video=_to_uint8(video.detach()),
        pts=ticks_from_timestamps(result.get("video_timestamps"), video.shape[0]),
        frame_rate=positive_rate(result.get("frame_rate")),
    )


def frame_times(output: CallOutput, inputs: Sequence[I420Frame]) -> list[FrameTime]:
    """Return the times of the output pictures, given the pictures they were made from.

    Presentation times are the pipeline's own; without them, those of the input if it has as
    many pictures. The time of entry is that of the input picture with the same number, or of
    the newest one if the numbers differ.
    """
    count = output.video.shape[0]
    is_one_to_one = len(inputs) == count
    newest_ns = max((frame.entered_ns for frame in inputs), default=0)
    entered_ns = [frame.entered_ns for frame in inputs] if is_one_to_one else [newest_ns] * count
    pts = output.pts
    if pts is None:
        pts = [frame.pts for frame in inputs] if is_one_to_one else [None] * count
    return [FrameTime(*times) for times in zip(pts, entered_ns, strict=True)]


def positive_rate(value: object) -> float | None:
    """Return ``value`` if it can be a frame rate, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < float("inf") else None


def _fault(video: object) -> str | None:
    if not isinstance(video, Tensor):
        return f"is a {type(video).__name__}"
    shape = tuple(video.shape)
    if len(shape) != 4 or shape[3] != 3 or 0 in shape[1:]:
        return f"has shape {shape}"
    if not video.is_floating_point() and video.dtype is not torch.uint8:
        return f"has type {video.dtype}"
    if video.is_floating_point() and bool(video.sum(dtype=torch.float32).isnan()):
        return "holds values that are not numbers"
    return None


def _to_uint8(video: Tensor) -> Tensor:
    if video.dtype is torch.uint8:
        return video
    return video.to(torch.float32).mul(255.0).clamp_(0.0, 255.0).to(torch.uint8)
