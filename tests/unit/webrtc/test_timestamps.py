"""The times of outgoing pictures."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from scope_serve.webrtc.timestamps import OutgoingTimestamps


def stamps(*pictures):
    timestamps = OutgoingTimestamps()
    return [timestamps.stamp(pts, now_s) for pts, now_s in pictures]


def test_the_distance_that_the_camera_gave_is_kept():
    late = [(1000, 5.0), (4000, 5.05), (7000, 5.06), (10_000, 5.1)]
    assert stamps(*late) == [0, 3000, 6000, 9000]


def test_pictures_without_a_time_get_the_time_they_are_sent():
    assert stamps((None, 1.0), (None, 1.5), (None, 3.0)) == [0, 45_000, 180_000]


def test_a_new_source_starts_from_the_clock():
    assert stamps((0, 0.0), (9_000_000, 1.0), (9_003_000, 1.1)) == [0, 90_000, 93_000]


def test_a_pause_starts_from_the_clock():
    assert stamps((0, 0.0), (3000, 10.0), (6000, 10.03)) == [0, 900_000, 903_000]


def test_a_time_that_repeats_still_grows():
    assert stamps((0, 0.0), (0, 0.01), (0, 0.02)) == [0, 1, 2]


@given(
    st.lists(st.tuples(st.none() | st.integers(-(1 << 40), 1 << 40), st.floats(0, 10)), min_size=1)
)
def test_times_always_grow_and_stay_near_the_clock(pictures):
    now_s, script = 100.0, []
    for pts, wait_s in pictures:
        now_s += wait_s
        script.append((pts, now_s))
    found = stamps(*script)
    assert all(after > before for before, after in itertools.pairwise(found))
    clock = [(now - script[0][1]) * 90_000 for _, now in script]
    assert all(a <= b + 45_001 + len(found) for a, b in zip(found, clock, strict=True))
