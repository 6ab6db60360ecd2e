"""Choices that several diffusion pipelines share."""

from enum import Enum


class Quantization(str, Enum):  # noqa: UP042 -- plugins may rely on str(member) of Scope's class
    """How the weights of a model are stored on the GPU."""

    FP8_E4M3FN = "fp8_e4m3fn"


class VaeType(str, Enum):  # noqa: UP042 -- as above
    """Which autoencoder turns latents into pictures."""

    WAN = "wan"
    LIGHTVAE = "lightvae"
    TAE = "tae"
    LIGHTTAE = "lighttae"
