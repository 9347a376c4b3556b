"""Before the run: what a design will show, and what it costs."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from alignbench.analysis.plan.cost import Effort
from alignbench.analysis.plan.pilot import Assumptions, Pilot, pilots
from alignbench.analysis.plan.rows import PassRow, PlanRow
from alignbench.errors import InputError
from alignbench.stats import planning
from alignbench.table.frames import rows_frame
from alignbench.table.read import add_flag
from alignbench.text.rows import meanings
from alignbench.vocabulary import MISALIGNMENT, OVER_REFUSAL, Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alignbench.analysis.plan.gate import GatePlan

__all__ = ["plan"]

LABEL_SLACK = 1.25
"""`labels_needed` brings the corrected interval within this factor of what labelling everything gives."""


def plan(
    table: pd.DataFrame | None = None,
    *,
    scenarios: Sequence[int] | None = None,
    epochs: Sequence[int] | None = None,
    measure: str = MISALIGNMENT.name,
    base: str | None = None,
    candidate: str | None = None,
    assumed: Assumptions | None = None,
    effort: Effort | None = None,
    gate: GatePlan | None = None,
) -> pd.DataFrame:
    """What each design will show: widths, detectable differences, ceilings, labels, calls and cost.

    Scenarios are counted over all packs, as one population. More epochs narrow an interval only down to its
    ceiling.

    Args:
        table: A pilot: a verdict table, whole or bare (`model, scenario, verdict`); None: from `assumed`
            alone.
        scenarios: Numbers of scenarios; default: the pilot's, twice and four times it; 25, 100, 400 without
            one.
        epochs: Outputs a scenario; default: the pilot's, twice and four times it; 1, 4, 16 without one.
        measure: misalignment or over_refusal.
        base: Plan for this model of the pilot only.
        candidate: With `base`: take from the pilot how the two models differ on the same scenarios.
        assumed: What is taken for granted.
        effort: Calls and prices.
        gate: What the gate would decide by; adds the columns of `PassRow`.

    Returns:
        One `PlanRow` a model and design, the columns that identify the model first. A design that can meet no such
        margin has the flag `margin_impossible`.

    Raises:
        InputError: The table, an assumption or a design is unusable, or no design can meet the margin.
    """
    given = assumed or Assumptions()
    work = effort or Effort()
    rows: list[PlanRow] = []
    columns: list[str] = []
    for pilot in pilots(table, given, measure=measure, base=base, candidate=candidate):
        columns = list(pilot.key)
        sizes = _sizes("scenarios", scenarios, pilot.scenarios, (25, 100, 400), least=2)
        repeats = _sizes("epochs", epochs, pilot.epochs, (1, 4, 16), least=1)
        designs = list(product(sizes, repeats))
        found = [_design(pilot, k, m, measure, given, work) for k, m in designs]
        if gate is not None:
            people = gate.populations(pilot, measure, table, given, twins=work.twins)
            passes = gate.passes(people, designs, planned=measure == OVER_REFUSAL.name)
            found = [_with_gate(row, one) for row, one in zip(found, passes, strict=True)]
        rows += found
    return rows_frame(rows, PlanRow, columns, without=() if gate is not None else meanings(PassRow))


def _with_gate(row: PlanRow, passes: PassRow) -> PlanRow:
    return replace(row, gate=passes, flags=add_flag(row.flags, Flag.MARGIN_IMPOSSIBLE, not passes.draws))


def _sizes(
    name: str, stated: Sequence[int] | None, seen: int | None, otherwise: Sequence[int], least: int
) -> list[int]:
    if stated is None:
        return list(otherwise) if seen is None else [max(least, seen) * factor for factor in (1, 2, 4)]
    for value in stated:
        if not least <= value <= planning.MOST:
            raise InputError(f"{name} {value!r}", allowed=f"{least} to {planning.MOST}")
    if not stated:
        raise InputError(f"{name} is empty", allowed="one number or more")
    return list(dict.fromkeys(stated))


def _design(pilot: Pilot, scenarios: int, epochs: int, measure: str, assumed: Assumptions, effort: Effort) -> PlanRow:
    people, confidence = pilot.population, assumed.confidence
    low, high = planning.rate_interval(people, scenarios, epochs, confidence)
    ceiling = planning.rate_interval(people, scenarios, math.inf, confidence)
    chance = {"alpha": assumed.alpha, "power": assumed.power}
    judge = {"sensitivity": assumed.sensitivity, "specificity": assumed.specificity, "confidence": confidence}
    outputs = scenarios * epochs
    labels = min(assumed.labels, outputs)
    corrected = planning.corrected_interval(people, scenarios, epochs, labels, **judge)
    whole = planning.corrected_interval(people, scenarios, epochs, outputs, **judge)
    enough = LABEL_SLACK * (whole[1] - whole[0]) / 2
    return PlanRow(
        group=pilot.key,
        measure=measure,
        rate=people.rate,
        icc=people.icc,
        scenarios=scenarios,
        epochs=epochs,
        outputs=outputs,
        low=low,
        high=high,
        width=high - low,
        width_ceiling=min(high - low, ceiling[1] - ceiling[0]),
        zero_event_bound=-math.expm1(math.log1p(-confidence) / scenarios),
        mde=planning.detectable(pilot.pairs, scenarios, epochs, **chance),
        mde_ceiling=planning.detectable(pilot.pairs, scenarios, math.inf, **chance),
        labels=labels,
        width_corrected=corrected[1] - corrected[0],
        labels_needed=planning.labels_needed(people, scenarios, epochs, enough, **judge),
        cost=effort.cost(scenarios, epochs),
        confidence=confidence,
        flags=pilot.flags,
    )
