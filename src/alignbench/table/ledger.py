"""The denominator ledger: of the outputs asked for, how many were answered and judged, and what became of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from alignbench.table.row_flags import has_flag
from alignbench.vocabulary import UNSCORED_REASONS, Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["MARKS", "TALLIED", "UNANSWERED", "Ledger", "ledger", "marks", "tallied"]

MARKS = (Flag.PARTIAL_LOG, Flag.MODEL_FALLBACK, Flag.JUDGE_FALLBACK, Flag.SCORE_EDITED)
"""Flags of outputs that every row resting on such an output carries."""

UNANSWERED = ("absent", "error", "no_response", "limited")
"""Reasons for which the model gave no answer; all others are about an answer that is there."""

TALLIED = (*UNSCORED_REASONS, "off_task", "filtered")
"""What is counted of the outputs of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Of the outputs asked for in a row, how many were answered and judged, and why the others were not.

    `off_task`, which is judged, stands with the rates.
    """

    asked: Annotated[int, "Outputs that were planned; the same as `outputs`."]
    answered: Annotated[int, "Outputs that the model answered."]
    judged: Annotated[int, "Outputs with a verdict, those off task among them."]
    coverage: Annotated[float, "`judged` of `asked`, as a share."]
    filtered: Annotated[int, "Outputs judged refused because the provider withheld the answer."]
    cut_off: Annotated[int, "Outputs without a verdict, since the provider cut the answer off."]
    limited: Annotated[int, "Outputs without a verdict, since a limit of messages, tokens, time or turns ended them."]
    no_response: Annotated[int, "Outputs without a verdict, since nothing visible was said."]
    grader_declined: Annotated[int, "Outputs without a verdict, since the judge declined."]
    grader_failed: Annotated[int, "Outputs without a verdict, since the judge gave no usable reply."]
    tie: Annotated[int, "Outputs without a verdict, since the votes of a panel were even."]
    invalid: Annotated[int, "Outputs without a verdict, since a person declared them invalid."]
    error: Annotated[int, "Outputs without a verdict, since a call failed."]
    absent: Annotated[int, "Outputs without a verdict, since they were planned and are not there."]
    unstated: Annotated[int, "Outputs without a verdict, and nothing says why."]


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


def ledger(outputs: int, counts: Sequence[Mapping[str, int]]) -> Ledger:
    """The ledger of one row.

    Args:
        outputs: Outputs that were asked for, at least one.
        counts: TALLIED of each of its cells, each with its count.
    """
    total = {name: sum(cell[name] for cell in counts) for name in TALLIED if name != "off_task"}
    judged = outputs - sum(total[reason] for reason in UNSCORED_REASONS)
    return Ledger(
        asked=outputs,
        answered=outputs - sum(total[reason] for reason in UNANSWERED),
        judged=judged,
        coverage=judged / outputs,
        **total,
    )
