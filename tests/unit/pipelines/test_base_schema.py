"""Configuration classes: schema document, modes, UI metadata."""

import json
from enum import StrEnum
from typing import Literal

import pytest
from pydantic import Field, ValidationError

from scope_serve.pipelines.artifacts import HuggingfaceRepoArtifact
from scope_serve.pipelines.base_schema import (
    BasePipelineConfig,
    ModeDefaults,
    UsageType,
    height_field,
    input_size_field,
    ui_field_config,
)
from scope_serve.pipelines.controller import CtrlInput
from scope_serve.pipelines.nodes import NodePort

SCHEMA_KEYS = [
    "id",
    "name",
    "description",
    "version",
    "supported_modes",
    "default_mode",
    "supports_prompts",
    "default_temporal_interpolation_method",
    "default_temporal_interpolation_steps",
    "default_spatial_interpolation_method",
    "docs_url",
    "estimated_vram_gb",
    "requires_models",
    "supports_lora",
    "supports_vace",
    "supports_cache_management",
    "supports_kv_cache_bias",
    "supports_quantization",
    "min_dimension",
    "recommended_quantization_vram_threshold",
    "modified",
    "produces_video",
    "produces_audio",
    "usage",
    "inputs",
    "outputs",
    "config_schema",
]


class Look(StrEnum):
    SOFT = "soft"
    HARD = "hard"


class FullConfig(BasePipelineConfig):
    pipeline_id = "full"
    pipeline_name = "Full"
    pipeline_description = "Has everything."
    pipeline_version = "2.1.0"
    docs_url = "https://example.org/full"
    estimated_vram_gb = 20.0
    artifacts = [HuggingfaceRepoArtifact(repo_id="a/b", files=["c"])]
    usage = [UsageType.PREPROCESSOR]
    inputs = ["video", NodePort(name="mask", port_type="video", required=False)]
    modes = {
        "text": ModeDefaults(default=True),
        "video": ModeDefaults(height=512, width=512, noise_scale=0.7),
    }

    height: int = height_field(320)
    width: int = Field(default=576, ge=1)
    look: Look = Field(default=Look.SOFT, json_schema_extra=ui_field_config(order=1))
    ctrl_input: CtrlInput | None = None
    tags: list[str] = Field(default_factory=lambda: ["one"])
    bit: Literal[0, 1] = 0


def test_schema_has_exactly_scopes_keys_in_scopes_order():
    assert list(BasePipelineConfig.get_schema_with_metadata()) == SCHEMA_KEYS


def test_schema_gets_mode_defaults_only_when_a_mode_differs():
    schema = FullConfig.get_schema_with_metadata()
    assert list(schema) == [*SCHEMA_KEYS, "mode_defaults"]
    assert schema["mode_defaults"] == {"video": {"height": 512, "width": 512, "noise_scale": 0.7}}


def test_schema_values_are_those_of_the_class():
    schema = FullConfig.get_schema_with_metadata()
    assert schema["id"] == "full"
    assert schema["version"] == "2.1.0"
    assert schema["docs_url"] == "https://example.org/full"
    assert schema["estimated_vram_gb"] == 20.0
    assert schema["supported_modes"] == ["text", "video"]
    assert schema["default_mode"] == "text"
    assert schema["usage"] == ["preprocessor"]
    assert schema["inputs"] == ["video", "mask"]
    assert schema["outputs"] == ["video"]


def test_schema_is_json():
    schema = FullConfig.get_schema_with_metadata()
    assert json.loads(json.dumps(schema)) == schema


def test_artifacts_imply_requires_models():
    assert FullConfig.get_schema_with_metadata()["requires_models"] is True
    assert BasePipelineConfig.get_schema_with_metadata()["requires_models"] is False


def test_base_defaults_are_scopes():
    assert BasePipelineConfig().model_dump() == {
        "height": 512,
        "width": 512,
        "manage_cache": True,
        "base_seed": 42,
        "denoising_steps": None,
        "lora_merge_strategy": None,
        "noise_scale": None,
        "noise_controller": None,
        "input_size": 1,
        "ref_images": None,
        "vace_context_scale": 1.0,
    }


@pytest.mark.parametrize(
    "values",
    [
        {"height": 0},
        {"width": 0},
        {"base_seed": -1},
        {"noise_scale": 1.1},
        {"input_size": 0},
        {"vace_context_scale": 2.1},
        {"lora_merge_strategy": "other"},
        {"unknown": 1},
    ],
)
def test_base_fields_refuse(values):
    with pytest.raises(ValidationError):
        BasePipelineConfig(**values)


def test_mode_defaults_refuse_unknown_names():
    with pytest.raises(ValidationError):
        ModeDefaults(seed=1)


def test_defaults_of_a_mode_are_overlaid_on_the_fields():
    assert FullConfig.get_defaults_for_mode("text")["height"] == 320
    video = FullConfig.get_defaults_for_mode("video")
    assert (video["height"], video["width"], video["noise_scale"]) == (512, 512, 0.7)
    assert video["base_seed"] == 42
    assert video["tags"] == ["one"]
    assert "default" not in video


def test_unknown_mode_has_the_plain_defaults():
    assert FullConfig.get_defaults_for_mode("audio")["height"] == 320


def test_default_mode_is_the_first_without_a_mark():
    class Unmarked(BasePipelineConfig):
        modes = {"video": ModeDefaults(), "text": ModeDefaults()}

    assert Unmarked.get_default_mode() == "video"
    assert Unmarked.get_supported_modes() == ["video", "text"]


def test_video_mode_depends_on_the_input_size():
    class TextOnly(BasePipelineConfig):
        input_size: int | None = input_size_field(None)

    assert BasePipelineConfig().is_video_mode()
    assert not TextOnly().is_video_mode()


def test_ui_config_always_has_category_and_load_flag():
    assert ui_field_config() == {"ui": {"category": "configuration", "is_load_param": False}}


def test_ui_config_carries_what_is_given():
    config = ui_field_config(
        order=3,
        component="noise",
        modes=["video"],
        is_load_param=True,
        label="Noise",
        category="input",
        modulatable=True,
        modulatable_min=0.1,
        modulatable_max=0.9,
    )
    assert config == {
        "ui": {
            "category": "input",
            "is_load_param": True,
            "order": 3,
            "component": "noise",
            "modes": ["video"],
            "label": "Noise",
            "modulatable": True,
            "modulatable_min": 0.1,
            "modulatable_max": 0.9,
        }
    }


def test_ui_config_keeps_order_zero():
    assert ui_field_config(order=0)["ui"]["order"] == 0


def test_ui_config_is_merged_into_the_property():
    class WithIntensity(BasePipelineConfig):
        intensity: float = Field(
            default=1.0,
            ge=0.0,
            le=1.0,
            description="How much",
            json_schema_extra=ui_field_config(order=1, label="Intensity"),
        )

    schema = WithIntensity.get_schema_with_metadata()["config_schema"]
    assert schema["properties"]["intensity"] == {
        "default": 1.0,
        "description": "How much",
        "maximum": 1.0,
        "minimum": 0.0,
        "title": "Intensity",
        "type": "number",
        "ui": {
            "category": "configuration",
            "is_load_param": False,
            "label": "Intensity",
            "order": 1,
        },
    }


def test_enum_fields_refer_to_their_options():
    schema = FullConfig.get_schema_with_metadata()["config_schema"]
    assert schema["$defs"]["Look"]["enum"] == ["soft", "hard"]
    assert schema["properties"]["bit"]["enum"] == [0, 1]
