"""Correcting a rate for the errors of the judge (S3), from human labels drawn out of the outputs themselves.

References:
    Cochran 1977 and Särndal, Swensson & Wretman 1992 (difference estimator under stratified sampling), known for
    language-model judges as prediction-powered inference (Angelopoulos et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from alignbench.errors import InputError
from alignbench.stats.difference import Difference, minimum_detectable
from alignbench.stats.estimate import Estimate
from alignbench.stats.rate import FEW_SCENARIOS, PRIOR_ICC, PRIOR_WEIGHT, wilson
from alignbench.stats.s2 import NO_VARIANCE, mover
from alignbench.stats.sign_flip import FEW_INFORMATIVE, sign_flip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "FEW_LABELS",
    "Corrected",
    "CorrectedPack",
    "LabelledPack",
    "corrected_difference",
    "corrected_overall",
    "corrected_rate",
]

FEW_LABELS = 50
"""Below this many labels in a pack a corrected rate is no headline."""
_SHARE_ADDED = 1 / 2
"""Jeffreys' prior: where a judge misses many events, 1/3 leaves the interval at .91 instead of .93 to .97."""
_NOISE = 1e-12
_NEAR, _FAR = 1e-6, 1e3
"""Quantiles between which a limit reaches zero, if it does."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPack:
    """The judged outputs of one pack, those that people labelled among them; vectors of one length n.

    Attributes:
        scenario: Scenario of each output, numbered from 0.
        stratum: What the judge said of it: 1 flagged and 0 not, or a panel's count of votes.
        label: What people said: 1 event, 0 none, between them if they disagree, NaN not labelled. The labelled
            outputs are a random sample of each stratum.
    """

    scenario: ArrayLike
    stratum: ArrayLike
    label: ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedPack:
    """The corrected rate of one pack and its variances.

    Attributes:
        rate: The mean pseudo-outcome.
        clustered: Its CR2 variance over scenarios (0 with one scenario).
        iid: Its variance if outputs were independent.
        prior: Its variance at the borrowed intra-scenario correlation.
        confirmed: Scenarios in which a label confirms the event.
        residual: Sum of (pseudo-outcome - rate) of each scenario, shape (K,).
        size: Outputs of each scenario, shape (K,).
        shares: Share of the event among the labels of each stratum, shrunk towards one half.
        shrunk: The rate that these shares give.
        labels: Outputs with a label.
        found: Labels that confirm the event.
    """

    rate: float
    clustered: float
    iid: float
    prior: float
    confirmed: int
    residual: Floats
    size: Floats
    shares: dict[int, float]
    shrunk: float
    labels: int
    found: float


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """A corrected rate and what a comparison needs of it.

    Attributes:
        estimate: The rate; `n` counts outputs, `events` the labels that confirmed one.
        variance: Its variance, shrunk towards the prior.
        packs: What it was made of, pack by pack.
        weights: Weights of the packs, summing to 1.
    """

    estimate: Estimate
    variance: float
    packs: tuple[CorrectedPack, ...]
    weights: Floats

    @property
    def labels(self) -> int:
        """Outputs with a label."""
        return sum(pack.labels for pack in self.packs)


def corrected_rate(scenario: ArrayLike, stratum: ArrayLike, label: ArrayLike, *, level: float = 0.95) -> Corrected:
    """The S3 estimate of one pack: what the judge found, corrected by the labels of each of its strata.

    Args:
        scenario: See LabelledPack.
        stratum: See LabelledPack.
        label: See LabelledPack.
        level: Two-sided coverage.

    Raises:
        InputError: No outputs, arrays that do not fit, or a stratum without a label.
    """
    return corrected_overall([LabelledPack(scenario, stratum, label)], level=level)


def corrected_overall(
    packs: Sequence[LabelledPack], *, weights: ArrayLike | None = None, level: float = 0.95
) -> Corrected:
    """The S3 estimate over several packs as fixed strata, each with its own weight (equal by default).

    Rates and variances of the packs are combined as in S1's overall rate; with one pack it is plain S3. Where no
    label (or every one) confirms the event, est(1 - est) is 0 and gives no effective sample size: there the
    shrunken shares give it, with S1's borrowed design effect as its limit, so that with every output labelled
    S3 meets S1.

    Args:
        packs: The packs asked for.
        weights: Weights of the packs; scaled to sum to 1.
        level: Two-sided coverage.

    Returns:
        The rate; without an interval where a pack has a single scenario.

    Raises:
        InputError: No pack, no outputs, arrays or options that cannot be used, or a stratum without a label.
    """
    if not packs:
        raise InputError("no packs to correct", allowed="at least one")
    if not 0 < level < 1:
        raise InputError(f"level {level!r} is no coverage", allowed="a number between 0 and 1")
    share = np.ones(len(packs)) if weights is None else np.asarray(weights, dtype=float)
    if share.shape != (len(packs),) or not np.isfinite(share).all() or (share <= 0).any():
        raise InputError(f"weights {weights!r}", allowed=f"{len(packs)} positive numbers")
    share = share / share.sum()
    parts = tuple(_pack(pack) for pack in packs)
    estimate, variance = _combined(parts, share, level)
    return Corrected(estimate, variance, parts, share)


def _pack(pack: LabelledPack) -> CorrectedPack:
    """Pseudo-outcomes of one pack: the share of the judge's stratum, plus what a label adds to it."""
    group, said, truth = _checked(pack)
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
    sizes, residual = (np.bincount(group, weights=part).astype(float) for part in (np.ones(n), pseudo - rate))
    sizes, residual = sizes[sizes > 0], residual[sizes > 0]
    return CorrectedPack(
        rate=rate,
        clustered=float((residual**2 / _leverage(sizes)).sum()) / n**2,
        iid=iid + between,
        prior=iid + between * (1 + (float((sizes**2).sum()) / n - 1) * PRIOR_ICC),
        confirmed=len(np.unique(group[labelled & (truth > 0.5)])),
        residual=residual,
        size=sizes,
        shares=shares,
        shrunk=mean_share,
        labels=int(labelled.sum()),
        found=float(truth[labelled].sum()),
    )


def _leverage(sizes: Floats) -> Floats:
    """1 - w of each scenario; infinite for a scenario that stands alone, which has no variance to show."""
    rest = 1 - sizes / sizes.sum()
    return np.where(rest > 0, rest, np.inf)


def _combined(parts: tuple[CorrectedPack, ...], share: Floats, level: float) -> tuple[Estimate, float]:
    n = np.array([part.size.sum() for part in parts])
    scenarios = sum(len(part.size) for part in parts)
    confirmed = sum(part.confirmed for part in parts)
    # A pack's mean pseudo-outcome is a share; only rounding can take it out of [0, 1].
    value = float(np.clip((share * [part.rate for part in parts]).sum(), 0, 1))
    clustered, iid, prior = (
        float((share**2 * [getattr(part, name) for part in parts]).sum()) for name in ("clustered", "iid", "prior")
    )
    variance = max((clustered * confirmed + PRIOR_WEIGHT * prior) / (confirmed + PRIOR_WEIGHT), iid)
    few_labels = min(part.labels for part in parts) < FEW_LABELS
    single = any(len(part.size) < 2 for part in parts)
    words = {"few_scenarios": scenarios < FEW_SCENARIOS, "few_labels": few_labels, "one_scenario": single}
    estimate = Estimate(
        value, None, None, level, "s3_stratified" if len(parts) > 1 else "s3", int(n.sum()), scenarios,
        sum(part.found for part in parts), confirmed, flags=tuple(word for word, holds in words.items() if holds),
    )  # fmt: skip
    if single:
        return estimate, variance
    per_output = float((share**2 / n).sum())
    inner, most = value, 1 / per_output
    if min(value, 1 - value) < _NOISE:
        inner = float((share * [part.shrunk for part in parts]).sum())
        squares = np.array([(part.size**2).sum() for part in parts])
        m2 = float((share**2 / n * squares / n).sum()) / per_output
        most /= 1 + (m2 - 1) * PRIOR_ICC
    n_eff, df = min(inner * (1 - inner) / variance, most), float(scenarios - len(parts))
    low, high = (float(limit) for limit in wilson(value, n_eff, special.stdtrit(df, 0.5 + level / 2)))
    deff = 1 / (per_output * n_eff)
    return replace(estimate, low=low, high=high, deff=deff, n_eff=n_eff, df=df), variance


def _checked(pack: LabelledPack) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    group, said, truth = np.asarray(pack.scenario), np.asarray(pack.stratum), np.asarray(pack.label, dtype=float)
    if not len(group) or group.ndim != 1 or not group.shape == said.shape == truth.shape:
        raise InputError(
            f"scenario, stratum and label have the shapes {group.shape}, {said.shape}, {truth.shape}",
            allowed="three vectors of one length, not empty",
        )
    for name, codes in (("scenario", group), ("stratum", said)):
        if not (np.issubdtype(codes.dtype, np.integer) or codes.dtype == bool) or codes.min() < 0:
            raise InputError(f"{name} of type {codes.dtype}", allowed="whole numbers from 0")
    with np.errstate(invalid="ignore"):
        wrong = (truth < 0) | (truth > 1)
    if wrong.any():
        raise InputError(f"label {float(truth[wrong][0])!r}", allowed="0 to 1, or NaN for none")
    for value in np.unique(said):
        if np.isnan(truth[said == value]).all():
            raise InputError(
                f"no label among the {int((said == value).sum())} outputs of which the judge said {int(value)}",
                allowed="at least one label for each thing the judge said",
            )
    return group.astype(np.int64), said.astype(np.int64), truth


def corrected_difference(
    base: Corrected, candidate: Corrected, *, rng: np.random.Generator, alpha: float = 0.05
) -> Difference:
    """Candidate minus base, paired by scenario: S2's machinery on the two S3 rates.

    The interval is MOVER on the two S3 intervals with the correlation of the pseudo-outcomes. The test is the
    sign-flip of their differences by scenario, and the interval has to agree: p is the larger of the sign-flip's and
    of the level at which the interval reaches zero. Alone, the sign-flip does not see how much the events weigh that
    the judge missed and no label happened to find, and rejects up to three times too often.

    Args:
        base: Corrected rate of the base.
        candidate: Corrected rate of the candidate: the same packs and scenarios with as many outputs, in the
            same order, at the same level.
        rng: For the sign-flip test.
        alpha: Level of the one-sided test that `mde_80` is about.

    Raises:
        InputError: Other packs, scenarios or levels.
    """
    one, two = base.estimate, candidate.estimate
    same = (
        len(base.packs) == len(candidate.packs)
        and one.level == two.level
        and all(np.array_equal(a.size, b.size) for a, b in zip(base.packs, candidate.packs, strict=True))
    )
    if not same:
        raise InputError("the two corrected rates do not rest on the same scenarios", allowed="paired outputs")
    r = _correlation(base, candidate)
    low = high = mde = None
    greater = 0.0
    if one.low is not None and two.low is not None:
        greater = _reaches_zero(one, two, r)
        # Where there are limits there is a rate.
        limits = mover((one.value, one.low, one.high), (two.value, two.low, two.high), r)  # type: ignore[arg-type]
        low, high = (float(np.clip(limit, -1, 1)) for limit in limits)
        spread = base.variance + candidate.variance - 2 * r * np.sqrt(base.variance * candidate.variance)
        mde = float(minimum_detectable(spread * one.n, 0.0, one.n, 1, alpha=alpha))
    change = np.concatenate([_change(*pair) for pair in zip(base.packs, candidate.packs, base.weights, strict=True)])
    # What only rounding tells from "no difference" is none.
    test = sign_flip(np.where(np.abs(change) > _NOISE, change, 0.0), rng)
    words = dict.fromkeys((*one.flags, *two.flags))
    if test.informative < FEW_INFORMATIVE:
        words["few_informative"] = None
    return Difference(
        rate_base=one.value,
        rate_candidate=two.value,
        difference=float(two.value or 0) - float(one.value or 0),
        low=low,
        high=high,
        level=one.level,
        method="s3_mover_stratified" if len(base.packs) > 1 else "s3_mover",
        pairs=one.n,
        scenarios=one.scenarios,
        informative_scenarios=test.informative,
        r=None if low is None else r,
        p=max(test.two_sided, min(1.0, 2 * min(greater, 1 - greater))),
        p_greater=max(test.greater, greater),
        mde_80=None if mde is None or mde > 1 else mde,
        flags=tuple(words),
    )


def _reaches_zero(base: Estimate, candidate: Estimate, r: float) -> float:
    """One-sided p of a rise: the tail that makes the lower limit of the difference (after a fall, the upper) zero."""
    first, second = ((float(one.value or 0), float(one.n_eff or 0)) for one in (base, candidate))
    rise = second[0] > first[0]
    if not rise:
        first, second = second, first

    def low(quantile: float) -> float:
        parts = [(value, *wilson(value, n_eff, quantile)) for value, n_eff in (first, second)]
        return float(mover(parts[0], parts[1], r)[0])

    if low(_NEAR) <= 0:
        return 0.5
    tail = 0.0 if low(_FAR) > 0 else float(special.stdtr(base.df, -optimize.brentq(low, _NEAR, _FAR)))
    return tail if rise else 1 - tail


def _change(base: CorrectedPack, candidate: CorrectedPack, weight: float) -> Floats:
    """What each scenario adds to the difference of the two rates."""
    moved = candidate.residual - base.residual + base.size * (candidate.rate - base.rate)
    return np.asarray(moved * weight / base.size.sum())


def _correlation(base: Corrected, candidate: Corrected) -> float:
    """Realised correlation of the two rates; K scenarios cannot prove more than 1 - 1/K (as in S2)."""
    covariance, spread = 0.0, [0.0, 0.0]
    for a, b, weight in zip(base.packs, candidate.packs, base.weights, strict=True):
        covariance += weight**2 * float((a.residual * b.residual / _leverage(a.size)).sum()) / a.size.sum() ** 2
        spread = [total + weight**2 * pack.clustered for total, pack in zip(spread, (a, b), strict=True)]
    if min(spread) <= NO_VARIANCE:
        return 0.0
    return float(np.clip(covariance / np.sqrt(spread[0] * spread[1]), -1, 1 - 1 / base.estimate.scenarios))
