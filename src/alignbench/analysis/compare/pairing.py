"""Which output of the candidate stands against which output of the base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.compare.comparable import (
    JUDGE,
    VERSION,
    common_judges,
    identical,
    same_groups,
    unknown_versions,
)
from alignbench.errors import InputError, NotComparableError
from alignbench.identity import judges_itself
from alignbench.judges.marking import CARD_COLUMN
from alignbench.stats.label_correction import FEW_LABELS
from alignbench.table.counts import VOTES, headline
from alignbench.table.human import human_columns
from alignbench.table.read import as_table, label_models, require_columns, row_groups
from alignbench.table.row_flags import has_flag
from alignbench.vocabulary import JUDGED, Flag

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from alignbench.analysis.rates.corrected import Correction

    Rows = NDArray[np.int64]

__all__ = ["ABSENT", "PAIR_KEY", "Pairing", "Sides", "checked_sides", "model_names", "pairings"]

PAIR_KEY = ("pack", "scenario", "twin", "condition", "epoch", "turn")
"""Outputs with one key are partners. Where several judges have judged both models, the judge joins it."""

ABSENT = "absent"
"""Why an output has no verdict that one side lacks altogether."""

_CARD_FLAGS = {Flag.JUDGE_UNFIT: "unfit", Flag.JUDGE_TOO_FEW: "too_few", Flag.JUDGE_DIAGNOSTIC: "diagnostic"}
_NEEDED = (
    *PAIR_KEY, *JUDGE, "pack_digest", "rubric_digest", "family", "verdict", "unscored_reason", "flags", "sample_uuid",
)  # fmt: skip


@dataclass(frozen=True)
class Pairing:
    """The outputs of two models, partner by partner.

    Attributes:
        base: Name of the base model.
        candidate: Name of the candidate model.
        table: Rows of both, with the columns of the key, the verdict and the grouping columns.
        base_row: Row of the base's output for each key that either model has; -1 where it has none.
        candidate_row: The candidate's, likewise.
        judges: Columns that tell the judges apart, where several have judged both models.
        unknown_packs: Packs of which a digest is not known on both sides.
        flags: Warnings about the whole, in one word each.
        minimum_labels: Labels that a pack needs on both sides for its rates to be corrected.
    """

    base: str
    candidate: str
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
        keys: pd.DataFrame = self.table[[*PAIR_KEY, *self.judges]].iloc[self.any_row[lacking]].reset_index(drop=True)
        found = keys.assign(base=why[0][lacking], candidate=why[1][lacking])
        # Categories stand in the order in which the tables brought them.
        text = found.columns[[isinstance(kind, pd.CategoricalDtype) for kind in found.dtypes]]
        return found.astype(dict.fromkeys(text, str)).sort_values([*PAIR_KEY, *self.judges], ignore_index=True)

    def judged(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """For each key, whether the base's output and the candidate's have a verdict that counts."""
        judged = self.table["verdict"].isin(JUDGED).to_numpy()
        base, candidate = (judged[rows] & (rows >= 0) for rows in (self.base_row, self.candidate_row))
        return base, candidate

    @property
    def labelled(self) -> bool:
        """Whether people were asked about some outputs."""
        return bool(human_columns(self.table))

    def judges_found(self, state: str) -> list[str]:
        """The judges whose cards say `state`, by name; of a panel the worst of its judges counts."""
        if CARD_COLUMN not in self.table.columns:
            return []
        rows = np.concatenate([rows[rows >= 0] for rows in (self.base_row, self.candidate_row)])
        used = self.table[["judge", CARD_COLUMN]].iloc[rows]
        return sorted(map(str, used.loc[(used[CARD_COLUMN] == state).to_numpy(dtype=bool), "judge"].unique()))

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
        keys: pd.DataFrame = self.table[[*PAIR_KEY, *self.judges]].iloc[self.any_row[left_out]]
        return keys.reset_index(drop=True).assign(reason=reason[left_out])


@dataclass(frozen=True)
class Sides:
    """Checked tables.

    Attributes:
        base: The table with the base's rows.
        candidate: The candidate's table; None where `base` holds both models.
        minimum_labels: Labels that a pack needs for its rate to be corrected.
    """

    base: pd.DataFrame
    candidate: pd.DataFrame | None
    minimum_labels: int = FEW_LABELS


def checked_sides(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    packs: Sequence[str] | None = None,
    calibration: Correction | None = None,
) -> Sides:
    """Check the tables of a comparison.

    Args:
        base: A verdict table with the base's rows; also with the candidate's, if `candidate` is None.
        candidate: A verdict table with the candidate's rows.
        packs: The packs asked for; default: those on either side.
        calibration: Labels by people on some of these outputs; they join the tables.

    Raises:
        InputError: A table cannot be used, or lacks a pack.
        NotComparableError: The calibration is of another judge, rubric, pack or run.
    """
    first = _checked(base, packs, "base", calibration)
    second = None if candidate is None else _checked(candidate, packs, "candidate", calibration)
    return Sides(first, second, FEW_LABELS if calibration is None else calibration.minimum_labels)


def _checked(
    table: pd.DataFrame, packs: Sequence[str] | None, side: str, calibration: Correction | None
) -> pd.DataFrame:
    checked = as_table(table, source=side)
    checked = label_models(checked if calibration is None else calibration.attach(checked))
    if packs is None:
        return checked
    there = sorted(map(str, checked["pack"].unique()))
    unknown = sorted(set(packs) - set(there))
    if unknown:
        raise InputError(f"{side} has no rows of pack {unknown[0]!r}", allowed=", ".join(there))
    return checked[checked["pack"].isin(packs)]


def model_names(sides: Sides, base_name: str | None, candidate_name: str | None) -> tuple[str, list[str]]:
    """The base and its candidates.

    Args:
        sides: The checked tables.
        base_name: The base model; may be left out where its table holds one model and the candidate has its
            own.
        candidate_name: The candidate; without it every (other) model is one.

    Raises:
        InputError: A name without rows, no clear base, or nothing to compare it with.
    """
    one_table = sides.candidate is None
    here = sorted(map(str, sides.base["model"].unique()))
    there = here if sides.candidate is None else sorted(map(str, sides.candidate["model"].unique()))
    for name, models, side in ((base_name, here, "base"), (candidate_name, there, "candidate")):
        if name is not None and name not in models:
            raise InputError(f"no rows of the {side} model {name!r}", allowed=", ".join(models))
    if one_table and (len(here) == 1 or candidate_name == base_name is not None):
        name = base_name or here[0]
        raise InputError(f"model {name!r} would be compared with itself", allowed="two models, or two tables")
    if base_name is None and (one_table or len(here) > 1):
        raise InputError(f"which of {len(here)} models is the base?", allowed=f"--base {' | '.join(map(quote, here))}")
    chosen = here[0] if base_name is None else base_name
    if candidate_name is not None:
        return chosen, [candidate_name]
    return chosen, [name for name in there if not one_table or name != chosen]


def pairings(
    sides: Sides,
    by: Sequence[str] = (),
    *,
    base_name: str | None = None,
    candidate_name: str | None = None,
) -> list[Pairing]:
    """Pair the outputs of a base model with those of one candidate, or of each of several.

    Args:
        sides: The checked tables.
        by: Columns that the comparison will be grouped by; they decide which rows are headline rows.
        base_name: See `model_names`.
        candidate_name: See `model_names`.

    Returns:
        One pairing a candidate, sorted by name.

    Raises:
        InputError: The names or columns cannot be used, or a model is compared with itself.
        NotComparableError: Packs, rubrics or judges differ, or no output of the two has the same key.
    """
    base_model, candidates = model_names(sides, base_name, candidate_name)
    for side in (sides.base, sides.candidate):
        if side is not None:
            require_columns(side, by, f"--by {','.join(by)}")
    labels = human_columns(sides.base)
    # A calibration made under a panel has seen to it that both sides hold votes.
    counted = bool(labels) and all(VOTES in side.columns for side in (sides.base, sides.candidate) if side is not None)
    carded = all(CARD_COLUMN in side.columns for side in (sides.base, sides.candidate) if side is not None)
    further = {VOTES: counted, CARD_COLUMN: carded}
    names = list(dict.fromkeys((*_NEEDED, *by, *labels, *(name for name, there in further.items() if there))))
    table = _columns(headline(sides.base, by), names)
    is_base = (table["model"] == base_model).to_numpy()
    if sides.candidate is None:
        found = {name: np.flatnonzero((table["model"] == name).to_numpy()) for name in candidates}
        base_rows = np.flatnonzero(is_base)
    else:
        other = _columns(headline(sides.candidate, by), names)
        models, base_rows = other["model"].to_numpy(dtype=object), np.arange(is_base.sum())
        found = {name: np.flatnonzero(models == name) + len(base_rows) for name in candidates}
        table = _stacked(table[is_base], other)
    keys = _Keys(table)
    made = (_pair(table, keys, (base_model, base_rows), (name, rows), by) for name, rows in found.items())
    return [replace(pairing, minimum_labels=sides.minimum_labels) for pairing in made]


def _columns(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns needed, text as categories, so that grouping works on integers."""
    columns: pd.DataFrame = table[list(dict.fromkeys((*names, "model")))].reset_index(drop=True)
    loose = [
        name
        for name, column in columns.items()
        if not isinstance(column.dtype, pd.CategoricalDtype)
        and (column.hasnans or not pd.api.types.is_numeric_dtype(column))
    ]
    return columns.astype(dict.fromkeys(loose, "category")) if loose else columns


def _stacked(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    columns: dict[Hashable, pd.Series] = {}
    for name in first.columns:
        parts = [first[name], second[name]]
        categorical = isinstance(parts[0].dtype, pd.CategoricalDtype)
        columns[name] = _joined(parts) if categorical else pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns)


def _joined(parts: Sequence[pd.Series]) -> pd.Series:
    """Categories end to end; pandas' own `union_categoricals` refuses a column without values."""
    names = [list(map(str, part.cat.categories)) for part in parts]
    place = {name: at for at, name in enumerate(dict.fromkeys(name for own in names for name in own))}
    # A missing value has the code -1, which picks the last place.
    codes = [
        np.array([*(place[name] for name in own), -1])[part.cat.codes.to_numpy()]
        for own, part in zip(names, parts, strict=True)
    ]
    return pd.Series(pd.Categorical.from_codes(np.concatenate(codes), categories=pd.Index(list(place))))


class _Keys:
    """Numbers of the keys of a table, made when they are first needed."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self._made: dict[tuple[str, ...], Rows] = {}

    def __call__(self, names: tuple[str, ...]) -> Rows:
        if names not in self._made:
            self._made[names] = row_groups([self._table[name] for name in names])
        return self._made[names]


def _pair(
    table: pd.DataFrame,
    keys: _Keys,
    base: tuple[str, Rows],
    candidate: tuple[str, Rows],
    by: Sequence[str],
) -> Pairing:
    (base_rows, candidate_rows), judges, unknown, flags = _comparable(table, keys, base[1], candidate[1])
    number = keys((*PAIR_KEY, *JUDGE) if judges else PAIR_KEY)
    # Row by key, for each side; the keys are numbered from 0 without gaps.
    sides = np.full((2, int(number.max()) + 1), -1, dtype=np.int64)
    sides[0, number[base_rows]], sides[1, number[candidate_rows]] = base_rows, candidate_rows
    sides = sides[:, (sides >= 0).any(0)]
    pairing = Pairing(base[0], candidate[0], table, sides[0], sides[1], judges, unknown, flags)
    # A judge is as its worst card.
    card = [flag for flag, state in _CARD_FLAGS.items() if pairing.judges_found(state)][:1]
    pairing = replace(pairing, flags=(*flags, *card, *_marks(table, (base[0], sides[0]), (candidate[0], sides[1]))))
    both = (sides[0] >= 0) & (sides[1] >= 0)
    if not np.logical_and(*pairing.judged()).any():
        raise NotComparableError(
            f"{base[0]!r} and {candidate[0]!r} have no judged output in common: of {len(both)} keys "
            f"({', '.join(PAIR_KEY)}) {both.sum()} stand on both sides, and none is judged on both"
        )
    columns = [name for name in by if name not in (*PAIR_KEY, *judges)]
    first, second = (table[["scenario", *columns]].iloc[rows[both]] for rows in sides)
    same_groups(first, second, columns)
    if base[0] == candidate[0] and identical(table.iloc[sides[0][both]], table.iloc[sides[1][both]]):
        return replace(pairing, flags=(*pairing.flags, Flag.IDENTICAL_ROWS))
    return pairing


def _marks(table: pd.DataFrame, *sides: tuple[str, Rows]) -> list[str]:
    """What an answer or a verdict of either side says of who gave it."""
    found = {Flag.MODEL_FALLBACK: False, Flag.SELF_GRADED: False}
    for model, rows in sides:
        used = table.iloc[rows[rows >= 0]]
        for flag in found:
            found[flag] |= bool(has_flag(used, flag).any())
        found[Flag.SELF_GRADED] |= any(judges_itself(str(judge), model) for judge in used["judge"].unique())
    return [flag for flag, there in found.items() if there]


def _comparable(
    table: pd.DataFrame, keys: _Keys, base: Rows, candidate: Rows
) -> tuple[list[Rows], tuple[str, ...], frozenset[str], tuple[str, ...]]:
    """The rows with a common judge, the columns that tell judges apart, packs of unknown version, flags."""
    sides = [base, candidate]
    versions = [_distinct(table, keys, rows) for rows in sides]
    judges, flags = common_judges(*versions)
    if judges is None:
        return sides, (), unknown_versions(*versions), flags
    number, chosen = keys(JUDGE), pd.MultiIndex.from_tuples(judges)
    for at, version in enumerate(versions):
        common = version[pd.MultiIndex.from_frame(version[list(JUDGE)].astype(str)).isin(chosen)]
        sides[at] = sides[at][np.isin(number[sides[at]], number[common.index])]
        versions[at] = common
    columns = ("judge",) if len({name for name, _ in judges}) == len(judges) else JUDGE
    return sides, columns if len(judges) > 1 else (), unknown_versions(*versions), flags


def _distinct(table: pd.DataFrame, keys: _Keys, rows: Rows) -> pd.DataFrame:
    """The distinct combinations of VERSION among some rows, each with the number of one row as its index."""
    _, first = np.unique(keys(VERSION)[rows], return_index=True)
    return table[list(VERSION)].iloc[rows[first]]
