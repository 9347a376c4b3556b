"""What a simulation finds out about one method in one setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Grid", "Rejections", "Score", "score"]

Grid = Literal["core", "stress", "heavy"]


@dataclass(frozen=True, slots=True)
class Score:
    """How an interval did.

    Attributes:
        part: What was estimated: rate, overall rate, difference, overall difference, worths, corrected rate.
        grid: core, stress or heavy.
        method: The interval.
        setting: The setting; its `str` describes it.
        data_sets: Data sets simulated.
        coverage: Share of the intervals that hold the truth.
        width: Their mean width.
        refused: Share of the data sets without an interval by this method; they count in neither of the two.
    """

    part: str
    grid: Grid
    method: str
    setting: object
    data_sets: int
    coverage: float
    width: float
    refused: float = 0.0


@dataclass(frozen=True, slots=True)
class Rejections:
    """How often a test at .05 rejects where nothing has changed."""

    method: str
    setting: object
    data_sets: int
    share: float


def score(
    part: str, grid: Grid, method: str, setting: object, limits: tuple[Floats, Floats], truth: float | Floats
) -> Score:
    """Hold intervals against the truth; limits are NaN where a method gives none.

    Args:
        part: What was estimated.
        grid: core, stress or heavy.
        method: Name of the interval.
        setting: Where.
        limits: Lower and upper limits, data sets on the first axis.
        truth: The true value, or one for each entry of the last axis.
    """
    low, high = limits
    given = np.isfinite(low) & np.isfinite(high)
    # A limit that equals the truth but for rounding holds it.
    covered = (low <= truth + 1e-12) & (high >= truth - 1e-12)
    return Score(
        part=part,
        grid=grid,
        method=method,
        setting=setting,
        data_sets=len(low),
        coverage=float(covered[given].mean()) if given.any() else float("nan"),
        width=float((high - low)[given].mean()) if given.any() else float("nan"),
        refused=float(1 - given.mean()),
    )
