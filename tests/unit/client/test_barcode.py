"""The barcode survives codecs, scaling and inversion, and notices damage."""

import av
import numpy as np
import pytest

from scope_serve.client import barcode
from scope_serve.client.pictures import TestPattern, luma_of

SIZES = [(320, 180), (640, 360), (576, 320), (854, 480), (1280, 720), (360, 640)]


def picture(width=640, height=360, number=0):
    luma = np.random.default_rng(7).integers(0, 256, (height, width), np.uint8)
    barcode.stamp(luma, number)
    return luma


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("number", [0, 1, 0x5555, 0xAAAA, 0xFFFF])
def test_a_number_is_read_back(width, height, number):
    assert barcode.read(picture(width, height, number)) == number


def test_numbers_wrap_at_sixteen_bits():
    assert barcode.read(picture(number=(1 << 16) + 5)) == 5


def test_an_inverted_picture_is_read_and_reported():
    assert barcode.decode(255 - picture(number=4711)) == barcode.Reading(4711, inverted=True)


def test_an_upright_picture_is_not_reported_as_inverted():
    assert barcode.decode(picture(number=4711)) == barcode.Reading(4711, inverted=False)


@pytest.mark.parametrize("block", range(19))
def test_one_flipped_block_is_noticed(block):
    luma = picture(number=0x1234)
    left, right = block * 32, (block + 1) * 32
    luma[:32, left:right] = 255 - luma[:32, left:right]
    assert barcode.read(luma) is None


@pytest.mark.parametrize("block", range(2, 19))
def test_a_block_smeared_to_grey_is_noticed(block):
    luma = picture(number=0x1234)
    luma[:32, block * 32 : (block + 1) * 32] = 126
    assert barcode.read(luma) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_holds_no_number(level):
    assert barcode.read(np.full((360, 640), level, np.uint8)) is None


def test_a_picture_too_small_to_hold_a_number_is_refused():
    with pytest.raises(ValueError, match="320x180, not 160x90"):
        barcode.stamp(np.zeros((90, 160), np.uint8), 1)


def test_a_picture_too_small_to_be_read_holds_no_number():
    assert barcode.read(np.zeros((16, 16), np.uint8)) is None


@pytest.mark.parametrize(("width", "height"), [(320, 180), (1280, 720), (512, 512), (832, 480)])
def test_a_scaled_picture_is_still_readable(width, height):
    frame = TestPattern(640, 360).frame(999)
    assert barcode.read(luma_of(frame.reformat(width=width, height=height))) == 999


def encoder(codec, width, height):
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.framerate, context.bit_rate = 30, 1_000_000
    context.options = {
        "libvpx": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
        "libx264": {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"},
    }[codec]
    return context


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("width", "height"), [(320, 180), (640, 360)])
@pytest.mark.parametrize(("codec", "decoder"), [("libvpx", "vp8"), ("libx264", "h264")])
def test_every_number_survives_a_codec_at_one_megabit(codec, decoder, width, height, inverted):
    pattern = TestPattern(width, height)
    encode, decode = encoder(codec, width, height), av.CodecContext.create(decoder, "r")
    numbers = [number * 997 % 65536 for number in range(40)]
    packets = []
    for place, number in enumerate(numbers):
        planes = pattern.frame(number).to_ndarray()
        frame = av.VideoFrame.from_ndarray(255 - planes if inverted else planes, format="yuv420p")
        frame.pts = place
        packets += encode.encode(frame)
    frames = [
        frame for packet in [*packets, *encode.encode(None)] for frame in decode.decode(packet)
    ]
    frames += decode.decode(None)
    readings = [barcode.decode(luma_of(frame)) for frame in frames]
    assert readings == [barcode.Reading(number, inverted) for number in numbers]


def test_a_grey_picture_keeps_its_number():
    frame = TestPattern(640, 360).frame(77).reformat(format="gray").reformat(format="rgb24")
    assert barcode.read(luma_of(frame)) == 77
