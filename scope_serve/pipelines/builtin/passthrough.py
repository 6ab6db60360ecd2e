"""Passthrough: the input video, unchanged."""

from typing import TYPE_CHECKING, Any, ClassVar

from scope_serve.pipelines.base_schema import (
    BasePipelineConfig,
    ModeDefaults,
    input_size_field,
)
from scope_serve.pipelines.interface import Pipeline, Requirements

if TYPE_CHECKING:
    import torch


class PassthroughConfig(BasePipelineConfig):
    """Configuration of `PassthroughPipeline`."""

    pipeline_id = "passthrough"
    pipeline_name = "Passthrough"
    pipeline_description = (
        "Returns the input video unchanged, in its own size, four pictures at a time."
    )
    supports_prompts = False
    modes: ClassVar[dict[str, ModeDefaults]] = {"video": ModeDefaults(default=True)}

    input_size: int | None = input_size_field(4)


class PassthroughPipeline(Pipeline):
    """Returns its input frames, with their timestamps."""

    def __init__(
        self, input_size: int = 4, device: "torch.device | str | None" = None, **_: object
    ) -> None:
        self._input_size = input_size
        self._device = device

    @classmethod
    def get_config_class(cls) -> type[BasePipelineConfig]:
        """Return the configuration class."""
        return PassthroughConfig

    def prepare(self, **_: object) -> Requirements:
        """Ask for ``input_size`` frames."""
        return Requirements(input_size=self._input_size)

    def __call__(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 -- pipeline's own
        """Return ``video`` as ``(T, H, W, 3)`` uint8, and ``video_timestamps`` if given."""
        from scope_serve.pipelines.builtin.frames import stack_frames

        output: dict[str, Any] = {"video": stack_frames(kwargs["video"], self._device)}
        if "video_timestamps" in kwargs:
            output["video_timestamps"] = kwargs["video_timestamps"]
        return output
