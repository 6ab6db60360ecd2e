"""What a session needs from whoever places its stages."""

from collections.abc import Mapping
from typing import Any, Protocol

from scope_serve.links.connection import FrameLink, LinkListener
from scope_serve.sessions.chain import StageSpec


class StageLease(Protocol):
    """A place on a replica, held for one stage of one session, with the link to it."""

    @property
    def link(self) -> FrameLink:
        """The open link. When it closes the lease is over, whoever closed it."""

    @property
    def replica(self) -> str:
        """Name of the replica, for logs and messages."""

    async def release(self) -> None:
        """Close the link and give the place back. Idempotent, never raises."""


class StageLeases(Protocol):
    """Finds places for stages."""

    async def acquire(
        self,
        spec: StageSpec,
        parameters: Mapping[str, Any],
        listener: LinkListener,
        *,
        is_recovery: bool,
    ) -> StageLease:
        """Reserve a place for ``spec`` and connect to it.

        Args:
            spec: The stage.
            parameters: Load and runtime parameters that the stage starts with.
            listener: Gets the messages and the end of the link.
            is_recovery: The stage ran before and lost its replica. It may be worth waiting longer
                then: a replacement is probably on its way, and a client is watching.

        Raises:
            CapacityError: No replica is free.
            ParameterError: The pipeline does not accept ``parameters``.
            PipelineUnavailableError: The pipeline cannot start.
            LinkError: The replica cannot be reached.
        """
