from fractions import Fraction

import pytest
import torch

from scope_serve.errors import PipelineCallError
from scope_serve.frames import I420Frame
from scope_serve.stages.outputs import frame_times, read_output
from scope_serve.stages.timestamps import FrameTime, MediaTimestamp, frame_timestamp


def read(result):
    return read_output(result, pipeline_id="p")


def video(count=1, **extra):
    return {"video": torch.zeros((count, 2, 4, 3)), **extra}


def picture(pts=None, entered_ns=0):
    return I420Frame(bytes(12), 4, 2, pts, entered_ns)


@pytest.mark.parametrize("result", [None, {}, {"mask": 1}, {"video": None}, video(0)])
def test_no_pictures_is_no_output(result):
    assert read(result) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_unit_floats_are_scaled_clamped_and_truncated(dtype):
    values = torch.tensor([-1.0, 0.0, 0.5, 0.9999, 1.0, 7.0], dtype=dtype)
    output = read({"video": values.reshape(2, 1, 1, 3)})

    expected = (values.float() * 255).clamp(0, 255).int().tolist()
    assert output.video.flatten().tolist() == expected
    assert output.video.dtype is torch.uint8


def test_floats_are_not_changed_in_place():
    values = torch.full((1, 1, 1, 3), 0.5)

    read({"video": values})

    assert values.unique().tolist() == [0.5]


def test_bytes_are_taken_as_they_are():
    values = torch.tensor([0, 128, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)

    assert read({"video": values}).video.flatten().tolist() == [0, 128, 255]


def test_tensors_with_gradients_are_detached():
    values = torch.zeros((1, 2, 2, 3), requires_grad=True)

    assert not read({"video": values * 2}).video.requires_grad


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ([1], "it returned list, wanted a dict"),
        ({"video": "x"}, "output 'video' is a str; wanted a tensor (T, H, W, 3)"),
        ({"video": torch.zeros((2, 2, 3))}, "has shape (2, 2, 3)"),
        ({"video": torch.zeros((1, 3, 2, 2))}, "has shape (1, 3, 2, 2)"),
        ({"video": torch.zeros((1, 0, 2, 3))}, "has shape (1, 0, 2, 3)"),
        ({"video": torch.zeros((1, 2, 2, 3), dtype=torch.int64)}, "has type torch.int64"),
        ({"video": torch.full((1, 2, 2, 3), torch.nan)}, "not numbers"),
    ],
)
def test_anything_but_video_is_named(result, words):
    with pytest.raises(PipelineCallError) as caught:
        read(result)

    assert caught.value.pipeline_id == "p"
    assert words in caught.value.reason


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (24, 24.0),
        (29.97, 29.97),
        (0, None),
        (-1, None),
        (True, None),
        ("30", None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_frame_rate_is_a_positive_number(rate, expected):
    assert read(video(frame_rate=rate)).frame_rate == expected


def test_own_timestamps_are_converted_to_video_ticks():
    timestamps = [
        MediaTimestamp(500, Fraction(1, 1000)),
        {"pts": 1, "time_base": "1/30"},
        {"pts": None, "time_base": Fraction(1, 30)},
        "later",
    ]

    assert read(video(5, video_timestamps=timestamps)).pts == [45000, 3000, None, None, None]


@pytest.mark.parametrize("bad", [{"pts": 1, "time_base": "1/0"}, {"pts": "x", "time_base": 1}])
def test_unreadable_timestamp_is_unknown(bad):
    assert read(video(1, video_timestamps=[bad])).pts == [None]


def test_surplus_timestamps_are_cut():
    timestamps = [frame_timestamp(picture(pts=pts)) for pts in (3, 4, 5)]

    assert read(video(2, video_timestamps=timestamps)).pts == [3, 4]


def test_one_output_per_input_keeps_both_times():
    times = frame_times(read(video(2)), [picture(10, 100), picture(20, 200)])

    assert times == [FrameTime(10, 100), FrameTime(20, 200)]


def test_other_numbers_of_outputs_have_the_newest_entry_and_no_pts():
    times = frame_times(read(video(3)), [picture(10, 100), picture(20, 200)])

    assert times == [FrameTime(None, 200)] * 3


def test_pictures_made_from_nothing_have_no_times():
    assert frame_times(read(video(2)), []) == [FrameTime(None, 0)] * 2


def test_own_timestamps_come_before_those_of_the_input():
    output = read(video(1, video_timestamps=[MediaTimestamp(7, Fraction(1, 90_000))]))

    assert frame_times(output, [picture(10, 100)]) == [FrameTime(7, 100)]
