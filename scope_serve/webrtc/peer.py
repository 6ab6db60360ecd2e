"""One client's WebRTC connection, as the answering side."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiortc import (
    InvalidAccessError,
    InvalidStateError,
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError

from scope_serve.errors import InvalidOfferError
from scope_serve.frames import I420Frame
from scope_serve.tasks import TaskScope
from scope_serve.webrtc.ice import configuration, parse_candidate
from scope_serve.webrtc.ice_servers import IceServer
from scope_serve.webrtc.jitter_buffer import release_on_marker
from scope_serve.webrtc.tracks import OutgoingVideo, pump_video

logger = logging.getLogger(__name__)

_KEPT_MESSAGES = 64
CONNECT_TIMEOUT_S = 30.0
FLUSH_TIMEOUT_S = 1.0
_SDP_ERRORS = (
    ValueError, IndexError, KeyError, AttributeError, AssertionError, TypeError,
    OperationError, InvalidAccessError, InvalidStateError,
)  # fmt: skip
"""What aiortc raises for SDP that it cannot use; it validates by failing somewhere."""


class PeerListener(Protocol):
    """What happens on a connection. Called on the event loop; must not block."""

    def peer_frame(self, frame: I420Frame) -> None:
        """Take a picture from the client."""

    def peer_message(self, text: str | bytes) -> None:
        """Take a message from the client's data channel."""

    def peer_closed(self, reason: str) -> None:
        """Learn, at most once, that the client is gone. Not called after `Peer.aclose`."""


class Peer:
    """Answers one offer and carries its media.

    The first video section of the offer carries the session; others and audio are answered as
    inactive, so that the client does not send what nobody reads. Messages sent before the data
    channel opens wait, the oldest dropped when there are more than 64.
    """

    def __init__(
        self,
        ice_servers: Sequence[IceServer],
        listener: PeerListener,
        next_frame: Callable[[], Awaitable[I420Frame]],
    ) -> None:
        self.messages_dropped = 0
        self._listener = listener
        self._pc = RTCPeerConnection(configuration(ice_servers))
        self._next_frame = next_frame
        self._tasks = TaskScope()
        self._channel: RTCDataChannel | None = None
        self._unsent: deque[str] = deque()
        self._is_closed = False
        self._connected = asyncio.Event()
        self._incoming: MediaStreamTrack | None = None
        self._pc.on("track", self._on_track)
        self._pc.on("datachannel", self._on_channel)
        self._pc.on("connectionstatechange", self._on_state)

    async def accept(self, sdp: str) -> None:
        """Take the client's offer.

        Raises:
            InvalidOfferError: It is not SDP, or offers no video.
        """
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        except _SDP_ERRORS as error:
            found = str(error) or type(error).__name__
            raise InvalidOfferError(f"the offer's SDP cannot be used: {found}") from error
        video = self._video()
        if video is None:
            raise InvalidOfferError("the offer has no video section")
        release_on_marker(video.receiver)
        for other in self._pc.getTransceivers():
            if other is not video:
                other.direction = "inactive"

    @property
    def has_video_input(self) -> bool:
        """Whether the offer says that the client sends video."""
        return self._incoming is not None

    async def answer(self) -> str:
        """Start the media and return the answer's SDP, with all candidates in it."""
        video = self._video()
        assert video is not None
        video.sender.replaceTrack(OutgoingVideo(self._next_frame))
        video.direction = "sendrecv" if self.has_video_input else "sendonly"
        try:
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        except _SDP_ERRORS as error:
            found = str(error) or type(error).__name__
            raise InvalidOfferError(f"the offer cannot be answered: {found}") from error
        if self._incoming is not None:
            pump = pump_video(self._incoming, self._listener.peer_frame)
            self._tasks.start(pump, name="peer/video")
        self._tasks.start(self._watch_connect(), name="peer/connect")
        return str(self._pc.localDescription.sdp)

    async def add_candidate(
        self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None
    ) -> None:
        """Add a trickled ICE candidate.

        Raises:
            InvalidCandidateError: It is not a candidate.
        """
        parsed = parse_candidate(candidate, sdp_mid, sdp_mline_index)
        await self._pc.addIceCandidate(parsed)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send ``message`` as JSON, now or when the data channel opens."""
        text = json.dumps(message)
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(text)
            return
        if len(self._unsent) == _KEPT_MESSAGES:
            self._unsent.popleft()
            self.messages_dropped += 1
        self._unsent.append(text)

    async def flush(self) -> None:
        """Wait until what was sent is on its way, for a second at most."""
        channel = self._channel
        if channel is None or channel.readyState != "open" or not channel.bufferedAmount:
            return
        sent = asyncio.Event()
        channel.once("bufferedamountlow", sent.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await sent.wait()

    async def aclose(self) -> None:
        """Close the connection. Idempotent."""
        self._is_closed = True
        await self._tasks.aclose()
        await self._pc.close()

    def _video(self) -> RTCRtpTransceiver | None:
        transceivers = self._pc.getTransceivers()
        return next((each for each in transceivers if each.kind == "video"), None)

    def _on_track(self, track: MediaStreamTrack) -> None:
        video = self._video()
        if video is not None and track is video.receiver.track:
            self._incoming = track

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._listener.peer_message)
        while self._unsent:
            channel.send(self._unsent.popleft())

    def _on_state(self) -> None:
        state = self._pc.connectionState
        if state == "connected":
            self._connected.set()
        elif state in {"failed", "closed"}:
            self._gone(f"the client's connection {state}")

    async def _watch_connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connected.wait()
        except TimeoutError:
            self._gone(f"the client did not connect within {CONNECT_TIMEOUT_S:.0f} s")

    def _gone(self, reason: str) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._listener.peer_closed(reason)
