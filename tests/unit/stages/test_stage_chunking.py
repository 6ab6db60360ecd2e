import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_serve.frames import I420Frame
from scope_serve.stages.backlog import InputBacklog
from scope_serve.stages.chunking import pick_chunk


@st.composite
def backlogs(draw):
    wanted = draw(st.integers(1, 300))
    return draw(st.integers(wanted, 600)), wanted


def test_scope_example_uses_23_of_30_waiting_pictures():
    pick = pick_chunk(30, 4)

    assert pick.indices == (0, 8, 15, 22)
    assert pick.consumed == 23
    assert pick.skipped == 19


def test_single_picture_is_the_newest():
    pick = pick_chunk(7, 1)

    assert pick.indices == (6,)
    assert pick.skipped == 6


def test_exact_backlog_is_used_whole():
    assert pick_chunk(12, 12).indices == tuple(range(12))


@given(backlogs())
def test_picks_are_in_order_and_distinct_and_waiting(sizes):
    waiting, wanted = sizes

    pick = pick_chunk(waiting, wanted)

    assert list(pick.indices) == sorted(set(pick.indices))
    assert len(pick.indices) == wanted
    assert pick.indices[-1] < pick.consumed <= waiting


@pytest.mark.parametrize(("waiting", "wanted"), [(0, 1), (3, 4), (3, 0)])
def test_impossible_pick_is_an_error(waiting, wanted):
    with pytest.raises(ValueError, match=f"cannot pick {wanted} of {waiting}"):
        pick_chunk(waiting, wanted)


def picture(number):
    return I420Frame(bytes(6), 2, 2, pts=number)


def filled(count, *, input_size=1):
    backlog = InputBacklog()
    backlog.reserve(input_size)
    for number in range(count):
        backlog.add(picture(number))
    return backlog


def test_full_backlog_drops_and_counts_the_oldest():
    backlog = filled(33)

    assert [frame.pts for frame in backlog.take(30)] == list(range(3, 33))
    assert (backlog.received, backlog.dropped) == (33, 3)


def test_room_grows_to_twice_the_input_size():
    backlog = filled(40, input_size=20)

    assert len(backlog) == 40
    assert backlog.dropped == 0


def test_room_never_shrinks():
    backlog = filled(40, input_size=20)

    backlog.reserve(1)

    assert len(backlog) == 40


def test_skipped_pictures_count_as_dropped():
    backlog = filled(10)

    assert [frame.pts for frame in backlog.take(1)] == [9]
    assert backlog.dropped == 9
    assert len(backlog) == 0


def test_cleared_and_refused_pictures_count_as_dropped():
    backlog = filled(2)

    backlog.clear()
    backlog.refuse()

    assert (backlog.received, backlog.dropped) == (3, 3)
