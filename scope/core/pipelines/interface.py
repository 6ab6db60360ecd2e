"""The class that a pipeline author extends."""

from scope_serve.pipelines.interface import Pipeline, Requirements

__all__ = ["Pipeline", "Requirements"]
