"""ICE candidates, servers, and how soon a vanished client is noticed."""

import contextlib
import inspect

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from hypothesis import given
from hypothesis import strategies as st

from scope_serve.errors import InvalidCandidateError
from scope_serve.webrtc import jitter_buffer
from scope_serve.webrtc.ice import configuration, notice_vanished_clients, parse_candidate
from scope_serve.webrtc.ice_servers import IceServer

HOST = "1 1 udp 2130706431 192.0.2.7 50000 typ host"


@pytest.mark.parametrize("prefix", ["", "candidate:", "a=candidate:"])
def test_a_candidate_is_read_with_and_without_its_prefix(prefix):
    parsed = parse_candidate(prefix + HOST, "0", 0)
    assert (parsed.ip, parsed.port, parsed.type) == ("192.0.2.7", 50_000, "host")
    assert (parsed.sdpMid, parsed.sdpMLineIndex) == ("0", 0)


@pytest.mark.parametrize("address", ["2001:db8::1", "3f1c0a.local"])
def test_other_addresses_are_read(address):
    assert parse_candidate(HOST.replace("192.0.2.7", address), None, 0).ip == address


@pytest.mark.parametrize("end", ["", "  ", "candidate:"])
def test_an_empty_candidate_marks_the_end(end):
    assert parse_candidate(end, "0", None) is None


@pytest.mark.parametrize(
    "garbage",
    [
        "nonsense",
        HOST.replace("50000", "port"),
        HOST.replace("50000", "70000"),
        HOST.replace("50000", "-1"),
        HOST.replace("192.0.2.7", "example.com"),
        HOST.replace("192.0.2.7", "../../etc"),
        HOST.removesuffix("typ host"),
        HOST + " rport x",
        "x" * 100_000,
    ],
)
def test_garbage_is_refused_in_few_words(garbage):
    with pytest.raises(InvalidCandidateError) as caught:
        parse_candidate(garbage, "0", 0)
    assert len(str(caught.value)) < 300


def test_a_candidate_must_say_where_it_belongs():
    with pytest.raises(InvalidCandidateError, match="sdpMid"):
        parse_candidate(HOST, None, None)


@given(st.text(), st.none() | st.text(), st.none() | st.integers())
def test_no_text_raises_anything_else(line, mid, index):
    with contextlib.suppress(InvalidCandidateError):
        parse_candidate(line, mid, index)


def test_without_servers_none_is_contacted():
    assert configuration([]).iceServers == []


def test_servers_are_passed_on():
    found = configuration([IceServer(urls="turn:t.example", username="u", credential="c")])
    assert isinstance(found, RTCConfiguration)
    (server,) = found.iceServers
    assert (server.urls, server.username, server.credential) == ("turn:t.example", "u", "c")


def test_aioice_still_reads_the_two_constants():
    source = inspect.getsource(aioice.ice.Connection)
    assert "CONSENT_INTERVAL *" in source
    assert ">= CONSENT_FAILURES" in source


def test_a_vanished_client_is_noticed_within_seconds(monkeypatch):
    for name in ("CONSENT_INTERVAL", "CONSENT_FAILURES"):
        monkeypatch.setattr(aioice.ice, name, getattr(aioice.ice, name))
    notice_vanished_clients()
    assert aioice.ice.CONSENT_INTERVAL * aioice.ice.CONSENT_FAILURES <= 6


async def test_aiortc_still_has_the_private_names_that_are_used():
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receiver = connection.addTransceiver("video").receiver
    assert isinstance(getattr(receiver, jitter_buffer._ATTRIBUTE), JitterBuffer)
    names = list(inspect.signature(JitterBuffer._remove_frame).parameters)
    assert names == ["self", "sequence_number"]
    buffer = JitterBuffer(capacity=16)
    assert (buffer._origin, len(buffer._packets)) == (None, 16)
    await connection.close()
