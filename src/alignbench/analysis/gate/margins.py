"""Margins that cannot be met: with few scenarios the interval is wider than them even where nothing differs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.rates.corrected import LabelledPairs, paired_difference
from alignbench.errors import InputError
from alignbench.packs import shipped_scenarios
from alignbench.stats.difference import PairCounts, difference
from alignbench.text.numbers import size, stated_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from alignbench.analysis.gate.policy import Policy
    from alignbench.stats.label_correction import LabelledPack

__all__ = ["Held", "check_margins", "shipped_margin", "smallest_margin", "what_ships"]

_DIGITS = 4


def smallest_margin(
    packs: Sequence[NDArray[np.float64]], confidence: float, labels: Sequence[LabelledPairs] = ()
) -> float | None:
    """The upper end of the interval over these packs if no scenario differs: no margin up to it can be met.

    It is read off the very interval that the gate holds against the margin.

    Args:
        packs: Outputs by scenario, of each pack.
        confidence: Two-sided confidence of the interval.
        labels: The labels that correct the interval, of each pack; none where it is not corrected.

    Returns:
        A share; None where a pack has fewer than two scenarios, so that there is no interval.
    """
    if labels:
        return _labelled_upper(labels, confidence)
    # Packs and scenarios in another order have the same interval.
    return _upper(tuple(sorted(tuple(sorted(map(float, pack))) for pack in packs)), confidence)


@lru_cache(maxsize=256)
def _upper(packs: tuple[tuple[float, ...], ...], confidence: float) -> float | None:
    counts = [PairCounts(np.array(n), *(np.zeros(len(n)) for _ in range(3))) for n in packs]
    return difference(counts, rng=np.random.default_rng(0), confidence=confidence).high


def _labelled_upper(labels: Sequence[LabelledPairs], confidence: float) -> float | None:
    """The upper end of the corrected interval if neither the judge nor a person ever saw the event."""

    def silent(pack: LabelledPack) -> LabelledPack:
        label = np.asarray(pack.label, dtype=float)
        return replace(pack, stratum=np.zeros_like(pack.stratum), label=np.where(np.isnan(label), np.nan, 0.0))

    pairs = [LabelledPairs(silent(pair.base), silent(pair.candidate)) for pair in labels]
    return paired_difference(pairs, rng=np.random.default_rng(0), confidence=confidence, alpha=0.05).high


def what_ships() -> str:
    """How many scenarios there are without writing any, in words."""
    packs = shipped_scenarios()
    return (
        f"{sum(packs.values())} scenarios ship, in {len(packs)} packs; any more are of packs of your own "
        "(scenarios/README.md)"
    )


def shipped_margin(confidence: float) -> float:
    """`smallest_margin` of all packs that ship together, whatever the epochs."""
    return smallest_margin([np.ones(size) for size in shipped_scenarios().values()], confidence) or 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a margin of the policy is held against.

    Attributes:
        field: The field of the policy that holds the margin.
        packs: Outputs by scenario, of each pack.
        where: What these are, in words.
        labels: The labels that correct the interval, of each pack; none where it is not corrected.
    """

    field: str
    packs: Sequence[NDArray[np.float64]]
    where: str
    labels: Sequence[LabelledPairs] = ()


def check_margins(held: Iterable[Held], policy: Policy) -> None:
    """Refuse margins that cannot be met by what they are held against, all of them at once.

    Args:
        held: Each margin with what it is held against.
        policy: Where they are stated.

    Raises:
        InputError: Names each margin, the smallest that can be met, and how many scenarios there are.
    """
    missed: dict[str, tuple[float, Held]] = {}
    for one in held:
        least = smallest_margin(one.packs, policy.confidence, one.labels)
        if least is None or getattr(policy, one.field) > least:
            continue
        if one.field not in missed or least > missed[one.field][0]:
            missed[one.field] = (least, one)
    if not missed:
        return
    # Rounded up, for the limit itself is not below itself.
    possible = {name: (math.floor(least * 10**_DIGITS) + 1) / 10**_DIGITS for name, (least, _) in missed.items()}
    enough = " and ".join(f"{name} {share:g}" for name, share in possible.items())
    labelled = any(one.labels for _, one in missed.values())
    raise InputError(
        "; ".join(_missed(least, one, policy) for least, one in missed.values()),
        item="policy",
        allowed=f"{enough} or more, or more scenarios{' and labels' if labelled else ''} ({what_ships()})",
    )


def _missed(least: float, held: Held, policy: Policy) -> str:
    sizes = [len(pack) for pack in held.packs]
    many = f"{sum(sizes)} scenarios" + (f" in {len(sizes)} packs" if len(sizes) > 1 else "")
    many += " and these labels" if held.labels else ""
    return (
        f"{held.field} {getattr(policy, held.field)!r} cannot be met by a model that has not changed: with {many}, "
        f"for {held.where}, the {stated_percent(policy.confidence)} interval ends at {size(least, 2)} points even "
        "where nothing differs"
    )
