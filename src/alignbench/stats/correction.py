"""Correcting a rate for the errors of the judge (S3), from human labels drawn out of the outputs themselves.

References:
    Cochran 1977 and Särndal, Swensson & Wretman 1992 (difference estimator under stratified sampling), known for
    language-model judges as prediction-powered inference (Angelopoulos et al. 2023); Rogan & Gladen 1978, Lang &
    Reiczigel 2014 and Lee et al. 2025, arXiv 2511.21140 (error rates taken from elsewhere).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from alignbench.errors import InputError
from alignbench.stats.estimate import Estimate
from alignbench.stats.rate import FEW_SCENARIOS, PRIOR_ICC, PRIOR_WEIGHT, wilson
from alignbench.stats.s2 import mover

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["FEW_LABELS", "Corrected", "corrected_difference", "corrected_rate", "transported_rate"]

FEW_LABELS = 50
"""Below this many labels a corrected rate is no headline."""
_SHARE_ADDED = 1 / 3
_TINY = 1e-6
MIN_YOUDEN = 0.1
"""At or below this sensitivity + specificity - 1, error rates from elsewhere correct nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """A corrected rate and what a comparison needs of it.

    Attributes:
        estimate: The rate; `n` counts outputs, `events` the labels that confirmed one.
        residual: Sum over each scenario of (pseudo-outcome - rate), shape (K,).
        size: Outputs by scenario, shape (K,).
        labels: Labels used.
        confirmed_share: Share of the event among the labels of each stratum, slightly shrunk to one half.
    """

    estimate: Estimate
    residual: Floats
    size: Floats
    labels: int
    confirmed_share: dict[int, float]


def corrected_rate(
    scenario: ArrayLike, stratum: ArrayLike, label: ArrayLike, *, level: float = 0.95
) -> Corrected:
    """The S3 estimate: what the judge found, corrected by the labels of each of its strata.

    Args:
        scenario: Scenario of each output, numbered 0..K-1, shape (n,).
        stratum: What the judge said of each output: 1 flagged and 0 not, or a panel's count of votes.
        label: What a person said: 1 event, 0 none, NaN not labelled. Labels are a random sample of each stratum.
        level: Two-sided coverage.

    Raises:
        InputError: No outputs, arrays that do not fit, or a stratum without a label.
    """
    group, said, truth = np.asarray(scenario), np.asarray(stratum), np.asarray(label, dtype=float)
    _check(group, said, truth)
    n = len(group)
    labelled = ~np.isnan(truth)
    pseudo, shares = np.empty(n), {}
    iid, mean_share, mean_square = 0.0, 0.0, 0.0
    for value in np.unique(said):
        here = said == value
        known = here & labelled
        size, drawn, found = int(here.sum()), int(known.sum()), float(truth[known].sum())
        share = (found + _SHARE_ADDED) / (drawn + 2 * _SHARE_ADDED)
        pseudo[here] = share
        pseudo[known] += size / drawn * (truth[known] - share)
        weight = size / n
        iid += weight**2 * share * (1 - share) / drawn
        mean_share, mean_square = mean_share + weight * share, mean_square + weight * share**2
        shares[int(value)] = share
    between = max(0.0, mean_square - mean_share**2) / n
    rate = float(pseudo.mean())
    sizes = np.bincount(group).astype(float)
    residual = np.bincount(group, weights=pseudo - rate)
    kept = sizes > 0
    sizes, residual = sizes[kept], residual[kept]
    confirmed = len(np.unique(group[labelled & (truth == 1)]))
    estimate = _estimate(rate, sizes, residual, iid + between, between, confirmed, truth[labelled], level)
    return Corrected(estimate, residual, sizes, int(labelled.sum()), shares)


def _estimate(
    rate: float,
    sizes: Floats,
    residual: Floats,
    iid: float,
    between: float,
    confirmed: int,
    labels: Floats,
    level: float,
) -> Estimate:
    scenarios, n = len(sizes), int(sizes.sum())
    flags = ("few_scenarios",) if scenarios < FEW_SCENARIOS else ()
    flags += ("few_labels",) if len(labels) < FEW_LABELS else ()
    value = float(np.clip(rate, 0, 1))
    base = (level, "s3", n, scenarios, float(labels.sum()), confirmed)
    if scenarios < 2:
        return Estimate(value, None, None, *base, flags=(*flags, "one_scenario"))
    clustered = float((residual**2 / (1 - sizes / n)).sum()) / n**2
    m2 = float((sizes**2).sum() / n)
    prior = iid + between * (m2 - 1) * PRIOR_ICC
    variance = max((clustered * confirmed + PRIOR_WEIGHT * prior) / (confirmed + PRIOR_WEIGHT), iid)
    inner = float(np.clip(value, _TINY, 1 - _TINY))
    n_eff = min(inner * (1 - inner) / variance, float(n))
    low, high = wilson(inner, n_eff, special.stdtrit(scenarios - 1, 0.5 + level / 2))
    return Estimate(
        value,
        float(min(low, value)),
        float(max(high, value)),
        *base,
        deff=n / n_eff,
        n_eff=n_eff,
        df=float(scenarios - 1),
        flags=flags,
    )


def _check(group: NDArray[np.int64], said: NDArray[np.int64], truth: Floats) -> None:
    if not len(group) or not group.shape == said.shape == truth.shape:
        raise InputError(
            f"scenario, stratum and label have the shapes {group.shape}, {said.shape}, {truth.shape}",
            allowed="three vectors of one length, not empty",
        )
    wrong = ~np.isin(truth[~np.isnan(truth)], (0, 1))
    if wrong.any():
        raise InputError(f"label {truth[~np.isnan(truth)][wrong][0]!r}", allowed="0, 1, or NaN for none")
    for value in np.unique(said):
        if np.isnan(truth[said == value]).all():
            raise InputError(
                f"no label among the {int((said == value).sum())} outputs on which the judge said {value}",
                allowed="at least one label for each thing the judge said",
            )


def corrected_difference(base: Corrected, candidate: Corrected, *, level: float = 0.95) -> Estimate:
    """Candidate minus base, paired by scenario: MOVER (S2) on the two S3 intervals.

    Args:
        base: Corrected rate of the base, over the same scenarios in the same order.
        candidate: Corrected rate of the candidate.
        level: Two-sided coverage; both rates were made with it.

    Raises:
        InputError: Other scenarios, or a rate without an interval.
    """
    one, two = base.estimate, candidate.estimate
    if len(base.size) != len(candidate.size) or one.low is None or two.low is None:
        raise InputError("the two corrected rates do not rest on the same scenarios, two or more")
    shares = 1 - base.size / base.size.sum()
    spread = np.sqrt((base.residual**2 / shares).sum() * (candidate.residual**2 / shares).sum())
    r = float(np.clip((base.residual * candidate.residual / shares).sum() / spread, -1, 1)) if spread > 0 else 0.0
    low, high = mover((one.value, one.low, one.high), (two.value, two.low, two.high), r)
    return Estimate(
        value=float(two.value or 0) - float(one.value or 0),
        low=float(low),
        high=float(high),
        level=level,
        method="s3_mover",
        n=one.n,
        scenarios=one.scenarios,
        events=two.events,
        flags=tuple(dict.fromkeys((*one.flags, *two.flags))),
    )


def transported_rate(
    raw: Estimate, sensitivity: tuple[int, int], specificity: tuple[int, int]
) -> Estimate:
    """Correct a raw rate with error rates of the judge that were measured elsewhere (its exam).

    Such rates do not carry over between models and packs by themselves, so the result is marked `transported`.

    Args:
        raw: The rate by the judge's verdicts, with S1's effective sample size.
        sensitivity: (found, all) misaligned labelled answers.
        specificity: (passed, all) other labelled answers.

    Raises:
        InputError: Nothing was measured, or the judge is too poor to correct for.
    """
    if raw.value is None or raw.n_eff is None:
        raise InputError("there is no raw rate to correct", allowed="two scenarios or more")
    z = float(special.ndtri(0.5 + raw.level / 2))
    size = raw.n_eff + z**2
    p = (raw.n_eff * raw.value + z**2 / 2) / size
    (hit, m1), (passed, m0) = sensitivity, specificity
    q1, q0 = (hit + 1) / (m1 + 2), (passed + 1) / (m0 + 2)
    youden = q1 + q0 - 1
    if youden <= MIN_YOUDEN:
        raise InputError(
            f"sensitivity {q1:.2f} and specificity {q0:.2f}: the judge hardly tells the two apart",
            allowed=f"sensitivity + specificity - 1 above {MIN_YOUDEN}",
        )
    rate = (p + q0 - 1) / youden
    shift = 2 * z**2 * (rate * q1 * (1 - q1) / (m1 + 2) - (1 - rate) * q0 * (1 - q0) / (m0 + 2))
    centre = rate + shift
    variance = p * (1 - p) / size + (1 - rate) ** 2 * q0 * (1 - q0) / (m0 + 2) + rate**2 * q1 * (1 - q1) / (m1 + 2)
    half = z * float(np.sqrt(variance)) / youden
    value = float(np.clip((raw.value + q0 - 1) / youden, 0, 1))
    return Estimate(
        value=value,
        low=float(np.clip(min(centre - half, value), 0, 1)),
        high=float(np.clip(max(centre + half, value), 0, 1)),
        level=raw.level,
        method="lee",
        n=raw.n,
        scenarios=raw.scenarios,
        events=raw.events,
        event_scenarios=raw.event_scenarios,
        n_eff=raw.n_eff,
        flags=(*raw.flags, "transported"),
    )
