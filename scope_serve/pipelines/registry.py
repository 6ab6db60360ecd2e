"""The registry of pipelines, and how it is filled from installed plugins.

Importing this module registers nothing; `load_pipelines` does.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scope_serve.errors import PipelineNotFoundError
from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.descriptor import PipelineDescriptor, describe
from scope_serve.pipelines.inputs import InputSource, InputSourceRegistry
from scope_serve.pipelines.nodes import Node, NodeRegistry, node_id_of, register_builtin_nodes
from scope_serve.plugins.discovery import DiscoveredPlugin, FailedPluginInfo, discover_plugins

if TYPE_CHECKING:
    from scope_serve.pipelines.interface import Pipeline

logger = logging.getLogger(__name__)


class PipelineRegistry:
    """The pipelines among the registered nodes."""

    @classmethod
    def register(cls, pipeline_id: str, pipeline_class: "type[Pipeline]") -> None:
        """Add a pipeline class under its own id.

        Raises:
            ValueError: The class is no pipeline, or its configuration has another id.
        """
        config_class = pipeline_class.get_config_class()
        own_id = None if config_class is None else config_class.pipeline_id
        if own_id != pipeline_id:
            message = (
                f"{pipeline_class.__name__} cannot be registered as {pipeline_id!r}: "
                f"the pipeline id of its configuration is {own_id!r}"
            )
            raise ValueError(message)
        NodeRegistry.register(pipeline_class)

    @classmethod
    def get(cls, pipeline_id: str) -> "type[Pipeline] | None":
        """Return the class with this id, if there is one."""
        node_class = NodeRegistry.get(pipeline_id)
        if node_class is None or node_class.get_config_class() is None:
            return None
        return node_class

    @classmethod
    def unregister(cls, pipeline_id: str) -> bool:
        """Remove an id; return whether it was there."""
        return cls.is_registered(pipeline_id) and NodeRegistry.unregister(pipeline_id)

    @classmethod
    def is_registered(cls, pipeline_id: str) -> bool:
        """Return whether there is a pipeline with this id."""
        return cls.get(pipeline_id) is not None

    @classmethod
    def get_config_class(cls, pipeline_id: str) -> type[BasePipelineConfig] | None:
        """Return the configuration class of a pipeline, if there is one with this id."""
        pipeline_class = cls.get(pipeline_id)
        return None if pipeline_class is None else pipeline_class.get_config_class()

    @classmethod
    def list_pipelines(cls) -> list[str]:
        """Return all ids, in the order of registration."""
        return [name for name in NodeRegistry.list_node_types() if cls.is_registered(name)]


@dataclass(frozen=True, slots=True)
class PipelineCatalog:
    """What the installed plugins offer.

    Attributes:
        descriptors: Every pipeline; built-ins first, then by distribution.
        failed: Plugins that were left out, and why.
    """

    descriptors: tuple[PipelineDescriptor, ...]
    failed: tuple[FailedPluginInfo, ...]

    @property
    def pipeline_ids(self) -> tuple[str, ...]:
        """The ids, in the order of the descriptors."""
        return tuple(descriptor.pipeline_id for descriptor in self.descriptors)

    def get(self, pipeline_id: str) -> PipelineDescriptor:
        """Return the descriptor with this id.

        Raises:
            PipelineNotFoundError: There is none.
        """
        for descriptor in self.descriptors:
            if descriptor.pipeline_id == pipeline_id:
                return descriptor
        raise PipelineNotFoundError(pipeline_id, self.pipeline_ids)

    def runnable(self, *, has_gpu: bool) -> tuple[PipelineDescriptor, ...]:
        """Return the pipelines that hardware with or without a GPU can run.

        A pipeline needs a GPU if, and only if, it says how much of its memory it takes.
        """
        return tuple(one for one in self.descriptors if has_gpu or one.estimated_vram_gb is None)


@dataclass(slots=True)
class _Intake:
    """Checks what plugins register, and keeps it; all of a plugin or nothing."""

    descriptors: list[PipelineDescriptor] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)

    def accept(self, plugin: DiscoveredPlugin) -> None:
        classes = [_checked(registered) for registered in plugin.classes]
        nodes = [each for each in classes if issubclass(each, Node)]
        self._check_ids(plugin.package_name, nodes)
        described = [
            describe(node, plugin.plugin_name)
            for node in nodes
            if node.get_config_class() is not None
        ]
        for node in nodes:
            NodeRegistry.register(node)
            self.owners[node_id_of(node)] = plugin.package_name
        for each in classes:
            if issubclass(each, InputSource):
                InputSourceRegistry.register(each)
        self.descriptors += described

    def _check_ids(self, package_name: str, nodes: Iterable[type[Node]]) -> None:
        seen = dict(self.owners)
        for node in nodes:
            node_id = node_id_of(node)
            if node_id in seen:
                message = f"the id {node_id!r} is already taken by {seen[node_id]!r}"
                raise ValueError(message)
            seen[node_id] = package_name


def _checked(registered: object) -> type[Node] | type[InputSource]:
    if not isinstance(registered, type):
        message = f"only classes can be registered, not {registered!r}"
        raise TypeError(message)
    if issubclass(registered, InputSource):
        if not registered.source_id:
            message = f"the input source {registered.__name__} has no source_id"
            raise ValueError(message)
        return registered
    if not issubclass(registered, Node):
        message = f"{registered.__name__} extends neither Pipeline nor Node nor InputSource"
        raise TypeError(message)
    config_class: object = registered.get_config_class()
    if config_class is not None and not (
        isinstance(config_class, type) and issubclass(config_class, BasePipelineConfig)
    ):
        message = f"the configuration class of {registered.__name__} is no BasePipelineConfig"
        raise TypeError(message)
    return registered


def load_pipelines() -> PipelineCatalog:
    """Register what all installed plugins offer, the built-ins of this package among them.

    Idempotent: plugins are asked again, their modules stay imported.

    Raises:
        ConfigError: This package itself is not installed, so there are no built-ins.
    """
    register_builtin_nodes()
    intake = _Intake()
    failed = discover_plugins(intake.accept)
    return PipelineCatalog(tuple(intake.descriptors), failed)
