"""``scope-serve bench``: measure any Scope-compatible server."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from scope_serve.cli.failures import ExitCode
from scope_serve.cli.options import (
    ABSENT,
    DEFAULT_URL,
    AsJson,
    ChainIds,
    PipelineId,
    Url,
    read_chain,
    read_counts,
    read_size,
)
from scope_serve.cli.running import run

if TYPE_CHECKING:
    from scope_serve.client.bench import BenchPlan
    from scope_serve.client.bench_report import Distribution, Level, Report

_COLUMNS = (
    "sessions", "answer", "connect", "first", "p50", "p95", "p99", "fps", "lost", "damaged",
    "size", "CPU",
)  # fmt: skip

_WIDTH_OF_FILES = 120


def bench(
    pipeline: PipelineId = None,
    chain: ChainIds = None,
    url: Url = DEFAULT_URL,
    sessions: Annotated[str, typer.Option(help="Numbers of sessions at once.")] = "1,2",
    size: Annotated[str, typer.Option(help="Size of the pictures sent.")] = "640x360",
    fps: Annotated[float, typer.Option(min=1, max=120, help="Pictures sent per second.")] = 30.0,
    duration: Annotated[float, typer.Option(min=0.1, help="Seconds that count.")] = 8.0,
    warmup: Annotated[float, typer.Option(min=0, help="Seconds before them.")] = 3.0,
    codec: Annotated[Literal["VP8", "H264"], typer.Option(help="The codec to offer.")] = "VP8",
    load: Annotated[
        bool,
        typer.Option(
            "--load",
            help="Load the pipelines first, as a desktop Scope needs it; tried by itself when an"
            " offer is refused for that reason.",
        ),
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to connect or load.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Measure any Scope-compatible server.

    Every session sends pictures with a barcode, so every received picture is matched with the
    one sent. Latency runs from the hand-over of a picture to this client's encoder until it is
    decoded again: the client's own encoding and decoding are part of it, and this client needs
    CPU time beside the server's if both share a machine (see the column CPU).

    Exits with 1 if any session failed; the other figures are printed all the same.
    """
    from scope_serve.client.bench import BenchPlan

    width, height = read_size(size)
    plan = BenchPlan(
        pipeline_ids=read_chain(pipeline, chain),
        sessions=read_counts(sessions),
        width=width,
        height=height,
        fps=fps,
        duration_s=duration,
        warmup_s=warmup,
        codec=codec,
        load=load,
        timeout_s=timeout,
    )
    report = run(_measure(url, plan))
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _print_table(report)
    if not report.is_complete:
        raise typer.Exit(ExitCode.FAILED)


async def _measure(url: str, plan: "BenchPlan") -> "Report":
    from dataclasses import replace

    from rich.console import Console

    from scope_serve.client.bench import measure
    from scope_serve.client.bench_report import make_report
    from scope_serve.client.client import ScopeClient
    from scope_serve.client.selection import check_offered, supported_modes

    console = Console(stderr=True)
    async with ScopeClient(url) as client:
        schemas = await client.pipelines()
        check_offered(plan.pipeline_ids, schemas)
        if "video" not in supported_modes(schemas[plan.pipeline_ids[0]]):
            plan = replace(plan, mode="text")
        server = await client.health()
        with console.status("measuring") as status:
            levels = await measure(
                client, plan, lambda count: status.update(f"measuring {count} at once")
            )
    return make_report(url, server, plan, levels)


def _print_table(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Column, Table

    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    table = Table(*(Column(name, no_wrap=True) for name in _COLUMNS), box=None, pad_edge=False)
    for level in report.levels:
        table.add_row(*_row(level))
    console.print(
        f"{report.url} {','.join(report.pipeline_ids)} {report.size}@{report.fps:g} "
        f"{report.codec}, {report.duration_s:g} s after {report.warmup_s:g} s"
    )
    console.print(table)
    console.print(
        "times in ms: from the offer to the answer, the connection and the first picture (medians),"
        " then the latency; fps of the slowest session; CPU of this client, of one core"
    )
    for level in report.levels:
        for failure in level.failures:
            console.print(f"{level.sessions} at once: a session failed: {failure}")
        for missing in level.unmeasured:
            console.print(f"{level.sessions} at once: no {missing.figure}: {missing.reason}")
        if level.client_cpu_percent > 80:
            console.print(
                f"{level.sessions} at once: this client used {level.client_cpu_percent:.0f} % of"
                " a core; part of the latency is its own"
            )


def _row(level: "Level") -> list[str]:
    latency = level.latency_ms
    return [
        f"{level.connected}/{level.sessions}",
        _p50(level.offer_to_answer_ms),
        _p50(level.offer_to_connected_ms),
        _p50(level.offer_to_first_frame_ms),
        *(
            [ABSENT] * 3
            if latency is None
            else [f"{v:.1f}" for v in (latency.p50, latency.p95, latency.p99)]
        ),
        f"{min(level.fps_received):.1f}" if level.fps_received else ABSENT,
        ABSENT if level.frames.lost is None else str(level.frames.lost),
        str(level.frames.unreadable),
        " ".join(level.received_sizes) or ABSENT,
        f"{level.client_cpu_percent:.0f} %",
    ]


def _p50(figure: "Distribution | None") -> str:
    return ABSENT if figure is None else f"{figure.p50:.0f}"
