"""The denominator ledger: of the outputs asked for, how many were answered and judged, and what became of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.table.row_flags import has_flag
from alignbench.vocabulary import UNSCORED_REASONS, Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["LEDGER_KEYS", "MARKS", "TALLIED", "UNANSWERED", "ledger", "marks", "tallied"]

MARKS = (Flag.PARTIAL_LOG, Flag.MODEL_FALLBACK, Flag.JUDGE_FALLBACK, Flag.SCORE_EDITED)
"""Flags of outputs that every row resting on such an output carries."""

UNANSWERED = ("absent", "error", "no_response", "limited")
"""Reasons for which the model gave no answer; all others are about an answer that is there."""

TALLIED = (*UNSCORED_REASONS, "off_task", "filtered")
"""What is counted of the outputs of a cell."""

LEDGER_KEYS = (
    "asked", "answered", "judged", "coverage", "filtered", "cut_off", "limited", "no_response", "grader_declined",
    "grader_failed", "tie", "invalid", "error", "absent", "unstated",
)  # fmt: skip
"""Columns of the ledger; `off_task`, which is judged, stands with the rates."""


def tallied(table: pd.DataFrame, group: Integers, groups: int) -> Integers:
    """Count TALLIED in each group, shape (groups, len(TALLIED)).

    Args:
        table: A verdict table.
        group: The group of each row, numbered from 0.
        groups: Number of groups.
    """
    reason, verdict = table["unscored_reason"].cat, table["verdict"]
    places = np.array([*(UNSCORED_REASONS.index(str(name)) for name in reason.categories), len(TALLIED)])
    fate = places[reason.codes.to_numpy()]
    fate[(verdict == "off_task").to_numpy()] = TALLIED.index("off_task")
    fate[(verdict == "refused").to_numpy() & has_flag(table, Flag.CONTENT_FILTER)] = TALLIED.index("filtered")
    size = len(TALLIED) + 1
    counts = np.bincount(group * size + fate, minlength=groups * size).reshape(groups, size)
    return counts[:, :-1].astype(np.int64)


def marks(table: pd.DataFrame, group: Integers, groups: int) -> list[tuple[str, ...]]:
    """Which of MARKS some output of each group carries."""
    carried = {word: np.bincount(group[has_flag(table, word)], minlength=groups) > 0 for word in MARKS}
    return [tuple(word for word in MARKS if carried[word][number]) for number in range(groups)]


def ledger(outputs: int, counts: Sequence[Mapping[str, int]]) -> dict[str, int | float]:
    """The ledger of one row, with LEDGER_KEYS.

    Args:
        outputs: Outputs that were asked for, at least one.
        counts: TALLIED of each of its cells, each with its count.
    """
    total = {name: sum(cell[name] for cell in counts) for name in TALLIED}
    judged = outputs - sum(total[reason] for reason in UNSCORED_REASONS)
    found: dict[str, int | float] = {
        "asked": outputs,
        "answered": outputs - sum(total[reason] for reason in UNANSWERED),
        "judged": judged,
        "coverage": judged / outputs,
        **total,
    }
    return {name: found[name] for name in LEDGER_KEYS}
