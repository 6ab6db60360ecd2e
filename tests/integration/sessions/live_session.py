"""A session with everything around it, and the words to test it in."""

import asyncio
import contextlib
import time

import torch

from scope_serve.frames import I420Frame
from scope_serve.sessions.chain import StageSpec
from scope_serve.sessions.session import Session
from scope_serve.stages.colour import SwscaleConverter
from scope_serve.stages.timestamps import FrameTime

TIMEOUT_S = 15.0


def stage(pipeline_id, mode="video", node_id=None):
    return StageSpec(node_id or pipeline_id, pipeline_id, mode)


def picture(rgb, pts=0, width=64, height=32) -> I420Frame:
    """Return a live picture of one colour."""
    plane = torch.tensor(rgb, dtype=torch.uint8).expand(1, height, width, 3).contiguous()
    (frame,) = SwscaleConverter().to_i420(plane, [FrameTime(pts, time.monotonic_ns())])
    return frame


def colour(frame):
    """Return the mean red, green and blue of a picture."""
    (rgb,) = SwscaleConverter().to_rgb([frame])
    return tuple(round(value) for value in rgb.float().mean(dim=(0, 1, 2)).tolist())


def is_near(found, wanted, tolerance=4):
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


class LiveSession(Session):
    """A session that keeps what it tells its client."""

    def __init__(self, chain, leases, parameters=None, session_id="s"):
        super().__init__(
            session_id,
            chain,
            parameters or {},
            leases=leases,
            notify=self._keep,
            on_end=self._note_end,
        )
        self.messages = []
        self.times_ended = 0
        self._news = asyncio.Event()

    def _keep(self, message):
        self.messages.append(dict(message))
        self._news.set()

    def _note_end(self):
        self.times_ended += 1
        self._news.set()

    async def message(self, kind):
        """Wait for a message of this type, and remove it."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for index, each in enumerate(self.messages):
                    if each["type"] == kind:
                        return self.messages.pop(index)
                self._news.clear()
                await self._news.wait()

    async def ended(self):
        """Wait until the session gave up."""
        async with asyncio.timeout(TIMEOUT_S):
            while not self.times_ended:
                self._news.clear()
                await self._news.wait()

    async def through(self, frame):
        """Send one picture and return what comes out."""
        self.push_frame(frame)
        async with asyncio.timeout(TIMEOUT_S):
            return await self.next_frame()

    async def until(self, wanted, sent=(255, 255, 255), limit=200):
        """Send pictures until the colour ``wanted`` comes out; return after how many."""
        for count in range(1, limit):
            if is_near(colour(await self.through(picture(sent, pts=count))), wanted):
                return count
        raise AssertionError(f"{wanted} never came out")


@contextlib.asynccontextmanager
async def running(leases, *chain, parameters=None, session_id="s"):
    """Yield a started session."""
    session = LiveSession(chain, leases, parameters, session_id)
    await session.start()
    try:
        yield session
    finally:
        await session.aclose("test over")
