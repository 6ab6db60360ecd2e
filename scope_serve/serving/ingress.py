"""The deployment class of the HTTP API. Stateless: any replica serves any request."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle

from scope_serve.api.app import create_app
from scope_serve.api.gateway import SessionRequest
from scope_serve.api.wire import Answer, Candidate
from scope_serve.errors import (
    CapacityError,
    PipelineRequiredError,
    ScopeServeError,
    SessionNotFoundError,
)
from scope_serve.serving import ray_adapter
from scope_serve.serving.args import GatewayArgs
from scope_serve.serving.catalog import Catalog
from scope_serve.serving.failures import own_error
from scope_serve.serving.routers import PIN
from scope_serve.sessions.chain import ChainNode


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
        answer: Answer = await self._call(self._hosts.open_session.remote(chosen))
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
        host = self._owner(session_id)
        await self._call(host.add_candidates.remote(session_id, list(candidates)), session_id)

    async def close_session(self, session_id: str) -> None:
        """End a session on the host that owns it; an unknown session is over already."""
        try:
            host = self._owner(session_id)
            await self._call(host.close_session.remote(session_id), session_id)
        except SessionNotFoundError:
            return

    def _owner(self, session_id: str) -> DeploymentHandle[Any]:
        """Return a handle to the host that the id names."""
        owner, separator, rest = session_id.partition(".")
        if not (owner and separator and rest):
            raise SessionNotFoundError(session_id)
        return self._hosts.options(session_id=f"{PIN}{owner}")

    async def _call(self, response: Awaitable[Any], session_id: str | None = None) -> Any:  # noqa: ANN401
        """Await a host's response; errors come out as ours."""
        try:
            return await response
        except (BackPressureError, RayError, RayServeException) as error:
            found = own_error(error)
        except ScopeServeError:
            raise
        if found is not None:
            raise found
        if session_id is not None:
            raise SessionNotFoundError(session_id)
        raise CapacityError("no session host can take the session now")


class Ingress:
    """Serves the API; see `scope_serve.api`."""

    def __init__(self, args: Mapping[str, Any], hosts: DeploymentHandle[Any]) -> None:
        self._gateway = ServeGateway(GatewayArgs.model_validate(args), hosts)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Build the API inside the replica; called by Serve after the constructor."""
        return create_app(self._gateway)


IngressDeployment = serve.ingress()(Ingress)
