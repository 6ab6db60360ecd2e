"""A small, real Scope-compatible server: HTTP on a loopback port, aiortc media.

What a pipeline id does:

* ``passthrough`` echoes, ``gray`` removes the colour, ``invert`` inverts;
* ``noise`` makes pictures from nothing (text mode only); ``silent`` never sends a picture;
* after ten pictures ``breaks`` stops the stream with an error, ``quits`` stops it in good order,
  ``stumbles`` reports an error and goes on, ``fails`` does so and never sends a picture;
* ``full`` answers an offer with 503, ``garbled`` with something that is no SDP, ``unloaded`` with
  400 until it has been loaded; ``broken`` cannot be loaded.

An ``intensity`` outside [0, 1] is refused with an ``error`` message.
"""

import asyncio
import contextlib
import json
import socket
import uuid
from typing import Any, Literal, Self

import av
import numpy as np
import uvicorn
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from scope_serve.client.pictures import TestPattern
from scope_serve.client.sources import TestPatternSource
from scope_serve.tasks import TaskScope

VIDEO_IDS = (
    "passthrough", "gray", "invert", "silent", "breaks", "quits", "full", "unloaded", "broken",
    "stumbles", "fails", "garbled",
)  # fmt: skip
TEXT_IDS = ("noise",)
FRAMES_BEFORE_THE_END = 10


class Parameters(BaseModel):
    """The validated part of ``initialParameters``."""

    model_config = ConfigDict(extra="allow")
    input_mode: Literal["text", "video"] = "video"
    pipeline_ids: list[str] = []


class Offer(BaseModel):
    """The body of an offer."""

    sdp: str
    type: str
    initialParameters: Parameters = Parameters()  # noqa: N815 (the wire's name)


class OutputTrack(MediaStreamTrack):
    """What a chain makes of the pictures of ``source``."""

    kind = "video"

    def __init__(self, session: "Session", source: MediaStreamTrack) -> None:
        super().__init__()
        self._session = session
        self._source = source
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        """Return the next processed picture."""
        while True:
            try:
                frame = await self._source.recv()
            except MediaStreamError:
                self.stop()
                raise
            assert isinstance(frame, av.VideoFrame)
            self._count += 1
            self._session.after_frame(self._count)
            if not {"silent", "fails"} & set(self._session.chain):
                return apply(self._session.chain, frame)


def apply(chain: list[str], frame: av.VideoFrame) -> av.VideoFrame:
    """Return the picture that a chain makes of ``frame``."""
    planes = frame.to_ndarray(format="yuv420p")
    if "gray" in chain:
        planes[frame.height :] = 128
    if "invert" in chain:
        planes = 255 - planes
    made = av.VideoFrame.from_ndarray(np.ascontiguousarray(planes), format="yuv420p")
    made.pts, made.time_base = frame.pts, frame.time_base
    return made


class Session:
    """One client of the server."""

    def __init__(self, server: "ScopeServer", parameters: Parameters) -> None:
        self.id = str(uuid.uuid4())
        self.chain = parameters.pipeline_ids
        self.parameters: dict[str, Any] = dict(parameters.model_extra or {})
        self.received: list[dict[str, Any]] = []
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._server = server
        self._text = parameters.input_mode == "text"
        self._channel: RTCDataChannel | None = None
        self.connection.on("datachannel", self._on_channel)
        self.connection.on("track", self._on_track)
        self.connection.on("connectionstatechange", self._on_state)

    async def answer(self, offer: Offer) -> RTCSessionDescription:
        """Return the answer to ``offer``."""
        if self._text:
            self.connection.addTrack(OutputTrack(self, TestPatternSource(TestPattern(320, 180))))
        await self.connection.setRemoteDescription(RTCSessionDescription(offer.sdp, offer.type))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription

    def after_frame(self, count: int) -> None:
        """Send what is due after picture ``count``."""
        self._server.count_frame()
        if count % 5 == 0 and self._server.sends_stats:
            self.send({"type": "session_stats", "latency_ms": {"p50": 7.5, "p95": 9.5}})
        if count == FRAMES_BEFORE_THE_END and "breaks" in self.chain:
            self.send({"type": "stream_stopped", "error_message": "CUDA ran out of memory"})
        if count == FRAMES_BEFORE_THE_END and {"stumbles", "fails"} & set(self.chain):
            text = "pipeline failed: division by zero"
            self.send({"type": "error", "code": "pipeline_failed", "message": text})
        if count == FRAMES_BEFORE_THE_END and "quits" in self.chain:
            self.send({"type": "stream_stopped"})

    def send(self, message: dict[str, Any]) -> None:
        """Send a message, if the channel is open."""
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps(message))

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._on_message)
        self.send({"type": "tempo_update", "bpm": 120})
        self._check(self.parameters)

    def _on_message(self, data: str) -> None:
        message = json.loads(data)
        self.received.append(message)
        self._check(message)
        self.send({"type": "parameters_updated", "parameters": message})

    def _check(self, parameters: dict[str, Any]) -> None:
        intensity = parameters.get("intensity", 0)
        if not 0 <= intensity <= 1:
            text = f"parameter 'intensity': {intensity} is not between 0 and 1"
            self.send(
                {"type": "error", "code": "invalid_parameter", "message": text,
                 "field": "intensity"}
            )  # fmt: skip

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video" and not self._text:
            self.connection.addTrack(OutputTrack(self, track))

    def _on_state(self) -> None:
        if self.connection.connectionState in {"closed", "failed"}:
            self._server.tasks.start(self._server.end(self.id), name="end")


class _Uvicorn(uvicorn.Server):
    """Uvicorn that tells when it serves, and leaves the signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.serving.set()

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        """Capture none."""
        return contextlib.nullcontext()


class ScopeServer:
    """Use it as ``async with``. Everything is closed at the end, clients or not."""

    def __init__(self, *, sends_stats: bool = True) -> None:
        self.sends_stats = sends_stats
        self.sessions: dict[str, Session] = {}
        self.opened: list[Session] = []
        self.ended: list[str] = []
        self.loads: list[list[str]] = []
        self.tasks = TaskScope()
        self._frames = self._awaited = 0
        self._reached = asyncio.Event()
        self._loaded: set[str] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._uvicorn = _Uvicorn(
            uvicorn.Config(self._app(), log_config=None, lifespan="off", ws="none")
        )

    async def __aenter__(self) -> Self:
        self.tasks.start(self._uvicorn.serve(sockets=[self._socket]), name="uvicorn")
        await self._uvicorn.serving.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for session_id in list(self.sessions):
            await self.end(session_id)
        self._uvicorn.should_exit = True
        self._uvicorn.force_exit = True
        await self._uvicorn.shutdown(sockets=[self._socket])
        await self.tasks.aclose()

    def count_frame(self) -> None:
        """Note that a picture was made."""
        self._frames += 1
        if self._frames == self._awaited:
            self._reached.set()

    async def wait_for_frames(self, count: int) -> None:
        """Return when ``count`` pictures have been made since the start."""
        self._awaited = count
        await self._reached.wait()

    async def end(self, session_id: str) -> None:
        """Close a session's connection, without a word."""
        session = self.sessions.pop(session_id, None)
        if session is not None:
            self.ended.append(session_id)
            await session.connection.close()

    def _app(self) -> FastAPI:
        app = FastAPI()
        app.get("/health")(self._health)
        app.get("/api/v1/pipelines/schemas")(self._schemas)
        app.get("/api/v1/webrtc/ice-servers")(self._ice_servers)
        app.post("/api/v1/pipeline/load")(self._load)
        app.get("/api/v1/pipeline/status")(self._status)
        app.post("/api/v1/webrtc/offer", response_model=None)(self._offer)
        app.delete("/api/v1/webrtc/offer/{session_id}", status_code=204)(self.end)
        return app

    async def _health(self) -> dict[str, str]:
        return {"status": "healthy", "version": "0.2.4"}

    async def _schemas(self) -> dict[str, Any]:
        modes = {name: ["video"] for name in VIDEO_IDS} | {name: ["text"] for name in TEXT_IDS}
        return {
            "pipelines": {
                name: {
                    "id": name,
                    "name": name.title(),
                    "description": f"Pictures, {name}.",
                    "supported_modes": supported,
                    "default_mode": supported[0],
                    "estimated_vram_gb": None,
                    "usage": [],
                    "plugin_name": None,
                }
                for name, supported in modes.items()
            }
        }

    async def _ice_servers(self) -> dict[str, Any]:
        return {"iceServers": []}

    async def _load(self, body: dict[str, Any]) -> dict[str, str]:
        self.loads.append(body["pipeline_ids"])
        self._loaded = set(body["pipeline_ids"])
        return {"message": "Pipeline loading initiated successfully"}

    async def _status(self) -> dict[str, Any]:
        if "broken" in self._loaded:
            return {"status": "error", "error": None}
        return {"status": "loaded" if self._loaded else "not_loaded", "error": None}

    async def _offer(self, offer: Offer) -> Response | dict[str, str]:
        chain = offer.initialParameters.pipeline_ids
        if "full" in chain:
            body = {"detail": "every place of 'full' is taken", "code": "no_capacity"}
            return JSONResponse(body, 503, {"Retry-After": "1"})
        if {"unloaded", "broken"} & set(chain) - self._loaded:
            return JSONResponse({"detail": "Pipeline not loaded. Please load it first."}, 400)
        session = Session(self, offer.initialParameters)
        self.sessions[session.id] = session
        self.opened.append(session)
        answer = await session.answer(offer)
        if "garbled" in session.chain:
            return {"sdp": "no sdp at all", "type": "answer", "sessionId": session.id}
        return {"sdp": answer.sdp, "type": answer.type, "sessionId": session.id}
