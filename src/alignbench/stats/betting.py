"""Limits for the mean of numbers in [0, 1] by betting: wider than Gaffke's, and proven for every distribution.

Whoever bets on the next number, at odds that are fair if the mean is m, hardly ever multiplies the stake by 1 / alpha;
the means at which he would have are ruled out.

References:
    Waudby-Smith & Ramdas 2023, "Estimating means of bounded random variables by betting", JRSS B 86:1 (hedged capital,
    with stakes for a fixed number of observations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["betting_limits"]

_LARGEST_STAKE = 0.75
"""Share of the capital that a bet may lose at most."""


def betting_limits(
    values: ArrayLike, *, confidence: float, rng: np.random.Generator, ends: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Both limits of the mean of independent numbers in a known range.

    Args:
        values: The numbers, shape (K,).
        confidence: Two-sided coverage, in (0, 1).
        rng: Shuffles the sorted numbers: bets are placed one after the other, and the order given may mean something.
        ends: Ends of the range.

    Returns:
        Lower and upper limit, between the ends.
    """
    low, high = ends
    x = rng.permutation(np.sort((np.asarray(values, dtype=float) - low) / (high - low)))
    alpha = 1 - confidence
    above = 1 - _lower(1 - x, alpha)
    return low + (high - low) * _lower(x, alpha), low + (high - low) * above


def _lower(x: Floats, alpha: float) -> float:
    """The largest mean below which the bets on larger numbers have won too much."""
    count = np.arange(1, len(x) + 1)
    means = (0.5 + np.cumsum(x)) / (count + 1)
    spread = (0.25 + np.cumsum((x - means) ** 2)) / (count + 1)
    # What is staked on a number depends on those before it alone.
    before = np.append(0.25, spread[:-1])
    stakes = np.sqrt(2 * np.log(2 / alpha) / (before * len(x)))

    def gain(mean: float) -> float:
        bets = np.log1p(np.minimum(stakes, _LARGEST_STAKE / mean) * (x - mean))
        return float(np.cumsum(bets).max() - np.log(2 / alpha))

    tiny = 1e-12
    if gain(tiny) <= 0:
        return 0.0
    return float(optimize.brentq(gain, tiny, 1.0, xtol=1e-12)) if gain(1.0) < 0 else 1.0
