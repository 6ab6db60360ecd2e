"""Small pipelines whose pictures show what they were told."""

from typing import Annotated, ClassVar

import torch
from pydantic import AfterValidator, Field

from scope_serve.pipelines.base_schema import BasePipelineConfig, ModeDefaults, ui_field_config
from scope_serve.pipelines.interface import Pipeline, Requirements


def _explode(value):
    raise LookupError(value)


class DimmerConfig(BasePipelineConfig):
    pipeline_id = "dimmer"
    modes: ClassVar = {"video": ModeDefaults(default=True), "text": ModeDefaults()}

    gain: float = Field(default=1.0, ge=0.0, le=1.0, json_schema_extra=ui_field_config())
    trap: Annotated[str, AfterValidator(_explode)] = Field(
        default="", json_schema_extra=ui_field_config()
    )
    model_name: str = Field(default="small", json_schema_extra=ui_field_config(is_load_param=True))


class Dimmer(Pipeline):
    """Multiplies pictures with ``gain``; without pictures it makes 0.5 * ``gain``, without end."""

    calls: ClassVar[int] = 0

    @classmethod
    def get_config_class(cls):
        return DimmerConfig

    def __init__(self, model_name="small", **_):
        if model_name == "broken":
            raise RuntimeError("no such weights")

    def prepare(self, **kwargs):
        return Requirements(input_size=1) if "video" in kwargs else None

    def __call__(self, *, video=None, gain=1.0, video_timestamps=None, **_):
        type(self).calls += 1
        if gain == 0.125:
            raise ArithmeticError("one eighth")
        if video is None:
            return {"video": torch.full((1, 32, 64, 3), 0.5 * gain)}
        pictures = torch.cat(video).float() / 255.0 * gain
        return {"video": pictures, "video_timestamps": video_timestamps}
