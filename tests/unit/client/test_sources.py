"""Sources remember what they sent."""

import pytest
from aiortc.mediastreams import MediaStreamError

from scope_serve.client import barcode
from scope_serve.client.pictures import TestPattern, luma_of
from scope_serve.client.sources import SentLog, TestPatternSource


def test_a_number_is_found_by_its_barcode_and_time():
    log = SentLog()
    for pts in (0, 3000, 6000):
        log.add(pts)
    assert log.by_barcode(1) == log.by_pts(3000)
    assert log.count == 3


def test_a_barcode_that_was_not_sent_is_not_found():
    log = SentLog()
    log.add(0)
    assert log.by_barcode(1) is None
    assert log.by_pts(5) is None


def test_the_newest_of_equal_barcodes_is_found():
    log = SentLog()
    for pts in range((1 << 16) + 3):
        log.add(pts)
    found = log.by_barcode(1)
    assert found is not None
    assert found.number == (1 << 16) + 1


async def test_a_test_pattern_ends_after_its_duration_and_numbers_its_pictures():
    source = TestPatternSource(TestPattern(320, 180), fps=100, duration_s=0.05)
    numbers = [barcode.read(luma_of(await source.recv())) for _ in range(5)]
    with pytest.raises(MediaStreamError):
        await source.recv()
    assert numbers == [0, 1, 2, 3, 4]
    assert source.ended.is_set()
    assert [sent.pts for sent in source.sent.between(0, float("inf"))] == [
        0, 900, 1800, 2700, 3600,
    ]  # fmt: skip


async def test_a_stopped_source_gives_nothing_more():
    source = TestPatternSource(TestPattern(320, 180))
    source.stop()
    with pytest.raises(MediaStreamError):
        await source.recv()
