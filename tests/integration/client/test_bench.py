"""``scope-serve bench`` against a real server on loopback."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from scope_serve.cli.main import app
from scope_serve.client.bench_report import Report
from tests.scope_server import ScopeServer

SHORT = ["--size", "320x180", "--fps", "20", "--duration", "1", "--warmup", "0.2"]


async def bench(server, *arguments):
    command = ["bench", "--url", server.url, *SHORT, *arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, command)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_every_figure_of_every_level_is_measured(codec):
    async with ScopeServer() as server:
        result = await bench(
            server, "--pipeline", "invert", "--sessions", "1,2", "--codec", codec, "--json"
        )
    assert result.exit_code == 0, result.output
    report = Report.model_validate_json(result.stdout)
    assert (report.format, report.version) == ("scope-serve-bench", 1)
    assert (report.size, report.codec, report.fps) == ("320x180", codec, 20)
    assert report.machine.aiortc
    assert report.server["status"] == "healthy"
    assert [level.sessions for level in report.levels] == [1, 2]
    for level in report.levels:
        assert (level.connected, level.failures, level.unmeasured) == (level.sessions, [], [])
        assert level.latency_ms is not None
        assert 0 < level.latency_ms.p50 <= level.latency_ms.p95 <= level.latency_ms.p99
        assert level.received_sizes == ["320x180"]
        assert len(level.fps_received) == level.sessions
        assert level.frames.received > 10 * level.sessions
        assert level.frames.unreadable == 0
    assert len(server.ended) == 3


async def test_the_table_names_its_columns():
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "gray", "--sessions", "1")
    assert result.exit_code == 0, result.output
    for word in ("sessions", "p50", "p95", "p99", "fps", "lost", "damaged", "320x180"):
        assert word in result.stdout


@pytest.mark.parametrize("extra", [[], ["--load"]])
async def test_a_desktop_server_is_made_to_load_its_pipeline(extra):
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "unloaded", "--sessions", "1", "--json", *extra)
    assert result.exit_code == 0, result.output
    assert server.loads == [["unloaded"]]
    assert json.loads(result.stdout)["levels"][0]["connected"] == 1


async def test_a_pipeline_that_cannot_be_loaded_is_named():
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "broken", "--sessions", "1")
    assert result.exit_code == 1
    assert "the server could not load broken" in result.stderr


async def test_sessions_that_find_no_place_are_reported():
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "full", "--sessions", "2", "--json")
    assert result.exit_code == 1
    level = json.loads(result.stdout)["levels"][0]
    assert level["connected"] == 0
    assert len(level["failures"]) == 2
    assert level["unmeasured"][0]["figure"] == "everything"


async def test_a_session_that_ends_while_measured_is_a_failure():
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "breaks", "--sessions", "1", "--json")
    assert result.exit_code == 1
    assert "CUDA ran out of memory" in json.loads(result.stdout)["levels"][0]["failures"][0]


async def test_text_mode_says_what_it_cannot_measure():
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "noise", "--sessions", "1", "--json")
    assert result.exit_code == 0, result.output
    level = json.loads(result.stdout)["levels"][0]
    assert level["latency_ms"] is None
    assert {missing["figure"] for missing in level["unmeasured"]} == {"latency_ms", "lost"}
    assert level["fps_received"][0] > 5


async def test_an_unknown_pipeline_is_bad_input():
    async with ScopeServer() as server:
        result = await bench(server, "--pipeline", "grey")
    assert result.exit_code == 2
    assert "did you mean 'gray'?" in result.stderr
