"""The HTTP side of the client: discovery, offers, loading."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote, urlsplit
from weakref import WeakSet

import httpx
from aiortc import (
    InvalidAccessError,
    InvalidStateError,
    MediaStreamTrack,
    RTCSessionDescription,
)
from aiortc.exceptions import OperationError

from scope_serve.client import wire
from scope_serve.client.errors import (
    ClientError,
    ClientUsageError,
    ConnectFailedError,
    ServerResponseError,
    ServerUnreachableError,
)
from scope_serve.client.peer import Codec, Peer, open_peer
from scope_serve.client.session import ClientSession

_REQUEST_TIMEOUT_S = 15.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_UNUSABLE_ANSWER = (KeyError, ValueError, InvalidAccessError, InvalidStateError, OperationError)


class ScopeClient:
    """Talks to one Scope-compatible server. Use it as ``async with``.

    Raises from every request: `ServerUnreachableError` if nothing answers, `ServerResponseError`
    if the server answers with an error.
    """

    def __init__(self, base_url: str = "http://127.0.0.1:8000") -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"not the URL of a server: {base_url!r} (wanted http://host:port)"
            raise ClientUsageError(message)
        self.base_url = base_url.rstrip("/")
        self._sessions: WeakSet[ClientSession] = WeakSet()
        # A proxy for the outside world cannot reach this machine's own servers.
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            timeout=_REQUEST_TIMEOUT_S,
            trust_env=parts.hostname not in _LOOPBACK,
        )

    async def aclose(self) -> None:
        """Close every session, then the HTTP connections. Idempotent."""
        for session in list(self._sessions):
            await session.aclose()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def health(self) -> wire.Json:
        """Return the server's ``/health``."""
        return await self._get("/health")

    async def pipelines(self) -> dict[str, wire.Json]:
        """Return the schema of every pipeline that is offered, by pipeline id."""
        body = await self._get("/api/v1/pipelines/schemas")
        pipelines: dict[str, wire.Json] = body.get("pipelines", {})
        return pipelines

    async def ice_servers(self) -> tuple[wire.IceServer, ...]:
        """Return the STUN and TURN servers to use."""
        return wire.read_ice_servers(await self._get("/api/v1/webrtc/ice-servers"))

    async def load(self, pipeline_ids: Sequence[str]) -> None:
        """Ask a desktop Scope to load pipelines; it answers before they are loaded."""
        body = {"pipeline_ids": list(pipeline_ids), "load_params": {}}
        await self._request("POST", "/api/v1/pipeline/load", json=body)

    async def load_status(self) -> wire.Json:
        """Return how far a desktop Scope is with loading."""
        return await self._get("/api/v1/pipeline/status")

    async def connect(
        self,
        *,
        pipeline_ids: Sequence[str],
        parameters: Mapping[str, Any] | None = None,
        video: MediaStreamTrack | None = None,
        codec: Codec | None = None,
        timeout_s: float = 60.0,
    ) -> ClientSession:
        """Start a session and return it when media can flow.

        Args:
            pipeline_ids: The chain, in order.
            parameters: Initial parameters, for instance ``{"prompts": [...]}``.
            video: What to send; None asks for a session in text mode.
            codec: The only codec to offer; None offers every codec.
            timeout_s: Bound of the whole, including a cold start of the pipelines.

        Raises:
            ConnectFailedError: The connection did not stand in time, or broke.
        """
        mode: wire.InputMode = "text" if video is None else "video"
        initial = wire.initial_parameters(pipeline_ids, mode, parameters or {})
        try:
            async with asyncio.timeout(timeout_s):
                peer = open_peer(await self.ice_servers(), video, codec)
                session = ClientSession(peer, self._end_session)
                self._sessions.add(session)
                await _or_close(session, self._negotiate(session, peer, initial, timeout_s))
        except TimeoutError:
            message = f"no connection to {self.base_url} within {timeout_s:g} s"
            raise ConnectFailedError(message) from None
        return session

    async def _negotiate(
        self, session: ClientSession, peer: Peer, initial: wire.Json, timeout_s: float
    ) -> None:
        connection = peer.connection
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription
        body = {"sdp": offer.sdp, "type": offer.type, "initialParameters": initial}
        path = "/api/v1/webrtc/offer"
        answer = await self._request("POST", path, json=body, timeout_s=timeout_s)
        try:
            session.accept(str(answer["sessionId"]))
            await connection.setRemoteDescription(
                RTCSessionDescription(answer["sdp"], answer["type"])
            )
        except _UNUSABLE_ANSWER as error:
            message = f"the server's answer cannot be used: {type(error).__name__}: {error}"
            raise ConnectFailedError(message) from None
        await session.wait_connected()

    async def _end_session(self, session_id: str) -> None:
        """Tell the server that a session is over; a server that is gone needs no telling."""
        try:
            await self._request("DELETE", f"/api/v1/webrtc/offer/{quote(session_id, safe='')}")
        except ClientError:
            return

    async def _get(self, path: str) -> wire.Json:
        return await self._request("GET", path)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        timeout_s: float = _REQUEST_TIMEOUT_S,
    ) -> wire.Json:
        try:
            response = await self._http.request(method, path, json=json, timeout=timeout_s)
        except httpx.ReadTimeout:
            message = f"{self.base_url} did not answer {method} {path} within {timeout_s:g} s"
            raise ConnectFailedError(message) from None
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise ServerUnreachableError(self.base_url, reason) from None
        request = f"{method} {path}"
        if response.is_error:
            said = wire.read_error_body(response.status_code, response.reason_phrase, response.text)
            raise ServerResponseError(request, response.status_code, said.code, said.detail)
        return _read_object(request, response)


def _read_object(request: str, response: httpx.Response) -> wire.Json:
    if not response.content:
        return {}
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        detail = "the answer is not a JSON object: this is not a Scope server"
        raise ServerResponseError(request, response.status_code, None, detail)
    return body


async def _or_close(session: ClientSession, step: Awaitable[None]) -> None:
    """Await ``step``; close ``session`` if it does not return."""
    try:
        await step
    except BaseException:
        await session.aclose()
        raise
