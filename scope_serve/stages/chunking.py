"""Which of the waiting pictures go into the next call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChunkPick:
    """A choice among waiting pictures, the oldest being number 0.

    Attributes:
        indices: The pictures to use, oldest first.
        consumed: How many leave the backlog, used or not.
    """

    indices: tuple[int, ...]
    consumed: int

    @property
    def skipped(self) -> int:
        """How many pictures leave the backlog without being used."""
        return self.consumed - len(self.indices)


def pick_chunk(waiting: int, wanted: int) -> ChunkPick:
    """Choose ``wanted`` of ``waiting`` pictures.

    Several pictures are spread evenly over the whole backlog, as Scope does it, so that a slow
    pipeline sees motion at an even pace. A single picture is the newest one: an older one would
    carry its age to the viewer for ever.

    Raises:
        ValueError: ``wanted`` is below 1 or above ``waiting``.
    """
    if not 1 <= wanted <= waiting:
        message = f"cannot pick {wanted} of {waiting} pictures"
        raise ValueError(message)
    if wanted == 1:
        return ChunkPick(indices=(waiting - 1,), consumed=waiting)
    step = waiting / wanted
    indices = tuple(round(number * step) for number in range(wanted))
    return ChunkPick(indices=indices, consumed=indices[-1] + 1)
