"""The class that a pipeline author extends."""

from scope_serve.pipelines.nodes import Node, Requirements

Pipeline = Node
"""Scope's other name for `Node`: a node with a configuration class is a pipeline."""

__all__ = ["Pipeline", "Requirements"]
