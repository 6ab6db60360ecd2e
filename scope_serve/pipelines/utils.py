"""Small things that diffusion pipelines need while they load."""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import yaml

from scope_serve.pipelines.enums import Quantization, VaeType

if TYPE_CHECKING:
    import torch

__all__ = [
    "ModelConfig",
    "Quantization",
    "VaeType",
    "load_model_config",
    "load_state_dict",
    "parse_jsonl_prompts",
    "print_statistics",
    "validate_resolution",
]


class ModelConfig(dict[str, Any]):
    """A mapping whose keys can also be read as attributes."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the file holds
        """Return a value by its key."""
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def load_state_dict(path: str | Path) -> "dict[str, torch.Tensor]":
    """Read the weights of a model into CPU memory.

    Args:
        path: A ``.safetensors`` file, or a checkpoint that ``torch.save`` wrote. Only tensors
            and plain containers are read; the file cannot run code.

    Raises:
        ModuleNotFoundError: The file is a ``.safetensors`` file and safetensors is not installed.
    """
    if Path(path).suffix == ".safetensors":
        safetensors = importlib.import_module("safetensors.torch")
        weights: dict[str, torch.Tensor] = safetensors.load_file(str(path))
        return weights
    torch_module = importlib.import_module("torch")
    loaded: dict[str, torch.Tensor] = torch_module.load(path, map_location="cpu", weights_only=True)
    return loaded


def load_model_config(config: object, file: str | Path) -> ModelConfig:
    """Return what a pipeline knows of its model.

    Args:
        config: What the pipeline was constructed with; its ``model_config`` wins if it has one.
        file: ``__file__`` of the pipeline's module; ``model.yaml`` lies next to it.

    Raises:
        ValueError: The file does not hold a mapping.
    """
    given = getattr(config, "model_config", None)
    if isinstance(given, Mapping):
        return ModelConfig(given)
    path = Path(file).parent / "model.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        message = f"{path.name} must hold a mapping, found {type(content).__name__}"
        raise ValueError(message)  # noqa: TRY004 -- the file is wrong, not the program
    return ModelConfig(content)


def validate_resolution(height: int, width: int, scale_factor: int) -> None:
    """Check that a model can make pictures of a size.

    Raises:
        ValueError: Height or width is not a positive multiple of ``scale_factor``.
    """
    if min(height, width) > 0 and height % scale_factor == 0 and width % scale_factor == 0:
        return
    nearest = " by ".join(
        str(max(scale_factor, round(size / scale_factor) * scale_factor))
        for size in (height, width)
    )
    message = (
        f"height and width must be positive multiples of {scale_factor}, "
        f"found {height} by {width}; the nearest size is {nearest}"
    )
    raise ValueError(message)


def parse_jsonl_prompts(path: str | Path) -> list[dict[str, Any]]:
    """Read a file with one JSON object per line; empty lines do not count.

    Raises:
        ValueError: A line is not a JSON object; the message has its number.
    """
    entries = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            message = f"line {number} is not JSON: {error}"
            raise ValueError(message) from error
        if not isinstance(entry, dict):
            message = f"line {number} is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 -- the file is wrong, not the program
        entries.append(entry)
    return entries


def print_statistics(latency_measures: Sequence[float], fps_measures: Sequence[float]) -> None:
    """Write mean, lowest and highest latency (in seconds) and frame rate to standard output."""
    for name, unit, values in (
        ("latency", "s", latency_measures),
        ("frame rate", "fps", fps_measures),
    ):
        if values:
            sys.stdout.write(
                f"{name}: mean {fmean(values):.2f} {unit}, "
                f"lowest {min(values):.2f} {unit}, highest {max(values):.2f} {unit}\n"
            )
