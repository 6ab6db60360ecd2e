"""Colour conversion between the link (I420) and the pipelines (RGB).

A pipeline on the CPU gets its pictures from swscale, without a copy on either side of it; one on
a GPU gets them converted there, so that half the bytes cross the bus.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from torch import Tensor

from scope_serve.frames import I420Frame
from scope_serve.stages import colour_tensor
from scope_serve.stages.timestamps import FrameTime

_ALIGNED_WIDTH = 32
"""Rows of this multiple need no padding in any plane, so swscale can read them where they are."""
_WHOLE_HEIGHT = 4
"""`VideoFrame.from_numpy_buffer` cuts other heights down to a multiple of this."""


class ColourConverter(Protocol):
    """Converts the pictures of one stage. To be used by one thread at a time."""

    def to_rgb(self, frames: Sequence[I420Frame]) -> list[Tensor]:
        """Return one ``(1, H, W, 3)`` uint8 RGB tensor per picture, which the caller owns."""

    def to_i420(self, rgb: Tensor, times: Sequence[FrameTime]) -> tuple[I420Frame, ...]:
        """Return one picture per ``(H, W, 3)`` of ``rgb``, with these times.

        Args:
            rgb: ``(T, H, W, 3)`` uint8, on any device. Odd sizes are padded to even ones by
                repeating the last row or column. Not modified.
            times: One per picture.
        """


def converter_for(device: torch.device) -> ColourConverter:
    """Return the converter for pipelines whose tensors are on ``device``."""
    return SwscaleConverter() if device.type == "cpu" else TensorConverter(device)


class SwscaleConverter:
    """Converts with FFmpeg's swscale, for pictures in main memory."""

    def __init__(self) -> None:
        self._decoder = VideoReformatter()
        self._encoder = VideoReformatter()

    def to_rgb(self, frames: Sequence[I420Frame]) -> list[Tensor]:
        """See `ColourConverter`."""
        return [torch.from_numpy(self._decode(frame)).unsqueeze(0) for frame in frames]

    def to_i420(self, rgb: Tensor, times: Sequence[FrameTime]) -> tuple[I420Frame, ...]:
        """See `ColourConverter`."""
        pictures = colour_tensor.pad_to_even(rgb).cpu().contiguous().numpy()
        _, height, width, _ = pictures.shape
        return tuple(
            I420Frame(self._encode(picture), width, height, time.pts, time.entered_ns)
            for picture, time in zip(pictures, times, strict=True)
        )

    def _decode(self, frame: I420Frame) -> NDArray[np.uint8]:
        picture = self._decoder.reformat(
            _as_video_frame(frame),
            format="rgb24",
            src_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )
        rgb = picture.to_ndarray()[: frame.height, : frame.width]
        return np.ascontiguousarray(rgb, dtype=np.uint8)

    def _encode(self, picture: NDArray[np.uint8]) -> bytes:
        planes = self._encoder.reformat(
            VideoFrame.from_numpy_buffer(picture, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,  # the only one that averages chroma over 2x2
            threads=1,
        ).planes
        if all(plane.line_size == plane.width for plane in planes):
            return b"".join(memoryview(plane) for plane in planes)
        return b"".join(_rows(plane)[:, : plane.width].tobytes() for plane in planes)


class TensorConverter:
    """Converts with tensor operations on the pipeline's device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def to_rgb(self, frames: Sequence[I420Frame]) -> list[Tensor]:
        """See `ColourConverter`."""
        if len({(frame.width, frame.height) for frame in frames}) > 1:
            return [self._decode([frame])[0] for frame in frames]
        return self._decode(frames)

    def to_i420(self, rgb: Tensor, times: Sequence[FrameTime]) -> tuple[I420Frame, ...]:
        """See `ColourConverter`."""
        pictures = colour_tensor.pad_to_even(rgb.to(self._device))
        _, height, width, _ = pictures.shape
        planes = colour_tensor.rgb_to_i420(pictures).cpu().numpy()
        return tuple(
            I420Frame(memoryview(row), width, height, time.pts, time.entered_ns)
            for row, time in zip(planes, times, strict=True)
        )

    def _decode(self, frames: Sequence[I420Frame]) -> list[Tensor]:
        stacked = colour_tensor.stack_planes(
            [frame.data for frame in frames], is_pinned=self._device.type == "cuda"
        )
        planes = stacked.to(self._device)
        rgb = colour_tensor.i420_to_rgb(planes, frames[0].width, frames[0].height)
        return list(torch.split(rgb, 1))


def _as_video_frame(frame: I420Frame) -> VideoFrame:
    """Return a picture for swscale, padded to even sizes: only for those it is fast and exact."""
    samples = np.frombuffer(frame.data, dtype=np.uint8)
    width, height = frame.width, frame.height
    if width % _ALIGNED_WIDTH == 0 and height % _WHOLE_HEIGHT == 0:
        return VideoFrame.from_numpy_buffer(samples.reshape(-1, width), format="yuv420p")
    padded = VideoFrame(width + width % 2, height + height % 2, "yuv420p")
    luma, *chroma = padded.planes
    start = width * height
    _fill(luma, samples[:start].reshape(height, width))
    for plane in chroma:
        end = start + plane.width * plane.height
        _fill(plane, samples[start:end].reshape(plane.height, plane.width))
        start = end
    return padded


def _fill(plane: VideoPlane, samples: NDArray[np.uint8]) -> None:
    """Copy samples into a plane; one more row or column repeats the last one."""
    rows = _rows(plane)
    height, width = samples.shape
    rows[:height, :width] = samples
    rows[:height, width : plane.width] = samples[:, -1:]
    rows[height : plane.height] = rows[height - 1]


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return the memory of a plane as rows, padding included."""
    return np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(plane.height, plane.line_size)
