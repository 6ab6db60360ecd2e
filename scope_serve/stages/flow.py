"""How far a stage may run ahead of its consumer."""


class OutputCredit:
    """Allows a call while at most one chunk waits for the consumer. Not thread-safe.

    Attributes:
        outstanding: Output pictures that were emitted and not yet acknowledged.
    """

    def __init__(self) -> None:
        self.outstanding = 0
        self._last_chunk = 0

    @property
    def allows_call(self) -> bool:
        """Whether the consumer is close enough behind for another call."""
        return self.outstanding <= max(1, self._last_chunk)

    def emit(self, frame_count: int) -> None:
        """Count the output of one call."""
        self.outstanding += frame_count
        self._last_chunk = frame_count

    def acknowledge(self, frame_count: int) -> None:
        """Count pictures that the consumer took; more than are outstanding count as all."""
        self.outstanding = max(0, self.outstanding - frame_count)
