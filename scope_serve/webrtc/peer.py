"""One client's WebRTC connection, as the answering side."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from aiortc import (
    InvalidStateError,
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from scope_serve.errors import InvalidCandidateError, InvalidOfferError
from scope_serve.frames import I420Frame
from scope_serve.tasks import TaskScope
from scope_serve.webrtc.ice import configuration, parse_candidate
from scope_serve.webrtc.ice_servers import IceServer
from scope_serve.webrtc.jitter_buffer import release_on_marker
from scope_serve.webrtc.tracks import OutgoingVideo, pump_video

logger = logging.getLogger(__name__)

_KEPT_MESSAGES = 64
_MAX_BUFFERED_BYTES = 1 << 20
"""What may wait in the data channel of a client that takes nothing."""
MAX_SDP_BYTES = 256 * 1024
MAX_SECTIONS = 32
"""Every section of an offer costs a transceiver, whether it is used or not."""
MAX_CANDIDATES = 256
CONNECT_TIMEOUT_S = 8.0
FLUSH_TIMEOUT_S = 1.0


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
    channel opens wait, the oldest dropped when there are more than 64. A client that does not take
    its messages loses the newest.
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
        self._tasks = TaskScope(on_error=self._failed)
        self._candidates_left = MAX_CANDIDATES
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
            InvalidOfferError: It is not SDP, is too long, or offers no video.
        """
        if len(sdp) > MAX_SDP_BYTES or sdp.count("\nm=") > MAX_SECTIONS:
            found = f"{len(sdp)} characters and {sdp.count('m=')} sections"
            raise InvalidOfferError(f"the offer's SDP is too long: {found}")
        offer = RTCSessionDescription(sdp=sdp, type="offer")
        with _blaming_the_offer():
            await self._pc.setRemoteDescription(offer)
        parts = [*(each.receiver for each in self._pc.getTransceivers()), self._pc.sctp]
        if any(part is not None and part.transport is None for part in parts):
            raise InvalidOfferError("the offer bundles media with a section that it does not have")
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
        with _blaming_the_offer():
            await self._pc.setLocalDescription(await self._pc.createAnswer())
        if self._is_closed:
            raise InvalidOfferError("the connection was closed before it was answered")
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
            InvalidCandidateError: It is not a candidate, or cannot be used.
        """
        parsed = parse_candidate(candidate, sdp_mid, sdp_mline_index)
        if self._candidates_left == 0:
            raise InvalidCandidateError(f"more than {MAX_CANDIDATES} candidates")
        self._candidates_left -= 1
        try:
            await self._pc.addIceCandidate(parsed)
        except (ValueError, OSError, InvalidStateError) as error:
            raise InvalidCandidateError(f"the candidate cannot be used: {error}") from error

    @property
    def has_channel(self) -> bool:
        """Whether the data channel is open."""
        return self._channel is not None and self._channel.readyState == "open"

    def send(self, message: Mapping[str, Any]) -> None:
        """Send ``message`` as JSON, now or when the data channel opens."""
        text = json.dumps(message)
        if self._channel is not None and self.has_channel:
            if self._channel.bufferedAmount > _MAX_BUFFERED_BYTES:
                self.messages_dropped += 1
            else:
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
        try:
            await self._pc.close()
        except Exception as error:
            # aiortc cannot close what a broken offer left half made; its sockets are still ours.
            logger.warning("a peer connection was half made", exc_info=error)
            for each in self._pc.getTransceivers():
                if (transport := each.receiver.transport) is not None:
                    await transport.transport.stop()

    def _video(self) -> RTCRtpTransceiver | None:
        transceivers = self._pc.getTransceivers()
        return next((each for each in transceivers if each.kind == "video"), None)

    def _on_track(self, track: MediaStreamTrack) -> None:
        video = self._video()
        if video is not None and track is video.receiver.track:
            self._incoming = track

    def _on_channel(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._on_message)
        if self.has_channel:
            return  # messages come from any channel, and go to the first
        self._channel = channel
        while self._unsent:
            channel.send(self._unsent.popleft())

    def _on_message(self, text: str | bytes) -> None:
        try:
            self._listener.peer_message(text)
        except Exception:
            # aiortc's receiving task, which called, would end with it.
            logger.exception("a message of the client could not be handled")

    def _failed(self, error: BaseException) -> None:
        logger.error("the client's media failed", exc_info=error)
        self._gone(f"the client's media cannot be handled: {type(error).__name__}")

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


@contextlib.contextmanager
def _blaming_the_offer() -> Iterator[None]:
    """Turn what aiortc raises into `InvalidOfferError`.

    It validates SDP by failing somewhere: with an IndexError, an AttributeError, a StopIteration.
    """
    try:
        yield
    except OSError:
        raise  # this machine's network
    except Exception as error:
        found = f"{type(error).__name__}: {error}"[:200]
        raise InvalidOfferError(f"the offer's SDP cannot be used: {found}") from error
