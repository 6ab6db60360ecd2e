"""Gray: the luma of the input video."""

from typing import TYPE_CHECKING, Any, ClassVar

from scope_serve.pipelines.base_schema import BasePipelineConfig, ModeDefaults, UsageType
from scope_serve.pipelines.interface import Pipeline, Requirements

if TYPE_CHECKING:
    import torch


class GrayConfig(BasePipelineConfig):
    """Configuration of `GrayPipeline`."""

    pipeline_id = "gray"
    pipeline_name = "Gray"
    pipeline_description = "Removes the colours of the input video (BT.601 luma)."
    usage: ClassVar[list[UsageType]] = [UsageType.PREPROCESSOR]
    supports_prompts = False
    modes: ClassVar[dict[str, ModeDefaults]] = {"video": ModeDefaults(default=True)}


class GrayPipeline(Pipeline):
    """Replaces every pixel by its BT.601 luma."""

    def __init__(
        self, input_size: int = 1, device: "torch.device | str | None" = None, **_: object
    ) -> None:
        self._input_size = input_size
        self._device = device

    @classmethod
    def get_config_class(cls) -> type[BasePipelineConfig]:
        """Return the configuration class."""
        return GrayConfig

    def prepare(self, **_: object) -> Requirements:
        """Ask for ``input_size`` frames."""
        return Requirements(input_size=self._input_size)

    def __call__(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 -- pipeline's own
        """Return ``video`` as ``(T, H, W, 3)`` uint8, and ``video_timestamps`` if given."""
        from scope_serve.pipelines.builtin.frames import luma, stack_frames

        output: dict[str, Any] = {"video": luma(stack_frames(kwargs["video"], self._device))}
        if "video_timestamps" in kwargs:
            output["video_timestamps"] = kwargs["video_timestamps"]
        return output
