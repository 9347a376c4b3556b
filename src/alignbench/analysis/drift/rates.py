"""How rates change between two levels of an axis, and the correction for asking of many models and levels."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from alignbench.analysis.compare.contrast import contrast
from alignbench.analysis.compare.rows import ChangeRow, compare_rows
from alignbench.analysis.drift.outputs import both_judged
from alignbench.analysis.drift.rows import DriftRateRow
from alignbench.vocabulary import OVERALL, Flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from alignbench.analysis.drift.outputs import LevelPair

__all__ = ["adjusted", "rates"]

_CIRCUMSTANCES = ("condition", "nudge", "turn", "turns")
"""Columns in which the outputs of two levels differ."""


def rates(levels: LevelPair, pairs: pd.DataFrame, seed: int) -> Iterator[DriftRateRow]:
    """The change of both errors and of both measures of usefulness.

    Args:
        levels: The two levels.
        pairs: Their outputs side by side.
        seed: Of the drawn sign patterns.

    Raises:
        NotComparableError: A pack or rubric differs between the levels.
    """
    if not both_judged(pairs).any():
        yield DriftRateRow(group=levels.group, measure=None, pack=OVERALL, scenarios=0, pairs=0, flags=(Flag.NO_PAIRS,))
        return
    # A nudge does not reach twins: the measure of a kind that one level lacks is left out.
    kinds = set(levels.base["twin"]) & set(levels.other["twin"])
    base, other = (rows[rows["twin"].isin(kinds)] for rows in (levels.base, levels.other))
    found = contrast(
        base,
        other,
        names=levels.names,
        partners=levels.partners,
        differs=_CIRCUMSTANCES,
        confidence=levels.confidence,
        seed=seed,
    )
    for row in compare_rows([found]):
        shared = {one.name: getattr(row, one.name) for one in fields(ChangeRow)}
        yield DriftRateRow(**{**shared, "group": {**levels.group, **row.group}}, flags=row.flags)


def adjusted(rows: Sequence[DriftRateRow]) -> list[DriftRateRow]:
    """Benjamini-Hochberg over the rows that speak of all packs, for each measure.

    Args:
        rows: Of every model and pair of levels.
    """
    alone = Counter(map(_question, rows))
    # Imported here, for it takes a third of a second.
    from scipy.stats import false_discovery_control

    families: dict[str | None, list[int]] = {}
    for at, row in enumerate(rows):
        if row.p is not None and (row.pack == OVERALL or alone[_question(row)] == 1):
            families.setdefault(row.measure, []).append(at)
    found = list(rows)
    for family in families.values():
        corrected = false_discovery_control([rows[at].p for at in family], method="bh")
        for at, p in zip(family, corrected.tolist(), strict=True):
            found[at] = replace(rows[at], p_bh=p)
    return found


def _question(row: DriftRateRow) -> tuple[object, ...]:
    """What a row is about, but for its pack."""
    return (*row.group.values(), row.measure)
