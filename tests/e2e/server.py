"""``scope-serve run`` as a user starts it: a process of its own, on free ports."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

SCOPE_SERVE = Path(sys.executable).with_name("scope-serve")
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0
READY = "ready in "
_NOT_INHERITED = ("RAY_ADDRESS", "HF_TOKEN", "HF_ENDPOINT")


class RunningServer:
    """Starts ``scope-serve run`` in a session of its own and ends it with its block.

    Args:
        arguments: What follows ``run``; free ports are added.
        cwd: Folder that the command runs in.
        environment: Variables to add to this process's own.

    Attributes:
        url: Where the API listens.
        output: What the command has printed so far.
        exit_code: What it ended with, once `stop` returned.
    """

    def __init__(
        self, *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = ""
        self.exit_code: int | None = None
        ports = ["--port", str(self.port), "--dashboard-port", str(free_port())]
        self._command = [str(SCOPE_SERVE), "run", *arguments, *ports]
        self._cwd = cwd
        self._environment = clean_environment(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._read_until(READY, time.monotonic() + START_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            self.kill()

    @property
    def session_processes(self) -> list[int]:
        """Processes of the command that still run: itself, and all of Ray."""
        assert self._process is not None
        return processes_of_session(self._process.pid)

    def stop(self) -> None:
        """Press Ctrl-C and wait for the end. Idempotent."""
        assert self._process is not None
        if self.exit_code is not None:
            return
        os.killpg(self._process.pid, signal.SIGINT)  # to the whole group, as a terminal does
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        self._read_until(None, deadline_s)
        self.exit_code = self._process.wait(max(0.1, deadline_s - time.monotonic()))

    def kill(self) -> None:
        """End whatever is left, at once."""
        assert self._process is not None
        for pid in self.session_processes:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read_until(self, wanted: str | None, deadline_s: float) -> None:
        """Read until a line has ``wanted``, or to the end if it is None."""
        assert self._process is not None
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while wanted is None or wanted not in self.output:
            left_s = deadline_s - time.monotonic()
            readable, _, _ = select.select([pipe], [], [], max(0.0, left_s))
            if not readable:
                message = f"{self._command}: {wanted or 'the end'!r} did not come:\n{self.output}"
                raise TimeoutError(message)
            data = os.read(pipe, 65536)
            if not data and wanted is None:
                return
            if not data:
                message = f"{self._command} ended instead of starting:\n{self.output}"
                raise RuntimeError(message)
            self.output += data.decode(errors="replace")


def clean_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what would lead a command elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    return {**kept, **(added or {})}


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of_session(session: int) -> list[int]:
    """Return the processes of a session that still run; zombies do not count."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended
            continue
        state, _, _, session_id = status.rpartition(")")[2].split()[:4]
        if int(session_id) == session and state != "Z":
            found.append(int(entry.name))
    return found


def wait_until_gone(pids: list[int], timeout_s: float) -> list[int]:
    """Wait until processes have ended; return those that have not."""
    deadline_s = time.monotonic() + timeout_s
    left = []
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([handle], [], [], max(0.0, deadline_s - time.monotonic()))
        finally:
            os.close(handle)
        if not ended:
            left.append(pid)
    return left
