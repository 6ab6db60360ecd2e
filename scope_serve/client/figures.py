"""Figures of a measurement from what its sessions observed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scope_serve.client.session import ConnectTimings
from scope_serve.client.sources import SentFrame, SentLog


@dataclass(frozen=True, slots=True)
class Window:
    """The seconds of `time.monotonic` that count: ``[start_s, end_s)``."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s

    def holds(self, at_s: float) -> bool:
        """Return whether ``at_s`` lies within."""
        return self.start_s <= at_s < self.end_s


@dataclass(frozen=True, slots=True)
class Arrival:
    """A received picture; ``sent`` is None if its barcode could not be read."""

    arrived_s: float
    size: str
    sent: SentFrame | None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What one session observed. ``sent`` is None if it sent nothing."""

    timings: ConnectTimings
    sent: SentLog | None
    arrivals: Sequence[Arrival]
    server_stats: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """The figures of one session within the window.

    Attributes:
        sent: Pictures sent within the window.
        received: Pictures that arrived within the window.
        lost: Pictures sent within the window that never came back, wherever they were dropped;
            None if that cannot be told, because nothing was sent or no barcode was readable.
        unreadable: Pictures received within the window whose barcode is damaged or absent.
        repeated: Pictures received within the window whose number had arrived before.
        latencies_ms: One value per picture sent within the window that came back.
    """

    sent: int
    received: int
    lost: int | None
    unreadable: int
    repeated: int
    fps_sent: float
    fps_received: float
    sizes: tuple[str, ...]
    latencies_ms: tuple[float, ...]


def figures_of(record: SessionRecord, window: Window) -> SessionFigures:
    """Return the figures of one session."""
    within = [arrival for arrival in record.arrivals if window.holds(arrival.arrived_s)]
    first_back: dict[int, Arrival] = {}
    repeated = 0
    for arrival in record.arrivals:
        if arrival.sent is None:
            continue
        if arrival.sent.number in first_back:
            repeated += window.holds(arrival.arrived_s)
        else:
            first_back[arrival.sent.number] = arrival
    sent = [] if record.sent is None else record.sent.between(window.start_s, window.end_s)
    came_back = [first_back[frame.number] for frame in sent if frame.number in first_back]
    has_barcode = record.sent is not None
    return SessionFigures(
        sent=len(sent),
        received=len(within),
        lost=len(sent) - len(came_back) if has_barcode and (first_back or not within) else None,
        unreadable=sum(arrival.sent is None for arrival in within) if has_barcode else 0,
        repeated=repeated,
        fps_sent=len(sent) / window.length_s,
        fps_received=len(within) / window.length_s,
        sizes=tuple(sorted({arrival.size for arrival in within})),
        latencies_ms=tuple(
            (arrival.arrived_s - arrival.sent.sent_s) * 1000
            for arrival in came_back
            if arrival.sent is not None
        ),
    )
