"""Intervals of a difference between two proportions when every scenario has one output of each model.

References:
    Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17:2635 (method 10); Tango 1998, Statistics in Medicine 17:891 (score
    interval).
"""

from __future__ import annotations

import math

from scipy import optimize, special

from alignbench.errors import InputError
from alignbench.stats.rate import wilson

__all__ = ["newcombe_10", "tango"]


def newcombe_10(
    both: int, only_base: int, only_candidate: int, neither: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Newcombe's method 10: Wilson intervals of the two rates, joined with the continuity-corrected
    correlation.

    Args:
        both: Scenarios with the event under both models.
        only_base: Scenarios with the event under the base only.
        only_candidate: Scenarios with the event under the candidate only.
        neither: Scenarios without the event.
        confidence: Two-sided coverage.

    Returns:
        The limits of rate(candidate) - rate(base), in [-1, 1].

    Raises:
        InputError: Counts that are no counts, or no scenario.
    """
    total = _total(both, only_base, only_candidate, neither, confidence)
    z = float(special.ndtri(0.5 + confidence / 2))
    base, candidate = (both + only_base) / total, (both + only_candidate) / total
    low_base, high_base = map(float, wilson(base, total, z))
    low_candidate, high_candidate = map(float, wilson(candidate, total, z))
    cross = both * neither - only_base * only_candidate
    cross_corrected = max(cross - total / 2, 0.0) if cross > 0 else float(cross)
    margins = (both + only_base) * (only_candidate + neither) * (both + only_candidate) * (only_base + neither)
    phi = cross_corrected / math.sqrt(margins) if margins else 0.0
    change = candidate - base

    def reach(first: float, second: float) -> float:
        return math.sqrt(max(0.0, first**2 - 2 * phi * first * second + second**2))

    return (
        max(-1.0, change - reach(candidate - low_candidate, high_base - base)),
        min(1.0, change + reach(high_candidate - candidate, base - low_base)),
    )


def tango(
    both: int, only_base: int, only_candidate: int, neither: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Tango's score interval: the differences that the score test does not reject.

    Args:
        both: Scenarios with the event under both models.
        only_base: Scenarios with the event under the base only.
        only_candidate: Scenarios with the event under the candidate only.
        neither: Scenarios without the event.
        confidence: Two-sided coverage.

    Returns:
        The limits of rate(candidate) - rate(base), in [-1, 1].

    Raises:
        InputError: Counts that are no counts, or no scenario.
    """
    total = _total(both, only_base, only_candidate, neither, confidence)
    z = float(special.ndtri(0.5 + confidence / 2))
    change = (only_candidate - only_base) / total

    def excess(theta: float) -> float:
        """Squared score statistic at theta less its critical value, times its (vanishing) denominator."""
        b = -only_candidate - only_base + (2 * total - only_candidate + only_base) * theta
        c = -only_base * theta * (1 - theta)
        nuisance = (math.sqrt(max(0.0, b**2 - 8 * total * c)) - b) / (4 * total)
        variance = total * max(0.0, 2 * nuisance + theta * (1 - theta))
        return (only_candidate - only_base - total * theta) ** 2 - z**2 * variance

    def limit(end: float) -> float:
        # At the end of the scale the variance is 0, so only an observed difference of 1 is not rejected
        # there.
        if abs(change - end) < 1e-12:
            return end
        # Without discordant pairs the excess is 0 at the estimate itself, and the root looked for lies beyond
        # it.
        start = change + 1e-9 * (end - change)
        return float(optimize.brentq(excess, start, end, xtol=1e-12))

    return limit(-1.0), limit(1.0)


def _total(both: int, only_base: int, only_candidate: int, neither: int, confidence: float) -> int:
    counts = (both, only_base, only_candidate, neither)
    total = sum(counts)
    if min(counts) < 0 or total < 1:
        raise InputError(f"pairs {counts!r}", allowed="four counts of which one is positive")
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence!r} is no coverage", allowed="a number between 0 and 1")
    return total
