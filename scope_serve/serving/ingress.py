"""The deployment class of the HTTP API. Stateless: any replica serves any request."""

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle

from scope_serve.api.app import create_app
from scope_serve.api.gateway import SessionRequest
from scope_serve.api.wire import Answer, Candidate
from scope_serve.errors import (
    CapacityError,
    PipelineRequiredError,
    ReplicaGoneError,
    SessionNotFoundError,
)
from scope_serve.serving import ray_adapter
from scope_serve.serving.args import GatewayArgs
from scope_serve.serving.catalog import Catalog
from scope_serve.serving.failures import own_error
from scope_serve.serving.routers import PIN
from scope_serve.sessions.chain import ChainNode

CONTROL_TIMEOUT_S = 10.0
_MARGIN_S = 10.0
"""What a host may need beside waiting for replicas."""


class ServeGateway:
    """Answers the API from the catalog and the session hosts."""

    def __init__(self, args: GatewayArgs, hosts: DeploymentHandle[Any]) -> None:
        self._args = args
        self._hosts = ray_adapter.over_grpc(hosts)
        self._catalog = Catalog()

    async def schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the schema of every pipeline on offer, by id."""
        descriptors = await self._catalog.descriptors()
        return {name: descriptor.schema_dict for name, descriptor in descriptors.items()}

    async def check_ready(self) -> None:
        """Return if a pipeline is on offer; raise `CapacityError` if none is."""
        if not await self._catalog.offered():
            raise CapacityError("no pipeline is deployed")

    def ice_servers(self) -> Sequence[Mapping[str, Any]]:
        """Return the ICE servers for clients."""
        return [server.model_dump(exclude_none=True) for server in self._args.ice_servers]

    async def open_session(self, request: SessionRequest) -> Answer:
        """Open a session on the least busy host."""
        nodes = request.nodes or await self._default_chain()
        chosen = SessionRequest(request.sdp, nodes, request.input_mode, request.parameters)
        timeout_s = self._args.cold_start_timeout_s + _MARGIN_S
        try:
            answer: Answer = await _call(self._hosts.open_session.remote(chosen), timeout_s)
        except ReplicaGoneError:
            raise CapacityError("no session host can take the session now") from None
        return answer

    async def _default_chain(self) -> tuple[ChainNode, ...]:
        ids = self._args.default_pipelines
        if not ids:
            offered = list(await self._catalog.offered())
            if len(offered) != 1:
                listed = ", ".join(repr(name) for name in offered) or "none"
                found = f"the offer names no pipeline; put one of {listed} into pipeline_ids"
                raise PipelineRequiredError(found)
            ids = offered
        return tuple(ChainNode(name, name) for name in ids)

    async def add_candidates(self, session_id: str, candidates: Sequence[Candidate]) -> None:
        """Pass candidates on to the host that owns the session."""
        call = self._owner(session_id).add_candidates.remote(session_id, list(candidates))
        try:
            await _call(call, CONTROL_TIMEOUT_S)
        except ReplicaGoneError:
            raise SessionNotFoundError(session_id) from None

    async def close_session(self, session_id: str) -> None:
        """End a session on the host that owns it; an unknown session is over already."""
        with contextlib.suppress(SessionNotFoundError, ReplicaGoneError):
            call = self._owner(session_id).close_session.remote(session_id)
            await _call(call, CONTROL_TIMEOUT_S)

    def _owner(self, session_id: str) -> DeploymentHandle[Any]:
        """Return a handle to the host that the id names."""
        owner, separator, rest = session_id.partition(".")
        if not (owner and separator and rest):
            raise SessionNotFoundError(session_id)
        return self._hosts.options(session_id=f"{PIN}{owner}")


async def _call(response: Awaitable[Any], timeout_s: float) -> Any:  # noqa: ANN401 - as Ray's
    """Await a host's response; what Ray raises comes out as an error of ours.

    Raises:
        ReplicaGoneError: The host died, or none answered in time.
        RayTaskError: The host has a bug.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await response
    except RayTaskError as error:
        if (found := own_error(error)) is None:
            raise
        raise found from error
    except (BackPressureError, RayError, RayServeException, TimeoutError) as error:
        raise own_error(error) or ReplicaGoneError("session host") from error


class Ingress:
    """Serves the API; see `scope_serve.api`."""

    def __init__(self, args: Mapping[str, Any], hosts: DeploymentHandle[Any]) -> None:
        self._gateway = ServeGateway(GatewayArgs.model_validate(args), hosts)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Build the API inside the replica; called by Serve after the constructor."""
        return create_app(self._gateway)


IngressDeployment = serve.ingress()(Ingress)
