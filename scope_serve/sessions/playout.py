"""The pictures of the last stage, handed out one by one when each is due."""

import asyncio
from collections import deque
from collections.abc import Callable

from scope_serve.frames import I420Frame
from scope_serve.links.messages import FrameMessage
from scope_serve.sessions.pacing import Arrival, Pacer

CAPACITY = 128
"""More than any pipeline's chunk needs: stages wait while a whole chunk is unplayed."""


class Playout:
    """A bounded queue between the last stage and the outgoing track.

    When it is full the oldest picture is dropped and counted. `taken` is called once for every
    picture that leaves, played or dropped, so that the stage may make another.
    """

    def __init__(self, taken: Callable[[], None]) -> None:
        self.frames_dropped = 0
        self.frame_rate: float | None = None
        self._taken = taken
        self._pacer = Pacer()
        self._queue: deque[tuple[float, I420Frame]] = deque()
        self._wake = asyncio.Event()

    def put(self, message: FrameMessage) -> None:
        """Queue a picture that has just arrived."""
        arrival = Arrival(
            now_s=asyncio.get_running_loop().time(),
            position=message.chunk_position,
            length=message.chunk_length,
            is_live=message.frame.entered_ns > 0,
            frame_rate=self.frame_rate,
        )
        if len(self._queue) >= CAPACITY:
            self._queue.popleft()
            self.frames_dropped += 1
            self._taken()
        self._queue.append((self._pacer.due_s(arrival), message.frame))
        self._wake.set()

    async def next(self) -> I420Frame:
        """Return the next picture as soon as it is due. One caller at a time."""
        while not self._queue:
            self._wake.clear()
            await self._wake.wait()
        due_s = self._queue[0][0]
        wait_s = due_s - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        _, frame = self._queue.popleft()
        self._taken()
        return frame
