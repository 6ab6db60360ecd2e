"""Figures of a measurement, from made-up observations."""

import pytest

from scope_serve.client.bench import BenchPlan, LevelRecord
from scope_serve.client.bench_report import make_report
from scope_serve.client.figures import Arrival, SessionRecord, Window, figures_of
from scope_serve.client.session import ConnectTimings
from scope_serve.client.sources import SentFrame

WINDOW = Window(10.0, 12.0)


class Sent:
    """Pictures handed over ten times a second, from 9 s to 13 s."""

    def __init__(self):
        self.frames = [SentFrame(n, n * 9000, 9.0 + n / 10) for n in range(40)]

    def between(self, start_s, end_s):
        return [frame for frame in self.frames if start_s <= frame.sent_s < end_s]


def record(arrivals, sent):
    return SessionRecord(ConnectTimings(0.05, 0.08, 0.12), sent, arrivals, {})


def echo(sent, *, delay_s=0.02, without=()):
    return [
        Arrival(frame.sent_s + delay_s, "640x360", frame)
        for frame in sent.frames
        if frame.number not in without
    ]


def test_a_clean_echo_loses_nothing():
    sent = Sent()
    figures = figures_of(record(echo(sent), sent), WINDOW)
    assert (figures.sent, figures.lost, figures.unreadable, figures.repeated) == (20, 0, 0, 0)
    assert figures.fps_received == pytest.approx(10, abs=0.51)
    assert figures.latencies_ms == pytest.approx([20.0] * 20)


def test_only_losses_within_the_window_count():
    sent = Sent()
    figures = figures_of(record(echo(sent, without={2, 15, 16, 35}), sent), WINDOW)
    assert figures.lost == 2


def test_a_repeated_picture_is_counted_and_its_first_arrival_measured():
    sent = Sent()
    again = Arrival(11.9, "640x360", sent.frames[12])
    figures = figures_of(record([*echo(sent), again], sent), WINDOW)
    assert figures.repeated == 1
    assert max(figures.latencies_ms) == pytest.approx(20.0)


def test_unreadable_pictures_are_counted():
    sent = Sent()
    damaged = [Arrival(11.0, "512x512", None)] * 3
    figures = figures_of(record([*echo(sent), *damaged], sent), WINDOW)
    assert figures.unreadable == 3
    assert figures.sizes == ("512x512", "640x360")


def report_of(*records, wanted=1, failures=()):
    level = LevelRecord(wanted, WINDOW, records, failures, 12.34)
    return make_report("http://x", {}, BenchPlan(("gray",)), [level])


def test_the_report_says_why_latency_is_missing_when_no_barcode_is_readable():
    arrivals = [Arrival(11.0, "640x360", None)] * 4
    level = report_of(record(arrivals, Sent())).levels[0]
    assert level.latency_ms is None
    assert level.frames.lost is None
    assert [(missing.figure, missing.reason) for missing in level.unmeasured] == [
        ("latency_ms", "no barcode was readable in 4 pictures: the pipeline redraws them"),
        ("lost", "no barcode was readable in 4 pictures: the pipeline redraws them"),
    ]


def test_the_report_says_that_text_mode_has_no_latency():
    level = report_of(record([Arrival(11.0, "640x360", None)], None)).levels[0]
    assert {missing.figure for missing in level.unmeasured} == {"latency_ms", "lost"}
    assert level.frames.unreadable == 0


def test_the_report_says_that_nothing_arrived():
    silent = SessionRecord(ConnectTimings(0.05, 0.08, None), Sent(), [], {})
    level = report_of(silent).levels[0]
    reasons = {missing.figure: missing.reason for missing in level.unmeasured}
    assert reasons == {
        "offer_to_first_frame_ms": "1 of 1 sessions received no picture",
        "latency_ms": "no picture arrived within the window",
    }
    assert level.frames.lost == 20


def test_a_level_without_a_session_is_reported_as_such():
    report = report_of(wanted=2, failures=("full", "full"))
    assert not report.is_complete
    assert report.levels[0].unmeasured[0].reason == "no session could be connected"


def test_latencies_of_all_sessions_are_taken_together():
    first, second = Sent(), Sent()
    level = report_of(
        record(echo(first, delay_s=0.01), first), record(echo(second, delay_s=0.03), second)
    ).levels[0]
    assert level.latency_ms is not None
    assert (level.latency_ms.count, level.latency_ms.p50, level.latency_ms.p95) == (40, 10, 30)
    assert level.client_cpu_percent == 12.3
