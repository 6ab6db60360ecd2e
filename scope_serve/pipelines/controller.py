"""Keyboard and mouse state, as interactive pipelines receive it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass
class CtrlInput:
    """What the viewer holds down, and how far the mouse moved since the last call.

    Attributes:
        button: W3C ``KeyboardEvent.code`` of every key that is down (``"KeyW"``,
            ``"ShiftLeft"``), and ``"MouseLeft"``, ``"MouseMiddle"`` … for mouse buttons.
        mouse: Movement as ``(dx, dy)``, to the right and down.
    """

    button: set[str] = field(default_factory=set)
    mouse: tuple[float, float] = (0.0, 0.0)


def parse_ctrl_input(data: Mapping[str, object]) -> CtrlInput:
    """Build a `CtrlInput` from its JSON form ``{"button": [...], "mouse": [dx, dy]}``.

    Both keys may be missing or null, which means "nothing".

    Raises:
        ValueError: A key has another form.
    """
    button = data.get("button")
    if button is None:
        button = ()
    if not isinstance(button, list | tuple | set | frozenset):
        message = f"ctrl_input.button must be a list of key codes, not {type(button).__name__}"
        raise ValueError(message)  # noqa: TRY004 -- the data is wrong, not the program
    return CtrlInput(button={str(code) for code in button}, mouse=_parse_mouse(data.get("mouse")))


def _parse_mouse(mouse: object) -> tuple[float, float]:
    if mouse is None:
        return (0.0, 0.0)
    if not isinstance(mouse, list | tuple) or len(mouse) != 2:
        message = "ctrl_input.mouse must be two numbers: dx, dy"
        raise ValueError(message)
    try:
        return (float(mouse[0]), float(mouse[1]))
    except TypeError as error:
        message = "ctrl_input.mouse must be two numbers: dx, dy"
        raise ValueError(message) from error


def _w3c_to_win() -> dict[str, int]:
    codes = {
        "MouseLeft": 0x01,
        "MouseRight": 0x02,
        "MouseMiddle": 0x04,
        "MouseBack": 0x05,
        "MouseForward": 0x06,
        "Backspace": 0x08,
        "Tab": 0x09,
        "Enter": 0x0D,
        "Escape": 0x1B,
        "Space": 0x20,
        "ArrowLeft": 0x25,
        "ArrowUp": 0x26,
        "ArrowRight": 0x27,
        "ArrowDown": 0x28,
        "ShiftLeft": 0xA0,
        "ShiftRight": 0xA1,
        "ControlLeft": 0xA2,
        "ControlRight": 0xA3,
        "AltLeft": 0xA4,
        "AltRight": 0xA5,
    }
    codes |= {f"Key{letter}": ord(letter) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    codes |= {f"Digit{digit}": ord(digit) for digit in "0123456789"}
    codes |= {f"F{number}": 0x6F + number for number in range(1, 13)}
    return codes


W3C_TO_WIN: Mapping[str, int] = MappingProxyType(_w3c_to_win())
"""Windows virtual-key code of each W3C key code."""


def convert_to_win_keycodes(ctrl_input: CtrlInput) -> set[int]:
    """Return the Windows virtual-key codes of what is down; unknown keys are left out."""
    return {W3C_TO_WIN[code] for code in ctrl_input.button if code in W3C_TO_WIN}
