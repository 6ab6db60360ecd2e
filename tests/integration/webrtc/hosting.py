"""A host of sessions without Ray: the API's gateway over hosted sessions and local places."""

import asyncio
import contextlib
import socket

import uvicorn
from fastapi import FastAPI

from scope_serve.api.app import create_app
from scope_serve.api.wire import Answer
from scope_serve.errors import SessionNotFoundError
from scope_serve.pipelines.descriptor import describe
from scope_serve.serving.hosted_session import HostedSession
from scope_serve.sessions.chain import resolve_chain
from scope_serve.tasks import TaskScope
from tests.local_leases import LocalLeases, LocalReplica


class LocalGateway:
    """Opens sessions in this process. Use it as ``async with``.

    Attributes:
        ended: Session id and reason of every session that ended by itself.
    """

    def __init__(self, *pipelines, replicas=1):
        self.leases = LocalLeases(
            *(
                LocalReplica(f"{each.__name__}-{number}", each)
                for each in pipelines
                for number in range(replicas)
            )
        )
        self.descriptors = {each.pipeline_id: each for each in map(describe, pipelines)}
        self.sessions = {}
        self.ended = asyncio.Queue()
        self._tasks = TaskScope()

    async def __aenter__(self):
        await self.leases.__aenter__()
        return self

    async def __aexit__(self, *_):
        for session in list(self.sessions.values()):
            await session.aclose("test over")
        closings = list(self._tasks._tasks)
        if closings:
            await asyncio.wait(closings)
        await self._tasks.aclose()
        assert not self.leases.held
        await self.leases.__aexit__()

    async def open_session(self, request):
        """Lease the stages, then answer the offer."""
        hosted = HostedSession(
            f"s{len(self.sessions)}", leases=self.leases, ice_servers=[], on_end=self._end
        )
        try:
            await hosted.accept(request.sdp)
            chain = resolve_chain(
                request.nodes,
                self.descriptors,
                input_mode=request.input_mode,
                has_video_input=hosted.has_video_input,
            )
            sdp = await hosted.answer(chain, request.parameters)
        except BaseException:
            await hosted.aclose("start failed")
            raise
        self.sessions[hosted.id] = hosted
        return Answer(sdp=sdp, session_id=hosted.id)

    def _end(self, hosted, reason):
        self.sessions.pop(hosted.id, None)
        self.ended.put_nowait((hosted.id, reason))
        self._tasks.start(hosted.aclose(reason), name=f"{hosted.id}/end")

    async def add_candidates(self, session_id, candidates):
        """Add candidates to a session."""
        if session_id not in self.sessions:
            raise SessionNotFoundError(session_id)
        await self.sessions[session_id].add_candidates(candidates)

    async def close_session(self, session_id):
        """End a session."""
        if hosted := self.sessions.pop(session_id, None):
            await hosted.aclose("closed by the client")

    async def schemas(self):
        """Return all schemas."""
        return {name: each.schema_dict for name, each in self.descriptors.items()}

    async def check_ready(self):
        """Return: it is ready."""

    def ice_servers(self):
        """Return none: loopback needs none."""
        return []


class _Uvicorn(uvicorn.Server):
    def __init__(self, config):
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.serving.set()

    def capture_signals(self):
        return contextlib.nullcontext()


@contextlib.asynccontextmanager
async def serving(app: FastAPI):
    """Serve ``app`` on a loopback port; yield its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = _Uvicorn(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    async with TaskScope() as tasks:
        tasks.start(server.serve(sockets=[listening]), name="uvicorn")
        await server.serving.wait()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await server.shutdown(sockets=[listening])


@contextlib.asynccontextmanager
async def served(*pipelines, replicas=1):
    """Serve the API over local places; yield the gateway and the URL."""
    gateway = LocalGateway(*pipelines, replicas=replicas)
    async with gateway, serving(create_app(gateway)) as url:
        yield gateway, url
