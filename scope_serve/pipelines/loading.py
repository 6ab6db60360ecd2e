"""From a descriptor to the class it stands for."""

import importlib
from typing import Any

from scope_serve.errors import PipelineLoadError
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
