"""Sessions whose replicas die."""

import asyncio
import itertools

from scope_serve.pipelines.builtin.gray import GrayPipeline
from scope_serve.sessions.stage import LOSS_WINDOW_S, MAX_REPLICAS_LOST
from scope_serve.sessions.state import SessionState
from scope_serve.stages.error_budget import ErrorBudget, FailureWindow
from tests.integration.sessions.live_session import colour, is_near, picture, running, stage
from tests.integration.sessions.session_pipelines import Dimmer
from tests.local_leases import LocalLeases, LocalReplica

WHITE = (255, 255, 255)


def dimmers(count):
    return [LocalReplica(f"r{number}", Dimmer) for number in range(count)]


async def test_a_session_survives_the_death_of_its_replica():
    async with LocalLeases(*dimmers(2)) as leases, running(leases, stage("dimmer")) as session:
        await session.until(WHITE)
        leases.serving().kill()
        assert (await session.message("session_recovering"))["node_id"] == "dimmer"
        recovered = await session.message("session_recovered")
        assert (recovered["node_id"], recovered["gap_ms"] > 0) == ("dimmer", True)
        assert session.describe()["stages"][0]["replica"] == "r1"
        assert session.state is SessionState.ACTIVE
        assert is_near(colour(await session.through(picture(WHITE))), WHITE)


async def test_parameters_survive_the_death_of_a_replica():
    async with LocalLeases(*dimmers(2)) as leases, running(leases, stage("dimmer")) as session:
        session.update({"gain": 0.5})
        await session.until((128, 128, 128))
        leases.serving().kill()
        await session.message("session_recovered")
        assert is_near(colour(await session.through(picture(WHITE))), (128, 128, 128))
        assert len(leases.held) == 1


async def test_parameters_sent_without_a_replica_reach_the_next_one():
    async with LocalLeases(*dimmers(2)) as leases, running(leases, stage("dimmer")) as session:
        await session.until(WHITE)
        leases.serving().kill()
        await session.message("session_recovering")
        session.update({"gain": 0.5})
        session.update({"gain": "a wrong value costs nobody else's"})
        session.update({"other": 1})
        await session.message("session_recovered")
        assert (await session.message("error"))["field"] == "gain"
        assert await session.until((128, 128, 128)) <= 2


async def test_the_input_mode_survives_the_death_of_a_replica():
    async with LocalLeases(*dimmers(2)) as leases, running(leases, stage("dimmer")) as session:
        await session.until(WHITE)
        session.update({"input_mode": "text"})
        assert is_near(colour(await session.next_frame()), (128, 128, 128))
        leases.serving().kill()
        await session.message("session_recovered")
        assert leases.asked[-1][0].input_mode == "text"


async def test_pictures_are_dropped_and_counted_while_there_is_no_replica():
    async with LocalLeases(*dimmers(2)) as leases, running(leases, stage("dimmer")) as session:
        await session.until(WHITE)
        leases.serving().kill()
        await session.message("session_recovering")
        session.push_frame(picture(WHITE))
        assert session.report()["frames_dropped"] == 1
        await session.message("session_recovered")


async def test_without_a_free_replica_the_session_stops():
    async with LocalLeases(*dimmers(1)) as leases, running(leases, stage("dimmer")) as session:
        leases.serving().kill()
        stopped = await session.message("stream_stopped")
        assert stopped["code"] == "stage_lost"
        assert "no replica of pipeline 'dimmer' is free" in stopped["error_message"]
        assert session.times_ended == 1
        await session.aclose("over")
        assert not leases.held


async def test_the_third_lost_replica_ends_the_session():
    async with LocalLeases(*dimmers(4)) as leases, running(leases, stage("dimmer")) as session:
        for _ in range(2):
            leases.serving().kill()
            await session.message("session_recovered")
        leases.serving().kill()
        stopped = await session.message("stream_stopped")
        assert stopped["code"] == "stage_lost"
        assert "3 replicas" in stopped["error_message"]


async def test_one_dead_stage_of_two_recovers_alone():
    replicas = [LocalReplica("g", GrayPipeline), *dimmers(2)]
    async with (
        LocalLeases(*replicas) as leases,
        running(leases, stage("gray"), stage("dimmer")) as session,
    ):
        await session.until(WHITE)
        leases.replicas[1].kill()
        assert (await session.message("session_recovered"))["node_id"] == "dimmer"
        await session.until(WHITE)
        assert [each["replica"] for each in session.describe()["stages"]] == ["g", "r1"]


async def test_a_text_stage_goes_on_after_many_deaths_of_the_next():
    replicas = [LocalReplica("a", Dimmer), *(LocalReplica(f"g{n}", GrayPipeline) for n in range(3))]
    async with (
        LocalLeases(*replicas) as leases,
        running(leases, stage("dimmer", "text"), stage("gray")) as session,
    ):
        for dying in leases.replicas[1:3]:
            await session.next_frame()
            dying.kill()
            await session.message("session_recovered")
        async with asyncio.timeout(5):
            for _ in range(200):
                await session.next_frame()
                if session.meter.totals()["frames_out"] > 12:
                    break


async def test_a_session_may_be_closed_while_it_recovers():
    async with LocalLeases(*dimmers(2)) as leases, running(leases, stage("dimmer")) as session:
        leases.serving().kill()
        await session.message("session_recovering")
        await session.aclose("client is gone")
        assert not leases.held
        assert session.times_ended == 0


async def test_replicas_lost_now_and_then_do_not_add_up():
    hours = itertools.count(step=3600.0)
    async with LocalLeases(*dimmers(5)) as leases, running(leases, stage("dimmer")) as session:
        budget = ErrorBudget(MAX_REPLICAS_LOST, LOSS_WINDOW_S)
        session._stages[0]._losses = FailureWindow(budget, lambda: next(hours))
        for _ in range(4):
            leases.serving().kill()
            await session.message("session_recovered")
        assert session.times_ended == 0
