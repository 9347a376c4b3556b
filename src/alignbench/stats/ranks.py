"""Simultaneous confidence sets for ranks: which places each model may hold, all of them together.

A rank set counts the models that are significantly better and significantly worse; overlapping intervals of
the rates decide nothing. One family of one-sided hypotheses covers both directions of every pair, so all sets
hold at once.

References:
    Mogstad, Romano, Shaikh & Wilhelm 2023, "Inference for Ranks with Applications to Mobility across
    Neighbourhoods and Academic Achievement across Countries", Review of Economic Studies; Romano & Wolf 2005
    (step-down max-t); Bell & McCaffrey 2002 (CR2); Bartlett 1933 (Wishart draws); Holm 1979.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError
from alignbench.stats.multiplicity import holm

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["DRAWS", "RankSets", "holm_rank_sets", "joint_covariance", "max_t_rank_sets", "rank_text"]

DRAWS = 20_000
"""Draws of the joint normal distribution behind a critical value."""
_BATCH_NUMBERS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """Rank sets of M models that hold together.

    Attributes:
        low: Best place each may hold, 1..M, shape (M,).
        high: Worst place.
        better: Whether row is significantly better than column, shape (M, M).
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    better: NDArray[np.bool_]


def rank_text(low: int, high: int) -> str:
    """A rank set as it is printed: always a range (1-3, 4-4), so that nobody reads a bare rank."""
    return f"{low}-{high}"


def _rank_sets(better: NDArray[np.bool_]) -> RankSets:
    return RankSets(low=1 + better.sum(0), high=len(better) - better.sum(1), better=better)


def joint_covariance(n: ArrayLike, y: ArrayLike, strata: ArrayLike) -> tuple[Floats, Floats]:
    """Rates of models over packs with equal weights, and their CR2 covariance through shared scenarios.

    Args:
        n: Judged outputs, shape (models, scenarios); 0 where a model has none.
        y: Events, same shape.
        strata: Pack of each scenario as numbers 0.., shape (scenarios,).

    Returns:
        The rates, shape (models,), and the covariance matrix, positive semi-definite by construction.

    Raises:
        InputError: A model with fewer than two scenarios in some pack.
    """
    sizes, events, pack = np.asarray(n, dtype=float), np.asarray(y, dtype=float), np.asarray(strata)
    member = (pack[:, None] == np.unique(pack)).astype(float)
    if ((sizes > 0).astype(float) @ member < 2).any():
        raise InputError("a model has fewer than two judged scenarios in a pack", allowed="two or more in each")
    packs = member.shape[1]
    total, hits = sizes @ member, events @ member
    rates = (hits / total).mean(1)
    share = sizes / (total @ member.T)
    residual = events - sizes * ((hits / total) @ member.T)
    influence = residual / np.sqrt(1 - share) / (total @ member.T) / packs
    return rates, influence @ influence.T


def max_t_rank_sets(
    merit: ArrayLike,
    covariance: ArrayLike,
    *,
    confidence: float = 0.95,
    rng: np.random.Generator,
    draws: int = DRAWS,
    df: float | None = None,
) -> RankSets:
    """Rank sets from the step-down max-t test of every ordered pair.

    Args:
        merit: Estimates of which the largest is best, shape (M,).
        covariance: Their joint covariance, shape (M, M).
        confidence: Probability that every set holds the true rank.
        rng: Draws the joint normal distribution.
        draws: Number of draws, at least 20,000.
        df: Degrees of freedom of the covariance; default: it is known. With few scenarios its own uncertainty
            counts: twelve equal models on 25 scenarios are told apart in 14 % of data sets without it, in 5 %
                with it.

    Raises:
        InputError: Shapes that do not fit, numbers that are not finite, too few draws, or a confidence outside (0,
            1).
    """
    estimate, joint = _checked(merit, covariance, confidence, draws)
    first, second = np.nonzero(~np.eye(len(estimate), dtype=bool))
    deviation = np.sqrt(np.maximum(joint[first, first] + joint[second, second] - 2 * joint[first, second], 0))
    # A difference without variance beyond rounding: equal outputs tell nothing, a constant gap all.
    sure = deviation <= 1e-9 * np.sqrt(joint[first, first] + joint[second, second])
    gap = estimate[first] - estimate[second]
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where(sure, np.where(gap > 1e-12, np.inf, -np.inf), gap / deviation)
    # Every step down looks at the same draws again, made anew so that they need not be kept.
    seed = int(rng.integers(2**63))
    rejected = np.zeros(len(first), dtype=bool)
    while not rejected.all():
        left = np.flatnonzero(~rejected)
        random = left[~sure[left]]
        critical = 0.0
        if len(random):
            largest = _largest(joint, first[random], second[random], df, draws, np.random.default_rng(seed))
            critical = float(np.quantile(largest, confidence, method="higher"))
        found = left[statistic[left] > critical]
        if not len(found):
            break
        rejected[found] = True
    better = np.zeros(joint.shape, dtype=bool)
    better[first[rejected], second[rejected]] = True
    return _rank_sets(better)


def _checked(merit: ArrayLike, covariance: ArrayLike, confidence: float, draws: int) -> tuple[Floats, Floats]:
    estimate, joint = np.asarray(merit, dtype=float), np.asarray(covariance, dtype=float)
    if estimate.ndim != 1 or joint.shape != (len(estimate),) * 2:
        raise InputError(f"merit {estimate.shape}, covariance {joint.shape}", allowed="(M,) and (M, M)")
    if not (np.isfinite(estimate).all() and np.isfinite(joint).all()):
        raise InputError("an estimate or a covariance is not finite", allowed="finite numbers")
    _check_confidence(confidence)
    if draws < DRAWS:
        raise InputError(f"draws {draws!r}", allowed=f"{DRAWS} or more")
    return estimate, joint


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence!r} is no coverage", allowed="a number between 0 and 1")


def _largest(
    joint: Floats,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    df: float | None,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """Draws of the largest studentised difference over pairs of equal models, shape (draws,)."""
    variances, vectors = np.linalg.eigh(joint)
    kept = variances > 1e-12 * variances.max()
    root = vectors[:, kept] * np.sqrt(variances[kept])
    known = np.linalg.norm(root[first] - root[second], axis=1)
    found = []
    batch = max(1, _BATCH_NUMBERS // (len(first) + root.size))
    for size in np.diff([*range(0, draws, batch), draws]):
        noise = rng.standard_normal((size, root.shape[1])) @ root.T
        deviation = known if df is None else _drawn_deviations(root, first, second, df, size, rng)
        found.append(((noise[:, first] - noise[:, second]) / deviation).max(axis=1))
    return np.concatenate(found)


def _drawn_deviations(
    root: Floats,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    df: float,
    size: int,
    rng: np.random.Generator,
) -> Floats:
    """Standard errors of the differences under a covariance estimated with df degrees of freedom.

    The covariance is Wishart, drawn by Bartlett's decomposition; shape (size, pairs).
    """
    rank = root.shape[1]
    place = np.arange(rank)
    factor = np.tril(rng.standard_normal((size, rank, rank)), -1)
    factor[:, place, place] = np.sqrt(rng.chisquare(np.maximum(df - place, 1), size=(size, rank)))
    spread = root @ factor
    products = spread @ spread.transpose(0, 2, 1) / df
    own = np.einsum("dii->di", products)
    squared: Floats = own[:, first] + own[:, second] - 2 * products[:, first, second]
    return np.sqrt(np.maximum(squared, 1e-300))


def holm_rank_sets(p: ArrayLike, *, confidence: float = 0.95) -> RankSets:
    """Rank sets from one-sided p-values of every ordered pair, by Holm's step-down.

    Args:
        p: p[j, k] tests that j is no better than k; the diagonal is passed over; shape (M, M).
        confidence: Probability that every set holds the true rank.

    Raises:
        InputError: No square of p-values, or a confidence outside (0, 1).
    """
    values = np.asarray(p, dtype=float)
    _check_confidence(confidence)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise InputError(f"p-values of shape {values.shape}", allowed="(M, M)")
    off = ~np.eye(len(values), dtype=bool)
    if not ((values[off] >= 0) & (values[off] <= 1)).all():
        raise InputError("a p-value outside [0, 1]", allowed="numbers between 0 and 1")
    better = np.zeros(values.shape, dtype=bool)
    if off.any():
        better[off] = holm(values[off]) <= 1 - confidence
    return _rank_sets(better)
