"""One live use of a server's pipelines, seen from the client."""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from scope_serve.client import wire
from scope_serve.client.arrivals import Arrivals, ReceivedFrame
from scope_serve.client.errors import ClientError, ConnectFailedError, SessionClosedError
from scope_serve.client.peer import Peer
from scope_serve.tasks import TaskScope

_WAITING_FRAMES = 64
_WAITING_MESSAGES = 256
_LAST_WORDS_S = 1.0
"""How long a message that says why the media ended may come after its end."""


@dataclass(frozen=True, slots=True)
class ConnectTimings:
    """Seconds since the offer was begun; None for what has not happened yet."""

    answer_s: float | None = None
    connected_s: float | None = None
    first_frame_s: float | None = None


@dataclass(frozen=True, slots=True)
class SessionStats:
    """What a session has received.

    Attributes:
        frames_received: Decoded pictures.
        frames_dropped: Pictures that nobody took from `ClientSession.frames` in time.
        frames_waiting: Pictures that wait to be taken.
        last_arrival_s: `time.monotonic` of the last picture, or of the session's begin.
        server: The newest ``session_stats`` message of the server; empty if it sends none.
    """

    frames_received: int
    frames_dropped: int
    frames_waiting: int
    last_arrival_s: float
    server: Mapping[str, Any]


class ClientSession:
    """Receives pictures and messages, sends parameters. Made by `ScopeClient.connect`.

    `frames`, `messages` and `wait_closed` raise what ended the session if it did not end in
    good order: `StreamStoppedError`, or `ConnectFailedError` for a peer connection that broke.
    """

    def __init__(self, peer: Peer, end_session: Callable[[str], Awaitable[None]]) -> None:
        self.id = ""
        self.timings = ConnectTimings()
        self._peer = peer
        self._end_session = end_session
        self._began_s = time.monotonic()
        self._arrivals = Arrivals(_WAITING_FRAMES)
        self._received = 0
        self._last_arrival_s = self._began_s
        self._server_stats: wire.Json = {}
        self._messages: deque[wire.Json] = deque(maxlen=_WAITING_MESSAGES)
        self._news = asyncio.Event()
        self._connected_or_over = asyncio.Event()
        self._open_or_over = asyncio.Event()
        self._over = asyncio.Event()
        self._failure: ClientError | None = None
        self._closing: asyncio.Task[None] | None = None
        self._tasks = TaskScope()
        self._listen()

    def _listen(self) -> None:
        connection, channel = self._peer.connection, self._peer.channel
        connection.on("track", self._on_track)
        connection.on("connectionstatechange", self._on_state)
        channel.on("open", self._open_or_over.set)
        channel.on("message", self._on_message)
        channel.on("close", self._on_channel_closed)

    @property
    def stats(self) -> SessionStats:
        """What has been received up to now."""
        return SessionStats(
            self._received,
            self._arrivals.dropped,
            len(self._arrivals),
            self._last_arrival_s,
            self._server_stats,
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be received."""
        return self._over.is_set()

    async def frames(self) -> AsyncGenerator[av.VideoFrame, None]:
        """Yield received pictures; at most 64 wait, the oldest goes first."""
        async for received in self.timed_frames():
            yield received.picture

    async def timed_frames(self) -> AsyncGenerator[ReceivedFrame, None]:
        """Yield received pictures with their times of arrival."""
        async for received in self._arrivals:
            yield received
        self._raise_failure()

    async def messages(self) -> AsyncGenerator[wire.Json, None]:
        """Yield the server's messages, of every type; at most 256 wait, the oldest goes first."""
        while True:
            while self._messages:
                yield self._messages.popleft()
            if self._over.is_set():
                break
            self._news.clear()
            await self._news.wait()
        self._raise_failure()

    async def send_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Send parameters, as soon as the data channel is open.

        Raises:
            SessionClosedError: The session is over.
        """
        await self._open_or_over.wait()
        if self._over.is_set() or self._peer.channel.readyState != "open":
            message = "the session is over: its parameters cannot be changed"
            raise SessionClosedError(message)
        self._peer.channel.send(json.dumps(dict(parameters)))

    async def wait_closed(self) -> None:
        """Return when the session is over."""
        await self._over.wait()
        self._raise_failure()

    def accept(self, session_id: str) -> None:
        """Note that the server answered the offer. Called by `ScopeClient` only."""
        self.id = session_id
        self.timings = replace(self.timings, answer_s=self._elapsed_s())

    async def wait_connected(self) -> None:
        """Return when media can flow.

        Raises:
            ConnectFailedError: The connection broke, or was closed, before it stood.
        """
        await self._connected_or_over.wait()
        self._raise_failure()
        if self.timings.connected_s is None:
            message = "the server closed the connection before it was established"
            raise ConnectFailedError(message)

    async def aclose(self) -> None:
        """End the session on the server and close the connection. Idempotent."""
        if self._closing is None:
            self._closing = self._tasks.start(self._close(), name=f"{self.id}/close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._finish(None)
        try:
            if self.id:
                await self._end_session(self.id)
        finally:
            await self._peer.connection.close()
            await self._tasks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _finish(self, failure: ClientError | None) -> None:
        """End the session for everybody who waits; the first reason counts."""
        if self._over.is_set():
            return
        self._failure = failure
        for event in (self._over, self._news, self._connected_or_over, self._open_or_over):
            event.set()
        self._arrivals.close()

    def _on_state(self) -> None:
        state = self._peer.connection.connectionState
        stood = self.timings.connected_s is not None
        if state == "connected" and not stood:
            self.timings = replace(self.timings, connected_s=self._elapsed_s())
            self._connected_or_over.set()
        elif state == "failed":
            message = "was lost" if stood else "could not be established"
            self._finish(
                ConnectFailedError(
                    f"the peer connection {message}: no route for UDP between client and server"
                )
            )
        elif state == "closed":
            self._finish(None)

    def _on_channel_closed(self) -> None:
        if not self._over.is_set():
            self._tasks.start(self._finish_after_last_words(), name=f"{self.id}/channel-closed")

    async def _finish_after_last_words(self) -> None:
        """End the session in good order unless a reason for its end is still on the way."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._over.wait()
        self._finish(None)

    def _on_message(self, data: str | bytes) -> None:
        message = wire.read_message(data)
        if message is None:
            return
        if message.get("type") == "session_stats":
            self._server_stats = message
        self._messages.append(message)
        self._news.set()
        if message.get("type") == "stream_stopped":
            self._finish(wire.stop_reason(message))

    def _on_track(self, track: MediaStreamTrack) -> None:
        if self._over.is_set():
            return
        receive = self._receive_video if track.kind == "video" else self._discard
        self._tasks.start(receive(track), name=f"{track.kind}/receive")

    async def _receive_video(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                self._last_arrival_s = time.monotonic()
                if not self._received:
                    self.timings = replace(self.timings, first_frame_s=self._elapsed_s())
                self._received += 1
                self._arrivals.put(ReceivedFrame(frame, self._last_arrival_s))
        await self._finish_after_last_words()

    async def _discard(self, track: MediaStreamTrack) -> None:
        """Take audio nobody asked for: aiortc would keep every packet of it."""
        with contextlib.suppress(MediaStreamError):
            while True:
                await track.recv()
