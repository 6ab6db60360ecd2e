"""Blending of prompt embeddings."""

import math

import pytest
import torch

from scope_serve.pipelines.blending import (
    EmbeddingBlender,
    TransitionConfig,
    blend_embeddings,
    parse_transition_config,
    slerp,
)

X = torch.tensor([[1.0, 0.0]])
Y = torch.tensor([[0.0, 1.0]])


def test_slerp_keeps_the_length_of_unit_vectors():
    half = slerp(X, Y, 0.5)
    assert torch.allclose(half, torch.tensor([[math.sqrt(0.5), math.sqrt(0.5)]]))
    assert torch.allclose(slerp(X, Y, 0.0), X)
    assert torch.allclose(slerp(X, Y, 1.0), Y, atol=1e-6)


@pytest.mark.parametrize("other", [X, X * 3, -X, torch.zeros_like(X)])
def test_slerp_without_an_arc_is_linear(other):
    assert torch.allclose(slerp(X, other, 0.25), torch.lerp(X, other, 0.25))


def test_slerp_of_half_precision_is_a_number():
    start = torch.full((2, 64), 60.0, dtype=torch.float16)
    end = -start.flip(0) * 0.5
    result = slerp(start, end, 0.3)
    assert result.dtype == torch.float16
    assert torch.isfinite(result).all()


def test_linear_blend_weighs_by_ratio():
    assert torch.allclose(blend_embeddings([X, Y], [1.0, 3.0]), torch.tensor([[0.25, 0.75]]))
    assert torch.allclose(blend_embeddings([X, Y], [0.0, 0.0]), torch.tensor([[0.5, 0.5]]))


def test_slerp_blend_of_two_follows_the_arc():
    assert torch.allclose(blend_embeddings([X, Y], [1.0, 1.0], "slerp"), slerp(X, Y, 0.5))


def test_slerp_blend_skips_prompts_without_weight():
    assert torch.allclose(blend_embeddings([X, Y], [0.0, 1.0], "slerp"), Y, atol=1e-6)


def test_blend_of_one_is_that_one():
    assert torch.equal(blend_embeddings([X], [0.2], "slerp"), X)


def test_blend_leaves_its_inputs():
    first = X.clone()
    blend_embeddings([first, Y], [1.0, 1.0])
    assert torch.equal(first, X)


@pytest.mark.parametrize(
    ("embeddings", "weights", "method"),
    [([], [], "linear"), ([X], [1, 2], "linear"), ([X], [-1], "linear"), ([X], [1], "cubic")],
)
def test_blend_refuses(embeddings, weights, method):
    with pytest.raises(ValueError, match=r"weight|method"):
        blend_embeddings(embeddings, weights, method)


def test_transition_is_parsed():
    config = parse_transition_config(
        {
            "target_prompts": [{"text": "a", "weight": 1.0}],
            "num_steps": 8,
            "temporal_interpolation_method": "slerp",
        }
    )
    assert config == TransitionConfig(8, "slerp", ({"text": "a", "weight": 1.0},))
    assert not config.is_immediate


def test_transition_has_defaults():
    assert parse_transition_config({}) == TransitionConfig(4, "linear", ())
    assert parse_transition_config(None).is_immediate
    assert parse_transition_config({"num_steps": 0}).is_immediate


@pytest.mark.parametrize("bad", [{"num_steps": -1}, {"temporal_interpolation_method": "x"}])
def test_transition_refuses(bad):
    with pytest.raises(ValueError, match=r"num_steps|method"):
        parse_transition_config(bad)


def test_blender_moves_in_steps_and_ends_exactly():
    blender = EmbeddingBlender(device="cpu", dtype=torch.float32)
    blender.start_transition(source_embedding=X, target_embedding=Y, num_steps=4)
    steps = []
    while blender.is_transitioning():
        steps.append(blender.get_next_embedding())
    assert [step[0, 1].item() for step in steps] == [0.25, 0.5, 0.75, 1.0]
    assert torch.equal(steps[-1], Y)
    assert blender.get_next_embedding() is None


def test_blender_starts_from_its_last_blend():
    blender = EmbeddingBlender()
    assert torch.equal(blender.blend([X], [1.0]), X)
    blender.blend([Y], [1.0], cache_result=False)
    blender.start_transition(target_embedding=Y, num_steps=2)
    assert blender.get_next_embedding().tolist() == [[0.5, 0.5]]


def test_cancelled_move_continues_from_where_it_stands():
    blender = EmbeddingBlender()
    blender.start_transition(source_embedding=X, target_embedding=Y, num_steps=2)
    blender.get_next_embedding()
    blender.cancel_transition()
    assert not blender.is_transitioning()
    blender.start_transition(target_embedding=X, num_steps=2)
    assert blender.get_next_embedding().tolist() == [[0.75, 0.25]]


def test_blender_without_a_start_jumps():
    blender = EmbeddingBlender(dtype=torch.float16)
    blender.start_transition(target_embedding=Y, num_steps=9, temporal_interpolation_method="slerp")
    only = blender.get_next_embedding()
    assert only.dtype == torch.float16
    assert torch.equal(only.float(), Y)
    assert not blender.is_transitioning()


def test_blender_has_nothing_to_blend():
    assert EmbeddingBlender().blend([], []) is None
