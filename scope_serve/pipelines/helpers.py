"""The first values of a diffusion pipeline's state."""

from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.defaults import SupportsSet

COPIED_FIELDS = (
    "height",
    "width",
    "base_seed",
    "manage_cache",
    "noise_scale",
    "noise_controller",
    "vace_context_scale",
)


def initialize_state_from_config(
    state: SupportsSet, config: object, pipeline_config: BasePipelineConfig
) -> None:
    """Store the values that a generation starts with.

    Args:
        state: Written to.
        config: What the pipeline was constructed with; an attribute it lacks is taken from
            ``pipeline_config``.
        pipeline_config: The pipeline's defaults.
    """
    state.set("current_start_frame", 0)
    for name in COPIED_FIELDS:
        state.set(name, getattr(config, name, getattr(pipeline_config, name)))
    if pipeline_config.denoising_steps is not None:
        state.set("denoising_step_list", pipeline_config.denoising_steps)
