"""Conversions between frames and what models compute with."""

import pytest
import torch

from scope_serve.pipelines.process import (
    normalize_frame_sizes,
    postprocess_chunk,
    preprocess_chunk,
)


def solid(value, height=4, width=6):
    return torch.full((1, height, width, 3), value, dtype=torch.uint8)


def test_frames_take_the_size_of_the_first():
    frames = normalize_frame_sizes([solid(10), solid(200, 8, 8)])
    assert [tuple(frame.shape) for frame in frames] == [(1, 4, 6, 3), (1, 4, 6, 3)]
    assert frames[1].dtype == torch.uint8
    assert torch.equal(frames[1], solid(200))


def test_frames_take_a_given_size_and_type():
    (frame,) = normalize_frame_sizes([solid(10)], 3, 5, "cpu", torch.float32)
    assert frame.shape == (1, 3, 5, 3)
    assert torch.allclose(frame, torch.full((1, 3, 5, 3), 10.0))


def test_one_given_side_keeps_the_other():
    assert normalize_frame_sizes([solid(1)], target_height=9)[0].shape == (1, 9, 6, 3)


def test_frames_that_fit_are_not_copied():
    frame = solid(10)
    assert normalize_frame_sizes([frame])[0] is frame


def test_no_frames_give_no_frames():
    assert normalize_frame_sizes([]) == []


def test_resizing_is_bilinear_and_rounds():
    frame = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2, 1)
    (wide,) = normalize_frame_sizes([frame], target_width=4)
    assert wide.flatten().tolist() == [0, 64, 191, 255]


def test_preprocessing_gives_a_batch_of_planes_in_minus_one_to_one():
    chunk = [solid(0), solid(255), solid(51)]
    video = preprocess_chunk(chunk, "cpu", torch.float32)
    assert video.shape == (1, 3, 3, 4, 6)
    assert video[0, :, 0].unique().tolist() == [-1.0]
    assert video[0, :, 1].unique().tolist() == [1.0]
    assert video[0, 0, 2, 0, 0].item() == pytest.approx(-0.6)


def test_preprocessing_keeps_channels_apart():
    frame = torch.tensor([255, 0, 0], dtype=torch.uint8).expand(1, 2, 2, 3)
    video = preprocess_chunk([frame], "cpu", torch.float32)
    assert video[0, :, 0, 0, 0].tolist() == [1.0, -1.0, -1.0]


def test_preprocessing_resizes_and_converts():
    video = preprocess_chunk([solid(9), solid(9, 2, 2)], "cpu", torch.bfloat16, 8, 10)
    assert video.shape == (1, 3, 2, 8, 10)
    assert video.dtype == torch.bfloat16


def test_preprocessing_leaves_its_input():
    frame = solid(255)
    preprocess_chunk([frame], "cpu", torch.float32)
    assert torch.equal(frame, solid(255))


def test_postprocessing_gives_frames_in_zero_to_one():
    chunk = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 3, 1, 1).expand(1, 2, 3, 4, 6)
    video = postprocess_chunk(chunk)
    assert video.shape == (2, 4, 6, 3)
    assert video.dtype == torch.float32
    assert video[1, 3, 5].tolist() == [0.0, 0.5, 1.0]


def test_postprocessing_clamps():
    video = postprocess_chunk(torch.tensor([-3.0, 3.0]).view(1, 2, 1, 1, 1))
    assert video.flatten().tolist() == [0.0, 1.0]


def test_both_ways_give_the_frames_back():
    frames = torch.randint(0, 256, (5, 4, 6, 3), dtype=torch.uint8)
    video = preprocess_chunk(list(frames.split(1)), "cpu", torch.float32)
    back = postprocess_chunk(video.transpose(1, 2)).mul(255).round().to(torch.uint8)
    assert torch.equal(back, frames)
