"""The states of a session, and what it counts."""

import itertools
import time

import pytest

from scope_serve.sessions.metering import Meter
from scope_serve.sessions.state import SessionState, follows

STARTING, ACTIVE, RECOVERING, CLOSED = SessionState


def test_these_ways_lead_from_state_to_state():
    ways = {(a, b) for a, b in itertools.product(SessionState, repeat=2) if follows(a, b)}
    assert ways == {
        (STARTING, ACTIVE),
        (STARTING, CLOSED),
        (ACTIVE, RECOVERING),
        (ACTIVE, CLOSED),
        (RECOVERING, ACTIVE),
        (RECOVERING, CLOSED),
    }


def test_a_meter_counts_pictures_and_their_latency():
    meter = Meter()
    for _ in range(3):
        meter.frame_in()
    meter.frame_out(time.monotonic_ns() - 5_000_000)
    report = meter.report()
    assert (report["frames_in"], report["frames_out"]) == (3, 1)
    assert report["latency_ms"] == pytest.approx(5, abs=2)
    assert report["fps_in"] > 0


def test_a_report_covers_the_time_since_the_last():
    meter = Meter()
    meter.frame_in()
    meter.frame_out(time.monotonic_ns())
    meter.report()
    report = meter.report()
    assert (report["fps_in"], report["fps_out"], report["latency_ms"]) == (0, 0, None)
    assert report["frames_in"] == 1


def test_pictures_made_from_nothing_have_no_latency():
    meter = Meter()
    meter.frame_out(0)
    assert meter.report()["latency_ms"] is None
