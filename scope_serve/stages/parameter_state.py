"""The parameters of one session as they stand, and as its next call gets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from scope_serve.pipelines.controller import parse_ctrl_input
from scope_serve.stages.parameters import ParameterUpdate
from scope_serve.stages.well_known import ALWAYS_PRESENT


@dataclass(frozen=True, slots=True)
class CallParameters:
    """What one call gets.

    Attributes:
        keywords: Keyword arguments for the pipeline.
        is_video_mode: Whether the session has video input.
        version: Grows with every update; two equal versions have equal parameters.
        triggers: The part of ``keywords`` that no other call gets.
        mouse: The mouse movement in ``keywords``.
    """

    keywords: Mapping[str, Any]
    is_video_mode: bool
    version: int
    triggers: Mapping[str, Any]
    mouse: tuple[float, float]


class ParameterState:
    """Accumulates updates: the last value of a parameter counts. Not thread-safe.

    `snapshot` shows what the next call gets; `commit` says that it got it. Updates that arrive
    in between are for the call after it.

    Attributes:
        is_paused: Whether the client paused the session.
        version: Grows with every update.
    """

    def __init__(self) -> None:
        self.is_paused = False
        self.version = 0
        self._values: dict[str, Any] = {}
        self._triggers: dict[str, Any] = {}
        self._buttons: frozenset[str] | None = None
        self._mouse = (0.0, 0.0)
        self._prompts_reached: Any = None

    @property
    def is_video_mode(self) -> bool:
        """Whether the session has video input."""
        return self._values.get("input_mode") == "video"

    def apply(self, update: ParameterUpdate) -> None:
        """Merge an update."""
        self.version += 1
        for name in update.removed:
            self._values.pop(name, None)
            self._triggers.pop(name, None)
        if "prompts" in update.values or "prompts" in update.removed:
            self._values.pop("transition", None)
            self._prompts_reached = None
        self._values.update(update.values)
        self._triggers.update(update.triggers)
        control = update.control
        if control.is_paused is not None:
            self.is_paused = control.is_paused
        if control.buttons is not None:
            self._buttons = control.buttons
        self._mouse = _sum(self._mouse, control.mouse)

    def snapshot(self) -> CallParameters:
        """Return what a call that is prepared now gets."""
        triggers = dict(self._triggers)
        keywords = {**ALWAYS_PRESENT, **self._values, **triggers}
        if self._buttons is not None:
            state = {"button": sorted(self._buttons), "mouse": self._mouse}
            keywords["ctrl_input"] = parse_ctrl_input(state)
        return CallParameters(keywords, self.is_video_mode, self.version, triggers, self._mouse)

    def commit(self, delivered: CallParameters) -> None:
        """Forget what must not reach a second call."""
        for name, value in delivered.triggers.items():
            if self._triggers.get(name) is value:
                del self._triggers[name]
        self._mouse = _sum(self._mouse, (-delivered.mouse[0], -delivered.mouse[1]))

    def end_transition(self, delivered: CallParameters) -> None:
        """Forget the transition that a call got, because it is over."""
        given = delivered.keywords.get("transition")
        if given is not None and self._values.get("transition") is given:
            self._prompts_reached = self._values.pop("transition")["target_prompts"]

    def replay(self) -> dict[str, Any]:
        """Return a message that brings another instance into this state.

        It has only JSON types, no triggers, and the prompts that a finished transition led to.
        """
        message: dict[str, Any] = dict(self._values)
        if self._prompts_reached is not None:
            message["prompts"] = self._prompts_reached
        if self.is_paused:
            message["paused"] = True
        if self._buttons is not None:
            message["ctrl_input"] = {"button": sorted(self._buttons), "mouse": (0.0, 0.0)}
        jsonable: dict[str, Any] = to_jsonable_python(message, fallback=lambda value: value)
        return jsonable


def _sum(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return (first[0] + second[0], first[1] + second[1])
