"""Reads a Serve config and checks it before anything is started."""

import difflib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ray.serve.schema import ServeDeploySchema

from scope_serve.errors import ConfigError
from scope_serve.pipelines.registry import load_pipelines
from scope_serve.serving.args import GatewayArgs, PipelineArgs

_BUILDERS: dict[str, type[BaseModel]] = {
    "scope_serve.app:build_gateway": GatewayArgs,
    "scope_serve.app:build_pipeline": PipelineArgs,
}


def default_config_path() -> Path:
    """Return ``deployments/local.yaml``: of the source tree, or as installed with the package."""
    spec = importlib.util.find_spec("scope_serve")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    in_tree = package.parent / "deployments" / "local.yaml"
    return in_tree if in_tree.exists() else package / "deployments" / "local.yaml"


def read_config(path: Path) -> dict[str, Any]:
    """Return the Serve config in ``path``.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or would be refused by Serve or by the
            builders of this package.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the config {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file") from error
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path} is not a Serve config: a mapping with 'applications' is wanted")
    check_config(config, where=str(path))
    return config


def check_config(config: Mapping[str, Any], *, where: str) -> None:
    """Raise `ConfigError`, naming the key, if ``config`` cannot be deployed."""
    _validate(ServeDeploySchema, config, where)
    applications = config["applications"]
    if not applications:
        raise ConfigError(f"{where}: 'applications' is empty: there is nothing to deploy")
    for number, application in enumerate(applications):
        name = application.get("name", f"applications[{number}]")
        arguments = _BUILDERS.get(application["import_path"])
        if arguments is not None:
            found = application.get("args") or {}
            _validate(arguments, found, f"{where}: application {name!r}: args")
    _check_pipelines(applications, where)


def _check_pipelines(applications: Sequence[Mapping[str, Any]], where: str) -> None:
    """Refuse two applications of one pipeline: sessions would be placed on one of them only."""
    owners: dict[str, str] = {}
    for application in applications:
        if _BUILDERS.get(application["import_path"]) is not PipelineArgs:
            continue
        name, pipeline = application.get("name"), application["args"]["pipeline"]
        if pipeline in owners:
            found = f"{owners[pipeline]!r} and {name!r} both serve pipeline {pipeline!r}"
            raise ConfigError(f"{where}: applications {found}; raise 'replicas' of one instead")
        owners[pipeline] = str(name)


def check_installed(config: Mapping[str, Any], *, where: str) -> None:
    """Raise `ConfigError` if a pipeline of ``config`` is not installed in this environment.

    Applications with a ``runtime_env`` are left out: they run in an environment of their own.
    """
    installed = load_pipelines().pipeline_ids
    for application in config["applications"]:
        if _BUILDERS.get(application["import_path"]) is not PipelineArgs:
            continue
        pipeline = application["args"]["pipeline"]
        if pipeline in installed or application.get("runtime_env"):
            continue
        nearest = difflib.get_close_matches(pipeline, installed, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"installed: {', '.join(installed)}"
        name = application.get("name")
        raise ConfigError(
            f"{where}: application {name!r}: pipeline {pipeline!r} is not installed; {hint}"
        )


def application_names(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the applications of a checked config, in order."""
    return [str(application.get("name", "default")) for application in config["applications"]]


def _validate(model: type[BaseModel], value: object, where: str) -> None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        found = "; ".join(_describe(each, sorted(model.model_fields)) for each in error.errors())
        raise ConfigError(f"{where}: {found}") from error


def _describe(error: ErrorDetails, known: Sequence[str]) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(top level)"
    if error["type"] != "extra_forbidden":
        return f"{key}: {error['msg']}"
    nearest = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known keys: {', '.join(known)}"
    return f"{key}: there is no such key; {hint}"
