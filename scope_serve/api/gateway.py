"""What the HTTP API needs from the cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scope_serve.api.wire import Answer, Candidate
from scope_serve.sessions.chain import ChainNode


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A request for a session.

    Attributes:
        sdp: The client's offer.
        nodes: The chain asked for; empty if the offer names none.
        input_mode: The input mode asked for, if any.
        parameters: Initial parameters of the stages.
    """

    sdp: str
    nodes: tuple[ChainNode, ...]
    input_mode: str | None
    parameters: Mapping[str, Any]


class Gateway(Protocol):
    """The cluster behind the API. Every method may raise any `ScopeServeError`."""

    async def schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the schema of every pipeline that is offered, by id."""

    async def check_ready(self) -> None:
        """Return if sessions can be opened; else raise why not."""

    def ice_servers(self) -> Sequence[Mapping[str, Any]]:
        """Return the ICE servers for clients, with W3C's keys."""

    async def open_session(self, request: SessionRequest) -> Answer:
        """Open a session and answer its offer."""

    async def add_candidates(self, session_id: str, candidates: Sequence[Candidate]) -> None:
        """Add trickled candidates to a session."""

    async def close_session(self, session_id: str) -> None:
        """End a session; does nothing if it is over already."""
