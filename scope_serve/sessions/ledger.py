"""The parameters of a stage that outlive its replica. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from scope_serve.errors import InvalidRequestError

MOMENTARY = frozenset(
    {
        "ctrl_input",
        "first_frame_image",
        "images",
        "last_frame_image",
        "reset_cache",
        "vace_ref_images",
    }
)
"""Parameters that take effect once: a replacement replica must not get them again."""

MAX_IN_FLIGHT = 32
MAX_WAITING = 32
MAX_NAMES = 1024


class ParameterLedger:
    """Keeps what a stage has accepted, what it was sent, and what waits to be sent.

    A stage answers every message with *accepted* or *rejected*, in order. Only accepted values
    are given to a replacement replica as its initial parameters; what it did not answer is sent
    again. Nothing is lost: when more than `MAX_WAITING` messages wait, the newest are merged.
    """

    def __init__(self, initial: Mapping[str, Any]) -> None:
        self._accepted: dict[str, Any] = dict(initial)
        self._names = set(initial)
        self._in_flight: deque[dict[str, Any]] = deque()
        self._waiting: deque[dict[str, Any]] = deque()

    @property
    def accepted(self) -> Mapping[str, Any]:
        """The accumulated parameters that the stage runs with."""
        return self._accepted

    def add(self, parameters: Mapping[str, Any]) -> None:
        """Add a message to those that wait.

        Raises:
            InvalidRequestError: The client has used too many different names.
        """
        if len(self._names | parameters.keys()) > MAX_NAMES:
            raise InvalidRequestError(f"more than {MAX_NAMES} different parameters")
        self._names |= parameters.keys()
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(dict(parameters))
        else:
            self._waiting[-1].update(parameters)

    def take(self) -> Mapping[str, Any] | None:
        """Return the next message to send; None while too many are unanswered, or none waits."""
        if not self._waiting or len(self._in_flight) >= MAX_IN_FLIGHT:
            return None
        parameters = self._waiting.popleft()
        self._in_flight.append(parameters)
        return parameters

    def withdraw(self) -> None:
        """Forget the message that was taken last: it cannot be sent."""
        self._in_flight.pop()

    def answered(self, *, is_accepted: bool) -> None:
        """Note the stage's answer to the oldest unanswered message."""
        if not self._in_flight:
            return
        parameters = self._in_flight.popleft()
        if is_accepted:
            self._merge(parameters)

    def started(self) -> None:
        """Note that a replica has begun with the accepted parameters."""
        for name in MOMENTARY & self._accepted.keys():
            del self._accepted[name]

    def lost(self) -> None:
        """Note that the replica is gone: what it did not answer waits for the next."""
        self._waiting.extendleft(reversed(self._in_flight))
        self._in_flight.clear()

    def _merge(self, parameters: Mapping[str, Any]) -> None:
        if "prompts" in parameters:
            self._accepted.pop("transition", None)  # new prompts end it, as in the stage
        for name, value in parameters.items():
            if name in MOMENTARY:
                continue
            if name == "lora_scales" and value is not None:
                self._accepted[name] = _joined(self._accepted.get(name), value)
            elif value is not None:
                self._accepted[name] = value
            elif name != "input_mode":  # a stage has always one
                self._accepted.pop(name, None)


def _joined(known: list[dict[str, Any]] | None, changed: list[dict[str, Any]]) -> list[Any]:
    """Return the strength of every adapter; each stays until it is changed."""
    by_path = {each["path"]: each for each in known or []}
    return list((by_path | {each["path"]: each for each in changed}).values())
