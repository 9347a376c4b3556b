"""The grids: a core of settings that an evaluation meets, and a stress grid that goes to its edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from benchmarks.coverage.generators import GENERATORS, HEAVY

if TYPE_CHECKING:
    from benchmarks.coverage.generators import Generator
    from benchmarks.coverage.scores import Grid

__all__ = [
    "CORE_RATES",
    "CORE_SCENARIOS",
    "Effort",
    "PackSetting",
    "PairSetting",
    "Setting",
    "TurnSetting",
    "core",
    "heavy",
    "pack_core",
    "pack_heavy",
    "pack_stress",
    "pair_core",
    "pair_stress",
    "stress",
    "turns",
]

CORE_SCENARIOS = (10, 30, 100)
CORE_RATES = (0.01, 0.05, 0.2, 0.5)
CORE_ICCS = (0.05, 0.2, 0.5)
CORE_OUTPUTS = (4, 10)
STRESS_SCENARIOS = (5, 15, 50, 200)
STRESS_RATES = (0.002, 0.01, 0.05, 0.2, 0.5)
STRESS_ICCS = (0.1, 0.4, 0.8)
STRESS_OUTPUTS = ((2, 2), (60, 60), (2, 60))
HEAVY_SCENARIOS = (5, 8, 14, 42, 100, 200)
HEAVY_RATES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.2)
HEAVY_OUTPUTS = ((1, 1), (4, 4), (20, 20), (1, 50), (1, 200))
"""The last two are uniform in their logarithm: sizes as Zipf's law has them."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is simulated.

    Attributes:
        core: Data sets in each setting of the core.
        stress: Data sets in each setting of the stress grid.
        slow: Data sets in each core setting for bootstraps and posterior.
        resamples: Resamples of each bootstrap.
        tests: Data sets in each core setting for the tests.
        orders: Data sets in each setting of the Bradley-Terry worths.
        order_resamples: Resamples of their bootstrap.
        heavy: Data sets in each setting with heavy tails.
        corrections: Data sets in each setting of the correction by labels.
    """

    core: int = 1_000
    stress: int = 600
    heavy: int = 800
    slow: int = 200
    resamples: int = 1_000
    tests: int = 500
    orders: int = 200
    order_resamples: int = 199
    corrections: int = 1_000

    def of(self, grid: Grid) -> int:
        """Data sets in each setting of a grid."""
        return {"core": self.core, "stress": self.stress, "heavy": self.heavy}[grid]

    def at_most(self, data_sets: int) -> Effort:
        """The same with no more than so many data sets anywhere."""
        names = ("core", "stress", "heavy", "slow", "tests", "orders", "corrections")
        return replace(self, **{name: min(getattr(self, name), data_sets) for name in names})


@dataclass(frozen=True, slots=True)
class Setting:
    """Where one rate is estimated.

    Attributes:
        scenarios: Number of scenarios.
        outputs: Smallest and largest number of outputs of a scenario.
        icc: Intra-scenario correlation; 0 where a heavy-tailed generator has its own.
        rate: The true rate.
        generator: Distribution of the scenarios' propensities.
    """

    scenarios: int
    outputs: tuple[int, int]
    icc: float
    rate: float
    generator: Generator

    def __str__(self) -> str:
        low, high = self.outputs
        of = f"{low}" if low == high else f"{low} to {high}"
        icc = "" if self.generator in HEAVY else f"icc {self.icc:g}, "
        return f"{self.scenarios} scenarios of {of}, {icc}rate {self.rate:g}, {self.generator}"


@dataclass(frozen=True, slots=True)
class PairSetting:
    """Where two rates are compared on the same scenarios.

    Attributes:
        base: The base's setting.
        candidate_rate: The candidate's true rate.
        likeness: Correlation of the normal scores behind the two models' propensities.
    """

    base: Setting
    candidate_rate: float
    likeness: float

    def __str__(self) -> str:
        return f"{self.base} to {self.candidate_rate:g}, likeness {self.likeness:g}"


@dataclass(frozen=True, slots=True)
class TurnSetting:
    """Where a few scenarios turn from never to always, and fewer back: the rarest change there is.

    Attributes:
        scenarios: Number of scenarios.
        outputs: Outputs of each.
        hot: Share of scenarios that always show the event before.
        turning: Share of all scenarios that never show it before and always do after.
        returning: Share of all scenarios that are hot before and not after.
    """

    scenarios: int
    outputs: int
    hot: float
    turning: float
    returning: float

    @property
    def change(self) -> float:
        """The true difference."""
        return self.turning - self.returning

    def __str__(self) -> str:
        return (
            f"{self.scenarios} scenarios of {self.outputs}, {self.hot:.0%} hot, {self.turning:.0%} turn, "
            f"{self.returning:.0%} turn back"
        )


@dataclass(frozen=True, slots=True)
class PackSetting:
    """Where packs of unlike rates are combined with equal weights.

    Attributes:
        scenarios: Scenarios of each pack.
        outputs: Smallest and largest number of outputs of a scenario.
        icc: Intra-scenario correlation in each pack.
        rate: The true overall rate; the packs' own are .4, 1 and 1.6 times that, by turns.
        generator: Distribution of the scenarios' propensities.
        candidate_rate: The candidate's overall rate where two models are compared.
    """

    scenarios: tuple[int, ...]
    outputs: tuple[int, int]
    icc: float
    rate: float
    generator: Generator
    candidate_rate: float

    @property
    def pack_factors(self) -> tuple[float, ...]:
        """Rate of each pack over the overall rate."""
        return tuple((0.4, 1.0, 1.6)[at % 3] for at in range(len(self.scenarios)))

    def __str__(self) -> str:
        few, many = min(self.scenarios), max(self.scenarios)
        of = f"{few}" if few == many else f"{few} to {many}"
        low, high = self.outputs
        return (
            f"{len(self.scenarios)} packs x {of} scenarios of {low} to {high}, icc {self.icc:g}, "
            f"rate {self.rate:g} to {self.candidate_rate:g}, {self.generator}"
        )


def core() -> list[Setting]:
    """108 settings: 10, 30 or 100 scenarios of 4 to 10 outputs."""
    grid = product(CORE_SCENARIOS, CORE_ICCS, CORE_RATES, GENERATORS)
    return [Setting(k, CORE_OUTPUTS, icc, rate, generator) for k, icc, rate, generator in grid]


def stress() -> list[Setting]:
    """600 settings: 5 to 200 scenarios, 2 to 60 outputs, icc to .8, rates from .002 (icc 0 once)."""
    laws: list[tuple[float, Generator]] = [(0.0, "beta_binomial"), *product(STRESS_ICCS, GENERATORS)]
    grid = product(STRESS_SCENARIOS, STRESS_OUTPUTS, STRESS_RATES, laws)
    return [Setting(k, outputs, icc, rate, generator) for k, outputs, rate, (icc, generator) in grid]


def heavy() -> list[Setting]:
    """900 settings: 5 to 200 scenarios of 1 to 200 outputs, heavy tails, rates from .002."""
    grid = product(HEAVY_SCENARIOS, HEAVY_OUTPUTS, HEAVY_RATES, HEAVY)
    return [Setting(k, outputs, 0.0, rate, generator) for k, outputs, rate, generator in grid]


def turns() -> list[TurnSetting]:
    """60 settings: nothing turns, one scenario in 50 turns back, 5 % turn, and both."""
    changes = ((0.0, 0.0), (0.0, 0.02), (0.05, 0.0), (0.05, 0.02))
    grid = product((8, 14, 42, 100, 200), (1, 4, 20), changes)
    return [TurnSetting(k, outputs, 0.05, turning, returning) for k, outputs, (turning, returning) in grid]


def pair_core() -> list[PairSetting]:
    """The core four times: the same rate or a fifth of it, propensities alike a little or a lot."""
    return [
        PairSetting(base, base.rate * factor, likeness)
        for base, factor, likeness in product(core(), (1.0, 0.2), (0.3, 0.9))
    ]


def pair_stress() -> list[PairSetting]:
    """The stress grid twice: the same rate on scenarios of the same propensities, and a fifth of it."""
    return [
        PairSetting(base, base.rate * factor, likeness)
        for base, (factor, likeness) in product(stress(), ((1.0, 1.0), (0.2, 0.5)))
    ]


def pack_core() -> list[PackSetting]:
    """3 packs of 12 scenarios and 9 of 25, on the core's correlations, rates and generators."""
    grid = product(((12,) * 3, (25,) * 9), CORE_ICCS, CORE_RATES, GENERATORS, (1.0, 0.2))
    return [
        PackSetting(packs, CORE_OUTPUTS, icc, rate, generator, rate * factor)
        for packs, icc, rate, generator, factor in grid
    ]


def pack_stress() -> list[PackSetting]:
    """Packs of unlike size with scenarios of unlike size."""
    grid = product(((5, 12, 60), (5, 5, 5, 12, 12, 12, 60, 60, 60)), STRESS_ICCS, STRESS_RATES, GENERATORS)
    return [PackSetting(packs, (2, 60), icc, rate, generator, rate) for packs, icc, rate, generator in grid]


def pack_heavy() -> list[PackSetting]:
    """3 and 9 packs, of one size and of 6, 12 and 40 scenarios, in which few scenarios are hot."""
    shapes = ((14,) * 3, (25,) * 9, (6, 12, 40), (6, 6, 6, 12, 12, 12, 40, 40, 40))
    grid = product(shapes, ((4, 4), (1, 50)), ("hot", "cauchy"), (0.005, 0.02, 0.1))
    return [
        PackSetting(packs, outputs, 0.0, rate, generator, rate)  # type: ignore[arg-type]  # product widens the names
        for packs, outputs, generator, rate in grid
    ]
