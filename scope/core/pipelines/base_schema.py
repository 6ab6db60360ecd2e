"""Configuration classes."""

from scope_serve.pipelines.base_schema import (
    BasePipelineConfig,
    CtrlInput,
    InputMode,
    ModeDefaults,
    UsageType,
    denoising_steps_field,
    height_field,
    input_size_field,
    noise_controller_field,
    noise_scale_field,
    ref_images_field,
    ui_field_config,
    vace_context_scale_field,
    width_field,
)

__all__ = [
    "BasePipelineConfig",
    "CtrlInput",
    "InputMode",
    "ModeDefaults",
    "UsageType",
    "denoising_steps_field",
    "height_field",
    "input_size_field",
    "noise_controller_field",
    "noise_scale_field",
    "ref_images_field",
    "ui_field_config",
    "vace_context_scale_field",
    "width_field",
]
