import math
from enum import StrEnum
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, Field

from scope_serve.errors import LoadParameterError, ParameterError
from scope_serve.pipelines.base_schema import (
    BasePipelineConfig,
    CtrlInput,
    ModeDefaults,
    ui_field_config,
)
from scope_serve.stages.parameters import ParameterRules
from scope_serve.stages.well_known import NOT_FOR_PIPELINES, ONE_SHOT


class Style(StrEnum):
    WARM = "warm"
    COLD = "cold"


class Opaque:
    pass


class SampleConfig(BasePipelineConfig):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    pipeline_id = "sample"
    modes: ClassVar = {"video": ModeDefaults(default=True), "text": ModeDefaults()}

    intensity: float = Field(default=0.5, ge=0.0, le=1.0, json_schema_extra=ui_field_config())
    style: Style = Style.WARM
    level: Literal[0, 1] = 0
    steps: int | None = Field(default=None, gt=0, lt=9)
    model_name: str = Field(default="small", json_schema_extra=ui_field_config(is_load_param=True))
    free: float = 0.0
    ctrl_input: CtrlInput | None = None
    opaque: Opaque | None = None


RULES = ParameterRules(SampleConfig)


@pytest.fixture
def rules():
    return RULES


def parse(rules, **message: Any):
    return rules.parse(message)


def test_field_values_are_kept(rules):
    assert parse(rules, intensity=0.25).values == {"intensity": 0.25}


@pytest.mark.parametrize(
    ("name", "sent", "meant"),
    [
        ("level", "1", 1),
        ("level", 0, 0),
        ("style", "cold", Style.COLD),
        ("intensity", "0.5", 0.5),
        ("intensity", 1, 1.0),
        ("steps", "3", 3),
        ("manage_cache", "false", False),
    ],
)
def test_values_are_coerced_to_the_type_of_the_field(rules, name, sent, meant):
    (value,) = parse(rules, **{name: sent}).values.values()

    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("intensity", 2, "less than or equal to 1 (allowed: ≥ 0.0, ≤ 1.0); found 2"),
        ("intensity", "much", "valid number"),
        ("intensity", math.nan, "found nan"),
        ("free", math.nan, "must be finite"),
        ("intensity", "inf", "found 'inf'"),
        ("level", "2", "0 or 1; found '2'"),
        ("style", "hot", "'warm' or 'cold'"),
        ("steps", 9, "(allowed: > 0, < 9); found 9"),
        ("noise_scale", 1.5, "(allowed: ≥ 0.0, ≤ 1.0)"),
        ("prompts", [{"text": "a", "weight": -1}], "0.weight: input should be greater"),
        ("prompts", 3, "valid list"),
        ("prompt_interpolation_method", "cubic", "'linear' or 'slerp'; found 'cubic'"),
        ("kv_cache_attention_bias", 0.001, "greater than or equal to 0.01"),
        ("vace_context_scale", 3, "less than or equal to 2"),
        ("lora_scales", [{"path": "a", "scale": 11}], "0.scale"),
        ("ctrl_input", {"mouse": [1]}, "mouse"),
        ("paused", "perhaps", "valid boolean"),
        ("transition", {"num_steps": 2}, "target_prompts: field required"),
        ("denoising_step_list", [], "at least 1 item"),
        ("anything", [1.0, {"deep": math.inf}], "must be finite"),
        ("input_mode", "audio", "one of 'video', 'text'; found 'audio'"),
    ],
)
def test_wrong_value_names_field_limit_and_finding(rules, name, value, words):
    with pytest.raises(ParameterError) as caught:
        parse(rules, **{name: value})

    assert caught.value.field == name
    assert caught.value.pipeline_id == "sample"
    assert words in caught.value.reason


def test_long_finding_is_cut(rules):
    with pytest.raises(ParameterError) as caught:
        parse(rules, intensity="x" * 5000)

    assert len(caught.value.reason) < 300


@pytest.mark.parametrize("name", ["height", "width", "lora_merge_strategy", "model_name"])
@pytest.mark.parametrize("value", [64, None])
def test_load_parameter_is_refused_while_streaming(rules, name, value):
    with pytest.raises(LoadParameterError) as caught:
        parse(rules, intensity=0.1, **{name: value})

    assert caught.value.field == name


def test_fields_without_ui_are_runtime_parameters(rules):
    assert parse(rules, base_seed=7).values == {"base_seed": 7}


@pytest.mark.parametrize("name", ["video", "video_timestamps", "init_cache", "self"])
def test_arguments_of_the_stage_cannot_be_sent(rules, name):
    with pytest.raises(ParameterError, match="only the server sets it"):
        parse(rules, **{name: 1})


def test_unknown_parameters_pass(rules):
    assert parse(rules, recording=False, x={"y": [1]}).values == {
        "recording": False,
        "x": {"y": [1]},
    }


def test_opaque_field_type_takes_anything(rules):
    assert parse(rules, opaque="text").values == {"opaque": "text"}


@pytest.mark.parametrize("name", sorted(NOT_FOR_PIPELINES))
def test_parameters_for_servers_are_consumed(rules, name):
    update = parse(rules, **{name: {"any": math.nan}})

    assert not update.values
    assert not update.triggers


@pytest.mark.parametrize(
    "sent",
    [
        "a cat",
        ["a cat"],
        {"text": "a cat"},
        [{"text": "a cat"}],
        [{"text": "a cat", "weight": 1}],
    ],
)
def test_prompts_have_one_form(rules, sent):
    assert parse(rules, prompts=sent).values == {"prompts": [{"text": "a cat", "weight": 1.0}]}


def test_transition_is_completed_with_defaults(rules):
    assert parse(rules, transition={"target_prompts": "a dog"}).values["transition"] == {
        "target_prompts": [{"text": "a dog", "weight": 1.0}],
        "num_steps": 4,
        "temporal_interpolation_method": "linear",
    }


def test_one_shot_parameters_are_triggers(rules):
    update = parse(rules, images=["a.png"], lora_scales=[{"path": "l", "scale": 0.5}])

    assert not update.values
    assert update.triggers == {
        "images": ["a.png"],
        "lora_scales": [{"path": "l", "scale": 0.5}],
    }
    assert update.triggers.keys() <= ONE_SHOT


def test_controls_are_neither_values_nor_triggers(rules):
    update = parse(
        rules,
        paused=True,
        reset_cache=True,
        ctrl_input={"button": ["KeyW"], "mouse": [1, -2.5]},
    )

    assert not update.values
    assert update.control.is_paused is True
    assert update.control.resets_cache is True
    assert update.control.buttons == {"KeyW"}
    assert update.control.mouse == (1.0, -2.5)


def test_none_removes(rules):
    update = parse(rules, intensity=None, paused=None, ctrl_input=None, input_mode=None)

    assert update.removed == {"intensity"}
    assert update.control.is_paused is False
    assert update.control.buttons == frozenset()


def test_initial_parameters_are_split(rules):
    load, others = rules.split({"width": "640", "model_name": None, "intensity": 0.1, "x": 1})

    assert load == {"width": 640}
    assert others == {"intensity": 0.1, "x": 1}


def test_wrong_initial_load_parameter_names_the_field(rules):
    with pytest.raises(ParameterError) as caught:
        rules.split({"width": 0})

    assert caught.value.field == "width"


SHORT_TEXT = st.text("abc1.-é", max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SHORT_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SHORT_TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = SHORT_TEXT | st.sampled_from(
    [*SampleConfig.model_fields, "prompts", "transition", "ctrl_input", "paused", "graph", "x"]
)


def field_at_fault(message):
    """Return the field that a message is refused for, or None if it is accepted."""
    try:
        RULES.parse(message)
    except ParameterError as error:
        return error.field
    return None


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_any_json_message_is_accepted_or_refused_for_one_of_its_keys(message):
    assert field_at_fault(message) in {None, *message}


@given(st.floats(0.0, 1.0))
def test_every_number_in_range_is_accepted(number):
    assert RULES.parse({"intensity": number}).values["intensity"] == number


@given(st.floats().filter(lambda number: not 0.0 <= number <= 1.0))
def test_every_number_out_of_range_is_refused(number):
    assert field_at_fault({"intensity": number}) == "intensity"
