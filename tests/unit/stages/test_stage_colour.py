import numpy as np
import pytest
import torch

from scope_serve.frames import I420Frame, i420_size_bytes
from scope_serve.stages.colour import SwscaleConverter, TensorConverter, converter_for
from scope_serve.stages.timestamps import FrameTime

CPU = torch.device("cpu")
CONVERTERS = [SwscaleConverter, lambda: TensorConverter(CPU)]
COLOURS = {
    "black": ((0, 0, 0), (16, 128, 128)),
    "white": ((255, 255, 255), (235, 128, 128)),
    "gray": ((128, 128, 128), (126, 128, 128)),
    "red": ((255, 0, 0), (81, 90, 240)),
    "green": ((0, 255, 0), (145, 54, 34)),
    "blue": ((0, 0, 255), (41, 240, 110)),
}
SIZES = [(64, 48), (64, 50), (640, 360), (642, 362), (33, 17), (1, 1), (97, 50), (50, 97)]


@pytest.fixture(params=CONVERTERS, ids=["swscale", "tensor"])
def converter(request):
    return request.param()


def encode(converter, rgb):
    return converter.to_i420(rgb, [FrameTime()] * rgb.shape[0])


def planes(frame):
    samples = np.frombuffer(frame.data, np.uint8)
    luma = frame.width * frame.height
    return np.split(samples, [luma, luma + (samples.size - luma) // 2])


def noise(width, height, count=1):
    generator = torch.Generator().manual_seed(width * height)
    size = (count, height, width, 3)
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)


def noisy_frame(width, height):
    samples = np.random.default_rng(0).integers(16, 236, i420_size_bytes(width, height))
    return I420Frame(samples.astype(np.uint8).tobytes(), width, height)


def difference(first, second):
    return (first.int() - second.int()).abs().max().item()


@pytest.mark.parametrize("colour", COLOURS)
def test_known_colours_have_known_samples(converter, colour):
    rgb, yuv = COLOURS[colour]
    (frame,) = encode(converter, torch.tensor(rgb, dtype=torch.uint8).expand(1, 32, 64, 3))

    for plane, expected in zip(planes(frame), yuv, strict=True):
        assert set(plane.tolist()) == {expected}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("size", [(64, 32), (64, 34), (62, 34), (31, 17)])
def test_flat_colours_survive_the_round_trip(converter, colour, size):
    width, height = size
    rgb = torch.tensor(COLOURS[colour][0], dtype=torch.uint8).expand(1, height, width, 3)

    (frame,) = encode(converter, rgb)
    (back,) = converter.to_rgb([frame])

    assert difference(back[:, :height, :width], rgb) <= 3


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_shapes_and_sizes_fit(converter, width, height):
    (rgb,) = converter.to_rgb([noisy_frame(width, height)])
    assert rgb.shape == (1, height, width, 3)
    assert rgb.is_contiguous()

    (frame,) = encode(converter, rgb)

    assert (frame.width, frame.height) == (width + width % 2, height + height % 2)
    assert memoryview(frame.data).nbytes == i420_size_bytes(frame.width, frame.height)


def test_odd_output_repeats_its_last_row_and_column(converter):
    rgb = noise(5, 3)
    padded = torch.cat((rgb, rgb[:, -1:]), dim=1)
    padded = torch.cat((padded, padded[:, :, -1:]), dim=2)

    (frame,) = encode(converter, rgb)

    assert bytes(frame.data) == bytes(encode(converter, padded)[0].data)


def test_every_picture_of_a_batch_gets_its_own_times_and_samples(converter):
    rgb = noise(64, 32, count=3)
    times = [FrameTime(pts, pts * 10) for pts in (1, 2, 3)]

    frames = converter.to_i420(rgb, times)

    assert [(frame.pts, frame.entered_ns) for frame in frames] == [(1, 10), (2, 20), (3, 30)]
    for frame, picture in zip(frames, rgb.split(1), strict=True):
        assert bytes(frame.data) == bytes(encode(converter, picture)[0].data)


def test_pictures_of_different_sizes_go_together(converter):
    tensors = converter.to_rgb([noisy_frame(64, 32), noisy_frame(32, 32), noisy_frame(64, 32)])

    assert [tuple(rgb.shape) for rgb in tensors] == [
        (1, 32, 64, 3),
        (1, 32, 32, 3),
        (1, 32, 64, 3),
    ]
    assert difference(tensors[0], tensors[2]) == 0


def test_pipelines_may_write_into_their_pictures(converter):
    frame = noisy_frame(64, 32)
    before = bytes(frame.data)

    (rgb,) = converter.to_rgb([frame])
    rgb.fill_(255)

    assert frame.data == before


def test_encoding_leaves_the_tensor_alone(converter):
    rgb = noise(64, 32)
    before = rgb.clone()

    (frame,) = encode(converter, rgb)
    data = bytes(frame.data)
    assert difference(rgb, before) == 0

    rgb.fill_(0)

    assert bytes(frame.data) == data


def test_tensors_that_are_views_are_converted(converter):
    rgb = noise(64, 32)
    flipped = rgb.flip(3).permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)

    assert bytes(encode(converter, flipped)[0].data) == bytes(
        encode(converter, flipped.contiguous())[0].data
    )


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("offset", [0, 1, 7])
def test_samples_may_lie_anywhere_in_memory(converter, kind, offset):
    frame = noisy_frame(96, 64)
    shifted = kind(bytes(offset) + frame.data)[offset:]

    (rgb,) = converter.to_rgb([I420Frame(shifted, 96, 64)])

    assert difference(rgb, converter.to_rgb([frame])[0]) == 0


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_both_converters_decode_alike(width, height):
    frame = noisy_frame(width, height)

    (fast,) = SwscaleConverter().to_rgb([frame])
    (exact,) = TensorConverter(CPU).to_rgb([frame])

    assert difference(fast, exact) <= 3  # swscale's fast path rounds down at each step
    assert (exact.float() - fast.float()).mean() < 1.5


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_both_converters_encode_alike(width, height):
    rgb = noise(width, height)

    (fast,) = encode(SwscaleConverter(), rgb)
    (exact,) = encode(TensorConverter(CPU), rgb)

    apart = np.frombuffer(fast.data, np.uint8).astype(int) - np.frombuffer(exact.data, np.uint8)
    assert np.abs(apart).max() <= 1


def test_tensor_decoding_is_bt601():
    frame = noisy_frame(64, 48)
    y, u, v = (plane.astype(np.float64) for plane in planes(frame))
    y = (y.reshape(48, 64) - 16) * 255 / 219
    u, v = ((c.reshape(24, 32).repeat(2, 0).repeat(2, 1) - 128) * 255 / 224 for c in (u, v))
    expected = np.stack(
        [y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], axis=-1
    ).clip(0, 255)

    (rgb,) = TensorConverter(CPU).to_rgb([frame])

    assert np.abs(rgb[0].numpy() - expected).max() <= 0.51


def test_pictures_on_the_cpu_are_converted_by_swscale():
    assert isinstance(converter_for(CPU), SwscaleConverter)
    assert isinstance(converter_for(torch.device("cuda")), TensorConverter)
