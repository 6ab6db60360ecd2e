"""The client against a real server on loopback: HTTP, ICE, DTLS, codecs."""

import asyncio
import socket

import pytest

from scope_serve.client import (
    ClientUsageError,
    ConnectFailedError,
    ScopeClient,
    ServerResponseError,
    ServerUnreachableError,
    SessionClosedError,
    StreamStoppedError,
    TestPatternSource,
)
from scope_serve.client.latency import pair
from scope_serve.client.pictures import TestPattern
from tests.scope_server import ScopeServer

PATTERN = TestPattern(320, 180)


async def take(session, count):
    frames = []
    async for received in session.timed_frames():
        frames.append(received)
        if len(frames) == count:
            break
    return frames


async def message_of(session, kind):
    async for message in session.messages():
        if message["type"] == kind:
            return message
    raise AssertionError(kind)


async def test_discovery():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        assert (await client.health())["status"] == "healthy"
        assert "gray" in await client.pipelines()
        assert await client.ice_servers() == ()


@pytest.mark.parametrize("codec", ["VP8", "H264", None])
async def test_pictures_come_back_with_their_numbers(codec):
    source = TestPatternSource(PATTERN)
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["invert"], video=source, codec=codec)
        async with session:
            pairings = [pair(received, source.sent) for received in await take(session, 10)]
        timings = session.timings
    assert all(pairing is not None and pairing.inverted for pairing in pairings)
    assert all(0 < pairing.latency_ms < 2000 for pairing in pairings)
    assert 0 < timings.answer_s < timings.connected_s < timings.first_frame_s
    assert server.ended == [session.id]


async def test_the_offer_says_what_scopes_web_page_says():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"], parameters={"x": 1, "y": None})
        async with session:
            assert await take(session, 3)
    parameters = server.opened[0]
    assert (parameters.chain, parameters.parameters) == (["noise"], {"x": 1})


async def test_parameters_reach_the_server_in_order():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"])
        async with session:
            await session.send_parameters({"a": 1})
            await session.send_parameters({"a": 2})
            echoes = [await message_of(session, "parameters_updated") for _ in range(2)]
    assert [echo["parameters"] for echo in echoes] == [{"a": 1}, {"a": 2}]
    assert server.opened[0].received == [{"a": 1}, {"a": 2}]


async def test_refused_parameters_are_a_message_and_not_the_end():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"])
        async with session:
            await session.send_parameters({"intensity": 7})
            message = await message_of(session, "error")
            assert message["field"] == "intensity"
            assert await take(session, 3)


async def test_messages_of_unknown_types_are_passed_on():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"])
        async with session:
            assert (await message_of(session, "tempo_update"))["bpm"] == 120


async def test_the_servers_stats_are_kept():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"])
        async with session:
            await message_of(session, "session_stats")
            assert session.stats.server["latency_ms"]["p50"] == 7.5


async def test_a_stop_with_a_reason_raises_it_everywhere():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        source = TestPatternSource(PATTERN)
        session = await client.connect(pipeline_ids=["breaks"], video=source)
        async with session:
            with pytest.raises(StreamStoppedError, match="CUDA ran out of memory"):
                await take(session, 1000)
            with pytest.raises(StreamStoppedError, match="CUDA ran out of memory"):
                await session.wait_closed()


async def test_an_ordinary_stop_ends_the_iteration():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        source = TestPatternSource(PATTERN)
        session = await client.connect(pipeline_ids=["quits"], video=source)
        async with session:
            assert await take(session, 1000)
            await session.wait_closed()
            with pytest.raises(SessionClosedError):
                await session.send_parameters({"a": 1})


async def test_a_server_that_closes_without_a_word_ends_the_session():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"])
        async with session:
            await take(session, 3)
            await server.end(session.id)
            await session.wait_closed()


async def test_closing_twice_and_at_once_ends_the_session_once():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        session = await client.connect(pipeline_ids=["noise"])
        await asyncio.gather(session.aclose(), session.aclose())
        await session.aclose()
    assert server.ended == [session.id]


async def test_a_server_that_is_gone_does_not_keep_a_session_from_closing():
    async with ScopeServer() as server:
        client = ScopeClient(server.url)
        session = await client.connect(pipeline_ids=["noise"])
        await take(session, 1)
    await session.aclose()
    await client.aclose()
    assert session.is_over


async def test_a_client_that_closes_ends_its_sessions():
    async with ScopeServer() as server:
        async with ScopeClient(server.url) as client:
            session = await client.connect(pipeline_ids=["noise"])
        assert server.ended == [session.id]


async def test_an_answer_that_is_no_sdp_is_reported_and_the_session_ended():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        with pytest.raises(ConnectFailedError, match="the server's answer cannot be used"):
            await client.connect(pipeline_ids=["garbled"])
    assert len(server.ended) == 1


async def test_a_server_error_carries_code_sentence_and_status():
    source = TestPatternSource(PATTERN)
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        with pytest.raises(ServerResponseError, match="every place of 'full' is taken") as caught:
            await client.connect(pipeline_ids=["full"], video=source)
    assert (caught.value.status, caught.value.server_code) == (503, "no_capacity")


async def test_a_validation_error_is_readable():
    async with ScopeServer() as server, ScopeClient(server.url) as client:
        with pytest.raises(ServerResponseError, match=r"body|initialParameters") as caught:
            await client.connect(pipeline_ids=[3])  # type: ignore[list-item]
    assert caught.value.status == 422
    assert "initialParameters.pipeline_ids.0: Input should be a valid string" in str(caught.value)


async def test_a_refused_connection_names_the_url():
    async with ScopeClient("http://127.0.0.1:1") as client:
        with pytest.raises(
            ServerUnreachableError, match=r"http://127\.0\.0\.1:1 .*scope-serve run"
        ):
            await client.pipelines()


async def test_a_server_that_does_not_answer_in_time_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with ScopeClient(url) as client:
            with pytest.raises(ConnectFailedError, match=r"no connection to .* within 0\.2 s"):
                await client.connect(pipeline_ids=["noise"], timeout_s=0.2)
            with pytest.raises(ConnectFailedError, match=r"did not answer .* within 0\.2 s"):
                await client._request("GET", "/health", timeout_s=0.2)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", ""])
async def test_what_is_no_url_is_refused(url):
    with pytest.raises(ClientUsageError, match="http://host:port"):
        ScopeClient(url)
