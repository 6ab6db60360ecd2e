"""Configuration classes, those of the built-in pipelines among them."""

from scope_serve.pipelines.base_schema import BasePipelineConfig, InputMode, ModeDefaults
from scope_serve.pipelines.builtin.controller_viz import ControllerVisualizerConfig
from scope_serve.pipelines.builtin.gray import GrayConfig
from scope_serve.pipelines.builtin.passthrough import PassthroughConfig
from scope_serve.pipelines.builtin.test_pattern import TestPatternConfig

PIPELINE_CONFIGS: dict[str, type[BasePipelineConfig]] = {
    config.pipeline_id: config
    for config in (PassthroughConfig, GrayConfig, ControllerVisualizerConfig, TestPatternConfig)
}


def get_config_class(pipeline_id: str) -> type[BasePipelineConfig] | None:
    """Return the configuration class of a built-in pipeline, or None."""
    return PIPELINE_CONFIGS.get(pipeline_id)


__all__ = [
    "PIPELINE_CONFIGS",
    "BasePipelineConfig",
    "ControllerVisualizerConfig",
    "GrayConfig",
    "InputMode",
    "ModeDefaults",
    "PassthroughConfig",
    "TestPatternConfig",
    "get_config_class",
]
