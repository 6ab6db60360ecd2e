"""From a descriptor to an instance: importing the class and collecting its arguments."""

import importlib
from collections.abc import Mapping
from typing import Any

from scope_serve.errors import PipelineLoadError
from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.nodes import Node


def load_pipeline_class(import_path: str) -> type[Node]:
    """Import a pipeline class.

    Args:
        import_path: ``"module:Class"``, as in `PipelineDescriptor.import_path`.

    Raises:
        PipelineLoadError: There is no such class, or its module cannot be imported.
    """
    module_name, _, class_path = import_path.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for name in class_path.split("."):
            found = getattr(found, name)
    except Exception as error:  # importing runs the plugin's code
        reason = f"{type(error).__name__}: {error}"
        raise PipelineLoadError(import_path, reason) from error
    if not (isinstance(found, type) and issubclass(found, Node)):
        raise PipelineLoadError(import_path, "it is not a pipeline class")
    return found


def construction_kwargs(
    config_class: type[BasePipelineConfig], load_params: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """Return the keyword arguments that a pipeline is constructed with.

    Args:
        config_class: Its configuration class.
        load_params: What the deployment sets. Also keys that are no fields are passed on.

    Returns:
        Every default that is not None, overridden by ``load_params``. Values are not converted.
    """
    defaults = {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in config_class.model_fields.items()
        if not field.is_required()
    }
    given = {name: value for name, value in defaults.items() if value is not None}
    return {**given, **(load_params or {})}
