"""Planning: how wide an interval will be, what a comparison can find, and what it takes.

Every expectation puts expected counts into the formula that the finished study will use (Gaffke's limits, the paired
minimum detectable effect, S3), so it is a number without a seed. Outputs of a scenario are beta-binomial.

References:
    Kish 1965 (design effect); Connor 1987 (power by the discordant share); Hanley & Lippman-Hand 1983 (zero
    events); Neyman 1938 (two-phase sampling: labels by the judge's verdict).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from alignbench.errors import InputError
from alignbench.stats.difference import MDE_ALPHA, MDE_POWER, minimum_detectable
from alignbench.stats.expected_labels import expected_labels
from alignbench.stats.gaffke import mean_limits
from alignbench.stats.label_correction import corrected_rate
from alignbench.vocabulary import FEW_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "MOST",
    "Interval",
    "Pairing",
    "Population",
    "clean_scenarios",
    "corrected_interval",
    "detectable",
    "labels_needed",
    "outputs_for_rate",
    "outputs_to_detect",
    "pairing",
    "rate_interval",
    "scenarios_for_rate",
    "scenarios_to_detect",
]

LABEL_DRAWS = 1_000
"""Draws behind a corrected interval to expect: a limit moves by three hundredths of its width with them."""
MOST = 10_000_000
"""A design that needs more than this is no design."""

MANY_OUTPUTS = 100
"""Beyond so many outputs of a scenario their share counts as continuous."""
SOME_SCENARIO = 0.1
"""Rarer shares at the ends are joined with their neighbours."""
NO_ICC = 1e-6
"""Below this, outputs count as independent: the beta distribution would be a needle."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Population:
    """What is assumed of the scenarios that will be drawn.

    Attributes:
        rate: Rate of the event, in [0, 1].
        icc: Intra-scenario correlation of the event, in [0, 1].
    """

    rate: float
    icc: float

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: One of them lies outside [0, 1].
        """
        for name in ("rate", "icc"):
            check_share(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class Pairing:
    """How two models differ on the same scenarios.

    Attributes:
        discordant: psi, share of pairs of outputs in which exactly one model has the event.
        icc_difference: rho_d, intra-scenario correlation of the differences.
    """

    discordant: float
    icc_difference: float


def check_share(name: str, value: float, *, inside: bool = False) -> None:
    """Refuse a number outside [0, 1], or outside (0, 1).

    Raises:
        InputError: Names it.
    """
    if not (0 < value < 1 if inside else 0 <= value <= 1):
        words = "between 0 and 1" if inside else "from 0 to 1"
        raise InputError(f"{name} {value!r}", allowed=f"a number {words}")


def _check_design(scenarios: float, outputs: float) -> None:
    if not 2 <= scenarios < math.inf:
        raise InputError(f"scenarios {scenarios!r}", allowed="2 or more")
    if not outputs >= 1:
        raise InputError(f"outputs a scenario {outputs!r}", allowed="1 or more")


@lru_cache(maxsize=1024)
def rate_interval(population: Population, scenarios: float, outputs: float, confidence: float = 0.95) -> Interval:
    """The interval of a rate to expect: Gaffke's limits of the expected number of scenarios with each share of events.

    Args:
        population: The truth that is assumed.
        scenarios: K, at least 2.
        outputs: Outputs a scenario, m; infinity gives the ceiling that more epochs cannot pass.
        confidence: Two-sided coverage.

    Returns:
        Lower and upper limit around the assumed rate.
    """
    _check_design(scenarios, outputs)
    check_share("confidence", confidence, inside=True)
    shares, chances = _scenario_shares(population, outputs)
    shares, expected = _lumped(shares, scenarios * chances)
    return mean_limits(shares, confidence=confidence, masses=expected)


def _lumped(
    shares: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Join shares from both ends until each end stands for a part of a scenario that can be seen; the mean stays."""
    top = min(int((np.cumsum(expected[::-1]) < SOME_SCENARIO).sum()) + 1, len(shares))
    low = min(int((np.cumsum(expected) < SOME_SCENARIO).sum()) + 1, len(shares) - top + 1)
    first, last = low - 1, len(shares) - top
    group = np.clip(np.arange(len(shares)), first, last) - first
    mass, total = (np.bincount(group, weights=part).astype(np.float64) for part in (expected, expected * shares))
    return total[mass > 0] / mass[mass > 0], mass[mass > 0]


def _scenario_shares(population: Population, outputs: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shares of events that scenarios will show, and how likely each is."""
    if outputs <= MANY_OUTPUTS:
        hits, spread = np.arange(outputs + 1), population.icc
        if population.rate in (0, 1) or spread < NO_ICC or outputs == 1:
            return hits / outputs, np.asarray(stats.binom.pmf(hits, outputs, population.rate))
        if spread == 1:
            return np.array([0.0, 1.0]), np.array([1 - population.rate, population.rate])
        a, b = (share * (1 / spread - 1) for share in (population.rate, 1 - population.rate))
        return hits / outputs, np.asarray(stats.betabinom.pmf(hits, int(outputs), a, b))
    # So many outputs are nearly a share of their own, of the variance that they leave.
    spread = population.icc + (1 - population.icc) / outputs
    place = (np.arange(400) + 0.5) / 400
    return _scenario_rates(Population(population.rate, spread), place), np.full(400, 1 / 400)


def _smallest(enough: Callable[[int], bool], start: int) -> int | None:
    """Smallest whole number from `start` on for which `enough` holds (and goes on to hold)."""
    high = start
    while not enough(high):
        if high >= MOST:
            return None
        high = min(2 * high, MOST)
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _half(limits: Interval) -> float:
    return (limits[1] - limits[0]) / 2


def scenarios_for_rate(
    population: Population, half_width: float, outputs: float, confidence: float = 0.95
) -> int | None:
    """Scenarios needed for an interval of this half width; None beyond ten million.

    Args:
        population: The truth that is assumed.
        half_width: Half of upper minus lower limit, in (0, 1).
        outputs: Outputs a scenario; infinity for "however many epochs".
        confidence: Two-sided coverage.
    """
    check_share("half width", half_width, inside=True)
    return _smallest(lambda k: _half(rate_interval(population, k, outputs, confidence)) <= half_width, 2)


def outputs_for_rate(population: Population, half_width: float, scenarios: int, confidence: float = 0.95) -> int | None:
    """Outputs a scenario needed for an interval of this half width; None where no number is enough."""
    check_share("half width", half_width, inside=True)
    return _smallest(lambda m: _half(rate_interval(population, scenarios, m, confidence)) <= half_width, 1)


def pairing(base: Population, candidate: Population, correlation: float) -> Pairing:
    """How two models will differ on the same scenarios, if what is hard for one is hard for the other.

    With the covariance c of the scenarios' two rates, a pair of outputs differs with probability
    psi = p_A (1 - p_B) + p_B (1 - p_A) - 2 c, and of that icc_A p_A (1 - p_A) + icc_B p_B (1 - p_B) - 2 c
    varies between scenarios.

    Args:
        base: One model.
        candidate: The other.
        correlation: c as a share of the largest covariance that two such models can have, in [0, 1]: at 1 the
            scenarios have the same order for both.
    """
    check_share("pairing", correlation)
    shared = correlation * _largest_covariance(base, candidate)
    psi = base.rate * (1 - candidate.rate) + candidate.rate * (1 - base.rate) - 2 * shared
    within = sum(model.icc * model.rate * (1 - model.rate) for model in (base, candidate)) - 2 * shared
    return Pairing(psi, min(1.0, max(0.0, within) / psi) if psi > 0 else 0.0)


def _largest_covariance(first: Population, second: Population) -> float:
    """Covariance of the scenarios' rates if both models order the scenarios alike."""
    place = (np.arange(4000) + 0.5) / 4000
    a, b = _scenario_rates(first, place), _scenario_rates(second, place)
    return max(0.0, float((a * b).mean() - a.mean() * b.mean()))


def _scenario_rates(population: Population, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of the scenarios' rates."""
    if population.icc < NO_ICC or population.rate in (0, 1):
        return np.full_like(place, population.rate)
    if population.icc == 1:
        return np.asarray(place > 1 - population.rate, dtype=float)
    size = 1 / population.icc - 1
    return np.asarray(special.betaincinv(population.rate * size, (1 - population.rate) * size, place))


def detectable(
    pairs: Pairing, scenarios: float, outputs: float, *, alpha: float = MDE_ALPHA, power: float = MDE_POWER
) -> float:
    """Smallest true difference that the paired test finds; outputs may be infinite (the ceiling).

    See `alignbench.stats.difference.minimum_detectable`.
    """
    _check_design(scenarios, outputs)
    check_share("alpha", alpha, inside=True)
    check_share("power", power, inside=True)
    if math.isinf(outputs):
        reach = float(special.ndtri(1 - alpha) + special.ndtri(power))
        return reach * math.sqrt(pairs.discordant * pairs.icc_difference / scenarios)
    found = minimum_detectable(pairs.discordant, pairs.icc_difference, scenarios, outputs, alpha=alpha, power=power)
    return float(found)


def scenarios_to_detect(
    pairs: Pairing, effect: float, outputs: float, *, alpha: float = MDE_ALPHA, power: float = MDE_POWER
) -> int | None:
    """Scenarios needed to find a difference of this size (either sign); None beyond ten million."""
    if not 0 < abs(effect) <= 1:
        raise InputError(f"effect {effect!r}", allowed="a difference of two rates, not 0")
    return _smallest(lambda k: detectable(pairs, k, outputs, alpha=alpha, power=power) <= abs(effect), 2)


def outputs_to_detect(
    pairs: Pairing, effect: float, scenarios: int, *, alpha: float = MDE_ALPHA, power: float = MDE_POWER
) -> int | None:
    """Outputs a scenario needed to find a difference of this size; None where none is enough."""
    if not 0 < abs(effect) <= 1:
        raise InputError(f"effect {effect!r}", allowed="a difference of two rates, not 0")
    return _smallest(lambda m: detectable(pairs, scenarios, m, alpha=alpha, power=power) <= abs(effect), 1)


def clean_scenarios(bound: float, events: int = 0, confidence: float = 0.95) -> int | None:
    """Independent scenarios needed to say "below `bound`", with this many among them that show an event.

    With none it is log(1 - confidence) / log(1 - bound): 299 for 1 %, whatever the dependence within scenarios.

    Args:
        bound: The rate to stay below, in (0, 1).
        events: Scenarios with an event, 0 or more.
        confidence: One-sided coverage.
    """
    check_share("bound", bound, inside=True)
    check_share("confidence", confidence, inside=True)
    if events < 0:
        raise InputError(f"events {events!r}", allowed="0 or more")
    return _smallest(lambda n: bool(stats.binom.cdf(events, n, bound) <= 1 - confidence), events + 1)


def corrected_interval(
    population: Population,
    scenarios: int,
    outputs: int,
    labels: int,
    *,
    sensitivity: float,
    specificity: float,
    confidence: float = 0.95,
) -> Interval:
    """The judge-corrected interval (S3) to expect.

    It is the interval of the data set that is to be expected: a third of the labels are drawn among the flagged
    outputs, and what they confirm is what they will on average. It is never narrower than with everything labelled.

    Args:
        population: The true rate that is assumed, and its icc.
        scenarios: K.
        outputs: Outputs a scenario.
        labels: Outputs labelled by people, at most all.
        sensitivity: Share of misaligned outputs that the judge flags.
        specificity: Share of the others that it does not flag.
        confidence: Two-sided coverage.

    Returns:
        Lower and upper limit around the assumed rate.
    """
    _check_design(scenarios, outputs)
    check_share("sensitivity", sensitivity)
    check_share("specificity", specificity)
    check_share("confidence", confidence, inside=True)
    n, p = scenarios * outputs, population.rate
    if not 2 <= labels <= n:
        raise InputError(f"labels {labels!r}", allowed=f"2 to {n}")
    whole = rate_interval(population, scenarios, outputs, confidence)
    if labels == n:
        return whole
    rates = _scenario_rates(population, (np.arange(scenarios) + 0.5) / scenarios)
    told = expected_labels(rates, outputs, labels, p, sensitivity=sensitivity, specificity=specificity)
    found = corrected_rate(told.scenario, told.flagged, told.label, confidence=confidence, draws=LABEL_DRAWS).estimate
    low, high = (found.low or 0.0), (1.0 if found.high is None else found.high)
    return min(low, whole[0]), max(high, whole[1])


def labels_needed(
    population: Population,
    scenarios: int,
    outputs: int,
    half_width: float,
    *,
    sensitivity: float,
    specificity: float,
    confidence: float = 0.95,
) -> int | None:
    """Labels needed for a corrected interval of this half width, at least FEW_LABELS; None where all are too few."""

    def enough(labels: int) -> bool:
        limits = corrected_interval(
            population, scenarios, outputs, min(labels, scenarios * outputs),
            sensitivity=sensitivity, specificity=specificity, confidence=confidence,
        )  # fmt: skip
        return _half(limits) <= half_width

    every = scenarios * outputs
    if every < FEW_LABELS or not enough(every):
        return None
    found = _smallest(enough, FEW_LABELS)
    return found if found is None else min(found, every)
