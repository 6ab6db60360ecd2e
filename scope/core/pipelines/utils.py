"""Small things that pipelines need while they load."""

from scope_serve.pipelines.utils import (
    Quantization,
    VaeType,
    load_model_config,
    load_state_dict,
    parse_jsonl_prompts,
    print_statistics,
    validate_resolution,
)

__all__ = [
    "Quantization",
    "VaeType",
    "load_model_config",
    "load_state_dict",
    "parse_jsonl_prompts",
    "print_statistics",
    "validate_resolution",
]
