"""Artifacts that several pipelines share."""

from scope_serve.pipelines.common_artifacts import (
    LIGHTTAE_ARTIFACT,
    LIGHTVAE_ARTIFACT,
    TAE_ARTIFACT,
    UMT5_ENCODER_ARTIFACT,
    VACE_14B_ARTIFACT,
    VACE_ARTIFACT,
    WAN_1_3B_ARTIFACT,
)

__all__ = [
    "LIGHTTAE_ARTIFACT",
    "LIGHTVAE_ARTIFACT",
    "TAE_ARTIFACT",
    "UMT5_ENCODER_ARTIFACT",
    "VACE_14B_ARTIFACT",
    "VACE_ARTIFACT",
    "WAN_1_3B_ARTIFACT",
]
