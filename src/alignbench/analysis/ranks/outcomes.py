"""The outputs of every model under every judge, laid out by what was asked: what ranks are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.identity import judges_itself
from alignbench.table.frames import sorted_groups
from alignbench.table.further import card_states
from alignbench.table.ledger import marks
from alignbench.table.read import row_groups
from alignbench.table.row_flags import has_flag
from alignbench.vocabulary import JUDGED, Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alignbench.vocabulary import Measure

    Floats = NDArray[np.float64]

__all__ = ["ABSENT", "Outcomes", "outcomes_of"]

ABSENT, UNJUDGED = -2, -1
"""What stands for an output that is not there, and for one without a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """Every output of every entry (a model under one judge), laid out by what was asked.

    Attributes:
        event: 1 event, 0 none, -1 not judged, -2 not there; shape (entries, asked).
        scenario: Scenario of each thing asked, shape (asked,).
        pack: Pack of each scenario, shape (scenarios,).
        rows: Row number of one output of each entry.
        versions: (pack, digest) of each entry, sorted.
        self_graded: Whether a model judged itself.
        unfit: Whether its judge is unfit by its card, on any of its packs.
        judged: By entry, judged outputs and all outputs of the pack of which the smallest share is judged.
        fallback: How many outputs of each entry another model answered, shape (entries,).
        marked: Flags of the outputs of each entry that its row carries.
    """

    event: NDArray[np.int8]
    scenario: NDArray[np.int64]
    pack: NDArray[np.int64]
    rows: NDArray[np.int64]
    versions: list[tuple[tuple[str, str], ...]]
    self_graded: NDArray[np.bool_]
    unfit: NDArray[np.bool_]
    judged: list[tuple[int, int]]
    fallback: NDArray[np.int64]
    marked: list[tuple[str, ...]]

    def counts(self, entry: int) -> tuple[Floats, Floats]:
        """Judged outputs and events of an entry by scenario."""
        size, event = len(self.pack), self.event[entry]
        return (
            np.bincount(self.scenario, weights=event >= 0, minlength=size).astype(np.float64),
            np.bincount(self.scenario, weights=event == 1, minlength=size).astype(np.float64),
        )

    def packs(self, entry: int) -> list[int]:
        """The packs that an entry has outputs of."""
        return sorted(set(self.pack[self.scenario[self.event[entry] > ABSENT]].tolist()))


def outcomes_of(table: pd.DataFrame, columns: Sequence[str], measure: Measure) -> Outcomes:
    """Lay out the outputs of a table.

    Args:
        table: The rows on which the measure is taken.
        columns: What identifies an entry.
        measure: Which verdict is the event.
    """
    entry, rows = sorted_groups(table, columns)
    scenario, scenario_rows = sorted_groups(table, ["pack", "scenario"])
    asked = row_groups([pd.Series(scenario), table["epoch"]])
    _, first = np.unique(asked, return_index=True)
    event = np.full((len(rows), len(first)), ABSENT, dtype=np.int8)
    is_event = (table["verdict"] == measure.event).to_numpy(dtype=bool)
    event[entry, asked] = np.where(table["verdict"].isin(JUDGED), is_event, UNJUDGED)
    _, pack = np.unique(table["pack"].iloc[scenario_rows].astype(str), return_inverse=True)
    _, seen = np.unique(row_groups([pd.Series(entry), table["pack"], table["pack_digest"]]), return_index=True)
    versions: list[list[tuple[str, str]]] = [[] for _ in rows]
    for row in seen:
        versions[entry[row]].append((str(table["pack"].iloc[row]), str(table["pack_digest"].iloc[row])))
    self_graded = np.bincount(entry, weights=has_flag(table, Flag.SELF_GRADED), minlength=len(rows)) > 0
    names = zip(table["judge"].iloc[rows].astype(str), table["model"].iloc[rows].astype(str), strict=True)
    own = np.array([judges_itself(judge, model) for judge, model in names], dtype=bool)
    unfit = np.zeros(len(rows), dtype=bool)
    cards = card_states(table)
    if cards is not None:
        unfit = np.bincount(entry, weights=cards == "unfit", minlength=len(rows)) > 0
    whole = [tuple(sorted(some)) for some in versions]
    fallback = np.bincount(entry, weights=has_flag(table, Flag.MODEL_FALLBACK), minlength=len(rows)).astype(np.int64)
    return Outcomes(
        event=event,
        scenario=scenario[first],
        pack=pack,
        rows=rows,
        versions=whole,
        self_graded=self_graded | own,
        unfit=unfit,
        judged=_judged(table, entry, len(rows)),
        fallback=fallback,
        marked=marks(table, entry, len(rows)),
    )


def _judged(table: pd.DataFrame, entry: NDArray[np.int64], entries: int) -> list[tuple[int, int]]:
    """Judged outputs and all outputs of each entry, in the pack of which the smallest share is judged."""
    pack = row_groups([table["pack"]])
    cell, size = entry * (int(pack.max()) + 1) + pack, entries * (int(pack.max()) + 1)
    asked = np.bincount(cell, minlength=size).reshape(entries, -1)
    judged = np.bincount(cell, weights=table["verdict"].notna(), minlength=size).reshape(entries, -1)
    worst = np.where(asked > 0, judged / np.maximum(asked, 1), 2.0).argmin(axis=1)
    return [(int(judged[at, column]), int(asked[at, column])) for at, column in enumerate(worst)]
