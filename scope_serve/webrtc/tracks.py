"""The outgoing track, and the task that empties an incoming one."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from scope_serve.frames import I420Frame
from scope_serve.webrtc.pictures import from_av, to_av
from scope_serve.webrtc.timestamps import OutgoingTimestamps


class OutgoingVideo(MediaStreamTrack):
    """A video track that shows whatever ``next_frame`` returns, as soon as it returns it."""

    kind = "video"

    def __init__(self, next_frame: Callable[[], Awaitable[I420Frame]]) -> None:
        super().__init__()
        self._next_frame = next_frame
        self._timestamps = OutgoingTimestamps()

    async def recv(self) -> av.VideoFrame:
        """Return the next picture; called by aiortc's sender.

        Raises:
            MediaStreamError: The track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._next_frame()
        now_s = asyncio.get_running_loop().time()
        return to_av(frame, pts=self._timestamps.stamp(frame.pts, now_s))


async def pump_video(track: MediaStreamTrack, on_frame: Callable[[I420Frame], None]) -> None:
    """Hand every picture of ``track`` to ``on_frame``, until the track ends."""
    while True:
        try:
            picture = await track.recv()
        except MediaStreamError:
            return
        if isinstance(picture, av.VideoFrame):
            on_frame(from_av(picture, entered_ns=time.monotonic_ns()))
