"""Makes pipeline instances, with the arguments that Scope gives to their constructors."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from scope_serve.errors import ParameterError
from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.interface import Pipeline
from scope_serve.stages.coercion import FieldRule, field_default


def config_class_of(pipeline_class: type[Pipeline]) -> type[BasePipelineConfig]:
    """Return the configuration class of a pipeline.

    Raises:
        TypeError: The class is a plain node.
    """
    config_class = pipeline_class.get_config_class()
    if config_class is None:
        message = f"{pipeline_class.__name__} has no configuration class, so it is no pipeline"
        raise TypeError(message)
    return config_class


def construct_pipeline(
    pipeline_class: type[Pipeline], load_params: Mapping[str, Any], device: torch.device
) -> Pipeline:
    """Make an instance.

    The constructor gets every field's default, overlaid with ``load_params``. If it has
    parameters of its own named ``device``, ``dtype`` or ``config``, it gets those too.

    Raises:
        ParameterError: A load parameter has a value that its field does not allow.
        Exception: Whatever the constructor raises.
    """
    config_class = config_class_of(pipeline_class)
    arguments = merge_load_parameters(config_class, load_params)
    named, takes_any = _constructor_parameters(pipeline_class)
    if "device" in named:
        arguments.setdefault("device", device)
    if "dtype" in named:
        is_cpu = device.type == "cpu"
        arguments.setdefault("dtype", torch.float32 if is_cpu else torch.bfloat16)
    if "config" in named and "config" not in arguments:
        arguments["config"] = _config_instance(config_class, arguments)
    if not takes_any:
        arguments = {name: value for name, value in arguments.items() if name in named}
    return pipeline_class(**arguments)


def merge_load_parameters(
    config_class: type[BasePipelineConfig], load_params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return every default that is not None, overlaid with ``load_params``.

    Load parameters that are fields are turned into the field's type; unknown ones stay as they
    are.

    Raises:
        ParameterError: A field does not allow the value it is given.
    """
    merged: dict[str, Any] = {}
    for name, field in config_class.model_fields.items():
        default = field_default(field)
        if default is not None:
            merged[name] = default
    for name, value in load_params.items():
        merged[name] = _checked(config_class, name, value)
    return merged


def _checked(config_class: type[BasePipelineConfig], name: str, value: object) -> object:
    field = config_class.model_fields.get(name)
    if field is None:
        return value
    try:
        return FieldRule(name, field).coerce(value)
    except ValueError as error:
        raise ParameterError(name, str(error), config_class.pipeline_id) from None


def _config_instance(
    config_class: type[BasePipelineConfig], arguments: Mapping[str, Any]
) -> BasePipelineConfig:
    fields = config_class.model_fields
    return config_class(**{name: value for name, value in arguments.items() if name in fields})


def _constructor_parameters(pipeline_class: type[Pipeline]) -> tuple[frozenset[str], bool]:
    """Return the names a constructor spells out, and whether it takes any others."""
    parameters = inspect.signature(pipeline_class).parameters.values()
    by_keyword = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    named = frozenset(item.name for item in parameters if item.kind in by_keyword)
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in parameters)
    return named, takes_any
