import asyncio
import gc
import queue
import threading
import weakref
from contextlib import asynccontextmanager

import pytest
import torch

from scope_serve.errors import (
    InputRequiredError,
    LoadParameterError,
    ParameterError,
    PipelineLoadError,
    PipelineUnavailableError,
)
from scope_serve.frames import I420Frame
from scope_serve.pipelines.interface import Pipeline, Requirements
from scope_serve.stages.colour import SwscaleConverter
from scope_serve.stages.error_budget import ErrorBudget
from scope_serve.stages.events import FramesReady, StageFailed
from scope_serve.stages.runner import StageLimits, StageRunner
from scope_serve.stages.timestamps import FrameTime
from tests.integration.stages.stage_pipelines import TIMEOUT_S, Gate, StubConfig, StubPipeline

pytestmark = pytest.mark.usefixtures("fresh_instances")


@pytest.fixture
def fresh_instances():
    StubPipeline.instances.clear()
    yield
    StubPipeline.instances.clear()


class Session:
    """A run and the events that it emitted."""

    def __init__(self):
        self.events = queue.Queue()
        self.run = None

    def __getattr__(self, name):
        return getattr(self.run, name)

    async def event(self):
        return await asyncio.to_thread(self.events.get, timeout=TIMEOUT_S)

    async def pictures(self):
        event = await self.event()
        assert isinstance(event, FramesReady), event
        return event.frames

    async def returned(self):
        """Wait until the pipeline thread is done with the run."""
        await asyncio.wrap_future(self.run._returned)

    async def failure(self):
        event = await self.event()
        assert isinstance(event, StageFailed), event
        return event


@asynccontextmanager
async def running(pipeline_class=StubPipeline, load_params=None, **limits):
    runner = StageRunner(
        pipeline_class,
        load_params=load_params or {},
        device="cpu",
        limits=StageLimits(**limits),
    )
    try:
        await runner.start()
        yield runner
    finally:
        await runner.aclose()


async def begin(runner, parameters=None, *, input_mode="video"):
    session = Session()
    session.run = await runner.begin(
        parameters or {}, input_mode=input_mode, emit=session.events.put
    )
    return session


def picture(level, pts=None, entered_ns=0):
    rgb = torch.full((1, 32, 64, 3), level, dtype=torch.uint8)
    (frame,) = SwscaleConverter().to_i420(rgb, [FrameTime(pts, entered_ns)])
    return frame


def level(frame):
    (rgb,) = SwscaleConverter().to_rgb([frame])
    return rgb.float().mean().item()


def last_instance():
    return StubPipeline.instances[-1]


class FourAtATime(StubPipeline):
    input_size = 4


class Source(StubPipeline):
    """Makes pictures from nothing."""

    input_size = None

    def make(self, gain=1.0, **_):
        return {"video": torch.full((2, 32, 64, 3), gain), "frame_rate": 24}


class Gated(StubPipeline):
    """Stops in every call until the test lets it go on."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gate = Gate()

    def make(self, **kwargs):
        self.gate.wait_here()
        return super().make(**kwargs)


class Fails(StubPipeline):
    def make(self, error=None, **kwargs):
        if error == "memory":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        if error == "exit":
            raise SystemExit("bye")
        if error == "cancel":
            raise asyncio.CancelledError
        if error == "shape":
            return {"video": torch.zeros((2, 2))}
        if error is not None:
            raise LookupError(error)
        return super().make(**kwargs)


async def test_pictures_go_through_the_pipeline():
    async with running() as runner:
        session = await begin(runner)

        session.push(picture(200, pts=3000, entered_ns=77))

        (frame,) = await session.pictures()
        assert level(frame) == pytest.approx(200, abs=3)
        assert (frame.width, frame.height, frame.pts, frame.entered_ns) == (64, 32, 3000, 77)
        assert session.stats.frames_in == session.stats.frames_out == session.stats.calls == 1
        assert session.stats.last_call_s > 0


async def test_everything_happens_in_one_thread_that_is_not_ours():
    async with running() as runner:
        session = await begin(runner, {"first": True})
        seen = queue.Queue()
        run = session.run
        session.push(picture(1))
        await session.pictures()
        await run.end()
        run = await runner.begin(
            {}, input_mode="video", emit=lambda _: seen.put(threading.current_thread())
        )
        run.push(picture(1))
        emitting = await asyncio.to_thread(seen.get, timeout=TIMEOUT_S)

    thread = last_instance().thread
    assert emitting is thread
    assert thread is not threading.current_thread()
    assert thread.name == "stage-stub"
    assert thread.daemon
    assert not thread.is_alive()


async def test_pipeline_gets_what_the_contract_says():
    async with running(FourAtATime) as runner:
        session = await begin(runner, {"prompts": "a cat", "recording": False, "graph": {}})
        for number in range(4):
            session.push(picture(10 * number, pts=number))
        await session.pictures()

        call = last_instance().next_call()

    assert [tuple(rgb.shape) for rgb in call["video"]] == [(1, 32, 64, 3)] * 4
    assert all(rgb.dtype is torch.uint8 for rgb in call["video"])
    assert [timestamp.pts for timestamp in call["video_timestamps"]] == [0, 1, 2, 3]
    del call["video"], call["video_timestamps"]
    assert call == {
        "input_mode": "video",
        "prompts": [{"text": "a cat", "weight": 1.0}],
        "prompt_interpolation_method": "linear",
        "vace_context_scale": 1.0,
        "recording": False,
        "init_cache": True,
    }


async def test_parameters_take_effect_at_the_next_call():
    async with running() as runner:
        session = await begin(runner)
        session.push(picture(200))
        await session.pictures()
        session.acknowledge(1)

        session.update({"gain": 0.5})
        session.push(picture(200))

        (frame,) = await session.pictures()
        assert level(frame) == pytest.approx(100, abs=3)


async def test_parameters_overtake_pictures_that_wait():
    async with running(FourAtATime) as runner:
        session = await begin(runner)
        for _ in range(3):
            session.push(picture(200))
        for _ in range(20):
            session.update({"gain": 0.25})
        session.push(picture(200))

        frames = await session.pictures()

        assert level(frames[0]) == pytest.approx(50, abs=3)


async def test_refused_update_changes_nothing():
    async with running() as runner:
        session = await begin(runner, {"gain": 0.5})

        with pytest.raises(ParameterError):
            session.update({"x": 1, "gain": 2})
        with pytest.raises(LoadParameterError):
            session.update({"x": 1, "model_name": "large"})

        assert session.parameters == {"gain": 0.5, "input_mode": "video"}


async def test_trigger_reaches_one_call():
    async with running() as runner:
        session = await begin(runner, {"first_frame_image": "a.png"})
        for _ in range(2):
            session.push(picture(1))
            await session.pictures()

        assert last_instance().next_call()["first_frame_image"] == "a.png"
        assert "first_frame_image" not in last_instance().next_call()


async def test_calls_stop_while_nobody_takes_the_output():
    async with running(Source) as runner:
        session = await begin(runner, input_mode="text")
        for _ in range(2):
            assert len(await session.pictures()) == 2
        assert session.stats.frames_out == 4

        session.acknowledge(1)
        assert session.events.empty()
        session.acknowledge(1)

        await session.pictures()
        assert session.stats.calls == 3


async def test_slow_pipeline_gets_the_newest_picture():
    async with running(Gated) as runner:
        session = await begin(runner)
        gate = last_instance().gate
        session.push(picture(10, pts=0))
        await asyncio.to_thread(gate.wait_until_reached)
        for pts in range(1, 6):
            session.push(picture(10, pts=pts))
        gate.let_go()
        gate.let_go()

        assert [frame.pts for frame in await session.pictures()] == [0]
        assert [frame.pts for frame in await session.pictures()] == [5]
        assert session.stats.frames_dropped == 4


async def test_pause_keeps_the_newest_pictures_waiting():
    async with running() as runner:
        session = await begin(runner, {"paused": True})
        for pts in range(40):
            session.push(picture(10, pts=pts))
        assert session.stats.frames_dropped == 10
        assert session.stats.calls == 0
        assert session.parameters["paused"] is True

        session.update({"paused": False})

        assert [frame.pts for frame in await session.pictures()] == [39]


async def test_init_cache_is_true_until_pictures_came_out():
    class Buffering(StubPipeline):
        made = 0

        def make(self, **kwargs):
            self.made += 1
            return super().make(**kwargs) if self.made > 2 else {}

    async with running(Buffering) as runner:
        session = await begin(runner)
        flags = []
        for _ in range(4):
            session.push(picture(1))
            flags.append((await asyncio.to_thread(last_instance().next_call))["init_cache"])
        await session.pictures()

        assert flags == [True, True, True, False]


async def test_init_cache_returns_after_reset_and_in_every_run():
    async with running() as runner:
        session = await begin(runner)
        for message in ({}, {}, {"reset_cache": True}, {}):
            session.update(message)
            session.push(picture(1))
            await session.pictures()
            session.acknowledge(1)
        await session.end()
        session = await begin(runner)
        session.push(picture(1))
        await session.pictures()

        flags = [last_instance().next_call()["init_cache"] for _ in range(5)]
        assert flags == [True, False, True, False, True]


async def test_idle_pipeline_is_called_again():
    class StartsLate(Source):
        def make(self, **kwargs):
            return super().make(**kwargs) if self.calls.qsize() > 3 else None

    async with running(StartsLate) as runner:
        session = await begin(runner, input_mode="text")

        await session.pictures()

        assert session.stats.calls >= 4


async def test_frame_rate_of_the_pipeline_is_passed_on():
    async with running(Source) as runner:
        session = await begin(runner, input_mode="text")

        assert (await session.event()).frame_rate == 24.0


async def test_frame_rate_of_the_model_is_the_fallback():
    class Model:
        frame_rate = 16

    class Touchy:
        @property
        def frame_rate(self):
            raise LookupError

    for config, rate in ((Model(), 16.0), (Touchy(), None)):
        async with running() as runner:
            last_instance().config = config
            session = await begin(runner)
            session.push(picture(1))

            assert (await session.event()).frame_rate == rate


async def test_mode_changes_while_the_session_runs():
    class Both(StubPipeline):
        def make(self, video=None, **_):
            return {"video": torch.full((1, 32, 64, 3), 0.0 if video is None else 1.0)}

    async with running(Both) as runner:
        session = await begin(runner, input_mode="text")
        session.push(picture(1))
        assert session.stats.frames_dropped == 1
        (frame,) = await session.pictures()
        assert level(frame) < 3

        session.update({"input_mode": "video"})
        session.acknowledge(100)
        session.push(picture(1))

        while level(frame) < 3:
            (frame,) = await session.pictures()
            session.acknowledge(1)
        assert level(frame) > 252


async def test_pipeline_without_prepare_is_called_without_pictures():
    class Bare:
        get_config_class = StubPipeline.get_config_class

        def __init__(self, **kwargs):
            pass

        def __call__(self, **kwargs):
            assert "video" not in kwargs
            return {"video": torch.ones((1, 2, 2, 3))}

    async with running(Bare) as runner:
        session = await begin(runner)

        assert len(await session.pictures()) == 1


async def test_finished_transition_reaches_no_further_call():
    class Transitions(StubPipeline):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.state = {"_transition_active": True}

        def make(self, **kwargs):
            self.state["_transition_active"] = self.calls.qsize() < 2
            return super().make(**kwargs)

    async with running(Transitions) as runner:
        session = await begin(runner, {"transition": {"target_prompts": "b"}})
        for _ in range(3):
            session.push(picture(1))
            await session.pictures()
            session.acknowledge(1)

        calls = [last_instance().next_call() for _ in range(3)]
        assert ["transition" in call for call in calls] == [True, True, False]
        assert session.parameters["prompts"] == [{"text": "b", "weight": 1.0}]


async def test_text_session_of_a_pipeline_that_wants_pictures_fails():
    class AlwaysWants(StubPipeline):
        def prepare(self, **kwargs):
            return Requirements(input_size=4)

    async with running(AlwaysWants) as runner:
        session = await begin(runner, input_mode="text")

        failure = await session.failure()

        assert failure.is_fatal
        assert isinstance(failure.error, InputRequiredError)
        assert failure.error.code == "input_required"
        await session.end()
        session = await begin(runner)
        assert len(StubPipeline.instances) == 1


async def test_failed_calls_are_told_and_survived():
    async with running(Fails) as runner:
        session = await begin(runner, {"error": "lost"})
        session.push(picture(1))
        failure = await session.failure()
        assert not failure.is_fatal
        assert failure.error.reason == "LookupError: lost"

        session.update({"error": None})
        session.push(picture(1))

        await session.pictures()
        assert session.stats.errors == 1
        assert session.stats.calls == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("shape", "output 'video' has shape (2, 2); wanted"),
        ("exit", "SystemExit: bye"),
        ("cancel", "CancelledError"),
    ],
)
async def test_unusual_failures_are_told_too(error, reason):
    async with running(Fails) as runner:
        session = await begin(runner, {"error": error})
        session.push(picture(1))

        failure = await session.failure()

        assert failure.error.reason.startswith(reason)
        assert not failure.is_fatal


async def test_too_many_failures_end_the_calls():
    async with running(Fails, errors=ErrorBudget(failures=3, window_s=1000)) as runner:
        session = await begin(runner, {"error": "lost"})
        verdicts = []
        for _ in range(3):
            session.push(picture(1))
            verdicts.append((await session.failure()).is_fatal)

        assert verdicts == [False, False, True]
        await session.returned()
        assert runner.is_busy
        session.push(picture(1))
        assert session.stats.calls == 3
        await session.end()
        assert not runner.is_busy


async def test_failing_preparation_spends_the_budget():
    class CannotPrepare(StubPipeline):
        def prepare(self, **kwargs):
            raise LookupError("nothing")

    async with running(CannotPrepare, errors=ErrorBudget(failures=2)) as runner:
        session = await begin(runner)

        assert not (await session.failure()).is_fatal
        assert (await session.failure()).is_fatal
        assert session.stats.calls == 0


@pytest.mark.parametrize("asked", [0, -1, "4", None])
async def test_impossible_requirement_is_named(asked):
    class Asks(StubPipeline):
        def prepare(self, **kwargs):
            return type("Wishes", (), {"input_size": asked})()

    async with running(Asks) as runner:
        session = await begin(runner)

        failure = await session.failure()

        assert f"prepare() asked for {asked!r} frames" in failure.error.reason


async def test_running_out_of_memory_is_fatal_at_once_and_cured_by_a_new_instance():
    async with running(Fails) as runner:
        session = await begin(runner, {"error": "memory"})
        session.push(picture(1))
        failure = await session.failure()
        assert failure.is_fatal
        assert "OutOfMemoryError: CUDA out of memory" in failure.error.reason
        await session.end()

        session = await begin(runner)
        session.push(picture(1))

        await session.pictures()
        first, second = StubPipeline.instances
        assert first.is_released
        assert not second.is_released


async def test_session_with_other_load_parameters_gets_a_new_instance():
    async with running(load_params={"model_name": "medium"}) as runner:
        await (await begin(runner)).end()
        await (await begin(runner, {"model_name": "medium"})).end()
        assert len(StubPipeline.instances) == 1

        await (await begin(runner, {"model_name": "large", "width": "64"})).end()
        assert last_instance().given["model_name"] == "large"
        assert last_instance().given["width"] == 64
        assert StubPipeline.instances[0].is_released
        await (await begin(runner)).end()

        assert last_instance().given["model_name"] == "medium"
        assert len(StubPipeline.instances) == 3


async def test_old_instance_is_gone_before_the_new_one_is_made():
    alive = weakref.WeakSet()

    class Exclusive(StubPipeline):
        def __init__(self, **kwargs):
            assert not len(alive)
            alive.add(self)

        def make(self, fails=False, **kwargs):
            if fails:
                self.ballast = torch.zeros(8)
                raise torch.cuda.OutOfMemoryError("full")
            return super().make(**kwargs)

        def __call__(self, **kwargs):
            return self.make(**kwargs)

    async with running(Exclusive) as runner:
        session = await begin(runner)
        session.push(picture(1))
        await session.pictures()
        await session.end()
        session = await begin(runner, {"width": 64, "fails": True})
        session.push(picture(1))
        failure = await session.failure()
        await session.end()
        session = await begin(runner)
        assert failure.is_fatal
        await session.end()
    gc.collect()
    assert not len(alive)


async def test_pipeline_that_cannot_be_made_says_why():
    class Broken(StubPipeline):
        def __init__(self, model_name, **kwargs):
            if model_name == "missing":
                raise FileNotFoundError("no such weights")
            super().__init__(**kwargs)

    runner = StageRunner(Broken, load_params={"model_name": "missing"})
    with pytest.raises(PipelineLoadError) as caught:
        await runner.start()
    assert caught.value.pipeline_id == "stub"
    assert caught.value.reason == "FileNotFoundError: no such weights"

    session = await begin(runner, {"model_name": "small"})
    await session.end()
    with pytest.raises(PipelineLoadError):
        await begin(runner)
    assert not runner.is_busy
    await runner.aclose()


async def test_wrong_initial_parameters_leave_the_runner_free():
    async with running() as runner:
        for parameters, mode, field in [
            ({"gain": 7}, "video", "gain"),
            ({"width": 0}, "video", "width"),
            ({}, "audio", "input_mode"),
        ]:
            with pytest.raises(ParameterError) as caught:
                await begin(runner, parameters, input_mode=mode)
            assert caught.value.field == field
        assert not runner.is_busy


async def test_second_run_must_wait_for_the_end_of_the_first():
    async with running() as runner:
        session = await begin(runner)
        assert runner.is_busy
        with pytest.raises(RuntimeError, match="a run is open"):
            await begin(runner)

        await session.end()
        await session.end()

        assert not runner.is_busy
        await begin(runner)


async def test_end_waits_for_the_call_and_lets_nothing_out():
    async with running(Gated) as runner:
        session = await begin(runner)
        gate = last_instance().gate
        session.push(picture(1))
        await asyncio.to_thread(gate.wait_until_reached)
        session.request_end()
        assert not session.is_over
        assert not runner.is_stuck

        gate.let_go()
        await session.end()

        assert session.events.empty()
        assert session.is_over


async def test_hung_pipeline_keeps_nobody_waiting(caplog):
    async with running(Gated, call_end_s=0.01) as runner:
        session = await begin(runner)
        gate = last_instance().gate
        session.push(picture(1))
        await asyncio.to_thread(gate.wait_until_reached)

        await session.end()

        assert "does not return" in caplog.text
        assert runner.is_stuck
        with pytest.raises(PipelineUnavailableError, match="does not return"):
            await begin(runner)
        gate.let_go()
        await session.returned()
        assert not runner.is_stuck
        await (await begin(runner)).end()


async def test_hung_thread_is_abandoned(caplog):
    runner = StageRunner(Gated, load_params={}, limits=StageLimits(close_s=0.01))
    await runner.start()
    session = await begin(runner)
    gate, thread = last_instance().gate, last_instance().thread
    session.push(picture(1))
    await asyncio.to_thread(gate.wait_until_reached)

    await runner.aclose()

    assert "is abandoned" in caplog.text
    assert thread.is_alive()
    gate.let_go()
    await asyncio.to_thread(thread.join, TIMEOUT_S)
    assert last_instance().is_released


async def test_closing_twice_or_without_a_start_is_fine():
    runner = StageRunner(StubPipeline, load_params={})
    await runner.aclose()
    with pytest.raises(RuntimeError):
        await runner.start()

    async with running() as runner:
        session = await begin(runner)
        await asyncio.gather(runner.aclose(), runner.aclose())
        await runner.aclose()
        await session.end()
        with pytest.raises(RuntimeError, match="not started, or closed"):
            await begin(runner)
    assert last_instance().is_released
    assert not last_instance().thread.is_alive()


async def test_cancelled_begin_frees_the_runner():
    loading = Gate()

    class LoadsSlowly(StubPipeline):
        def __init__(self, model_name, **kwargs):
            super().__init__(**kwargs)
            if model_name == "slow":
                loading.wait_here()

    async with running(LoadsSlowly) as runner:
        beginning = asyncio.ensure_future(begin(runner, {"model_name": "slow"}))
        await asyncio.to_thread(loading.wait_until_reached)
        assert runner.is_busy
        with pytest.raises(RuntimeError, match="a run is open"):
            await begin(runner)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning

        assert not runner.is_busy
        loading.let_go()
        session = await begin(runner)
        session.push(picture(1))
        await session.pictures()


async def test_listener_that_fails_ends_the_run():
    def broken(_):
        raise ConnectionError("nobody there")

    async with running() as runner:
        run = await runner.begin({}, input_mode="video", emit=broken)
        run.push(picture(1))

        await asyncio.wrap_future(run._returned)

        assert run.is_over
        assert not runner.is_busy
        session = await begin(runner)
        session.push(picture(1))
        await session.pictures()


async def test_picture_with_the_wrong_number_of_bytes_is_refused():
    async with running() as runner:
        session = await begin(runner)

        with pytest.raises(ValueError, match="a 64x32 picture has 3072 bytes, not 10"):
            session.push(I420Frame(bytes(10), 64, 32))


async def test_pushing_from_many_threads_loses_no_count():
    async with running() as runner:
        session = await begin(runner)
        frame = picture(1)

        def push_many():
            for _ in range(200):
                session.push(frame)

        await asyncio.gather(*(asyncio.to_thread(push_many) for _ in range(4)))
        await session.end()

        stats = session.stats
        assert stats.frames_in == 800
        assert stats.frames_dropped + stats.calls == 800


def test_plain_node_cannot_be_run():
    with pytest.raises(TypeError):
        StageRunner(Pipeline, load_params={})


def test_config_of_the_stub_is_valid():
    assert StubConfig().gain == 1.0
