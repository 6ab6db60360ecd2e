import datetime as dt

import pytest
import yaml

from scope_serve.errors import ConfigError
from scope_serve.serving.config_file import (
    application_names,
    check_config,
    check_installed,
    default_config_path,
    read_config,
)

PIPELINE = "scope_serve.app:build_pipeline"
GATEWAY = "scope_serve.app:build_gateway"


DAY = dt.date(2026, 1, 1)  # what YAML makes of 2026-01-01


def config(import_path=PIPELINE, **args):
    return {"applications": [{"name": "one", "import_path": import_path, "args": args}]}


def test_the_config_that_is_shipped_is_sound():
    found = read_config(default_config_path())
    assert application_names(found)[0] == "gateway"


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        (config(pipline="gray"), "pipline: there is no such key; did you mean 'pipeline'"),
        (config(), "pipeline"),
        (config(pipeline="gray", sessions_per_replica=0), "sessions_per_replica"),
        (config(pipeline="gray", replicas=2, autoscaling={}), "replicas or autoscaling"),
        (config(pipeline="gray", autoscaling={"min_replicas": 3}), "max_replicas"),
        (config(pipeline="gray", load_params={"day": DAY}), "load_params"),
        (config(GATEWAY, session_host=2), "session_hosts"),
        (config(GATEWAY, ice_servers=[{"url": "stun:x"}]), "ice_servers.0"),
        ({"applications": [{"name": "one"}]}, "import_path"),
        ({"applications": []}, "empty"),
        ({}, "applications"),
    ],
)
def test_a_broken_config_is_refused_and_the_key_is_named(broken, names):
    with pytest.raises(ConfigError, match=names):
        check_config(broken, where="config.yaml")


def test_two_applications_of_one_pipeline_are_refused():
    (entry,) = config(pipeline="gray")["applications"]
    one, other = ({**entry, "name": name, "route_prefix": None} for name in "ab")
    with pytest.raises(ConfigError, match="'a' and 'b' both serve pipeline 'gray'"):
        check_config({"applications": [one, other]}, where="config.yaml")


def test_the_application_at_fault_is_named():
    with pytest.raises(ConfigError, match=r"config.yaml: application 'one': args: pipline"):
        check_config(config(pipline="gray", pipeline="gray"), where="config.yaml")


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"a: [", "not YAML"), (b"- 1", "not a Serve config"), (b"\xff\xfe\x00", "not a text file")],
)
def test_a_file_that_is_no_config_is_told(tmp_path, content, says):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        read_config(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "none.yaml")


def test_a_config_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config(pipeline="gray")), encoding="utf-8")
    assert read_config(path) == config(pipeline="gray")


def test_a_pipeline_that_is_not_installed_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match="'grey' is not installed; did you mean 'gray'"):
        check_installed(config(pipeline="grey"), where="config.yaml")


def test_a_pipeline_with_an_environment_of_its_own_is_not_looked_for_here():
    elsewhere = config(pipeline="far-away")
    elsewhere["applications"][0]["runtime_env"] = {"pip": ["far-away"]}
    check_installed(elsewhere, where="config.yaml")
