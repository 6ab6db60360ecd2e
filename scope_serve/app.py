"""What ``import_path`` in a Serve config points at.

``scope_serve.app:build_gateway`` is the API with its session hosts, and
``scope_serve.app:build_pipeline``
one pipeline; a config has the first once and the second once per pipeline.
"""

from scope_serve.serving.args import GatewayArgs, PipelineArgs
from scope_serve.serving.builders import build_gateway, build_pipeline

__all__ = ["GatewayArgs", "PipelineArgs", "build_gateway", "build_pipeline"]
