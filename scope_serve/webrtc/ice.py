"""ICE: candidates, and how soon a vanished client is noticed."""

import ipaddress
from collections.abc import Sequence

import aioice.ice
from aiortc import RTCConfiguration, RTCIceCandidate, RTCIceServer
from aiortc.sdp import candidate_from_sdp

from scope_serve.errors import InvalidCandidateError
from scope_serve.webrtc.ice_servers import IceServer

CONSENT_INTERVAL_S = 0.5
CONSENT_FAILURES = 4
_MAX_PORT = 65_535


def configuration(servers: Sequence[IceServer]) -> RTCConfiguration:
    """Return aiortc's configuration; without servers none is contacted."""
    return RTCConfiguration(
        iceServers=[
            RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
            for server in servers
        ]
    )


def notice_vanished_clients() -> None:
    """Let every connection made from now on in this process notice a dead client in 4 seconds.

    aioice checks consent (RFC 7675) every 5 s and gives up after 6 failures; a client that was
    killed would hold a GPU for half a minute.
    """
    aioice.ice.CONSENT_INTERVAL = CONSENT_INTERVAL_S  # type: ignore[assignment]  # int there
    aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES


def parse_candidate(
    candidate: str, sdp_mid: str | None, sdp_mline_index: int | None
) -> RTCIceCandidate | None:
    """Return a trickled candidate; None for the end-of-candidates mark (an empty string).

    Raises:
        InvalidCandidateError: It is not a candidate line.
    """
    line = candidate.removeprefix("a=").removeprefix("candidate:")
    if not line.strip():
        return None
    if sdp_mid is None and sdp_mline_index is None:
        raise InvalidCandidateError("a candidate needs sdpMid or sdpMLineIndex")
    try:
        parsed = candidate_from_sdp(line)
        if not parsed.ip.endswith(".local"):
            ipaddress.ip_address(parsed.ip)
    except (ValueError, IndexError, AssertionError) as error:
        raise InvalidCandidateError(f"not an ICE candidate: {candidate!r:.200}") from error
    if not 0 <= parsed.port <= _MAX_PORT:
        raise InvalidCandidateError(f"the candidate's port is out of range: {parsed.port}")
    parsed.sdpMid = sdp_mid
    parsed.sdpMLineIndex = sdp_mline_index
    return parsed
