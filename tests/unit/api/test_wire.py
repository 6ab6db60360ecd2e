"""Scope's bodies."""

import pytest
from pydantic import ValidationError

from scope_serve.api.wire import Answer, Candidates, Offer, Parameters


def test_parameters_that_scope_always_has_are_always_there():
    wanted = {"prompt_interpolation_method": "linear", "vace_context_scale": 1.0}
    assert Parameters().runtime() == wanted


def test_unknown_keys_are_kept_as_they_are():
    value = {"a": [1, None, {"b": None}]}
    assert Parameters.model_validate({"plugin_field": value}).runtime()["plugin_field"] == value


def test_prompts_have_weights():
    found = Parameters.model_validate({"prompts": [{"text": "sea", "more": 1}]}).runtime()
    assert found["prompts"] == [{"text": "sea", "weight": 1.0, "more": 1}]


def test_the_chain_is_no_parameter():
    body = {"pipeline_ids": ["a"], "graph": {"nodes": [], "edges": []}, "node_id": "n", "gain": 1}
    found = Parameters.model_validate(body).runtime()
    assert found.keys() == {"prompt_interpolation_method", "vace_context_scale", "gain"}


@pytest.mark.parametrize(
    "body",
    [
        {"input_mode": "audio"},
        {"noise_scale": 1.5},
        {"noise_scale": float("nan")},
        {"vace_context_scale": 3},
        {"kv_cache_attention_bias": 0},
        {"prompts": [{"weight": 1}]},
        {"prompts": [{"text": "x", "weight": -1}]},
        {"prompt_interpolation_method": "cubic"},
        {"lora_scales": [{"path": "x", "scale": 11}]},
        {"transition": {"num_steps": 3}},
    ],
)
def test_a_wrong_value_is_refused(body):
    with pytest.raises(ValidationError):
        Parameters.model_validate(body)


def test_an_offer_has_scopes_keys():
    body = {
        "sdp": "s",
        "type": "offer",
        "initialParameters": {"gain": 1},
        "user_id": "u",
        "connection_id": None,
        "connection_info": {"region": "eu"},
        "something_new": 1,
    }
    assert Offer.model_validate(body).initial_parameters.gain == 1


def test_an_answer_has_scopes_keys():
    found = Answer(sdp="s", session_id="i").model_dump(by_alias=True)
    assert found == {"sdp": "s", "type": "answer", "sessionId": "i"}


def test_candidates_have_w3cs_keys():
    body = {"candidates": [{"candidate": "c", "sdpMid": "0", "sdpMLineIndex": 1, "x": 2}]}
    (found,) = Candidates.model_validate(body).candidates
    assert (found.candidate, found.sdp_mid, found.sdp_mline_index) == ("c", "0", 1)
    with pytest.raises(ValidationError):
        Candidates.model_validate({"candidates": body["candidates"] * 65})
