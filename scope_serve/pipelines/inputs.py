"""Input sources: where Scope's desktop program takes frames from, besides WebRTC.

A service has no cameras or capture cards. Plugins that bring input sources load, and their
pipelines are served; the sources are listed and never opened.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    SourceFrame = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class InputSourceInfo:
    """One thing that an input source can connect to.

    Attributes:
        name: Name for people.
        identifier: What `InputSource.connect` takes.
        metadata: Anything else that the source knows.
    """

    name: str
    identifier: str
    metadata: dict[str, object] | None = None


class InputSource(ABC):
    """A kind of source of frames."""

    source_id: ClassVar[str] = ""
    source_name: ClassVar[str] = ""
    source_description: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def is_available(cls) -> bool:
        """Return whether this machine can use the source."""

    @abstractmethod
    def list_sources(self, timeout_ms: int = 5000) -> list[InputSourceInfo]:
        """Return what there is to connect to."""

    @abstractmethod
    def connect(self, identifier: str) -> bool:
        """Connect; return whether it worked."""

    @abstractmethod
    def receive_frame(
        self, timeout_ms: int = 100
    ) -> "SourceFrame | tuple[SourceFrame, int | None, Fraction | None] | None":
        """Return the next ``(H, W, 3)`` uint8 RGB frame, with pts and time base if known."""

    @abstractmethod
    def disconnect(self) -> None:
        """Let go of what is connected."""

    def get_source_resolution(
        self, identifier: str, timeout_ms: int = 5000
    ) -> tuple[int, int] | None:
        """Return width and height of a source, or None if it is not known beforehand."""
        del identifier, timeout_ms
        return None

    def close(self) -> None:
        """Disconnect for good."""
        self.disconnect()


class InputSourceRegistry:
    """Every input source class of this process, by its id."""

    _sources: ClassVar[dict[str, type[InputSource]]] = {}

    @classmethod
    def register(cls, source_class: type[InputSource]) -> None:
        """Add a class; one that has the id of an earlier class is ignored."""
        cls._sources.setdefault(source_class.source_id, source_class)

    @classmethod
    def all(cls) -> dict[str, type[InputSource]]:
        """Return every class by its ``source_id``."""
        return dict(cls._sources)


def get_input_source_classes() -> dict[str, type[InputSource]]:
    """Return every registered class by its ``source_id``."""
    return InputSourceRegistry.all()
