"""Pictures are released by the marker bit of their last packet."""

import inspect

from aiortc import rtcrtpreceiver
from aiortc.rtp import RtpPacket

from scope_serve.webrtc.jitter_buffer import MarkerJitterBuffer


def packet(sequence_number, timestamp, *, marker):
    made = RtpPacket(sequence_number=sequence_number, timestamp=timestamp, marker=int(marker))
    made._data = bytes([sequence_number % 256])
    return made


def released(buffer, *packets):
    return [frame.data for item in packets if (frame := buffer.add(item)[1]) is not None]


def test_a_picture_is_released_by_its_own_last_packet():
    packets = [packet(1, 0, marker=False), packet(2, 0, marker=True)]
    assert released(MarkerJitterBuffer(16, is_video=True), *packets) == [b"\x01\x02"]


def test_packets_out_of_order_are_put_in_order():
    buffer = MarkerJitterBuffer(16, is_video=True)
    first = released(buffer, packet(1, 0, marker=True))
    rest = released(buffer, packet(3, 9, marker=True), packet(2, 9, marker=False))
    assert [*first, *rest] == [b"\x01", b"\x02\x03"]


def test_a_picture_without_marker_is_released_by_the_next():
    packets = [packet(1, 0, marker=False), packet(2, 9, marker=False)]
    assert released(MarkerJitterBuffer(16, is_video=True), *packets) == [b"\x01"]


def test_sequence_numbers_may_wrap():
    packets = [packet(65535, 0, marker=False), packet(0, 0, marker=True)]
    assert released(MarkerJitterBuffer(16, is_video=True), *packets) == [b"\xff\x00"]


def test_aiortc_still_keeps_its_buffer_where_it_is_replaced():
    source = inspect.getsource(rtcrtpreceiver.RTCRtpReceiver)
    assert "self.__jitter_buffer = JitterBuffer(capacity=512, is_video=True)" in source
    assert "self.__jitter_buffer.add(packet)" in source
