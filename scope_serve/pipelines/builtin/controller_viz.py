"""Controller visualizer: shows which keys are down and where the mouse moves."""

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from scope_serve.pipelines.base_schema import (
    BasePipelineConfig,
    CtrlInput,
    ModeDefaults,
    height_field,
    input_size_field,
    ui_field_config,
    width_field,
)
from scope_serve.pipelines.interface import Pipeline

if TYPE_CHECKING:
    import torch

    from scope_serve.pipelines.builtin.drawing import Colour

FRAME_RATE = 30
BACKGROUND: "Colour" = (18, 18, 24)
KEY_UP: "Colour" = (60, 60, 72)
KEY_DOWN: "Colour" = (46, 160, 67)
PAD: "Colour" = (36, 36, 44)
POINTER: "Colour" = (255, 255, 255)
POINTER_PRESSED: "Colour" = (255, 170, 0)
KEYS = {"KeyW": ("W", 0, 1), "KeyA": ("A", 1, 0), "KeyS": ("S", 1, 1), "KeyD": ("D", 1, 2)}
"""Letter, row and column of every key that is drawn."""


class ControllerVisualizerConfig(BasePipelineConfig):
    """Configuration of `ControllerVisualizerPipeline`."""

    pipeline_id = "controller-viz"
    pipeline_name = "Controller Visualizer"
    pipeline_description = "Draws the state of the W, A, S and D keys and of the mouse."
    supports_prompts = False
    modes: ClassVar[dict[str, ModeDefaults]] = {"text": ModeDefaults(default=True)}

    height: int = height_field(512)
    width: int = width_field(512)
    input_size: int | None = input_size_field(None)
    ctrl_input: CtrlInput | None = Field(default=None, description="Keys and mouse of the viewer")
    mouse_sensitivity: float = Field(
        default=1.0,
        ge=0.0,
        le=100.0,
        description="Pixels that the pointer moves per unit of mouse movement",
        json_schema_extra=ui_field_config(order=1, label="Mouse sensitivity"),
    )


class ControllerVisualizerPipeline(Pipeline):
    """Draws four keys on the left and a pad with a pointer on the right."""

    def __init__(
        self,
        height: int = 512,
        width: int = 512,
        device: "torch.device | str | None" = None,
        **_: object,
    ) -> None:
        import torch

        self._height = height
        self._width = width
        self._unit = max(1, min(height // 3, width // 8))
        self._pad_size = (2 * self._unit, 3 * self._unit)
        self._pointer = (0.5, 0.5)
        base = torch.zeros((height, width, 3), dtype=torch.uint8, device=device)
        self._tiles = {
            (code, pressed): self._key_tile(letter, KEY_DOWN if pressed else KEY_UP).to(base.device)
            for code, (letter, _row, _column) in KEYS.items()
            for pressed in (False, True)
        }
        self._base = self._draw_base(base)

    @classmethod
    def get_config_class(cls) -> type[BasePipelineConfig]:
        """Return the configuration class."""
        return ControllerVisualizerConfig

    def __call__(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 -- pipeline's own
        """Return one frame of the current state, ``(1, H, W, 3)`` uint8."""
        from scope_serve.pipelines.builtin.drawing import fill, paste

        state = kwargs.get("ctrl_input") or CtrlInput()
        sensitivity = kwargs.get("mouse_sensitivity")
        self._move(state, 1.0 if sensitivity is None else float(sensitivity))
        frame = self._base.clone()
        for code in KEYS.keys() & state.button:
            paste(frame, self._tiles[code, True], self._key_corner(code))
        size = max(1, self._unit // 5)
        fill(
            frame,
            self._pointer_corner(size),
            (size, size),
            POINTER_PRESSED if "MouseLeft" in state.button else POINTER,
        )
        return {"video": frame.unsqueeze(0), "frame_rate": FRAME_RATE}

    def _move(self, state: CtrlInput, sensitivity: float) -> None:
        rows, columns = self._pad_size
        self._pointer = (
            min(1.0, max(0.0, self._pointer[0] + state.mouse[0] * sensitivity / columns)),
            min(1.0, max(0.0, self._pointer[1] + state.mouse[1] * sensitivity / rows)),
        )

    def _draw_base(self, base: "torch.Tensor") -> "torch.Tensor":
        from scope_serve.pipelines.builtin.drawing import fill, paste

        fill(base, (0, 0), (self._height, self._width), BACKGROUND)
        for code in KEYS:
            paste(base, self._tiles[code, False], self._key_corner(code))
        fill(base, self._pad_corner(), self._pad_size, PAD)
        return base

    def _key_tile(self, letter: str, colour: "Colour") -> "torch.Tensor":
        import torch

        from scope_serve.pipelines.builtin.drawing import fill, paste, render_text

        side = max(1, round(self._unit * 0.9))
        tile = torch.empty((side, side, 3), dtype=torch.uint8)
        fill(tile, (0, 0), (side, side), colour)
        text = render_text(letter, max(1, side // 2))
        lit = text.amax(dim=-1, keepdim=True) > 127
        top, left = (side - text.shape[0]) // 2, (side - text.shape[1]) // 2
        if top >= 0 and left >= 0:
            under = tile[top : top + text.shape[0], left : left + text.shape[1]]
            paste(tile, torch.where(lit, text, under), (top, left))
        return tile

    def _key_corner(self, code: str) -> tuple[int, int]:
        _letter, row, column = KEYS[code]
        return self._pad_corner()[0] + row * self._unit, self._unit // 2 + column * self._unit

    def _pad_corner(self) -> tuple[int, int]:
        return (self._height - 2 * self._unit) // 2, self._width // 2 + self._unit // 2

    def _pointer_corner(self, size: int) -> tuple[int, int]:
        top, left = self._pad_corner()
        return (
            top + round(self._pointer[1] * (self._pad_size[0] - size)),
            left + round(self._pointer[0] * (self._pad_size[1] - size)),
        )
