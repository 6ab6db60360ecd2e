"""Small things that pipelines need while they load, and where their files are."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from scope_serve.pipelines import config, utils
from scope_serve.settings import ScopePaths


def test_resolution_that_fits():
    utils.validate_resolution(320, 576, 16)


@pytest.mark.parametrize(
    ("height", "width", "nearest"),
    [(321, 576, "320 by 576"), (320, 570, "320 by 576"), (3, -5, "16 by 16")],
)
def test_resolution_that_does_not_fit(height, width, nearest):
    with pytest.raises(ValueError, match=nearest):
        utils.validate_resolution(height, width, 16)


def test_state_dict_is_read(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "w.pt")
    assert torch.equal(utils.load_state_dict(tmp_path / "w.pt")["w"], torch.ones(2))


def test_model_config_lies_next_to_the_module(tmp_path):
    (tmp_path / "model.yaml").write_text("base_model_name: wan\nnum_frame_per_block: 3\n")
    found = utils.load_model_config(SimpleNamespace(), str(tmp_path / "pipeline.py"))
    assert found.base_model_name == "wan"
    assert found["num_frame_per_block"] == 3
    with pytest.raises(AttributeError):
        _ = found.missing


def test_given_model_config_wins(tmp_path):
    given = SimpleNamespace(model_config={"base_model_name": "mine"})
    assert utils.load_model_config(given, tmp_path / "x.py").base_model_name == "mine"


def test_model_config_must_be_a_mapping(tmp_path):
    (tmp_path / "model.yaml").write_text("- a\n")
    with pytest.raises(ValueError, match="mapping"):
        utils.load_model_config(SimpleNamespace(), tmp_path / "x.py")


def test_prompts_are_one_object_per_line(tmp_path):
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompts": [{"text": "a"}]}\n\n{"prompts": []}\n')
    assert utils.parse_jsonl_prompts(path) == [{"prompts": [{"text": "a"}]}, {"prompts": []}]


@pytest.mark.parametrize("line", ["{", "[1]"])
def test_wrong_prompt_lines_are_named(tmp_path, line):
    path = tmp_path / "prompts.jsonl"
    path.write_text(f"{{}}\n{line}\n")
    with pytest.raises(ValueError, match="line 2"):
        utils.parse_jsonl_prompts(path)


def test_statistics_are_printed(capsys):
    utils.print_statistics([1.0, 3.0], [10.0])
    assert capsys.readouterr().out == (
        "latency: mean 2.00 s, lowest 1.00 s, highest 3.00 s\n"
        "frame rate: mean 10.00 fps, lowest 10.00 fps, highest 10.00 fps\n"
    )


@pytest.fixture
def home(monkeypatch, tmp_path):
    for name in ("", "_MODELS", "_ASSETS", "_LORA", "_LORA_SHARED", "_PLUGINS", "_LOGS"):
        monkeypatch.delenv(f"DAYDREAM_SCOPE{name}_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_folders_are_in_the_home_folder(home):
    assert config.get_base_dir() == home / ".daydream-scope"
    assert config.get_models_dir() == home / ".daydream-scope" / "models"
    assert config.get_assets_dir() == home / ".daydream-scope" / "assets"
    assert ScopePaths().lora == home / ".daydream-scope" / "models" / "lora"
    assert ScopePaths().lora_shared_dir is None


def test_models_dir_moves_what_depends_on_it(home, monkeypatch):
    monkeypatch.setenv("DAYDREAM_SCOPE_MODELS_DIR", "/data/models")
    assert config.get_models_dir() == Path("/data/models")
    assert config.get_assets_dir() == Path("/data/assets")
    assert ScopePaths().lora == Path("/data/models/lora")
    assert config.get_model_file_path("Wan/config.json") == Path("/data/models/Wan/config.json")


def test_every_folder_has_its_variable(home, monkeypatch):
    monkeypatch.setenv("DAYDREAM_SCOPE_DIR", "~/base")
    monkeypatch.setenv("DAYDREAM_SCOPE_ASSETS_DIR", "/assets")
    monkeypatch.setenv("DAYDREAM_SCOPE_LORA_DIR", "/lora")
    monkeypatch.setenv("DAYDREAM_SCOPE_LORA_SHARED_DIR", "/shared")
    monkeypatch.setenv("DAYDREAM_SCOPE_PLUGINS_DIR", "/plugins")
    monkeypatch.setenv("DAYDREAM_SCOPE_LOGS_DIR", "")
    paths = ScopePaths()
    assert paths.base == home / "base"
    assert paths.models == home / "base" / "models"
    assert (paths.assets, paths.lora) == (Path("/assets"), Path("/lora"))
    assert (paths.lora_shared_dir, paths.plugins_dir) == (Path("/shared"), Path("/plugins"))
    assert paths.logs_dir is None
