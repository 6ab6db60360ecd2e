"""Hosted sessions with real peers on both sides, on loopback."""

import asyncio
import contextlib
import json
import re

import pytest
from aiortc import RTCRtpSender

from scope_serve.api.gateway import SessionRequest
from scope_serve.api.wire import Candidate
from scope_serve.errors import InvalidCandidateError, InvalidOfferError, PipelineCallError
from scope_serve.pipelines.builtin import test_pattern
from scope_serve.pipelines.builtin.gray import GrayPipeline
from scope_serve.sessions.chain import ChainNode
from scope_serve.webrtc.ice import notice_vanished_clients
from tests.integration.sessions.session_pipelines import Dimmer
from tests.integration.webrtc.caller import TIMEOUT_S, Caller, Colour
from tests.integration.webrtc.hosting import LocalGateway

RED, GRAY_RED, BLUE = (255, 0, 0), (76, 76, 76), (0, 0, 255)


def directions(sdp):
    """Return kind and direction of every media section."""
    sections = re.split(r"(?=^m=)", sdp, flags=re.MULTILINE)[1:]
    pattern = r"^a=(sendrecv|sendonly|recvonly|inactive)"
    found = [re.search(pattern, section, re.MULTILINE) for section in sections]
    return [
        (section[2:].split()[0], match and match[1])
        for section, match in zip(sections, found, strict=True)
    ]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_video_goes_through_the_chain(codec):
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        caller.add_video()
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        wanted = [each for each in capabilities if each.mimeType == f"video/{codec}"]
        caller.pc.getTransceivers()[0].setCodecPreferences(wanted)
        answer = await caller.call(gateway, "gray")
        assert directions(answer) == [("video", "sendrecv")]
        assert await caller.picture(GRAY_RED)


async def test_a_client_that_only_receives_gets_text_mode():
    async with LocalGateway(test_pattern.TestPatternPipeline) as gateway, Caller() as caller:
        answer = await caller.add_video("recvonly").call(
            gateway, "test-pattern", width=128, height=96
        )
        assert directions(answer) == [("video", "sendonly")]
        assert (await caller.picture(size=(128, 96))).pts is not None


async def test_a_client_without_a_track_may_offer_to_send():
    async with LocalGateway(Dimmer) as gateway, Caller() as caller:
        await caller.add_video("sendrecv").call(gateway, "dimmer", input_mode="text")
        assert await caller.picture((128, 128, 128))


async def test_sections_that_nobody_serves_are_answered_as_inactive():
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        caller.add_video()
        caller.pc.addTransceiver("audio", direction="recvonly")
        caller.pc.addTransceiver("video", direction="recvonly")
        caller.pc.addTransceiver("video", direction="sendonly")
        answer = await caller.call(gateway, "gray")
        assert directions(answer)[1:] == [("audio", "inactive")] + [("video", "inactive")] * 2
        assert await caller.picture(GRAY_RED)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_the_size_of_the_input_may_change(codec):
    track = Colour(RED, (128, 96))
    async with LocalGateway(GrayPipeline) as gateway, Caller(track) as caller:
        caller.add_video()
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        wanted = [each for each in capabilities if each.mimeType == f"video/{codec}"]
        caller.pc.getTransceivers()[0].setCodecPreferences(wanted)
        await caller.call(gateway, "gray")
        await caller.picture(GRAY_RED, (128, 96))
        track.size, track.rgb = (192, 160), BLUE
        assert await caller.picture((29, 29, 29), (192, 160))


async def test_odd_pictures_reach_an_h264_client():
    async with LocalGateway(test_pattern.TestPatternPipeline) as gateway, Caller() as caller:
        caller.add_video("recvonly")
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        h264 = [each for each in capabilities if each.mimeType == "video/H264"]
        caller.pc.getTransceivers()[0].setCodecPreferences(h264)
        await caller.call(gateway, "test-pattern", width=129, height=97)
        assert await caller.picture(size=(130, 98))


async def test_parameters_and_statistics_travel_on_the_data_channel():
    async with LocalGateway(Dimmer) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        stats = await caller.message("session_stats")
        assert stats["state"] == "active"
        caller.channel.send(json.dumps({"gain": 0.5}))
        assert await caller.picture((128, 0, 0))
        caller.channel.send(json.dumps({"gain": "loud"}))
        assert (await caller.message("error"))["field"] == "gain"
        caller.channel.send("nonsense")
        assert (await caller.message("error"))["code"] == "invalid_message"


async def test_the_last_value_of_a_flood_counts():
    async with LocalGateway(Dimmer) as gateway, Caller(Colour((255, 255, 255))) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        await caller.message("session_stats")
        for number in range(300):
            caller.channel.send(json.dumps({"gain": number % 7 / 7}))
        caller.channel.send(json.dumps({"gain": 0.5}))
        assert await caller.picture((128, 128, 128))


async def test_a_client_that_takes_no_answers_costs_no_memory():
    async with LocalGateway(Dimmer) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        await caller.message("session_stats")
        peer = gateway.sessions[caller.session_id]._peer
        for _ in range(100):
            peer.send({"type": "error", "message": "x" * 30_000})
        assert peer._channel.bufferedAmount < 2 << 20
        assert peer.messages_dropped > 0


async def test_a_second_channel_works_and_answers_come_on_the_first():
    async with LocalGateway(Dimmer) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        await caller.message("session_stats")
        first = caller.messages
        caller.messages = asyncio.Queue()
        second = caller.pc.createDataChannel("late")
        second.on("open", lambda: second.send(json.dumps({"gain": 7})))
        caller.messages = first
        assert (await caller.message("error"))["field"] == "gain"


async def test_a_client_without_a_data_channel_gets_video():
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().call(gateway, "gray")
        assert await caller.picture(GRAY_RED)


async def test_the_death_of_a_replica_is_told_and_pictures_go_on():
    async with LocalGateway(Dimmer, replicas=2) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        await caller.picture((254, 0, 0))
        gateway.leases.serving().kill()
        await caller.message("session_recovering")
        assert (await caller.message("session_recovered"))["gap_ms"] > 0
        caller.track.rgb = BLUE
        assert await caller.picture(BLUE)


async def test_the_end_of_the_stream_is_told_before_the_connection_closes():
    async with LocalGateway(Dimmer) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        await caller.picture((254, 0, 0))
        gateway.leases.serving().kill()
        assert (await caller.message("stream_stopped"))["code"] == "stage_lost"
        assert await gateway.ended.get() == (caller.session_id, "a stage cannot go on")
        assert gateway.ended.empty()


async def test_a_stopped_session_says_so():
    async with LocalGateway(Dimmer) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "dimmer")
        await caller.message("session_stats")
        await gateway.sessions[caller.session_id].stop("maintenance")
        stopped = await caller.message("stream_stopped")
        assert (stopped["code"], stopped["error_message"]) == ("server_stopped", "maintenance")


@pytest.mark.parametrize(
    "sdp",
    ["", "nonsense", "v=0\r\n", "m=video", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"],
)
async def test_a_bad_offer_is_refused_and_holds_nothing(sdp):
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        with pytest.raises(InvalidOfferError):
            await caller.call(gateway, "gray", sdp=sdp or " ")
        assert gateway.leases.asked == []


async def test_an_offer_without_video_is_refused():
    async with LocalGateway(GrayPipeline) as gateway, Caller() as caller:
        with pytest.raises(InvalidOfferError, match="no video section"):
            await caller.open_channel().call(gateway, "gray")


async def test_an_offer_of_too_many_sections_is_refused():
    async with LocalGateway(GrayPipeline) as gateway, Caller() as caller:
        sdp = await caller.add_video().offer()
        section = sdp[sdp.index("m=video") :]
        with pytest.raises(InvalidOfferError, match="too long"):
            await caller.call(gateway, "gray", sdp=sdp + section * 40)


async def test_any_line_of_an_offer_may_be_missing_or_broken():
    async with Caller(Colour(RED)) as caller:
        lines = (await caller.add_video().open_channel().offer()).splitlines()
    async with LocalGateway(Dimmer) as gateway:
        for number, line in enumerate(lines):
            for instead in ([], [line[: len(line) // 2]], [line.replace("=", "=x", 1)]):
                sdp = "\r\n".join([*lines[:number], *instead, *lines[number + 1 :], ""])
                with contextlib.suppress(InvalidOfferError):
                    answer = await gateway.open_session(
                        SessionRequest(sdp, (ChainNode("dimmer", "dimmer"),), "text", {})
                    )
                    await gateway.close_session(answer.session_id)
                assert not gateway.leases.held, line


async def test_a_stage_that_always_fails_ends_the_session_before_or_after_the_answer():
    async with LocalGateway(Dimmer) as gateway, Caller() as caller:
        with contextlib.suppress(PipelineCallError):
            await caller.add_video().call(gateway, "dimmer", input_mode="text", gain=0.125)
            await asyncio.wait_for(gateway.ended.get(), TIMEOUT_S)
        assert not gateway.sessions


async def test_an_offer_without_candidates_is_completed_by_trickled_ones():
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        lines = (await caller.add_video().offer()).splitlines(keepends=True)
        found = [line.strip() for line in lines if line.startswith("a=candidate:")]
        bare = [line for line in lines if not re.match("a=(candidate|end-of-candidates)", line)]
        await caller.call(gateway, "gray", sdp="".join(bare))
        for line in found:
            trickled = Candidate(candidate=line.removeprefix("a="), sdp_mid="0")
            await gateway.add_candidates(caller.session_id, [trickled])
        await gateway.add_candidates(caller.session_id, [Candidate(candidate="", sdp_mid="0")])
        assert await caller.picture(GRAY_RED)


async def test_candidates_are_bounded_and_checked():
    line = "1 1 udp 2130706431 192.0.2.7 {} typ host"
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().call(gateway, "gray")
        with pytest.raises(InvalidCandidateError):
            await gateway.add_candidates(caller.session_id, [Candidate(candidate="x", sdp_mid="0")])
        many = [Candidate(candidate=line.format(port), sdp_mid="9") for port in range(1, 300)]
        with pytest.raises(InvalidCandidateError, match="more than 256"):
            await gateway.add_candidates(caller.session_id, many)


async def test_a_client_that_hangs_up_ends_the_session_at_once():
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().call(gateway, "gray")
        await caller.picture(GRAY_RED)
        await caller.pc.close()
        session_id, reason = await asyncio.wait_for(gateway.ended.get(), 2)
        assert (session_id, "client" in reason) == (caller.session_id, True)


async def test_a_client_that_vanishes_is_noticed_within_ten_seconds(consent):
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        notice_vanished_clients()
        await caller.add_video().call(gateway, "gray")
        await caller.picture(GRAY_RED)
        caller.vanish()
        session_id, reason = await asyncio.wait_for(gateway.ended.get(), 10)
        assert (session_id, "client" in reason) == (caller.session_id, True)


@pytest.fixture
def consent():
    """Give the other tests of this process back what aioice had."""
    from aioice import ice

    before = ice.CONSENT_INTERVAL, ice.CONSENT_FAILURES
    yield
    ice.CONSENT_INTERVAL, ice.CONSENT_FAILURES = before


async def test_closing_goes_on_when_the_caller_is_cancelled():
    async with LocalGateway(GrayPipeline) as gateway, Caller(Colour(RED)) as caller:
        await caller.add_video().open_channel().call(gateway, "gray")
        await caller.picture(GRAY_RED)
        hosted = gateway.sessions.pop(caller.session_id)
        closing = asyncio.ensure_future(hosted.aclose("over"))
        await asyncio.wait([closing], timeout=0)
        closing.cancel()
        await asyncio.wait_for(hosted.ended.wait(), TIMEOUT_S)
        assert not gateway.leases.held
        await hosted.aclose("again")


async def test_a_session_that_is_closed_while_it_starts_holds_nothing():
    async with LocalGateway(Dimmer) as gateway, Caller() as caller:
        opening = asyncio.ensure_future(
            caller.add_video().call(gateway, "dimmer", model_name="other", input_mode="text")
        )
        await asyncio.wait([opening], timeout=0.02)
        opening.cancel()
        await asyncio.wait([opening])
        assert not gateway.leases.held
