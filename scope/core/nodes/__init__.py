"""Nodes, and the registry of all of them."""

from scope.core.nodes.base import (
    BaseNode,
    Node,
    NodeDefinition,
    NodeParam,
    NodePort,
    Requirements,
)
from scope_serve.pipelines.nodes import NodeRegistry, SchedulerNode, register_builtin_nodes

__all__ = [
    "BaseNode",
    "Node",
    "NodeDefinition",
    "NodeParam",
    "NodePort",
    "NodeRegistry",
    "Requirements",
    "SchedulerNode",
    "register_builtin_nodes",
]
