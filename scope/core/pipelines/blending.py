"""Blending of prompt embeddings."""

from scope_serve.pipelines.blending import (
    EmbeddingBlender,
    TransitionConfig,
    blend_embeddings,
    parse_transition_config,
    slerp,
)

__all__ = [
    "EmbeddingBlender",
    "TransitionConfig",
    "blend_embeddings",
    "parse_transition_config",
    "slerp",
]
