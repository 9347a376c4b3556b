"""Which value outputs favoured, counted by scenario and nudge: what value priorities rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from alignbench.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Cells", "Comparisons", "cells_of", "comparisons", "components", "part", "tally"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparisons:
    """How often one value was favoured over another, a row per scenario and nudge.

    Attributes:
        values: Number of values, V.
        scenarios: Number of scenarios, K.
        scenario: Scenario of each row, 0..K-1, shape (R,).
        first: Smaller number of the two values, shape (R,).
        second: Larger number, shape (R,).
        nudge: +1 towards `first`, -1 towards `second`, 0, shape (R,).
        counts: Outputs that favour `first`, neither, `second`, shape (R, 3).
    """

    values: int
    scenarios: int
    scenario: Integers
    first: Integers
    second: Integers
    nudge: Integers
    counts: Floats

    @property
    def pair(self) -> Integers:
        """One number for each pair of values, shape (R,)."""
        return self.first * self.values + self.second

    def take(self, rows: NDArray[np.bool_]) -> Comparisons:
        """The chosen rows, with the scenarios numbered anew; the values keep their numbers."""
        names, scenario = np.unique(self.scenario[rows], return_inverse=True)
        return Comparisons(
            values=self.values,
            scenarios=len(names),
            scenario=scenario,
            first=self.first[rows],
            second=self.second[rows],
            nudge=self.nudge[rows],
            counts=self.counts[rows],
        )


def comparisons(
    first: ArrayLike, second: ArrayLike, nudge: ArrayLike, counts: ArrayLike, scenario: ArrayLike, values: int
) -> Comparisons:
    """Check and orient outcomes; rows without outputs are dropped, scenarios numbered anew in sorted order.

    Args:
        first: Value numbers 0..values-1, shape (R,).
        second: The opposed value, shape (R,).
        nudge: +1 towards `first`, -1 towards `second`, 0, shape (R,).
        counts: Outputs that favour `first`, neither, `second`, shape (R, 3).
        scenario: Whole numbers that tell scenarios apart, shape (R,).
        values: Number of values.

    Raises:
        InputError: A value against itself or out of range, another nudge, counts that are no counts, a
            scenario with two pairs of values, or nothing to compare.
    """
    a, b, lean = (np.asarray(column, dtype=np.int64) for column in (first, second, nudge))
    outcome, group = np.asarray(counts, dtype=float), np.asarray(scenario, dtype=np.int64)
    _check(a, b, lean, outcome, values)
    kept = outcome.sum(1) > 0
    if not kept.any():
        raise InputError("no output favours a value or ties", allowed="at least one comparison")
    swap = (a > b)[:, None]
    outcome = np.where(swap, outcome[:, ::-1], outcome)[kept]
    lean = np.where(swap[:, 0], -lean, lean)[kept]
    a, b = np.minimum(a, b)[kept], np.maximum(a, b)[kept]
    names, group = np.unique(group[kept], return_inverse=True)
    pairs_seen = np.unique(np.stack([group, a * values + b]), axis=1)
    if pairs_seen.shape[1] > len(names):
        twice = int(names[pairs_seen[0, :-1][np.diff(pairs_seen[0]) == 0][0]])
        raise InputError(f"scenario {twice} has two pairs of values", allowed="one pair a scenario")
    return Comparisons(
        values=values, scenarios=len(names), scenario=group, first=a, second=b, nudge=lean, counts=outcome
    )


def _check(a: Integers, b: Integers, lean: Integers, outcome: Floats, values: int) -> None:
    if outcome.shape != (len(a), 3) or not len(a) == len(b) == len(lean):
        raise InputError(f"counts have shape {outcome.shape} for {len(a)} rows", allowed="(rows, 3)")
    if not np.isfinite(outcome).all() or (outcome < 0).any():
        raise InputError("counts are negative or not finite", allowed="numbers of outputs")
    if ((a == b) | (np.minimum(a, b) < 0) | (np.maximum(a, b) >= values)).any():
        raise InputError("a value stands against itself or has no number", allowed=f"two of 0..{values - 1}")
    if not np.isin(lean, (-1, 0, 1)).all():
        raise InputError(f"nudge {int(lean[~np.isin(lean, (-1, 0, 1))][0])!r}", allowed="-1, 0, 1")


def components(data: Comparisons) -> Integers:
    """Number the parts of the graph in which values are joined by scenarios; shape (V,)."""
    joined = sparse.coo_array((np.ones(len(data.first)), (data.first, data.second)), shape=(data.values,) * 2)
    labels: Integers = sparse.csgraph.connected_components(joined, directed=False)[1].astype(np.int64)
    return labels


def part(data: Comparisons, members: Integers) -> Comparisons:
    """The rows among `members` (sorted value numbers), whose values are then numbered 0..len(members)-1."""
    chosen = data.take(np.isin(data.first, members) & np.isin(data.second, members))
    return Comparisons(
        values=len(members),
        scenarios=chosen.scenarios,
        scenario=chosen.scenario,
        first=np.searchsorted(members, chosen.first),
        second=np.searchsorted(members, chosen.second),
        nudge=chosen.nudge,
        counts=chosen.counts,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Rows added up by pair and nudge.

    Attributes:
        first: Value of each cell, shape (C,).
        second: The opposed value.
        nudge: Its nudge.
        of_row: Cell of each row of the comparisons, shape (R,).
        counts: Shape (C, 3).
    """

    first: Integers
    second: Integers
    nudge: Integers
    of_row: Integers
    counts: Floats


def tally(group: Integers, weights: ArrayLike, groups: int = 0) -> Floats:
    """Sum the weights of each group, shape (largest group + 1,) or (groups,)."""
    return np.bincount(group, weights=np.asarray(weights, dtype=float), minlength=groups).astype(np.float64)


def cells_of(data: Comparisons) -> Cells:
    """Add rows up by pair and nudge."""
    key = data.pair * 3 + data.nudge + 1
    _, at, of_row = np.unique(key, return_index=True, return_inverse=True)
    counts = np.stack([tally(of_row, column) for column in data.counts.T], axis=1)
    return Cells(first=data.first[at], second=data.second[at], nudge=data.nudge[at], of_row=of_row, counts=counts)
