"""Gaffke's limits for many simulated data sets at once: whether they hold the truth, without finding a root.

A limit misses the truth exactly where the chance at the truth lies below the tail. What intervals look like is found on
a few of the data sets, by the function that the package uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.stats.gaffke import positive_chance, stratified_limits
from alignbench.stats.rate import GAFFKE
from benchmarks.coverage.methods import LEVEL
from benchmarks.coverage.scores import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.coverage.scores import Grid

    Floats = NDArray[np.float64]

__all__ = ["NAMES", "gaffke_scores", "held"]

NAMES = {"gaffke": "Gaffke", "gaffke_g75": "Gaffke, 3/4", "gaffke_midp": "Gaffke, mid-P"}
MEASURED = 6
"""Data sets of a setting whose intervals are computed, for their width."""
_BATCH = 200_000


def _places(strata: Sequence[Floats]) -> tuple[Floats, float]:
    """The numbers of equal-weight strata beside each other, as `stratified_limits` puts them, and the largest weight.

    Args:
        strata: Of each stratum an array (data sets, scenarios).
    """
    if len(strata) == 1:
        return strata[0], 1.0
    sizes = np.array([one.shape[1] for one in strata])
    heavy = sizes.sum() / sizes / len(strata)
    stretch = heavy * np.sqrt(sizes / (sizes - 1) * (1 - 1 / sizes.sum()))
    means = [one.mean(1, keepdims=True) for one in strata]
    total = sum(means) / len(strata)
    parts = [(one - mean) * by + total for one, mean, by in zip(strata, means, stretch, strict=True)]
    return np.concatenate(parts, axis=1), float(heavy.max())


def held(
    strata: Sequence[Floats], truth: float, ends: tuple[float, float] = (0.0, 1.0)
) -> dict[str, NDArray[np.bool_]]:
    """For each member of the family, which data sets have limits that hold the truth.

    Args:
        strata: Of each pack the shares (or differences) of scenarios, shape (data sets, scenarios).
        truth: The true mean.
        ends: Ends of the range.
    """
    places, weight = _places(strata)
    tail = (1 - LEVEL) / 2
    batch = max(1, _BATCH // places.shape[1])
    chances = np.empty((2, 2, len(places)))
    for begin in range(0, len(places), batch):
        part = places[begin : begin + batch] - truth
        for side, sign in enumerate((1.0, -1.0)):
            for at, end in enumerate(ends if sign < 0 else ends[::-1]):
                imagined = np.full((len(part), 1), weight * (end - truth))
                chances[side, at, begin : begin + batch] = positive_chance(sign * np.hstack([part, imagined]))
    found: dict[str, NDArray[np.bool_]] = {}
    for method, share in GAFFKE.items():
        found[method] = np.all(share * chances[:, 0] + (1 - share) * chances[:, 1] >= tail - 1e-12, axis=0)
    return found


def gaffke_scores(
    part: str,
    grid: Grid,
    setting: object,
    strata: Sequence[Floats],
    truth: float,
    ends: tuple[float, float] = (0.0, 1.0),
) -> list[Score]:
    """Coverage and mean width of each member of the family.

    Args:
        part: What is estimated.
        grid: core, stress or heavy.
        setting: Where.
        strata: See `held`.
        truth: See `held`.
        ends: See `held`.
    """
    weights = np.full(len(strata), 1 / len(strata))
    scores = []
    for method, inside in held(strata, truth, ends).items():
        widths = []
        for at in range(min(MEASURED, len(inside))):
            numbers = [one[at] for one in strata]
            low, high = stratified_limits(numbers, weights, confidence=LEVEL, share=GAFFKE[method], ends=ends)
            widths.append(high - low)
        name = NAMES[method] + (" over packs" if len(strata) > 1 else "")
        scores.append(Score(part, grid, name, setting, len(inside), float(inside.mean()), float(np.mean(widths))))
    return scores
