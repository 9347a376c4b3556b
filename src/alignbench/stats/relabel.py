"""Labels of two circumstances permuted within each scenario, drawn many times: what is left without a drift.

Under the null every split of a scenario's outputs into as many base and candidate ones is equally likely. Scenarios of
few outputs draw one of all such splits by its number, and look up what it adds up to, many scenarios at once; the
others draw the counts of their categories from the multivariate hypergeometric distribution. Both are exact.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

Number = TypeVar("Number", np.float64, np.uint64)

__all__ = ["relabelled"]

SMALL = 20
"""Up to this many outputs the splits of a scenario are listed: at most 184,756."""
_CATEGORIES = 12
"""Up to this many categories their counts fit side by side into one 64-bit number."""
_CHUNK = 100_000
"""Numbers drawn at once."""


def relabelled(
    base: Integers, candidate: Integers, draws: int, rng: np.random.Generator, score: Floats | None = None
) -> tuple[Floats, Floats]:
    """Draw the base's outputs anew from all outputs of each scenario.

    Args:
        base: Outputs by scenario and category, shape (K, C); every scenario has some.
        candidate: The other circumstance, likewise.
        draws: Permutations.
        rng: Draws them.
        score: A number for each category, shape (C,); None: nothing moves.

    Returns:
        The base's outputs of each category in all scenarios, shape (draws, C); and the sum over the scenarios of the
        absolute difference between the mean scores of the two circumstances, shape (draws,).
    """
    scores = np.zeros(base.shape[1]) if score is None else score
    drawn, moved = np.zeros((draws, base.shape[1])), np.zeros(draws)
    pools, taken = base + candidate, base.sum(1)
    sizes = pools.sum(1)
    listed = (sizes <= SMALL) & (base.shape[1] <= _CATEGORIES)
    for size, number in np.unique(np.stack([sizes[listed], taken[listed]], axis=1), axis=0):
        alike = pools[listed & (sizes == size) & (taken == number)]
        # Neither the order of the scenarios nor their names may move a number.
        alike = alike[np.lexsort(alike.T)]
        bits = 64 // base.shape[1]
        # As many scenarios at once as the fields of a sum hold.
        room = max(1, min((2**bits - 1) // int(size), _CHUNK // draws))
        for start in range(0, len(alike), room):
            counts, reached = _split(alike[start : start + room], int(number), draws, rng, scores)
            drawn += counts
            moved += _moved(alike[start : start + room] @ scores, reached, int(size), int(number))
    large = np.column_stack([pools, taken])[~listed]
    for row, repeats in zip(*np.unique(large, axis=0, return_counts=True), strict=True):
        pool, number = row[:-1], int(row[-1])
        room = max(1, _CHUNK // draws)
        for start in range(0, int(repeats), room):
            shape = (min(room, int(repeats) - start), draws)
            found = rng.multivariate_hypergeometric(pool, number, size=shape)
            drawn += found.sum(0)
            moved += _moved(np.repeat(pool @ scores, shape[0]), found @ scores, int(pool.sum()), number)
    return drawn, moved


def _moved(total: Floats, reached: Floats, size: int, number: int) -> Floats:
    """Sum over scenarios of the absolute difference of the two mean scores, shape (draws,)."""
    change = (total[:, None] - reached) / (size - number) - reached / number
    return np.asarray(np.abs(change).sum(0))


@cache
def _splits(size: int, number: int) -> NDArray[np.uint32]:
    """Every way to take some of so many outputs, each as a number whose bits are the outputs taken."""
    every = np.arange(2**size, dtype=np.uint32)
    found: NDArray[np.uint32] = every[np.bitwise_count(every) == number]
    found.flags.writeable = False
    return found


def _split(pools: Integers, number: int, draws: int, rng: np.random.Generator, scores: Floats) -> tuple[Floats, Floats]:
    """Draw splits of scenarios with equally many outputs.

    Args:
        pools: All outputs by scenario and category; the scenarios' outputs, added up, fit into the fields.
        number: Outputs of the base in each.
        draws: Permutations.
        rng: Draws them.
        scores: A number for each category.

    Returns:
        Counts over the scenarios, shape (draws, C); and the sum of the scores, shape (scenarios, draws).
    """
    scenarios, categories = pools.shape
    size, bits = int(pools[0].sum()), 64 // categories
    # The outputs of a scenario in the order of their categories: bit i of a split is the i-th of them.
    category = np.repeat(np.tile(np.arange(categories), scenarios), pools.ravel()).reshape(scenarios, size)
    units = np.uint64(1) << (category * bits).astype(np.uint64)
    splits = _splits(size, number)
    chosen = splits[rng.integers(len(splits), size=(scenarios, draws))].astype(np.int64)
    packed, reached = np.zeros((scenarios, draws), dtype=np.uint64), np.zeros((scenarios, draws))
    first = np.arange(scenarios)[:, None] * 256
    for start in range(0, size, 8):
        at = (chosen >> start & 255) + first
        packed += _sums(units[:, start : start + 8]).ravel()[at]
        if scores.any():
            reached += _sums(scores[category[:, start : start + 8]]).ravel()[at]
    fields = packed.sum(0)[:, None] >> (np.arange(categories) * bits).astype(np.uint64)
    return (fields & np.uint64(2**bits - 1)).astype(float), reached


def _sums(parts: NDArray[Number]) -> NDArray[Number]:
    """For each row of up to 8 numbers the sums of all their subsets, shape (rows, 256), by the bits of the subset."""
    sums = np.zeros((len(parts), 1), dtype=parts.dtype)
    for part in range(8):
        more = parts[:, part : part + 1] if part < parts.shape[1] else np.zeros_like(sums[:, :1])
        sums = np.concatenate([sums, sums + more], axis=1)
    return sums
