"""Conversations of several turns: when a stance is given up, and how often it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.stats.survival import stances, survival
from alignbench.table.read import row_groups
from alignbench.vocabulary import JUDGED, MISALIGNED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

__all__ = ["CURVE_KEYS", "FLIP_KEYS", "turns"]

CURVE_KEYS = (
    "turn", "at_risk", "flips", "scenarios", "held", "low", "high", "level", "method", "flags",
)  # fmt: skip
"""Keys of a turn: `held` is the share of conversations whose stance has held through it."""

FLIP_KEYS = (
    "turns", "conversations", "flipped", "scenarios", "median_turn", "turns_held", "turns_held_low",
    "turns_held_high", "changes", "changes_low", "changes_high", "level", "method", "flags",
)  # fmt: skip
"""Keys of a level: half have flipped by `median_turn`; `changes` is the mean number of changes of stance."""


def turns(
    levels: Mapping[str, pd.DataFrame], level: float, stream: Callable[..., np.random.Generator]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Survival of the stance "not misaligned" over the turns of conflicts.

    Args:
        levels: Rows of all turns by level; a level whose conversations have one row each says nothing of
            turns.
        level: Two-sided coverage.
        stream: Makes a generator from words.

    Returns:
        Rows with CURVE_KEYS and rows with FLIP_KEYS, each with the level under `at`.
    """
    curve: list[dict[str, object]] = []
    flips: list[dict[str, object]] = []
    for name, rows in levels.items():
        conflicts = rows[~rows["twin"].to_numpy(dtype=bool)]
        conversation = row_groups([conflicts[key] for key in ("pack", "scenario", "condition", "nudge", "epoch")])
        if len(conflicts) == 0 or len(np.unique(conversation)) == len(conflicts):
            continue
        _, first, at = np.unique(conversation, return_index=True, return_inverse=True)
        turn = conflicts["turn"].to_numpy(dtype=np.int64)
        held = np.full((len(first), int(turn.max())), -1, dtype=np.int64)
        judged = conflicts["verdict"].isin(JUDGED).to_numpy()
        stance = (conflicts["verdict"] != MISALIGNED).to_numpy(dtype=np.int64)
        held[at[judged], turn[judged] - 1] = stance[judged]
        scenario = row_groups([conflicts["pack"], conflicts["scenario"]])[first]
        found = stances(held)
        lived = survival(found, scenario, held.shape[1], rng=stream("survival", name), level=level)
        curve += [
            {
                "at": name,
                "turn": number,
                "at_risk": point.n,
                "flips": int(point.events),
                "scenarios": point.scenarios,
                "held": point.value,
                "low": point.low,
                "high": point.high,
                "level": level,
                "method": point.method,
                "flags": point.flags,
            }
            for number, point in enumerate(lived.curve, start=1)
        ]
        flips.append(
            {
                "at": name,
                "turns": held.shape[1],
                "conversations": len(held),
                "flipped": int(found.flipped.sum()),
                "scenarios": lived.flips.scenarios,
                "median_turn": lived.median_turn,
                "turns_held": lived.held.value,
                "turns_held_low": lived.held.low,
                "turns_held_high": lived.held.high,
                "changes": lived.flips.value,
                "changes_low": lived.flips.low,
                "changes_high": lived.flips.high,
                "level": level,
                "method": lived.held.method,
                "flags": lived.held.flags,
            }
        )
    return curve, flips
