"""Leases on the pipeline objects of one replica, without Ray."""

import asyncio
import contextlib

import pytest_asyncio

from scope_serve.frames import I420Frame
from scope_serve.links.client import connect_link
from scope_serve.links.messages import FrameMessage
from scope_serve.serving.lease_request import LeaseRequest
from scope_serve.serving.stage_pool import StagePool
from tests.integration.stages.stage_pipelines import TIMEOUT_S, Gate, StubPipeline

NODE = "this machine"
REQUEST = LeaseRequest(input_mode="video", parameters={})
GATE = Gate()


class GatedPipeline(StubPipeline):
    """Stays in its call until the test lets it go on."""

    def make(self, **kwargs):
        GATE.wait_here()
        return super().make(**kwargs)


class Listener:
    def message_received(self, message):
        pass

    def link_closed(self, reason):
        pass


@pytest_asyncio.fixture
async def pool():
    made = StagePool(f"{__name__}:GatedPipeline", {}, 1)
    made.address = await made.start(NODE, "127.0.0.1")
    yield made
    await made.aclose()


async def test_a_session_waits_for_the_call_that_the_one_before_it_left_behind(pool):
    before = pool.lease(REQUEST)
    token = (await anext(before))["token"]
    link = await connect_link(pool.address, token=token, node_id=NODE, listener=Listener())
    link.send(FrameMessage(I420Frame(bytes(16 * 16 * 3 // 2), 16, 16)))
    await asyncio.to_thread(GATE.wait_until_reached)
    leaving = asyncio.create_task(before.aclose())
    following = pool.lease(REQUEST)
    arriving = asyncio.create_task(anext(following))
    done, _ = await asyncio.wait([leaving, arriving], timeout=0.1)
    assert not done
    GATE.let_go()
    async with asyncio.timeout(TIMEOUT_S):
        await leaving
        assert "token" in await arriving
    await following.aclose()


async def test_the_end_of_a_lease_is_not_cut_short(pool):
    """Serve cancels a call a second time while it ends."""
    granted = asyncio.get_running_loop().create_future()
    before = asyncio.create_task(hold(pool, granted))
    link = await connect_link(pool.address, token=await granted, node_id=NODE, listener=Listener())
    link.send(FrameMessage(I420Frame(bytes(16 * 16 * 3 // 2), 16, 16)))
    await asyncio.to_thread(GATE.wait_until_reached)
    for _ in range(2):
        before.cancel()
        await asyncio.wait([before], timeout=0.1)
    following = pool.lease(REQUEST)
    arriving = asyncio.create_task(anext(following))
    await asyncio.wait([arriving], timeout=0.1)
    GATE.let_go()
    async with asyncio.timeout(TIMEOUT_S):
        assert "token" in await arriving
    await following.aclose()


async def hold(pool, granted):
    async with contextlib.aclosing(pool.lease(REQUEST)) as events:
        async for event in events:
            granted.set_result(event["token"])
