"""The intervals of alignbench, for many simulated data sets at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from alignbench.stats.rate import moments, s1
from alignbench.stats.s2 import s2

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from benchmarks.coverage.generators import PairedCounts

    Floats = NDArray[np.float64]
    Interval = tuple[Floats, Floats]

__all__ = ["LEVEL", "beta_binomial", "clopper_pearson", "cr2_t", "s1_interval", "s2_interval"]

LEVEL = 0.95
UPPER = 0.5 + LEVEL / 2

_MEANS, _CORRELATIONS = 801, 60
_BATCH = 50
_EDGES = np.sin(np.arange(_MEANS + 1) / _MEANS * np.pi / 2) ** 2


def s1_interval(n: ArrayLike, y: ArrayLike) -> Interval:
    """S1; n and y of shape (data sets, scenarios), as everywhere here."""
    parts = s1(moments(n, y), LEVEL)
    return parts.low, parts.high


def cr2_t(n: ArrayLike, y: ArrayLike) -> Interval:
    """`rate(..., method="cr2_t")`."""
    cell = moments(n, y)
    half = special.stdtrit(cell.df, UPPER) * np.sqrt(cell.cr2)
    return np.clip(cell.p - half, 0, 1), np.clip(cell.p + half, 0, 1)


def clopper_pearson(n: ArrayLike, y: ArrayLike) -> Interval:
    """`rate(..., method="clopper_pearson")`: exact limits as if every scenario had one output."""
    cell = moments(n, y)
    hit, miss = cell.p * cell.scenarios, (1 - cell.p) * cell.scenarios
    with np.errstate(invalid="ignore"):
        low = np.where(hit > 0, special.betaincinv(hit, miss + 1, 1 - UPPER), 0.0)
        high = np.where(miss > 0, special.betaincinv(hit + 1, miss, UPPER), 1.0)
    return low, high


def s2_interval(pairs: PairedCounts) -> Interval:
    """S2."""
    parts = s2(pairs.n, pairs.base, pairs.candidate, confidence=LEVEL)
    return parts.low, parts.high


@lru_cache(maxsize=64)
def _log_chances(size: int) -> Floats:
    """Log-chance of 0..size events at every point of the posterior's grid; shape (size + 1, points)."""
    mean = np.sin((np.arange(_MEANS) + 0.5) / _MEANS * np.pi / 2) ** 2
    weight = 1 / ((np.arange(_CORRELATIONS) + 0.5) / _CORRELATIONS) - 1
    a, b = (np.outer(share, weight).ravel() for share in (mean, 1 - mean))
    hits = np.arange(size + 1)[:, None]
    chances: Floats = special.betaln(hits + a, size - hits + b) - special.betaln(a, b)
    return chances


def beta_binomial(n: ArrayLike, y: ArrayLike) -> Interval:
    """`rate(..., method="beta_binomial")`, its likelihoods added up by kind of scenario."""
    sizes, hits = np.asarray(n, dtype=np.int64), np.asarray(y, dtype=np.int64)
    found = np.unique(sizes)
    table = np.concatenate([_log_chances(int(size)) for size in found])
    first = np.cumsum(np.append(0, found + 1))[np.searchsorted(found, sizes)]
    limits = np.empty((len(sizes), 2))
    for begin in range(0, len(sizes), _BATCH):
        kinds = (first + hits)[begin : begin + _BATCH]
        tally = np.stack([np.bincount(row, minlength=len(table)) for row in kinds]).astype(float)
        likelihood = tally @ table
        likelihood -= likelihood.max(-1, keepdims=True)
        np.exp(likelihood, out=likelihood)
        marginal = likelihood.reshape(len(kinds), _MEANS, _CORRELATIONS).sum(-1)
        cumulative = np.pad(marginal.cumsum(-1), ((0, 0), (1, 0))) / marginal.sum(-1, keepdims=True)
        for at, row in enumerate(cumulative):
            limits[begin + at] = np.interp([1 - UPPER, UPPER], row, _EDGES)
    p = hits.sum(-1) / sizes.sum(-1)
    return np.minimum(limits[:, 0], p), np.maximum(limits[:, 1], p)
