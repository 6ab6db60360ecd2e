"""When pictures are shown, without a clock: the tests bring the time."""

from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_serve.sessions.pacing import DEFAULT_FPS, MAX_FPS, Arrival, Pacer
from scope_serve.stages.flow import OutputCredit

STEP_S = 0.001


def dues(pacer, now_s, length, *, is_live=True, frame_rate=None):
    """Return when the pictures of a chunk that arrives at ``now_s`` are due."""
    return [
        pacer.due_s(Arrival(now_s, position, length, is_live, frame_rate))
        for position in range(length)
    ]


def play(duration_s, *, length, call_s, camera_fps=None, stall=(0, 0), frame_rate=None):
    """Run a pipeline against a pacer, the credit of its stage included.

    Returns:
        When each picture was shown. A pipeline without a camera makes pictures from nothing.
    """
    pacer, credit, queue = Pacer(), OutputCredit(), deque()
    shown, waiting, ready_s, camera_s = [], 0, None, 0.0
    for step in range(round(duration_s / STEP_S)):
        now_s = step * STEP_S
        if camera_fps and now_s >= camera_s:
            waiting, camera_s = min(30, waiting + 1), camera_s + 1 / camera_fps
        if ready_s is not None and now_s >= ready_s:
            queue.extend(
                dues(pacer, now_s, length, is_live=bool(camera_fps), frame_rate=frame_rate)
            )
            credit.emit(length)
            ready_s = None
        may_call = credit.allows_call and not stall[0] <= now_s < stall[1]
        if ready_s is None and may_call and (not camera_fps or waiting >= length):
            waiting, ready_s = 0 if waiting < 2 * length else waiting - length, now_s + call_s
        while queue and queue[0] <= now_s:
            queue.popleft()
            credit.acknowledge(1)
            shown.append(now_s)
    return shown


def rate(shown, start_s, end_s):
    return sum(start_s <= each < end_s for each in shown) / (end_s - start_s)


def test_a_single_live_picture_is_shown_at_once():
    pacer = Pacer()
    arrivals = [0.0, 0.033, 0.2, 0.201, 5.0]
    assert [dues(pacer, now_s, 1)[0] for now_s in arrivals] == arrivals


def test_live_chunks_are_spread_evenly():
    pacer = Pacer()
    due = [each for chunk in range(10) for each in dues(pacer, chunk * 4 / 30, 4)]
    gaps = [after - before for before, after in pairwise(due)]
    assert gaps == pytest.approx([1 / 30] * len(gaps))


def test_live_chunks_that_wait_are_played_faster_until_they_caught_up():
    pacer = Pacer()
    for chunk in range(10):
        dues(pacer, chunk * 4 / 30, 4)
    early = [each for now_s in (1.2, 1.21, 1.22) for each in dues(pacer, now_s, 4)]
    assert early[-1] - early[-2] < 1 / 30


def test_after_a_stall_pictures_do_not_try_to_make_up_for_it():
    pacer = Pacer()
    dues(pacer, 0.0, 4)
    dues(pacer, 4 / 30, 4)
    late = dues(pacer, 5.0, 4)
    assert late[0] == 5.0
    assert late[3] < 5.3


@pytest.mark.parametrize(("length", "call_s"), [(4, 0.02), (12, 0.3)])
def test_live_chunks_have_the_cameras_rate_again_after_a_stall(length, call_s):
    shown = play(20, length=length, call_s=call_s, camera_fps=30, stall=(5, 7))
    assert rate(shown, 14, 20) == pytest.approx(30, rel=0.03)


@pytest.mark.parametrize("length", [1, 4, 12])
def test_a_fast_pipeline_without_input_plays_at_thirty(length):
    shown = play(12, length=length, call_s=0.005)
    assert rate(shown, 2, 12) == pytest.approx(DEFAULT_FPS, rel=0.02)


@pytest.mark.parametrize("length", [1, 4, 12])
def test_a_fast_pipeline_without_input_plays_at_thirty_again_after_a_stall(length):
    shown = play(20, length=length, call_s=0.02, stall=(5, 7))
    assert rate(shown, 14, 20) == pytest.approx(DEFAULT_FPS, rel=0.02)


@pytest.mark.parametrize("frame_rate", [12.0, 24.0, 60.0])
@pytest.mark.parametrize("length", [1, 4])
def test_a_pipeline_that_says_its_rate_plays_at_it(frame_rate, length):
    shown = play(12, length=length, call_s=0.005, frame_rate=frame_rate)
    assert rate(shown, 2, 12) == pytest.approx(frame_rate, rel=0.02)


def test_a_slow_pipeline_without_input_plays_evenly():
    shown = play(20, length=4, call_s=0.4)
    gaps = [after - before for before, after in pairwise(shown) if before > 10]
    assert rate(shown, 10, 20) == pytest.approx(10, rel=0.2)
    assert max(gaps) < 0.2


@given(
    st.lists(
        st.tuples(
            st.floats(0, 3), st.integers(1, 16), st.booleans(), st.sampled_from([None, 16.0])
        ),
        max_size=40,
    )
)
def test_no_picture_is_due_far_ahead(arrivals):
    pacer, now_s, last_s = Pacer(), 0.0, None
    for wait_s, length, is_live, frame_rate in arrivals:
        now_s += wait_s
        for due_s in dues(pacer, now_s, length, is_live=is_live, frame_rate=frame_rate):
            assert last_s is None or due_s <= max(last_s, now_s) + 1.0
            last_s = due_s


def test_a_rate_beyond_reason_is_bounded():
    pacer = Pacer()
    dues(pacer, 0.0, 1, frame_rate=1e9)
    assert dues(pacer, 0.0, 1, frame_rate=1e9) == [pytest.approx(1 / MAX_FPS)]
