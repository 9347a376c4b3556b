"""The benchmark's re-implementations of Inspect's intervals are Inspect's numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from inspect_ai.scorer import SampleScore, Score, ci, ci_wilson

# The benchmarks stand beside the package and are not installed.
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.coverage import peers
from benchmarks.coverage.generators import counts, propensities, scenario_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def limits(metric: Any, n: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[float, float]:
    """Inspect's limits for the counts of one data set, each output a sample with its scenario as metadata."""
    scores = [
        SampleScore(score=Score(value=float(item < hits)), sample_metadata={"scenario": str(scenario)})
        for scenario, (size, hits) in enumerate(zip(n, y, strict=True))
        for item in range(size)
    ]
    found = metric(cluster="scenario")(scores)
    return found["lower"], found["upper"]


@pytest.mark.parametrize(("rate", "icc"), [(0.03, 0.5), (0.3, 0.2), (0.5, 0.8)])
def test_clustered_intervals_are_inspects(rate: float, icc: float) -> None:
    """`ci(cluster=)` and `ci_wilson(cluster=)` of 20 data sets, some of them without an event."""
    rng = np.random.default_rng(0)
    n = scenario_sizes((4, 10), (20, 8), rng)
    y = counts(n, propensities("beta_binomial", rate, icc), rng)
    y[0], y[1] = 0, n[1]
    for metric, ours in ((ci, peers.inspect_ci), (ci_wilson, peers.inspect_ci_wilson)):
        low, high = ours(n, y)
        for at in range(len(n)):
            assert (float(low[at]), float(high[at])) == pytest.approx(limits(metric, n[at], y[at]), abs=1e-9)


def test_negative_correlation_caps_the_effective_size() -> None:
    """Where scenarios are more alike than chance allows, both take the number of outputs and no more."""
    n, y = np.full((1, 10), 6), np.array([[3, 3, 3, 3, 3, 3, 3, 3, 3, 2]])
    low, high = peers.inspect_ci_wilson(n, y)
    assert (float(low[0]), float(high[0])) == pytest.approx(limits(ci_wilson, n[0], y[0]), abs=1e-9)
    low_t, high_t = peers.inspect_ci(n, y)
    assert float(high[0] - low[0]) > float(high_t[0] - low_t[0])
