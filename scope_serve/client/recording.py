"""Writes received pictures to a video file that appears only when it is complete."""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from scope_serve.client.errors import MediaFileError
from scope_serve.client.pacing import RecordingClock

_CODECS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx"}
_OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libvpx": {"deadline": "realtime", "cpu-used": "6", "crf": "12"},
}
_VP8_BITS_PER_PIXEL = 8
_NOMINAL_FPS = 30


class VideoFile:
    """Encodes pictures into a file, at their own times. Blocking; `Recording` wraps it.

    Everything is written beside the target and moved there by `close`, so the target is either
    a complete, playable file or untouched.
    """

    def __init__(self, path: Path) -> None:
        """Make sure that the file can be written.

        Raises:
            MediaFileError: The suffix is unknown or the folder cannot be written to.
        """
        codec = _CODECS.get(path.suffix.lower())
        if codec is None:
            raise MediaFileError(str(path), f"the suffix has to be one of {', '.join(_CODECS)}")
        if path.is_dir():
            raise MediaFileError(str(path), "is a folder")
        try:
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix, delete=False
            ) as part:
                self._part = Path(part.name)
        except OSError as error:
            raise MediaFileError(str(path), f"cannot be written ({error.strerror})") from None
        self.path = path
        self.frames = 0
        self._codec = codec
        self._ticks_per_s = 1000 if codec == "libvpx" else 90_000
        self._clock = RecordingClock(self._ticks_per_s)
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def write(self, frame: av.VideoFrame, arrival_s: float) -> None:
        """Append a picture; one of another size than the first is scaled to the first.

        Raises:
            MediaFileError: The picture cannot be encoded or the disk is full.
        """
        pts_s = frame.time
        try:
            stream = self._stream or self._open(frame)
            context = stream.codec_context
            picture = frame.reformat(width=context.width, height=context.height, format="yuv420p")
            if picture is frame:
                picture = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
            picture.pict_type = av.video.frame.PictureType.NONE
            picture.pts = self._clock.tick(pts_s, arrival_s)
            picture.time_base = Fraction(1, self._ticks_per_s)
            self._mux(picture)
        except (av.FFmpegError, OSError) as error:
            raise MediaFileError(str(self.path), f"cannot be written ({error})") from None
        self.frames += 1

    def close(self) -> None:
        """Complete the file and move it into place; leave nothing behind if it has no picture.

        Raises:
            MediaFileError: The end of the file cannot be written.
        """
        container, self._container = self._container, None
        try:
            if container is not None:
                if self.frames:
                    self._flush(container)
                container.close()
            if self.frames:
                self._part.chmod(0o644)
                self._part.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            raise MediaFileError(str(self.path), f"cannot be completed ({error})") from None
        finally:
            self._part.unlink(missing_ok=True)

    def _open(self, first: av.VideoFrame) -> VideoStream:
        options = {"movflags": "+faststart"} if self.path.suffix.lower() in {".mp4", ".mov"} else {}
        self._container = av.open(str(self._part), "w", options=options)
        stream = self._container.add_stream(
            self._codec, rate=_NOMINAL_FPS, options=_OPTIONS[self._codec]
        )
        assert isinstance(stream, VideoStream)
        stream.width = max(2, first.width & ~1)
        stream.height = max(2, first.height & ~1)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, self._ticks_per_s)
        if self._codec == "libvpx":
            stream.bit_rate = stream.width * stream.height * _VP8_BITS_PER_PIXEL
        self._stream = stream
        return stream

    def _mux(self, picture: av.VideoFrame) -> None:
        assert self._stream is not None
        assert self._container is not None
        self._container.mux(self._stream.encode(picture))

    def _flush(self, container: OutputContainer) -> None:
        assert self._stream is not None
        container.mux(self._stream.encode(None))


class Recording:
    """A `VideoFile` whose encoding runs in a thread of its own.

    Use it as ``async with``: the file is completed however the block ends.
    """

    def __init__(self, path: Path) -> None:
        self._file = VideoFile(path)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._closed = False

    @property
    def path(self) -> Path:
        """Where the file appears."""
        return self._file.path

    @property
    def frames(self) -> int:
        """How many pictures have been written."""
        return self._file.frames

    async def write(self, frame: av.VideoFrame, arrival_s: float) -> None:
        """Append a picture that arrived at ``arrival_s``."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._file.write, frame, arrival_s)

    async def aclose(self) -> None:
        """Complete the file. Idempotent."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        try:
            await asyncio.shield(loop.run_in_executor(self._executor, self._file.close))
        finally:
            self._executor.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
