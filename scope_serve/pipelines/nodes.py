"""Nodes: the common base of pipelines and of everything else that a Scope plugin can register."""

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from scope_serve.pipelines.artifacts import Artifact

if TYPE_CHECKING:
    from scope_serve.pipelines.base_schema import BasePipelineConfig

logger = logging.getLogger(__name__)


class Requirements(BaseModel):
    """What a pipeline needs before its next call."""

    input_size: int = Field(description="Frames that must be waiting at every video input")


class NodePort(BaseModel):
    """One place where an edge can start or end."""

    name: str = Field(description="Name, unique among the ports of its direction")
    port_type: str = Field(
        description="video, audio, number, string, boolean, trigger or a plugin's own type"
    )
    required: bool = Field(default=True, description="Whether the node waits for this port")
    description: str = Field(default="", description="What the port carries")
    default_value: Any = Field(default=None, description="Value while nothing is connected")


class NodeParam(BaseModel):
    """One editable value of a node."""

    name: str = Field(description="Name, unique in its node")
    param_type: str = Field(description="number, string, boolean or select")
    default: Any = Field(default=None, description="Value until somebody changes it")
    description: str = Field(default="", description="What the value does")
    ui: dict[str, Any] | None = Field(
        default=None, description="Rendering hints: min, max, step, options"
    )
    convertible_to_input: bool = Field(
        default=True, description="Whether the value may come through an edge instead"
    )


class NodeDefinition(BaseModel):
    """How a node type presents itself to whoever draws graphs."""

    node_type_id: str = Field(description="Id that graphs refer to")
    display_name: str = Field(description="Name for people")
    category: str = Field(default="", description="Group in menus; 'pipeline' for pipelines")
    description: str = Field(default="", description="What the node does")
    inputs: list[NodePort] = Field(default_factory=list, description="Where edges end")
    outputs: list[NodePort] = Field(default_factory=list, description="Where edges start")
    params: list[NodeParam] = Field(default_factory=list, description="Editable values")
    continuous: bool = Field(default=False, description="Whether it runs without new inputs")
    pipeline_meta: dict[str, Any] | None = Field(
        default=None, description="Schema of the pipeline, if the node is one"
    )
    plugin_name: str | None = Field(default=None, description="Distribution it comes from")


class Node:
    """One processing step: a pipeline if it has a configuration class, else a plain node.

    Subclasses need not call ``super().__init__``: nothing here relies on it.
    """

    node_type_id: ClassVar[str] = ""

    def __init__(self, node_id: str = "", config: object = None) -> None:
        self.node_id = node_id
        self.config = config

    @classmethod
    def get_config_class(cls) -> "type[BasePipelineConfig] | None":
        """Return the class that declares parameters and metadata; None for a plain node."""
        return None

    @classmethod
    def get_definition(cls) -> NodeDefinition:
        """Return how the node presents itself, derived from its configuration class.

        Raises:
            NotImplementedError: A plain node that does not override this.
        """
        config_class = cls.get_config_class()
        if config_class is None:
            message = f"{cls.__name__} has no configuration class and must define get_definition()"
            raise NotImplementedError(message)
        inputs = as_ports(config_class.inputs)
        if config_class.supports_prompts and all(port.name != "prompts" for port in inputs):
            inputs.append(NodePort(name="prompts", port_type="string", required=False))
        return NodeDefinition(
            node_type_id=config_class.pipeline_id,
            display_name=config_class.pipeline_name,
            category="pipeline",
            description=config_class.pipeline_description,
            inputs=inputs,
            outputs=as_ports(config_class.outputs),
            pipeline_meta=schema_or_error(config_class),
        )

    @classmethod
    def get_dynamic_output_ports(cls, params: dict[str, Any]) -> set[str]:
        """Return output ports that exist only with these parameters."""
        del params
        return set()

    @classmethod
    def get_artifacts(cls) -> list[Artifact]:
        """Return the files that must be on disk before the node is constructed."""
        config_class = cls.get_config_class()
        return [] if config_class is None else list(config_class.artifacts)

    def prepare(self, **kwargs: Any) -> Requirements | None:  # noqa: ANN401 -- pipeline's own
        """Say what the next call needs; called before every call.

        Args:
            kwargs: All current runtime parameters, and ``video=True`` in video mode.

        Returns:
            How many frames to wait for, or None to be called without frames.
        """
        del kwargs
        return None

    def __call__(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 -- pipeline's own
        """Process one chunk.

        Args:
            kwargs: All current runtime parameters. In video mode ``video`` is a list of
                ``(1, H, W, 3)`` uint8 RGB tensors, as many as `prepare` asked for.

        Returns:
            ``video``: ``(T, H, W, 3)``, float in [0, 1] or uint8; other declared output ports;
            anything else is a parameter of the next pipeline. Empty if there is nothing yet.
        """
        raise NotImplementedError

    def execute(self, inputs: dict[str, Any], **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """Process one event (plain nodes only).

        Args:
            inputs: One value per input port that has one.
            kwargs: The node's parameters.

        Returns:
            One value per output port that has one.
        """
        raise NotImplementedError

    def shutdown(self) -> None:
        """Release what the node holds; it is not used afterwards."""


BaseNode = Node
"""Scope's older name for `Node`."""


def as_ports(declared: "list[str | NodePort]") -> list[NodePort]:
    """Return declared ports as `NodePort`; a bare name is a video port."""
    return [
        NodePort(name=port, port_type="video") if isinstance(port, str) else port
        for port in declared
    ]


def schema_or_error(config_class: "type[BasePipelineConfig]") -> dict[str, Any]:
    """Return the schema of a pipeline, or why there is none, in ``schema_error``.

    A field type that JSON schema cannot express must not hide the whole pipeline.
    """
    try:
        return config_class.get_schema_with_metadata()
    except Exception as error:  # the class is a plugin's
        logger.warning(
            "a pipeline has no schema",
            exc_info=error,
            extra={"pipeline_id": config_class.pipeline_id},
        )
        reason = f"{type(error).__name__}: {error}"
        return {**config_class.get_pipeline_metadata(), "schema_error": reason}


class NodeRegistry:
    """Every node class of this process, by its id.

    One table per process, because the plugin contract registers through class methods.
    """

    _nodes: ClassVar[dict[str, type[Node]]] = {}

    @classmethod
    def register(cls, node_class: type[Node]) -> None:
        """Add a class under its pipeline id or node type id; a later one replaces an earlier.

        Raises:
            ValueError: The class has neither id.
        """
        node_id = node_id_of(node_class)
        known = cls._nodes.get(node_id)
        if known is not None and known is not node_class:
            logger.warning("a node id is registered twice", extra={"node_id": node_id})
        cls._nodes[node_id] = node_class

    @classmethod
    def unregister(cls, node_id: str) -> bool:
        """Remove an id; return whether it was there."""
        return cls._nodes.pop(node_id, None) is not None

    @classmethod
    def clear(cls) -> None:
        """Remove everything."""
        cls._nodes.clear()

    @classmethod
    def get(cls, node_id: str) -> type[Node] | None:
        """Return the class with this id, if there is one."""
        return cls._nodes.get(node_id)

    @classmethod
    def is_registered(cls, node_id: str) -> bool:
        """Return whether there is a class with this id."""
        return node_id in cls._nodes

    @classmethod
    def list_node_types(cls) -> list[str]:
        """Return all ids, in the order of registration."""
        return list(cls._nodes)

    @classmethod
    def get_all_definitions(cls) -> list[NodeDefinition]:
        """Return how every node presents itself, in the order of registration."""
        return [node_class.get_definition() for node_class in cls._nodes.values()]

    @classmethod
    def chain_produces_video(cls, node_ids: list[str]) -> bool:
        """Return whether pictures leave a chain: False only if its last pipeline makes none."""
        config_class = cls._config_class(node_ids[-1]) if node_ids else None
        return config_class is None or config_class.produces_video

    @classmethod
    def chain_produces_audio(cls, node_ids: list[str]) -> bool:
        """Return whether any pipeline of a chain makes sound."""
        configs = (cls._config_class(node_id) for node_id in node_ids)
        return any(config is not None and config.produces_audio for config in configs)

    @classmethod
    def _config_class(cls, node_id: str) -> "type[BasePipelineConfig] | None":
        node_class = cls._nodes.get(node_id)
        return None if node_class is None else node_class.get_config_class()


def node_id_of(node_class: type[Node]) -> str:
    """Return the id a class registers under: its ``node_type_id``, else its pipeline id.

    Raises:
        ValueError: The class has neither.
    """
    config_class = node_class.get_config_class()
    node_id = node_class.node_type_id or (config_class.pipeline_id if config_class else "")
    if not node_id:
        message = f"{node_class.__name__} has neither a node_type_id nor a configuration class"
        raise ValueError(message)
    return node_id


class SchedulerNode(Node):
    """Scope's timer, known by name so that plugins that import it load.

    This package runs pipelines only; it never executes event nodes.
    """

    node_type_id = "scheduler"

    @classmethod
    def get_definition(cls) -> NodeDefinition:
        """Return a node with one trigger output."""
        return NodeDefinition(
            node_type_id=cls.node_type_id,
            display_name="Scheduler",
            category="timing",
            description="Fires a trigger at given times.",
            outputs=[NodePort(name="trigger", port_type="trigger")],
            continuous=True,
        )


def register_builtin_nodes() -> None:
    """Register the nodes that are not pipelines and come with this package."""
    NodeRegistry.register(SchedulerNode)
