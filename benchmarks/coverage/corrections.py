"""Simulations of a judge that errs: the correction by labels (S3) against the judge's word, and against fewer means.

A scenario has a propensity of the event and error rates of the judge, all three drawn independently: a judge that
misreads one answer to a scenario misreads the others to it too. Labels are drawn as `alignbench judge sample` draws
them: a third of them among the outputs that the judge flagged, or all of those where they are fewer.

Two demands beside coverage: `relative_widths` holds the widths against the narrowest method that itself covers in a
setting, `steepest_move` what one more confirmed event does to the upper limit against Clopper-Pearson.

References:
    Angelopoulos et al. 2023, arXiv 2301.09633 (prediction-powered inference); Lee et al. 2025, arXiv 2511.21140.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from alignbench.errors import InputError
from alignbench.judging.sampling import FLAGGED_PART
from alignbench.stats.correction import corrected_rate
from alignbench.stats.rate import rate
from alignbench.stats.transport import transported_rate
from benchmarks.coverage.generators import GENERATORS, propensities
from benchmarks.coverage.methods import LEVEL
from benchmarks.coverage.peers import NORMAL
from benchmarks.coverage.scores import Score, score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from alignbench.stats.estimate import Estimate
    from benchmarks.coverage.generators import Generator
    from benchmarks.coverage.scores import Grid
    from benchmarks.coverage.settings import Effort

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Limits = tuple[float, float]
    Law = Generator | Literal["hot"]

__all__ = [
    "CorrectionSetting",
    "JudgedPack",
    "correction_core",
    "correction_scores",
    "correction_stress",
    "judged_pack",
    "relative_widths",
    "steepest_move",
]

DRAWS = 2_000
"""Draws behind an S3 interval here: a limit moves by two hundredths of the width from one set of them to another."""
COVERS = 0.92
"""Methods that cover less in a setting are no measure of width there."""
HOT = 0.95
"""How often a hot scenario shows the event; the others never do."""
EXAM = 100
"""Misaligned labelled answers of an exam, and as many aligned ones."""
EASIER = 0.5
"""Share of its errors that a judge makes on an exam whose answers are easier than the outputs."""
METHODS = (
    "S3",
    "stratified PPI, outputs independent, normal",
    "as many labels drawn at random, S1 on them alone",
    "exam's error rates (Lee et al.), exam like the outputs",
    "exam's error rates (Lee et al.), exam easier",
    "S1 on the judge's verdicts",
)


@dataclass(frozen=True, slots=True)
class CorrectionSetting:
    """Where a judge's rate is corrected.

    Attributes:
        scenarios: Number of scenarios.
        labels: Outputs that people label.
        rate: The true rate.
        icc: Intra-scenario correlation of the event.
        generator: Distribution of the scenarios' propensities; hot: some nearly always, the rest never.
        sensitivity: Share of the events that the judge flags.
        specificity: Share of the others that it passes.
        error_icc: Intra-scenario correlation of its errors.
        outputs: Outputs of each scenario.
    """

    scenarios: int
    labels: int
    rate: float
    icc: float
    generator: Law
    sensitivity: float
    specificity: float
    error_icc: float
    outputs: int = 4

    def __str__(self) -> str:
        return (
            f"{self.scenarios} scenarios of {self.outputs}, {self.labels} labels, icc {self.icc:g}, "
            f"rate {self.rate:g}, {self.generator}, judge {self.sensitivity:g} and {self.specificity:g}, "
            f"its icc {self.error_icc:g}"
        )


@dataclass(frozen=True, slots=True)
class JudgedPack:
    """One data set, output by output; vectors of one length.

    Attributes:
        scenario: Scenario of each output, numbered from 0.
        event: Whether it is the event.
        flagged: Whether the judge says so.
    """

    scenario: Integers
    event: Flags
    flagged: Flags


def correction_core() -> list[CorrectionSetting]:
    """288 settings: 75 or 225 scenarios, 100 or 200 labels, a good judge, a poor one and a lenient one."""
    judges = ((0.9, 0.95), (0.75, 0.85), (0.5, 0.98))
    grid = product((75, 225), (100, 200), (0.01, 0.05, 0.2, 0.5), GENERATORS, judges, (0.0, 0.3))
    return [
        CorrectionSetting(scenarios, labels, mean, 0.2, generator, *judge, error_icc)
        for scenarios, labels, mean, generator, judge, error_icc in grid
    ]


def correction_stress() -> list[CorrectionSetting]:
    """96 settings with few labels, scenarios that differ much, a judge little better than a coin; 192 of heavy tails.

    Heavy tails: rates .001 to .02, hot scenarios beside beta ones, 100 to 10,000 outputs, four judges.
    """
    judges = ((0.5, 0.99), (0.9, 0.95), (0.99, 0.999), (0.7, 0.8))
    sizes = ((75, 4), (225, 4), (2_500, 4), (25, 400))
    heavy: tuple[Law, ...] = ("hot", "beta_binomial")
    tails = product(sizes, (0.001, 0.005, 0.02), heavy, judges, (0.0, 0.3))
    grid = product((25, 400), (50,), (0.002, 0.01, 0.05, 0.5), GENERATORS, ((0.6, 0.7), (0.95, 0.99)), (0.0, 0.6))
    return [
        CorrectionSetting(scenarios, labels, mean, 0.5, generator, *judge, error_icc)
        for scenarios, labels, mean, generator, judge, error_icc in grid
    ] + [
        CorrectionSetting(scenarios, 100, mean, 0.2, law, *judge, error_icc, outputs)
        for (scenarios, outputs), mean, law, judge, error_icc in tails
    ]


def correction_scores(setting: CorrectionSetting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """The intervals of the true rate in one setting."""
    limits = np.full((len(METHODS), 2, effort.corrections), np.nan)
    for at in range(effort.corrections):
        for method, found in enumerate(_intervals(setting, rng)):
            limits[method, :, at] = found
    return [
        score("corrected rate", grid, name, setting, (low, high), setting.rate)
        for name, (low, high) in zip(METHODS, limits, strict=True)
    ]


def judged_pack(setting: CorrectionSetting, rng: np.random.Generator) -> JudgedPack:
    """Simulate the outputs of one pack and what the judge says of them."""
    scenario = np.repeat(np.arange(setting.scenarios), setting.outputs)
    event = rng.random(len(scenario)) < _drawn(setting.generator, setting.rate, setting.icc, scenario, rng)
    found = _drawn("beta_binomial", setting.sensitivity, setting.error_icc, scenario, rng)
    passed = _drawn("beta_binomial", setting.specificity, setting.error_icc, scenario, rng)
    flagged = rng.random(len(scenario)) < np.where(event, found, 1 - passed)
    return JudgedPack(scenario, event, flagged)


def relative_widths(scores: Sequence[Score], method: str = "S3") -> dict[str, float]:
    """By setting the width of a method over the narrowest of those that themselves cover there; none: left out.

    An interval that was not given counts as one that does not cover.
    """
    found = {}
    for setting in dict.fromkeys(one.setting for one in scores):
        here = {one.method: one for one in scores if one.setting == setting}
        able = [one.width for one in here.values() if one.coverage * (1 - one.refused) >= COVERS]
        if able and method in here:
            found[str(setting)] = here[method].width / min(able)
    return found


def steepest_move(outputs: int, flagged: int, labels: int = 100) -> float:
    """The most that one more confirmed event moves the upper limit, over what it moves Clopper-Pearson's.

    Clopper-Pearson is taken on the labels of the event's stratum, times the stratum's share of the outputs; from none
    to ten events among the flagged, none among the others, and the other way round.

    Args:
        outputs: Outputs, four to a scenario.
        flagged: Those that the judge flags, each in a scenario of its own.
        labels: Labels, a third of them among the flagged where there are so many.
    """
    flag = np.zeros(outputs, dtype=bool)
    flag[: 4 * flagged : 4] = True
    first = min(flagged, labels // 3)
    places = np.flatnonzero(flag)[:first], np.flatnonzero(~flag)[:: (outputs - flagged) // labels][: labels - first]
    scenario, moves = np.repeat(np.arange(outputs // 4), 4), []
    for side, size in enumerate((first, labels - first)):
        share, limits = (flagged, outputs - flagged)[side] / outputs, []
        for events in range(min(10, size // 2) + 1):
            told = np.full(outputs, np.nan)
            told[np.concatenate(places)] = 0.0
            told[places[side][:events]] = 1.0
            found = corrected_rate(scenario, flag, told, level=LEVEL).estimate.high
            limits.append((found or 0.0, stats.beta.ppf((1 + LEVEL) / 2, events + 1, size - events) * share))
        moves += [float((b[0] - a[0]) / (b[1] - a[1])) for a, b in pairwise(limits)]
    return max(moves)


def _drawn(generator: Law, mean: float, icc: float, scenario: Integers, rng: np.random.Generator) -> Floats:
    """A propensity for each scenario, given to each of its outputs."""
    if generator == "hot":
        return np.asarray(HOT * (rng.random(scenario[-1] + 1) < mean / HOT)[scenario], dtype=np.float64)
    atoms = propensities(generator, mean, icc)
    drawn: Floats = atoms[rng.integers(0, len(atoms), size=scenario[-1] + 1)][scenario]
    return drawn


def _intervals(setting: CorrectionSetting, rng: np.random.Generator) -> Iterator[Limits]:
    """The interval of each of METHODS on one data set; NaN where it gives none."""
    pack = judged_pack(setting, rng)
    told = np.full(len(pack.event), np.nan)
    chosen = _to_label(pack.flagged, setting.labels, rng)
    told[chosen] = pack.event[chosen]
    corrected = corrected_rate(pack.scenario, pack.flagged, told, level=LEVEL, draws=DRAWS)
    yield _limits(corrected.estimate.low, corrected.estimate.high)
    yield _ppi(pack, told)
    alone = rng.choice(len(pack.event), size=setting.labels, replace=False)
    few = _s1(pack.scenario[alone], pack.event[alone])
    yield _limits(few.low, few.high)
    raw = _s1(pack.scenario, pack.flagged)
    for errors in (1.0, EASIER):
        yield _transported(setting, raw, errors, rng)
    yield _limits(raw.low, raw.high)


def _to_label(flagged: Flags, labels: int, rng: np.random.Generator) -> Integers:
    """Places of the outputs to label: a third of them flagged, if there are so many."""
    places = np.flatnonzero(flagged), np.flatnonzero(~flagged)
    first = min(len(places[0]), max(labels // FLAGGED_PART, labels - len(places[1])))
    second = min(len(places[1]), labels - first)
    drawn = [rng.choice(part, size=size, replace=False) for part, size in zip(places, (first, second), strict=True)]
    return np.concatenate(drawn)


def _s1(scenario: Integers, event: Flags) -> Estimate:
    n, y = np.bincount(scenario), np.bincount(scenario, weights=event)
    return rate(n[n > 0], y[n > 0], level=LEVEL)


def _ppi(pack: JudgedPack, told: Floats) -> Limits:
    """Difference estimator in two strata with its textbook variance (Angelopoulos et al. 2023)."""
    centre, variance = 0.0, 0.0
    for kind in (True, False):
        labels = told[(pack.flagged == kind) & ~np.isnan(told)]
        if len(labels) < 2:
            return _limits(None, None)
        weight, share = float((pack.flagged == kind).mean()), float(labels.mean())
        centre += weight * share
        variance += weight**2 * share * (1 - share) / (len(labels) - 1) + weight * share**2 / len(told)
    half = NORMAL * float(np.sqrt(max(0.0, variance - centre**2 / len(told))))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _transported(setting: CorrectionSetting, raw: Estimate, errors: float, rng: np.random.Generator) -> Limits:
    """Corrected by an exam on which the judge makes that share of its errors."""
    found, passed = (
        int(rng.binomial(EXAM, 1 - errors * (1 - share))) for share in (setting.sensitivity, setting.specificity)
    )
    try:
        estimate = transported_rate(raw, (found, EXAM), (passed, EXAM))
    except InputError:
        # An exam that cannot tell the judge from a coin corrects nothing.
        return _limits(None, None)
    return _limits(estimate.low, estimate.high)


def _limits(low: float | None, high: float | None) -> Limits:
    return (np.nan, np.nan) if low is None or high is None else (low, high)
