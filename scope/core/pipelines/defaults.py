"""Rules that pipelines with a text and a video mode share."""

from scope_serve.pipelines.defaults import (
    INPUT_MODE_TEXT,
    INPUT_MODE_VIDEO,
    apply_mode_defaults_to_state,
    calculate_video_input_size,
    extract_load_params,
    get_pipeline_config,
    handle_mode_transition,
    prepare_for_mode,
    resolve_input_mode,
)

__all__ = [
    "INPUT_MODE_TEXT",
    "INPUT_MODE_VIDEO",
    "apply_mode_defaults_to_state",
    "calculate_video_input_size",
    "extract_load_params",
    "get_pipeline_config",
    "handle_mode_transition",
    "prepare_for_mode",
    "resolve_input_mode",
]
