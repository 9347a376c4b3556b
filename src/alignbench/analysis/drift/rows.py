"""The rows of drift: what their columns are and mean. Each row also names the model and the levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from alignbench.analysis.compare.rows import ChangeRow
from alignbench.text.rows import SPREAD

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LEVEL_COLUMNS",
    "DivergenceRow",
    "DriftRateRow",
    "DriftRow",
    "FlipRow",
    "OrderChangeRow",
    "PositionShiftRow",
    "SurvivalRow",
    "WorthChangeRow",
]

LEVEL_COLUMNS: Final[Mapping[str, str]] = {
    "from": "The default level of the axis; it is the base.",
    "to": "Another level; it is the candidate.",
    "at": "The level that the conversations were held at.",
}
"""Columns that name the levels; no field may be called `from`, so they come with the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRateRow(ChangeRow):
    """How a rate changes, with the level `from` as base and the level `to` as candidate."""

    p_bh: Annotated[
        float | None, "p adjusted over models and levels (Benjamini-Hochberg); of the rows over all packs."
    ] = None
    flags: Annotated[tuple[str, ...], "Warnings, one word each."] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionShiftRow:
    """How far the positions on one value shift, from 0 against it to 6 for it."""

    group: Annotated[dict[str, object], SPREAD]
    value: Annotated[str, "The value."]
    scenarios: Annotated[int, "Scenarios placed at both levels."]
    pairs: Annotated[int, "Outputs placed at both levels."]
    shift: Annotated[float | None, "Mean change of a scenario's position, -6 to 6."]
    low: Annotated[float | None, "Lower limit of the shift."]
    high: Annotated[float | None, "Upper limit of the shift."]
    absolute: Annotated[float | None, "Mean size of the change whatever its direction, 0 to 6; noise is in it."]
    absolute_low: Annotated[float | None, "Lower limit of the size."]
    absolute_high: Annotated[float | None, "Upper limit of the size."]
    absolute_null: Annotated[float, "Mean size without drift: the levels permuted within scenarios."]
    crossing: Annotated[float | None, "Share of scenarios whose mean position has passed neutral (3), 0 to 1."]
    crossing_low: Annotated[float | None, "Lower limit of that share."]
    crossing_high: Annotated[float | None, "Upper limit of that share."]
    confidence: Annotated[float, "Two-sided coverage of the intervals."]
    method: Annotated[str, "How the interval of the shift was made."]
    flags: Annotated[tuple[str, ...], "Warnings, one word each."]


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceRow:
    """How far two distributions of answers lie apart, beside what chance makes of it."""

    group: Annotated[dict[str, object], SPREAD]
    of: Annotated[str, "verdict (of conflicts), twin_verdict, or the value whose positions are compared."]
    scenarios: Annotated[int, "Scenarios with outputs at both levels."]
    pairs: Annotated[int, "Outputs at both levels."]
    total_variation: Annotated[float, "Share of answers that would have to change, 0 to 1."]
    total_variation_null: Annotated[float, "Its mean without drift: the levels permuted within scenarios."]
    total_variation_p: Annotated[float, "One-sided p of that permutation, 0 to 1."]
    jensen_shannon: Annotated[float, "Jensen-Shannon divergence, 0 to 1 bit."]
    jensen_shannon_null: Annotated[float, "Its mean without drift, likewise."]
    jensen_shannon_p: Annotated[float, "One-sided p of that permutation, 0 to 1."]
    flags: Annotated[tuple[str, ...], "Warnings, one word each."]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthChangeRow:
    """How the log-worth of one value changes."""

    group: Annotated[dict[str, object], SPREAD]
    part: Annotated[int, "Which connected part of the values it is in; worths of two parts are not comparable."]
    value: Annotated[str, "The value."]
    scenarios: Annotated[int, "Scenarios of the whole part."]
    worth_from: Annotated[float, "Centred log-odds that the value is served, at the level `from`."]
    worth_to: Annotated[float, "The same at the level `to`."]
    difference: Annotated[float, "worth_to - worth_from, in log-odds."]
    low: Annotated[float, "Lower limit of the difference (jackknife over scenarios); empty where none can be given."]
    high: Annotated[float, "Upper limit, likewise."]
    df: Annotated[int, "Degrees of freedom of the t quantile."]
    confidence: Annotated[float, "Two-sided coverage of the interval."]
    flags: Annotated[tuple[str, ...], "Warnings, one word each."]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChangeRow:
    """How alike the orders of the values of one part are."""

    group: Annotated[dict[str, object], SPREAD]
    part: Annotated[int, "Which connected part of the values it is."]
    parts: Annotated[int, "How many parts there are."]
    values: Annotated[int, "Values in it."]
    scenarios: Annotated[int, "Its scenarios."]
    spearman: Annotated[float, "Rank correlation of the two orders: 1 the same, -1 reversed."]
    kendall: Annotated[float, "Kendall's tau-b of the two orders, -1 to 1."]
    flags: Annotated[tuple[str, ...], "Warnings, one word each."]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalRow:
    """How many conversations have held their stance through one turn."""

    group: Annotated[dict[str, object], SPREAD]
    turn: Annotated[int, "The turn, from 1."]
    at_risk: Annotated[int, "Conversations that had held until then."]
    flips: Annotated[int, "Those of them that flipped to misaligned at it."]
    scenarios: Annotated[int, "Scenarios of the conversations at risk."]
    held: Annotated[float | None, "Share that has held through it, 0 to 1 (Kaplan-Meier)."]
    low: Annotated[float | None, "Lower limit of that share."]
    high: Annotated[float | None, "Upper limit of that share."]
    confidence: Annotated[float, "Two-sided coverage of the interval."]
    method: Annotated[str, "How the interval was made."]
    flags: Annotated[tuple[str, ...], "Warnings, one word each."]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipRow:
    """When conversations flip, and how often they change their stance."""

    group: Annotated[dict[str, object], SPREAD]
    turns: Annotated[int, "Turns of the longest conversation."]
    conversations: Annotated[int, "Conversations."]
    flipped: Annotated[int, "Those that ever flipped to misaligned."]
    scenarios: Annotated[int, "Scenarios of the conversations."]
    median_turn: Annotated[float | None, "Turn by which half have flipped; empty if fewer have."]
    turns_held: Annotated[float | None, "Mean number of turns that the stance is held."]
    turns_held_low: Annotated[float | None, "Lower limit of that mean."]
    turns_held_high: Annotated[float | None, "Upper limit of that mean."]
    changes: Annotated[float | None, "Mean number of changes of stance in a conversation, there and back."]
    changes_low: Annotated[float | None, "Lower limit of that mean."]
    changes_high: Annotated[float | None, "Upper limit of that mean."]
    confidence: Annotated[float, "Two-sided coverage of the intervals."]
    method: Annotated[str, "How the interval of the turns held was made."]
    flags: Annotated[tuple[str, ...], "Warnings, one word each."]


DriftRow = DriftRateRow | PositionShiftRow | DivergenceRow | WorthChangeRow | OrderChangeRow | SurvivalRow | FlipRow
