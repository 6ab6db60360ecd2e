"""Configuration classes: what a pipeline is, takes and offers, in one place."""

from enum import Enum
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from scope_serve.pipelines.artifacts import Artifact
from scope_serve.pipelines.controller import CtrlInput
from scope_serve.pipelines.nodes import NodePort, as_ports

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

InputMode = Literal["text", "video"]
"""Whether a pipeline makes pictures from nothing but parameters, or from other pictures."""


class UsageType(str, Enum):  # noqa: UP042 -- plugins may rely on str(member) of Scope's class
    """Where in a chain a pipeline may stand, if it is not a main pipeline."""

    PREPROCESSOR = "preprocessor"
    POSTPROCESSOR = "postprocessor"


class ModeDefaults(BaseModel):
    """Values that differ from a configuration's defaults in one mode; None means "the same"."""

    model_config = ConfigDict(extra="forbid")

    default: bool = Field(default=False, description="Whether this mode is selected at first")
    height: int | None = None
    width: int | None = None
    denoising_steps: list[int] | None = None
    noise_scale: float | None = None
    noise_controller: bool | None = None
    input_size: int | None = None
    default_temporal_interpolation_steps: int | None = None

    def overrides(self) -> dict[str, Any]:
        """Return the values that differ."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"default"})


def ui_field_config(  # noqa: PLR0913 -- the signature is Scope's
    *,
    order: int | None = None,
    component: str | None = None,
    modes: list[InputMode] | None = None,
    is_load_param: bool = False,
    label: str | None = None,
    category: Literal["configuration", "input"] = "configuration",
    modulatable: bool = False,
    modulatable_min: float | None = None,
    modulatable_max: float | None = None,
) -> JsonDict:
    """Build the ``json_schema_extra`` that makes a field visible in user interfaces.

    Args:
        order: Place among the fields; lower is higher up.
        component: Complex widget that shows this field together with others.
        modes: Modes in which the field is shown; all if None.
        is_load_param: True if a new value needs a reload, False if it applies while streaming.
        label: Short name; the description becomes the tooltip.
        category: Panel: settings, or input and controls.
        modulatable: Whether the value may be driven by a beat or another signal.
        modulatable_min: Lowest value of such a drive.
        modulatable_max: Highest value of such a drive.
    """
    ui: JsonDict = {"category": category, "is_load_param": is_load_param}
    optional: JsonDict = {
        "order": order,
        "component": component,
        "modes": None if modes is None else list(modes),
        "label": label,
        "modulatable": modulatable or None,
        "modulatable_min": modulatable_min,
        "modulatable_max": modulatable_max,
    }
    ui.update({key: value for key, value in optional.items() if value is not None})
    return {"ui": ui}


def height_field(default: int = 512) -> Any:  # noqa: ANN401 -- a field of any annotation, as Field
    """Return a field for the output height."""
    return Field(default=default, ge=1, description="Output height in pixels")


def width_field(default: int = 512) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the output width."""
    return Field(default=default, ge=1, description="Output width in pixels")


def denoising_steps_field(default: list[int] | None = None) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the timesteps of a diffusion model."""
    return Field(default=default, description="Denoising timesteps, from noisy to clean")


def noise_scale_field(default: float | None = None) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the noise that is mixed into the input video."""
    return Field(
        default=default, ge=0.0, le=1.0, description="Noise added to the input video, 0 to 1"
    )


def noise_controller_field(
    default: bool | None = None,  # noqa: FBT001 -- the signature is Scope's
) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the automatic choice of the noise scale."""
    return Field(default=default, description="Whether motion in the input sets the noise scale")


def input_size_field(default: int | None = 1) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the frames that one call takes."""
    return Field(default=default, ge=1, description="Frames per call; null without video input")


def ref_images_field(default: list[str] | None = None) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the paths of reference images."""
    return Field(default=default, description="Paths of reference images")


def vace_context_scale_field(default: float = 1.0) -> Any:  # noqa: ANN401 -- as above
    """Return a field for the weight of VACE conditioning."""
    return Field(default=default, ge=0.0, le=2.0, description="Weight of VACE conditioning")


class BasePipelineConfig(BaseModel):
    """Base of all configuration classes.

    Class variables describe the pipeline and are overridden by plain assignment. Fields are its
    parameters; `ui_field_config` says which of them apply while streaming.
    """

    model_config = ConfigDict(extra="forbid")

    pipeline_id: ClassVar[str] = "base"
    pipeline_name: ClassVar[str] = "Base Pipeline"
    pipeline_description: ClassVar[str] = "Base of all pipeline configurations."
    pipeline_version: ClassVar[str] = "1.0.0"
    docs_url: ClassVar[str | None] = None
    estimated_vram_gb: ClassVar[float | None] = None
    requires_models: ClassVar[bool] = False
    artifacts: ClassVar[list[Artifact]] = []
    supports_lora: ClassVar[bool] = False
    supports_vace: ClassVar[bool] = False
    produces_video: ClassVar[bool] = True
    produces_audio: ClassVar[bool] = False
    supports_cache_management: ClassVar[bool] = False
    supports_kv_cache_bias: ClassVar[bool] = False
    supports_quantization: ClassVar[bool] = False
    min_dimension: ClassVar[int] = 1
    modified: ClassVar[bool] = False
    recommended_quantization_vram_threshold: ClassVar[float | None] = None
    usage: ClassVar[list[UsageType]] = []
    inputs: ClassVar[list[str | NodePort]] = ["video"]
    outputs: ClassVar[list[str | NodePort]] = ["video"]
    modes: ClassVar[dict[str, ModeDefaults]] = {"text": ModeDefaults(default=True)}
    supports_prompts: ClassVar[bool] = True
    default_temporal_interpolation_method: ClassVar[Literal["linear", "slerp"]] = "slerp"
    default_temporal_interpolation_steps: ClassVar[int] = 0
    default_spatial_interpolation_method: ClassVar[Literal["linear", "slerp"]] = "linear"

    height: int = height_field()
    width: int = width_field()
    manage_cache: bool = Field(default=True, description="Whether caches are reset automatically")
    base_seed: int = Field(default=42, ge=0, description="Seed of the random numbers")
    denoising_steps: list[int] | None = denoising_steps_field()
    lora_merge_strategy: Literal["permanent_merge", "runtime_peft"] | None = Field(
        default=None, description="How LoRA adapters are applied"
    )
    noise_scale: float | None = noise_scale_field()
    noise_controller: bool | None = noise_controller_field()
    input_size: int | None = input_size_field()
    ref_images: list[str] | None = ref_images_field()
    vace_context_scale: float = vace_context_scale_field()

    @classmethod
    def get_pipeline_metadata(cls) -> dict[str, Any]:
        """Return id, name, description and version."""
        return {
            "id": cls.pipeline_id,
            "name": cls.pipeline_name,
            "description": cls.pipeline_description,
            "version": cls.pipeline_version,
        }

    @classmethod
    def get_supported_modes(cls) -> list[str]:
        """Return the names of the modes, in the order of declaration."""
        return list(cls.modes)

    @classmethod
    def get_default_mode(cls) -> str:
        """Return the mode that is marked as default, else the first one."""
        for name, defaults in cls.modes.items():
            if defaults.default:
                return name
        return next(iter(cls.modes), "text")

    @classmethod
    def get_defaults_for_mode(cls, mode: str) -> dict[str, Any]:
        """Return every field's default, overlaid with what differs in ``mode``.

        A field without a default is left out; an unknown mode changes nothing.
        """
        values = {
            name: field.get_default(call_default_factory=True, validated_data={})
            for name, field in cls.model_fields.items()
            if not field.is_required()
        }
        defaults = cls.modes.get(mode)
        return values if defaults is None else values | defaults.overrides()

    def is_video_mode(self) -> bool:
        """Return whether a call takes frames."""
        return self.input_size is not None

    @classmethod
    def get_schema_with_metadata(cls) -> dict[str, Any]:
        """Return everything a client needs to offer the pipeline, ready for JSON."""
        schema = {
            **cls.get_pipeline_metadata(),
            "supported_modes": cls.get_supported_modes(),
            "default_mode": cls.get_default_mode(),
            "supports_prompts": cls.supports_prompts,
            "default_temporal_interpolation_method": cls.default_temporal_interpolation_method,
            "default_temporal_interpolation_steps": cls.default_temporal_interpolation_steps,
            "default_spatial_interpolation_method": cls.default_spatial_interpolation_method,
            "docs_url": cls.docs_url,
            "estimated_vram_gb": cls.estimated_vram_gb,
            "requires_models": cls.requires_models or bool(cls.artifacts),
            "supports_lora": cls.supports_lora,
            "supports_vace": cls.supports_vace,
            "supports_cache_management": cls.supports_cache_management,
            "supports_kv_cache_bias": cls.supports_kv_cache_bias,
            "supports_quantization": cls.supports_quantization,
            "min_dimension": cls.min_dimension,
            "recommended_quantization_vram_threshold": cls.recommended_quantization_vram_threshold,
            "modified": cls.modified,
            "produces_video": cls.produces_video,
            "produces_audio": cls.produces_audio,
            "usage": [UsageType(usage).value for usage in cls.usage],
            "inputs": [port.name for port in as_ports(cls.inputs)],
            "outputs": [port.name for port in as_ports(cls.outputs)],
            "config_schema": cls.model_json_schema(),
        }
        overrides = {name: defaults.overrides() for name, defaults in cls.modes.items()}
        if changed := {name: values for name, values in overrides.items() if values}:
            schema["mode_defaults"] = changed
        return schema
