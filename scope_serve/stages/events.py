"""What a stage tells its session."""

from dataclasses import dataclass

from scope_serve.errors import ScopeServeError
from scope_serve.frames import I420Frame


@dataclass(frozen=True, slots=True)
class FramesReady:
    """The pictures that one call made, in order.

    Attributes:
        frames: At least one picture.
        frame_rate: Pictures per second at which the pipeline wants them shown, if it says so.
    """

    frames: tuple[I420Frame, ...]
    frame_rate: float | None


@dataclass(frozen=True, slots=True)
class StageFailed:
    """A call failed.

    Attributes:
        error: What went wrong, for the client.
        is_fatal: Whether the stage has stopped calling the pipeline for good.
    """

    error: ScopeServeError
    is_fatal: bool


StageEvent = FramesReady | StageFailed
