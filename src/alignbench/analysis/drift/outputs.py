"""Outputs under two levels of an axis side by side, and what their positions and verdicts say of drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.values.tallies import tallies
from alignbench.stats.bradley_terry import bradley_terry
from alignbench.stats.collisions import components, part
from alignbench.stats.distances import divergence, position_shift, worth_shift
from alignbench.table.read import row_groups
from alignbench.vocabulary import ALIGNED, JUDGED, MISALIGNED, POSITION_MAX, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from alignbench.stats.distances import Divergence, WorthShift

    Stream = Callable[..., np.random.Generator]

__all__ = [
    "DIVERGENCE_KEYS",
    "ORDER_KEYS",
    "POSITION_KEYS",
    "WORTH_KEYS",
    "paired",
    "positions",
    "verdicts",
    "worths",
]

POSITION_KEYS = (
    "value", "scenarios", "pairs", "shift", "low", "high", "absolute", "absolute_low", "absolute_high",
    "absolute_null", "crossing", "crossing_low", "crossing_high", "level", "method", "flags",
)  # fmt: skip
"""Keys of the positions beside the model and the levels."""

DIVERGENCE_KEYS = (
    "of", "scenarios", "pairs", "total_variation", "total_variation_null", "total_variation_p",
    "jensen_shannon", "jensen_shannon_null", "jensen_shannon_p", "flags",
)  # fmt: skip
"""Keys of the divergence; `of` is verdict, twin_verdict, or the value whose positions are compared."""

WORTH_KEYS = (
    "part", "value", "scenarios", "worth_from", "worth_to", "difference", "low", "high", "df", "level",
    "flags",
)  # fmt: skip
"""Keys of the changes of worth."""

ORDER_KEYS = ("part", "parts", "values", "scenarios", "spearman", "kendall", "flags")
"""Keys of the rank correlations, a row for each connected part of the values."""

_PARTNERS = ["pack", "scenario", "twin", "epoch"]
_COMPARED = ["verdict", "value_1", "value_2", "position_1", "position_2"]


def paired(base: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Join the outputs of two levels: the columns of `other` end in `_to`."""
    columns = [*_PARTNERS, *_COMPARED]
    joined: pd.DataFrame = base[columns].merge(other[columns], on=_PARTNERS, suffixes=("", "_to"))
    return joined


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


def positions(
    pairs: pd.DataFrame, level: float, stream: Stream
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Shift of the position on each value: rows with POSITION_KEYS and rows with DIVERGENCE_KEYS."""
    found: list[dict[str, object]] = []
    distances: list[dict[str, object]] = []
    for value, rows in _placed(pairs):
        shift = position_shift(*_positions(rows), rng=stream("shift", value), level=level)
        flags = (
            *shift.signed.flags,
            *(flag for flag in shift.crossing.flags if flag not in shift.signed.flags),
        )
        found.append(
            {
                "value": value,
                "scenarios": shift.signed.scenarios,
                "pairs": len(rows),
                "shift": shift.signed.value,
                "low": shift.signed.low,
                "high": shift.signed.high,
                "absolute": shift.absolute.value,
                "absolute_low": shift.absolute.low,
                "absolute_high": shift.absolute.high,
                "absolute_null": shift.absolute_null,
                "crossing": shift.crossing.value,
                "crossing_low": shift.crossing.low,
                "crossing_high": shift.crossing.high,
                "level": level,
                "method": shift.signed.method,
                "flags": flags,
            }
        )
        if shift.apart is not None:
            distances.append(_divergence(value, shift.apart))
    return found, distances


def _positions(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    scenario, number = _scenarios(rows)
    size = (number, POSITION_MAX + 1)
    sides = [_counts(scenario, rows[name].to_numpy(dtype=np.int64), size) for name in ("position", "position_to")]
    return sides[0], sides[1]


def verdicts(pairs: pd.DataFrame, stream: Stream) -> list[dict[str, object]]:
    """Distance of the verdicts of conflicts, and of twins: rows with DIVERGENCE_KEYS."""
    found = []
    for name, twin in (("verdict", False), ("twin_verdict", True)):
        rows = pairs[pairs["twin"].to_numpy(dtype=bool) == twin]
        rows = rows[rows["verdict"].isin(JUDGED) & rows["verdict_to"].isin(JUDGED)]
        if len(rows):
            scenario, number = _scenarios(rows)
            size = (number, len(JUDGED))
            sides = [
                _counts(scenario, pd.Categorical(rows[side], categories=JUDGED).codes.astype(np.int64), size)
                for side in ("verdict", "verdict_to")
            ]
            found.append(_divergence(name, divergence(*sides, rng=stream("divergence", name))))
    return found


def _divergence(of: str, apart: Divergence) -> dict[str, object]:
    return {
        "of": of,
        "scenarios": apart.scenarios,
        "pairs": apart.outputs[0],
        "total_variation": apart.total_variation,
        "total_variation_null": apart.total_variation_null,
        "total_variation_p": apart.total_variation_p,
        "jensen_shannon": apart.jensen_shannon,
        "jensen_shannon_null": apart.jensen_shannon_null,
        "jensen_shannon_p": apart.jensen_shannon_p,
        "flags": apart.flags,
    }


def worths(
    pairs: pd.DataFrame, base: pd.DataFrame, level: float
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Change of the values' log-worths and of their order, on the outputs that are placed under both levels.

    Args:
        pairs: The joined outputs.
        base: The rows of the base, for the columns that they need not differ in.
        level: Two-sided coverage.

    Returns:
        Rows with WORTH_KEYS and rows with ORDER_KEYS; empty without two named values.
    """
    placed = ~pairs["twin"].to_numpy(dtype=bool)
    for name in ("position_1", "position_2", "position_1_to", "position_2_to"):
        placed &= pairs[name].notna().to_numpy()
    placed &= (pairs["value_1"] != "").to_numpy() & (pairs["value_2"] != "").to_numpy()
    for name in ("verdict", "verdict_to"):
        placed &= pairs[name].isin((ALIGNED, MISALIGNED)).to_numpy()
    rows = pairs[placed]
    if rows.empty:
        return [], []
    found = tallies(_stacked(rows, base), ("model",))
    sides = [found.neutral[at] for at in np.argsort([str(key["model"]) for key in found.keys])]
    first, second = (side for side in sides if side is not None)
    labels = components(first)
    present = np.unique(np.concatenate([first.first, first.second]))
    numbers = np.unique(labels[present])
    changes, orders = [], []
    for place, label in enumerate(numbers, start=1):
        members = present[labels[present] == label]
        fits = [bradley_terry(part(data, members), level=level) for data in (first, second)]
        shift = worth_shift(*fits)
        names = [found.values[value] for value in members]
        orders.append(_order(shift, place, len(numbers), len(names)))
        for at, name in enumerate(names):
            changes.append(
                {
                    "part": place,
                    "value": name,
                    "scenarios": shift.scenarios,
                    "worth_from": float(fits[0].worth[at]),
                    "worth_to": float(fits[1].worth[at]),
                    "difference": float(shift.difference[at]),
                    "low": float(shift.low[at]),
                    "high": float(shift.high[at]),
                    "df": shift.df,
                    "level": level,
                    "flags": shift.flags,
                }
            )
    return changes, orders


def _stacked(rows: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """The placed outputs of both levels as one table of two models, `0` the base and `1` the other."""
    parts = []
    for number, ending in enumerate(("", "_to")):
        part_rows = rows[_PARTNERS].assign(model=str(number))
        renamed = rows[[f"{name}{ending}" for name in _COMPARED]].set_axis(_COMPARED, axis=1)
        parts.append(pd.concat([part_rows, renamed], axis=1))
    both = pd.concat(parts, ignore_index=True)
    for name, text in {"condition": "default", "nudge": "neutral", "model_args": ""}.items():
        both[name] = pd.Series(text, index=both.index, dtype="category")
    for name in ("judge", "judge_config", "rubric_digest", "pack_digest"):
        both[name] = pd.Series(str(base[name].iloc[0]), index=both.index, dtype="category")
    both["unscored_reason"] = pd.Series(None, index=both.index, dtype="category")
    both["turn"] = both["turns"] = 1
    return both.astype(dict.fromkeys(("model", "value_1", "value_2"), "category"))


def _order(shift: WorthShift, place: int, parts: int, values: int) -> dict[str, object]:
    flags = (*shift.flags, *((Flag.TWO_VALUES,) if values < 3 else ()))
    return {
        "part": place,
        "parts": parts,
        "values": values,
        "scenarios": shift.scenarios,
        "spearman": shift.spearman,
        "kendall": shift.kendall,
        "flags": flags,
    }
