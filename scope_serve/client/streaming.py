"""Sends one source through a chain of pipelines and keeps what comes back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scope_serve.client import wire
from scope_serve.client.arrivals import ReceivedFrame
from scope_serve.client.client import ScopeClient
from scope_serve.client.errors import (
    MediaFileError,
    NoFrameError,
    ReportedError,
    StreamStoppedError,
)
from scope_serve.client.latency import pair
from scope_serve.client.peer import Codec
from scope_serve.client.progress import TAIL_MAX_S, StreamProgress
from scope_serve.client.racing import first_to_end
from scope_serve.client.recording import Recording
from scope_serve.client.session import ClientSession
from scope_serve.client.sources import FileSource, PacedSource


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What to stream.

    Attributes:
        duration_s: How long to receive if there is no source; None for as long as it lasts.
        timeout_s: Bound of connecting, and of the wait for every picture.
    """

    pipeline_ids: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    codec: Codec | None = None
    duration_s: float | None = None
    timeout_s: float = 60.0


class StreamRun:
    """One stream from connecting to the last picture.

    Attributes:
        progress: How far it is.
    """

    def __init__(
        self,
        client: ScopeClient,
        plan: StreamPlan,
        source: PacedSource | None,
        recording: Recording | None,
    ) -> None:
        self.progress = StreamProgress()
        self._client = client
        self._plan = plan
        self._source = source
        self._recording = recording
        self._reported: ReportedError | None = None
        self._first_frame = asyncio.Event()
        self._all_sent_back = asyncio.Event()

    async def run(self, on_change: Callable[[StreamProgress], None] | None = None) -> None:
        """Stream until the source is through and its last pictures are back.

        Raises:
            ClientError: Whatever kept the stream from ending in good order.
        """
        session = await self._client.connect(
            pipeline_ids=self._plan.pipeline_ids,
            parameters=self._plan.parameters,
            video=self._source,
            codec=self._plan.codec,
            timeout_s=self._plan.timeout_s,
        )
        async with session:
            self.progress.session_id = session.id
            try:
                await first_to_end(
                    self._receive(session, on_change),
                    self._until_through(session),
                    self._listen(session),
                )
            except NoFrameError as error:
                raise self._reported or error from None
            finally:
                self._note(session)
        if self._reported is not None:
            raise self._reported
        if isinstance(self._source, FileSource) and self._source.failure:
            raise MediaFileError(str(self._source.path), self._source.failure)

    async def _receive(
        self, session: ClientSession, on_change: Callable[[StreamProgress], None] | None
    ) -> None:
        async for received in self._within_timeout(session):
            picture = received.picture
            self.progress.arrived(received.arrived_s, f"{picture.width}x{picture.height}")
            self._first_frame.set()
            if self._recording is not None:
                await self._recording.write(picture, received.arrived_s)
            self._measure(received)  # may end the stream, so the picture must be written by now
            self._note(session)
            if on_change is not None:
                on_change(self.progress)
        if self._source is None or not self._source.ended.is_set():
            raise StreamStoppedError("it ended the session before the stream was through")

    async def _within_timeout(self, session: ClientSession) -> AsyncIterator[ReceivedFrame]:
        timeout_s = self._plan.timeout_s
        async with contextlib.aclosing(session.timed_frames()) as frames:
            while True:
                try:
                    async with asyncio.timeout(timeout_s):
                        received = await anext(frames, None)
                except TimeoutError:
                    raise NoFrameError(timeout_s, self.progress.frames_received) from None
                if received is None:
                    return
                yield received

    def _measure(self, received: ReceivedFrame) -> None:
        if self._source is None or not self._source.has_barcode:
            return
        pairing = pair(received, self._source.sent)
        if pairing is None:
            return
        self.progress.latencies_ms.append(pairing.latency_ms)
        if self._source.ended.is_set() and pairing.sent.number == self._source.sent.count - 1:
            self._all_sent_back.set()

    async def _until_through(self, session: ClientSession) -> None:
        if self._source is None:
            await self._first_frame.wait()
            await asyncio.sleep(self._plan.duration_s or 0.0)
            return
        await self._source.ended.wait()
        if self._source.sent.count:
            await self._first_frame.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TAIL_MAX_S):
                    await first_to_end(self._all_sent_back.wait(), self._until_silent(session))

    async def _until_silent(self, session: ClientSession) -> None:
        """Return when nothing arrives any more and everything that did has been taken."""
        while True:
            stats = session.stats
            quiet_s = time.monotonic() - stats.last_arrival_s
            left_s = self.progress.tail_s - quiet_s
            if left_s <= 0 and not stats.frames_waiting:
                return
            await asyncio.sleep(max(left_s, 0.02))

    async def _listen(self, session: ClientSession) -> None:
        """Raise at once what the server refuses; remember what went wrong while it goes on."""
        async for message in session.messages():
            if (error := wire.reported_error(message)) is not None:
                if error.is_refusal:
                    raise error
                self._reported = error
            latency_ms = wire.server_latency_ms(message)
            if latency_ms is not None:
                self.progress.server_latencies_ms.append(latency_ms)
                self.progress.server_p95_ms = wire.stats_latency_p95_ms(message)
        await asyncio.Event().wait()  # pictures that have arrived are still to be taken

    def _note(self, session: ClientSession) -> None:
        self.progress.timings = session.timings
        self.progress.frames_dropped = session.stats.frames_dropped
        if self._source is not None:
            self.progress.frames_sent = self._source.sent.count
            self.progress.frames_skipped = self._source.skipped
            self.progress.sent_s = self._source.sent.elapsed_s
