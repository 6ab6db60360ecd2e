"""Reads the pictures of a media file one by one. Blocking."""

from collections.abc import Iterator
from pathlib import Path

import av

from scope_serve.client.errors import MediaFileError
from scope_serve.client.pictures import even_yuv420p

_FALLBACK_FPS = 30


class FileReader:
    """The first video stream of a file that PyAV can open."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            MediaFileError: The file is missing, unreadable, or holds no video.
        """
        if not path.is_file():
            raise MediaFileError(str(path), "there is no such file")
        try:
            self._container = av.open(str(path))
        except (av.FFmpegError, OSError) as error:
            raise MediaFileError(
                str(path), f"not a readable media file ({error.strerror or error})"
            ) from None
        if not self._container.streams.video:
            self._container.close()
            raise MediaFileError(str(path), "holds no video stream")
        self.path = path
        self._stream = self._container.streams.video[0]
        self._frames = self._decode()
        self._interval_s = 1 / float(self._stream.average_rate or _FALLBACK_FPS)
        self._origin_s: float | None = None
        self._last_s = -self._interval_s
        self.failure: str | None = None

    @property
    def duration_s(self) -> float | None:
        """How long the file plays, if it says so."""
        if self._container.duration is None:
            return None
        return self._container.duration / av.time_base

    def read(self) -> tuple[float, av.VideoFrame] | None:
        """Return the next picture and its seconds since the first; None at the end.

        A file that turns out to be broken ends there; `failure` then says why.
        """
        try:
            frame = next(self._frames, None)
        except (av.FFmpegError, OSError) as error:
            self.failure = f"broken after {max(self._last_s, 0):.1f} s ({error})"
            return None
        return None if frame is None else (self._time_of(frame), even_yuv420p(frame))

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _decode(self) -> Iterator[av.VideoFrame]:
        self._stream.thread_type = "AUTO"
        yield from self._container.decode(self._stream)

    def _time_of(self, frame: av.VideoFrame) -> float:
        """Seconds since the first picture, never going back; steady if the file has none."""
        if frame.pts is None:
            at_s = self._last_s + self._interval_s
        else:
            if self._origin_s is None:
                self._origin_s = frame.time
            at_s = max(frame.time - self._origin_s, self._last_s)
        self._last_s = max(at_s, 0.0)
        return self._last_s
