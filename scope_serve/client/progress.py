"""How far a stream is, counted while it runs. Pure."""

from collections import deque
from dataclasses import dataclass, field

from scope_serve.client.percentiles import summarise
from scope_serve.client.session import ConnectTimings

_RATE_WINDOW_S = 1.0
_TAIL_MIN_S = 0.75
_REMEMBERED = 100_000

TAIL_MAX_S = 10.0
"""The longest that a stream waits for the rest of its pictures."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, and between which two points: ``end to end`` or ``server``."""

    kind: str
    p50_ms: float
    p95_ms: float | None


def _bounded() -> deque[float]:
    return deque(maxlen=_REMEMBERED)


@dataclass(slots=True)
class StreamProgress:
    """The counters of one stream. Read them at any time, also after a failure."""

    session_id: str = ""
    timings: ConnectTimings = field(default_factory=ConnectTimings)
    frames_sent: int = 0
    frames_skipped: int = 0
    frames_received: int = 0
    frames_dropped: int = 0
    sent_s: float = 0.0
    size: str = ""
    first_s: float | None = None
    last_s: float | None = None
    longest_gap_s: float = 0.0
    latencies_ms: deque[float] = field(default_factory=_bounded)
    server_latencies_ms: deque[float] = field(default_factory=_bounded)
    server_p95_ms: float | None = None
    recent_s: deque[float] = field(default_factory=deque)

    def arrived(self, now_s: float, size: str) -> None:
        """Count a picture of ``size`` that arrived at ``now_s``."""
        if self.last_s is not None:
            self.longest_gap_s = max(self.longest_gap_s, now_s - self.last_s)
        if self.first_s is None:
            self.first_s = now_s
        self.size = size
        self.last_s = now_s
        self.frames_received += 1
        self.recent_s.append(now_s)
        while self.recent_s[0] < now_s - _RATE_WINDOW_S:
            self.recent_s.popleft()

    @property
    def fps_now(self) -> float:
        """Pictures received per second, over the last second in which one arrived."""
        if not self.recent_s:
            return 0.0
        return rate(len(self.recent_s), self.recent_s[-1] - self.recent_s[0])

    @property
    def fps_received(self) -> float:
        """Pictures received per second, over all."""
        return rate(self.frames_received, (self.last_s or 0.0) - (self.first_s or 0.0))

    @property
    def fps_sent(self) -> float:
        """Pictures sent per second, over all."""
        return rate(self.frames_sent, self.sent_s)

    @property
    def tail_s(self) -> float:
        """How long a silence after the last picture sent means that nothing more comes."""
        return min(max(_TAIL_MIN_S, 3 * self.longest_gap_s), TAIL_MAX_S)

    def latency(self) -> Latency | None:
        """Return the best latency figure there is."""
        if measured := summarise(self.latencies_ms):
            return Latency("end to end", measured.p50, measured.p95)
        if reported := summarise(self.server_latencies_ms):
            return Latency("server", reported.p50, self.server_p95_ms)
        return None


def rate(count: int, elapsed_s: float) -> float:
    """Return events per second of ``count`` events, the first and last ``elapsed_s`` apart."""
    return (count - 1) / elapsed_s if count > 1 and elapsed_s > 0 else 0.0
