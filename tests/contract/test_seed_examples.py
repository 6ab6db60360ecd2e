"""The code of Scope's page "Pipeline Architecture" runs here as it stands there.

The imports are those of the page, on purpose; where the page says ``...`` for what is left out,
the least that runs stands instead.
"""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from scope_serve.pipelines.nodes import NodeRegistry
from tests.plugins_on_path import write_distribution


@pytest.fixture(autouse=True)
def registered_here_only(monkeypatch):
    monkeypatch.setattr(NodeRegistry, "_nodes", {})


def test_pipeline_definition():
    from scope.core.pipelines.base_schema import BasePipelineConfig
    from scope.core.pipelines.interface import Pipeline

    class Config(BasePipelineConfig):
        pipeline_id = "mine"

    class MyPipeline(Pipeline):
        @classmethod
        def get_config_class(cls) -> type["BasePipelineConfig"]:
            """Return the Pydantic config class for this pipeline."""
            return Config

        def __call__(self, **kwargs) -> dict:
            """Process video frames and return results."""
            return {"video": kwargs["video"]}

    assert MyPipeline()(video=[1]) == {"video": [1]}
    assert MyPipeline.get_config_class() is Config


def longlive_config():
    from pydantic import Field

    from scope.core.pipelines.base_schema import BasePipelineConfig, ui_field_config

    class LongLiveConfig(BasePipelineConfig):
        # Metadata (class variables)
        pipeline_id = "longlive"
        pipeline_name = "LongLive"
        pipeline_description = "A streaming autoregressive video diffusion model..."
        estimated_vram_gb = 20.0
        supports_lora = True
        supports_vace = True

        # Parameters (instance fields with validation)
        height: int = Field(
            default=320,
            ge=1,
            description="Output height in pixels",
            json_schema_extra=ui_field_config(order=4, component="resolution", is_load_param=True),
        )

        noise_scale: float = Field(
            default=0.7,
            ge=0.0,
            le=1.0,
            description="Amount of noise to add during video generation",
            json_schema_extra=ui_field_config(
                order=7, component="noise", modes=["video"], is_load_param=True
            ),
        )

    return LongLiveConfig


def test_example_configuration():
    schema = longlive_config().get_schema_with_metadata()
    assert schema["id"] == "longlive"
    assert schema["name"] == "LongLive"
    assert schema["estimated_vram_gb"] == 20.0
    assert schema["supports_lora"] is True
    assert schema["supports_vace"] is True
    properties = schema["config_schema"]["properties"]
    assert properties["height"]["minimum"] == 1
    assert properties["height"]["ui"] == {
        "category": "configuration",
        "is_load_param": True,
        "order": 4,
        "component": "resolution",
    }
    assert properties["noise_scale"]["ui"]["modes"] == ["video"]
    assert properties["noise_scale"]["maximum"] == 1.0


def test_artifacts():
    from scope.core.pipelines.artifacts import GoogleDriveArtifact, HuggingfaceRepoArtifact
    from scope.core.pipelines.base_schema import BasePipelineConfig

    class MyPipelineConfig(BasePipelineConfig):
        pipeline_id = "my-pipeline"

        artifacts = [
            HuggingfaceRepoArtifact(
                repo_id="depth-anything/Video-Depth-Anything-Small",
                files=["video_depth_anything_vits.pth"],
            ),
            GoogleDriveArtifact(
                file_id="1Smy6gY7BkS_RzCjPCbMEy-TsX8Ma5B0R",
                files=["flownet.pkl"],
                name="RIFE",
            ),
        ]

    assert MyPipelineConfig.get_schema_with_metadata()["requires_models"] is True
    assert MyPipelineConfig.artifacts[1].name == "RIFE"


def test_common_artifacts():
    from scope.core.pipelines.base_schema import BasePipelineConfig
    from scope.core.pipelines.common_artifacts import VACE_ARTIFACT, WAN_1_3B_ARTIFACT

    class MyPipelineConfig(BasePipelineConfig):
        artifacts = [WAN_1_3B_ARTIFACT, VACE_ARTIFACT]

    assert len(MyPipelineConfig.artifacts) == 2


def test_input_requirements():
    from scope.core.pipelines.interface import Pipeline, Requirements

    class MyPipeline(Pipeline):
        def prepare(self, **kwargs) -> Requirements:
            return Requirements(input_size=4)

        def __call__(self, **kwargs) -> dict:
            video = kwargs.get("video")  # List of 4 frames
            return {"video": video}

    assert MyPipeline().prepare(video=True).input_size == 4


def test_multi_mode_pipeline():
    from scope.core.pipelines.defaults import prepare_for_mode
    from scope.core.pipelines.interface import Pipeline, Requirements

    class LongLivePipeline(Pipeline):
        def __init__(self, config):
            self.components = SimpleNamespace(config=config)

        def prepare(self, **kwargs) -> Requirements | None:
            """Return input requirements based on current mode."""
            return prepare_for_mode(self.__class__, self.components.config, kwargs)

    pipeline = LongLivePipeline({"num_frame_per_block": 3, "vae_temporal_downsample_factor": 4})
    assert pipeline.prepare(video=True).input_size == 12
    assert pipeline.prepare() is None


def test_mode_system():
    from pydantic import Field

    from scope.core.pipelines.base_schema import BasePipelineConfig, ModeDefaults

    class LongLiveConfig(BasePipelineConfig):
        # Base defaults
        height: int = Field(default=320, ge=1)
        width: int = Field(default=576, ge=1)

        # Mode-specific overrides
        modes = {
            "text": ModeDefaults(default=True),
            "video": ModeDefaults(
                height=512,
                width=512,
                noise_scale=0.7,
            ),
        }

    assert LongLiveConfig.get_default_mode() == "text"
    assert LongLiveConfig.get_defaults_for_mode("text")["height"] == 320
    assert LongLiveConfig.get_defaults_for_mode("video")["height"] == 512
    assert LongLiveConfig.get_defaults_for_mode("video")["noise_scale"] == 0.7


def test_preprocessors_and_postprocessors():
    from scope.core.pipelines.base_schema import BasePipelineConfig, ModeDefaults, UsageType

    class MyPreprocessorConfig(BasePipelineConfig):
        pipeline_id = "my-preprocessor"
        pipeline_name = "My Preprocessor"
        usage = [UsageType.PREPROCESSOR]

        modes = {"video": ModeDefaults(default=True)}

    schema = MyPreprocessorConfig.get_schema_with_metadata()
    assert schema["usage"] == ["preprocessor"]
    assert schema["supported_modes"] == ["video"]


def test_field_types_for_user_interfaces():
    from typing import Literal

    from scope.core.pipelines.base_schema import BasePipelineConfig

    class Fields(BasePipelineConfig):
        toggle: bool = True
        text: str = ""
        number: float = 1.0
        select: Literal["a", "b"] = "a"

    properties = Fields.model_json_schema()["properties"]
    assert properties["toggle"]["type"] == "boolean"
    assert properties["text"]["type"] == "string"
    assert properties["number"]["type"] == "number"
    assert properties["select"]["enum"] == ["a", "b"]


def test_ui_metadata():
    from pydantic import Field

    from scope.core.pipelines.base_schema import BasePipelineConfig, ui_field_config

    class Config(BasePipelineConfig):
        height: int = Field(
            default=320,
            ge=1,
            description="Output height in pixels",
            json_schema_extra=ui_field_config(
                order=4,  # Display order (lower = higher)
                component="resolution",  # Complex component grouping
                is_load_param=True,  # Requires pipeline reload
                modes=["video"],  # Only show in video mode
                label="Height",  # Short label
                category="configuration",  # Panel placement
            ),
        )

    height = Config.model_json_schema()["properties"]["height"]
    assert height["description"] == "Output height in pixels"
    assert height["ui"] == {
        "order": 4,
        "component": "resolution",
        "is_load_param": True,
        "modes": ["video"],
        "label": "Height",
        "category": "configuration",
    }


def test_pipeline_registry():
    from scope.core.pipelines.interface import Pipeline
    from scope.core.pipelines.registry import PipelineRegistry

    config_class = longlive_config()

    class LongLivePipeline(Pipeline):
        @classmethod
        def get_config_class(cls):
            return config_class

    pipeline_class = LongLivePipeline
    PipelineRegistry.register(config_class.pipeline_id, pipeline_class)
    assert PipelineRegistry.get("longlive") is LongLivePipeline


def test_builtins_are_registered_when_the_registry_is_imported():
    code = (
        "from scope.core.pipelines.registry import PipelineRegistry\n"
        "print(*PipelineRegistry.list_pipelines())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert {"passthrough", "gray", "controller-viz", "test-pattern"} <= set(result.stdout.split())


def test_node_pipelines_register_through_the_hook(tmp_path, monkeypatch):
    write_distribution(
        tmp_path,
        "seed_plugin",
        """
from scope.core.plugins.hookspecs import hookimpl

@hookimpl
def register_pipelines(register):
    from seed_plugin_pipelines import MyCustomPipeline
    register(MyCustomPipeline)
""",
    )
    (tmp_path / "seed_plugin_pipelines.py").write_text(
        """
from scope.core.pipelines.base_schema import BasePipelineConfig
from scope.core.pipelines.interface import Pipeline

class MyConfig(BasePipelineConfig):
    pipeline_id = "my-custom"

class MyCustomPipeline(Pipeline):
    @classmethod
    def get_config_class(cls):
        return MyConfig
"""
    )
    monkeypatch.syspath_prepend(tmp_path)
    from scope.core.pipelines.registry import PipelineRegistry
    from scope.core.plugins import load_plugins

    load_plugins()
    assert PipelineRegistry.is_registered("my-custom")
