"""One end of a frame link on an asyncio transport. Both ends are alike."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from scope_serve.errors import LinkProtocolError
from scope_serve.frames import I420Frame
from scope_serve.links.messages import (
    FrameMessage,
    Goodbye,
    Heartbeat,
    LinkMessage,
    MessageDecoder,
    encode,
)

logger = logging.getLogger(__name__)

SOCKET_BUFFER_BYTES = 1 << 20
FLUSH_TIMEOUT_S = 2.0
"""How long a closed link may still write before it is cut: a stopped process reads no more."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """When the other side counts as dead.

    Attributes:
        heartbeat_s: A heartbeat is sent this often.
        timeout_s: A link that has received nothing for this long is closed. It covers what a
            closed socket does not show: a stopped process, a lost node, a cut network.
    """

    heartbeat_s: float = 0.25
    timeout_s: float = 2.0


class LinkListener(Protocol):
    """Who is told what happens on a link. All methods run on the event loop and never block."""

    def message_received(self, message: LinkMessage) -> None:
        """Take any message but heartbeats."""

    def link_closed(self, reason: str) -> None:
        """Learn, exactly once, that the link is gone and why."""


class FrameLink(asyncio.BufferedProtocol):
    """Sends and receives link messages; notices when the other side is gone.

    Pictures sent with `offer_frame` are dropped, oldest first, while the socket is full: at most
    one waits. All other messages are queued by the transport and never dropped.
    """

    def __init__(
        self,
        listener: LinkListener,
        *,
        liveness: Liveness | None = None,
        decoder: MessageDecoder | None = None,
        on_open: Callable[["FrameLink"], None] | None = None,
    ) -> None:
        self.listener = listener
        self.decoder = decoder or MessageDecoder()
        self.frames_dropped = 0
        self._liveness = liveness or Liveness()
        self._on_open = on_open
        self._transport: asyncio.Transport | None = None
        self._waiting: FrameMessage | None = None
        self._is_full = False
        self._is_closed = False
        self._heard_s = 0.0
        self._beat_due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the link is gone."""
        return self._is_closed

    def send(self, message: LinkMessage) -> None:
        """Send ``message``; does nothing on a closed link."""
        if self._transport is None or self._is_closed:
            return
        self._transport.writelines(encode(message))

    def offer_frame(self, frame: I420Frame) -> None:
        """Send ``frame``, or keep it as the one that waits if the socket is full."""
        message = FrameMessage(frame)
        if not self._is_full:
            self.send(message)
            return
        if self._waiting is not None:
            self.frames_dropped += 1
        self._waiting = message

    def close(self, reason: str) -> None:
        """Say goodbye, flush and close. Idempotent."""
        if self._is_closed:
            return
        self.send(Goodbye(reason))
        self._finish(reason)

    def _finish(self, reason: str, *, abort: bool = False) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(FLUSH_TIMEOUT_S, self._transport.abort)
        self._waiting = None
        self.listener.link_closed(reason)

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the heartbeat."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._transport.set_write_buffer_limits(high=SOCKET_BUFFER_BYTES)
        self._heard_s = self._beat_due_s = asyncio.get_running_loop().time()
        self._beat()
        if self._on_open is not None:
            self._on_open(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Receive straight into the message being decoded."""
        return self.decoder.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Hand a complete message to the listener."""
        self._heard_s = asyncio.get_running_loop().time()
        try:
            message = self.decoder.advance(nbytes)
        except LinkProtocolError as error:
            self._finish(str(error), abort=True)
            return
        if isinstance(message, Goodbye):
            self._finish(message.reason)
        elif message is not None and not isinstance(message, Heartbeat) and not self._is_closed:
            self.listener.message_received(message)

    def eof_received(self) -> bool:
        """Let asyncio close the transport."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the listener, unless it already knows."""
        self._finish("the other side is gone" if exc is None else f"connection lost: {exc}")
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """Keep pictures back: the socket is full."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Send the picture that waited."""
        self._is_full = False
        if self._waiting is not None:
            message, self._waiting = self._waiting, None
            self.send(message)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if now_s > self._beat_due_s + self._liveness.heartbeat_s:
            # It was this process that stood still. What the other side sent meanwhile may not
            # have been read yet: uvloop runs timers before sockets.
            self._heard_s = max(self._heard_s, now_s - self._liveness.timeout_s / 2)
        silence_s = now_s - self._heard_s
        if silence_s > self._liveness.timeout_s:
            self._finish(f"nothing heard for {silence_s:.1f} s", abort=True)
            return
        self.send(Heartbeat())
        self._beat_due_s = now_s + self._liveness.heartbeat_s
        self._timer = loop.call_later(self._liveness.heartbeat_s, self._beat)
