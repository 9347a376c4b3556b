"""How far answers move between two circumstances of the same scenarios: positions, distributions, value
order.

A scenario's own noise moves distributions and unsigned shifts too. They come with what is left of them when
the labels of the two circumstances are permuted within each scenario, and are never printed without.

References:
    Lin 1991 (Jensen-Shannon divergence); Phipson & Smyth 2010 (permutation p-values); Kovač et al. 2024,
    arXiv 2402.14846 (rank-order stability of values); Efron & Stein 1981 (jackknife).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from alignbench.errors import InputError
from alignbench.stats.priorities import bounded_mean
from alignbench.stats.rate import FEW_SCENARIOS, rate
from alignbench.stats.relabel import relabelled
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from alignbench.stats.bradley_terry import BradleyTerry
    from alignbench.stats.estimate import Estimate

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["DRAWS", "Divergence", "Shift", "WorthShift", "divergence", "position_shift", "worth_shift"]

DRAWS = 999
"""Permutations drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Distance between two distributions of answers, beside what chance makes of it.

    Attributes:
        total_variation: Half the sum of absolute differences of the shares, in [0, 1].
        total_variation_null: Its mean under permutation within scenarios.
        total_variation_p: One-sided p of the observed one.
        jensen_shannon: Jensen-Shannon divergence in bits, in [0, 1].
        jensen_shannon_null: Its mean under permutation.
        jensen_shannon_p: One-sided p.
        outputs: Outputs on each side.
        scenarios: Scenarios that have outputs on both sides.
        flags: Warnings in one word each.
    """

    total_variation: float
    total_variation_null: float
    total_variation_p: float
    jensen_shannon: float
    jensen_shannon_null: float
    jensen_shannon_p: float
    outputs: tuple[int, int]
    scenarios: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """Shift of the 0-6 position of a scenario between two circumstances; every scenario counts once.

    Attributes:
        signed: Mean of candidate minus base, in [-6, 6].
        absolute: Mean of its absolute value, in [0, 6]; inflated by the noise within scenarios.
        absolute_null: Mean absolute shift under permutation within scenarios: that noise alone.
        crossing: Share of scenarios whose mean position lies on the other side of neutral.
        apart: Distance of the two distributions of positions; None without scenarios.
    """

    signed: Estimate
    absolute: Estimate
    absolute_null: float
    crossing: Estimate
    apart: Divergence | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorthShift:
    """Change of the log-worths of values, by the jackknife over the scenarios that both fits share.

    Attributes:
        difference: Candidate minus base, centred, shape (V,).
        low: Lower limits; NaN where no interval can be given.
        high: Upper limits, likewise.
        spearman: Rank correlation of the two orders.
        kendall: Kendall's tau-b of the two orders.
        scenarios: Scenarios, K.
        df: Degrees of freedom of the t quantile, K - V + 1.
        flags: Of both fits.
    """

    difference: Floats
    low: Floats
    high: Floats
    spearman: float
    kendall: float
    scenarios: int
    df: int
    flags: tuple[str, ...]


def _checked(base: ArrayLike, candidate: ArrayLike) -> tuple[Integers, Integers]:
    """Counts of both sides, without scenarios that lack outputs on one of them."""
    first, second = np.asarray(base), np.asarray(candidate)
    if first.ndim != 2 or first.shape != second.shape:
        raise InputError(f"counts of shapes {first.shape} and {second.shape}", allowed="(scenarios, categories) twice")
    for counts in (first, second):
        wrong = (counts < 0) | (counts != np.floor(counts)) | ~np.isfinite(counts)
        if wrong.any():
            raise InputError(f"count {counts[wrong].flat[0].item()!r}", allowed="whole numbers from 0")
    there = (first.sum(1) > 0) & (second.sum(1) > 0)
    return first[there].astype(np.int64), second[there].astype(np.int64)


def _distances(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Total variation and Jensen-Shannon divergence (bits) of counts over the last axis."""
    p, q = (part / part.sum(-1, keepdims=True) for part in (first, second))
    middle = (p + q) / 2
    spread = special.entr(middle).sum(-1) - (special.entr(p) + special.entr(q)).sum(-1) / 2
    return np.abs(p - q).sum(-1) / 2, np.clip(spread / np.log(2), 0, 1)


def _beyond(observed: float, drawn: Floats) -> float:
    """P-value of an observed distance among drawn ones."""
    return float((np.count_nonzero(drawn >= observed - 1e-12) + 1) / (len(drawn) + 1))


def divergence(base: ArrayLike, candidate: ArrayLike, *, rng: np.random.Generator, draws: int = DRAWS) -> Divergence:
    """Total variation and Jensen-Shannon divergence of pooled answers, with their permutation null.

    Args:
        base: Outputs by scenario and category, shape (K, C).
        candidate: The same scenarios in the other circumstance, same shape; scenarios that lack outputs on
            one side are passed over.
        rng: Draws the permutations.
        draws: Permutations.

    Raises:
        InputError: Unusable counts, or no scenario with outputs on both sides.
    """
    first, second = _checked(base, candidate)
    if not len(first):
        raise InputError("no scenario has outputs in both circumstances", allowed="at least one")
    drawn, _ = relabelled(first, second, draws, rng)
    return _apart(first, second, drawn)


def _apart(first: Integers, second: Integers, drawn: Floats) -> Divergence:
    """The distances, beside those of drawn counts of the first side."""
    total = (first + second).sum(0)
    observed = _distances(first.sum(0), second.sum(0))
    null = _distances(drawn, total - drawn)
    return Divergence(
        total_variation=float(observed[0]),
        total_variation_null=float(null[0].mean()),
        total_variation_p=_beyond(float(observed[0]), null[0]),
        jensen_shannon=float(observed[1]),
        jensen_shannon_null=float(null[1].mean()),
        jensen_shannon_p=_beyond(float(observed[1]), null[1]),
        outputs=(int(first.sum()), int(second.sum())),
        scenarios=len(first),
        flags=(Flag.FEW_SCENARIOS,) if len(first) < FEW_SCENARIOS else (),
    )


def position_shift(
    base: ArrayLike,
    candidate: ArrayLike,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    draws: int = DRAWS,
) -> Shift:
    """Signed and absolute shift of the positions, and the share of scenarios that cross neutral.

    Args:
        base: Outputs by scenario and position, shape (K, P), P odd: the middle position is neutral.
        candidate: The same scenarios in the other circumstance, same shape; scenarios that lack outputs on
            one side are passed over.
        rng: Draws the permutations.
        confidence: Two-sided coverage.
        draws: Permutations.

    Raises:
        InputError: Unusable counts, or an even number of positions.
    """
    first, second = _checked(base, candidate)
    steps = first.shape[1]
    if steps % 2 == 0:
        raise InputError(f"{steps} positions", allowed="an odd number, with neutral in the middle")
    position = np.arange(steps, dtype=float)
    scenarios, top = len(first), steps - 1
    before, after = (counts @ position / counts.sum(1) for counts in (first, second))
    change, ones = after - before, np.ones(scenarios)
    drawn, drawn_shift = relabelled(first, second, draws, rng, position)
    crossed = (before - top / 2) * (after - top / 2) < 0
    return Shift(
        signed=bounded_mean(ones, change, -top, top, confidence=confidence),
        absolute=bounded_mean(ones, np.abs(change), 0, top, confidence=confidence),
        absolute_null=float(drawn_shift.mean() / scenarios) if scenarios else 0.0,
        crossing=rate(ones, crossed, confidence=confidence),
        apart=_apart(first, second, drawn) if scenarios else None,
    )


def worth_shift(base: BradleyTerry, candidate: BradleyTerry) -> WorthShift:
    """Change of log-worths and of their order between two fits to the same scenarios and values.

    Args:
        base: A fit; its confidence is used.
        candidate: The other fit, to comparisons of the same scenarios in the same order.

    Raises:
        InputError: The fits have other values or scenarios.
    """
    if base.replicates.shape != candidate.replicates.shape:
        raise InputError(
            f"fits of {base.replicates.shape} and {candidate.replicates.shape} (scenarios, values)",
            allowed="the same scenarios and values",
        )
    # It takes a third of a second to import, and nothing else here needs it.
    from scipy import stats

    values, scenarios = len(base.worth), base.scenarios
    flags = tuple(dict.fromkeys((*base.flags, *candidate.flags)))
    change = candidate.worth - base.worth
    moved = candidate.replicates - base.replicates - change
    df = scenarios - values + 1
    error = np.sqrt((scenarios - 1) / scenarios * (moved**2).sum(0))
    unusable = df < 1 or {Flag.SEPARATED, Flag.ONE_SCENARIO_BRIDGE} & set(flags)
    half = np.full(values, np.nan) if unusable else special.stdtrit(df, 0.5 + base.confidence / 2) * error
    half = np.where(np.isnan(base.low) | np.isnan(candidate.low), np.nan, half)
    # Equal replicates would give an interval of no width: the jackknife has nothing to go by.
    half = np.where(half > 1e-12, half, np.nan)
    return WorthShift(
        difference=change,
        low=change - half,
        high=change + half,
        spearman=_rank(stats.spearmanr, base, candidate),
        kendall=_rank(stats.kendalltau, base, candidate),
        scenarios=scenarios,
        df=df,
        flags=flags,
    )


def _rank(measure: Callable[..., Any], base: BradleyTerry, candidate: BradleyTerry) -> float:
    """A rank correlation; NaN where one order has ties only."""
    first, second = (np.round(fit.worth, 9) for fit in (base, candidate))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(measure(first, second).statistic)
