"""Turns a value that a client sent into one that a field of a configuration class accepts."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast

from annotated_types import Ge, Gt, Le, Lt
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.fields import FieldInfo

_LOAD_FIELDS_WITHOUT_UI = frozenset({"height", "width", "lora_merge_strategy"})
_FOUND_LIMIT = 80


class FieldRule:
    """What one field accepts, and when it may change.

    Attributes:
        name: The field's name.
        is_load_parameter: Whether a new value needs a new pipeline instance.
    """

    def __init__(self, name: str, field: FieldInfo) -> None:
        self.name = name
        self.is_load_parameter = _is_load_parameter(name, field)
        self._adapter = _adapter(field)
        self._allowed = _allowed(field)

    def coerce(self, value: object) -> Any:  # noqa: ANN401 -- the type is the field's
        """Return ``value`` as the field's type.

        User interfaces send the choice of a select box as a string, so ``"1"`` is accepted where
        only ``1`` is allowed.

        Raises:
            ValueError: The field does not accept it; the message says what was found and, if it
                can be told, what is allowed.
        """
        try:
            coerced = self._adapter.validate_python(value)
        except ValidationError as error:
            coerced = self._coerce_text(value, error)
        require_finite(coerced)
        return coerced

    def _coerce_text(self, value: object, error: ValidationError) -> object:
        for candidate in _readings(value):
            try:
                return self._adapter.validate_python(candidate)
            except ValidationError:
                continue
        raise ValueError(f"{describe(error)}{self._allowed}; found {found(value)}")


def field_default(field: FieldInfo) -> object:
    """Return the declared default, or None if there is none."""
    if field.is_required():
        return None
    return field.get_default(call_default_factory=True, validated_data={})


def describe(error: ValidationError) -> str:
    """Return what pydantic wanted, with the place inside the value if it is not the whole."""
    problems = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"][:1].lower() + problem["msg"][1:]
        problems.append(f"{place}: {message}" if place else message)
    return " or ".join(dict.fromkeys(problems))


def found(value: object) -> str:
    """Return a value as it may stand in a message."""
    text = repr(value)
    return text if len(text) <= _FOUND_LIMIT else f"{text[:_FOUND_LIMIT]}…"


def require_finite(value: object) -> None:
    """Check every number inside ``value``.

    Raises:
        ValueError: One is infinite or not a number.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"numbers must be finite; found {value}")
    elif isinstance(value, Mapping):
        for item in value.values():
            require_finite(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            require_finite(item)


def _readings(value: object) -> Iterator[object]:
    if not isinstance(value, str):
        return
    for read in (int, float):
        try:
            yield read(value)
        except (ValueError, OverflowError):
            continue
    if value.lower() in {"true", "false"}:
        yield value.lower() == "true"


def _is_load_parameter(name: str, field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    ui = extra.get("ui") if isinstance(extra, Mapping) else None
    if isinstance(ui, Mapping):
        return ui.get("is_load_param") is True
    return name in _LOAD_FIELDS_WITHOUT_UI


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = field.annotation
    if field.metadata:
        annotation = cast("Any", Annotated)[(annotation, *field.metadata)]
    try:
        return TypeAdapter(annotation)
    except PydanticSchemaGenerationError:
        # A type that only a plugin understands; its pipeline has to check the value itself.
        return TypeAdapter(Any)


def _allowed(field: FieldInfo) -> str:
    signs = {Ge: ("≥", "ge"), Gt: (">", "gt"), Le: ("≤", "le"), Lt: ("<", "lt")}
    limits = [
        f"{sign} {getattr(item, attribute)}"
        for item in field.metadata
        for kind, (sign, attribute) in signs.items()
        if isinstance(item, kind)
    ]
    return f" (allowed: {', '.join(limits)})" if limits else ""
