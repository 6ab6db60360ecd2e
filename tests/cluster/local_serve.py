"""A real Ray cluster with Serve on free ports of this machine, for one test module."""

import asyncio
import os
import re
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from ray.serve import get_deployment_handle

from scope_serve.serving import ray_adapter
from scope_serve.serving.cluster import Cluster
from tests.e2e.server import RunningServer
from tests.plugins_on_path import installed_plugin, write_distribution

PROBES = '''
import asyncio

import ray
from pydantic import Field
from ray import serve

from scope.core import hookimpl
from scope.core.pipelines.base_schema import BasePipelineConfig, ModeDefaults, ui_field_config
from scope.core.pipelines.interface import Pipeline, Requirements
from scope_serve.serving.ray_adapter import over_grpc


class ExplodesConfig(BasePipelineConfig):
    pipeline_id = "explodes"
    modes = {"video": ModeDefaults(default=True)}
    is_lit: bool = Field(default=True, json_schema_extra=ui_field_config(is_load_param=True))


class Explodes(Pipeline):
    """Cannot be made while it is lit."""

    @classmethod
    def get_config_class(cls):
        return ExplodesConfig

    def __init__(self, is_lit=True, **kwargs):
        if is_lit:
            raise RuntimeError("no weights in the powder room")

    def prepare(self, **kwargs):
        return Requirements(input_size=1)

    def __call__(self, video, **kwargs):
        return {"video": video[0]}


@hookimpl
def register_pipelines(register):
    register(Explodes)


@serve.deployment(ray_actor_options={"num_cpus": 0}, max_ongoing_requests=10)
class Ticker:
    """Ticks for whoever listens, and knows how many listen."""

    def __init__(self):
        self.listeners = 0

    async def ticks(self):
        self.listeners += 1
        try:
            while True:
                yield self.listeners
                await asyncio.sleep(0.05)
        finally:
            self.listeners -= 1

    def count(self):
        return self.listeners


ticker = Ticker.bind()


@ray.remote(num_cpus=0)
class Listener:
    """Listens from a process of its own, which can be killed."""

    async def listen(self):
        handle = serve.get_deployment_handle("Ticker", "ticker")
        call = over_grpc(handle, stream=True).ticks.remote()
        async for tick in call:
            self.first = tick
'''
"""A plugin whose pipeline fails in its constructor, unless its load parameter says otherwise, and
a deployment that shows how Serve treats a call whose caller dies."""


def free_port() -> int:
    """Return a port that nobody listens on now, below the range that Ray's workers use."""
    for port in range(9000 + os.getpid() % 500, 10000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _given:
                _given.add(port)
                return port
    raise RuntimeError("no free port below 10000")


_given: set[int] = set()


def application(pipeline: str, **args: Any) -> dict[str, Any]:
    """Return the part of a Serve config that deploys one pipeline."""
    return {
        "name": pipeline,
        "route_prefix": None,
        "import_path": "scope_serve.app:build_pipeline",
        "args": {"pipeline": pipeline, "num_cpus": 0.1, **args},
    }


def serve_config(*pipelines: dict[str, Any], **gateway: Any) -> dict[str, Any]:
    """Return a Serve config with a gateway and ``pipelines``."""
    args = {"num_cpus": 0.1, "admission_timeout_s": 3, **gateway}
    entry = {
        "name": "gateway",
        "route_prefix": "/",
        "import_path": "scope_serve.app:build_gateway",
        "args": args,
    }
    return {"applications": [entry, *pipelines]}


class LocalServe:
    """Runs ``scope-serve run`` on ``config`` and joins its cluster; ends both again.

    The cluster is a process of its own because Ray forks when it starts one, and a process that
    has been connected to another cluster has threads that do not survive a fork. The plugins of
    the test fixtures are importable by every process of the cluster.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._plugins = Path(tempfile.mkdtemp(prefix="probes-"))
        write_distribution(self._plugins, "scope_probes", PROBES)
        self._paths = [str(self._plugins), str(installed_plugin("scope_plugin_invert"))]
        path = self._plugins / "config.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        environment = {"PYTHONPATH": os.pathsep.join(self._paths), "RAY_AUTH_MODE": "disabled"}
        self._server = RunningServer(str(path), environment=environment)
        self._cluster: Cluster | None = None

    @property
    def url(self) -> str:
        """Where the API listens."""
        return self._server.url

    def deploy(self, config: dict[str, Any]) -> None:
        """Deploy another config in place of the current one, and wait until it runs."""
        assert self._cluster is not None
        self._cluster.deploy(config, replaces=True)
        self._cluster.wait_until_running(lambda _: None)

    async def sessions(self) -> list[dict[str, Any]]:
        """Return the state of every session."""
        hosts = get_deployment_handle("SessionHost", "gateway")
        answers = await asyncio.to_thread(hosts.broadcast("describe_sessions").results)
        return [each for answer in answers for each in answer]

    async def until(
        self, is_reached: Callable[[list[dict[str, Any]]], bool], *, timeout_s: float
    ) -> None:
        """Return when the sessions are as wanted."""
        async with asyncio.timeout(timeout_s):
            while not is_reached(await self.sessions()):
                pass

    def replica_pids(self, application_name: str, deployment: str | None = None) -> dict[str, int]:
        """Return the process of every running replica of an application, by replica id."""
        deployments = ray_adapter.application_details()[application_name]["deployments"]
        return {
            replica["replica_id"]: replica["pid"]
            for name, deployment_details in deployments.items()
            if deployment in {None, name}
            for replica in deployment_details["replicas"]
            if replica["state"] == "RUNNING"
        }

    def __enter__(self) -> Self:
        self._server.__enter__()
        sys.path[:0] = self._paths  # this process is a driver of the cluster
        try:
            address = re.search(r"--address (\S+)", self._server.output)
            assert address is not None, self._server.output
            self._cluster = Cluster(
                address=address[1], http_host="127.0.0.1", http_port=8000, dashboard_port=8265
            )
            self._cluster.start()
            asyncio.run(self.sessions())  # Ray's threads for handles start here, not in a test
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._cluster is not None:
            self._cluster.leave()
        for path in self._paths:
            sys.path.remove(path)
        self._server.__exit__(kind, error, trace)
