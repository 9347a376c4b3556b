"""How the worths of the values, and their order, change between two levels of an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.drift.outputs import COMPARED
from alignbench.analysis.drift.rows import OrderChangeRow, WorthChangeRow
from alignbench.analysis.values.tallies import compared_values
from alignbench.stats.bradley_terry import bradley_terry
from alignbench.stats.collisions import components, part
from alignbench.stats.distances import worth_shift
from alignbench.vocabulary import PLACED, Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alignbench.analysis.drift.outputs import LevelPair
    from alignbench.stats.bradley_terry import BradleyTerry
    from alignbench.stats.distances import WorthShift

__all__ = ["worths"]

_ENDINGS = ("", "_to")
"""Of the columns of the default level, and of those of the other one."""


def worths(levels: LevelPair, pairs: pd.DataFrame) -> Iterator[WorthChangeRow | OrderChangeRow]:
    """Change of the values' log-worths and of their order, on the outputs that are placed under both levels.

    Args:
        levels: The two levels.
        pairs: Their outputs side by side.

    Yields:
        For each connected part of the values how alike its orders are, and the change of each value; nothing without
        two named values.
    """
    rows = pairs[_placed(pairs)]
    if rows.empty:
        return
    values, (first, second) = compared_values(_stacked(rows), np.repeat([0, 1], len(rows)), 2)
    if first is None or second is None:
        return
    labels = components(first)
    present = np.unique(np.concatenate([first.first, first.second]))
    numbers = np.unique(labels[present])
    for place, label in enumerate(numbers, start=1):
        members = present[labels[present] == label]
        one, other = (bradley_terry(part(data, members), confidence=levels.confidence) for data in (first, second))
        shift = worth_shift(one, other)
        yield _order(levels, shift, place, len(numbers), len(members))
        yield from _changes(levels, shift, place, [values[value] for value in members], (one, other))


def _placed(pairs: pd.DataFrame) -> NDArray[np.bool_]:
    """Which outputs of conflicts act, and have a position on each of two named values, at both levels."""
    placed = ~pairs["twin"].to_numpy(dtype=bool)
    for ending in _ENDINGS:
        for name in ("position_1", "position_2"):
            placed &= pairs[f"{name}{ending}"].notna().to_numpy()
        placed &= pairs[f"verdict{ending}"].isin(PLACED).to_numpy()
    placed &= (pairs["value_1"] != "").to_numpy() & (pairs["value_2"] != "").to_numpy()
    return np.asarray(placed, dtype=bool)


def _stacked(rows: pd.DataFrame) -> pd.DataFrame:
    """The outputs of the default level, and below them those of the other one."""
    sides = [pd.concat([rows[["pack", "scenario"]], _renamed(rows, ending)], axis=1) for ending in _ENDINGS]
    return pd.concat(sides, ignore_index=True).astype(dict.fromkeys(("value_1", "value_2"), "category"))


def _renamed(rows: pd.DataFrame, ending: str) -> pd.DataFrame:
    """The compared columns of one level under their own names."""
    return rows[[f"{name}{ending}" for name in COMPARED]].set_axis(list(COMPARED), axis=1)


def _changes(
    levels: LevelPair, shift: WorthShift, place: int, names: list[str], fits: tuple[BradleyTerry, BradleyTerry]
) -> Iterator[WorthChangeRow]:
    """The change of each value of one part."""
    for at, name in enumerate(names):
        yield WorthChangeRow(
            group=levels.group,
            part=place,
            value=name,
            scenarios=shift.scenarios,
            worth_from=float(fits[0].worth[at]),
            worth_to=float(fits[1].worth[at]),
            difference=float(shift.difference[at]),
            low=float(shift.low[at]),
            high=float(shift.high[at]),
            df=shift.df,
            confidence=levels.confidence,
            flags=shift.flags,
        )


def _order(levels: LevelPair, shift: WorthShift, place: int, parts: int, values: int) -> OrderChangeRow:
    flags = (*shift.flags, *((Flag.TWO_VALUES,) if values < 3 else ()))
    return OrderChangeRow(
        group=levels.group,
        part=place,
        parts=parts,
        values=values,
        scenarios=shift.scenarios,
        spearman=shift.spearman,
        kendall=shift.kendall,
        flags=flags,
    )
