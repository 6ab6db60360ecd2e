"""Our own client through HTTP, signalling, WebRTC, links and stages, without Ray."""

import asyncio

import pytest

from scope_serve.client import ScopeClient, ServerResponseError, TestPatternSource
from scope_serve.client.latency import pair
from scope_serve.client.pictures import TestPattern
from scope_serve.pipelines.builtin import test_pattern
from scope_serve.pipelines.builtin.gray import GrayPipeline
from tests.integration.sessions.session_pipelines import Dimmer
from tests.integration.webrtc.hosting import served


async def take(session, count):
    frames = []
    async for received in session.timed_frames():
        frames.append(received)
        if len(frames) == count:
            break
    return frames


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_the_clients_pictures_come_back_gray(codec):
    source = TestPatternSource(TestPattern(320, 180))
    async with served(GrayPipeline) as (gateway, url), ScopeClient(url) as client:
        session = await client.connect(pipeline_ids=["gray"], video=source, codec=codec)
        async with session:
            received = await take(session, 20)
            assert session.id in gateway.sessions
        assert not gateway.sessions
    assert all(pair(each, source.sent) is not None for each in received)
    chroma = received[-1].picture.to_ndarray(format="yuv420p")[180:]
    assert abs(chroma.mean() - 128) < 2


async def test_text_mode_needs_no_video():
    async with served(test_pattern.TestPatternPipeline) as (_, url), ScopeClient(url) as client:
        session = await client.connect(pipeline_ids=["test-pattern"])
        assert len(await take(session, 5)) == 5


async def test_two_clients_at_once_get_their_own_pictures():
    async def levels(client, gain):
        parameters = {"gain": gain}
        async with await client.connect(pipeline_ids=["dimmer"], parameters=parameters) as session:
            found = await take(session, 20)
        return {round(each.picture.to_ndarray(format="rgb24").mean() / 32) for each in found}

    async with served(Dimmer, replicas=2) as (_, url), ScopeClient(url) as client:
        both = await asyncio.gather(levels(client, 1.0), levels(client, 0.5))
    assert both == [{4}, {2}]


async def test_a_full_server_says_so():
    async with served(Dimmer) as (_, url), ScopeClient(url) as client:
        await client.connect(pipeline_ids=["dimmer"])
        with pytest.raises(ServerResponseError, match="no replica") as caught:
            await client.connect(pipeline_ids=["dimmer"])
    assert (caught.value.status, caught.value.server_code) == (503, "no_capacity")
