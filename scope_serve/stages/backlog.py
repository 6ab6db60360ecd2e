"""Pictures that wait for the next call."""

from collections import deque

from scope_serve.frames import I420Frame
from scope_serve.stages.chunking import pick_chunk

MIN_CAPACITY = 30


class InputBacklog:
    """A bounded queue of input pictures: full, it drops the oldest. Not thread-safe.

    Attributes:
        received: Pictures ever added.
        dropped: Pictures that never reached, and never will reach, the pipeline.
    """

    def __init__(self) -> None:
        self._frames: deque[I420Frame] = deque(maxlen=MIN_CAPACITY)
        self.received = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._frames)

    def reserve(self, input_size: int) -> None:
        """Make room for ``max(30, 2 * input_size)`` pictures; room never shrinks."""
        capacity = max(MIN_CAPACITY, 2 * input_size)
        if capacity > (self._frames.maxlen or 0):
            self._frames = deque(self._frames, maxlen=capacity)

    def add(self, frame: I420Frame) -> None:
        """Append a picture."""
        self.received += 1
        self.dropped += len(self._frames) == self._frames.maxlen
        self._frames.append(frame)

    def refuse(self) -> None:
        """Count a picture that nobody will use."""
        self.received += 1
        self.dropped += 1

    def clear(self) -> None:
        """Drop all waiting pictures."""
        self.dropped += len(self._frames)
        self._frames.clear()

    def take(self, wanted: int) -> list[I420Frame]:
        """Remove and return ``wanted`` pictures; at least as many must wait."""
        if wanted == 0:
            return []
        pick = pick_chunk(len(self._frames), wanted)
        removed = [self._frames.popleft() for _ in range(pick.consumed)]
        self.dropped += pick.skipped
        return [removed[index] for index in pick.indices]
