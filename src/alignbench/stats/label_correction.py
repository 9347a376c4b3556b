"""Correcting a rate for the errors of the judge (S3), from human labels drawn out of the outputs themselves.

The rate is the mean over scenarios: every scenario weighs the same, and so does each output within it. It is the sum
over what the judge said (the strata) of their share of the outputs times the event's share among their labels. Its
limits are quantiles of that sum under random weights of the scenarios, with one imagined label, which counts against
the limit in half of the draws, and one imagined scenario, which always does (`alignbench.stats.label_draws`): what K
scenarios or m labels cannot show stays possible, and one more confirmed event moves a limit about as much as it moves
Clopper-Pearson's.
With everything labelled the limits are Gaffke's on the scenarios' shares. The measured coverage stands in
`benchmarks/coverage/table.md`; no assumption is made on the distribution, nothing is proven.

References:
    Cochran 1977 and Särndal, Swensson & Wretman 1992 (stratified and two-phase sampling), known for language-model
    judges as prediction-powered inference (Angelopoulos et al. 2023); Gaffke 2005; Fay & Feuer 1997.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError
from alignbench.stats.difference import Difference, minimum_detectable
from alignbench.stats.estimate import S3, S3_PAIRED, Estimate, method_over
from alignbench.stats.label_draws import DRAWS, LabelMass, SplitLabels, drawn_rates
from alignbench.stats.rate import FEW_SCENARIOS
from alignbench.stats.sign_flip import FEW_INFORMATIVE, sign_flip
from alignbench.vocabulary import FEW_LABELS, Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Corrected",
    "CorrectedPack",
    "LabelledPack",
    "corrected_difference",
    "corrected_overall",
    "corrected_rate",
]

_NOISE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPack:
    """The judged outputs of one pack, those that people labelled among them; vectors of one length n.

    Attributes:
        scenario: Scenario of each output, a whole number.
        stratum: What the judge said of it: 1 flagged and 0 not, or a panel's count of votes.
        label: What people said of it, 1 event, 0 none, NaN not labelled: one value an output, or shape (n, labellers)
            with a column for each. The labelled outputs are a random sample of each stratum.
    """

    scenario: ArrayLike
    stratum: ArrayLike
    label: ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedPack:
    """The corrected rate of one pack and what its limits rest on.

    Attributes:
        rate: The mean over scenarios.
        residual: The corrected share of each scenario less that rate, shape (K,); they add up to 0.
        size: Outputs of each scenario, shape (K,).
        shares: Share of the event among the labels of each stratum.
        labels: Outputs with a label.
        found: Sum of their labels.
        confirmed: Scenarios in which most labellers of some output call it the event.
        mass: Outputs, labels and events by scenario and stratum.
    """

    rate: float
    residual: Floats
    size: Floats
    shares: dict[int, float]
    labels: int
    found: float
    confirmed: int
    mass: LabelMass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corrected:
    """A corrected rate and what a comparison needs of it.

    Attributes:
        estimate: The rate; `n` counts outputs, `events` the labels that confirmed one.
        variance: Variance of its draws, half of them with either imagined scenario.
        packs: What it was made of, pack by pack.
        weights: Weights of the packs, summing to 1.
        draws: Number of draws behind its limits.
    """

    estimate: Estimate
    variance: float
    packs: tuple[CorrectedPack, ...]
    weights: Floats
    draws: int

    @property
    def labels(self) -> int:
        """Outputs with a label."""
        return sum(pack.labels for pack in self.packs)


def corrected_rate(
    scenario: ArrayLike, stratum: ArrayLike, label: ArrayLike, *, confidence: float = 0.95, draws: int = DRAWS
) -> Corrected:
    """The S3 estimate of one pack: what the judge found, corrected by the labels of each of its strata.

    Args:
        scenario: See LabelledPack.
        stratum: See LabelledPack.
        label: See LabelledPack.
        confidence: See corrected_overall.
        draws: See corrected_overall.

    Raises:
        InputError: No outputs, arrays that do not fit, or a stratum without a label.
    """
    return corrected_overall([LabelledPack(scenario, stratum, label)], confidence=confidence, draws=draws)


def corrected_overall(
    packs: Sequence[LabelledPack], *, weights: ArrayLike | None = None, confidence: float = 0.95, draws: int = DRAWS
) -> Corrected:
    """The S3 estimate over several packs as fixed strata, each with its own weight (equal by default).

    Scenarios take their draws in the order of their numbers: other numbers of the same scenarios move a limit by
    about one hundredth of the width.

    Args:
        packs: The packs asked for.
        weights: Weights of the packs; scaled to sum to 1.
        confidence: Two-sided coverage; beyond .999 few draws are left on either side.
        draws: Number of draws, at least 100 and even.

    Returns:
        The rate; without an interval where a pack has a single scenario.

    Raises:
        InputError: No pack, no outputs, arrays or options that cannot be used, or a stratum without a label.
    """
    if not packs:
        raise InputError("no packs to correct", allowed="at least one")
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence!r} is no coverage", allowed="a number between 0 and 1")
    if draws < 100 or draws % 2:
        raise InputError(f"{draws!r} draws", allowed="an even number, 100 or more")
    share = np.ones(len(packs)) if weights is None else np.asarray(weights, dtype=float)
    if share.shape != (len(packs),) or not np.isfinite(share).all() or (share <= 0).any():
        raise InputError(f"weights {weights!r}", allowed=f"{len(packs)} positive numbers")
    share = share / share.sum()
    parts = tuple(_pack(pack) for pack in packs)
    estimate, variance = _combined(parts, share, confidence, draws)
    return Corrected(estimate=estimate, variance=variance, packs=parts, weights=share, draws=draws)


def _pack(pack: LabelledPack) -> CorrectedPack:
    """Reduce one pack to masses by scenario and stratum; a scenario weighs 1, an output one over its outputs."""
    group, said, votes = _checked(pack)
    given_by = ~np.isnan(votes)
    labelled = given_by.any(1)
    truth = np.divide(np.nansum(votes, axis=1), given_by.sum(1), where=labelled, out=np.full(len(group), np.nan))
    _, group = np.unique(group, return_inverse=True)
    size = np.bincount(group).astype(float)
    weight = 1 / size[group]
    names = np.unique(said)
    masses = np.zeros((3, len(size), len(names)))
    imagined = np.zeros(len(names))
    for at, name in enumerate(names):
        here = said == name
        known = here & labelled
        for into, rows, value in ((0, here, weight), (1, known, weight), (2, known, weight * truth)):
            masses[into, :, at] = np.bincount(group[rows], value[rows], len(size))
        imagined[at] = _imagined(weight[here], int(known.sum()))
    share, given, found = masses
    whole, sampled = share.sum(0), given.sum(0)
    shares = found.sum(0) / sampled
    corrected = share @ shares + (found - given * shares) @ (whole / sampled)
    rate = float(whole @ shares) / len(size)
    return CorrectedPack(
        rate=rate,
        residual=corrected - rate,
        size=size,
        shares={int(name): float(value) for name, value in zip(names, shares, strict=True)},
        labels=int(labelled.sum()),
        found=float(truth[labelled].sum()),
        confirmed=len(np.unique(group[labelled & (truth > 0.5)])),
        mass=LabelMass(
            share=share, labelled=given, found=found, imagined=imagined, split=_split(votes, truth, weight, group, said)
        ),
    )


def _split(
    votes: Floats, truth: Floats, weight: Floats, group: NDArray[np.int64], said: NDArray[np.int64]
) -> tuple[SplitLabels, ...]:
    """The outputs about which their labellers disagree, by who these are."""
    if votes.shape[1] == 1:
        return ()
    rows = np.flatnonzero((truth > 0) & (truth < 1))
    names, stratum = np.unique(said, return_inverse=True)
    shape = int(group.max()) + 1, len(names)
    found = []
    for asked in np.unique(~np.isnan(votes[rows]), axis=0):
        here = rows[(~np.isnan(votes[rows]) == asked).all(1)]
        masses = []
        for labeller in np.flatnonzero(asked):
            mass = np.zeros(shape)
            np.add.at(mass, (group[here], stratum[here]), weight[here] * votes[here, labeller])
            masses.append(mass)
        found.append(SplitLabels(tuple(map(int, np.flatnonzero(asked))), tuple(masses)))
    return tuple(found)


def _imagined(weight: Floats, labels: int) -> float:
    """Mass of one imagined label of a stratum: an output's, drawn by weight, less as more of them are labelled.

    With a share f labelled, u events without a label all escape with probability (1 - f)**u: an exponential law of
    mean -1 / log(1 - f) outputs, that is f / -log(1 - f) labels.
    """
    left = 1 - labels / len(weight)
    return float((weight**2).sum() / weight.sum() * (left - 1) / np.log(left)) if left > 0 else 0.0


def _combined(parts: tuple[CorrectedPack, ...], share: Floats, confidence: float, draws: int) -> tuple[Estimate, float]:
    n = np.array([part.size.sum() for part in parts])
    scenarios = sum(len(part.size) for part in parts)
    # A sum of shares is a share; only rounding can take it out of [0, 1].
    value = float(np.clip((share * [part.rate for part in parts]).sum(), 0, 1))
    few_labels = min(part.labels for part in parts) < FEW_LABELS
    single = any(len(part.size) < 2 for part in parts)
    words = {Flag.FEW_SCENARIOS: scenarios < FEW_SCENARIOS, Flag.FEW_LABELS: few_labels, Flag.ONE_SCENARIO: single}
    estimate = Estimate(
        value=value,
        low=None,
        high=None,
        confidence=confidence,
        method=method_over(S3, len(parts)),
        n=int(n.sum()),
        scenarios=scenarios,
        events=sum(part.found for part in parts),
        event_scenarios=sum(part.confirmed for part in parts),
        flags=tuple(word for word, holds in words.items() if holds),
    )
    drawn = drawn_rates([[part.mass for part in parts]], share, draws)
    below = drawn.with_label(0, 0) * (1 - drawn.scenario)
    above = below + drawn.scenario
    both = np.concatenate([below, above])
    mean, variance = float(both.mean()), float(both.var())
    if single:
        return estimate, variance
    low, high = float(np.quantile(below, (1 - confidence) / 2)), float(np.quantile(above, (1 + confidence) / 2))
    per_output = float((share**2 / n).sum())
    n_eff = min(mean * (1 - mean) / variance, 1 / per_output)
    low, high = max(0.0, min(low, value)), min(1.0, max(high, value))
    return replace(estimate, low=low, high=high, deff=1 / (per_output * n_eff), n_eff=n_eff), variance


def _checked(pack: LabelledPack) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Scenario, stratum, and labels with a column for each labeller."""
    group, said, truth = np.asarray(pack.scenario), np.asarray(pack.stratum), np.asarray(pack.label, dtype=float)
    if not len(group) or group.ndim != 1 or not group.shape == said.shape == truth.shape[:1] or truth.ndim > 2:
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
    votes = truth.reshape(len(group), -1)
    for value in np.unique(said):
        if np.isnan(votes[said == value]).all():
            raise InputError(
                f"no label among the {int((said == value).sum())} outputs of which the judge said {int(value)}",
                allowed="at least one label for each thing the judge said",
            )
    return group.astype(np.int64), said.astype(np.int64), votes


def corrected_difference(
    base: Corrected, candidate: Corrected, *, rng: np.random.Generator, alpha: float = 0.05
) -> Difference:
    """Candidate minus base, paired by scenario: the difference of the two S3 rates under the same random weights.

    Both rates of a draw rest on the same weights of the scenarios, so that what the scenarios share falls out, and on
    imagined labels of their own. The imagined scenario turns to the worse or to the better by the toss of a coin
    (mid-P). The test is the sign-flip of the scenarios' differences, and the interval has to agree: p is the larger of
    the sign-flip's and of the level at which the interval reaches zero. Alone, the sign-flip does not see how much the
    events weigh that the judge missed and no label happened to find, and rejects up to three times too often.

    Args:
        base: Corrected rate of the base.
        candidate: Corrected rate of the candidate: the same packs and scenarios with as many outputs, in the
            same order, at the same confidence.
        rng: For the sign-flip test.
        alpha: Level of the one-sided test that `mde_80` is about.

    Raises:
        InputError: Other packs, scenarios, confidences or draws.
    """
    one, two = base.estimate, candidate.estimate
    same = (
        len(base.packs) == len(candidate.packs)
        and (one.confidence, base.draws) == (two.confidence, candidate.draws)
        and all(np.array_equal(a.size, b.size) for a, b in zip(base.packs, candidate.packs, strict=True))
    )
    if not same:
        raise InputError("the two corrected rates do not rest on the same scenarios", allowed="paired outputs")
    low = high = mde = r = None
    greater = 0.0
    if one.low is not None and two.low is not None:
        change, r = _drawn_change(base, candidate)
        low, high = (float(np.quantile(change, 0.5 + side * one.confidence / 2)) for side in (-1, 1))
        # Signs that rounding alone gives count for neither side.
        fallen, level_with = (change < -_NOISE).sum(), (np.abs(change) <= _NOISE).sum()
        greater = float((fallen + level_with / 2 + 1) / (len(change) + 2))
        mde = float(minimum_detectable(change.var() * one.n, 0.0, one.n, 1, alpha=alpha))
    moved = np.concatenate([_change(*pair) for pair in zip(base.packs, candidate.packs, base.weights, strict=True)])
    # What only rounding tells from "no difference" is none.
    test = sign_flip(np.where(np.abs(moved) > _NOISE, moved, 0.0), rng)
    words = dict.fromkeys((*one.flags, *two.flags))
    if test.informative < FEW_INFORMATIVE:
        words[Flag.FEW_INFORMATIVE] = None
    return Difference(
        rate_base=one.value,
        rate_candidate=two.value,
        difference=float(two.value or 0) - float(one.value or 0),
        low=low,
        high=high,
        confidence=one.confidence,
        method=method_over(S3_PAIRED, len(base.packs)),
        pairs=one.n,
        scenarios=one.scenarios,
        informative_scenarios=test.informative,
        r=r,
        p=max(test.two_sided, min(1.0, 2 * min(greater, 1 - greater))),
        p_greater=max(test.greater, greater),
        mde_80=None if mde is None or mde > 1 else mde,
        flags=tuple(words),
    )


def _drawn_change(base: Corrected, candidate: Corrected) -> tuple[Floats, float]:
    """Draws of the difference, with either imagined scenario and either set of imagined labels for each; their r."""
    masses = [[pack.mass for pack in side.packs] for side in (base, candidate)]
    drawn = drawn_rates(masses, base.weights, base.draws)
    # Taking both ways round makes the difference turn its sign exactly where the models change places.
    first, second = (np.concatenate([drawn.with_label(at, (side + at) % 2) for side in (0, 1)]) for at in (0, 1))
    imagined = np.tile(drawn.scenario, 2)
    change = (second - first) * (1 - imagined)
    r = float(np.corrcoef(first, second)[0, 1]) if min(first.std(), second.std()) > _NOISE else 0.0
    return np.concatenate([change - imagined, change + imagined]), r


def _change(base: CorrectedPack, candidate: CorrectedPack, weight: float) -> Floats:
    """What each scenario adds to the difference of the two rates."""
    moved = candidate.residual - base.residual + candidate.rate - base.rate
    return np.asarray(moved * weight / len(base.size))
