"""Input sources of plugins."""

from scope_serve.pipelines.inputs import InputSource, InputSourceInfo, get_input_source_classes

__all__ = ["InputSource", "InputSourceInfo", "get_input_source_classes"]
