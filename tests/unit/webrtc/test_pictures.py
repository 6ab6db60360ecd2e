"""Pictures on their way from and to PyAV."""

from fractions import Fraction

import av
import numpy as np
import pytest

from scope_serve.frames import I420Frame, i420_size_bytes
from scope_serve.webrtc.pictures import from_av, to_av

SIZES = [(640, 360), (641, 361), (1, 1), (2, 2), (3, 7), (33, 17)]


def noise(width, height, **kwargs):
    data = np.random.default_rng(width).integers(0, 256, i420_size_bytes(width, height), np.uint8)
    return I420Frame(data.tobytes(), width, height, **kwargs)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_picture_comes_back_as_it_went(width, height):
    frame = noise(width, height)
    back = from_av(to_av(frame, pts=3), entered_ns=9)
    assert bytes(back.data) == frame.data
    assert (back.width, back.height, back.pts, back.entered_ns) == (width, height, 3, 9)


def test_the_padding_of_rows_is_left_out():
    picture = av.VideoFrame(641, 361, "yuv420p")
    assert picture.planes[0].line_size > 641
    for plane, value in zip(picture.planes, (10, 20, 30), strict=True):
        memory = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
        memory[:] = 255
        memory[:, : plane.width] = value
    data = np.frombuffer(from_av(picture, entered_ns=1).data, np.uint8)
    luma, chroma = 641 * 361, 321 * 181
    assert data.size == luma + 2 * chroma
    assert (data[:luma] == 10).all()
    assert (data[luma : luma + chroma] == 20).all()
    assert (data[luma + chroma :] == 30).all()


@pytest.mark.parametrize("name", ["rgb24", "yuv444p", "nv12", "gray", "yuv420p10le"])
def test_other_pixel_formats_are_converted(name):
    white = np.full((32, 64, 3), 255, np.uint8)
    picture = av.VideoFrame.from_ndarray(white, "rgb24").reformat(format=name)
    frame = from_av(picture, entered_ns=1)
    assert len(frame.data) == i420_size_bytes(64, 32)
    assert abs(frame.data[0] - 235) <= 1


@pytest.mark.parametrize(
    ("pts", "time_base", "wanted"),
    [
        (90, Fraction(1, 90_000), 90),
        (1, Fraction(1, 30), 3000),
        (-5, Fraction(1, 90_000), -5),
        (None, Fraction(1, 30), None),
    ],
)
def test_times_are_converted_to_the_rtp_clock(pts, time_base, wanted):
    picture = av.VideoFrame(2, 2, "yuv420p")
    picture.pts, picture.time_base = pts, time_base
    assert from_av(picture, entered_ns=1).pts == wanted


def test_the_copy_does_not_follow_the_original():
    picture = to_av(noise(8, 8), pts=0)
    frame = from_av(picture, entered_ns=1)
    before = bytes(frame.data)
    np.frombuffer(memoryview(picture.planes[0]), np.uint8)[:] = 0
    assert bytes(frame.data) == before
