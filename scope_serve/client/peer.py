"""The client's half of a peer connection, set up the way Scope's web page does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
)

from scope_serve.client.wire import IceServer
from scope_serve.webrtc.jitter_buffer import release_on_marker

Codec: TypeAlias = Literal["VP8", "H264"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer connection that is ready to make its offer, and its parameters channel."""

    connection: RTCPeerConnection
    channel: RTCDataChannel


def open_peer(
    ice_servers: Sequence[IceServer], video: MediaStreamTrack | None, codec: Codec | None
) -> Peer:
    """Return a peer that sends ``video``, or only receives if there is none.

    Must be called with a running event loop. The caller closes the connection.
    """
    connection = RTCPeerConnection(
        RTCConfiguration(
            iceServers=[
                RTCIceServer(list(server.urls), server.username, server.credential)
                for server in ice_servers
            ]
        )
    )
    channel = connection.createDataChannel("parameters", ordered=True)
    if video is None:
        connection.addTransceiver("video", direction="recvonly")
    else:
        connection.addTrack(video)
    transceiver = connection.getTransceivers()[0]
    if codec is not None:
        mime_types = {f"video/{codec}".lower(), "video/rtx"}
        capabilities = RTCRtpReceiver.getCapabilities("video")
        assert capabilities is not None
        transceiver.setCodecPreferences(
            [known for known in capabilities.codecs if known.mimeType.lower() in mime_types]
        )
    release_on_marker(transceiver.receiver)
    connection.addTransceiver("audio", direction="recvonly")
    return Peer(connection, channel)
