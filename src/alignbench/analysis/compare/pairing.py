"""Which output of the one side stands against which output of the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.compare.comparable import comparable_rows, identical, same_groups
from alignbench.analysis.compare.stacked import stacked
from alignbench.errors import InputError, NotComparableError
from alignbench.identity import judges_itself
from alignbench.table.columns import CARD_COLUMN, VOTES
from alignbench.table.further import card_states, has_labels, has_votes, label_columns
from alignbench.table.keys import JUDGE, MODEL, VERSION
from alignbench.table.read import require_columns, row_groups
from alignbench.table.row_flags import has_flag
from alignbench.vocabulary import ABSENT, FEW_LABELS, JUDGED, Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

__all__ = ["PARTNERS", "Pairing", "pair"]

PARTNERS = ("pack", "scenario", "twin", "condition", "epoch", "turn")
"""Columns in which the outputs of two models agree that are partners."""

_CARD_FLAGS = {Flag.JUDGE_UNFIT: "unfit", Flag.JUDGE_TOO_FEW: "too_few", Flag.JUDGE_DIAGNOSTIC: "diagnostic"}
_NEEDED = (
    "model", *VERSION, "scenario", "twin", "family", "verdict", "unscored_reason", "flags", "sample_uuid",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairing:
    """Two sets of outputs, partner by partner.

    Attributes:
        base: What the first side is called.
        candidate: What the second is called.
        partners: Columns in which partners agree.
        table: Rows of both, with the columns of the key, the verdict and the grouping columns.
        base_row: Row of the base's output for each key that either side has; -1 where it has none.
        candidate_row: The candidate's, likewise.
        judges: Columns that tell the judges apart, where several have judged both sides; they join the key.
        unknown_packs: Packs of which a digest is not known on both sides.
        flags: Warnings about the whole, in one word each.
        minimum_labels: Labels that a pack needs on both sides for its rates to be corrected.
    """

    base: str
    candidate: str
    partners: tuple[str, ...]
    table: pd.DataFrame
    base_row: Rows
    candidate_row: Rows
    judges: tuple[str, ...]
    unknown_packs: frozenset[str]
    flags: tuple[str, ...]
    minimum_labels: int = FEW_LABELS

    @property
    def any_row(self) -> Rows:
        """For each key a row that has it."""
        return np.where(self.base_row >= 0, self.base_row, self.candidate_row)

    @property
    def key(self) -> list[str]:
        """The columns that tell the pairs apart."""
        return [*self.partners, *self.judges]

    def lost(self) -> pd.DataFrame:
        """The outputs that a side has lost: unscored, or absent though the other side has them.

        Returns:
            The columns of the key, then `base` and `candidate`: why that side has no verdict; empty where it has one.
        """
        given = self.table["verdict"].notna().to_numpy()
        reasons = self.table["unscored_reason"].to_numpy(dtype=object)
        why = [
            np.where(rows < 0, ABSENT, np.where(given[rows], "", reasons[rows]))
            for rows in (self.base_row, self.candidate_row)
        ]
        lacking = np.flatnonzero((why[0] != "") | (why[1] != ""))
        keys: pd.DataFrame = self.table[self.key].iloc[self.any_row[lacking]].reset_index(drop=True)
        found = keys.assign(base=why[0][lacking], candidate=why[1][lacking])
        # Categories stand in the order in which the tables brought them.
        text = found.columns[[isinstance(kind, pd.CategoricalDtype) for kind in found.dtypes]]
        return found.astype(dict.fromkeys(text, str)).sort_values(self.key, ignore_index=True)

    def judged(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """For each key, whether the base's output and the candidate's have a verdict that counts."""
        judged = self.table["verdict"].isin(JUDGED).to_numpy()
        base, candidate = (judged[rows] & (rows >= 0) for rows in (self.base_row, self.candidate_row))
        return base, candidate

    @property
    def labelled(self) -> bool:
        """Whether people were asked about some outputs."""
        return has_labels(self.table)

    def judges_found(self, state: str) -> list[str]:
        """The judges whose cards say `state`, by name; of a panel the worst of its judges counts."""
        states = card_states(self.table)
        if states is None:
            return []
        rows = self._used()
        found = (states.iloc[rows] == state).to_numpy(dtype=bool)
        return sorted(map(str, self.table["judge"].iloc[rows[found]].unique()))

    def marks(self) -> list[Flag]:
        """The flags that an answer or a verdict of either side carries, of who gave it."""
        used = self.table[["model", "judge", "flags"]].iloc[self._used()]
        found = [flag for flag in (Flag.MODEL_FALLBACK, Flag.SELF_GRADED) if has_flag(used, flag).any()]
        who = used[["judge", "model"]].drop_duplicates().astype(str).itertuples(index=False, name=None)
        if Flag.SELF_GRADED not in found and any(judges_itself(judge, model) for judge, model in who):
            found.append(Flag.SELF_GRADED)
        return found

    def unpaired(self) -> pd.DataFrame:
        """The keys that are in no comparison of an error, each with the reason."""
        given = self.table["verdict"].notna().to_numpy()
        absent = self.base_row < 0, self.candidate_row < 0
        unscored = [~given[rows] for rows in (self.base_row, self.candidate_row)]
        off_task = [~judged for judged in self.judged()]
        reasons = {"only_in_base": absent[1], "only_in_candidate": absent[0]}
        for why, (base, candidate) in (("unscored", unscored), ("off_task", off_task)):
            reasons |= {f"{why}_in_both": base & candidate, f"{why}_in_base": base, f"{why}_in_candidate": candidate}
        reason = np.select(list(reasons.values()), list(reasons), default="")
        left_out = reason != ""
        keys: pd.DataFrame = self.table[self.key].iloc[self.any_row[left_out]]
        return keys.reset_index(drop=True).assign(reason=reason[left_out])

    def _used(self) -> Rows:
        """The rows that stand in a key."""
        return np.concatenate([rows[rows >= 0] for rows in (self.base_row, self.candidate_row)])


def pair(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    *,
    names: tuple[str, str],
    partners: Sequence[str] = PARTNERS,
    differs: Sequence[str] = MODEL,
    by: Sequence[str] = (),
    minimum_labels: int = FEW_LABELS,
) -> Pairing:
    """Pair two sets of outputs: those with one partner key stand against each other.

    Args:
        base: Rows of a checked verdict table (`alignbench.table.read.as_table`).
        candidate: Further rows, of the same table or another one.
        names: What base and candidate are called.
        partners: Columns in which two outputs must agree to be partners. Where several judges have judged both sides,
            the judge joins them.
        differs: Columns in which the sides differ on purpose. Unless they name `judge`, `pack_digest` or
            `rubric_digest`, both sides must have that in common.
        by: Columns that the pairs will be grouped by.
        minimum_labels: Labels that a pack needs on both sides for its rates to be corrected.

    Raises:
        InputError: A column is missing or says different things of two partners, the key does not tell the outputs of
            one side apart, or both sides are the same samples under one name.
        NotComparableError: Packs, rubrics or judges differ, or no two outputs with one key are judged.
    """
    _check_columns(base, candidate, partners, differs, by)
    table = stacked(base, candidate, _columns(base, candidate, partners, by))
    require_columns(table, by, f"--by {','.join(by)}")
    rows = np.arange(len(table))
    alike = comparable_rows(table, rows[: len(base)], rows[len(base) :], differs)
    key = (*partners, *(JUDGE if alike.judges else ()))
    sides = _side_rows(table, key, [(names[0], alike.base), (names[1], alike.candidate)])
    pairing = Pairing(
        base=names[0],
        candidate=names[1],
        partners=tuple(partners),
        table=table,
        base_row=sides[0],
        candidate_row=sides[1],
        judges=alike.judges,
        unknown_packs=alike.unknown_packs,
        flags=alike.flags,
        minimum_labels=minimum_labels,
    )
    _check_judged(pairing)
    return replace(pairing, flags=(*alike.flags, *_flags(pairing, by)))


def _check_columns(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    partners: Sequence[str],
    differs: Sequence[str],
    by: Sequence[str],
) -> None:
    there = [name for name in base.columns if name in candidate.columns]
    for name in (*partners, *differs):
        if name not in there:
            raise InputError(f"no column {name!r} on both sides", allowed=", ".join(map(str, there)))
    both = [name for name in partners if name in differs]
    if both:
        raise InputError(f"partners cannot agree in {both[0]!r}, in which the sides differ", allowed="other partners")
    for side in (base, candidate):
        require_columns(side, [name for name in by if name not in side.columns], f"--by {','.join(by)}")


def _columns(base: pd.DataFrame, candidate: pd.DataFrame, partners: Sequence[str], by: Sequence[str]) -> list[str]:
    """The columns that a pairing needs; votes of a panel stand beside labels alone."""
    labels, both = label_columns(base), (base, candidate)
    # A calibration made under a panel has seen to it that both sides hold votes.
    counted = bool(labels) and all(map(has_votes, both))
    carded = all(card_states(side) is not None for side in both)
    further = [name for name, there in ((VOTES, counted), (CARD_COLUMN, carded)) if there]
    return list(dict.fromkeys((*_NEEDED, *partners, *by, *labels, *further)))


def _side_rows(table: pd.DataFrame, key: Sequence[str], sides: Sequence[tuple[str, Rows]]) -> Rows:
    """The row of each key on either side, shape (2, keys); -1 where a side has none.

    Raises:
        InputError: Two outputs of one side have one key.
    """
    # Keys are numbered from 0 without gaps.
    number = row_groups([table[name] for name in key])
    found = np.full((2, int(number.max(initial=-1)) + 1), -1, dtype=np.int64)
    for at, (name, rows) in enumerate(sides):
        found[at, number[rows]] = rows
        doubled = np.flatnonzero(found[at, number[rows]] != rows)
        if len(doubled):
            row = table[list(key)].iloc[rows[doubled[0]]]
            said = ", ".join(f"{column}={value}" for column, value in row.items() if value != "")
            raise InputError(f"two outputs of {name!r} have one key: {said}",
                             allowed="partners that tell the outputs of a side apart")  # fmt: skip
    return found[:, (found >= 0).any(0)]


def _check_judged(pairing: Pairing) -> None:
    """Refuse two sets of outputs that have nothing judged in common."""
    if np.logical_and(*pairing.judged()).any():
        return
    both = (pairing.base_row >= 0) & (pairing.candidate_row >= 0)
    raise NotComparableError(
        f"{pairing.base!r} and {pairing.candidate!r} have no judged output in common: of {len(both)} keys "
        f"({', '.join(pairing.partners)}) {both.sum()} stand on both sides, and none is judged on both"
    )


def _flags(pairing: Pairing, by: Sequence[str]) -> list[Flag]:
    """The flags of the whole.

    Raises:
        InputError: A column to group by says different things of two partners, or both sides are the same samples.
    """
    # A judge is as its worst card.
    flags = [flag for flag, state in _CARD_FLAGS.items() if pairing.judges_found(state)][:1]
    flags += pairing.marks()
    both = (pairing.base_row >= 0) & (pairing.candidate_row >= 0)
    base, candidate = (pairing.table.iloc[rows[both]] for rows in (pairing.base_row, pairing.candidate_row))
    same_groups(base, candidate, [name for name in by if name not in pairing.key])
    if pairing.base == pairing.candidate and identical(base, candidate):
        flags.append(Flag.IDENTICAL_ROWS)
    return flags
