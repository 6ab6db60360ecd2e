"""Recordings play in real time, and are recorded without going back in time."""

import pytest

from scope_serve.client.pacing import Action, Decision, Pacer, RecordingClock


def started_pacer():
    pacer = Pacer(max_late_s=0.25)
    assert pacer.decide(0.0, now_s=100.0) == Decision(Action.SEND)
    return pacer


def test_an_early_picture_waits_until_it_is_due():
    decision = started_pacer().decide(0.5, now_s=100.2)
    assert decision.action is Action.WAIT
    assert decision.wait_s == pytest.approx(0.3)


def test_a_picture_on_time_is_sent():
    assert started_pacer().decide(0.5, now_s=100.5).action is Action.SEND


def test_a_slightly_late_picture_is_sent_at_once():
    assert started_pacer().decide(0.5, now_s=100.7).action is Action.SEND


def test_an_old_picture_is_skipped_and_the_clock_keeps_running():
    pacer = started_pacer()
    assert pacer.decide(0.5, now_s=101.0).action is Action.SKIP
    assert pacer.decide(1.0, now_s=101.0).action is Action.SEND


def test_a_source_that_does_not_begin_at_zero_begins_at_once():
    pacer = Pacer()
    assert pacer.decide(5.0, now_s=1.0).action is Action.SEND
    assert pacer.decide(5.1, now_s=1.0).wait_s == pytest.approx(0.1)


def test_recorded_times_follow_the_sender_and_not_the_network():
    clock = RecordingClock(1000)
    arrivals = [10.0, 10.09, 10.1]
    assert [clock.tick(0.05 * n, at) for n, at in enumerate(arrivals)] == [0, 50, 100]


def test_recorded_times_always_increase():
    clock = RecordingClock(1000)
    assert [clock.tick(0.0, 10.0), clock.tick(0.0, 10.0), clock.tick(0.0, 10.0)] == [0, 1, 2]


def test_a_sender_that_restarts_its_clock_leaves_no_hole():
    clock = RecordingClock(1000)
    times = [clock.tick(50.0, 10.0), clock.tick(50.1, 10.1), clock.tick(0.0, 10.2)]
    assert times == [0, 100, 200]


def test_pictures_without_a_time_are_placed_where_they_arrive():
    clock = RecordingClock(1000)
    assert [clock.tick(None, 10.0), clock.tick(None, 10.25)] == [0, 250]
