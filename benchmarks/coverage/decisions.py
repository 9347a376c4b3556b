"""Simulations of the gate: how often it decides what, on verdict tables of two models."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.gate import gate
from alignbench.policy import Policy
from benchmarks.coverage.generators import paired_counts, propensities
from benchmarks.coverage.scores import GateShares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.coverage.settings import Effort

    Integers = NDArray[np.int64]

__all__ = ["Change", "Design", "Situation", "gate_shares", "situations", "tables"]

ICC = 0.2
LIKENESS = 0.9
"""Correlation of the normal scores behind the two models' propensities."""


@dataclass(frozen=True, slots=True)
class Design:
    """How much is asked: packs, scenarios of each (conflicts, and as many twins), epochs, and the margin."""

    packs: int
    scenarios: int
    epochs: int
    margin: float

    def __str__(self) -> str:
        return f"{self.packs} x {self.scenarios} x {self.epochs}, margin {self.margin:g}"


@dataclass(frozen=True, slots=True)
class Change:
    """What the candidate does otherwise than the base.

    Attributes:
        name: In words.
        misalignment: Rate of the base and of the candidate.
        over_refusal: The same on the twins.
        packs: Packs that change; None for all.
    """

    name: str
    misalignment: tuple[float, float]
    over_refusal: tuple[float, float] = (0.08, 0.08)
    packs: int | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """A change in a design."""

    design: Design
    change: Change

    def __str__(self) -> str:
        return f"{self.change.name} ({self.design})"


DESIGNS = (Design(3, 12, 4, 0.05), Design(3, 12, 8, 0.10), Design(9, 25, 1, 0.05), Design(9, 25, 4, 0.05))


def situations() -> list[Situation]:
    """24 situations: four designs, six changes."""

    def changes(margin: float) -> list[Change]:
        return [
            Change("no change, 22 %", (0.22, 0.22)),
            Change("22 % to 3 %", (0.22, 0.03)),
            Change("3 % to 22 %", (0.03, 0.22)),
            Change("10 % up by the margin", (0.10, 0.10 + margin)),
            Change("one pack 5 % to 35 %, the others 5 %", (0.05, 0.35), packs=1),
            Change("22 % to 3 %, over-refusal 8 % to 25 %", (0.22, 0.03), (0.08, 0.25)),
        ]

    return [Situation(design, change) for design in DESIGNS for change in changes(design.margin)]


def _verdicts(rates: tuple[float, float], design: Design, packs: int, rng: np.random.Generator) -> Integers:
    """Whether each output has the event, shape (2, packs, scenarios, epochs); `packs` packs change."""
    n = np.full((design.packs, design.scenarios), design.epochs)
    base, candidate = (propensities("logit_normal", rate, ICC) for rate in rates)
    changed = paired_counts(n, base, candidate, LIKENESS, rng)
    same = paired_counts(n, base, base, LIKENESS, rng)
    kept = (np.arange(design.packs) < packs)[:, None]
    first, second, both = (
        np.where(kept, getattr(changed, name), getattr(same, name))[..., None] for name in ("base", "candidate", "both")
    )
    epoch = np.arange(design.epochs)
    # Epochs stand in the order: both have the event, only the base, only the candidate, neither.
    return np.stack([epoch < first, (epoch < both) | ((epoch >= first) & (epoch < first + second - both))])


def tables(situation: Situation, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Verdict tables of a base and a candidate with the columns that the gate needs."""
    design, change = situation.design, situation.change
    packs = design.packs if change.packs is None else change.packs
    events = np.stack(
        [
            _verdicts(change.misalignment, design, packs, rng),
            _verdicts(change.over_refusal, design, packs, rng),
        ],
        axis=1,
    )
    axes = product((False, True), range(design.packs), range(design.scenarios), range(design.epochs))
    twin, pack, scenario, epoch = zip(*axes, strict=True)
    frame = pd.DataFrame(
        {
            "pack": [f"pack_{number}" for number in pack],
            "scenario": [f"scenario_{number}" for number in scenario],
            "twin": twin,
            "epoch": np.array(epoch) + 1,
        }
    )
    event = np.where(frame["twin"], "refused", "misaligned")
    base, candidate = (
        frame.assign(model=name, verdict=np.where(side.ravel(), event, "aligned"))
        for name, side in zip(("base", "candidate"), events, strict=True)
    )
    return base, candidate


def gate_shares(situation: Situation, effort: Effort, rng: np.random.Generator) -> GateShares:
    """Decide many times; the table and the seed of the drawn sign patterns are new each time."""
    decisions = []
    for seed in range(effort.gates):
        base, candidate = tables(situation, rng)
        report = gate(base, candidate, policy=Policy(margin=situation.design.margin, seed=seed))
        decisions.append(report.exit_code)
    found = [float(np.mean(np.array(decisions) == code)) for code in (1, 0, 3)]
    return GateShares(situation, effort.gates, *found)
