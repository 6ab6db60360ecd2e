"""Percentiles of a list of measurements. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """How a list of measurements is distributed, in the unit they were given in."""

    count: int
    minimum: float
    p50: float
    p95: float
    p99: float
    maximum: float


def summarise(values: Sequence[float]) -> Summary | None:
    """Return the summary of ``values``; None if there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return Summary(
        count=len(ordered),
        minimum=ordered[0],
        p50=percentile(ordered, 50),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        maximum=ordered[-1],
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of an ascending, non-empty sequence.

    Nearest rank returns a value that was measured, never one between two of them.
    """
    rank = math.ceil(percent / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]
