"""A plugin written for Scope, installed by pip, runs here without a change."""

import json
import os
import subprocess
import sys

import pytest
import torch

from scope_serve.pipelines.loading import load_pipeline_class
from scope_serve.pipelines.nodes import NodeRegistry
from scope_serve.pipelines.registry import load_pipelines
from scope_serve.stages.construction import construct_pipeline
from tests.plugins_on_path import installed_plugin


@pytest.fixture
def catalog(monkeypatch):
    monkeypatch.setattr(NodeRegistry, "_nodes", {})
    monkeypatch.syspath_prepend(installed_plugin("scope_plugin_invert"))
    return load_pipelines()


def construct(catalog, pipeline_id, **load_params):
    pipeline_class = load_pipeline_class(catalog.get(pipeline_id).import_path)
    return construct_pipeline(pipeline_class, load_params, torch.device("cpu"))


def test_plugin_is_listed_under_its_distribution(catalog):
    assert catalog.failed == ()
    assert catalog.get("invert").plugin_name == "scope-plugin-invert"
    assert catalog.get("solid-colour").plugin_name == "scope-plugin-invert"
    assert catalog.get("gray").plugin_name is None


def test_plugin_schema_tells_runtime_from_load_parameters(catalog):
    properties = catalog.get("invert").schema_dict["config_schema"]["properties"]
    assert properties["strength"]["ui"]["is_load_param"] is False
    assert properties["chunk_frames"]["ui"]["is_load_param"] is True
    assert properties["mirror"]["enum"] == [0, 1]
    assert properties["channels"]["$ref"] == "#/$defs/Channels"


def test_plugin_constructor_gets_defaults_load_and_unknown_parameters(catalog):
    pipeline = construct(catalog, "invert", chunk_frames=3, vace_enabled=False)
    assert pipeline.prepare(video=True).input_size == 3


def test_plugin_processes_video(catalog):
    pipeline = construct(catalog, "invert", device=torch.device("cpu"))
    frame = torch.tensor([0, 255, 51], dtype=torch.uint8).expand(1, 4, 6, 3)
    video = pipeline(video=[frame], init_cache=True)["video"]
    assert video[0, 0, 0].tolist() == pytest.approx([1.0, 0.0, 0.8])
    half = pipeline(video=[frame], strength=0.5)["video"]
    assert half[0, 0, 0].tolist() == pytest.approx([0.5, 0.5, 0.5])
    red = pipeline(video=[frame], channels="red")["video"]
    assert red[0, 0, 0].tolist() == pytest.approx([1.0, 1.0, 0.2])


def test_plugin_makes_video_from_parameters(catalog):
    pipeline = construct(catalog, "solid-colour", height=8)
    assert pipeline.prepare(prompts=[]) is None
    output = pipeline(red=255, prompts=[{"text": "ignored", "weight": 1.0}])
    assert tuple(output["video"].shape) == (1, 8, 96, 3)
    assert output["video"][0, 7, 95].tolist() == pytest.approx([1.0, 128 / 255, 1.0])
    assert output["frame_rate"] == 30


def test_broken_plugin_next_to_it_harms_nothing():
    code = """
import json
from scope_serve.pipelines.registry import load_pipelines
catalog = load_pipelines()
print(json.dumps([catalog.pipeline_ids, [one.model_dump() for one in catalog.failed]]))
"""
    folders = [installed_plugin("scope_plugin_invert"), installed_plugin("scope_plugin_broken")]
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
    )
    pipeline_ids, failed = json.loads(result.stdout)
    assert {"gray", "invert", "solid-colour"} <= set(pipeline_ids)
    assert failed == [
        {
            "package_name": "scope-plugin-broken",
            "entry_point_name": "scope_plugin_broken",
            "error_type": "RuntimeError",
            "error_message": "the frobnicator driver is missing",
        }
    ]
