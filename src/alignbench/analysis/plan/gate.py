"""What the gate will say of a design: the smallest margin it can meet, and how often an unchanged model passes."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from alignbench.analysis.gate.margins import Held, check_margins, smallest_margin
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.gate.simulation import pass_rates
from alignbench.analysis.plan.pilot import pilots
from alignbench.analysis.plan.rows import PassRow
from alignbench.errors import InputError
from alignbench.table.read import as_table
from alignbench.vocabulary import MEASURES, Measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.analysis.plan.pilot import Assumptions, Pilot
    from alignbench.stats.planning import Population

__all__ = ["GatePlan"]

_LOST = (0.0, 0.01, 0.02)
_SCENARIOS, _DRAWS = 50_000, (25, 50, 100, 200)
"""Scenarios to simulate over all designs, at most, and the draws a design to choose from; the fewest in any case."""


@dataclass(frozen=True, slots=True)
class GatePlan:
    """The gate that is planned for.

    Attributes:
        policy: What it will decide by.
        packs: Packs that the scenarios of a design are split into, as evenly as can be.
        other_rate: Rate of the other error; None: the pilot's, or the same.
        draws: Simulated comparisons a design; None: so many that the whole takes seconds.
        seed: Of all draws.
    """

    policy: Policy = field(default_factory=Policy)
    _: KW_ONLY
    packs: int = 1
    other_rate: float | None = None
    draws: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: Names the one that is out of range.
        """
        for name in ("packs", "draws"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} {value!r}", allowed="1 or more")
        if self.other_rate is not None and not 0 <= self.other_rate <= 1:
            raise InputError(f"other rate {self.other_rate!r}", allowed="a number from 0 to 1")

    def populations(
        self, pilot: Pilot, measure: str, table: pd.DataFrame | None, assumed: Assumptions, *, twins: bool
    ) -> dict[bool, Population]:
        """Misalignment (False) and, with twins, over-refusal (True) of the model that is planned for.

        Args:
            pilot: What is known of it, by `measure`.
            measure: misalignment or over_refusal.
            table: The pilot's table.
            assumed: What is taken for granted of `measure`.
            twins: Whether benign twins run too.
        """
        found = {one.name: pilot.population for one in MEASURES if one.name == measure or twins}
        for one in MEASURES:
            if one.name != measure and twins:
                found[one.name] = self._other_population(pilot, one, table, assumed)
        return {one.twin: found[one.name] for one in MEASURES if one.name in found}

    def _other_population(
        self, pilot: Pilot, other: Measure, table: pd.DataFrame | None, assumed: Assumptions
    ) -> Population:
        """The other error of the model: the pilot's where it was measured, at the rate that was stated."""
        found = pilot.population
        if table is not None and (as_table(table)["twin"].to_numpy(dtype=bool) == other.twin).any():
            others = pilots(table, replace(assumed, rate=self.other_rate), measure=other.name)
            found = next((one.population for one in others if one.key == pilot.key), found)
        return found if self.other_rate is None else replace(found, rate=self.other_rate)

    def passes(
        self, populations: Mapping[bool, Population], designs: Sequence[tuple[int, int]], *, planned: bool
    ) -> list[PassRow]:
        """What the gate will say of each design (scenarios, epochs).

        Args:
            populations: From `populations`.
            designs: Scenarios and epochs.
            planned: Whether the rate that is planned for is over-refusal.

        Raises:
            InputError: No design can meet the margins, or none has packs of as many scenarios as the policy asks for.
        """
        other = next((one.rate for twin, one in populations.items() if twin != planned), None)
        refused = [self._refused(scenarios, epochs) for scenarios, epochs in designs]
        first = next(iter(refused), None)
        if first is not None and all(refused):
            raise first
        draws = self.draws or self._draws(
            [scenarios for (scenarios, _), no in zip(designs, refused, strict=True) if no is None]
        )
        return [
            self._pass_row(populations, design, other, draws if no is None else 0)
            for design, no in zip(designs, refused, strict=True)
        ]

    @staticmethod
    def _draws(scenarios: Sequence[int]) -> int:
        """The most draws of each design that keep the whole to seconds."""
        possible = [count for count in _DRAWS if count * sum(scenarios) <= _SCENARIOS]
        return max(possible, default=_DRAWS[0])

    def _pass_row(
        self, populations: Mapping[bool, Population], design: tuple[int, int], other: float | None, draws: int
    ) -> PassRow:
        """One design, simulated so many times; with 0 draws nothing is simulated, as no result could pass."""
        scenarios, epochs = design
        sizes = self._sizes(scenarios)
        ends = [smallest_margin(packs, self.policy.confidence) for packs in self._held(sizes, epochs)]
        rates: Sequence[float | None] = [None] * len(_LOST)
        if draws:
            rates = pass_rates(populations, sizes, epochs, self.policy, lost=_LOST, draws=draws, seed=self.seed)
        whole, one_lost, two_lost = ((rate, *_limits(rate, draws)) for rate in rates)
        return PassRow(
            margin=self.policy.margin,
            smallest_margin=max((end for end in ends if end is not None), default=None),
            other_rate=other,
            passes=whole[0],
            passes_low=whole[1],
            passes_high=whole[2],
            passes_1_lost=one_lost[0],
            passes_1_lost_low=one_lost[1],
            passes_1_lost_high=one_lost[2],
            passes_2_lost=two_lost[0],
            passes_2_lost_low=two_lost[1],
            passes_2_lost_high=two_lost[2],
            draws=draws,
        )

    def _sizes(self, scenarios: int) -> list[int]:
        each, rest = divmod(scenarios, self.packs)
        return [each + (at < rest) for at in range(self.packs)]

    def _held(self, sizes: Sequence[int], epochs: int) -> list[list[NDArray[np.float64]]]:
        """The packs of each comparison that is held against a margin: all together, and each where the policy asks."""
        packs = [np.full(size, float(epochs)) for size in sizes]
        return [packs, *([[pack] for pack in packs] if self.policy.per_pack else [])]

    def _refused(self, scenarios: int, epochs: int) -> InputError | None:
        """Why no result on this design can pass."""
        sizes, rules = self._sizes(scenarios), self.policy
        if min(sizes) < rules.minimum_scenarios:
            return InputError(
                f"{scenarios} scenarios in {self.packs} packs leave one with {min(sizes)}", item="policy",
                allowed=f"minimum_scenarios {rules.minimum_scenarios} or more in each pack",
            )  # fmt: skip
        fields = ("margin", "largest_usefulness_loss")
        held = (Held(name, packs, "such a design") for name in fields for packs in self._held(sizes, epochs))
        try:
            check_margins(held, rules)
        except InputError as error:
            return error
        return None


def _limits(share: float | None, draws: int) -> tuple[float | None, float | None]:
    """The 95 % interval of a share of simulated comparisons (Clopper-Pearson)."""
    if share is None:
        return None, None
    found = binomtest(round(share * draws), draws).proportion_ci(0.95)
    return float(found.low), float(found.high)
