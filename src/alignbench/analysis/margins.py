"""Margins that cannot be met: with few scenarios the interval is wider than them even where nothing differs."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.corrected import LabelledPairs, paired_difference
from alignbench.errors import InputError
from alignbench.packs import shipped_scenarios
from alignbench.stats.difference import PairCounts, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alignbench.policy import Policy
    from alignbench.stats.correction import LabelledPack

__all__ = ["check_margin", "shipped_margin", "smallest_margin", "what_ships"]

_DIGITS = 4


def smallest_margin(
    packs: Sequence[NDArray[np.float64]], coverage: float, labels: Sequence[LabelledPairs] = ()
) -> float | None:
    """The upper end of the interval over these packs if no scenario differs: no margin up to it can be met.

    It is read off the very interval that the gate holds against the margin.

    Args:
        packs: Outputs by scenario, of each pack.
        coverage: Two-sided coverage of the interval.
        labels: The labels that correct the interval, of each pack; none where it is not corrected.

    Returns:
        A share; None where a pack has fewer than two scenarios, so that there is no interval.
    """
    if labels:
        return _labelled_upper(labels, coverage)
    # Packs and scenarios in another order have the same interval.
    return _upper(tuple(sorted(tuple(sorted(map(float, pack))) for pack in packs)), coverage)


@lru_cache(maxsize=256)
def _upper(packs: tuple[tuple[float, ...], ...], coverage: float) -> float | None:
    counts = [PairCounts(np.array(n), *(np.zeros(len(n)) for _ in range(3))) for n in packs]
    return difference(counts, rng=np.random.default_rng(0), level=coverage).high


def _labelled_upper(labels: Sequence[LabelledPairs], coverage: float) -> float | None:
    """The upper end of the corrected interval if neither the judge nor a person ever saw the event."""

    def silent(pack: LabelledPack) -> LabelledPack:
        label = np.asarray(pack.label, dtype=float)
        return replace(pack, stratum=np.zeros_like(pack.stratum), label=np.where(np.isnan(label), np.nan, 0.0))

    pairs = [LabelledPairs(silent(pair.base), silent(pair.candidate)) for pair in labels]
    return paired_difference(pairs, rng=np.random.default_rng(0), level=coverage, alpha=0.05).high


def what_ships() -> str:
    """How many scenarios there are without writing any, in words."""
    packs = shipped_scenarios()
    return (
        f"{sum(packs.values())} scenarios ship, in {len(packs)} packs; any more are of packs of your own "
        "(scenarios/README.md)"
    )


def shipped_margin(coverage: float) -> float:
    """`smallest_margin` of all packs that ship together, whatever the epochs."""
    return smallest_margin([np.ones(size) for size in shipped_scenarios().values()], coverage) or 1.0


def check_margin(
    field: str,
    packs: Sequence[NDArray[np.float64]],
    policy: Policy,
    where: str,
    labels: Sequence[LabelledPairs] = (),
) -> None:
    """Refuse a margin that these packs cannot meet.

    Args:
        field: The field of the policy.
        packs: Outputs by scenario, of each pack.
        policy: What it stands in.
        where: What it is held against, in words.
        labels: The labels that correct the interval, of each pack; none where it is not corrected.

    Raises:
        InputError: Names the margin, the smallest that can be met, and how many scenarios there are.
    """
    stated = getattr(policy, field)
    least = smallest_margin(packs, policy.coverage, labels)
    if least is None or stated > least:
        return
    sizes = [len(pack) for pack in packs]
    many = f"{sum(sizes)} scenarios" + (f" in {len(sizes)} packs" if len(sizes) > 1 else "")
    many += " and these labels" if labels else ""
    # Rounded up, for the limit itself is not below itself.
    possible = (math.floor(least * 10**_DIGITS) + 1) / 10**_DIGITS
    raise InputError(
        f"{field} {stated!r} cannot be met by a model that has not changed: with {many} of {where} the "
        f"{100 * policy.coverage:g} % interval ends at {100 * least:.2f} points even where nothing differs",
        item="policy",
        allowed=f"{possible:g} or more, or more scenarios{' and labels' if labels else ''} ({what_ships()})",
    )
