"""Checks parameter messages, and sorts what they ask for into kinds.

A message is one JSON object, but its keys are of different kinds: values that stay, triggers
that reach one call, and controls that the stage acts on itself. From here on they are apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from scope_serve.errors import LoadParameterError, ParameterError
from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.stages.coercion import FieldRule, describe, found, require_finite
from scope_serve.stages.well_known import (
    ALWAYS_WELL_KNOWN,
    NOT_FOR_PIPELINES,
    ONE_SHOT,
    RESERVED,
    WellKnownParameters,
)


@dataclass(frozen=True, slots=True)
class ControlChange:
    """What a message asks of the stage itself.

    Attributes:
        is_paused: Whether to stop or go on calling the pipeline, or None for no change.
        resets_cache: Whether the next call has ``init_cache=True``.
        buttons: What the viewer holds down now, or None if the message does not say.
        mouse: How far the mouse moved, to be added to what was not delivered yet.
    """

    is_paused: bool | None = None
    resets_cache: bool = False
    buttons: frozenset[str] | None = None
    mouse: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ParameterUpdate:
    """One valid message.

    Attributes:
        values: Runtime parameters that hold until they are changed.
        triggers: Parameters for exactly one call.
        removed: Parameters to forget.
        control: What the stage itself shall do.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    triggers: Mapping[str, Any] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    control: ControlChange = field(default_factory=ControlChange)


class ParameterRules:
    """Checks parameters against one configuration class."""

    def __init__(self, config_class: type[BasePipelineConfig]) -> None:
        self.pipeline_id = config_class.pipeline_id
        self._modes = config_class.get_supported_modes()
        self._fields = {
            name: FieldRule(name, declared) for name, declared in config_class.model_fields.items()
        }

    def split(self, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Split initial parameters into load parameters, checked, and all others, unchecked.

        Raises:
            ParameterError: A load parameter has a value that is not allowed.
        """
        load = {name: value for name, value in parameters.items() if self._is_load(name)}
        others = {name: value for name, value in parameters.items() if name not in load}
        checked = {
            name: self._check_field(name, value)
            for name, value in load.items()
            if value is not None
        }
        return checked, others

    def parse(self, message: Mapping[str, Any]) -> ParameterUpdate:
        """Check a whole message.

        Raises:
            LoadParameterError: It has a parameter that needs a new pipeline instance.
            ParameterError: It has a value that is not allowed.
        """
        relevant = {key: value for key, value in message.items() if key not in NOT_FOR_PIPELINES}
        removed = {name for name, value in relevant.items() if value is None}
        for name in relevant:
            self._check_name(name)
        checked = {
            name: self._check(name, value)
            for name, value in relevant.items()
            if name not in removed
        }
        control = _control(checked, removed)
        triggers = {name: checked.pop(name) for name in ONE_SHOT & checked.keys()}
        return ParameterUpdate(checked, triggers, frozenset(removed), control)

    def check_mode(self, mode: object) -> None:
        """Check an input mode.

        Raises:
            ParameterError: The pipeline does not have it.
        """
        if mode not in self._modes:
            offered = ", ".join(repr(name) for name in self._modes)
            raise ParameterError(
                "input_mode", f"must be one of {offered}; found {found(mode)}", self.pipeline_id
            )

    def _is_load(self, name: str) -> bool:
        rule = self._fields.get(name)
        return rule is not None and rule.is_load_parameter and name not in ALWAYS_WELL_KNOWN

    def _check_name(self, name: object) -> None:
        if not isinstance(name, str):
            reason = "the name of a parameter must be a string"
            raise ParameterError(str(name), reason, self.pipeline_id)
        if name in RESERVED:
            raise ParameterError(name, "only the server sets it", self.pipeline_id)
        if self._is_load(name):
            reason = "it applies when the pipeline is loaded and cannot change while streaming"
            raise LoadParameterError(name, reason, self.pipeline_id)

    def _check(self, name: str, value: object) -> object:
        if name == "input_mode":
            self.check_mode(value)
            return value
        if name in self._fields and name not in ALWAYS_WELL_KNOWN:
            return self._check_field(name, value)
        try:
            require_finite(value)
            if name not in WellKnownParameters.model_fields:
                return value
            known = WellKnownParameters.model_validate({name: value})
        except ValidationError as error:
            reason = f"{describe(error).removeprefix(f'{name}: ')}; found {found(value)}"
            raise ParameterError(name, reason, self.pipeline_id) from None
        except ValueError as error:
            raise ParameterError(name, str(error), self.pipeline_id) from None
        return known.model_dump(include={name})[name]

    def _check_field(self, name: str, value: object) -> object:
        try:
            return self._fields[name].coerce(value)
        except ValueError as error:
            raise ParameterError(name, str(error), self.pipeline_id) from None


def _control(checked: dict[str, Any], removed: set[str]) -> ControlChange:
    """Move what the stage acts on itself out of a message."""
    controller = checked.pop("ctrl_input", None)
    if "ctrl_input" in removed:
        controller = {"button": [], "mouse": (0.0, 0.0)}
    is_paused = checked.pop("paused", None)
    if "paused" in removed:
        is_paused = False
    removed -= {"ctrl_input", "paused", "reset_cache", "input_mode"}
    return ControlChange(
        is_paused=is_paused,
        resets_cache=checked.pop("reset_cache", False),
        buttons=None if controller is None else frozenset(controller["button"]),
        mouse=(0.0, 0.0) if controller is None else controller["mouse"],
    )
