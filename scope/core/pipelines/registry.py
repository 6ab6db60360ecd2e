"""The registry of pipelines. Importing it registers everything that is installed."""

from scope_serve.pipelines.registry import PipelineRegistry, load_pipelines

load_pipelines()

__all__ = ["PipelineRegistry"]
