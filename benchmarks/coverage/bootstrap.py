"""The cluster bootstrap: whole scenarios drawn with replacement, percentile and BCa limits.

References:
    Davison & Hinkley 1997 (percentile, BCa); Efron 1987 (acceleration from the jackknife).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmarks.coverage.methods import UPPER

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Interval = tuple[Floats, Floats]

__all__ = ["cluster_bootstrap"]

_BATCH = 250


def cluster_bootstrap(n: ArrayLike, total: ArrayLike, resamples: int, rng: np.random.Generator) -> dict[str, Interval]:
    """Limits of sum(total) / sum(n) by the percentile and the BCa bootstrap over scenarios.

    Args:
        n: Outputs by scenario, shape (data sets, scenarios).
        total: What is averaged, summed by scenario: events, or the difference of two models' events.
        resamples: Resamples of each data set.
        rng: Source of randomness; data sets of one batch share their draws of scenarios.

    Returns:
        The limits by name, `percentile` and `bca`.
    """
    sizes, sums = np.asarray(n, dtype=float), np.asarray(total, dtype=float)
    data_sets, scenarios = sizes.shape
    limits = np.empty((2, 2, data_sets))
    for begin in range(0, data_sets, _BATCH):
        rows = slice(begin, begin + _BATCH)
        drawn = rng.multinomial(scenarios, np.full(scenarios, 1 / scenarios), size=resamples).T.astype(float)
        means = np.sort(sums[rows] @ drawn / (sizes[rows] @ drawn), axis=-1)
        tails = np.array([1 - UPPER, UPPER])
        limits[0, :, rows] = _quantiles(means, np.broadcast_to(tails[:, None], (2, len(means))))
        limits[1, :, rows] = _quantiles(means, _bca_tails(sizes[rows], sums[rows], means, tails))
    return {"percentile": (limits[0, 0], limits[0, 1]), "bca": (limits[1, 0], limits[1, 1])}


def _quantiles(ordered: Floats, tails: Floats) -> Floats:
    """Quantiles of each row, linear between its values; tails of shape (2, rows)."""
    place = tails * (ordered.shape[1] - 1)
    below = np.minimum(place.astype(np.int64), ordered.shape[1] - 2)
    row = np.arange(len(ordered))
    first, second = ordered[row, below], ordered[row, below + 1]
    return np.asarray(first + (place - below) * (second - first))


def _bca_tails(sizes: Floats, sums: Floats, means: Floats, tails: Floats) -> Floats:
    """Which quantiles of the resamples BCa takes, shape (2, rows)."""
    whole_sum, whole_size = sums.sum(-1, keepdims=True), sizes.sum(-1, keepdims=True)
    estimate = whole_sum / whole_size
    share = ((means < estimate).mean(-1) + (means <= estimate).mean(-1)) / 2
    # A share of 0 or 1 has no finite normal score; half a resample is the least that was seen.
    least = 0.5 / means.shape[1]
    bias = special.ndtri(np.clip(share, least, 1 - least))
    left_out = (whole_sum - sums) / (whole_size - sizes)
    pull = left_out.mean(-1, keepdims=True) - left_out
    spread = (pull**2).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        acceleration = np.where(spread > 1e-30, (pull**3).sum(-1) / (6 * spread**1.5), 0.0)
    score = bias + special.ndtri(tails)[:, None]
    return np.asarray(special.ndtr(bias + score / (1 - acceleration * score)))
