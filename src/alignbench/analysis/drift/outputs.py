"""Outputs under two levels of an axis side by side, and what their positions and verdicts say of drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.drift.rows import DivergenceRow, PositionShiftRow
from alignbench.stats.distances import divergence, position_shift
from alignbench.table.read import row_groups
from alignbench.vocabulary import JUDGED, POSITION_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alignbench.analysis.drift.streams import Streams
    from alignbench.stats.distances import Divergence

__all__ = ["COMPARED", "LevelPair", "both_judged", "positions", "verdicts"]

COMPARED = ("verdict", "value_1", "value_2", "position_1", "position_2")
"""What outputs at two levels are compared on; the columns of the second end in `_to`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelPair:
    """The outputs of one model at the default level of an axis and at another one.

    Attributes:
        group: What names its rows: the model, what identifies its judge, and both levels.
        names: The two levels.
        base: The rows at the default level.
        other: The rows at the other.
        partners: Columns in which partners agree.
        confidence: Two-sided coverage of the intervals.
        streams: Of its random draws.
    """

    group: dict[str, object]
    names: tuple[str, str]
    base: pd.DataFrame
    other: pd.DataFrame
    partners: tuple[str, ...]
    confidence: float
    streams: Streams

    def side_by_side(self) -> pd.DataFrame:
        """The outputs that stand at both levels: the partners' columns, COMPARED, and COMPARED again with `_to`."""
        columns, partners = [*self.partners, *COMPARED], list(self.partners)
        joined: pd.DataFrame = self.base[columns].merge(self.other[columns], on=partners, suffixes=("", "_to"))
        return joined


def both_judged(pairs: pd.DataFrame) -> NDArray[np.bool_]:
    """Which outputs have a verdict that counts at both levels."""
    return (pairs["verdict"].isin(JUDGED) & pairs["verdict_to"].isin(JUDGED)).to_numpy(dtype=bool)


def _counts(scenario: NDArray[np.int64], category: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.int64]:
    return np.bincount(scenario * size[1] + category, minlength=size[0] * size[1]).reshape(size)


def _scenarios(rows: pd.DataFrame) -> tuple[NDArray[np.int64], int]:
    """The number of each row's scenario, and how many there are."""
    names, scenario = np.unique(row_groups([rows["pack"], rows["scenario"]]), return_inverse=True)
    return scenario, len(names)


def _placed(pairs: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """For each value the pairs in which it stands, with the positions on it: `position`, `position_to`."""
    conflicts = pairs[~pairs["twin"].to_numpy(dtype=bool)]
    sides = []
    for side in ("1", "2"):
        name = f"position_{side}"
        known = conflicts[conflicts[name].notna() & conflicts[f"{name}_to"].notna()]
        named = known[f"value_{side}"].astype(str).to_numpy()
        names = np.where(named == "", f"value_{side}", named)
        rows = known[["pack", "scenario"]].assign(value=names, position=known[name], position_to=known[f"{name}_to"])
        sides.append(rows)
    both = pd.concat(sides, ignore_index=True)
    for value, rows in both.groupby("value"):
        yield str(value), rows


def positions(levels: LevelPair, pairs: pd.DataFrame) -> Iterator[PositionShiftRow | DivergenceRow]:
    """Shift of the position on each value, and how far the two distributions of positions lie apart.

    Args:
        levels: The two levels.
        pairs: Their outputs side by side.
    """
    for value, rows in _placed(pairs):
        rng = levels.streams.stream("shift", value)
        shift = position_shift(*_positions(rows), rng=rng, confidence=levels.confidence)
        flags = (*shift.signed.flags, *(flag for flag in shift.crossing.flags if flag not in shift.signed.flags))
        yield PositionShiftRow(
            group=levels.group,
            value=value,
            scenarios=shift.signed.scenarios,
            pairs=len(rows),
            shift=shift.signed.value,
            low=shift.signed.low,
            high=shift.signed.high,
            absolute=shift.absolute.value,
            absolute_low=shift.absolute.low,
            absolute_high=shift.absolute.high,
            absolute_null=shift.absolute_null,
            crossing=shift.crossing.value,
            crossing_low=shift.crossing.low,
            crossing_high=shift.crossing.high,
            confidence=levels.confidence,
            method=shift.signed.method,
            flags=flags,
        )
        if shift.apart is not None:
            yield _divergence(levels, value, shift.apart)


def _positions(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    scenario, number = _scenarios(rows)
    size = (number, POSITION_MAX + 1)
    sides = [_counts(scenario, rows[name].to_numpy(dtype=np.int64), size) for name in ("position", "position_to")]
    return sides[0], sides[1]


def verdicts(levels: LevelPair, pairs: pd.DataFrame) -> Iterator[DivergenceRow]:
    """How far the verdicts of conflicts, and those of twins, lie apart.

    Args:
        levels: The two levels.
        pairs: Their outputs side by side.
    """
    judged = pairs[both_judged(pairs)]
    for name, twin in (("verdict", False), ("twin_verdict", True)):
        rows = judged[judged["twin"].to_numpy(dtype=bool) == twin]
        if rows.empty:
            continue
        scenario, number = _scenarios(rows)
        sides = [
            _counts(scenario, _verdict_codes(rows[side]), (number, len(JUDGED))) for side in ("verdict", "verdict_to")
        ]
        apart = divergence(sides[0], sides[1], rng=levels.streams.stream("divergence", name))
        yield _divergence(levels, name, apart)


def _verdict_codes(verdict: pd.Series) -> NDArray[np.int64]:
    return np.asarray(pd.Categorical(verdict, categories=JUDGED).codes, dtype=np.int64)


def _divergence(levels: LevelPair, of: str, apart: Divergence) -> DivergenceRow:
    return DivergenceRow(
        group=levels.group,
        of=of,
        scenarios=apart.scenarios,
        pairs=apart.outputs[0],
        total_variation=apart.total_variation,
        total_variation_null=apart.total_variation_null,
        total_variation_p=apart.total_variation_p,
        jensen_shannon=apart.jensen_shannon,
        jensen_shannon_null=apart.jensen_shannon_null,
        jensen_shannon_p=apart.jensen_shannon_p,
        flags=apart.flags,
    )
