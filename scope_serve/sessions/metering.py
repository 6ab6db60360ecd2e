"""Counts the pictures of a session and how long they take."""

import time
from collections import deque
from statistics import median
from typing import Any

_KEPT = 256


class Meter:
    """Frame counts, rates and latency of one session.

    Latency is measured inside the server: from the moment a decoded picture enters the session to
    the moment its processed successor is handed to the encoder.
    """

    def __init__(self) -> None:
        self._frames_in = 0
        self._frames_out = 0
        self._latencies_ms: deque[float] = deque(maxlen=_KEPT)
        self._reported_at_s = time.monotonic()
        self._reported_in = 0
        self._reported_out = 0

    def frame_in(self) -> None:
        """Count a picture from the client."""
        self._frames_in += 1

    def frame_out(self, entered_ns: int) -> None:
        """Count a picture to the client, made from one that entered at ``entered_ns``."""
        self._frames_out += 1
        if entered_ns:
            self._latencies_ms.append((time.monotonic_ns() - entered_ns) / 1e6)

    def totals(self) -> dict[str, Any]:
        """Return the counters since the session began."""
        return {"frames_in": self._frames_in, "frames_out": self._frames_out}

    def report(self) -> dict[str, Any]:
        """Return totals, and rates and median latency since the last report."""
        now_s = time.monotonic()
        elapsed_s = max(now_s - self._reported_at_s, 1e-6)
        latency_ms = round(median(self._latencies_ms), 2) if self._latencies_ms else None
        report = {
            **self.totals(),
            "fps_in": round((self._frames_in - self._reported_in) / elapsed_s, 2),
            "fps_out": round((self._frames_out - self._reported_out) / elapsed_s, 2),
            "latency_ms": latency_ms,
        }
        self._reported_at_s = now_s
        self._reported_in, self._reported_out = self._frames_in, self._frames_out
        self._latencies_ms.clear()
        return report
