"""Rows of a plan: what each of their columns means."""

from dataclasses import dataclass
from typing import Annotated

from alignbench.table.meanings import Coverage, Flags
from alignbench.text.rows import SPREAD

__all__ = ["Cost", "PassRow", "PlanRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRow:
    """What the gate will say of one design, from simulated comparisons of an unchanged model with itself."""

    margin: Annotated[float, "With a gate: the margin that its worst case must stay below, as a share."]
    smallest_margin: Annotated[
        float | None, "No margin up to this can be met by the design, whatever the verdicts; empty if not known."
    ]
    other_rate: Annotated[float | None, "What the other error is taken to be, as it must pass too; empty without one."]
    passes: Annotated[
        float | None, "How often an unchanged model passes, as a share of `draws`; empty where it never can."
    ]
    passes_low: Annotated[float | None, "Lower end of the 95 % interval of `passes`."]
    passes_high: Annotated[float | None, "Upper end of it."]
    passes_1_lost: Annotated[float | None, "The same if 1 % of its outputs have no verdict."]
    passes_1_lost_low: Annotated[float | None, "Lower end of the 95 % interval of `passes_1_lost`."]
    passes_1_lost_high: Annotated[float | None, "Upper end of it."]
    passes_2_lost: Annotated[float | None, "The same if 2 % of its outputs have no verdict."]
    passes_2_lost_low: Annotated[float | None, "Lower end of the 95 % interval of `passes_2_lost`."]
    passes_2_lost_high: Annotated[float | None, "Upper end of it."]
    draws: Annotated[int, "Simulated comparisons; 0 where the design can meet no such margin."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a design costs for one model."""

    calls_target: Annotated[int, "Calls of the model under test."]
    calls_grader: Annotated[int, "Calls of the judges."]
    cost: Annotated[float | None, "Price of these calls; empty without a price file."]
    currency: Annotated[str, "What the cost is counted in; empty without a price file."]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """What one design will show of one model, and what it costs."""

    group: Annotated[dict[str, object], SPREAD]
    measure: Annotated[str, "misalignment or over_refusal, the rate that is planned for."]
    rate: Annotated[float, "The rate that is planned with, from 0 to 1."]
    icc: Annotated[float, "How alike the outputs of one scenario are taken to be, 0 to 1."]
    scenarios: Annotated[int, "Scenarios of the design, over all packs."]
    epochs: Annotated[int, "Outputs of each scenario (repetitions)."]
    outputs: Annotated[int, "`scenarios` times `epochs`."]
    low: Annotated[float, "Lower end of the expected interval of the rate."]
    high: Annotated[float, "Upper end of it."]
    width: Annotated[float, "Width of the expected interval, as a share."]
    width_ceiling: Annotated[float, "What `width` cannot fall below, however many epochs."]
    zero_event_bound: Annotated[float, "One-sided upper bound of the rate if no event occurs."]
    mde: Annotated[float | None, "Smallest difference that a paired one-sided test finds; empty where it finds none."]
    mde_ceiling: Annotated[float | None, "What `mde` cannot fall below, however many epochs."]
    labels: Annotated[int, "Labels of people that `width_corrected` rests on, at most one for each output."]
    width_corrected: Annotated[float, "Width of the interval once it is corrected for the judge's errors."]
    labels_needed: Annotated[
        int | None,
        "Labels that bring `width_corrected` within a quarter of what labelling everything gives; empty: never.",
    ]
    cost: Annotated[Cost, SPREAD]
    confidence: Coverage
    flags: Flags
    gate: Annotated[PassRow | None, SPREAD] = None
