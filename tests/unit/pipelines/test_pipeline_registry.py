"""The pipeline view of the registry, descriptors, and from a descriptor to its class."""

import json

import pytest
from pydantic import Field, ValidationError

from scope_serve.errors import PipelineLoadError, PipelineNotFoundError
from scope_serve.pipelines.artifacts import GoogleDriveArtifact, HuggingfaceRepoArtifact
from scope_serve.pipelines.base_schema import BasePipelineConfig, ModeDefaults, UsageType
from scope_serve.pipelines.descriptor import PipelineDescriptor, describe
from scope_serve.pipelines.interface import Pipeline
from scope_serve.pipelines.loading import load_pipeline_class
from scope_serve.pipelines.nodes import Node, NodeRegistry, SchedulerNode
from scope_serve.pipelines.registry import PipelineCatalog, PipelineRegistry, load_pipelines


class BlurConfig(BasePipelineConfig):
    pipeline_id = "blur"
    pipeline_name = "Blur"
    pipeline_description = "Blurs."
    estimated_vram_gb = 1.5
    usage = [UsageType.POSTPROCESSOR]
    modes = {"video": ModeDefaults(default=True, height=256)}
    artifacts = [
        HuggingfaceRepoArtifact(repo_id="a/b", files=["c"]),
        GoogleDriveArtifact(file_id="x", name="y"),
    ]

    radius: int = Field(default=3, ge=1)
    kernel: str | None = None
    taps: list[int] = Field(default_factory=lambda: [1, 2, 1])
    required: int = Field(ge=1)


class BlurPipeline(Pipeline):
    @classmethod
    def get_config_class(cls):
        return BlurConfig


class Unspeakable:
    """JSON schema has no word for it."""


class OpaqueConfig(BasePipelineConfig):
    model_config = {"arbitrary_types_allowed": True}

    pipeline_id = "opaque-thing"
    thing: Unspeakable | None = None


class OpaquePipeline(Pipeline):
    @classmethod
    def get_config_class(cls):
        return OpaqueConfig


@pytest.fixture
def empty_registry(monkeypatch):
    monkeypatch.setattr(NodeRegistry, "_nodes", {})


def test_registering_under_the_own_id(empty_registry):
    PipelineRegistry.register(BlurConfig.pipeline_id, BlurPipeline)
    assert PipelineRegistry.get("blur") is BlurPipeline
    assert PipelineRegistry.is_registered("blur")
    assert PipelineRegistry.get_config_class("blur") is BlurConfig
    assert PipelineRegistry.list_pipelines() == ["blur"]
    assert NodeRegistry.get("blur") is BlurPipeline


def test_registering_under_another_id_is_refused(empty_registry):
    with pytest.raises(ValueError, match="'blur'"):
        PipelineRegistry.register("sharpen", BlurPipeline)
    with pytest.raises(ValueError, match="None"):
        PipelineRegistry.register("node", Node)


def test_plain_nodes_are_no_pipelines(empty_registry):
    NodeRegistry.register(SchedulerNode)
    assert PipelineRegistry.list_pipelines() == []
    assert PipelineRegistry.get("scheduler") is None
    assert PipelineRegistry.get_config_class("scheduler") is None
    assert PipelineRegistry.unregister("scheduler") is False
    assert NodeRegistry.is_registered("scheduler")


def test_unregistering(empty_registry):
    PipelineRegistry.register("blur", BlurPipeline)
    assert PipelineRegistry.unregister("blur") is True
    assert PipelineRegistry.unregister("blur") is False


def test_builtins_are_loaded_through_the_entry_point(empty_registry):
    catalog = load_pipelines()
    builtin = {one.pipeline_id: one for one in catalog.descriptors if one.plugin_name is None}
    assert list(builtin) == ["passthrough", "gray", "controller-viz", "test-pattern"]
    assert set(builtin) <= set(PipelineRegistry.list_pipelines())
    assert NodeRegistry.is_registered("scheduler")


def test_loading_twice_gives_the_same_and_warns_of_nothing(empty_registry, caplog):
    assert load_pipelines() == load_pipelines()
    assert [record for record in caplog.records if "twice" in record.message] == []


def test_descriptor_says_what_the_class_says():
    descriptor = describe(BlurPipeline, "scope-blur")
    assert descriptor.pipeline_id == "blur"
    assert descriptor.import_path == f"{__name__}:BlurPipeline"
    assert descriptor.plugin_name == "scope-blur"
    assert descriptor.schema_dict["plugin_name"] == "scope-blur"
    assert list(descriptor.schema_dict)[-1] == "plugin_name"
    assert descriptor.estimated_vram_gb == 1.5
    assert descriptor.usage == (UsageType.POSTPROCESSOR,)
    assert descriptor.supported_modes == ("video",)
    assert descriptor.default_mode == "video"
    assert [type(one) for one in descriptor.artifacts] == [
        HuggingfaceRepoArtifact,
        GoogleDriveArtifact,
    ]


def test_descriptor_travels_as_json():
    descriptor = describe(BlurPipeline)
    text = descriptor.model_dump_json()
    assert json.loads(text)["usage"] == ["postprocessor"]
    assert PipelineDescriptor.model_validate_json(text) == descriptor


def test_descriptor_cannot_be_changed_or_extended():
    descriptor = describe(BlurPipeline)
    with pytest.raises(ValidationError):
        descriptor.pipeline_id = "other"
    with pytest.raises(ValidationError):
        PipelineDescriptor(**descriptor.model_dump(), surprise=1)


def test_descriptor_without_a_schema_says_why():
    schema = describe(OpaquePipeline, "scope-opaque").schema_dict
    assert list(schema) == [
        "id",
        "name",
        "description",
        "version",
        "schema_error",
        "plugin_name",
    ]
    assert schema["plugin_name"] == "scope-opaque"


def test_class_inside_a_function_cannot_be_described():
    class Hidden(BlurPipeline):
        pass

    with pytest.raises(TypeError, match="inside a function"):
        describe(Hidden)


def test_plain_node_cannot_be_described():
    with pytest.raises(TypeError, match="no pipeline"):
        describe(SchedulerNode)


def test_catalog_finds_by_id():
    catalog = PipelineCatalog((describe(BlurPipeline),), ())
    assert catalog.get("blur").pipeline_id == "blur"
    with pytest.raises(PipelineNotFoundError, match="'blur'"):
        catalog.get("sharpen")


def test_pipelines_with_vram_need_a_gpu():
    blur, opaque = describe(BlurPipeline), describe(OpaquePipeline)
    catalog = PipelineCatalog((blur, opaque), ())
    assert catalog.runnable(has_gpu=False) == (opaque,)
    assert catalog.runnable(has_gpu=True) == (blur, opaque)


def test_import_path_leads_back_to_the_class():
    assert load_pipeline_class(describe(BlurPipeline).import_path) is BlurPipeline


@pytest.mark.parametrize(
    ("import_path", "reason"),
    [
        ("no_such_module:Thing", "no_such_module"),
        (f"{__name__}:Missing", "Missing"),
        (f"{__name__}:BlurConfig", "not a pipeline class"),
        ("nothing", "nothing"),
    ],
)
def test_wrong_import_path_is_a_load_error(import_path, reason):
    with pytest.raises(PipelineLoadError, match=reason):
        load_pipeline_class(import_path)
