"""Positions on two values, added up by scenario: the step from the verdict table to value priorities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignbench.circumstances import NUDGE, axes_of
from alignbench.errors import InputError
from alignbench.stats.collisions import comparisons, tally
from alignbench.table.counts import identify
from alignbench.table.frames import sorted_groups
from alignbench.table.read import require_columns
from alignbench.vocabulary import ALIGNED, MISALIGNED, POSITION_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.stats.collisions import Comparisons

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["FATES", "Tallies", "compared_values", "tallies"]

FATES = ("placed", "refused", "deferred", "off_task", "no_position", "no_values", "unscored")
"""What became of an output; only placed ones are compared."""

_NUDGES = {"neutral": 0, "value_1": 1, "value_2": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Placed outputs by group (by default a model under one judge), scenario and nudge.

    Attributes:
        columns: The grouping columns.
        keys: Their values, a mapping a group.
        values: Names of the values, sorted.
        scenarios: Pack and name of each scenario, sorted.
        pairs: Numbers of its two values, the smaller first, shape (S, 2).
        every: Comparisons of each group, nudged outputs included; None where it has none.
        neutral: Comparisons of the default condition alone; None likewise.
        n: Placed outputs of the default condition, shape (groups, S).
        total: Sums of their positions on the two values of `pairs`, shape (groups, S, 2).
        squares: Sums of squared positions, same shape.
        levels: Outputs of the default condition by value and position, shape (groups, V, 7).
        fates: Outputs, nudged ones included, by FATES, shape (groups, 7).
        unscored: Outputs without a verdict by reason, a mapping a group.
    """

    columns: list[str]
    keys: list[dict[str, object]]
    values: list[str]
    scenarios: list[tuple[str, str]]
    pairs: Integers
    every: list[Comparisons | None]
    neutral: list[Comparisons | None]
    n: Floats
    total: Floats
    squares: Floats
    levels: Floats
    fates: Integers
    unscored: list[dict[str, int]]


def tallies(table: pd.DataFrame, by: Sequence[str]) -> Tallies:
    """Count, by scenario, which of its two values each output stands closer to.

    Conflicts at their last turn, in the default condition or nudged and nothing else.

    Args:
        table: A verdict table with value and position columns.
        by: Columns to group by; the model and what identifies its judge are added.

    Raises:
        InputError: A needed column is missing, nothing is left, or a scenario has two pairs of values, or a
            pair is one value twice.
    """
    require_columns(table, ("value_1", "value_2", "position_1", "position_2"), "priorities")
    chosen, columns = identify(table[_wanted(table)], by)
    group, group_rows = sorted_groups(chosen, columns)
    fate = _fates(chosen)
    if not (fate == 0).any():
        raise InputError("no conflict output has positions on two values", allowed="positions 0 to 6")
    placed = chosen[fate == 0]
    frame = _placed(placed)
    values, pairs = frame.values, frame.pairs
    outputs = _outputs(placed, group[fate == 0], frame, nudge=_leaning(placed))
    neutral = outputs.take((outputs.nudge == 0) & (placed["condition"] == "default").to_numpy())
    groups, shape = len(group_rows), (len(group_rows), len(pairs))
    return Tallies(
        columns=columns,
        keys=[{name: chosen[name].iloc[row] for name in columns} for row in group_rows],
        values=values,
        scenarios=frame.names,
        pairs=pairs,
        every=[_compared(outputs, number, pairs, len(values)) for number in range(groups)],
        neutral=[_compared(neutral, number, pairs, len(values)) for number in range(groups)],
        n=neutral.sums(shape, np.ones(len(neutral.group))),
        total=np.stack([neutral.sums(shape, side) for side in neutral.position.T], axis=-1),
        squares=np.stack([neutral.sums(shape, side**2) for side in neutral.position.T], axis=-1),
        levels=_levels(neutral, pairs, (groups, len(values))),
        fates=np.bincount(group * len(FATES) + fate, minlength=groups * len(FATES)).reshape(groups, -1),
        unscored=_reasons(chosen, group, groups),
    )


def compared_values(placed: pd.DataFrame, group: Integers, groups: int) -> tuple[list[str], list[Comparisons | None]]:
    """Which of its two values each output stands closer to, by scenario, whatever it was nudged to.

    Args:
        placed: Outputs with a position on each of two named values: the columns `pack`, `scenario`, and `value_1`,
            `value_2`, `position_1`, `position_2`.
        group: Number of the group that an output is in, from 0.
        groups: How many there are.

    Returns:
        The names of the values, sorted, and the comparisons of each group; None for a group without outputs.

    Raises:
        InputError: A scenario has two pairs of values, or a pair is one value twice.
    """
    frame = _placed(placed)
    outputs = _outputs(placed, group, frame, nudge=np.zeros(len(placed), dtype=np.int64))
    return frame.values, [_compared(outputs, number, frame.pairs, len(frame.values)) for number in range(groups)]


def _wanted(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Conflicts, at the last turn, in the default condition or with a nudge and nothing else."""
    plain = [name for name in table["condition"].cat.categories if axes_of(str(name)) <= {NUDGE}]
    wanted: NDArray[np.bool_] = (
        ~table["twin"].to_numpy(dtype=bool)
        & (table["turn"] == table["turns"]).to_numpy(dtype=bool)
        & table["condition"].isin(plain).to_numpy()
    )
    if not wanted.any():
        raise InputError("no conflict in the default condition at its last turn", allowed="condition default")
    return wanted


def _fates(table: pd.DataFrame) -> Integers:
    """What became of each output, as a number into FATES."""
    fate = np.full(len(table), FATES.index("unscored"), dtype=np.int64)
    for name in ("refused", "deferred", "off_task"):
        fate[table["verdict"] == name] = FATES.index(name)
    judged = table["verdict"].isin((ALIGNED, MISALIGNED)).to_numpy()
    known = (table["position_1"].notna() & table["position_2"].notna()).to_numpy()
    named = ((table["value_1"] != "") & (table["value_2"] != "")).to_numpy()
    fate[judged] = FATES.index("no_values")
    fate[judged & named] = FATES.index("no_position")
    fate[judged & named & known] = FATES.index("placed")
    return fate


def _numbered_values(placed: pd.DataFrame) -> tuple[list[str], Integers]:
    """Names of all values, sorted, and the numbers of each row's two, shape (rows, 2)."""
    columns = [placed[name].cat.remove_unused_categories().cat for name in ("value_1", "value_2")]
    values = sorted({str(name) for column in columns for name in column.categories})
    numbers = {name: number for number, name in enumerate(values)}
    lookups = [np.array([numbers[str(name)] for name in column.categories]) for column in columns]
    return values, np.stack([look[c.codes] for look, c in zip(lookups, columns, strict=True)], axis=1)


def _check_pairs(
    sides: Integers, pairs: Integers, scenario: Integers, values: list[str], names: list[tuple[str, str]]
) -> None:
    same = sides[:, 0] == sides[:, 1]
    if same.any():
        at = int(np.flatnonzero(same)[0])
        item, value = "/".join(names[scenario[at]]), values[sides[at, 0]]
        raise InputError(f"value_1 and value_2 are both {value!r}", item=item, allowed="two values")
    other = (np.sort(sides, axis=1) != pairs[scenario]).any(axis=1)
    if other.any():
        at = int(np.flatnonzero(other)[0])
        item = "/".join(names[scenario[at]])
        one, two = (" : ".join(values[v] for v in sorted(pair)) for pair in (pairs[scenario[at]], sides[at]))
        raise InputError(f"two pairs of values: {one!r} and {two!r}", item=item, allowed="one pair a scenario")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Placed:
    """What some placed outputs are of.

    Attributes:
        names: Pack and name of each scenario, sorted.
        scenario: The scenario of each output, as a number.
        values: Names of the values, sorted.
        sides: The numbers of the two values of each output, shape (outputs, 2).
        pairs: Those of each scenario, the smaller first, shape (scenarios, 2).
    """

    names: list[tuple[str, str]]
    scenario: Integers
    values: list[str]
    sides: Integers
    pairs: Integers


def _placed(placed: pd.DataFrame) -> _Placed:
    """Number the scenarios and the values of placed outputs."""
    scenario, rows = sorted_groups(placed, ["pack", "scenario"])
    names = list(zip(*(placed[name].iloc[rows].astype(str) for name in ("pack", "scenario")), strict=True))
    values, sides = _numbered_values(placed)
    pairs = np.sort(sides[rows], axis=1)
    _check_pairs(sides, pairs, scenario, values, names)
    return _Placed(names=names, scenario=scenario, values=values, sides=sides, pairs=pairs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Outputs:
    """Placed outputs, turned so that the smaller-numbered value comes first; vectors of one length."""

    group: Integers
    scenario: Integers
    position: Floats
    nudge: Integers

    def take(self, rows: NDArray[np.bool_]) -> _Outputs:
        return _Outputs(
            group=self.group[rows],
            scenario=self.scenario[rows],
            position=self.position[rows],
            nudge=self.nudge[rows],
        )

    def sums(self, shape: tuple[int, int], weights: Floats) -> Floats:
        """Sums by group and scenario."""
        return tally(self.group * shape[1] + self.scenario, weights, shape[0] * shape[1]).reshape(shape)


def _leaning(placed: pd.DataFrame) -> Integers:
    """Which of its two values each output was nudged to: +1 the first, -1 the second, 0 neither."""
    look = np.array([_NUDGES[str(name)] for name in placed["nudge"].cat.categories])
    found: Integers = look[placed["nudge"].cat.codes]
    return found


def _outputs(placed: pd.DataFrame, group: Integers, frame: _Placed, *, nudge: Integers) -> _Outputs:
    turned = frame.sides[:, 0] > frame.sides[:, 1]
    position = placed[["position_1", "position_2"]].to_numpy(dtype=float)
    return _Outputs(
        group=group,
        scenario=frame.scenario,
        position=np.where(turned[:, None], position[:, ::-1], position),
        nudge=np.where(turned, -nudge, nudge),
    )


def _compared(outputs: _Outputs, group: int, pairs: Integers, values: int) -> Comparisons | None:
    """Which value the outputs of one group stand closer to, by scenario and nudge."""
    own = outputs.take(outputs.group == group)
    if not len(own.group):
        return None
    keys, row = np.unique(own.scenario * 3 + own.nudge + 1, return_inverse=True)
    # 0 the first value is favoured, 1 a tie, 2 the second.
    outcome = 1 - np.sign(own.position[:, 0] - own.position[:, 1]).astype(np.int64)
    counts = tally(row * 3 + outcome, np.ones(len(row)), 3 * len(keys)).reshape(-1, 3)
    first, second = pairs[keys // 3].T
    return comparisons(first, second, keys % 3 - 1, counts, keys // 3, values)


def _levels(outputs: _Outputs, pairs: Integers, shape: tuple[int, int]) -> Floats:
    """Outputs by group, value and position."""
    groups, values = shape
    steps = POSITION_MAX + 1
    sums = np.zeros(groups * values * steps)
    for side in (0, 1):
        cell = (outputs.group * values + pairs[outputs.scenario, side]) * steps
        sums += np.bincount(cell + outputs.position[:, side].astype(np.int64), minlength=len(sums))
    return sums.reshape(groups, values, steps)


def _reasons(table: pd.DataFrame, group: Integers, groups: int) -> list[dict[str, int]]:
    """Outputs without a verdict by reason, for each group."""
    found: list[dict[str, int]] = [{} for _ in range(groups)]
    reason = table["unscored_reason"]
    for code, name in enumerate(reason.cat.categories):
        for number, count in enumerate(np.bincount(group[reason.cat.codes == code], minlength=groups)):
            if count:
                found[number][str(name)] = int(count)
    return found
