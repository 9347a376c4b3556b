"""Whether two sets of results may be compared: one pack, one rubric, one judge, and two different runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError, NotComparableError
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["JUDGE", "VERSION", "common_judges", "identical", "same_groups", "unknown_versions"]

JUDGE = ("judge", "judge_config")
"""What a judge's identity consists of."""

VERSION = ("pack", *JUDGE, "pack_digest", "rubric_digest")
"""What decides whether results may be compared."""


def common_judges(base: pd.DataFrame, candidate: pd.DataFrame) -> tuple[list[tuple[str, str]] | None, tuple[str, ...]]:
    """The judges of both models.

    Args:
        base: The distinct combinations of VERSION among the base's rows.
        candidate: The same of the candidate.

    Returns:
        The judges (name and configuration), or None where each side has one and it is the same, or not named;
        and the flag `judge_unknown` or `other_judges` where it applies.

    Raises:
        NotComparableError: No judge has judged both.
    """
    one, other = ({(str(name), str(config)) for name, config in side[list(JUDGE)].to_numpy()}
                  for side in (base, candidate))  # fmt: skip
    common = one & other
    if one == other and len(one) == 1:
        return None, ()
    if not common and len(one) == len(other) == 1 and "" in {name for name, _ in one | other}:
        return None, (Flag.JUDGE_UNKNOWN,)
    if not common:
        shown = [", ".join(map(_judge, sorted(side))) for side in (one, other)]
        raise NotComparableError(f"the judges differ: base {shown[0]}; candidate {shown[1]}")
    return sorted(common), (Flag.OTHER_JUDGES,) if one != other else ()


def _judge(identity: tuple[str, str]) -> str:
    return repr(identity[0]) + (f" (configuration {identity[1]})" if identity[1] else "")


def unknown_versions(base: pd.DataFrame, candidate: pd.DataFrame) -> frozenset[str]:
    """The packs on both sides of which a pack or rubric digest is not known.

    Args:
        base: The distinct combinations of VERSION among the base's rows.
        candidate: The same of the candidate.

    Raises:
        NotComparableError: A pack or a rubric differs, or one side holds it in two versions.
    """
    unknown = set()
    for what, columns in (("pack_digest", ["pack"]), ("rubric_digest", ["pack", *JUDGE])):
        first, second = _versions(base, columns, what), _versions(candidate, columns, what)
        for key in sorted(first.keys() & second.keys()):
            noun = f"pack {key[0]!r}" if what == "pack_digest" else f"the rubric of pack {key[0]!r}"
            if not _same(noun, first[key], second[key]):
                unknown.add(key[0])
    return frozenset(unknown)


def _versions(side: pd.DataFrame, columns: list[str], digest: str) -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for *key, value in side[[*columns, digest]].to_numpy():
        found.setdefault(tuple(map(str, key)), set()).add(str(value))
    return found


def _same(noun: str, base: set[str], candidate: set[str]) -> bool:
    """Whether the digests are known and equal; raises where they are known and not."""
    for side, found in (("base", base), ("candidate", candidate)):
        known = found - {""}
        if len(known) > 1:
            raise NotComparableError(f"{side} holds {noun} in {len(known)} versions: {_short(known)}")
    one, other = base - {""}, candidate - {""}
    if one and other and one != other:
        raise NotComparableError(f"{noun} differs: digest {_short(one)} in base, {_short(other)} in candidate")
    return "" not in base | candidate


def _short(digests: set[str]) -> str:
    return ", ".join(sorted(value[:12] for value in digests))


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
