"""Rows of ranks: what each of their columns means."""

from dataclasses import dataclass
from typing import Annotated

from alignbench.analysis.rates.rows import RawRate
from alignbench.table.meanings import (
    Events,
    EventScenarios,
    Flags,
    High,
    Judged,
    Low,
    OneSidedUpper,
    Rank,
    RankHigh,
    RankLow,
    Rate,
    Scenarios,
    Seed,
)
from alignbench.text.rows import SPREAD

__all__ = ["RankRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRow:
    """One model under one judge, and the places that it may hold."""

    entry: Annotated[dict[str, object], SPREAD]
    group: Annotated[int, "Number of the group: only models of one group are ranked with each other."]
    rank: Rank
    rank_low: RankLow
    rank_high: RankHigh
    measure: Annotated[str, "misalignment or over_refusal, the lowest rate first."]
    rate: Rate
    low: Low
    high: High
    confidence: Annotated[float, "Coverage of the interval, and of all rank sets of a group together."]
    n: Judged
    events: Events
    scenarios: Scenarios
    event_scenarios: EventScenarios
    one_sided_upper: OneSidedUpper
    method: Annotated[
        str | None,
        "How models were told apart: max_t, sign_flip_holm or, where rates are corrected by labels of people, "
        "s3_sign_flip_holm; empty where the model has no rank.",
    ]
    seed: Seed
    flags: Flags
    reason: Annotated[str, "Why the model has no rank."]
    apart: Annotated[str, "What keeps the model from the first group of models that may be ranked together."]
    raw: Annotated[RawRate | None, SPREAD] = None
