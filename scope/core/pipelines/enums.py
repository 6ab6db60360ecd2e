"""Choices that several pipelines share."""

from scope_serve.pipelines.enums import Quantization, VaeType

__all__ = ["Quantization", "VaeType"]
