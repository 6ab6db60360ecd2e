"""The base of nodes and the values that describe them."""

from scope_serve.pipelines.nodes import (
    BaseNode,
    Node,
    NodeDefinition,
    NodeParam,
    NodePort,
    Requirements,
)

__all__ = ["BaseNode", "Node", "NodeDefinition", "NodeParam", "NodePort", "Requirements"]
