"""The parameters of a stage that outlive its replica. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import Any

MOMENTARY = frozenset(
    {
        "ctrl_input",
        "first_frame_image",
        "images",
        "last_frame_image",
        "lora_scales",
        "reset_cache",
        "vace_ref_images",
    }
)
"""Parameters that take effect once: a replacement replica must not get them again."""


class ParameterLedger:
    """Keeps what a stage has accepted, and what it has been sent but not yet answered.

    A stage answers every message with *accepted* or *rejected*, in order. Only accepted values
    are given to a replacement replica as its initial parameters; unanswered messages are sent to
    it again.
    """

    def __init__(self, initial: Mapping[str, Any]) -> None:
        self._accepted: dict[str, Any] = dict(initial)
        self._unanswered: deque[dict[str, Any]] = deque()

    @property
    def accepted(self) -> Mapping[str, Any]:
        """The accumulated parameters that the stage runs with."""
        return self._accepted

    @property
    def unanswered(self) -> tuple[Mapping[str, Any], ...]:
        """Messages that must be sent to a replacement, oldest first."""
        return tuple(self._unanswered)

    def sent(self, parameters: Mapping[str, Any]) -> None:
        """Note a message that was sent to the stage."""
        self._unanswered.append(dict(parameters))

    def held_back(self, parameters: Mapping[str, Any]) -> None:
        """Note a message that could not be sent; merged with what already waits."""
        if self._unanswered:
            self._unanswered[-1].update(parameters)
        else:
            self._unanswered.append(dict(parameters))

    def answered(self, *, is_accepted: bool) -> None:
        """Note the stage's answer to the oldest unanswered message."""
        if not self._unanswered:
            return
        parameters = self._unanswered.popleft()
        if is_accepted:
            self._merge(parameters)

    def _merge(self, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name in MOMENTARY:
                continue
            if value is None:
                self._accepted.pop(name, None)
            else:
                self._accepted[name] = value
