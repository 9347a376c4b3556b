"""The distribution behind a corrected rate (S3): scenarios weighed anew at random, and what the labels may have missed.

Weights are drawn once, from fixed seeds, so that one input gives one result, and a label that raises the rate raises it
in every draw.

References:
    Gaffke 2005 (an imagined worst scenario); Rubin 1981 (random weights); Fay & Feuer 1997 and Tiwari, Clegg & Zou 2006
    (an imagined event in a sum of weighted strata); Lancaster 1961 (mid-P); Ghosh & Meeden 1997 (finite populations).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["DRAWS", "SIDES", "LabelMass", "SplitLabels", "drawn_rates"]

DRAWS = 10_000
"""Another set of so many draws moves a limit by about one hundredth of the interval's width."""
SIDES = 2
"""Independent sets of imagined labels: the two models of a comparison have one each."""
_BLOCK = 128
"""Scenarios whose weights are drawn, and kept, together."""
_SCENARIOS, _ALIKE, _IMAGINED, _LABELS, _LABELLERS = range(5)
"""Streams of random numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitLabels:
    """Outputs with the same labellers, who disagree about them.

    Attributes:
        labellers: Who they are, as numbers.
        found: Mass of the outputs that each of them calls the event, each of shape (K, strata).
    """

    labellers: tuple[int, ...]
    found: tuple[Floats, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LabelMass:
    """The outputs of one pack by scenario and stratum; each output weighs one over the outputs of its scenario.

    Attributes:
        share: Outputs, shape (K, strata); each row adds up to 1.
        labelled: Those with a label.
        found: The event among them, as their labellers on average see it.
        imagined: Mass of one imagined label of each stratum, shape (strata,); 0 where all are labelled.
        split: Where labellers of an output disagree, what each of them calls the event, by who they are.
    """

    share: Floats
    labelled: Floats
    found: Floats
    imagined: Floats
    split: tuple[SplitLabels, ...] = ()

    @property
    def parts(self) -> list[Floats]:
        """The arrays of shape (K, ...) that random weights are applied to."""
        return [self.share, self.labelled, self.found, *(one for part in self.split for one in part.found)]


def drawn_rates(models: Sequence[Sequence[LabelMass]], weights: Floats, draws: int = DRAWS) -> tuple[Floats, Floats]:
    """Draws of the corrected rates of models on the same scenarios, and of what an imagined scenario has of them.

    Scenarios get independent exponential weights (together: uniform on the simplex). Under these weights a pack's
    rate is the sum over strata of their share of the outputs times the event's share among their labels, to which
    one imagined label is added, which is the event or not by the toss of a coin. So one stratum and one output a
    scenario give the mid-P version of Clopper-Pearson on the labels, and everything labelled gives the weighted mean
    of the scenarios' shares. The imagined scenario weighs as much as the heaviest real one, so that with one pack
    and everything labelled the limits are Gaffke's. Where the labellers of an output disagree, they are weighed anew
    too, so that one who sees the event more often than another moves all labels of a draw together.

    Args:
        models: Of each model its packs; the packs of all models have the same scenarios in the same order.
        weights: Weights of the packs, summing to 1.
        draws: Number of draws; an even number.

    Returns:
        The rates, shape (models, SIDES, draws), and the imagined scenario's share of the whole, shape (draws,).
    """
    rates, total = np.zeros((len(models), SIDES, draws)), np.zeros(draws)
    for place, weight in enumerate(weights):
        packs = [model[place] for model in models]
        sums = _scenario_sums(packs, place, draws)
        whole, sums = sums[0][:, 0], sums[1:]
        total += whole
        for model, pack in enumerate(packs):
            own, sums = sums[: len(pack.parts)], sums[len(pack.parts) :]
            for side in range(SIDES):
                rates[model, side] += weight * _pack_rate(pack, own, place, side) / whole
    sizes = np.array([len(pack.share) for pack in models[0]])
    heaviest = float((weights * sizes.sum() / sizes).max())
    mass = heaviest * _even(draws, np.random.default_rng([_IMAGINED]))
    return rates, mass / (total + mass)


def _scenario_sums(packs: Sequence[LabelMass], place: int, draws: int) -> list[Floats]:
    """Sums over the scenarios of a pack in each draw: of their weights, then of each model's masses.

    Scenarios without a label that are alike in everything are weighed together: their weights add up to a gamma law.
    """
    masses = [np.ones((len(packs[0].share), 1)), *(part for one in packs for part in one.parts)]
    columns = np.hstack(masses)
    bare = np.all([pack.labelled.sum(1) == 0 for pack in packs], axis=0)
    own, (alike, count) = columns[~bare], np.unique(columns[bare], axis=0, return_counts=True)
    sums = np.zeros((draws, columns.shape[1]))
    for at in range(0, len(own), _BLOCK):
        part = own[at : at + _BLOCK]
        sums += _scenario_weights(place, at, len(part), draws) @ part
    rng = np.random.default_rng([_ALIKE, place])
    for row, number in zip(alike, count, strict=True):
        sums += rng.standard_gamma(number, draws)[:, None] * row
    return np.split(sums, np.cumsum([part.shape[1] for part in masses])[:-1], axis=1)


def _pack_rate(pack: LabelMass, sums: Sequence[Floats], place: int, side: int) -> Floats:
    """A pack's rate times the weight of its scenarios, in each draw."""
    share, labelled, found, *said = sums
    found = found + _said_anew(pack.split, said)
    added, coin = _imagined_labels(place, side, len(pack.imagined), len(share))
    mass = added * pack.imagined
    drawn: Floats = (share * (found + coin * mass) / (labelled + mass)).sum(1)
    return drawn


def _said_anew(split: Sequence[SplitLabels], said: Sequence[Floats]) -> Floats | float:
    """What a change of the labellers' weights adds to the event: each set of labellers is weighed anew at random."""
    added: Floats | float = 0.0
    at = 0
    for part in split:
        own = said[at : at + len(part.labellers)]
        at += len(own)
        weights = np.stack([_labeller_weights(labeller, len(own[0])) for labeller in part.labellers])
        weights /= weights.sum(0)
        added = added + sum((weight - 1 / len(own))[:, None] * one for weight, one in zip(weights, own, strict=True))
    return added


@lru_cache(maxsize=64)
def _labeller_weights(labeller: int, draws: int) -> Floats:
    return _even(draws, np.random.default_rng([_LABELLERS, labeller]))


@lru_cache(maxsize=12)
def _scenario_weights(pack: int, first: int, scenarios: int, draws: int) -> Floats:
    return np.random.default_rng([_SCENARIOS, pack, first]).standard_exponential((draws, scenarios))


@lru_cache(maxsize=64)
def _imagined_labels(pack: int, side: int, strata: int, draws: int) -> tuple[Floats, Floats]:
    """Exponential weights and coins of the imagined labels of a pack, each of shape (draws, strata)."""
    streams = [np.random.default_rng([_LABELS, pack, side, stratum]) for stratum in range(strata)]
    coins = (np.arange(draws) % 2).astype(float)
    return (
        np.stack([_even(draws, rng) for rng in streams], axis=1),
        np.stack([rng.permutation(coins) for rng in streams], axis=1),
    )


def _even(draws: int, rng: np.random.Generator) -> Floats:
    """Exponential values at evenly spaced quantiles, in random order: rare events rest on few values."""
    return rng.permutation(-np.log1p(-(np.arange(draws) + 0.5) / draws))
