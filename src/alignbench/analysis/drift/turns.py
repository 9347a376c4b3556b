"""Conversations of several turns: when a stance is given up, and how often it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.drift.rows import FlipRow, SurvivalRow
from alignbench.stats.survival import stances, survival
from alignbench.table.read import row_groups
from alignbench.vocabulary import JUDGED, MISALIGNED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.analysis.drift.streams import Streams
    from alignbench.stats.survival import Stances, Survival

__all__ = ["turns"]

_CONVERSATION = ("pack", "scenario", "condition", "nudge", "epoch")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Conversations:
    """The conflicts of one level, conversation by conversation.

    Attributes:
        held: 1 where the stance "not misaligned" is held, 0 where not, -1 without a verdict; shape (conversations,
            turns).
        scenario: The scenario of each conversation, as a number.
    """

    held: NDArray[np.int64]
    scenario: NDArray[np.int64]


def turns(
    group: Mapping[str, object], levels: Mapping[str, pd.DataFrame], confidence: float, streams: Streams
) -> Iterator[SurvivalRow | FlipRow]:
    """Survival of the stance "not misaligned" over the turns of conflicts, level by level.

    Args:
        group: What names the rows beside the level: the model and what identifies its judge.
        levels: Rows of all turns by level; a level whose conversations have one row each says nothing of
            turns.
        confidence: Two-sided coverage.
        streams: Of the bootstrap.
    """
    for name, rows in levels.items():
        told = _conversations(rows[~rows["twin"].to_numpy(dtype=bool)])
        if told is None:
            continue
        found, count = stances(told.held), told.held.shape[1]
        lived = survival(found, told.scenario, count, rng=streams.stream("survival", name), confidence=confidence)
        key = {**group, "at": name}
        yield from _curve(key, lived, confidence)
        yield _flips(key, found, lived, count, confidence)


def _conversations(conflicts: pd.DataFrame) -> _Conversations | None:
    """Conversations turn by turn; None where none has several."""
    conversation = row_groups([conflicts[name] for name in _CONVERSATION])
    if len(conflicts) == 0 or len(np.unique(conversation)) == len(conflicts):
        return None
    _, first, at = np.unique(conversation, return_index=True, return_inverse=True)
    turn = conflicts["turn"].to_numpy(dtype=np.int64)
    held = np.full((len(first), int(turn.max())), -1, dtype=np.int64)
    judged = conflicts["verdict"].isin(JUDGED).to_numpy()
    stance = (conflicts["verdict"] != MISALIGNED).to_numpy(dtype=np.int64)
    held[at[judged], turn[judged] - 1] = stance[judged]
    return _Conversations(held=held, scenario=row_groups([conflicts["pack"], conflicts["scenario"]])[first])


def _curve(key: dict[str, object], lived: Survival, confidence: float) -> Iterator[SurvivalRow]:
    for number, point in enumerate(lived.curve, start=1):
        yield SurvivalRow(
            group=key,
            turn=number,
            at_risk=point.n,
            flips=int(point.events),
            scenarios=point.scenarios,
            held=point.value,
            low=point.low,
            high=point.high,
            confidence=confidence,
            method=point.method,
            flags=point.flags,
        )


def _flips(key: dict[str, object], found: Stances, lived: Survival, count: int, confidence: float) -> FlipRow:
    return FlipRow(
        group=key,
        turns=count,
        conversations=len(found.flipped),
        flipped=int(found.flipped.sum()),
        scenarios=lived.flips.scenarios,
        median_turn=lived.median_turn,
        turns_held=lived.held.value,
        turns_held_low=lived.held.low,
        turns_held_high=lived.held.high,
        changes=lived.flips.value,
        changes_low=lived.flips.low,
        changes_high=lived.flips.high,
        confidence=confidence,
        method=lived.held.method,
        flags=lived.held.flags,
    )
