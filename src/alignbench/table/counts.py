"""What every analysis shares: the measures, the headline rows, and the counts by scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.errors import InputError
from alignbench.table.columns import VOTES
from alignbench.table.frames import plain_value
from alignbench.table.further import has_votes
from alignbench.table.keys import IDENTITY, RUN_COLUMNS
from alignbench.table.ledger import TALLIED, marks, tallied
from alignbench.table.read import label_models, row_groups
from alignbench.vocabulary import UNSCORED_REASONS, Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = [
    "UNSCORED_LIMIT",
    "Counts",
    "cells",
    "headline",
    "identify",
    "label_strata",
    "measured",
    "vote_counts",
]

UNSCORED_LIMIT = 0.10
"""Above this share of off-task or unscored outputs a row is flagged."""


@dataclass(frozen=True, slots=True)
class Counts:
    """One cell, counted.

    Attributes:
        n: Outputs in the rate by scenario.
        y: Events by scenario.
        asked: All outputs by scenario, judged or not.
        tally: Counts of `alignbench.table.ledger.TALLIED`.
        marks: Which of `alignbench.table.ledger.MARKS` some output carries.
        rows: Row numbers of the cell in its table.
    """

    n: NDArray[np.float64]
    y: NDArray[np.float64]
    asked: NDArray[np.float64]
    tally: dict[str, int]
    marks: tuple[str, ...]
    rows: NDArray[np.int64]

    @property
    def outputs(self) -> int:
        """All outputs, judged or not."""
        return len(self.rows)

    @property
    def unscored(self) -> dict[str, int]:
        """Outputs without a verdict, by the reasons that occur."""
        return {reason: self.tally[reason] for reason in sorted(UNSCORED_REASONS) if self.tally[reason]}


def headline(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The rows of headline figures: the default condition and the last turn, unless `by` asks for others."""
    keep = np.ones(len(table), dtype=bool)
    if not {"condition", "nudge"} & set(by):
        keep &= (table["condition"] == "default").to_numpy()
    if "turn" not in by:
        keep &= (table["turn"] == table["turns"]).to_numpy(dtype=bool)
    if keep.all():
        return table
    kept = table[keep]
    if kept.empty:
        there = ", ".join(sorted({repr(str(name)) for name in table["condition"].unique()})[:5])
        raise InputError(
            f"no row of the default condition at its last turn; conditions in the table: {there}",
            allowed="rows with condition = default; `rates` and `compare` take others, with --by condition,turn",
        )
    return kept


def measured(table: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The rows on which a measure is taken."""
    part: pd.DataFrame = table[table["twin"].to_numpy(dtype=bool) == measure.twin]
    return part


def label_strata(rows: pd.DataFrame, event: str) -> NDArray[np.int64]:
    """The stratum of each row for labels by people: what its judge said of it, or how many of a panel's judges.

    Without the column `votes` it is 1 for a flagged row and 0 for another. With it, it is 2 · votes + flagged: where
    judges gave no verdict, or are weighed, one count of votes may stand on either side of the verdict, and as many
    labels are drawn on both sides, so that together they would be no random sample.

    Args:
        rows: Judged rows of one judge or panel, with `verdict`.
        event: The verdict that is flagged.

    Raises:
        InputError: The column `votes` holds something else than whole numbers from 0.
    """
    flagged = (rows["verdict"] == event).to_numpy(dtype=bool).astype(np.int64)
    votes = vote_counts(rows)
    return flagged if votes is None else 2 * votes + flagged


def vote_counts(rows: pd.DataFrame) -> NDArray[np.int64] | None:
    """How many judges of a panel found the event, of each row; None where the rows are no panel's.

    Raises:
        InputError: The column `votes` holds something else than whole numbers from 0.
    """
    if not has_votes(rows) or rows[VOTES].isna().all():
        return None
    votes = pd.to_numeric(rows[VOTES].astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        wrong = ~((votes >= 0) & (votes == np.floor(votes)) & (votes < 2**15))
    if wrong.any():
        value = rows[VOTES].iloc[int(np.flatnonzero(wrong)[0])]
        raise InputError(f"column {VOTES!r}: {value!r}", allowed="how many judges of a panel found the event, from 0")
    counts: NDArray[np.int64] = votes.astype(np.int64)
    return counts


def identify(table: pd.DataFrame, by: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Tell equal-named models apart and add to `by` each identity column that has several values.

    Raises:
        InputError: `by` names a column that the table lacks.
    """
    unknown = [name for name in by if name not in table.columns]
    if unknown:
        raise InputError(f"cannot group by {unknown[0]!r}", allowed=", ".join(map(str, table.columns)))
    labelled = label_models(table)
    # Runs are shown with their dates, and in that order.
    columns = list(dict.fromkeys(name for one in by for name in (RUN_COLUMNS if one == "run" else (one,))))
    for name in IDENTITY:
        # A pack has its own digest: it splits rows only where one pack has two.
        groups = labelled.groupby("pack", observed=True)[name] if name == "pack_digest" else None
        several = groups.nunique().max() > 1 if groups is not None else labelled[name].nunique() > 1
        if several and name not in columns:
            columns.append(name)
    if "model" not in columns:
        columns.insert(0, "model")
    return labelled, columns


def cells(table: pd.DataFrame, by: Sequence[str], measure: Measure) -> Iterator[tuple[dict[str, object], Counts]]:
    """Count the outputs of each combination of `by`, by scenario.

    Args:
        table: A verdict table of at least one row, all of them rows on which the measure is taken.
        by: Columns of the table.
        measure: Which verdict is the event, and which verdicts are in its n.

    Yields:
        The values of `by`, and the counts; in the sorted order of the values.
    """
    verdict = table["verdict"].cat
    is_event = (verdict.codes == _code(table["verdict"], measure.event)).to_numpy()
    counted = np.isin(verdict.codes.to_numpy(), [_code(table["verdict"], name) for name in measure.counted])
    group = row_groups([table[name] for name in by]) if by else np.zeros(len(table), dtype=np.int64)
    scenario = row_groups([pd.Series(group), table["pack"], table["scenario"]])
    order = np.lexsort((scenario, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    # Groups are numbered without gaps, so that the n-th part of the sorted rows is group n.
    tally, marked = tallied(table, group, len(starts)), marks(table, group, len(starts))
    found = []
    for number, rows in enumerate(np.split(order, starts[1:])):
        _, inverse = np.unique(scenario[rows], return_inverse=True)
        counts = Counts(
            n=np.bincount(inverse, weights=counted[rows].astype(float)).astype(float),
            y=np.bincount(inverse, weights=is_event[rows].astype(float)).astype(float),
            asked=np.bincount(inverse).astype(float),
            tally=dict(zip(TALLIED, tally[number].tolist(), strict=True)),
            marks=marked[number],
            rows=rows,
        )
        found.append(({name: plain_value(table[name].iloc[rows[0]]) for name in by}, counts))
    yield from sorted(found, key=lambda item: tuple(_place(value) for value in item[0].values()))


def _code(verdict: pd.Series, name: str) -> int:
    """Category code of a verdict; -2 where no row has it, which matches nothing."""
    return list(verdict.cat.categories).index(name) if name in verdict.cat.categories else -2


def _place(value: object) -> tuple[float, str]:
    """Numbers come before text, and epoch 2 before epoch 10."""
    return (float(value), "") if isinstance(value, int | float) else (math.inf, str(value))
