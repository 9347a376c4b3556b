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
from functools import lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from alignbench.errors import InputError
from alignbench.stats.card_correction import transported_rate
from alignbench.stats.expected_labels import labels_to_flagged
from alignbench.stats.gaffke import mean_limits
from alignbench.stats.label_correction import corrected_rate
from alignbench.stats.rate import rate
from benchmarks.coverage.gaffke import held
from benchmarks.coverage.generators import GENERATORS, HEAVY, propensities
from benchmarks.coverage.methods import LEVEL
from benchmarks.coverage.peers import NORMAL
from benchmarks.coverage.scores import Score, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from alignbench.stats.estimate import Estimate
    from benchmarks.coverage.generators import Generator
    from benchmarks.coverage.scores import Grid
    from benchmarks.coverage.settings import Effort

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Limits = tuple[float, float]

__all__ = [
    "ALONE",
    "ENOUGH",
    "MANY",
    "MEASURED",
    "NEARLY",
    "PPI",
    "RAW",
    "SOME",
    "CorrectionSetting",
    "JudgedPack",
    "correction_core",
    "correction_heavy",
    "correction_scores",
    "correction_stress",
    "judged_pack",
    "relative_widths",
    "steepest_move",
    "steepest_moves",
]

DRAWS = 1_000
"""Draws behind an S3 interval here: a limit moves by three hundredths of the width from one set of them to another."""
SOME = 200
"""Data sets with every method; S3 goes on where it holds the truth in fewer of them than ENOUGH."""
ENOUGH = 0.96
MANY = 5_000
"""With more outputs the first SOME data sets have to do for S3."""
NEARLY = 0.88
"""Stratified PPI goes on where it holds the truth in so many: whether it covers is measured well where that counts."""
MEASURED = 24
"""Data sets of a setting whose Gaffke intervals are computed, for their width."""
COVERS = 0.92
"""Methods that cover less in a setting are no measure of width there."""
MOST_EVENTS = 10
EXAM = 100
"""Misaligned labelled answers of an exam, and as many aligned ones."""
EASIER = 0.5
"""Share of its errors that a judge makes on an exam whose answers are easier than the outputs."""
PPI = "stratified PPI, outputs independent, normal"
ALONE = "as many labels drawn at random, Gaffke on them alone"
RAW = "S1 on the judge's verdicts"
EXAMS = {
    "exam's error rates (Lee et al.), exam like the outputs": 1.0,
    "exam's error rates (Lee et al.), exam easier": EASIER,
}
"""Share of the judge's errors that it makes on the exam."""


@dataclass(frozen=True, slots=True)
class CorrectionSetting:
    """Where a judge's rate is corrected.

    Attributes:
        scenarios: Number of scenarios.
        labels: Outputs that people label.
        rate: The true rate.
        icc: Intra-scenario correlation of the event; 0 where a heavy-tailed generator has its own.
        generator: Distribution of the scenarios' propensities.
        sensitivity: Share of the events that the judge flags.
        specificity: Share of the others that it passes.
        error_icc: Intra-scenario correlation of its errors.
        outputs: Outputs of each scenario.
    """

    scenarios: int
    labels: int
    rate: float
    icc: float
    generator: Generator
    sensitivity: float
    specificity: float
    error_icc: float
    outputs: int = 4

    @property
    def flagged(self) -> int:
        """Outputs that the judge flags on average."""
        share = self.rate * self.sensitivity + (1 - self.rate) * (1 - self.specificity)
        return round(self.scenarios * self.outputs * share)

    def __str__(self) -> str:
        icc = "" if self.generator in HEAVY else f"icc {self.icc:g}, "
        return (
            f"{self.scenarios} scenarios of {self.outputs}, {self.labels} labels, {icc}"
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
    """96 settings with few labels, scenarios that differ much, a judge little better than a coin."""
    grid = product((25, 400), (50,), (0.002, 0.01, 0.05, 0.5), GENERATORS, ((0.6, 0.7), (0.95, 0.99)), (0.0, 0.6))
    return [
        CorrectionSetting(scenarios, labels, mean, 0.5, generator, *judge, error_icc)
        for scenarios, labels, mean, generator, judge, error_icc in grid
    ]


def correction_heavy() -> list[CorrectionSetting]:
    """192 settings with rates .001 to .02: hot scenarios beside beta ones, 300 to 10,000 outputs, four judges."""
    judges = ((0.5, 0.99), (0.9, 0.95), (0.99, 0.999), (0.7, 0.8))
    sizes = ((75, 4), (225, 4), (2_500, 4), (25, 400))
    laws: tuple[tuple[Generator, float], ...] = (("hot", 0.0), ("beta_binomial", 0.2))
    return [
        CorrectionSetting(scenarios, 100, mean, icc, law, *judge, error_icc, outputs)
        for (scenarios, outputs), mean, (law, icc), judge, error_icc in product(
            sizes, (0.001, 0.005, 0.02), laws, judges, (0.0, 0.3)
        )
    ]


def correction_scores(setting: CorrectionSetting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """The intervals of the true rate in one setting."""
    some = min(SOME, effort.corrections)
    limits: dict[str, list[Limits]] = {name: [] for name in ("S3", PPI, *EXAMS, RAW)}
    shares: list[Floats] = []
    going = {"S3": True, PPI: True}
    for at in range(effort.corrections):
        if at == some:
            few = setting.scenarios * setting.outputs <= MANY
            going = {
                "S3": few and _holds(limits["S3"], setting.rate) < ENOUGH,
                PPI: _holds(limits[PPI], setting.rate) >= NEARLY,
            }
        if not any(going.values()):
            break
        pack = judged_pack(setting, rng)
        told = np.full(len(pack.event), np.nan)
        chosen = _to_label(pack.flagged, setting.labels, rng)
        told[chosen] = pack.event[chosen]
        if going["S3"]:
            ours = corrected_rate(pack.scenario, pack.flagged, told, confidence=LEVEL, draws=DRAWS).estimate
            limits["S3"].append(_limits(ours.low, ours.high))
        if going[PPI]:
            limits[PPI].append(_ppi(pack, told))
        if at < some:
            alone = rng.choice(len(pack.event), size=setting.labels, replace=False)
            n, y = _counts(pack.scenario[alone], pack.event[alone])
            shares.append(y / n)
            for name, found in _by_the_judge(setting, pack, rng).items():
                limits[name].append(found)
    scores = [
        score("corrected rate", grid, name, setting, (np.array(pairs)[:, 0], np.array(pairs)[:, 1]), setting.rate)
        for name, pairs in limits.items()
    ]
    return [*scores[:2], _alone(shares, grid, setting), *scores[2:]]


def judged_pack(setting: CorrectionSetting, rng: np.random.Generator) -> JudgedPack:
    """Simulate the outputs of one pack and what the judge says of them."""
    scenario = np.repeat(np.arange(setting.scenarios), setting.outputs)
    event = rng.random(len(scenario)) < _drawn(setting.generator, setting.rate, setting.icc, scenario, rng)
    found = _drawn("beta_binomial", setting.sensitivity, setting.error_icc, scenario, rng)
    passed = _drawn("beta_binomial", setting.specificity, setting.error_icc, scenario, rng)
    flagged = rng.random(len(scenario)) < np.where(event, found, 1 - passed)
    return JudgedPack(scenario, event, flagged)


def relative_widths(scores: Sequence[Score], among: Sequence[str] = (), method: str = "S3") -> dict[str, float]:
    """By setting the width of a method over the narrowest of those that themselves cover there; none: left out.

    Args:
        scores: Of all methods; an interval that was not given counts as one that does not cover.
        among: The methods that count; default: all.
        method: The one that is measured.
    """
    here: dict[object, dict[str, Score]] = {}
    for one in scores:
        here.setdefault(one.setting, {})[one.method] = one
    found = {}
    for setting, by_method in here.items():
        able = [
            one.width
            for one in by_method.values()
            if one.method in (among or by_method) and one.coverage * (1 - one.refused) >= COVERS
        ]
        if able and method in by_method:
            found[str(setting)] = by_method[method].width / min(able)
    return found


def steepest_moves(settings: Iterable[CorrectionSetting]) -> dict[str, float]:
    """`steepest_move` wherever these settings differ in outputs, flagged outputs or labels, in words."""
    found = {}
    for one in settings:
        shape = one.scenarios * one.outputs, one.flagged, one.labels
        found["{:,} outputs, {:,} flagged, {} labels".format(*shape)] = steepest_move(*shape)
    return found


@lru_cache(maxsize=256)
def steepest_move(outputs: int, flagged: int, labels: int = 100) -> float:
    """The most that one more confirmed event moves the upper limit, over what it moves Clopper-Pearson's.

    From none to ten events among the flagged, each in a scenario of its own, none among the others, and the other way
    round. Clopper-Pearson is taken on the labels of the event's stratum, times the stratum's
    share of the outputs. Where all outputs of a stratum are labelled these are no sample, only the scenarios are: there
    Gaffke's limit on the scenarios' shares counts too, if it moves more.

    Args:
        outputs: Outputs, four to a scenario.
        flagged: Those that the judge flags, spread over as many scenarios as there are.
        labels: Labels, a third of them among the flagged where there are so many.
    """
    flag = np.zeros(outputs, dtype=bool)
    flag[:flagged] = True
    scenario, sizes, moves = np.tile(np.arange(outputs // 4), 4), _split(flag, labels), []
    places = [_spread(np.flatnonzero(flag == kind), size) for kind, size in zip((True, False), sizes, strict=True)]
    for mine, size, many in zip(places, sizes, (flagged, outputs - flagged), strict=True):
        limits = []
        for events in range(min(MOST_EVENTS, size // 2) + 1):
            told = np.full(outputs, np.nan)
            told[np.concatenate(places)] = 0.0
            told[mine[:events]] = 1.0
            found = corrected_rate(scenario, flag, told, confidence=LEVEL).estimate.high or 0.0
            sampled = float(stats.beta.ppf((1 + LEVEL) / 2, events + 1, size - events)) * many / outputs
            shares = np.bincount(scenario[mine[:events]], minlength=outputs // 4) / 4
            whole = mean_limits(shares, confidence=LEVEL)[1] if size == many else 0.0
            limits.append((found, sampled, whole))
        steps = (np.subtract(after, before) for before, after in pairwise(limits))
        moves += [float(ours / max(sampled, whole)) for ours, sampled, whole in steps]
    return max(moves)


def _spread(places: Integers, size: int) -> Integers:
    """So many of these places, evenly."""
    return places[np.arange(size) * len(places) // max(size, 1)]


def _drawn(generator: Generator, mean: float, icc: float, scenario: Integers, rng: np.random.Generator) -> Floats:
    """A propensity for each scenario, given to each of its outputs."""
    atoms = propensities(generator, mean, icc)
    drawn: Floats = atoms[rng.integers(0, len(atoms), size=scenario[-1] + 1)][scenario]
    return drawn


def _holds(limits: Sequence[Limits], truth: float) -> float:
    """Share of the data sets with an interval that holds the truth."""
    return float(np.mean([low <= truth <= high for low, high in limits]))


def _split(flagged: Flags, labels: int) -> tuple[int, int]:
    """Labels among the flagged and among the others, as `alignbench judge sample` draws them."""
    many = int(flagged.sum())
    first = labels_to_flagged(labels, many, len(flagged) - many)
    return first, min(len(flagged) - many, labels - first)


def _to_label(flagged: Flags, labels: int, rng: np.random.Generator) -> Integers:
    """Places of the outputs to label."""
    places = np.flatnonzero(flagged), np.flatnonzero(~flagged)
    drawn = [rng.choice(part, size, replace=False) for part, size in zip(places, _split(flagged, labels), strict=True)]
    return np.concatenate(drawn)


def _by_the_judge(setting: CorrectionSetting, pack: JudgedPack, rng: np.random.Generator) -> dict[str, Limits]:
    """The intervals that no label goes into."""
    raw = rate(*_counts(pack.scenario, pack.flagged), confidence=LEVEL, method="s1")
    by_exam = {name: _transported(setting, raw, errors, rng) for name, errors in EXAMS.items()}
    return {**by_exam, RAW: _limits(raw.low, raw.high)}


def _counts(scenario: Integers, event: Flags) -> tuple[Integers, Floats]:
    """Outputs and events of the scenarios that have any."""
    n, y = np.bincount(scenario).astype(np.int64), np.bincount(scenario[event], minlength=scenario.max() + 1)
    return n[n > 0], y[n > 0].astype(np.float64)


def _alone(shares: Sequence[Floats], grid: Grid, setting: CorrectionSetting) -> Score:
    """The interval by the shares of scenarios with labels; data sets with as many such scenarios go together."""
    inside = [
        held([np.stack([one for one in shares if len(one) == size])], setting.rate)["gaffke"]
        for size in sorted({len(one) for one in shares})
    ]
    widths = [np.diff(mean_limits(one, confidence=LEVEL)) for one in shares[:MEASURED]]
    coverage = float(np.concatenate(inside).mean())
    return Score("corrected rate", grid, ALONE, setting, len(shares), coverage, float(np.mean(widths)))


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
