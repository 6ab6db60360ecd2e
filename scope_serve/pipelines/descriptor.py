"""Descriptors: what other processes know of a pipeline, without importing its code."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from scope_serve.pipelines.artifacts import GoogleDriveArtifact, HuggingfaceRepoArtifact
from scope_serve.pipelines.base_schema import UsageType
from scope_serve.pipelines.nodes import Node, schema_or_error


class PipelineDescriptor(BaseModel):
    """One pipeline, ready to be sent as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pipeline_id: str = Field(min_length=1, description="Id that sessions ask for")
    import_path: str = Field(description="Where its class is, as 'module:Class'")
    plugin_name: str | None = Field(description="Distribution it comes from; null for built-ins")
    schema_dict: dict[str, JsonValue] = Field(
        description="Metadata and parameters as clients see them, with 'plugin_name'; only "
        "id, name, description, version and 'schema_error' if the schema cannot be built"
    )
    estimated_vram_gb: float | None = Field(
        ge=0, description="GPU memory it needs; null if it needs no GPU"
    )
    usage: tuple[UsageType, ...] = Field(
        description="Where in a chain it may stand; empty for a main pipeline"
    )
    supported_modes: tuple[str, ...] = Field(min_length=1, description="Modes, as declared")
    default_mode: str = Field(description="Mode used if a session asks for none")
    artifacts: tuple[HuggingfaceRepoArtifact | GoogleDriveArtifact, ...] = Field(
        description="Files that must be on disk before it is constructed"
    )


def describe(pipeline_class: type[Node], plugin_name: str | None = None) -> PipelineDescriptor:
    """Describe a pipeline class.

    A schema that cannot be built degrades to ``schema_error`` (see `schema_or_error`).

    Raises:
        TypeError: The class is not a pipeline, or cannot be imported by name.
        ValueError: Its metadata has values of wrong types (`pydantic.ValidationError`).
    """
    config_class = pipeline_class.get_config_class()
    if config_class is None:
        message = f"{pipeline_class.__name__} has no configuration class, so it is no pipeline"
        raise TypeError(message)
    values: dict[str, Any] = {
        "pipeline_id": config_class.pipeline_id,
        "import_path": import_path_of(pipeline_class),
        "plugin_name": plugin_name,
        "schema_dict": {**schema_or_error(config_class), "plugin_name": plugin_name},
        "estimated_vram_gb": config_class.estimated_vram_gb,
        "usage": tuple(config_class.usage),
        "supported_modes": tuple(config_class.get_supported_modes()),
        "default_mode": config_class.get_default_mode(),
        "artifacts": tuple(pipeline_class.get_artifacts()),
    }
    return PipelineDescriptor.model_validate(values)


def import_path_of(pipeline_class: type) -> str:
    """Return ``"module:Class"``, which another process can import.

    Raises:
        TypeError: The class is defined inside a function.
    """
    if "<locals>" in pipeline_class.__qualname__:
        message = (
            f"{pipeline_class.__qualname__} is defined inside a function; "
            "another process cannot import it"
        )
        raise TypeError(message)
    return f"{pipeline_class.__module__}:{pipeline_class.__qualname__}"
