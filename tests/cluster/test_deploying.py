"""What deploying, failing and dying do to the sessions of others."""

import asyncio
import os
import signal

import httpx
import pytest

from scope_serve.client.errors import ServerResponseError
from scope_serve.serving import ray_adapter
from tests.cluster.local_serve import application, serve_config
from tests.cluster.streams import message, session, shown

GRAY = application("gray", sessions_per_replica=1)
EXPLODES = application("explodes", load_params={"is_lit": False})
CONFIG = serve_config(GRAY, EXPLODES)
GONE_WITHIN_S = 15.0


async def test_adding_a_pipeline_leaves_processes_and_streams_of_others_alone(serve):
    before = {name: serve.replica_pids(name) for name in ("gateway", "gray")}
    async with session(serve.url, "gray") as opened:
        await shown(opened, 3)
        added = application("passthrough")
        await asyncio.to_thread(serve.deploy, serve_config(GRAY, EXPLODES, added))
        assert {name: serve.replica_pids(name) for name in before} == before
        assert len(await shown(opened, 10)) == 10
        (running,) = await serve.sessions()
    assert running["state"] == "active"
    async with session(serve.url, "passthrough") as opened:
        assert len(await shown(opened, 4)) == 4


async def test_removing_a_pipeline_takes_it_off_the_list(serve):
    await asyncio.to_thread(serve.deploy, serve_config(GRAY, EXPLODES, application("passthrough")))
    await asyncio.to_thread(serve.deploy, serve_config(GRAY, EXPLODES))
    async with httpx.AsyncClient(base_url=serve.url, trust_env=False) as client:
        async with asyncio.timeout(GONE_WITHIN_S):
            while "passthrough" in (await client.get("/pipelines")).json()["pipelines"]:
                pass


async def test_a_constructor_that_fails_is_told_with_its_own_words(serve):
    with pytest.raises(ServerResponseError, match="powder room") as refused:
        async with session(serve.url, "explodes", is_lit=True):
            pass
    assert (refused.value.status, refused.value.server_code) == (500, "pipeline_load_failed")
    async with session(serve.url, "explodes") as opened:
        assert len(await shown(opened, 3)) == 3


async def test_a_deployment_that_failed_answers_503_with_the_reason(serve):
    broken = application("explodes")
    with pytest.raises(Exception, match="powder room"):
        await asyncio.to_thread(serve.deploy, serve_config(GRAY, broken))
    with pytest.raises(ServerResponseError, match="powder room") as refused:
        async with session(serve.url, "explodes"):
            pass
    assert (refused.value.status, refused.value.server_code) == (503, "pipeline_unavailable")
    async with session(serve.url, "gray") as opened:
        assert len(await shown(opened, 3)) == 3
    await asyncio.to_thread(serve.deploy, CONFIG)


async def test_an_offer_waits_for_a_replica_that_is_being_replaced(serve):
    (pid,) = serve.replica_pids("gray").values()
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(GONE_WITHIN_S):
        while (await ray_adapter.status()).applications["gray"].status != "UNHEALTHY":
            pass
    async with session(serve.url, "gray") as opened:
        assert len(await shown(opened, 3)) == 3


async def test_killing_the_ingress_ends_no_session(serve):
    async with session(serve.url, "gray") as opened:
        await shown(opened, 3)
        (ingress,) = serve.replica_pids("gateway", "Ingress").values()
        os.kill(ingress, signal.SIGKILL)
        assert len(await shown(opened, 60)) == 60
        (running,) = await serve.sessions()
        assert running["state"] == "active"


async def test_killing_a_session_host_frees_its_places(serve):
    async with session(serve.url, "gray") as opened:
        await shown(opened, 3)
        (host,) = serve.replica_pids("gateway", "SessionHost").values()
        os.kill(host, signal.SIGKILL)
    async with asyncio.timeout(60):
        while not await _streams(serve):
            pass


async def test_a_stage_without_another_replica_waits_for_its_replacement(serve):
    async with session(serve.url, "gray") as opened:
        await shown(opened, 3)
        (pid,) = serve.replica_pids("gray").values()
        os.kill(pid, signal.SIGKILL)
        recovered = await message(opened, "session_recovered")
        assert recovered["gap_ms"] > 0
        assert len(await shown(opened, 5)) == 5


async def _streams(serve):
    try:
        async with session(serve.url, "gray") as opened:
            return len(await shown(opened, 3)) == 3
    except ServerResponseError:
        return False
