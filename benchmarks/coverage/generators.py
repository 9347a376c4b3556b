"""Simulated verdict counts: how often scenarios bring out the event, and how alike two models find them.

A scenario has a propensity, drawn from a distribution with a stated mean (the rate) and variance
icc * mean * (1 - mean); its outputs are independent given that. Three distributions have one mean and one icc
and differ in everything else: beta (so that counts are beta-binomial), logit-normal, and two-point, in which
most scenarios never show the event. Five more have heavy tails and no icc to choose: hot (a scenario always shows the
event or never), Cauchy and t (2 degrees of freedom) on the log-odds, lognormal and Pareto propensities.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy import optimize, special, stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = [
    "GENERATORS",
    "HEAVY",
    "Generator",
    "PairedCounts",
    "counts",
    "paired_counts",
    "propensities",
    "scenario_sizes",
]

Generator = Literal["beta_binomial", "logit_normal", "two_point", "hot", "cauchy", "t2", "lognormal", "pareto"]
GENERATORS: tuple[Generator, ...] = get_args(Generator)[:3]
HEAVY: tuple[Generator, ...] = get_args(Generator)[3:]

ATOMS = 2**15
"""Equally likely propensities stand for a distribution: drawing one is a look-up, and the mean is exact."""


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """Paired outputs by scenario, arrays of shape (data sets, scenarios).

    Attributes:
        n: Pairs.
        base: Pairs in which the base has the event.
        candidate: Pairs in which the candidate has it.
        both: Pairs in which both have it.
    """

    n: Integers
    base: Integers
    candidate: Integers
    both: Integers


@lru_cache(maxsize=128)
def propensities(generator: Generator, mean: float, icc: float) -> Floats:
    """The distribution of scenario propensities as ATOMS equally likely values in ascending order.

    Args:
        generator: Which distribution.
        mean: Its mean, in (0, 1).
        icc: Its variance over mean * (1 - mean), in [0, 1); 0 means that all scenarios are alike. Heavy tails have
            their own.
    """
    if generator in HEAVY:
        atoms = _heavy(generator, mean)
    else:
        made = {"beta_binomial": _beta, "logit_normal": _logit_normal, "two_point": _two_point}[generator]
        atoms = np.clip(made(mean, icc), 0, 1) if icc > 0 else np.full(ATOMS, mean)
    atoms.flags.writeable = False
    return atoms


def _beta(mean: float, icc: float) -> Floats:
    """Means of a beta variable between its quantiles."""
    a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
    share = np.arange(ATOMS + 1) / ATOMS
    lower, upper = special.betaincinv(a, b, share), special.betaincinv(b, a, share[::-1])
    low = mean * ATOMS * np.diff(special.betainc(a + 1, b, lower))
    high = 1 - (1 - mean) * ATOMS * -np.diff(special.betainc(b + 1, a, upper))
    # Close to 1 quantiles round to 1 and only the distance to 1 still tells them apart.
    return np.asarray(np.where(lower[1:] < 0.5, low, high))


def _logit_normal(mean: float, icc: float) -> Floats:
    """Quantiles of a logit-normal variable whose location and scale are solved for."""
    score = special.ndtri((np.arange(ATOMS) + 0.5) / ATOMS)

    def located(scale: float) -> Floats:
        reach = 40 + 6 * scale

        def excess(location: float) -> float:
            return float(special.expit(location + scale * score).mean()) - mean

        location = optimize.brentq(excess, -reach, reach, xtol=1e-12)
        return np.asarray(special.expit(location + scale * score))

    def spread(log_scale: float) -> float:
        return float(located(np.exp(log_scale)).var()) - icc * mean * (1 - mean)

    return located(float(np.exp(optimize.brentq(spread, -5, 6, xtol=1e-6))))


def _two_point(mean: float, icc: float) -> Floats:
    """A share of the scenarios never shows the event, the others do at one rate."""
    rate = mean + icc * (1 - mean)
    # One atom may stand partly for either kind, so that the mean is exact.
    active = np.clip(np.arange(ATOMS) + 1 - ATOMS * (1 - mean / rate), 0, 1)
    return np.asarray(rate * active)


def _heavy(generator: Generator, mean: float) -> Floats:
    """Quantiles of a heavy-tailed law, moved until their mean is the stated one."""
    if generator == "hot":
        # One atom may stand partly for a hot scenario, so that the mean is exact.
        return np.asarray(np.clip(np.arange(ATOMS) + 1 - ATOMS * (1 - mean), 0, 1))
    share = (np.arange(ATOMS) + 0.5) / ATOMS
    if generator in ("cauchy", "t2"):
        shape = stats.t.ppf(share, 1 if generator == "cauchy" else 2)
    else:
        shape = 2 * special.ndtri(share) if generator == "lognormal" else -np.log1p(-share)

    def squash(logs: Floats) -> Floats:
        return np.asarray(special.expit(logs) if generator in ("cauchy", "t2") else np.exp(np.minimum(logs, 0.0)))

    # Quantiles of the Cauchy law reach 20,000, so the place that balances them may lie far out.
    place = optimize.brentq(lambda at: float(squash(shape + at).mean()) - mean, -1e5, 1e5, xtol=1e-12)
    return np.asarray(squash(shape + place))


def scenario_sizes(outputs: tuple[int, int], shape: tuple[int, ...], rng: np.random.Generator) -> Integers:
    """Outputs by scenario between two bounds: uniform where they are close, else uniform in their logarithm.

    Args:
        outputs: Smallest and largest number.
        shape: Shape of the result.
        rng: Not used where the bounds are equal.
    """
    low, high = outputs
    if low == high:
        return np.full(shape, low, dtype=np.int64)
    if high < 5 * low:
        return rng.integers(low, high + 1, size=shape)
    return np.exp(rng.uniform(np.log(low), np.log(high + 1), size=shape)).astype(np.int64)


def counts(n: Integers, atoms: Floats, rng: np.random.Generator) -> Integers:
    """Outputs with the event among `n`, each scenario with a propensity of its own drawn from `atoms`."""
    return rng.binomial(n, atoms[rng.integers(0, len(atoms), size=n.shape)])


def paired_counts(
    n: Integers, base: Floats, candidate: Floats, likeness: float, rng: np.random.Generator
) -> PairedCounts:
    """Outputs of two models on the same scenarios.

    Args:
        n: Pairs by scenario.
        base: Propensities of the base, ascending.
        candidate: Propensities of the candidate, ascending.
        likeness: Correlation of the normal scores behind the two propensities of a scenario, in [-1, 1].
        rng: Source of randomness.
    """
    score = rng.standard_normal((2, *n.shape))
    score[1] = likeness * score[0] + np.sqrt(1 - likeness**2) * score[1]
    place = np.minimum((special.ndtr(score) * ATOMS).astype(np.int64), ATOMS - 1)
    first, second = base[place[0]], candidate[place[1]]
    y = rng.binomial(n, first)
    both = rng.binomial(y, second)
    return PairedCounts(n, y, both + rng.binomial(n - y, second), both)
