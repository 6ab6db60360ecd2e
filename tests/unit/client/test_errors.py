"""Errors say what to do."""

import pickle

import pytest

from scope_serve.client import errors

EXAMPLES = [
    errors.MediaFileError("a.mp4", "is a folder"),
    errors.ServerUnreachableError("http://x", "refused"),
    errors.ServerResponseError("GET /", 404, "not_found", "no such thing"),
    errors.UnknownPipelineError("grey", ("gray", "noise")),
    errors.ConnectFailedError("broke"),
    errors.StreamStoppedError("ran out of memory"),
    errors.ReportedError("invalid_parameter", "too large", "x"),
    errors.NoFrameError(2.0, 7),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_every_error_is_a_client_error_and_survives_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, errors.ClientError)
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)


def test_an_unreachable_server_is_named_with_the_cure():
    sentence = str(errors.ServerUnreachableError("http://x:1", "refused"))
    assert "http://x:1" in sentence
    assert "scope-serve run" in sentence
    assert "--url" in sentence


def test_an_unknown_pipeline_comes_with_the_offer_and_the_nearest():
    sentence = str(errors.UnknownPipelineError("grey", ("gray", "noise")))
    assert "offered: 'gray', 'noise'; did you mean 'gray'?" in sentence


@pytest.mark.parametrize(
    ("status", "is_refusal"), [(400, True), (404, True), (422, True), (429, False), (503, False)]
)
def test_a_refusal_is_what_has_to_be_changed(status, is_refusal):
    assert errors.ServerResponseError("GET /", status, None, "x").is_refusal is is_refusal


def test_a_missing_frame_says_after_which_one():
    assert str(errors.NoFrameError(2.0, 7)) == "no frame arrived for 2 s after frame 7"
