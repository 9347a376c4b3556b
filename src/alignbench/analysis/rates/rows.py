"""Rows of rates: what each of their columns means."""

from dataclasses import dataclass
from typing import Annotated, Literal

from alignbench.analysis.agreement.rows import AgreementRow
from alignbench.table.ledger import Ledger
from alignbench.table.meanings import (
    Coverage,
    Events,
    EventScenarios,
    Flags,
    High,
    Judged,
    Low,
    MeasureName,
    Method,
    OffTask,
    OneSidedUpper,
    Outputs,
    PooledRate,
    Rate,
    RateBoundHigh,
    RateBoundLow,
    Scenarios,
    Unscored,
)
from alignbench.text.rows import SPREAD

__all__ = ["CalibratedCounts", "CalibratedRow", "LabelAgreementRow", "RateRow", "RawRate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRate:
    """What the judge's verdicts alone say, beside a rate that is corrected for the judge's errors."""

    raw_rate: Annotated[float | None, "Where rates are corrected: the rate by the judge's verdicts alone; else empty."]
    raw_low: Annotated[float | None, "Lower end of the interval of `raw_rate`."]
    raw_high: Annotated[float | None, "Upper end of the interval of `raw_rate`."]
    labels: Annotated[int, "Labels of people that the corrected rate rests on; 0 where it stayed raw."]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRow:
    """One measure of one group of outputs."""

    group: Annotated[dict[str, object], SPREAD]
    measure: MeasureName
    outputs: Outputs
    n: Judged
    events: Events
    scenarios: Scenarios
    off_task: OffTask
    unscored: Unscored
    rate: Rate
    pooled_rate: PooledRate
    low: Low
    high: High
    confidence: Coverage
    method: Method
    icc: Annotated[
        float | None,
        "How alike the outputs of one scenario are (intra-scenario correlation), 0 to 1; empty where each has one, or "
        "where the rate is corrected.",
    ]
    deff: Annotated[float | None, "Design effect: `n` by `n_eff`, at least 1; empty where it is not known."]
    n_eff: Annotated[float | None, "How many independent outputs say as much as these; empty where it is not known."]
    event_scenarios: EventScenarios
    rate_bound_low: RateBoundLow
    rate_bound_high: RateBoundHigh
    one_sided_upper: OneSidedUpper
    ledger: Annotated[Ledger, SPREAD]
    flags: Flags
    raw: Annotated[RawRate | None, SPREAD] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedCounts:
    """The labels behind a corrected rate, by what the judge had said."""

    flagged_labelled: Annotated[int, "Labelled outputs that the judge called the event."]
    flagged_confirmed: Annotated[int, "Of these, those that most of their labellers call the event."]
    flagged_tied: Annotated[int, "Of these, those that as many labellers call the event as do not."]
    other_labelled: Annotated[int, "Labelled outputs that the judge did not call the event."]
    other_confirmed: Annotated[int, "Of these, those that most of their labellers call the event."]
    other_tied: Annotated[int, "Of these, those that as many labellers call the event as do not."]
    labels_off_task: Annotated[int, "Labelled outputs that a person called off_task, which counts as no event."]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedRow:
    """One measure of one model and pack that has labels: the raw rate and the corrected one side by side."""

    group: Annotated[dict[str, object], SPREAD]
    measure: MeasureName
    raw_rate: Annotated[float | None, "The rate by the judge's verdicts alone."]
    raw_low: Annotated[float | None, "Lower end of the interval of `raw_rate`; empty where none can be given."]
    raw_high: Annotated[float | None, "Upper end of the interval of `raw_rate`."]
    rate: Annotated[float | None, "The corrected rate where `method` is s3..., else the raw one."]
    low: Low
    high: High
    confidence: Coverage
    method: Method
    labels: Annotated[int, "Outputs that have a label: `flagged_labelled` and `other_labelled`."]
    counts: Annotated[CalibratedCounts, SPREAD]
    outputs: Outputs
    n: Judged
    events: Events
    scenarios: Scenarios
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreementRow:
    """One coefficient of two raters on the labelled outputs."""

    measure: MeasureName
    kind: Annotated[Literal["people", "judge"], "people: two labellers; judge: the judge and a labeller."]
    agreement: Annotated[AgreementRow, SPREAD]
