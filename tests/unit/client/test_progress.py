"""Counters of a stream."""

import pytest

from scope_serve.client.progress import Latency, StreamProgress, rate


def after(*times):
    progress = StreamProgress()
    for at_s in times:
        progress.arrived(at_s, "640x360")
    return progress


def test_nothing_received_has_no_rate_and_no_latency():
    progress = StreamProgress()
    assert (progress.fps_now, progress.fps_received, progress.latency()) == (0, 0, None)


def test_the_rate_of_now_forgets_what_is_old():
    progress = after(0.0, 0.1, 10.0, 10.1, 10.2)
    assert progress.fps_now == pytest.approx(10)
    assert progress.fps_received == pytest.approx(4 / 10.2)


@pytest.mark.parametrize(
    ("times", "tail_s"), [((0, 0.03), 0.75), ((0, 1.0, 1.1), 3.0), ((0, 9.0), 10.0)]
)
def test_a_slow_stream_is_given_more_time_to_end(times, tail_s):
    assert after(*times).tail_s == pytest.approx(tail_s)


def test_a_measured_latency_counts_more_than_the_servers():
    progress = StreamProgress(server_p95_ms=9.0)
    progress.server_latencies_ms.append(5.0)
    assert progress.latency() == Latency("server", 5.0, 9.0)
    progress.latencies_ms.extend([20.0, 30.0])
    assert progress.latency() == Latency("end to end", 20.0, 30.0)


@pytest.mark.parametrize(("count", "elapsed_s", "fps"), [(0, 1, 0), (1, 1, 0), (31, 1, 30)])
def test_a_rate_counts_intervals(count, elapsed_s, fps):
    assert rate(count, elapsed_s) == fps
