"""The first values of a pipeline's state."""

from scope_serve.pipelines.helpers import initialize_state_from_config

__all__ = ["initialize_state_from_config"]
