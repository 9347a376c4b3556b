"""The test that pairs belong to: signs of the scenarios' differences flipped at random.

Under "no difference" a scenario's difference is as likely to be negative as positive, whatever the dependence
among its outputs. Tests on single outputs (McNemar) do not hold their level on clustered pairs.

References:
    Fisher 1935, "The Design of Experiments", section 21; Phipson & Smyth 2010 (the +1 of drawn permutations).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from alignbench.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["DRAWS", "EXACT_SCENARIOS", "FEW_INFORMATIVE", "SignFlip", "sign_flip"]

EXACT_SCENARIOS = 16
"""Up to this many informative scenarios every pattern of signs is enumerated."""
DRAWS = 9_999
"""Patterns drawn where there are more."""
FEW_INFORMATIVE = 5
"""With fewer informative scenarios the one-sided test cannot reach .05: 1/2 ** 4 is .0625."""


@dataclass(frozen=True, slots=True)
class SignFlip:
    """A sign-flip test.

    Attributes:
        two_sided: p of a difference in either direction.
        greater: p of a positive difference.
        informative: Scenarios with a difference; the others say nothing.
        exact: Whether p is the exact one, not one of seeded draws.
    """

    two_sided: float
    greater: float
    informative: int
    exact: bool


def sign_flip(differences: ArrayLike, rng: np.random.Generator) -> SignFlip:
    """Test whether scenario differences are symmetric about zero, by their sum.

    The p-values depend on the multiset of differences and on `rng` only, so the order of the scenarios does
    not matter and swapping the two models leaves the two-sided p as it is.

    Args:
        differences: One number a scenario, shape (K,): y of the candidate minus y of the base, with the
            weight of the scenario's pack where packs are combined.
        rng: Used with more than 16 informative scenarios of unequal differences.

    Returns:
        Both p-values; 1 where no scenario differs.

    Raises:
        InputError: Not a vector of finite numbers.
    """
    change = np.asarray(differences, dtype=float)
    if change.ndim != 1 or not np.isfinite(change).all():
        raise InputError(f"differences of shape {change.shape}", allowed="a vector of finite numbers")
    change = change[change != 0]
    informative = len(change)
    if informative == 0:
        return SignFlip(1.0, 1.0, 0, True)
    if np.all(np.abs(change) == np.abs(change[0])):
        return _binomial(informative, int((change > 0).sum()))
    # Rounding makes differences equal that only floating point tells apart.
    change = np.round(change / np.abs(change).max(), 12)
    sizes, counts = np.unique(np.abs(change), return_counts=True)
    exact = informative <= EXACT_SCENARIOS
    sums = _every_sum(np.repeat(sizes, counts)) if exact else _drawn_sums(sizes, counts, rng)
    observed, tolerance = float(change.sum()), 1e-9 * informative
    # The observed pattern is one of the enumerated; to drawn patterns it is added.
    added = 0 if exact else 1
    both = (np.count_nonzero(np.abs(sums) >= abs(observed) - tolerance) + added) / (len(sums) + added)
    greater = (np.count_nonzero(sums >= observed - tolerance) + added) / (len(sums) + added)
    return SignFlip(both, greater, informative, exact)


def _binomial(informative: int, positive: int) -> SignFlip:
    """All differences of one size: the sign test, exactly; with one output a scenario it is McNemar's."""
    # scipy.stats has the same numbers, and takes a third of a second to import.
    greater = float(special.bdtr(informative - positive, informative, 0.5))
    both = 2 * float(special.bdtr(min(positive, informative - positive), informative, 0.5))
    return SignFlip(min(1.0, both), greater, informative, True)


def _every_sum(sizes: Floats) -> Floats:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def _drawn_sums(sizes: Floats, counts: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Sums under random signs; of c differences of one size a binomial number is positive."""
    sums = np.zeros(DRAWS)
    for size, count in zip(sizes, counts, strict=True):
        sums += size * (2.0 * rng.binomial(count, 0.5, size=DRAWS) - count)
    return sums
