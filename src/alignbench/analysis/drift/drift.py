"""Do answers drift between circumstances? The same scenarios under two levels of an axis, paired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alignbench.analysis.drift.levels import Axis, axis_levels
from alignbench.analysis.drift.outputs import LevelPair, positions, verdicts
from alignbench.analysis.drift.rates import adjusted, rates
from alignbench.analysis.drift.rows import (
    DivergenceRow,
    DriftRateRow,
    DriftRow,
    FlipRow,
    OrderChangeRow,
    PositionShiftRow,
    SurvivalRow,
    WorthChangeRow,
)
from alignbench.analysis.drift.streams import Streams
from alignbench.analysis.drift.turns import turns
from alignbench.analysis.drift.worths import worths
from alignbench.stats.estimate import check_confidence
from alignbench.table.counts import identify
from alignbench.table.frames import rows_frame, sorted_groups
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

__all__ = ["PARTS", "PART_ROWS", "Drift", "drift"]

PART_ROWS: Final[Mapping[str, type[DriftRow]]] = {
    "rates": DriftRateRow,
    "positions": PositionShiftRow,
    "divergence": DivergenceRow,
    "worths": WorthChangeRow,
    "orders": OrderChangeRow,
    "survival": SurvivalRow,
    "flips": FlipRow,
}
"""The frames and their rows."""

PARTS = tuple(PART_ROWS)
"""Names of the frames."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drift:
    """What changes between the default level of an axis and each other one, as data frames.

    All frames but the last two hold a row for each model (and whatever identifies its judge) and each pair
    of levels, `from` the default `to` another.

    Attributes:
        axis: The axis.
        rates: Misalignment and over-refusal: mid-P Gaffke intervals, sign-flip p, Holm over packs, Benjamini-Hochberg
            over models and levels (`p_bh`, of the overall rows).
        positions: Shift of the 0-6 position on each value: signed, absolute with its noise, share crossing
            neutral.
        divergence: Total variation and Jensen-Shannon divergence of verdicts and positions with their null.
        worths: Change of the log-worth of each value (jackknife over the shared scenarios).
        orders: Rank correlations of the values' order.
        survival: Where conversations have turns: share that holds its stance through each turn, by level.
        flips: Turn of flip, turns held, number of flips, by level.
        confidence: Two-sided coverage.
        seed: Of every random draw.
    """

    axis: str
    rates: pd.DataFrame
    positions: pd.DataFrame
    divergence: pd.DataFrame
    worths: pd.DataFrame
    orders: pd.DataFrame
    survival: pd.DataFrame
    flips: pd.DataFrame
    confidence: float
    seed: int


def drift(table: pd.DataFrame, axis: str = "condition", *, confidence: float = 0.95, seed: int = 0) -> Drift:
    """Compare each level of an axis with its default, on the same scenarios.

    Outputs are partners if pack, scenario, twin and epoch agree; last turns, unless the axis is the turn
    itself.

    Args:
        table: A verdict table.
        axis: `condition` (each condition against the default one), `nudge`, `turn` (each turn against the
            first), or an axis that conditions name, such as `monitoring` (then the other axes stand at
            their defaults).
        confidence: Two-sided coverage of the intervals.
        seed: Seed of every random draw; each row has its own stream.

    Raises:
        InputError: The table does not vary along the axis, or an option is unusable.
        NotComparableError: A pack or rubric differs between the levels.
    """
    check_confidence(confidence)
    labelled, columns = identify(as_table(table), ())
    columns = [name for name in columns if name != "pack_digest"]
    group, first = sorted_groups(labelled, columns)
    found = axis_levels(labelled, axis)
    rows: list[DriftRow] = []
    for number, row in enumerate(first):
        key = {name: labelled[name].iloc[row] for name in columns}
        own = found.of(labelled.index[group == number])
        rows += _model_rows(own, key, confidence, Streams(seed, (str(list(key.values())), axis)))
    rows = [*adjusted([row for row in rows if isinstance(row, DriftRateRow)]),
            *(row for row in rows if not isinstance(row, DriftRateRow))]  # fmt: skip
    frames = {name: _frame(rows, kind, columns) for name, kind in PART_ROWS.items()}
    frames["rates"] = frames["rates"].astype({"p_bh": float})
    return Drift(axis=axis, confidence=confidence, seed=seed, **frames)


def _frame(rows: list[DriftRow], kind: type, columns: list[str]) -> pd.DataFrame:
    """The rows of one kind; those of conversations are of one level each."""
    levels = ["at"] if kind in (SurvivalRow, FlipRow) else ["from", "to"]
    return rows_frame([row for row in rows if isinstance(row, kind)], kind, [*columns, *levels])


def _model_rows(axis: Axis, key: dict[str, object], confidence: float, streams: Streams) -> Iterator[DriftRow]:
    """All rows of one model."""
    yield from turns(key, axis.conversations, confidence, streams)
    if axis.base not in axis.levels:
        return
    for name, rows in axis.levels.items():
        if name != axis.base:
            levels = LevelPair(
                group={**key, "from": axis.base, "to": name},
                names=(axis.base, name),
                base=axis.levels[axis.base],
                other=rows,
                partners=axis.partners,
                confidence=confidence,
                streams=streams.within(name),
            )
            yield from _pair_rows(levels, streams.seed)


def _pair_rows(levels: LevelPair, seed: int) -> Iterator[DriftRow]:
    """What changes from one level to another."""
    pairs = levels.side_by_side()
    yield from worths(levels, pairs)
    yield from verdicts(levels, pairs)
    yield from positions(levels, pairs)
    yield from rates(levels, pairs, seed)
