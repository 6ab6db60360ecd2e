"""The tutorial, block by block, in the order in which it is read."""

import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import av
import pytest

from tests.e2e.documents import blocks
from tests.e2e.server import RunningServer, clean_environment

pytestmark = pytest.mark.timeout(300)

LOCAL = "http://127.0.0.1:8000"
RUN, REMOTE = "run", {"stream", "pipelines"}


class Reader:
    """Somebody who follows a tutorial in a folder with a ``.venv``.

    What the tutorial installs goes to a folder of its own, so that the environment of the tests
    stays as it is; the server is started on free ports, and commands are pointed to it.
    """

    def __init__(self, folder, stack):
        self.folder = folder
        self.outputs = {}
        self._stack = stack
        self._installed = folder / "installed"
        self._server = None
        (folder / ".venv").symlink_to(sys.prefix)

    def follow(self, block):
        if block.title is not None:
            self._write(self.folder / block.title, block.text)
        elif block.language == "bash":
            for line in block.text.strip().splitlines():
                self._type(line)
        else:
            assert block.language == "text", f"what to do with a block of {block.language!r}?"

    def _write(self, path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text if self._server is None else self._pointed(text), encoding="utf-8")

    def _pointed(self, text):
        return text.replace(LOCAL, self._server.url)

    def _type(self, line):
        program, command, *arguments = shlex.split(line)
        is_ours = Path(program).name == "scope-serve"
        if is_ours and command == RUN:
            running = RunningServer(*arguments, cwd=self.folder, environment=self._environment())
            self._server = self._stack.enter_context(running)
            return
        if is_ours and command in REMOTE:
            line = line.replace(command, f"{command} --url {self._server.url}", 1)
        result = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=clean_environment(self._environment()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"
        self.outputs[command] = result.stdout

    def _environment(self):
        installed = str(self._installed)
        return {"PIP_TARGET": installed, "PYTHONPATH": installed, "PIP_NO_INDEX": "1"}


def brightness_of(line):
    return float(line.rpartition(" ")[2])


@pytest.mark.skipif(shutil.which("bash") is None, reason="the tutorial is written for bash")
def test_the_tutorial_works_as_it_is_written(tmp_path):
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        for block in blocks("docs/tutorial.md"):
            reader.follow(block)
    assert "scope-dim" in reader.outputs["pipelines"]
    assert reader.outputs["stream"].strip().endswith("refused")
    before, after = map(brightness_of, reader.outputs["live.py"].strip().splitlines())
    assert after < 0.6 * before
    with av.open(str(tmp_path / "dim.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) > 30
