import asyncio
import time
from contextlib import asynccontextmanager

import pytest
import uvloop

from scope_serve.errors import LinkError
from scope_serve.frames import I420Frame, i420_size_bytes
from scope_serve.links.address import LinkAddress
from scope_serve.links.client import connect_link
from scope_serve.links.connection import Liveness
from scope_serve.links.messages import (
    Acknowledge,
    FrameMessage,
    Hello,
    ParametersMessage,
    encode,
)
from scope_serve.links.server import LinkServer


class Recorder:
    """Keeps what happened on a link."""

    def __init__(self):
        self.messages = asyncio.Queue()
        self.closed = asyncio.get_running_loop().create_future()

    def message_received(self, message):
        self.messages.put_nowait(message)

    def link_closed(self, reason):
        self.closed.set_result(reason)


@asynccontextmanager
async def linked(*, caller_node="node", liveness=None):
    """Yield (caller's link, its recorder, server's link, its recorder)."""
    server = LinkServer(liveness)
    address = await server.start("node", "127.0.0.1")
    theirs, ours = Recorder(), Recorder()
    token, future = server.expect(theirs)
    link = await connect_link(
        address, token=token, node_id=caller_node, listener=ours, liveness=liveness
    )
    try:
        yield link, ours, await future, theirs
    finally:
        link.close("test over")
        await server.aclose()


def picture(value, width=576, height=320):
    return I420Frame(bytes([value]) * i420_size_bytes(width, height), width, height, pts=value)


@pytest.mark.parametrize("caller_node", ["node", "elsewhere"], ids=["unix", "tcp"])
async def test_pictures_and_parameters_travel_both_ways(caller_node):
    async with linked(caller_node=caller_node) as (near, at_near, far, at_far):
        near.offer_frame(picture(7))
        near.send(ParametersMessage({"strength": 0.5}))
        assert await at_far.messages.get() == FrameMessage(picture(7))
        assert await at_far.messages.get() == ParametersMessage({"strength": 0.5})
        far.send(FrameMessage(picture(9), 1, 4))
        assert await at_near.messages.get() == FrameMessage(picture(9), 1, 4)


async def test_the_first_message_after_the_welcome_is_not_lost():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    theirs, ours = Recorder(), Recorder()
    token, future = server.expect(theirs)
    future.add_done_callback(lambda done: done.result().send(Acknowledge(1)))
    link = await connect_link(address, token=token, node_id="node", listener=ours)
    assert await ours.messages.get() == Acknowledge(1)
    link.close("over")
    await server.aclose()


async def test_closing_one_end_tells_the_other_why():
    async with linked() as (near, at_near, _, at_far):
        near.close("the session is over")
        assert await at_far.closed == "the session is over"
        assert await at_near.closed == "the session is over"


async def test_a_wrong_token_is_refused():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    with pytest.raises(LinkError, match="token"):
        await connect_link(address, token="guess", node_id="node", listener=Recorder())
    await server.aclose()


async def test_a_token_is_good_for_one_link():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    token, _ = server.expect(Recorder())
    link = await connect_link(address, token=token, node_id="node", listener=Recorder())
    with pytest.raises(LinkError, match="token"):
        await connect_link(address, token=token, node_id="node", listener=Recorder())
    link.close("over")
    await server.aclose()


async def test_a_guest_that_sends_rubbish_is_cut_off():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    answer = await asyncio.gather(reader.read(), return_exceptions=True)
    assert isinstance(answer[0], bytes | ConnectionResetError)
    writer.close()
    await server.aclose()


async def test_an_address_where_nobody_listens_is_an_error():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    await server.aclose()
    with pytest.raises(LinkError, match="link to"):
        await connect_link(address, token="t", node_id="elsewhere", listener=Recorder())


async def test_silence_closes_the_link():
    server = LinkServer(Liveness(heartbeat_s=0.02, timeout_s=0.1))
    address = await server.start("node", "127.0.0.1")
    theirs = Recorder()
    token, _ = server.expect(theirs)
    # A peer that proves its token and then says nothing more, like a stopped process.
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.writelines(encode(Hello(token)))
    assert "nothing heard" in await theirs.closed
    writer.close()
    await server.aclose()


async def test_heartbeats_keep_an_idle_link_open():
    liveness = Liveness(heartbeat_s=0.01, timeout_s=0.2)
    async with linked(liveness=liveness) as (near, at_near, _, at_far):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(at_far.closed), 0.5)
        near.close("still alive")
        assert await at_near.closed == "still alive"


async def test_a_full_socket_keeps_the_newest_picture_only():
    async with linked() as (near, _, far, at_far):
        far._transport.pause_reading()
        big = [picture(value, 1920, 1080) for value in range(12)]
        for each in big:
            near.offer_frame(each)
        assert near.frames_dropped > 0
        far._transport.resume_reading()
        received = [await at_far.messages.get() for _ in range(len(big) - near.frames_dropped)]
        assert received[-1].frame.pts == 11


async def test_a_token_with_any_letters_is_refused():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    for token in ("é", "\ud800"):
        with pytest.raises(LinkError, match="token"):
            await connect_link(address, token=token, node_id="node", listener=Recorder())
    await server.aclose()


async def test_giving_up_on_the_welcome_closes_the_link():
    gone = asyncio.get_running_loop().create_future()

    async def mute(reader, writer):
        await reader.read()
        writer.close()
        gone.set_result(None)

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    address = LinkAddress(
        node_id="n", unix_name=None, host="127.0.0.1", port=server.sockets[0].getsockname()[1]
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await connect_link(address, token="t", node_id="n", listener=Recorder())
    await asyncio.wait_for(gone, 5)
    server.close()


async def test_closing_the_server_closes_guests():
    server = LinkServer()
    address = await server.start("node", "127.0.0.1")
    reader, writer = await asyncio.open_connection(address.host, address.port)
    await reader.readexactly(1)  # a heartbeat: the server has accepted
    await server.aclose()
    await asyncio.wait_for(reader.read(), 1)
    writer.close()


async def test_a_closed_link_that_nobody_reads_is_cut_in_the_end():
    async with linked() as (near, _, far, at_far):
        far._transport.pause_reading()
        for value in range(12):
            near.send(FrameMessage(picture(value, 1920, 1080)))
        near.close("over")
        lost = asyncio.get_running_loop().create_future()
        near._transport.set_protocol(Lost(lost))
        await asyncio.wait_for(lost, 4)
        far._transport.resume_reading()
        await at_far.closed


class Lost(asyncio.Protocol):
    """Tells when a connection is lost."""

    def __init__(self, lost):
        self.connection_lost = lost.set_result


def test_a_process_that_stood_still_does_not_blame_the_other_side():
    async def stand_still():
        liveness = Liveness(heartbeat_s=0.02, timeout_s=0.2)
        async with linked(liveness=liveness) as (near, _, far, _):
            until_s = time.monotonic() + 0.5
            while time.monotonic() < until_s:
                pass  # the event loop cannot run
            for _ in range(3):
                far.send(ParametersMessage({}))
                near.send(ParametersMessage({}))
                await asyncio.to_thread(lambda: None)
            return near.is_closed, far.is_closed

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(stand_still()) == (False, False)
