"""The registry of all nodes."""

from scope_serve.pipelines.nodes import NodeRegistry

__all__ = ["NodeRegistry"]
