import json
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scope_serve.pipelines.base_schema import BasePipelineConfig, ModeDefaults
from scope_serve.pipelines.enums import VaeType
from scope_serve.stages.parameter_state import ParameterState
from scope_serve.stages.parameters import ParameterRules


class StateConfig(BasePipelineConfig):
    pipeline_id = "state"
    modes: ClassVar = {"text": ModeDefaults(default=True), "video": ModeDefaults()}

    vae: VaeType = VaeType.WAN


RULES = ParameterRules(StateConfig)


class Session:
    """A parameter state that is driven by messages and calls, as a session does."""

    def __init__(self, **initial):
        self.state = ParameterState()
        self.send(**initial)

    def send(self, **message):
        self.state.apply(RULES.parse(message))

    def call(self):
        parameters = self.state.snapshot()
        self.state.commit(parameters)
        return dict(parameters.keywords)


def test_values_stay_until_changed():
    session = Session(a=1)
    session.send(b=2)
    assert session.call().items() >= {"a": 1, "b": 2}.items()

    session.send(a=3)

    assert session.call().items() >= {"a": 3, "b": 2}.items()


def test_some_parameters_are_always_there():
    assert Session().call() == {"prompt_interpolation_method": "linear", "vace_context_scale": 1.0}


def test_removed_parameter_falls_back_to_what_is_always_there():
    session = Session(vace_context_scale=0.5, a=1)

    session.send(vace_context_scale=None, a=None)

    assert session.call()["vace_context_scale"] == 1.0
    assert "a" not in session.call()


def test_trigger_reaches_exactly_one_call():
    session = Session(first_frame_image="a.png")

    assert session.call()["first_frame_image"] == "a.png"
    assert "first_frame_image" not in session.call()


def test_trigger_survives_a_call_that_was_prepared_but_not_made():
    session = Session(images=["a.png"])

    session.state.snapshot()

    assert session.call()["images"] == ["a.png"]


def test_trigger_that_arrives_during_the_preparation_is_for_the_next_call():
    session = Session(images=["a.png"])
    prepared = session.state.snapshot()
    session.send(images=["b.png"])

    session.state.commit(prepared)

    assert prepared.keywords["images"] == ["a.png"]
    assert session.call()["images"] == ["b.png"]


def test_mouse_movement_is_summed_between_calls_then_zeroed():
    session = Session(ctrl_input={"button": ["KeyW"], "mouse": [1, 2]})
    session.send(ctrl_input={"button": ["KeyA"], "mouse": [3, -5]})

    control = session.call()["ctrl_input"]

    assert (control.button, control.mouse) == ({"KeyA"}, (4.0, -3.0))
    control = session.call()["ctrl_input"]
    assert (control.button, control.mouse) == ({"KeyA"}, (0.0, 0.0))


def test_mouse_movement_during_the_preparation_is_not_lost():
    session = Session(ctrl_input={"mouse": [1, 1]})
    prepared = session.state.snapshot()
    session.send(ctrl_input={"mouse": [5, 0]})

    session.state.commit(prepared)

    assert session.call()["ctrl_input"].mouse == (5.0, 0.0)


def test_new_prompts_end_a_transition():
    session = Session(prompts="a", transition={"target_prompts": "b"})
    assert "transition" in session.call()

    session.send(prompts="c")

    assert "transition" not in session.call()


def test_prompts_and_transition_of_one_message_stay_together():
    session = Session()

    session.send(prompts="a", transition={"target_prompts": "b"})

    assert {"prompts", "transition"} <= session.call().keys()


def test_finished_transition_is_forgotten():
    session = Session(transition={"target_prompts": "b"})
    delivered = session.state.snapshot()

    session.state.end_transition(delivered)

    assert "transition" not in session.call()


def test_newer_transition_outlives_the_end_of_an_older_one():
    session = Session(transition={"target_prompts": "b"})
    delivered = session.state.snapshot()
    session.send(transition={"target_prompts": "c"})

    session.state.end_transition(delivered)

    assert session.call()["transition"]["target_prompts"][0]["text"] == "c"


def test_replay_has_what_a_replacement_needs():
    session = Session(
        input_mode="video",
        prompts="a",
        vae="tae",
        images=["one.png"],
        paused=True,
        ctrl_input={"button": ["KeyW"], "mouse": [3, 3]},
    )

    replay = session.state.replay()

    assert json.loads(json.dumps(replay)) == {
        "input_mode": "video",
        "prompts": [{"text": "a", "weight": 1.0}],
        "vae": "tae",
        "paused": True,
        "ctrl_input": {"button": ["KeyW"], "mouse": [0.0, 0.0]},
    }


def test_replay_continues_after_a_finished_transition():
    session = Session(prompts="a", transition={"target_prompts": "b"})
    session.state.end_transition(session.state.snapshot())

    assert session.state.replay()["prompts"] == [{"text": "b", "weight": 1.0}]
    assert session.call()["prompts"] == [{"text": "a", "weight": 1.0}]


@pytest.mark.parametrize(("mode", "is_video"), [("video", True), ("text", False)])
def test_mode_is_a_parameter(mode, is_video):
    session = Session(input_mode=mode)

    assert session.state.snapshot().is_video_mode is is_video
    assert session.call()["input_mode"] == mode


VALUES = st.none() | st.integers() | st.text("xyz", max_size=3)
MESSAGES = st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), max_size=8)


@settings(deadline=None)
@given(MESSAGES)
def test_last_value_counts(messages):
    session = Session()
    expected = {}
    for message in messages:
        session.send(**message)
        expected |= message

    expected = {name: value for name, value in expected.items() if value is not None}
    assert session.state.replay() == expected
    assert session.call().items() >= expected.items()
