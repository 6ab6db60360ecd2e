"""Pictures that have arrived and wait to be looked at."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import av


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """A decoded picture and the `time.monotonic` second at which it was decoded."""

    picture: av.VideoFrame
    arrived_s: float


class Arrivals:
    """Holds the newest pictures; when full, the oldest goes and is counted as dropped."""

    def __init__(self, capacity: int) -> None:
        self._waiting: deque[ReceivedFrame] = deque()
        self._capacity = capacity
        self._changed = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, frame: ReceivedFrame) -> None:
        """Add a picture."""
        if len(self._waiting) >= self._capacity:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(frame)
        self._changed.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def close(self) -> None:
        """Nothing more arrives: the iteration ends when what waits is taken."""
        self._closed = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[ReceivedFrame]:
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()
