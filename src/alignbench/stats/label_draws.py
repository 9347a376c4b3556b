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

__all__ = ["DRAWS", "SIDES", "Drawn", "LabelMass", "SplitLabels", "drawn_rates"]

DRAWS = 10_000
"""Another set of so many draws moves a limit by about one hundredth of the interval's width."""
SIDES = 2
"""Independent imagined labels: the two models of a comparison have one each."""
_BLOCK = 128
"""Scenarios whose weights are drawn, and kept, together."""
_SCENARIOS, _ALIKE, _IMAGINED, _LABELS, _LABELLERS, _COINS = range(6)
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Draws of the corrected rates of models on the same scenarios.

    Attributes:
        rates: What the labels show, shape (models, draws).
        label: Share of each rate that one imagined label has, shape (models, SIDES, draws).
        scenario: Share that one imagined scenario has, shape (draws,).
    """

    rates: Floats
    label: Floats
    scenario: Floats

    def with_label(self, model: int, side: int) -> Floats:
        """The rate of a model with one imagined label, which is the event or not by the toss of a coin (mid-P)."""
        share = self.label[model, side]
        return np.asarray(self.rates[model] * (1 - share) + share * _coin(side, len(share)))


def drawn_rates(models: Sequence[Sequence[LabelMass]], weights: Floats, draws: int = DRAWS) -> Drawn:
    """Weigh scenarios, labellers, one imagined label and one imagined scenario at random.

    Scenarios get independent exponential weights (together: uniform on the simplex). Under these weights a pack's
    rate is the sum over strata of their share of the outputs times the event's share among their labels. The imagined
    label weighs as much as one of the stratum in which a label weighs the most, the imagined scenario as much as the
    heaviest real one. So one output a scenario and one stratum give Clopper-Pearson on the labels, and with one pack
    and everything labelled nothing but Gaffke's imagined scenario is left. Where the labellers of an output
    disagree, they are weighed anew too, so that one who sees the event more often than another moves all labels of a
    draw together.

    Args:
        models: Of each model its packs; the packs of all models have the same scenarios in the same order.
        weights: Weights of the packs, summing to 1.
        draws: Number of draws; an even number.
    """
    rates, total = np.zeros((len(models), draws)), np.zeros(draws)
    label = np.zeros((len(models), SIDES, draws))
    heaviest = [_heaviest_label(model, weights) for model in models]
    for place, weight in enumerate(weights):
        packs = [model[place] for model in models]
        sums = _scenario_sums(packs, place, draws)
        whole, sums = sums[0][:, 0], sums[1:]
        total += whole
        for model, pack in enumerate(packs):
            (share, labelled, found, *said), sums = sums[: len(pack.parts)], sums[len(pack.parts) :]
            found = found + _reweighed_labels(pack.split, said)
            rates[model] += weight * (share * found / labelled).sum(1) / whole
            if place == heaviest[model][0]:
                at = heaviest[model][1]
                mass = pack.imagined[at] * np.stack([_label_weights(side, draws) for side in range(SIDES)])
                label[model] = weight * share[:, at] / whole * mass / (labelled[:, at] + mass)
    sizes = np.array([len(pack.share) for pack in models[0]])
    mass = float((weights * sizes.sum() / sizes).max()) * _even(draws, np.random.default_rng([_IMAGINED]))
    return Drawn(rates, label, mass / (total + mass))


def _heaviest_label(packs: Sequence[LabelMass], weights: Floats) -> tuple[int, int]:
    """Pack and stratum in which one label stands for the most."""
    per_label = [
        weight * (pack.share.sum(0) * pack.imagined / pack.labelled.sum(0)) / len(pack.share)
        for pack, weight in zip(packs, weights, strict=True)
    ]
    pack = int(np.argmax([one.max() for one in per_label]))
    return pack, int(per_label[pack].argmax())


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


def _reweighed_labels(split: Sequence[SplitLabels], said: Sequence[Floats]) -> Floats | float:
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


@lru_cache(maxsize=8)
def _label_weights(side: int, draws: int) -> Floats:
    return _even(draws, np.random.default_rng([_LABELS, side]))


@lru_cache(maxsize=8)
def _coin(side: int, draws: int) -> Floats:
    return np.random.default_rng([_COINS, side]).permutation((np.arange(draws) % 2).astype(float))


def _even(draws: int, rng: np.random.Generator) -> Floats:
    """Exponential values at evenly spaced quantiles, in random order: rare events rest on few values."""
    return rng.permutation(-np.log1p(-(np.arange(draws) + 0.5) / draws))
