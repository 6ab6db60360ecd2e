"""Test pattern: colour bars with a clock and the prompt, made from nothing."""

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from scope_serve.pipelines.base_schema import (
    BasePipelineConfig,
    ModeDefaults,
    input_size_field,
    ui_field_config,
)
from scope_serve.pipelines.interface import Pipeline

if TYPE_CHECKING:
    import torch

DEFAULT_FRAME_RATE = 30.0
SWEEP_S = 4.0
"""Time that the marker takes to cross the picture at speed 1."""

BARS = (
    (191, 191, 191),
    (191, 191, 0),
    (0, 191, 191),
    (0, 191, 0),
    (191, 0, 191),
    (191, 0, 0),
    (0, 0, 191),
)
"""The 75 % bars: white, yellow, cyan, green, magenta, red, blue."""


class TestPatternConfig(BasePipelineConfig):
    """Configuration of `TestPatternPipeline`."""

    pipeline_id = "test-pattern"
    pipeline_name = "Test Pattern"
    pipeline_description = "Colour bars with a running clock and the text of the prompt."
    modes: ClassVar[dict[str, ModeDefaults]] = {"text": ModeDefaults(default=True)}

    height: int = Field(
        default=360,
        ge=1,
        le=4320,
        description="Output height in pixels",
        json_schema_extra=ui_field_config(order=1, component="resolution", is_load_param=True),
    )
    width: int = Field(
        default=640,
        ge=1,
        le=7680,
        description="Output width in pixels",
        json_schema_extra=ui_field_config(order=2, component="resolution", is_load_param=True),
    )
    input_size: int | None = input_size_field(None)
    frame_rate: float = Field(
        default=DEFAULT_FRAME_RATE,
        ge=1.0,
        le=60.0,
        description="Frames per second",
        json_schema_extra=ui_field_config(order=3, label="Frame rate"),
    )
    speed: float = Field(
        default=1.0,
        ge=0.0,
        le=10.0,
        description="Speed of the moving marker; the clock is not affected",
        json_schema_extra=ui_field_config(order=4, label="Speed"),
    )


class TestPatternPipeline(Pipeline):
    """Makes one frame per call; its clock counts frames, so it shows media time."""

    def __init__(
        self,
        height: int = 360,
        width: int = 640,
        device: "torch.device | str | None" = None,
        **_: object,
    ) -> None:
        import torch

        from scope_serve.pipelines.builtin.drawing import BLACK, fill, render_text

        self._height = height
        self._width = width
        self._text_size = max(6, height // 12)
        self._bars_height = height * 2 // 3
        self._base = torch.empty((height, width, 3), dtype=torch.uint8, device=device)
        fill(self._base, (0, 0), (height, width), BLACK)
        for index, colour in enumerate(BARS):
            left, right = width * index // len(BARS), width * (index + 1) // len(BARS)
            fill(self._base, (0, left), (self._bars_height, right - left), colour)
        digit_width = max(1, round(self._text_size * 0.65))
        self._digits = {
            symbol: render_text(symbol, self._text_size, width=digit_width).to(self._base.device)
            for symbol in "0123456789:.# "
        }
        self._prompt = ""
        self._prompt_tile: torch.Tensor | None = None
        self._restart()

    @classmethod
    def get_config_class(cls) -> type[BasePipelineConfig]:
        """Return the configuration class."""
        return TestPatternConfig

    def __call__(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 -- pipeline's own
        """Return the next frame, ``(1, H, W, 3)`` uint8, and ``frame_rate``.

        ``init_cache=True`` sets the clock back to zero.
        """
        from scope_serve.pipelines.builtin.drawing import paste

        frame_rate = min(60.0, max(1.0, _number(kwargs.get("frame_rate"), DEFAULT_FRAME_RATE)))
        if kwargs.get("init_cache"):
            self._restart()
        self._show_prompt(prompt_text(kwargs.get("prompts")))
        frame = self._base.clone()
        self._draw_marker(frame)
        self._draw_clock(frame)
        if self._prompt_tile is not None:
            left = (self._width - self._prompt_tile.shape[1]) // 2
            paste(frame, self._prompt_tile, (self._bars_height // 2, left))
        self._frames += 1
        self._elapsed_s += 1.0 / frame_rate
        self._position += _number(kwargs.get("speed"), 1.0) / (frame_rate * SWEEP_S)
        return {"video": frame.unsqueeze(0), "frame_rate": frame_rate}

    def _restart(self) -> None:
        self._frames = 0
        self._elapsed_s = 0.0
        self._position = 0.0

    def _draw_marker(self, frame: "torch.Tensor") -> None:
        from scope_serve.pipelines.builtin.drawing import WHITE, fill

        size = max(1, self._width // 16)
        left = round(self._position % 1.0 * (self._width + size)) - size
        height = (self._height - self._bars_height) // 3
        fill(frame, (self._bars_height, left), (height, size), WHITE)

    def _draw_clock(self, frame: "torch.Tensor") -> None:
        from scope_serve.pipelines.builtin.drawing import paste

        text = f"{clock_text(self._elapsed_s)} #{self._frames}"
        step = self._digits["0"].shape[1]
        left = (self._width - step * len(text)) // 2
        top = self._height - self._digits["0"].shape[0] - self._height // 24
        for index, symbol in enumerate(text):
            paste(frame, self._digits[symbol], (top, left + index * step))

    def _show_prompt(self, text: str) -> None:
        if text == self._prompt:
            return
        from scope_serve.pipelines.builtin.drawing import render_text, shorten

        self._prompt = text
        self._prompt_tile = None
        if text:
            line = shorten(text, self._text_size, self._width - self._text_size)
            self._prompt_tile = render_text(line, self._text_size).to(self._base.device)


def prompt_text(prompts: object) -> str:
    """Return the texts of ``prompts`` in one line; they may be strings or have weights."""
    if prompts is None:
        return ""
    if isinstance(prompts, str):
        return prompts
    if isinstance(prompts, dict):
        return str(prompts.get("text", ""))
    if isinstance(prompts, list | tuple):
        return " + ".join(filter(None, map(prompt_text, prompts)))
    return str(prompts)


def clock_text(elapsed_s: float) -> str:
    """Return a time as minutes, seconds and hundredths: ``"01:02.50"``."""
    hundredths = round(elapsed_s * 100)
    return f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def _number(value: object, default: float) -> float:
    return default if value is None else float(str(value))
