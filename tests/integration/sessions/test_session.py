"""Sessions through real stages and real links, in one process."""

import asyncio

import pytest

from scope_serve.errors import CapacityError, ParameterError, PipelineCallError, PipelineLoadError
from scope_serve.pipelines.builtin import test_pattern
from scope_serve.pipelines.builtin.gray import GrayPipeline
from scope_serve.pipelines.builtin.passthrough import PassthroughPipeline
from tests.integration.sessions.live_session import (
    LiveSession,
    colour,
    is_near,
    picture,
    running,
    stage,
)
from tests.integration.sessions.session_pipelines import Dimmer
from tests.local_leases import LocalLeases, LocalReplica

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def gray(rgb):
    return (round(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]),) * 3


async def test_every_picture_comes_out_gray():
    async with (
        LocalLeases(LocalReplica("r", GrayPipeline)) as leases,
        running(leases, stage("gray")) as session,
    ):
        for pts, rgb in enumerate([RED, GREEN, BLUE, WHITE, (10, 200, 90)]):
            out = await session.through(picture(rgb, pts=pts * 3000))
            assert is_near(colour(out), gray(rgb))
            assert out.pts == pts * 3000


async def test_pictures_pass_all_stages_in_order():
    replicas = LocalReplica("a", Dimmer), LocalReplica("b", GrayPipeline)
    async with (
        LocalLeases(*replicas) as leases,
        running(leases, stage("dimmer"), stage("gray"), parameters={"gain": 0.5}) as session,
    ):
        for rgb in [RED, GREEN, WHITE]:
            halved = tuple(value / 2 for value in rgb)
            assert is_near(colour(await session.through(picture(rgb))), gray(halved))


async def test_a_picture_keeps_the_time_it_entered():
    async with (
        LocalLeases(LocalReplica("r", GrayPipeline)) as leases,
        running(leases, stage("gray")) as session,
    ):
        sent = picture(RED)
        assert (await session.through(sent)).entered_ns == sent.entered_ns
        assert session.report()["latency_ms"] > 0


async def test_two_sessions_never_see_each_others_pictures():
    async def pictures_of(session, rgb):
        return [colour(await session.through(picture(rgb, pts=n))) for n in range(60)]

    async with (
        LocalLeases(LocalReplica("r", Dimmer, sessions=2)) as leases,
        running(leases, stage("dimmer"), session_id="one") as one,
        running(leases, stage("dimmer"), session_id="two") as two,
    ):
        red, blue = await asyncio.gather(pictures_of(one, RED), pictures_of(two, BLUE))
    assert all(is_near(each, (254, 0, 0)) for each in red)
    assert all(is_near(each, (0, 0, 255)) for each in blue)


async def test_a_parameter_shows_within_two_pictures():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer")) as session,
    ):
        await session.until((255, 255, 255))
        session.update({"gain": 0.5})
        assert await session.until((128, 128, 128)) <= 2


async def test_a_wrong_value_is_refused_and_the_stream_goes_on():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer", node_id="main")) as session,
    ):
        session.update({"gain": 7})
        error = await session.message("error")
        assert (error["code"], error["field"]) == ("invalid_parameter", "gain")
        assert (error["node_id"], error["pipeline_id"]) == ("main", "dimmer")
        assert is_near(colour(await session.through(picture(WHITE))), WHITE)


async def test_a_load_parameter_cannot_change():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer")) as session,
    ):
        session.update({"model_name": "large"})
        assert (await session.message("error"))["code"] == "load_parameter"


async def test_an_unknown_node_is_an_error():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer")) as session,
    ):
        session.update({"node_id": "x" * 60_000, "gain": 0.5})
        error = await session.message("error")
        assert (error["code"], error["field"]) == ("unknown_node", "node_id")
        assert "'dimmer'" in error["message"]
        assert len(error["message"]) < 1000


async def test_parameters_reach_the_named_stage_only():
    replicas = LocalReplica("a", Dimmer), LocalReplica("b", Dimmer)
    chain = stage("dimmer", node_id="first"), stage("dimmer", node_id="second")
    async with LocalLeases(*replicas) as leases, running(leases, *chain) as session:
        session.update({"node_id": "second", "gain": 0.5})
        await session.until((128, 128, 128))
        session.update({"gain": 0.5})
        await session.until((64, 64, 64))


async def test_a_validator_that_breaks_does_not_break_the_link():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer")) as session,
    ):
        session.update({"trap": "x"})
        assert (await session.message("error"))["code"] == "invalid_parameter"
        assert is_near(colour(await session.through(picture(WHITE))), WHITE)


async def test_a_failed_call_is_told_and_the_stream_goes_on():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer")) as session,
    ):
        session.update({"gain": 0.125})
        session.push_frame(picture(WHITE))
        error = await session.message("error")
        assert (error["code"], error["node_id"]) == ("pipeline_failed", "dimmer")
        session.update({"gain": 1.0})
        await session.until(WHITE)


async def test_a_pipeline_that_always_fails_ends_the_session_once():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer"), parameters={"gain": 0.125}) as session,
    ):
        for _ in range(4):
            session.push_frame(picture(WHITE))
            await session.message("error")
        session.push_frame(picture(WHITE))
        stopped = await session.message("stream_stopped")
        assert stopped["code"] == "pipeline_failed"
        assert stopped["error_message"] == "pipeline 'dimmer' failed: ArithmeticError: one eighth"
        assert session.times_ended == 1


async def test_two_stages_that_fail_end_the_session_once():
    replicas = LocalReplica("a", Dimmer), LocalReplica("b", Dimmer)
    chain = stage("dimmer", "text", node_id="first"), stage("dimmer", node_id="second")
    async with LocalLeases(*replicas) as leases, running(leases, *chain) as session:
        await session.next_frame()
        for each in leases.replicas:
            each.kill()
        await session.message("stream_stopped")
        for _ in chain:
            await session.message("session_recovering")
        assert session.times_ended == 1


async def test_a_stage_that_cannot_start_releases_the_others():
    replicas = LocalReplica("a", GrayPipeline), LocalReplica("b", Dimmer)
    async with LocalLeases(*replicas) as leases:
        session = LiveSession([stage("gray"), stage("dimmer")], leases, {"model_name": "broken"})
        with pytest.raises(PipelineLoadError, match="no such weights"):
            await session.start()
        assert not leases.held
        async with running(leases, stage("gray")) as other:
            assert is_near(colour(await other.through(picture(RED))), gray(RED))


async def test_a_bad_initial_parameter_is_an_error_of_the_start():
    async with LocalLeases(LocalReplica("r", Dimmer)) as leases:
        with pytest.raises(ParameterError, match="gain"):
            await LiveSession([stage("dimmer")], leases, {"gain": "loud"}).start()
        assert not leases.held


async def test_no_free_replica_is_an_error_of_the_start():
    async with (
        LocalLeases(LocalReplica("r", Dimmer)) as leases,
        running(leases, stage("dimmer")),
    ):
        with pytest.raises(CapacityError):
            await LiveSession([stage("dimmer")], leases).start()


class AnswersFor:
    """Leases that are granted for one pipeline; requests for others are never answered."""

    def __init__(self, leases, pipeline_id):
        self._leases = leases
        self._pipeline_id = pipeline_id

    async def acquire(self, spec, parameters, listener, *, is_recovery):
        """Grant a place, or wait for ever."""
        if spec.pipeline_id != self._pipeline_id:
            await asyncio.Event().wait()
        return await self._leases.acquire(spec, parameters, listener, is_recovery=is_recovery)


async def test_a_start_that_is_cancelled_holds_nothing():
    async with LocalLeases(LocalReplica("a", GrayPipeline)) as leases:
        chain = [stage("gray"), stage("dimmer")]
        session = LiveSession(chain, AnswersFor(leases, "gray"))
        starting = asyncio.ensure_future(session.start())
        await asyncio.wait_for(leases.granted.wait(), 10)
        assert starting.cancel()
        await asyncio.wait([starting])
        assert not leases.held


async def test_closing_gives_every_place_back():
    replicas = LocalReplica("a", GrayPipeline), LocalReplica("b", Dimmer)
    async with (
        LocalLeases(*replicas) as leases,
        running(leases, stage("gray"), stage("dimmer")) as session,
    ):
        assert len(leases.held) == 2
        await session.aclose("over")
        assert not leases.held
        await session.aclose("again")
        assert not any(runner.is_busy for each in replicas for runner in each.runners)


async def test_chunks_of_four_come_out_whole():
    async with (
        LocalLeases(LocalReplica("r", PassthroughPipeline)) as leases,
        running(leases, stage("passthrough")) as session,
    ):
        sent = [(60 * n, 0, 255 - 60 * n) for n in range(4)]
        for pts, rgb in enumerate(sent):
            session.push_frame(picture(rgb, pts=pts))
        out = [await session.next_frame() for _ in sent]
        assert [each.pts for each in out] == [0, 1, 2, 3]
        assert all(is_near(colour(a), b) for a, b in zip(out, sent, strict=True))


async def test_text_mode_plays_at_the_pipelines_rate():
    loop = asyncio.get_running_loop()
    async with (
        LocalLeases(LocalReplica("r", test_pattern.TestPatternPipeline)) as leases,
        running(leases, stage("test-pattern", "text"), parameters={"frame_rate": 20}) as session,
    ):
        await session.next_frame()
        began_s = loop.time()
        for _ in range(20):
            await session.next_frame()
        assert loop.time() - began_s == pytest.approx(1.0, abs=0.15)


async def test_a_text_stage_before_another_does_not_run_flat_out():
    loop = asyncio.get_running_loop()
    Dimmer.calls = 0
    replicas = LocalReplica("a", Dimmer), LocalReplica("b", GrayPipeline)
    async with (
        LocalLeases(*replicas) as leases,
        running(leases, stage("dimmer", "text"), stage("gray")) as session,
    ):
        began_s = loop.time()
        for _ in range(20):
            await session.next_frame()
        elapsed_s = loop.time() - began_s
    assert elapsed_s == pytest.approx(20 / 30, abs=0.2)
    assert Dimmer.calls <= 26


async def test_a_picture_too_large_for_a_link_is_dropped_and_told_once():
    async with (
        LocalLeases(LocalReplica("r", GrayPipeline)) as leases,
        running(leases, stage("gray")) as session,
    ):
        huge = picture(RED, width=8192, height=8192)
        session.push_frame(huge)
        session.push_frame(huge)
        assert (await session.message("error"))["code"] == "picture_too_large"
        assert is_near(colour(await session.through(picture(RED))), gray(RED))
        assert session.report()["frames_dropped"] == 2
        assert session.messages == []


async def test_a_session_that_stopped_can_say_why():
    async with LocalLeases(LocalReplica("r", Dimmer)) as leases:
        session = LiveSession([stage("dimmer", "text")], leases, {"gain": 0.125})
        await session.start()
        await session.ended()
        with pytest.raises(PipelineCallError, match="one eighth"):
            session.check_running()
        await session.aclose("over")
