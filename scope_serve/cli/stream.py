"""``scope-serve stream``: send a video through pipelines and keep what comes back."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from scope_serve.cli.options import (
    ABSENT,
    DEFAULT_URL,
    AsJson,
    ChainIds,
    PipelineId,
    Url,
    read_chain,
    read_parameters,
    read_size,
)
from scope_serve.cli.running import run

if TYPE_CHECKING:
    from scope_serve.client.progress import StreamProgress
    from scope_serve.client.recording import Recording
    from scope_serve.client.sources import PacedSource

TEST_SOURCE = "testsrc"
_DEFAULT_DURATION_S = 10.0


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What the command line asks for."""

    url: str
    chain: tuple[str, ...]
    input: str | None
    output: Path | None
    parameters: dict[str, Any]
    duration_s: float | None
    codec: Literal["VP8", "H264"] | None
    size: tuple[int, int]
    fps: float
    timeout_s: float
    as_json: bool


def stream(
    pipeline: PipelineId = None,
    chain: ChainIds = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--input", "-i", metavar="FILE|testsrc", help="A media file, or a test pattern."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write the result: .mp4, .mov, .mkv, .webm."),
    ] = None,
    params: Annotated[
        str | None,
        typer.Option(
            metavar="JSON|@FILE",
            help="Initial parameters, as a JSON object such as '{\"speed\": 2}'.",
        ),
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="The prompt.")] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Seconds to send, or to receive if nothing is sent. [default: the whole"
            " file; 10 without one]",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    codec: Annotated[
        Literal["VP8", "H264"] | None, typer.Option(help="The only codec to offer.")
    ] = None,
    size: Annotated[str, typer.Option(help="Size of testsrc.")] = "640x360",
    fps: Annotated[float, typer.Option(min=1, max=120, help="Rate of testsrc.")] = 30.0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for a connection, and for any frame.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Send a video through pipelines in real time and keep what comes back.

    Ends when the input is through and its last pictures are back. The latency is measured from
    the hand-over to the encoder to the decoded picture with testsrc ("end to end"), and is the
    server's own figure otherwise ("server").
    """
    request = StreamRequest(
        url,
        read_chain(pipeline, chain),
        source,
        output,
        read_parameters(params, prompt),
        duration,
        codec,
        read_size(size),
        fps,
        timeout,
        as_json,
    )
    report = run(_stream(request))
    typer.echo(json.dumps(report, indent=2) if as_json else summary_line(report))


async def _stream(request: StreamRequest) -> dict[str, Any]:
    """Check what can be checked here, then run."""
    from contextlib import AsyncExitStack

    from scope_serve.client.client import ScopeClient
    from scope_serve.client.recording import Recording

    _check_output(request)
    recording: Recording | None = None
    try:
        async with AsyncExitStack() as stack:
            if request.output is not None:
                recording = await stack.enter_async_context(Recording(request.output))
            client = await stack.enter_async_context(ScopeClient(request.url))
            source = await _open_source(request)
            if source is not None:
                await stack.enter_async_context(source)
            progress = await _run(request, client, source, recording)
    except BaseException:
        if recording is not None and recording.frames:
            typer.echo(f"{recording.frames} frames are in {recording.path}", err=True)
        raise
    return make_report(request, progress, recording)


def _check_output(request: StreamRequest) -> None:
    """Refuse to write over the file that is read."""
    from scope_serve.client.errors import ClientUsageError

    if request.input is None or request.output is None:
        return
    source = Path(request.input)
    if source.exists() and request.output.exists() and request.output.samefile(source):
        message = f"{request.output} is the input; name another --output"
        raise ClientUsageError(message)


async def _open_source(request: StreamRequest) -> "PacedSource | None":
    from scope_serve.client.pictures import TestPattern
    from scope_serve.client.sources import FileSource, TestPatternSource

    if request.input is None:
        return None
    if request.input != TEST_SOURCE:
        return await FileSource.open(Path(request.input), duration_s=request.duration_s)
    duration_s = request.duration_s or _DEFAULT_DURATION_S
    return TestPatternSource(TestPattern(*request.size), fps=request.fps, duration_s=duration_s)


async def _run(
    request: StreamRequest,
    client: Any,  # noqa: ANN401 (imported late)
    source: "PacedSource | None",
    recording: "Recording | None",
) -> "StreamProgress":
    from scope_serve.cli.progress_bar import ProgressBar
    from scope_serve.client.selection import check_offered, choose_mode
    from scope_serve.client.streaming import StreamPlan, StreamRun

    schemas = await client.pipelines()
    check_offered(request.chain, schemas)
    choose_mode(request.chain, schemas, has_input=source is not None)
    duration_s = request.duration_s or _DEFAULT_DURATION_S if source is None else None
    plan = StreamPlan(
        request.chain, request.parameters, request.codec, duration_s, request.timeout_s
    )
    stream_run = StreamRun(client, plan, source, recording)
    with ProgressBar(
        total_s=duration_s if source is None else source.duration_s, is_shown=not request.as_json
    ) as bar:
        await stream_run.run(bar.update)
    return stream_run.progress


def make_report(
    request: StreamRequest, progress: "StreamProgress", recording: "Recording | None"
) -> dict[str, Any]:
    """Return the machine-readable result."""
    latency = progress.latency()
    timings = progress.timings
    return {
        "format": "scope-serve-stream",
        "version": 1,
        "url": request.url,
        "pipeline_ids": list(request.chain),
        "mode": "text" if request.input is None else "video",
        "session_id": progress.session_id,
        "input": request.input,
        "output": None if recording is None else str(recording.path),
        "frames_sent": progress.frames_sent,
        "frames_skipped": progress.frames_skipped,
        "frames_received": progress.frames_received,
        "frames_dropped": progress.frames_dropped,
        "fps_in": round(progress.fps_sent, 2),
        "fps_out": round(progress.fps_received, 2),
        "received_size": progress.size,
        "latency": latency
        and {"kind": latency.kind, "p50_ms": latency.p50_ms, "p95_ms": latency.p95_ms},
        "offer_to_answer_ms": _ms(timings.answer_s),
        "offer_to_connected_ms": _ms(timings.connected_s),
        "offer_to_first_frame_ms": _ms(timings.first_frame_s),
    }


def summary_line(report: dict[str, Any]) -> str:
    """Return the result as one line for people."""
    parts = [f"{report['frames_received']} frames received", f"{report['fps_out']:.1f} fps"]
    if report["input"] is not None:
        sent = f"{report['frames_sent']} frames sent, {report['frames_received']} received"
        parts = [sent, parts[1], f"latency {latency_text(report['latency'])}"]
    if report["frames_skipped"]:
        parts.append(f"{report['frames_skipped']} not sent, this machine is too slow")
    if report["output"] is not None:
        parts.append(str(report["output"]))
    return ", ".join(parts)


def latency_text(latency: dict[str, Any] | None) -> str:
    """Return ``p50/p95 12/20 ms end to end``, or a dash."""
    if latency is None:
        return ABSENT
    p95_ms = latency["p95_ms"]
    if p95_ms is None:
        return f"p50 {latency['p50_ms']:.0f} ms {latency['kind']}"
    return f"p50/p95 {latency['p50_ms']:.0f}/{p95_ms:.0f} ms {latency['kind']}"


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
