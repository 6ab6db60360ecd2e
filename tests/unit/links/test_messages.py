import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_serve.errors import LinkProtocolError
from scope_serve.frames import I420Frame, i420_size_bytes
from scope_serve.links.messages import (
    HEADER,
    Acknowledge,
    EventMessage,
    FrameMessage,
    Goodbye,
    Heartbeat,
    Hello,
    MessageDecoder,
    ParametersMessage,
    Welcome,
    encode,
)


def feed(decoder, raw, piece_bytes):
    """Give ``raw`` to ``decoder`` in pieces of at most ``piece_bytes``; return the messages."""
    messages = []
    view = memoryview(raw)
    while view:
        target = decoder.get_buffer()
        count = min(len(target), len(view), piece_bytes)
        target[:count] = view[:count]
        view = view[count:]
        if (message := decoder.advance(count)) is not None:
            messages.append(message)
    return messages


def frame(width=6, height=4, **kwargs):
    return I420Frame(bytes(range(i420_size_bytes(width, height))), width, height, **kwargs)


@pytest.mark.parametrize(
    "message",
    [
        Hello("secret"),
        Welcome(),
        ParametersMessage({"prompts": [{"text": "é", "weight": 1.0}]}),
        Acknowledge(3),
        EventMessage({"type": "error", "code": "x"}),
        Heartbeat(),
        Goodbye("done"),
    ],
)
@pytest.mark.parametrize("piece_bytes", [1, 5, 4096])
def test_a_message_arrives_as_it_was_sent(message, piece_bytes):
    raw = b"".join(encode(message))
    assert feed(MessageDecoder(), raw, piece_bytes) == [message]


@given(
    width=st.integers(1, 9),
    height=st.integers(1, 9),
    pts=st.none() | st.integers(-(1 << 40), 1 << 40),
    entered_ns=st.integers(0, 1 << 62),
    piece_bytes=st.integers(1, 300),
)
def test_a_picture_arrives_as_it_was_sent(width, height, pts, entered_ns, piece_bytes):
    sent = FrameMessage(frame(width, height, pts=pts, entered_ns=entered_ns), 1, 4)
    (received,) = feed(MessageDecoder(), b"".join(encode(sent)), piece_bytes)
    assert received == sent


def test_messages_that_follow_each_other_stay_apart():
    sent = [Hello("a"), FrameMessage(frame()), Heartbeat(), FrameMessage(frame(2, 2))]
    raw = b"".join(part for message in sent for part in encode(message))
    assert feed(MessageDecoder(), raw, 7) == sent


def test_the_picture_is_not_copied_when_sent():
    picture = frame()
    assert encode(FrameMessage(picture))[1] is picture.data


@pytest.mark.parametrize(
    "raw",
    [
        HEADER.pack(1, 1 << 30, 0),
        HEADER.pack(3, 10, 1 << 31),
        HEADER.pack(99, 2, 0) + b"{}",
        HEADER.pack(1, 3, 0) + b"abc",
        HEADER.pack(5, 2, 0) + b"{}",
        HEADER.pack(3, 2, 4) + b"{}abcd",
        HEADER.pack(4, 2, 0) + b"[]",
        HEADER.pack(4, 100_000, 0) + b"[" * 100_000,
    ],
    ids=[
        "long head",
        "long body",
        "unknown kind",
        "no JSON",
        "missing key",
        "frame head",
        "no object",
        "nested",
    ],
)
def test_bytes_that_are_no_message_are_refused(raw):
    with pytest.raises(LinkProtocolError):
        feed(MessageDecoder(), raw, 4096)


def test_a_frame_whose_size_does_not_match_its_data_is_refused():
    raw = bytearray(b"".join(encode(FrameMessage(frame(6, 4)))))
    raw[HEADER.size + 3] = 8
    with pytest.raises(LinkProtocolError, match="8x4"):
        feed(MessageDecoder(), bytes(raw), 4096)


def test_a_message_too_long_for_the_link_is_refused_by_the_sender():
    with pytest.raises(LinkProtocolError, match="exceeds"):
        encode(ParametersMessage({"text": "x" * (1 << 20)}))
