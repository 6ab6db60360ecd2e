"""Keyboard and mouse state."""

import pytest

from scope_serve.pipelines.controller import (
    W3C_TO_WIN,
    CtrlInput,
    convert_to_win_keycodes,
    parse_ctrl_input,
)


def test_json_form_is_parsed():
    state = parse_ctrl_input({"button": ["KeyW", "KeyW", "MouseLeft"], "mouse": [1, -2.5]})
    assert state == CtrlInput(button={"KeyW", "MouseLeft"}, mouse=(1.0, -2.5))


@pytest.mark.parametrize("data", [{}, {"button": None, "mouse": None}, {"button": []}])
def test_nothing_is_nothing(data):
    assert parse_ctrl_input(data) == CtrlInput(button=set(), mouse=(0.0, 0.0))


@pytest.mark.parametrize(
    "data",
    [
        {"button": "KeyW"},
        {"button": 3},
        {"mouse": [1]},
        {"mouse": 1},
        {"mouse": ["a", "b"]},
        {"mouse": [None, 1]},
    ],
)
def test_other_forms_are_refused(data):
    with pytest.raises(ValueError, match=r"ctrl_input|could not convert"):
        parse_ctrl_input(data)


def test_states_share_no_buttons():
    CtrlInput().button.add("KeyW")
    assert CtrlInput().button == set()


@pytest.mark.parametrize(
    ("w3c", "win"),
    [
        ("KeyW", 87),
        ("KeyA", 65),
        ("Digit0", 48),
        ("Space", 32),
        ("ShiftLeft", 160),
        ("AltRight", 165),
        ("ArrowLeft", 37),
        ("Escape", 27),
        ("MouseRight", 2),
        ("F12", 123),
    ],
)
def test_windows_codes(w3c, win):
    assert W3C_TO_WIN[w3c] == win


def test_unknown_keys_have_no_windows_code():
    assert convert_to_win_keycodes(CtrlInput(button={"KeyW", "KeyD", "Unknown"})) == {87, 68}
