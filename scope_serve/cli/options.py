"""Options that several commands share, and how their values are read."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

ABSENT = "–"  # noqa: RUF001 (a dash, as in any table)
"""Stands for a figure that there is not."""

DEFAULT_URL = "http://127.0.0.1:8000"

Url = Annotated[str, typer.Option(help="The server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
PipelineId = Annotated[
    str | None, typer.Option(metavar="ID", help="The pipeline; this or --chain is needed.")
]
ChainIds = Annotated[
    str | None,
    typer.Option("--chain", metavar="ID,ID,…", help="Several pipelines in a row, instead."),
]

_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")


def read_chain(pipeline: str | None, chain: str | None) -> tuple[str, ...]:
    """Return the pipeline ids of ``--pipeline`` or ``--chain``, of which one must be given."""
    if (pipeline is None) == (chain is None):
        message = "give either --pipeline ID or --chain ID,ID,…"
        raise typer.BadParameter(message)
    ids = [name.strip() for name in (pipeline or chain or "").split(",")]
    if not all(ids) or (pipeline is not None and len(ids) > 1):
        message = f"not a list of pipeline ids: {pipeline or chain!r}"
        raise typer.BadParameter(message)
    return tuple(ids)


def read_size(text: str) -> tuple[int, int]:
    """Return width and height of ``640x360``: even, and large enough for the barcode."""
    match = _SIZE.fullmatch(text)
    if match is None:
        message = f"{text!r} is not a size such as 640x360"
        raise typer.BadParameter(message)
    width, height = int(match[1]), int(match[2])
    if width % 2 or height % 2 or width < 320 or height < 180:
        message = f"{text}: both sides have to be even, and the size 320x180 or more"
        raise typer.BadParameter(message)
    return width, height


def read_parameters(text: str | None, prompt: str | None) -> dict[str, Any]:
    """Return the parameters of ``--params`` (JSON, or ``@file``) and ``--prompt``."""
    parameters: dict[str, Any] = {}
    if text is not None:
        parameters = _read_object(_read_file(text[1:]) if text.startswith("@") else text)
    if prompt is not None:
        if "prompts" in parameters:
            message = "--prompt and 'prompts' in --params exclude each other"
            raise typer.BadParameter(message)
        parameters["prompts"] = [{"text": prompt, "weight": 1.0}]
    return parameters


def read_counts(text: str) -> tuple[int, ...]:
    """Return the numbers of ``1,2,4``."""
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = ()
    if not counts or min(counts) < 1:
        message = f"{text!r} is not a list of numbers such as 1,2,4"
        raise typer.BadParameter(message)
    return counts


def _read_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        message = f"--params is not JSON: {error}"
        raise typer.BadParameter(message) from None
    if not isinstance(value, dict):
        message = "--params has to be a JSON object, such as '{\"intensity\": 0.5}'"
        raise typer.BadParameter(message)
    return value


def _read_file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        message = f"--params: cannot read {name}: {error.strerror}"
        raise typer.BadParameter(message) from None
