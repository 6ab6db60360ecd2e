"""What clients may write into the data channel."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_serve.errors import InvalidRequestError
from scope_serve.sessions.messages import (
    MAX_DEPTH,
    MAX_MESSAGE_BYTES,
    error_message,
    parse_client_message,
    stream_stopped,
)


@pytest.mark.parametrize("text", ['{"a": [1, "é"]}', '{"a": [1, "é"]}'.encode()])
def test_an_object_is_read_from_text_and_bytes(text):
    assert parse_client_message(text) == {"a": [1, "é"]}


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[1]", "3", "null", '"text"', b"\xff\xfe", '{"a": ' + "9" * 5000 + "}"],
)
def test_anything_but_an_object_is_refused(text):
    with pytest.raises(InvalidRequestError, match="data-channel message"):
        parse_client_message(text)


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
def test_the_limit_counts_bytes(letter):
    overhead = len(json.dumps({"a": ""}))
    room = (MAX_MESSAGE_BYTES - overhead) // len(letter.encode())
    assert parse_client_message(f'{{"a": "{letter * room}"}}')
    with pytest.raises(InvalidRequestError, match="at most"):
        parse_client_message(f'{{"a": "{letter * (room + 1)}"}}')


@pytest.mark.parametrize("levels", [MAX_DEPTH, 400, 30_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_nesting_is_refused(levels, opening, closing):
    inner = opening * levels + "1" + closing * levels
    with pytest.raises(InvalidRequestError):
        parse_client_message(f'{{"a": {inner}}}'[:MAX_MESSAGE_BYTES])


@given(st.text() | st.binary())
def test_no_input_raises_anything_else(text):
    with contextlib.suppress(InvalidRequestError):
        assert isinstance(parse_client_message(text), dict)


def test_a_message_leaves_out_what_is_not_known():
    told = error_message("code", "text", field=None, node_id="n")
    assert told == {"type": "error", "code": "code", "message": "text", "node_id": "n"}


def test_the_last_message_has_scopes_key():
    assert stream_stopped("c", "why")["error_message"] == "why"
