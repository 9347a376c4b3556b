"""Limits for the mean of numbers in a known range, without an assumption about how they are distributed.

Add one imagined number at the end of the range to the K observed ones and weigh the K + 1 at random, evenly over all
ways to weigh them (a flat Dirichlet distribution): the limit is a quantile of the weighted mean. With numbers of two
values it is Clopper and Pearson's, and so exact; with others it is conjectured to hold, and was not refuted.

References:
    Gaffke 2005, "Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable",
    Mathematical Methods of Statistics 14:451; Learned-Miller & Thomas 2019 (arXiv 1905.06208); Phan, Thomas &
    Learned-Miller 2021 (arXiv 2106.03163). Its distribution is a B-spline, hence the recursion (de Boor 1972); the
    contour integral for many numbers after Daniels 1987 and Trefethen & Weideman 2014 (the trapezoidal rule).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["mean_limits", "positive_chance", "stratified_limits"]

MOST_RECURSION = 20
"""Up to so many numbers the chance is a finite recursion; with more it is an integral, exact up to rounding too."""
PLACES = 2_000
"""More distinct numbers than this share places on an even grid, mass split between neighbours: the mean stays."""
_BENDS = (1.0, 0.5, 0.0)
_STEP = 0.06
_NODES = np.arange(0, 8, _STEP)
_TINY = 1e-300


def positive_chance(values: ArrayLike) -> Floats:
    """The chance that a randomly weighted mean is positive, all ways to weigh being equally likely.

    Args:
        values: Shape (..., M); takes time that grows with M squared.

    Returns:
        Chances over the leading axes, exact up to rounding.
    """
    z = np.sort(np.asarray(values, dtype=float), axis=-1)
    chance = (z > 0).astype(float)
    for width in range(1, z.shape[-1]):
        left, right = z[..., :-width], z[..., width:]
        gap = right - left
        # Between equal values, and where all have one sign, nothing is divided.
        mixed = (left <= 0) & (right > 0)
        mean = (right * chance[..., 1:] - left * chance[..., :-1]) / np.where(mixed, gap, 1.0)
        chance = np.where(mixed, mean, (left > 0).astype(float))
    return np.asarray(chance[..., 0])


def _massed_chance(z: Floats, a: Floats) -> float:
    """The same for values `z` that stand for `a` numbers each, some twenty or more in all.

    The weighted mean has the sign of a sum of gamma variables, whose generating function is a product; it is inverted
    along a line through the saddle point, bent so that the integrand neither oscillates nor grows.
    """
    if z.max() <= 0 or z.min() >= 0:
        return float(z.max() > 0)
    if float((a * z).sum()) > 0:
        # The smaller of the two chances is computed, so that it keeps its digits.
        return 1 - _massed_chance(-z, a)
    z = z / z.max()
    saddle = _saddle(z, a)
    tilted = z / (1 - saddle * z)
    curvature = float((a * tilted**2).sum()) + saddle**-2
    skew = (float((a * tilted**3).sum()) - saddle**-3) / (3 * curvature)

    def integrand(bend: float, nodes: Floats) -> NDArray[np.complex128]:
        at = np.sinh(nodes) / np.sqrt(curvature)
        way = 1j * at + bend * skew * at**2
        speed = (1 - 2j * bend * skew * at) * np.cosh(nodes)
        # log(1 - way * tilted) by its parts: the complex logarithm takes five times as long.
        real, imaginary = 1 - way.real * tilted[:, None], way.imag * tilted[:, None]
        product = a @ np.log(real**2 + imaginary**2) / 2 - 1j * (a @ np.arctan2(imaginary, real))
        exponent = np.log(speed) - np.log(1 + way / saddle) - product
        return np.asarray(np.exp(np.minimum(exponent.real, 600.0) + 1j * exponent.imag))

    for bend in _BENDS:
        values = integrand(bend, _NODES)
        share = values.real - np.where(_NODES == 0, values.real / 2, 0)
        fine, rough = float(share.sum()) * _STEP, float(share[::2].sum()) * 2 * _STEP
        # Half of the nodes say the same, and little cancels: there is nothing to gain.
        if abs(fine - rough) <= 1e-7 * abs(fine) and float(np.abs(values).sum()) * _STEP <= 1e4 * abs(fine):
            break
    else:
        # Numbers of very unlike size: the straight line always leads there, with many steps.
        nodes = np.arange(0, 24, _STEP / 16)
        share = integrand(0.0, nodes).real
        fine = (float(share.sum()) - float(share[0]) / 2) * _STEP / 16
    height = np.exp(-float((a * np.log(1 - saddle * z)).sum())) / saddle
    return float(np.clip(height * fine / (np.pi * np.sqrt(curvature)), 0, 1))


def _saddle(z: Floats, a: Floats) -> float:
    """Where the generating function over its argument is least, in (0, 1); the largest value is 1."""

    def slope(at: float) -> float:
        return float(a @ (z / (1 - at * z))) - 1 / at

    # Any line between the poles would do; near the saddle the integral is only easiest.
    if slope(1 - 1e-12) <= 0:
        return 1 - 1e-12
    return float(optimize.brentq(slope, 1e-12, 1 - 1e-12, rtol=1e-6))


def _gathered(values: Floats) -> tuple[Floats, Floats]:
    """Distinct values and how many numbers each stands for."""
    places = np.unique(values)
    if len(places) <= PLACES:
        return places, np.bincount(np.searchsorted(places, values)).astype(np.float64)
    grid = np.linspace(places[0], places[-1], PLACES)
    at = (values - grid[0]) / (grid[1] - grid[0])
    left = np.minimum(at.astype(np.int64), PLACES - 2)
    mass = np.zeros(PLACES)
    np.add.at(mass, left, left + 1 - at)
    np.add.at(mass, left + 1, at - left)
    return grid[mass > 0], mass[mass > 0]


def _upper(
    places: Floats, masses: Floats | None, low: float, high: float, tail: float, share: float, weight: float
) -> float:
    """The upper limit: the imagined number stands at `high` with the chance `share`, else at `low`."""
    ends = ((share, high), (1 - share, low))[: 1 if share == 1 else 2]

    def chance(limit: float) -> float:
        rows = [np.append(places - limit, weight * (end - limit)) for _, end in ends]
        if masses is None:
            found = positive_chance(rows)
        else:
            found = np.array([_massed_chance(row, np.append(masses, 1.0)) for row in rows])
        return float(found @ [part for part, _ in ends])

    @cache
    def excess(limit: float) -> float:
        # Logarithms of tails are nearly straight, so their root is found in few steps.
        return float(np.log(max(chance(limit), _TINY) / tail))

    # Numbers that all stand at the end of the range leave no room above them.
    if places.min() >= high or excess(high) >= 0:
        return high
    if excess(low) <= 0:
        return low
    low, high = _bracket(excess, low, high, *_normal(places, masses, high, weight, tail))
    return float(optimize.brentq(excess, low, high, xtol=1e-13, rtol=1e-12))


def _normal(places: Floats, masses: Floats | None, high: float, weight: float, tail: float) -> tuple[float, float]:
    """Where the limit would be if the weighted mean were normal, and how far that is above its expectation."""
    counts = np.append(np.ones_like(places) if masses is None else masses, weight)
    numbers = np.append(places, high)
    mean = float(np.average(numbers, weights=counts))
    spread = float(np.sqrt(np.average((numbers - mean) ** 2, weights=counts) / (counts.sum() + 1)))
    above = spread * float(special.ndtri(1 - tail))
    return mean + above, above


def _bracket(
    excess: Callable[[float], float], low: float, high: float, guess: float, step: float
) -> tuple[float, float]:
    """Limits between `low`, where `excess` is positive, and `high`, where it is negative, with its root between them.

    Few steps from a guess leave less to search than the whole range does.
    """
    while step > 0 and low < guess < high:
        if excess(guess) > 0:
            low, guess = guess, guess + step / 4
        else:
            high, guess = guess, guess - step / 4
        step *= 2
    return low, high


def mean_limits(
    values: ArrayLike,
    *,
    confidence: float,
    share: float = 1.0,
    ends: tuple[float, float] = (0.0, 1.0),
    weight: float = 1.0,
    masses: ArrayLike | None = None,
) -> tuple[float, float]:
    """Both limits of the mean of independent numbers in a known range.

    Args:
        values: The numbers, shape (K,), K of at least 1.
        confidence: Two-sided coverage, in (0, 1).
        share: The chance that the imagined number stands at the end that a limit looks to, in (0, 1]: 1 is Gaffke's
            bound, 1/2 its mid-P version, narrower, with a coverage about the nominal one and not above it.
        ends: Lower and upper end of the range of the mean.
        weight: Weight of the imagined number beside each of the others: more than 1 where these stand for numbers of
            unlike weight, the largest of which it must not fall short of.
        masses: How many numbers each of `values` stands for, > 0, not necessarily whole; default: one each.

    Returns:
        Lower and upper limit, between the ends.
    """
    x, (low, high) = np.asarray(values, dtype=float), map(float, ends)
    counts = None if masses is None else np.asarray(masses, dtype=float)
    if counts is None:
        x, counts = (np.sort(x), None) if len(x) <= MOST_RECURSION else _gathered(x)
    given = x.tobytes(), None if counts is None else counts.tobytes()
    return _limits(*given, low, high, (1 - float(confidence)) / 2, float(share), float(weight))


@lru_cache(maxsize=1024)
def _limits(
    places: bytes, masses: bytes | None, low: float, high: float, tail: float, share: float, weight: float
) -> tuple[float, float]:
    """`mean_limits` of numbers that are kept: of few outputs a scenario many packs and models have the same."""
    x = np.frombuffer(places)
    counts = None if masses is None else np.frombuffer(masses)
    return (
        -_upper(-x, counts, -high, -low, tail, share, weight),
        _upper(x, counts, low, high, tail, share, weight),
    )


def stratified_limits(
    strata: Sequence[ArrayLike],
    weights: ArrayLike,
    *,
    confidence: float,
    share: float = 1.0,
    ends: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float]:
    """Both limits of a weighted sum of the means of several strata.

    The numbers of all strata stand beside each other, each at its distance from the mean of its stratum, by as much as
    the stratum weighs; one imagined number stands beside them, as heavy as any. With equal strata that show nothing it
    is the bound of one stratum of all numbers.

    Args:
        strata: The numbers of each stratum, at least two.
        weights: Of the strata, summing to 1.
        confidence: See `mean_limits`.
        share: See `mean_limits`.
        ends: See `mean_limits`.

    Returns:
        Lower and upper limit, between the ends.
    """
    numbers = [np.asarray(stratum, dtype=float) for stratum in strata]
    if len(numbers) == 1:
        return mean_limits(numbers[0], confidence=confidence, share=share, ends=ends)
    sizes = np.array([len(one) for one in numbers])
    heavy = np.asarray(weights, dtype=float) * sizes.sum() / sizes
    # A stratum's own mean stands too near to its numbers, by one degree of freedom each.
    stretch = heavy * np.sqrt(sizes / (sizes - 1) * (1 - 1 / sizes.sum()))
    total = float(sum(weight * one.mean() for weight, one in zip(np.asarray(weights), numbers, strict=True)))
    places = np.concatenate([(one - one.mean()) * by + total for one, by in zip(numbers, stretch, strict=True)])
    return mean_limits(places, confidence=confidence, share=share, ends=ends, weight=float(heavy.max()))
