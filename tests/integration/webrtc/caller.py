"""A client made of aiortc alone, for offers that no well-behaved client makes."""

import asyncio
import contextlib
import json

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack

from scope_serve.api.gateway import SessionRequest
from scope_serve.sessions.chain import ChainNode
from scope_serve.tasks import TaskScope

TIMEOUT_S = 20.0


class Colour(VideoStreamTrack):
    """Sends pictures of one colour at 30 per second; colour and size may change meanwhile."""

    def __init__(self, rgb=(255, 0, 0), size=(128, 96)):
        super().__init__()
        self.rgb = rgb
        self.size = size

    async def recv(self):
        width, height = self.size
        pixels = np.full((height, width, 3), self.rgb, np.uint8)
        picture = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")
        picture.pts, picture.time_base = await self.next_timestamp()
        return picture


def mean_rgb(picture):
    return tuple(picture.to_ndarray(format="rgb24").mean(axis=(0, 1)).round())


def is_near(found, wanted, tolerance=12):
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


class Caller:
    """A peer connection that offers. Use it as ``async with``."""

    def __init__(self, track: MediaStreamTrack | None = None):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.track = track
        self.session_id = ""
        self.channel = None
        self.messages = asyncio.Queue()
        self.pictures = asyncio.Queue(64)
        self.connected = asyncio.Event()
        self._tasks = TaskScope()
        self.pc.on("track", self._on_track)
        self.pc.on("connectionstatechange", self._on_state)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.pc.close()
        await self._tasks.aclose()

    def add_video(self, direction="sendrecv"):
        if self.track is not None:
            self.pc.addTrack(self.track)
        else:
            self.pc.addTransceiver("video", direction=direction)
        return self

    def open_channel(self, label="parameters"):
        self.channel = self.pc.createDataChannel(label)
        self.channel.on("message", lambda text: self.messages.put_nowait(json.loads(text)))
        return self

    async def offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def call(self, gateway, *pipeline_ids, sdp=None, input_mode=None, **parameters):
        """Open a session and take its answer."""
        sdp = sdp or await self.offer()
        nodes = tuple(ChainNode(name, name) for name in pipeline_ids)
        answer = await gateway.open_session(SessionRequest(sdp, nodes, input_mode, parameters))
        self.session_id = answer.session_id
        await self.pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return answer.sdp

    async def picture(self, rgb=None, size=None):
        """Return the next picture, or the next that has this colour and size."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                picture = await self.pictures.get()
                has_size = size is None or (picture.width, picture.height) == size
                if has_size and (rgb is None or is_near(mean_rgb(picture), rgb)):
                    return picture

    async def message(self, kind):
        """Return the next message of this type."""
        async with asyncio.timeout(TIMEOUT_S):
            while (message := await self.messages.get())["type"] != kind:
                pass
        return message

    def vanish(self):
        """Cut the connection's sockets, as if the process were killed."""
        for transceiver in self.pc.getTransceivers():
            ice = transceiver.receiver.transport.transport
            for protocol in ice._connection._protocols:
                protocol.transport.abort()

    def _on_state(self):
        if self.pc.connectionState == "connected":
            self.connected.set()

    def _on_track(self, track):
        if track.kind == "video":
            self._tasks.start(self._receive(track), name="caller/video")

    async def _receive(self, track):
        with contextlib.suppress(MediaStreamError):
            while True:
                picture = await track.recv()
                if self.pictures.full():
                    self.pictures.get_nowait()
                self.pictures.put_nowait(picture)
