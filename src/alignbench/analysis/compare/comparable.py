"""Whether two sets of outputs may be compared: one pack, one rubric, one judge, unless they differ in it on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.errors import InputError, NotComparableError
from alignbench.table.keys import JUDGE, VERSION
from alignbench.table.read import row_groups
from alignbench.text.judge_names import quoted_judges, shown_digests
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

__all__ = ["Comparable", "comparable_rows", "identical", "same_groups"]

_DIGESTS = {"pack_digest": ("pack",), "rubric_digest": ("pack", *JUDGE)}
"""A digest, and the columns of what it is the digest of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparable:
    """The rows of two sides that may be set against each other.

    Attributes:
        base: Rows of the base that a common judge has judged.
        candidate: The candidate's, likewise.
        judges: Columns that tell the judges apart, where several have judged both sides.
        unknown_packs: Packs of which a digest is not known on both sides.
        flags: `judge_unknown` or `other_judges` where it applies.
    """

    base: Rows
    candidate: Rows
    judges: tuple[str, ...]
    unknown_packs: frozenset[str]
    flags: tuple[str, ...]


def comparable_rows(table: pd.DataFrame, base: Rows, candidate: Rows, differs: Collection[str]) -> Comparable:
    """Find what may be compared; sides that differ in a column on purpose are not held to it.

    Args:
        table: Rows of both sides, with the columns VERSION.
        base: Which rows are the base's.
        candidate: Which are the candidate's.
        differs: Columns in which the sides differ on purpose; of `judge`, `pack_digest` and `rubric_digest` the others
            must agree.

    Raises:
        NotComparableError: A pack, a rubric or the judges differ, or one side holds a pack or rubric in two versions.
    """
    sides = [base, candidate]
    versions = [_distinct(table, rows) for rows in sides]
    judges, flags = (None, ()) if "judge" in differs else _common_judges(*versions)
    if judges is not None:
        number, chosen = row_groups([table[name] for name in JUDGE]), pd.MultiIndex.from_tuples(judges)
        for at, version in enumerate(versions):
            common = version[pd.MultiIndex.from_frame(version[list(JUDGE)].astype(str)).isin(chosen)]
            sides[at] = sides[at][np.isin(number[sides[at]], number[common.index])]
            versions[at] = common
    return Comparable(
        base=sides[0],
        candidate=sides[1],
        judges=_telling_apart(judges or []),
        unknown_packs=_unknown_versions(versions[0], versions[1], differs),
        flags=flags,
    )


def _telling_apart(judges: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The columns that tell judges apart; none for one judge."""
    if len(judges) < 2:
        return ()
    return ("judge",) if len({name for name, _ in judges}) == len(judges) else JUDGE


def _distinct(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """The distinct combinations of VERSION among some rows, each with the number of one row as its index."""
    _, first = np.unique(row_groups([table[name].iloc[rows] for name in VERSION]), return_index=True)
    return table[list(VERSION)].iloc[rows[first]]


def _common_judges(base: pd.DataFrame, candidate: pd.DataFrame) -> tuple[list[tuple[str, str]] | None, tuple[str, ...]]:
    """The judges of both sides, and a flag.

    Returns:
        The judges (name and configuration), or None where each side has one and it is the same, or not named;
        and the flag `judge_unknown` or `other_judges` where it applies.

    Raises:
        NotComparableError: No judge has judged both.
    """
    one, other = (
        {(str(name), str(config)) for name, config in side[list(JUDGE)].to_numpy()} for side in (base, candidate)
    )
    common = one & other
    if one == other and len(one) == 1:
        return None, ()
    if not common and len(one) == len(other) == 1 and "" in {name for name, _ in one | other}:
        return None, (Flag.JUDGE_UNKNOWN,)
    if not common:
        shown = [", ".join(quoted_judges(sorted(side))) for side in (one, other)]
        raise NotComparableError(f"the judges differ: base {shown[0]}; candidate {shown[1]}")
    return sorted(common), (Flag.OTHER_JUDGES,) if one != other else ()


def _unknown_versions(base: pd.DataFrame, candidate: pd.DataFrame, differs: Collection[str]) -> frozenset[str]:
    """The packs on both sides of which a pack or rubric digest is not known.

    Raises:
        NotComparableError: A pack or a rubric differs, or one side holds it in two versions.
    """
    unknown = set()
    for digest, columns in _DIGESTS.items():
        if digest in differs:
            continue
        first, second = _versions(base, columns, digest), _versions(candidate, columns, digest)
        for key in sorted(first.keys() & second.keys()):
            noun = f"pack {key[0]!r}" if digest == "pack_digest" else f"the rubric of pack {key[0]!r}"
            if not _same(noun, first[key], second[key]):
                unknown.add(key[0])
    return frozenset(unknown)


def _versions(side: pd.DataFrame, columns: Sequence[str], digest: str) -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for *key, value in side[[*columns, digest]].to_numpy():
        found.setdefault(tuple(map(str, key)), set()).add(str(value))
    return found


def _same(noun: str, base: set[str], candidate: set[str]) -> bool:
    """Whether the digests are known and equal; raises where they are known and not."""
    for side, found in (("base", base), ("candidate", candidate)):
        known = found - {""}
        if len(known) > 1:
            raise NotComparableError(f"{side} holds {noun} in {len(known)} versions: {shown_digests(known, ', ')}")
    one, other = base - {""}, candidate - {""}
    if one and other and one != other:
        raise NotComparableError(
            f"{noun} differs: digest {shown_digests(one, ', ')} in base, {shown_digests(other, ', ')} in candidate"
        )
    return "" not in base | candidate


def identical(base: pd.DataFrame, candidate: pd.DataFrame) -> bool:
    """Whether two aligned sets of rows of one model have the same verdicts wherever both have one.

    Raises:
        InputError: They are the very same rows, by their sample ids.
    """
    ids = base["sample_uuid"].to_numpy(dtype=object)
    if (ids != "").all() and (ids == candidate["sample_uuid"].to_numpy(dtype=object)).all():
        raise InputError("base and candidate are the same samples of one model", allowed="two runs")
    one, other = (side["verdict"].cat.codes.to_numpy() for side in (base, candidate))
    return bool(((one == other) | (one < 0) | (other < 0)).all())


def same_groups(base: pd.DataFrame, candidate: pd.DataFrame, by: Sequence[str]) -> None:
    """Refuse to group by a column that does not say the same of both partners.

    Raises:
        InputError: Names the column and the first scenario in which they differ.
    """
    for name in by:
        one, other = base[name].reset_index(drop=True), candidate[name].reset_index(drop=True)
        differs = np.flatnonzero((one != other) & ~(one.isna() & other.isna()))
        if len(differs):
            at = differs[0]
            raise InputError(
                f"cannot group by {name!r}: scenario {base['scenario'].iloc[at]!r} has {one[at]!r} in base, "
                f"{other[at]!r} in candidate",
                allowed="a column that partners share: pack, family, split, condition",
            )
