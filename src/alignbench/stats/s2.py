"""S2, the interval of a difference between two rates on the same scenarios, for one cell or many at once.

S2 joins the S1 intervals of the two rates by MOVER, with the correlation that the pairs realise. Where the
pairs do not gain (r near 0) it is the interval of two independent samples.

References:
    Zou & Donner 2008 (MOVER); Newcombe 1998, method 10 (its case of one output a scenario); Bell & McCaffrey
    2002 (the variances behind r).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignbench.stats.rate import moments, overall_s1, zero_event_bound

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["S2Parts", "mover", "s2"]

NO_VARIANCE = 1e-20
"""A variance below this is rounding: one event among a million outputs gives 1e-12."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S2Parts:
    """The S2 interval and what it was made of, arrays of one shape.

    Attributes:
        rate_base: Rate of the base.
        rate_candidate: Rate of the candidate.
        difference: rate_candidate - rate_base.
        low: Lower limit, in [-1, 1].
        high: Upper limit, in [-1, 1].
        r: Correlation of the two rates that was used.
    """

    rate_base: Floats
    rate_candidate: Floats
    difference: Floats
    low: Floats
    high: Floats
    r: Floats


def mover(
    base: tuple[ArrayLike, ArrayLike, ArrayLike],
    candidate: tuple[ArrayLike, ArrayLike, ArrayLike],
    r: ArrayLike,
) -> tuple[Floats, Floats]:
    """Limits of a difference from the limits of its two parts (method of variance estimates recovery).

    Args:
        base: Estimate, lower and upper limit of the part that is taken away.
        candidate: Estimate, lower and upper limit of the other part.
        r: Correlation of the two estimates; 0 for independent ones.

    Returns:
        The lower and the upper limit of candidate - base.
    """
    p_a, l_a, u_a = (np.asarray(part, float) for part in base)
    p_b, l_b, u_b = (np.asarray(part, float) for part in candidate)
    correlation = np.asarray(r, float)

    def reach(first: Floats, second: Floats) -> Floats:
        return np.sqrt(np.maximum(0.0, first**2 - 2 * correlation * first * second + second**2))

    change = p_b - p_a
    return change - reach(p_b - l_b, u_a - p_a), change + reach(u_b - p_b, p_a - l_a)


def s2(
    n: ArrayLike,
    base: ArrayLike,
    candidate: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> S2Parts:
    """The S2 interval of many cells at once: MOVER on the two S1 intervals with the realised correlation.

    Two additions to the plain formula keep the interval from closing where the pairs agree too well, which K
    scenarios cannot prove: r is at most 1 - 1/K, and where no scenario differs at all, the interval reaches
    as far as the share of scenarios that could differ unseen (`zero_event_bound`).

    Args:
        n: Pairs by scenario, shape (..., K), or (..., H, K) with `weights`; scenarios of size 0 are passed
            over, so strata of fewer scenarios are filled up with zeros.
        base: Events of the base by scenario, same shape, 0 <= base <= n.
        candidate: Events of the candidate, same shape.
        weights: Weights of the H strata, summing to 1; None for a single one.
        confidence: Two-sided coverage.

    Returns:
        Arrays over the leading axes; meaningless limits where a stratum has fewer than two scenarios.
    """
    sizes, first, second = (np.asarray(part, dtype=float) for part in (n, base, candidate))
    if weights is None:
        sizes, first, second = sizes[..., None, :], first[..., None, :], second[..., None, :]
    share = np.ones(1) if weights is None else np.asarray(weights, dtype=float)
    cell_a, cell_b = moments(sizes, first), moments(sizes, second)
    p_a, parts_a = overall_s1(cell_a, share, confidence)
    p_b, parts_b = overall_s1(cell_b, share, confidence)
    variance_a, variance_b = ((share**2 * cell.cr2).sum(-1) for cell in (cell_a, cell_b))
    # CR2 is a quadratic form of the residuals, so the variance of the difference holds the covariance.
    variance_d = (share**2 * moments(sizes, second - first).cr2).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = (variance_a + variance_b - variance_d) / (2 * np.sqrt(variance_a * variance_b))
        cap = 1 - 1 / cell_a.scenarios.sum(-1)
    varied = (variance_a > NO_VARIANCE) & (variance_b > NO_VARIANCE)
    r = np.where(varied, np.clip(np.nan_to_num(raw), -1, cap), 0.0)
    low, high = mover((p_a, parts_a.low, parts_a.high), (p_b, parts_b.low, parts_b.high), r)
    unseen = _unseen_bound(cell_a.scenarios, share, varied & (first == second).all((-2, -1)), confidence)
    low, high = np.minimum(low, -unseen), np.maximum(high, unseen)
    return S2Parts(
        rate_base=p_a, rate_candidate=p_b, difference=p_b - p_a, low=np.clip(low, -1, 1), high=np.clip(high, -1, 1), r=r
    )


def _unseen_bound(scenarios: Floats, share: Floats, silent: NDArray[np.bool_], confidence: float) -> Floats:
    """Bound of |difference| where no scenario differs; elsewhere minus infinity, which moves no limit."""
    bound = np.full(silent.shape, -np.inf)
    for at in map(tuple, np.argwhere(silent)):
        bound[at] = zero_event_bound(scenarios[at], share, confidence)
    return bound
