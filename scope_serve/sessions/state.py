"""The states of a session. Pure."""

from enum import StrEnum


class SessionState(StrEnum):
    """Where a session is in its life."""

    STARTING = "starting"
    """Places for its stages are being leased."""

    ACTIVE = "active"
    """Every stage has a place and takes pictures."""

    RECOVERING = "recovering"
    """A stage lost its replica and is being placed on another."""

    CLOSED = "closed"
    """Over; nothing is held any more."""


_FOLLOWERS: dict[SessionState, frozenset[SessionState]] = {
    SessionState.STARTING: frozenset({SessionState.ACTIVE, SessionState.CLOSED}),
    SessionState.ACTIVE: frozenset({SessionState.RECOVERING, SessionState.CLOSED}),
    SessionState.RECOVERING: frozenset({SessionState.ACTIVE, SessionState.CLOSED}),
    SessionState.CLOSED: frozenset(),
}


def follows(current: SessionState, wanted: SessionState) -> bool:
    """Return whether a session may go from ``current`` to ``wanted``."""
    return wanted in _FOLLOWERS[current]
