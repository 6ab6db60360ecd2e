"""Places for stages without Ray: a replica is a real link server with real stage runners."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Self

from scope_serve.errors import CapacityError
from scope_serve.links.client import connect_link
from scope_serve.links.connection import FrameLink, LinkListener
from scope_serve.links.server import LinkServer
from scope_serve.pipelines.interface import Pipeline
from scope_serve.serving.stage_endpoint import StageEndpoint
from scope_serve.sessions.chain import StageSpec
from scope_serve.sessions.leases import StageLease
from scope_serve.stages.runner import StageRunner

NODE = "this machine"


class LocalReplica:
    """Holds one pipeline object for each of ``sessions`` sessions; can be killed."""

    def __init__(self, name: str, pipeline_class: type[Pipeline], *, sessions: int = 1) -> None:
        config_class = pipeline_class.get_config_class()
        assert config_class is not None
        self.name = name
        self.pipeline_id = config_class.pipeline_id
        self.links = LinkServer()
        self.runners = [
            StageRunner(pipeline_class, load_params={}, device="cpu") for _ in range(sessions)
        ]
        self.is_killed = False

    async def start(self) -> None:
        """Make the pipelines and listen."""
        self.address = await self.links.start(NODE, "127.0.0.1")
        for runner in self.runners:
            await runner.start()

    def free_runner(self) -> StageRunner | None:
        """Return a runner without a session, if there is one."""
        free = [runner for runner in self.runners if not runner.is_busy]
        return None if self.is_killed or not free else free[0]

    def kill(self) -> None:
        """Cut all links without a word, and take no session any more."""
        self.is_killed = True
        for link in list(self.links._links):
            assert link._transport is not None
            link._transport.abort()

    async def aclose(self) -> None:
        """End links and threads."""
        await self.links.aclose()
        for runner in self.runners:
            await runner.aclose()


class LocalLease:
    """A place on a local replica."""

    def __init__(self, replica: str, endpoint: StageEndpoint, leases: "LocalLeases") -> None:
        self.replica = replica
        self._endpoint = endpoint
        self._leases = leases
        self._link: FrameLink | None = None

    @property
    def link(self) -> FrameLink:
        """The open link."""
        assert self._link is not None
        return self._link

    async def open(
        self, where: LocalReplica, spec: StageSpec, parameters: Mapping[str, Any],
        listener: LinkListener,
    ) -> None:  # fmt: skip
        """Begin the run and connect to it."""
        token = await self._endpoint.open(parameters, input_mode=spec.input_mode)
        self._link = await connect_link(where.address, token=token, node_id=NODE, listener=listener)

    async def release(self) -> None:
        """Close the link and end the run."""
        if self._link is not None:
            self._link.close("released")
        await self._endpoint.aclose()
        self._leases.held.discard(self)


class LocalLeases:
    """Places stages on the first local replica that is free. Use it as ``async with``.

    Attributes:
        held: The leases that were not released.
        granted: Set once a place has been given.
        asked: Every stage that a place was asked for, with its initial parameters.
    """

    def __init__(self, *replicas: LocalReplica) -> None:
        self.replicas: Sequence[LocalReplica] = replicas
        self.held: set[LocalLease] = set()
        self.granted = asyncio.Event()
        self.asked: list[tuple[StageSpec, dict[str, Any]]] = []

    async def __aenter__(self) -> Self:
        for replica in self.replicas:
            await replica.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for replica in self.replicas:
            await replica.aclose()

    async def acquire(
        self,
        spec: StageSpec,
        parameters: Mapping[str, Any],
        listener: LinkListener,
        *,
        is_recovery: bool,
    ) -> StageLease:
        """Reserve a place and connect to it."""
        self.asked.append((spec, dict(parameters)))
        for replica in self.replicas:
            runner = replica.free_runner()
            if replica.pipeline_id == spec.pipeline_id and runner is not None:
                lease = LocalLease(replica.name, StageEndpoint(runner, replica.links), self)
                self.held.add(lease)
                try:
                    await lease.open(replica, spec, parameters, listener)
                except BaseException:
                    await lease.release()
                    raise
                self.granted.set()
                return lease
        raise CapacityError(f"no replica of pipeline {spec.pipeline_id!r} is free")

    def serving(self) -> LocalReplica:
        """Return the first replica that serves a session."""
        return next(
            each
            for each in self.replicas
            if not each.is_killed and any(runner.is_busy for runner in each.runners)
        )
