"""The document of a measurement: every figure, and why one is missing."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from scope_serve import __version__
from scope_serve.client.bench import BenchPlan, LevelRecord
from scope_serve.client.figures import SessionFigures, figures_of
from scope_serve.client.percentiles import summarise
from scope_serve.client.session import ConnectTimings

FORMAT_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Distribution(_Part):
    """How a list of measurements is distributed."""

    count: int
    minimum: float
    p50: float
    p95: float
    p99: float
    maximum: float


class Unmeasured(_Part):
    """A figure that is missing, and why."""

    figure: str
    reason: str


class Frames(_Part):
    """Pictures within the window, over all sessions of a level."""

    sent: int
    received: int
    lost: int | None = Field(description="Sent, and never came back, wherever it was dropped.")
    unreadable: int = Field(description="Received with a damaged or absent barcode.")
    repeated: int = Field(description="Received again with a number that had arrived before.")


class Level(_Part):
    """The figures at one number of sessions at once."""

    sessions: int
    connected: int
    failures: list[str]
    offer_to_answer_ms: Distribution | None
    offer_to_connected_ms: Distribution | None
    offer_to_first_frame_ms: Distribution | None
    latency_ms: Distribution | None = Field(
        description="Hand-over to the client's encoder to the picture decoded by the client."
    )
    fps_sent: list[float] = Field(description="Per session.")
    fps_received: list[float] = Field(description="Per session.")
    frames: Frames
    received_sizes: list[str]
    client_cpu_percent: float = Field(description="Of one core; near 100 it distorts the figures.")
    unmeasured: list[Unmeasured]


class Machine(_Part):
    """Where the client ran."""

    cpu_count: int | None
    platform: str
    python: str
    aiortc: str
    av: str
    scope_serve: str


class Report(_Part):
    """A whole measurement."""

    format: str = "scope-serve-bench"
    version: int = FORMAT_VERSION
    url: str
    server: dict[str, Any] = Field(description="The server's own /health; empty if it has none.")
    pipeline_ids: list[str]
    mode: str
    codec: str
    size: str
    fps: float
    duration_s: float
    warmup_s: float
    machine: Machine
    levels: list[Level]

    @property
    def is_complete(self) -> bool:
        """Whether every session of every level worked."""
        return all(not level.failures for level in self.levels)


def make_report(
    url: str, server: Mapping[str, Any], plan: BenchPlan, levels: Sequence[LevelRecord]
) -> Report:
    """Return the report of a measurement."""
    return Report(
        url=url,
        server=dict(server),
        pipeline_ids=list(plan.pipeline_ids),
        mode=plan.mode,
        codec=plan.codec,
        size=f"{plan.width}x{plan.height}",
        fps=plan.fps,
        duration_s=plan.duration_s,
        warmup_s=plan.warmup_s,
        machine=_machine(),
        levels=[_level(record) for record in levels],
    )


def _machine() -> Machine:
    return Machine(
        cpu_count=os.cpu_count(),
        platform=platform.platform(),
        python=platform.python_version(),
        aiortc=version("aiortc"),
        av=version("av"),
        scope_serve=__version__,
    )


def _level(record: LevelRecord) -> Level:
    figures = [figures_of(session, record.window) for session in record.records]
    timings = [session.timings for session in record.records]
    latencies = [value for one in figures for value in one.latencies_ms]
    sends = any(session.sent is not None for session in record.records)
    return Level(
        sessions=record.wanted,
        connected=len(record.records),
        failures=list(record.failures),
        offer_to_answer_ms=_timing(timings, "answer_s"),
        offer_to_connected_ms=_timing(timings, "connected_s"),
        offer_to_first_frame_ms=_timing(timings, "first_frame_s"),
        latency_ms=_distribution(latencies),
        fps_sent=[round(one.fps_sent, 2) for one in figures],
        fps_received=[round(one.fps_received, 2) for one in figures],
        frames=_frames(figures),
        received_sizes=sorted({size for one in figures for size in one.sizes}),
        client_cpu_percent=round(record.client_cpu_percent, 1),
        unmeasured=_unmeasured(record, figures, sends=sends),
    )


def _frames(figures: Sequence[SessionFigures]) -> Frames:
    lost = [one.lost for one in figures]
    return Frames(
        sent=sum(one.sent for one in figures),
        received=sum(one.received for one in figures),
        lost=None if not lost or None in lost else sum(one for one in lost if one is not None),
        unreadable=sum(one.unreadable for one in figures),
        repeated=sum(one.repeated for one in figures),
    )


def _timing(timings: Sequence[ConnectTimings], name: str) -> Distribution | None:
    values = [getattr(timing, name) for timing in timings]
    return _distribution([value * 1000 for value in values if value is not None])


def _distribution(values: Sequence[float]) -> Distribution | None:
    summary = summarise(values)
    if summary is None:
        return None
    rounded = {name: round(value, 2) for name, value in asdict(summary).items()}
    return Distribution.model_validate(rounded)


def _unmeasured(
    record: LevelRecord, figures: Sequence[SessionFigures], *, sends: bool
) -> list[Unmeasured]:
    """Return the figures that a reader would miss."""
    if not record.records:
        return [Unmeasured(figure="everything", reason="no session could be connected")]
    missing = []
    silent = sum(session.timings.first_frame_s is None for session in record.records)
    if silent:
        reason = f"{silent} of {len(record.records)} sessions received no picture"
        missing.append(Unmeasured(figure="offer_to_first_frame_ms", reason=reason))
    received = sum(one.received for one in figures)
    if not sends:
        reason = "in text mode the client sends no picture that could come back"
        missing += [Unmeasured(figure=name, reason=reason) for name in ("latency_ms", "lost")]
    elif not received:
        reason = "no picture arrived within the window"
        missing.append(Unmeasured(figure="latency_ms", reason=reason))
    elif not any(one.latencies_ms for one in figures):
        reason = f"no barcode was readable in {received} pictures: the pipeline redraws them"
        missing += [Unmeasured(figure=name, reason=reason) for name in ("latency_ms", "lost")]
    return missing
