"""What servers say, in every form they say it in."""

import pytest

from scope_serve.client import wire
from scope_serve.client.wire import ErrorBody, IceServer


def test_an_error_body_gives_its_sentence_and_code():
    body = '{"detail": "no place is free", "code": "no_capacity"}'
    assert wire.read_error_body(503, "x", body) == ErrorBody("no place is free", "no_capacity")


def test_a_list_of_validation_errors_becomes_a_sentence():
    body = """{"detail": [
        {"loc": ["body", "initialParameters", "input_mode"], "msg": "Input should be 'text'"},
        {"loc": ["body"], "msg": "Field required"}
    ]}"""
    said = wire.read_error_body(422, "x", body)
    assert said.detail == "initialParameters.input_mode: Input should be 'text'; Field required"


@pytest.mark.parametrize("body", ["", "<html>Bad Gateway</html>", "[]", "{}", '{"detail": null}'])
def test_any_other_body_falls_back_to_the_status_line(body):
    said = wire.read_error_body(502, "Bad Gateway", body)
    assert said == ErrorBody("the server answered 502 Bad Gateway")


def test_ice_servers_may_have_one_url_or_several():
    body = {
        "iceServers": [
            {"urls": "stun:a"},
            {"urls": ["turn:b", "turns:b"], "username": "u", "credential": "c"},
        ]
    }
    assert wire.read_ice_servers(body) == (
        IceServer(("stun:a",)),
        IceServer(("turn:b", "turns:b"), "u", "c"),
    )


def test_initial_parameters_name_chain_and_mode_and_leave_out_none():
    made = wire.initial_parameters(["a", "b"], "video", {"x": 1, "y": None})
    assert made == {"x": 1, "pipeline_ids": ["a", "b"], "input_mode": "video"}


@pytest.mark.parametrize("data", ["no json", b"\xff", "[1]", "3"])
def test_what_is_not_a_json_object_is_no_message(data):
    assert wire.read_message(data) is None


def test_an_ordinary_stop_has_no_reason():
    assert wire.stop_reason({"type": "stream_stopped"}) is None


def test_a_stop_with_a_message_says_why():
    assert "out of memory" in str(wire.stop_reason({"error_message": "out of memory"}))


def test_an_error_message_becomes_an_error_with_its_field():
    error = wire.reported_error(
        {"type": "error", "code": "invalid_parameter", "message": "too large", "field": "x"}
    )
    assert error is not None
    assert (error.server_code, error.field, error.is_refusal) == ("invalid_parameter", "x", True)


def test_an_unknown_message_is_no_error():
    assert wire.reported_error({"type": "tempo_update"}) is None


@pytest.mark.parametrize(
    ("latency", "p50", "p95"),
    [(7.5, 7.5, None), ({"p50": 7, "p95": 9}, 7.0, 9.0), (None, None, None), (True, None, None)],
)
def test_the_servers_latency_is_read_in_both_forms(latency, p50, p95):
    message = {"type": "session_stats", "latency_ms": latency}
    assert wire.server_latency_ms(message) == p50
    assert wire.stats_latency_p95_ms(message) == p95
