"""Pictures to send in real time: a media file, or a test pattern with a barcode."""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from scope_serve.client.file_reader import FileReader
from scope_serve.client.pacing import Action, Pacer
from scope_serve.client.pictures import TestPattern

_TICKS_PER_S = 90_000
_TIME_BASE = Fraction(1, _TICKS_PER_S)
_REMEMBERED = 1 << 16


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A picture at the moment it was handed to the encoder.

    Attributes:
        number: Its place in the stream, from 0; the barcode holds it modulo 65536.
        pts: Its presentation time in ticks of 1/90000 s.
        sent_s: `time.monotonic` of the hand-over.
    """

    number: int
    pts: int
    sent_s: float


class SentLog:
    """Remembers the last 65536 pictures sent."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, SentFrame] = OrderedDict()
        self.count = 0
        self._first_s = self._last_s = 0.0

    def add(self, pts: int) -> SentFrame:
        """Record that the next picture is handed over now."""
        sent = SentFrame(self.count, pts, time.monotonic())
        if not self.count:
            self._first_s = sent.sent_s
        self._last_s = sent.sent_s
        self._frames[sent.number] = sent
        self.count += 1
        if len(self._frames) > _REMEMBERED:
            self._frames.popitem(last=False)
        return sent

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first picture to the last."""
        return self._last_s - self._first_s

    def by_barcode(self, number: int) -> SentFrame | None:
        """Return the newest remembered picture whose barcode is ``number``."""
        behind = (self.count - 1 - number) % (1 << 16)
        return self._frames.get(self.count - 1 - behind)

    def by_pts(self, pts: int) -> SentFrame | None:
        """Return the remembered picture with this presentation time."""
        return next((sent for sent in self._frames.values() if sent.pts == pts), None)

    def between(self, start_s: float, end_s: float) -> list[SentFrame]:
        """Return the remembered pictures handed over in ``[start_s, end_s)``."""
        return [sent for sent in self._frames.values() if start_s <= sent.sent_s < end_s]


class PacedSource(MediaStreamTrack):
    """A video track in real time. `ended` is set after its last picture.

    Attributes:
        sent: What was handed to the encoder, and when.
        skipped: Pictures left out because their time had passed.
        has_barcode: Whether the pictures carry their number.
    """

    kind = "video"
    has_barcode = False

    def __init__(self, duration_s: float | None) -> None:
        super().__init__()
        self.sent = SentLog()
        self.skipped = 0
        self.ended = asyncio.Event()
        self._pacer = Pacer()
        self._duration_s = duration_s

    @property
    def duration_s(self) -> float | None:
        """How long the source plays, as far as it is known."""
        return self._duration_s

    async def recv(self) -> av.VideoFrame:
        """Return the next picture when it is due.

        Raises:
            MediaStreamError: The source is through, or stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        while (due := await self._next()) is not None and not self._is_over(due[0]):
            at_s, frame = due
            decision = self._pacer.decide(at_s, time.monotonic())
            if decision.action is Action.SKIP:
                self.skipped += 1
                continue
            if decision.wait_s > 0:
                await asyncio.sleep(decision.wait_s)
            return self._hand_over(at_s, frame)
        self.stop()
        raise MediaStreamError

    def stop(self) -> None:
        """End the track."""
        super().stop()
        self.ended.set()

    async def _next(self) -> tuple[float, av.VideoFrame | None] | None:
        """Return seconds since the first picture and the picture; None at the end."""
        raise NotImplementedError

    def _draw(self, frame: av.VideoFrame | None, number: int) -> av.VideoFrame:
        """Return the picture itself, once it is certain that it is sent."""
        raise NotImplementedError

    def _is_over(self, at_s: float) -> bool:
        return self._duration_s is not None and at_s >= self._duration_s

    def _hand_over(self, at_s: float, frame: av.VideoFrame | None) -> av.VideoFrame:
        drawn = self._draw(frame, self.sent.count)
        drawn.pts = round(at_s * _TICKS_PER_S)
        drawn.time_base = _TIME_BASE
        self.sent.add(drawn.pts)
        return drawn

    async def aclose(self) -> None:
        """Stop, and release what the source holds. Idempotent."""
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class TestPatternSource(PacedSource):
    """A moving colour pattern whose pictures carry their number as a barcode."""

    __test__ = False  # its name is no test's
    has_barcode = True

    def __init__(
        self, pattern: TestPattern, *, fps: float = 30.0, duration_s: float | None = None
    ) -> None:
        super().__init__(duration_s)
        self._pattern = pattern
        self._interval_s = 1 / fps
        self._index = 0

    async def _next(self) -> tuple[float, None] | None:
        at_s = self._index * self._interval_s
        self._index += 1
        return at_s, None

    def _draw(self, frame: av.VideoFrame | None, number: int) -> av.VideoFrame:
        return self._pattern.frame(number)


class FileSource(PacedSource):
    """The pictures of a media file, paced by the file's own timestamps.

    Attributes:
        failure: Why the file could not be read to its end; None as long as it can.
    """

    def __init__(
        self, reader: FileReader, executor: ThreadPoolExecutor, duration_s: float | None
    ) -> None:
        super().__init__(duration_s)
        self._reader = reader
        self._executor = executor
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, duration_s: float | None = None) -> "FileSource":
        """Open a media file and find its video stream.

        Raises:
            MediaFileError: The file is missing, unreadable, or holds no video.
        """
        executor = ThreadPoolExecutor(1, thread_name_prefix="file-source")
        try:
            loop = asyncio.get_running_loop()
            reader = await loop.run_in_executor(executor, FileReader, path)
        except BaseException:
            executor.shutdown()
            raise
        return cls(reader, executor, duration_s)

    @property
    def path(self) -> Path:
        """The file that is read."""
        return self._reader.path

    @property
    def failure(self) -> str | None:
        """Why the file could not be read to its end; None as long as it can."""
        return self._reader.failure

    @property
    def duration_s(self) -> float | None:
        """How long the source plays, as far as it is known."""
        known = [value for value in (self._reader.duration_s, self._duration_s) if value]
        return min(known, default=None)

    async def _next(self) -> tuple[float, av.VideoFrame | None] | None:
        if self._closed:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._reader.read)

    def _draw(self, frame: av.VideoFrame | None, number: int) -> av.VideoFrame:
        assert frame is not None
        return frame

    async def aclose(self) -> None:
        """Stop, and close the file."""
        self.stop()
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._executor, self._reader.close)
        self._executor.shutdown()
