"""The same config through Ray's own tool and through ours, on a cluster that runs already.

The cluster is started by ``ray start``, as an admin would, beside one that this process starts:
two clusters of one user on one machine.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
import yaml

from tests.cluster.local_serve import application, free_port, serve_config
from tests.cluster.streams import grayed, mean_error, sent, session, shown

BIN = Path(sys.executable).parent
GRAY = application("gray")
CONFIG = serve_config(application("passthrough"))
STARTED = "Ray runtime started"
ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "PYTHONUNBUFFERED": "1"}


class AdminCluster:
    """A Ray cluster started by ``ray start``, its ports and the config to deploy on it."""

    def __init__(self, folder):
        self.port, self.dashboard_port, self.http_port = free_port(), free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://127.0.0.1:{self.http_port}"
        self._folder = Path(folder)
        self._client_port = free_port()

    def write(self, name, *pipelines):
        config = serve_config(*pipelines)
        config["applications"][0]["deployments"] = [placed("SessionHost", "near")]
        config["http_options"] = {"host": "127.0.0.1", "port": self.http_port}
        path = self._folder / name
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return str(path)

    def run(self, *command, expected=0):
        done = subprocess.run(
            [BIN / command[0], *command[1:]], capture_output=True, text=True, check=False,
            timeout=90, env={**os.environ, **ENVIRONMENT},
        )  # fmt: skip
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextlib.contextmanager
    def running(self):
        """Start two nodes, with the resources ``near`` (the head) and ``far``."""
        head = [
            "--head", '--resources={"near": 1}', f"--port={self.port}",
            f"--dashboard-port={self.dashboard_port}",
            f"--ray-client-server-port={self._client_port}", f"--temp-dir={self._folder / 'r'}",
        ]  # fmt: skip
        with node(*head), node(f"--address={self.address}", '--resources={"far": 1}'):
            yield self


@contextlib.contextmanager
def node(*options):
    """Run one node of a Ray cluster until the block ends."""
    process = subprocess.Popen(
        [BIN / "ray", "start", "--block", "--disable-usage-stats", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, **ENVIRONMENT},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any(STARTED in line for line in process.stdout)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def admin(serve):
    """Start the admin's cluster while the module's own one runs."""
    assert serve.replica_pids("passthrough")
    with (
        tempfile.TemporaryDirectory(prefix="ray-") as folder,
        AdminCluster(folder).running() as cluster,
    ):
        yield cluster


async def test_the_config_deploys_with_serve_deploy_and_again_with_ours(serve, admin):
    path = admin.write("one.yaml", GRAY)
    dashboard = f"http://127.0.0.1:{admin.dashboard_port}"
    await asyncio.to_thread(admin.run, "serve", "deploy", "-a", dashboard, path)
    told = await asyncio.to_thread(
        admin.run, "scope-serve", "deploy", path, "--address", admin.address
    )
    assert admin.url in told
    async with session(admin.url, "gray") as opened:
        assert len(await shown(opened, 3)) == 3
    async with session(serve.url, "passthrough") as opened:
        assert len(await shown(opened, 4)) == 4


async def test_pictures_cross_from_one_node_to_another(admin):
    far = application("gray")
    far["deployments"] = [placed("pipeline-gray", "far")]
    path = admin.write("far.yaml", far)
    ours = ("scope-serve", "deploy", path, "--address", admin.address)
    await asyncio.to_thread(admin.run, *ours)
    async with httpx.AsyncClient(trust_env=False) as client:
        route = f"http://127.0.0.1:{admin.dashboard_port}/api/serve/applications/"
        applications = (await client.get(route)).json()["applications"]
    hosts = applications["gateway"]["deployments"]["SessionHost"]
    assert node_of(applications["gray"]["deployments"]["pipeline-gray"]) != node_of(hosts)
    async with session(admin.url, "gray") as opened:
        pictures = [each for each in await shown(opened, 10) if each.number is not None]
    assert max(mean_error(each.rgb, grayed(sent(each.number))) for each in pictures[3:]) < 6


def node_of(deployment):
    (replica,) = [each for each in deployment["replicas"] if each["state"] == "RUNNING"]
    return replica["node_id"]


def placed(deployment, resource):
    """Return an override that puts a deployment on the node with this resource."""
    options = {"num_cpus": 0.1, "resources": {resource: 0.1}}
    return {"name": deployment, "ray_actor_options": options}


async def test_applications_that_the_config_has_not_are_deleted_only_on_request(admin):
    path = admin.write("two.yaml")
    ours = ("scope-serve", "deploy", path, "--address", admin.address)
    refused = await asyncio.to_thread(admin.run, *ours, expected=2)
    assert "'gray'" in refused
    assert "--replace" in refused
    await asyncio.to_thread(admin.run, *ours, "--replace")
    async with httpx.AsyncClient(base_url=admin.url, trust_env=False) as client:
        async with asyncio.timeout(10):
            while "gray" in (await client.get("/pipelines")).json()["pipelines"]:
                pass


async def test_run_on_a_joined_cluster_takes_away_what_it_deployed_and_no_more(admin):
    path = admin.write("three.yaml", GRAY)
    command = [str(BIN / "scope-serve"), "run", path, "--address", admin.address]
    ran = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT},
    )
    assert ran.stdout is not None
    assert "ready in" in (await ran.stdout.readline()).decode()
    ran.send_signal(signal.SIGINT)
    assert await ran.wait() == 0
    dashboard = f"http://127.0.0.1:{admin.dashboard_port}"
    status = yaml.safe_load(admin.run("serve", "status", "-a", dashboard))
    assert status["applications"] == {}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "ray://127.0.0.1:10001"])
def test_an_address_without_a_cluster_is_told_at_once(admin, address):
    path = admin.write("one.yaml", GRAY)
    told = admin.run("scope-serve", "deploy", path, "--address", address, expected=2)
    assert repr(address) in told
    assert "Traceback" not in told
