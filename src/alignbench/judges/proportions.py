"""Rates as parts of a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alignbench.judges.card import Proportion
from alignbench.stats.rate import rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alignbench.stats.estimate import Estimate

__all__ = ["proportion", "repeated_proportion"]


def proportion(estimate: Estimate) -> Proportion:
    """A rate as a part of a card."""
    return Proportion(
        found=int(estimate.events),
        all=estimate.n,
        scenarios=estimate.scenarios,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n_eff=estimate.n_eff,
    )


def repeated_proportion(n: NDArray[Any], y: NDArray[Any], repeats: int, confidence: float) -> Proportion:
    """A rate of answers that were judged several times each: all repeats of an answer together weigh as much as one.

    Args:
        n: Verdicts by scenario.
        y: Those found among them.
        repeats: Times each answer was judged.
        confidence: Coverage of the interval.
    """
    share = proportion(rate(n / repeats, y / repeats, confidence=confidence))
    return share.model_copy(update={"found": int(y.sum()), "all": int(n.sum())})
