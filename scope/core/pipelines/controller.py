"""Keyboard and mouse state."""

from scope_serve.pipelines.controller import (
    W3C_TO_WIN,
    CtrlInput,
    convert_to_win_keycodes,
    parse_ctrl_input,
)

__all__ = ["W3C_TO_WIN", "CtrlInput", "convert_to_win_keycodes", "parse_ctrl_input"]
