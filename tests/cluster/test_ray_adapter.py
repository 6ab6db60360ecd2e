"""What this package takes for granted of Ray Serve beyond its public API."""

import asyncio
import importlib

import pytest
import ray
from ray.serve import get_deployment_handle

from scope_serve.errors import ReplicaGoneError
from scope_serve.serving import ray_adapter
from scope_serve.serving.routers import PIN
from tests.cluster.local_serve import application, serve_config

TICKER = {"name": "ticker", "route_prefix": None, "import_path": "scope_probes:ticker"}
CONFIG = serve_config(application("gray"), TICKER)


async def test_records_are_kept_by_the_cluster(serve):
    ray_adapter.put_record("test/one", b"1")
    ray_adapter.put_record("test/one", b"2")
    ray_adapter.put_record("other", b"3")
    assert await ray_adapter.records("test/") == {"test/one": b"2"}


async def test_the_address_of_the_api_is_known(serve):
    host, port = ray_adapter.http_address()
    assert serve.url == f"http://{host}:{port}"


async def test_the_state_of_applications_is_known(serve):
    assert ray_adapter.deployed_applications() == {"gateway", "gray", "ticker"}
    status = await ray_adapter.status()
    gray = status.applications["gray"].deployments["pipeline-gray"]
    assert ray_adapter.running_replicas(gray) == 1
    assert ray_adapter.running_replicas(None) == 0


async def test_a_call_ends_when_the_process_of_its_caller_is_killed(serve):
    """On Ray's default transport it would run on for ever, and hold its place."""
    count = get_deployment_handle("Ticker", "ticker").count
    listener = importlib.import_module("scope_probes").Listener.remote()
    listening = listener.listen.remote()
    async with asyncio.timeout(20):
        while await count.remote() == 0 and not listening.future().done():
            pass
    ray.kill(listener)
    async with asyncio.timeout(5):
        while await count.remote() > 0:
            pass


async def test_a_call_ends_when_its_caller_stops_listening(serve):
    handle = get_deployment_handle("Ticker", "ticker")
    stream = ray_adapter.stream(ray_adapter.over_grpc(handle, stream=True).ticks.remote())
    assert await anext(stream) == 1
    await stream.aclose()
    async with asyncio.timeout(5):
        while await handle.count.remote() > 0:
            pass


async def test_a_call_pinned_to_a_replica_that_is_gone_fails_at_once(serve):
    hosts = get_deployment_handle("SessionHost", "gateway")
    with pytest.raises(ReplicaGoneError, match="nobody"):
        async with asyncio.timeout(5):
            await hosts.options(session_id=f"{PIN}nobody").describe_sessions.remote()


async def test_a_call_pinned_to_a_replica_reaches_it(serve):
    (name,) = serve.replica_pids("gateway", "SessionHost")
    hosts = get_deployment_handle("SessionHost", "gateway")
    assert await hosts.options(session_id=f"{PIN}{name}").describe_sessions.remote() == []
