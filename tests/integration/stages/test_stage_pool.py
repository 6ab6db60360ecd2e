"""Leases on the pipeline objects of one replica, without Ray."""

import asyncio

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
