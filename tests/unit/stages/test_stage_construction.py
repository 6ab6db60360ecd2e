from typing import ClassVar, Literal

import pytest
import torch
from pydantic import Field

from scope_serve.errors import ParameterError
from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.enums import VaeType
from scope_serve.pipelines.interface import Pipeline
from scope_serve.stages.construction import config_class_of, construct_pipeline

CPU = torch.device("cpu")


class MakeConfig(BasePipelineConfig):
    pipeline_id = "make"

    vae: VaeType = VaeType.WAN
    level: Literal[0, 1] = 0
    names: list[str] = Field(default_factory=lambda: ["a"])
    nothing: str | None = None


class Made(Pipeline):
    @classmethod
    def get_config_class(cls):
        return MakeConfig


class TakesAnything(Made):
    def __init__(self, **kwargs):
        self.given = kwargs


class SpellsOut(Made):
    def __init__(self, height, *, level, device=None, dtype=None):
        self.given = (height, level, device, dtype)


class WantsConfig(Made):
    def __init__(self, config, **kwargs):
        self.config = config
        self.given = kwargs


class HasNoConstructor(Made):
    pass


class NeedsName(Made):
    class Config(MakeConfig):
        name: str
        artifacts: ClassVar = []

    @classmethod
    def get_config_class(cls):
        return cls.Config

    def __init__(self, **kwargs):
        self.given = kwargs


def test_constructor_gets_every_default_that_is_not_none():
    made = construct_pipeline(TakesAnything, {}, CPU)

    assert made.given == {
        "height": 512,
        "width": 512,
        "manage_cache": True,
        "base_seed": 42,
        "input_size": 1,
        "vace_context_scale": 1.0,
        "vae": VaeType.WAN,
        "level": 0,
        "names": ["a"],
    }


def test_default_lists_are_not_shared():
    first = construct_pipeline(TakesAnything, {}, CPU)
    second = construct_pipeline(TakesAnything, {}, CPU)

    assert first.given["names"] is not second.given["names"]


def test_load_parameters_are_coerced_and_unknown_ones_pass():
    load_params = {"vae": "tae", "level": "1", "width": 64.0, "vace_enabled": True}

    given = construct_pipeline(TakesAnything, load_params, CPU).given

    assert given["vae"] is VaeType.TAE
    assert given["level"] == 1
    assert given["width"] == 64
    assert given["vace_enabled"] is True


def test_none_overrides_a_default_where_the_field_allows_it():
    given = construct_pipeline(TakesAnything, {"input_size": None}, CPU).given

    assert given["input_size"] is None


def test_wrong_load_parameter_names_the_field():
    with pytest.raises(ParameterError) as caught:
        construct_pipeline(TakesAnything, {"height": None}, CPU)

    assert caught.value.field == "height"
    assert caught.value.pipeline_id == "make"


def test_named_device_and_type_are_given_and_the_rest_left_out():
    made = construct_pipeline(SpellsOut, {"unknown": 1}, CPU)

    assert made.given == (512, 0, CPU, torch.float32)


def test_half_precision_is_for_gpus():
    made = construct_pipeline(SpellsOut, {}, torch.device("cuda:1"))

    assert made.given[2:] == (torch.device("cuda:1"), torch.bfloat16)


def test_named_config_is_an_instance_of_the_configuration_class():
    made = construct_pipeline(WantsConfig, {"width": 64, "extra": 1}, CPU)

    assert made.config == MakeConfig(width=64)
    assert made.given["extra"] == 1


def test_class_without_a_constructor_works():
    assert construct_pipeline(HasNoConstructor, {"width": 64}, CPU).config.width == 64


def test_field_without_default_comes_from_the_load_parameters():
    assert "name" not in construct_pipeline(NeedsName, {}, CPU).given
    assert construct_pipeline(NeedsName, {"name": "n"}, CPU).given["name"] == "n"


def test_plain_node_is_no_pipeline():
    with pytest.raises(TypeError, match="has no configuration class"):
        config_class_of(Pipeline)
