"""Percentiles are values that were measured."""

import pytest

from scope_serve.client.percentiles import percentile, summarise


def test_nothing_has_no_summary():
    assert summarise([]) is None


def test_one_value_is_every_percentile():
    summary = summarise([3.5])
    assert summary is not None
    assert {summary.minimum, summary.p50, summary.p95, summary.p99, summary.maximum} == {3.5}


def test_a_hundred_values_are_their_own_percentiles():
    summary = summarise(list(range(100, 0, -1)))
    assert summary is not None
    assert (summary.p50, summary.p95, summary.p99) == (50, 95, 99)
    assert (summary.count, summary.minimum, summary.maximum) == (100, 1, 100)


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 1), (51, 2), (100, 2)])
def test_a_percentile_is_one_of_the_values(percent, value):
    assert percentile([1, 2], percent) == value
