"""``scope-serve stream`` and ``pipelines``: files, exit codes, messages."""

import asyncio
import contextlib
import json
import signal
import sys

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from scope_serve import __version__
from scope_serve.cli.main import app
from scope_serve.client import barcode
from scope_serve.client.pictures import TestPattern, luma_of
from scope_serve.client.recording import VideoFile
from tests.scope_server import ScopeServer


async def scope_serve(*arguments):
    """Run the command line in a thread, with an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, [str(part) for part in arguments])


async def stream(server, *arguments):
    return await scope_serve("stream", "--url", server.url, *arguments)


def decode(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def chroma(frame):
    return frame.to_ndarray(format="yuv420p")[frame.height :]


@pytest.fixture
def clip(tmp_path):
    """A file of 30 numbered pictures."""
    file = VideoFile(tmp_path / "clip.mp4")
    for number in range(30):
        file.write(TestPattern(320, 180).frame(number), arrival_s=number / 30)
    file.close()
    return file.path


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_file_comes_back_gray_and_in_order(clip, tmp_path, codec):
    output = tmp_path / "out.mp4"
    async with ScopeServer() as server:
        result = await stream(
            server, "--pipeline", "gray", "-i", clip, "-o", output, "--codec", codec
        )
    assert result.exit_code == 0, result.output
    frames = decode(output)
    numbers = [barcode.read(luma_of(frame)) for frame in frames]
    assert len(numbers) > 20
    assert numbers == sorted(set(numbers))
    assert all(np.abs(chroma(frame).astype(int) - 128).max() < 12 for frame in frames)
    assert f"{len(frames)} received" in result.stdout
    assert "server" in result.stdout
    assert str(output) in result.stdout
    assert server.sessions == {}


async def test_a_chain_runs_every_pipeline(tmp_path):
    output = tmp_path / "out.webm"
    async with ScopeServer() as server:
        result = await stream(
            server, "--chain", "gray,invert", "-i", "testsrc", "--size", "320x180",
            "--duration", "1", "-o", output,
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    readings = [barcode.decode(luma_of(frame)) for frame in decode(output)]
    assert readings
    assert all(reading is not None and reading.inverted for reading in readings)


async def test_colours_are_kept_by_passthrough(tmp_path):
    output = tmp_path / "out.mp4"
    async with ScopeServer() as server:
        result = await stream(
            server, "--pipeline", "passthrough", "-i", "testsrc", "--duration", "1", "-o", output
        )
    assert result.exit_code == 0, result.output
    sent = chroma(TestPattern(640, 360).frame(0)).astype(int)
    assert np.abs(chroma(decode(output)[5]).astype(int) - sent).mean() < 6


async def test_the_json_result_is_the_only_thing_on_stdout():
    async with ScopeServer() as server:
        result = await stream(
            server,
            "--pipeline",
            "gray",
            "-i",
            "testsrc",
            "--duration",
            "1",
            "--fps",
            "20",
            "--json",
        )
    report = json.loads(result.stdout)
    assert report.keys() == {
        "format", "version", "url", "pipeline_ids", "mode", "session_id", "input", "output",
        "frames_sent", "frames_skipped", "frames_received", "frames_dropped", "fps_in", "fps_out",
        "received_size", "latency", "offer_to_answer_ms", "offer_to_connected_ms",
        "offer_to_first_frame_ms",
    }  # fmt: skip
    assert (report["format"], report["version"], report["mode"]) == (
        "scope-serve-stream",
        1,
        "video",
    )
    assert report["latency"]["kind"] == "end to end"
    assert 0 < report["latency"]["p50_ms"] <= report["latency"]["p95_ms"]
    assert report["frames_sent"] + report["frames_skipped"] == 20
    assert report["session_id"] == server.opened[0].id


async def test_a_text_pipeline_needs_no_input(tmp_path):
    output = tmp_path / "out.mp4"
    async with ScopeServer(sends_stats=False) as server:
        result = await stream(
            server, "--pipeline", "noise", "--prompt", "a cat", "--duration", "0.5", "-o", output
        )
    assert result.exit_code == 0, result.output
    assert 5 < len(decode(output)) < 40
    assert "latency" not in result.stdout  # nothing was sent, so there is none
    assert server.opened[0].parameters == {"prompts": [{"text": "a cat", "weight": 1.0}]}


async def test_the_input_is_not_written_over(clip):
    before = clip.read_bytes()
    async with ScopeServer() as server:
        result = await stream(server, "--pipeline", "gray", "-i", clip, "-o", clip)
    assert result.exit_code == 2
    assert "is the input" in result.stderr
    assert clip.read_bytes() == before


async def test_an_existing_file_is_replaced_only_by_a_complete_one(tmp_path):
    output = tmp_path / "out.mp4"
    output.write_bytes(b"precious")
    async with ScopeServer() as server:
        result = await stream(server, "--pipeline", "full", "-i", "testsrc", "-o", output)
    assert result.exit_code == 1
    assert output.read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.mp4"]


FAILURES = {
    "unknown pipeline": (["--pipeline", "grey", "-i", "testsrc"], 2, "did you mean 'gray'?"),
    "unknown in chain": (["--chain", "gray,sepia", "-i", "testsrc"], 2, "'sepia' is not offered"),
    "no input": (["--pipeline", "gray"], 2, "name a file, or testsrc, with --input"),
    "input for text": (["--pipeline", "noise", "-i", "testsrc"], 2, "takes no video"),
    "no such file": (["--pipeline", "gray", "-i", "no.mp4"], 2, "no.mp4: there is no such file"),
    "not a video": (["--pipeline", "gray", "-i", __file__], 2, "not a readable media file"),
    "no such folder": (
        ["--pipeline", "gray", "-i", "testsrc", "-o", "no/such/out.mp4"], 2, "cannot be written",
    ),
    "unknown suffix": (["--pipeline", "gray", "-i", "testsrc", "-o", "a.gif"], 2, ".mp4, .mov"),
    "bad JSON": (["--pipeline", "gray", "-i", "testsrc", "--params", "{"], 2, "is not JSON"),
    "bad size": (["--pipeline", "gray", "-i", "testsrc", "--size", "big"], 2, "not a size"),
    "bad codec": (["--pipeline", "gray", "-i", "testsrc", "--codec", "AV1"], 2, "AV1"),
    "neither nor": (["-i", "testsrc"], 2, "either --pipeline ID or --chain"),
    "bad parameter": (
        ["--pipeline", "gray", "-i", "testsrc", "--params", '{"intensity": 7}'], 2,
        "parameter 'intensity': 7 is not between 0 and 1",
    ),
    "refused offer": (
        ["--pipeline", "unloaded", "-i", "testsrc"], 2, "Pipeline not loaded. Please load it",
    ),
    "full": (["--pipeline", "full", "-i", "testsrc"], 1, "every place of 'full' is taken"),
    "stopped": (["--pipeline", "breaks", "-i", "testsrc"], 1, "CUDA ran out of memory"),
    "ended early": (["--pipeline", "quits", "-i", "testsrc"], 1, "before the stream was through"),
    "no frame, and why": (
        ["--pipeline", "fails", "-i", "testsrc", "--timeout", "1"], 1, "division by zero",
    ),
    "no frame": (
        ["--pipeline", "silent", "-i", "testsrc", "--timeout", "1"], 1, "no frame arrived for 1 s",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_is_one_sentence_and_an_exit_code(arguments, code, message):
    async with ScopeServer() as server:
        result = await stream(server, *arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert server.sessions == {}


async def test_an_error_that_the_stream_survives_fails_the_command_at_its_end(tmp_path):
    output = tmp_path / "out.mp4"
    async with ScopeServer() as server:
        result = await stream(
            server, "--pipeline", "stumbles", "-i", "testsrc", "--duration", "1", "-o", output
        )
    assert result.exit_code == 1
    assert "pipeline failed: division by zero (pipeline_failed)" in result.stderr
    assert len(decode(output)) > 15


async def test_an_unreachable_server_is_named():
    result = await scope_serve("stream", "--pipeline", "x", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "http://127.0.0.1:1" in result.stderr
    assert "scope-serve run" in result.stderr


async def test_what_arrived_before_a_failure_is_kept_and_said(tmp_path):
    output = tmp_path / "out.mp4"
    async with ScopeServer() as server:
        result = await stream(server, "--pipeline", "breaks", "-i", "testsrc", "-o", output)
    assert result.exit_code == 1
    assert f"{len(decode(output))} frames are in {output}" in result.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_an_interrupted_stream_leaves_a_playable_file(tmp_path, number, code):
    output = tmp_path / "out.mp4"
    async with ScopeServer() as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from scope_serve.cli.main import main; main()",
            "stream", "--url", server.url, "--pipeline", "noise", "--duration", "60",
            "-o", str(output), stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            await server.wait_for_frames(20)
            process.send_signal(number)
            _, stderr = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    assert process.returncode == code, stderr
    assert b"Traceback" not in stderr
    assert f"{len(decode(output))} frames are in {output}" in stderr.decode()
    assert server.sessions == {}


async def test_the_offered_pipelines_are_listed():
    async with ScopeServer() as server:
        table = await scope_serve("pipelines", "--url", server.url)
        listed = await scope_serve("pipelines", "--url", server.url, "--json")
    assert (table.exit_code, listed.exit_code) == (0, 0)
    assert "passthrough" in table.stdout
    assert json.loads(listed.stdout)["pipelines"]["gray"]["supported_modes"] == ["video"]


async def test_the_version_is_printed():
    result = await scope_serve("--version")
    assert (result.exit_code, result.stdout) == (0, f"scope-serve {__version__}\n")
