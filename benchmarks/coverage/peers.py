"""What others do: the intervals and tests that alignbench's are held against, for many data sets at once.

References:
    Inspect AI 0.3.285, `inspect_ai.scorer` (`ci`, `ci_wilson` and the clustered standard error behind them;
    tests/inspect/test_coverage_peers.py compares the numbers); Miller 2024, arXiv 2411.00640 (paired
    differences with clustered standard errors); Newcombe 1998 (method 10); McNemar 1947.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from alignbench.stats.rate import moments, wilson
from alignbench.stats.s2 import mover
from benchmarks.coverage.methods import UPPER

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from benchmarks.coverage.generators import PairedCounts

    Floats = NDArray[np.float64]
    Interval = tuple[Floats, Floats]

__all__ = [
    "inspect_ci",
    "inspect_ci_wilson",
    "item_mcnemar",
    "item_newcombe",
    "item_wilson",
    "miller_t",
    "miller_z",
    "paired_cr2_t",
]

NORMAL = float(special.ndtri(UPPER))


def item_wilson(n: ArrayLike, y: ArrayLike) -> Interval:
    """Wilson's interval as if all outputs were independent; arrays of shape (data sets, scenarios)."""
    outputs = np.asarray(n, dtype=float).sum(-1)
    return wilson(np.asarray(y).sum(-1) / outputs, outputs, NORMAL)


def _clustered(n: ArrayLike, total: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Mean, its CR1 standard error and the number of scenarios; scenarios of size 0 do not count."""
    sizes, sums = np.asarray(n, dtype=float), np.asarray(total, dtype=float)
    outputs, scenarios = sizes.sum(-1), (sizes > 0).sum(-1).astype(float)
    mean = sums.sum(-1) / outputs
    squares = ((sums - sizes * mean[..., None]) ** 2).sum(-1)
    return mean, np.sqrt(squares * scenarios / (scenarios - 1)) / outputs, scenarios


def inspect_ci(n: ArrayLike, y: ArrayLike) -> Interval:
    """`inspect_ai.scorer.ci(cluster=)`: mean and t clustered standard errors; it may leave [0, 1]."""
    mean, error, scenarios = _clustered(n, y)
    half = special.stdtrit(scenarios - 1, UPPER) * error
    return mean - half, mean + half


def inspect_ci_wilson(n: ArrayLike, y: ArrayLike) -> Interval:
    """`inspect_ai.scorer.ci_wilson(cluster=)`: Wilson at the effective sample size that the data show."""
    mean, error, scenarios = _clustered(n, y)
    outputs, spread = np.asarray(n, dtype=float).sum(-1), mean * (1 - mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.minimum(spread / error**2, outputs)
    effective = np.where((spread > 0) & (error > 0), effective, outputs)
    return wilson(mean, effective, special.stdtrit(scenarios - 1, UPPER))


def miller_z(pairs: PairedCounts) -> Interval:
    """Paired differences, clustered standard error, normal quantile."""
    mean, error, _ = _clustered(pairs.n, pairs.candidate - pairs.base)
    return mean - NORMAL * error, mean + NORMAL * error


def miller_t(pairs: PairedCounts) -> Interval:
    """The same with the t quantile at scenarios - 1."""
    return inspect_ci(pairs.n, pairs.candidate - pairs.base)


def paired_cr2_t(pairs: PairedCounts) -> Interval:
    """Paired differences, CR2 with its degrees of freedom."""
    cell = moments(pairs.n, pairs.candidate - pairs.base)
    half = special.stdtrit(cell.df, UPPER) * np.sqrt(cell.cr2)
    return np.clip(cell.p - half, -1, 1), np.clip(cell.p + half, -1, 1)


def item_newcombe(pairs: PairedCounts) -> Interval:
    """Newcombe's method 10 as if all pairs of outputs were independent."""
    total, base, candidate, both = (
        part.sum(-1).astype(float) for part in (pairs.n, pairs.base, pairs.candidate, pairs.both)
    )
    cross = both * (total - base - candidate + both) - (base - both) * (candidate - both)
    corrected = np.where(cross > 0, np.maximum(cross - total / 2, 0), cross)
    margins = base * (total - base) * candidate * (total - candidate)
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = np.where(margins > 0, corrected / np.sqrt(margins), 0.0)
    first, second = base / total, candidate / total
    low, high = mover((first, *wilson(first, total, NORMAL)), (second, *wilson(second, total, NORMAL)), phi)
    return np.maximum(low, -1), np.minimum(high, 1)


def item_mcnemar(pairs: PairedCounts) -> Floats:
    """Two-sided p of the exact McNemar test on pairs of outputs as if they were independent."""
    up, down = (pairs.candidate - pairs.both).sum(-1), (pairs.base - pairs.both).sum(-1)
    fewer = np.minimum(up, down).astype(float)
    return np.asarray(np.minimum(1.0, 2 * special.bdtr(fewer, up + down, 0.5)))
