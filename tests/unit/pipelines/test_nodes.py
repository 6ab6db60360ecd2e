"""Nodes: definitions, and the table of all nodes."""

import pytest

from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.nodes import (
    Node,
    NodeDefinition,
    NodeParam,
    NodePort,
    NodeRegistry,
    SchedulerNode,
)


class MaskConfig(BasePipelineConfig):
    pipeline_id = "mask"
    pipeline_name = "Mask"
    pipeline_description = "Masks."
    outputs = ["video", NodePort(name="masks", port_type="video")]


class MaskPipeline(Node):
    def __init__(self, **kwargs):
        pass

    @classmethod
    def get_config_class(cls):
        return MaskConfig


class SilentConfig(BasePipelineConfig):
    pipeline_id = "sound"
    produces_video = False
    produces_audio = True


class SoundPipeline(Node):
    @classmethod
    def get_config_class(cls):
        return SilentConfig


class Unspeakable:
    """JSON schema has no word for it."""


class OpaqueConfig(BasePipelineConfig):
    model_config = {"arbitrary_types_allowed": True}

    pipeline_id = "opaque"
    thing: Unspeakable | None = None


class OpaquePipeline(Node):
    @classmethod
    def get_config_class(cls):
        return OpaqueConfig


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch):
    monkeypatch.setattr(NodeRegistry, "_nodes", {})


def test_definition_of_a_pipeline_comes_from_its_configuration():
    definition = MaskPipeline.get_definition()
    assert definition.node_type_id == "mask"
    assert definition.display_name == "Mask"
    assert definition.category == "pipeline"
    assert definition.params == []
    assert [(port.name, port.port_type) for port in definition.inputs] == [
        ("video", "video"),
        ("prompts", "string"),
    ]
    assert [port.name for port in definition.outputs] == ["video", "masks"]
    assert definition.pipeline_meta["id"] == "mask"


def test_definition_has_scopes_keys():
    assert list(NodeDefinition.model_fields) == [
        "node_type_id",
        "display_name",
        "category",
        "description",
        "inputs",
        "outputs",
        "params",
        "continuous",
        "pipeline_meta",
        "plugin_name",
    ]
    assert NodePort(name="a", port_type="number").model_dump() == {
        "name": "a",
        "port_type": "number",
        "required": True,
        "description": "",
        "default_value": None,
    }
    assert NodeParam(name="a", param_type="number").model_dump() == {
        "name": "a",
        "param_type": "number",
        "default": None,
        "description": "",
        "ui": None,
        "convertible_to_input": True,
    }


def test_schema_that_cannot_be_built_leaves_the_pipeline_listed():
    meta = OpaquePipeline.get_definition().pipeline_meta
    assert list(meta) == ["id", "name", "description", "version", "schema_error"]
    assert "Unspeakable" in meta["schema_error"]


def test_plain_node_must_define_itself():
    class Plain(Node):
        node_type_id = "plain"

    with pytest.raises(NotImplementedError):
        Plain.get_definition()


def test_node_does_nothing_by_default():
    node = Node("n1", {"a": 1})
    assert (node.node_id, node.config) == ("n1", {"a": 1})
    assert Node.get_config_class() is None
    assert Node.get_artifacts() == []
    assert Node.get_dynamic_output_ports({}) == set()
    assert node.prepare(video=True) is None
    node.shutdown()
    with pytest.raises(NotImplementedError):
        node()
    with pytest.raises(NotImplementedError):
        node.execute({})


def test_registry_uses_the_pipeline_id_or_the_node_type():
    NodeRegistry.register(MaskPipeline)
    NodeRegistry.register(SchedulerNode)
    assert NodeRegistry.list_node_types() == ["mask", "scheduler"]
    assert NodeRegistry.get("mask") is MaskPipeline
    assert NodeRegistry.is_registered("scheduler")
    assert [one.node_type_id for one in NodeRegistry.get_all_definitions()] == ["mask", "scheduler"]


def test_registry_replaces_a_duplicate_and_says_so(caplog):
    class OtherMask(MaskPipeline):
        pass

    NodeRegistry.register(MaskPipeline)
    NodeRegistry.register(MaskPipeline)
    assert caplog.records == []
    NodeRegistry.register(OtherMask)
    assert NodeRegistry.get("mask") is OtherMask
    assert [record.node_id for record in caplog.records] == ["mask"]


def test_registry_unregisters_and_clears():
    NodeRegistry.register(MaskPipeline)
    assert NodeRegistry.unregister("mask") is True
    assert NodeRegistry.unregister("mask") is False
    NodeRegistry.register(MaskPipeline)
    NodeRegistry.clear()
    assert NodeRegistry.list_node_types() == []


def test_registry_refuses_a_class_without_an_id():
    with pytest.raises(ValueError, match="neither"):
        NodeRegistry.register(Node)


def test_only_the_last_pipeline_decides_whether_there_is_video():
    NodeRegistry.register(MaskPipeline)
    NodeRegistry.register(SoundPipeline)
    assert NodeRegistry.chain_produces_video(["sound", "mask"])
    assert not NodeRegistry.chain_produces_video(["mask", "sound"])
    assert NodeRegistry.chain_produces_video([])
    assert NodeRegistry.chain_produces_video(["unknown"])


def test_any_pipeline_decides_whether_there_is_audio():
    NodeRegistry.register(MaskPipeline)
    NodeRegistry.register(SoundPipeline)
    assert NodeRegistry.chain_produces_audio(["sound", "mask"])
    assert not NodeRegistry.chain_produces_audio(["mask"])
