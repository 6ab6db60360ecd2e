"""README's commands, as a newcomer types them."""

import json
import shlex
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import av
import numpy as np
import pytest

from tests.e2e.documents import marked
from tests.e2e.server import (
    SCOPE_SERVE,
    RunningServer,
    clean_environment,
    free_port,
    wait_until_gone,
)

pytestmark = pytest.mark.timeout(240)

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def server():
    """One server, started with the last command of README's first line."""
    *_, start = marked("README.md", "ci: start").split(" && ")
    program, command, *arguments = shlex.split(start)
    assert (Path(program).name, command) == ("scope-serve", "run")
    with RunningServer(*arguments) as running:
        yield running


def scope_serve(*arguments, cwd=None, timeout_s=60):
    return subprocess.run(
        [SCOPE_SERVE, *arguments],
        cwd=cwd,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def pictures(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def is_gray(picture):
    """Return whether R, G and B agree, as far as two lossy codecs leave them."""
    return np.ptp(picture.astype(int), axis=2).mean() < 3


def test_the_stream_command_leaves_a_gray_file_of_all_frames(server, tmp_path):
    program, *arguments = shlex.split(marked("README.md", "ci: stream"))
    assert Path(program).name == "scope-serve"
    result = scope_serve(*arguments, "--url", server.url, "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    decoded = pictures(tmp_path / "out.mp4")
    assert abs(len(decoded) - report["frames_received"]) <= 2  # the last may come with the end
    assert report["frames_sent"] <= 151
    assert len(decoded) >= 0.6 * report["frames_sent"]
    assert all(is_gray(picture) for picture in decoded)
    assert np.std(decoded[-1]) > 10  # not just black


def test_the_python_example_runs(server, tmp_path):
    code = marked("README.md", "example: client")
    assert LOCAL in code
    result = subprocess.run(
        [sys.executable, "-c", code.replace(LOCAL, server.url)],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "640x360" in result.stdout


def test_pipelines_can_be_asked_for_over_http(server):
    with urllib.request.urlopen(f"{server.url}/pipelines", timeout=10) as response:
        offered = json.load(response)["pipelines"]
    assert {"gray", "passthrough", "test-pattern", "controller-viz"} <= offered.keys()


def test_a_wrong_pipeline_is_refused_with_those_on_offer(server):
    result = scope_serve("stream", "--url", server.url, "--pipeline", "grey", "--input", "testsrc")
    assert result.returncode == 2
    assert "'gray'" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_stops_everything_with_exit_code_0():
    with RunningServer() as running:
        started = running.session_processes
        assert len(started) > 5, "where are Ray's processes?"
        running.stop()
        assert running.exit_code == 0, running.output
        assert not wait_until_gone(started, 5), running.output
        assert not running.session_processes


def test_a_port_in_use_is_one_sentence_and_exit_code_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = scope_serve("run", "--port", str(port), "--dashboard-port", str(free_port()))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert f"port {port}" in result.stderr
    assert "--port" in result.stderr


UNKNOWN_KEY = """
applications:
  - name: gray
    import_path: scope_serve.app:build_pipeline
    args: {pipeline: gray, sesions_per_replica: 2}
"""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (UNKNOWN_KEY, "sesions_per_replica"),
        (UNKNOWN_KEY.replace("sesions_per_replica: 2", "replicas: 0"), "replicas"),
        ("applications: [", "is not YAML"),
        ("- gateway", "applications"),
        (None, "No such file"),
    ],
    ids=["unknown key", "bad value", "no YAML", "no mapping", "no file"],
)
def test_a_broken_config_is_refused_before_anything_starts(tmp_path, text, named):
    config = tmp_path / "config.yaml"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    ports = ["--port", str(free_port()), "--dashboard-port", str(free_port())]
    result = scope_serve("run", str(config), *ports)
    assert result.returncode == 2
    assert named in result.stderr
    assert str(config) in result.stderr
    assert "Traceback" not in result.stderr


def test_deploy_says_what_it_needs():
    shown = scope_serve("deploy", "--help")
    assert shown.returncode == 0
    assert "--address" in shown.stdout
    assert "running Ray cluster" in shown.stdout
    bare = scope_serve("deploy")
    assert bare.returncode == 2
    assert "--address" in bare.stderr
