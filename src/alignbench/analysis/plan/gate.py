"""What the gate will say of a design: the smallest margin it can meet, and how often an unchanged model passes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from alignbench.analysis.gate.margins import Held, check_margins, smallest_margin
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.gate.simulation import pass_rates
from alignbench.analysis.plan.pilot import pilots
from alignbench.errors import InputError
from alignbench.table.read import as_table
from alignbench.vocabulary import MEASURES, Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.analysis.plan.pilot import Assumptions, Pilot
    from alignbench.stats.planning import Population

__all__ = ["PASS_KEYS", "GatePlan"]

_PASSES = ("passes", "passes_1_lost", "passes_2_lost")
PASS_KEYS = (
    "margin", "smallest_margin", "other_rate",
    *(f"{name}{limit}" for name in _PASSES for limit in ("", "_low", "_high")), "draws",
)  # fmt: skip
"""The keys that a gate adds to a plan."""

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
            if one.name == measure or not twins:
                continue
            if table is not None and (as_table(table)["twin"].to_numpy(dtype=bool) == one.twin).any():
                others = pilots(table, replace(assumed, rate=self.other_rate), measure=one.name)
                for other in others:
                    if other.key == pilot.key:
                        found[one.name] = other.population
            if self.other_rate is not None:
                found[one.name] = replace(found[one.name], rate=self.other_rate)
        return {one.twin: found[one.name] for one in MEASURES if one.name in found}

    def passes(
        self, populations: Mapping[bool, Population], designs: Sequence[tuple[int, int]], *, planned: bool
    ) -> list[tuple[dict[str, object], tuple[str, ...]]]:
        """The values of PASS_KEYS, and flags, of each design (scenarios, epochs).

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
        work = sum(scenarios for (scenarios, _), no in zip(designs, refused, strict=True) if no is None)
        possible = [count for count in _DRAWS if count * work <= _SCENARIOS]
        draws = self.draws or max(possible, default=_DRAWS[0])
        found: list[tuple[dict[str, object], tuple[str, ...]]] = []
        for (scenarios, epochs), no in zip(designs, refused, strict=True):
            sizes = self._sizes(scenarios)
            held = self._held(sizes, epochs)
            ends = [smallest_margin(packs, self.policy.coverage) for packs in held]
            least = max((end for end in ends if end is not None), default=None)
            rates: Sequence[float | None] = [None] * len(_LOST)
            if no is None:
                rates = pass_rates(
                    populations, sizes, epochs, self.policy, lost=_LOST, draws=draws, seed=self.seed
                )  # fmt: skip
            shares = [one for rate in rates for one in (rate, *_limits(rate, draws))]
            values = (self.policy.margin, least, other, *shares, draws if no is None else 0)
            flags = () if no is None else (Flag.MARGIN_IMPOSSIBLE,)
            found.append((dict(zip(PASS_KEYS, values, strict=True)), flags))
        return found

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
