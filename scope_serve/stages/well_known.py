"""The parameters that every pipeline may get, whatever its configuration class declares."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

InterpolationMethod = Literal["linear", "slerp"]


def _as_prompt_list(value: object) -> object:
    """Read ``"text"``, ``["text", …]`` and a single prompt as the full form."""
    if isinstance(value, str | Mapping):
        value = [value]
    if isinstance(value, list | tuple):
        return [{"text": item} if isinstance(item, str) else item for item in value]
    return value


class _Part(BaseModel):
    """A part of a message; keys that only a plugin knows are kept."""

    model_config = ConfigDict(extra="allow")


class Prompt(_Part):
    """One text that the picture shall show."""

    text: str = Field(description="What to show")
    weight: float = Field(default=1.0, ge=0.0, description="Share among the prompts")


PromptList = Annotated[list[Prompt], BeforeValidator(_as_prompt_list)]


class Transition(_Part):
    """A gradual change to other prompts."""

    target_prompts: PromptList = Field(description="Prompts at the end of the change")
    num_steps: int = Field(default=4, ge=0, description="Calls that the change takes")
    temporal_interpolation_method: InterpolationMethod = Field(
        default="linear", description="How prompts are mixed on the way"
    )


class LoraScale(_Part):
    """A new strength for a LoRA adapter that is already loaded."""

    path: str = Field(description="File that the adapter was loaded from")
    scale: float = Field(ge=-10.0, le=10.0, description="Strength; 0 switches it off")


class ControllerState(_Part):
    """What the viewer holds down, and how far the mouse moved since the last message."""

    button: list[str] = Field(default_factory=list, description="W3C codes of what is down")
    mouse: tuple[float, float] = Field(default=(0.0, 0.0), description="Right and down")


class WellKnownParameters(BaseModel):
    """Scope's own parameters. A message has any subset of them."""

    model_config = ConfigDict(extra="forbid")

    input_mode: str = ""
    prompts: PromptList = []
    prompt_interpolation_method: InterpolationMethod = "linear"
    transition: Transition | None = None
    noise_scale: float = Field(default=0.0, ge=0.0, le=1.0)
    noise_controller: bool = False
    denoising_step_list: list[int] = Field(default=[], min_length=1)
    manage_cache: bool = True
    kv_cache_attention_bias: float = Field(default=1.0, ge=0.01, le=1.0)
    vace_enabled: bool = False
    vace_use_input_video: bool = False
    vace_context_scale: float = Field(default=1.0, ge=0.0, le=2.0)
    vace_ref_images: list[str] = []
    images: list[str] | str = []
    first_frame_image: str = ""
    last_frame_image: str = ""
    lora_scales: list[LoraScale] = []
    ctrl_input: ControllerState = ControllerState()
    paused: bool = False
    reset_cache: bool = False


ALWAYS_WELL_KNOWN = frozenset(
    {
        "input_mode", "prompts", "prompt_interpolation_method", "transition", "lora_scales",
        "ctrl_input", "paused", "reset_cache",
    }
)  # fmt: skip
"""Parameters whose form is Scope's even if a configuration class declares such a field. A field
``ctrl_input``, for one, only says that the pipeline wants it."""

ALWAYS_PRESENT: Mapping[str, Any] = {
    "prompt_interpolation_method": "linear",
    "vace_context_scale": 1.0,
}
"""Parameters that every call gets, sent or not."""

ONE_SHOT = frozenset(
    {"vace_ref_images", "images", "first_frame_image", "last_frame_image", "lora_scales"}
)
"""Parameters that reach exactly one call."""

NOT_FOR_PIPELINES = frozenset(
    {
        "node_id", "output_sinks", "input_source", "modulations", "quantize_mode", "lookahead_ms",
        "beat_cache_reset_rate", "pipeline_ids", "graph", "_quantized",
    }
)  # fmt: skip
"""Parameters meant for a server, never for a pipeline."""

RESERVED = frozenset({"self", "video", "video_timestamps", "init_cache"})
"""Names of arguments that only the stage itself gives to a pipeline."""
