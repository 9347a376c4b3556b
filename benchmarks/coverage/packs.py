"""Simulations over packs: the overall rate, and the overall difference that the gate decides by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from alignbench.stats.rate import moments, overall_s1, s1
from alignbench.stats.s2 import s2
from benchmarks.coverage.gaffke import gaffke_scores
from benchmarks.coverage.generators import PairedCounts, paired_counts, propensities, scenario_sizes
from benchmarks.coverage.methods import LEVEL, UPPER
from benchmarks.coverage.peers import inspect_ci_wilson
from benchmarks.coverage.scores import Score, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.coverage.scores import Grid
    from benchmarks.coverage.settings import Effort, PackSetting

    Floats = NDArray[np.float64]
    Interval = tuple[Floats, Floats]

__all__ = ["pack_scores"]

LIKENESS = 0.7
"""Correlation of the normal scores behind the two models' propensities."""


def pack_scores(setting: PackSetting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """The intervals of the base's overall rate, and of the overall difference."""
    pairs = _simulated(setting, effort.of(grid), rng)
    n, y = pairs.n, pairs.base
    weights = np.full(n.shape[1], 1 / n.shape[1])
    cells = moments(n, y)
    parts = overall_s1(cells, weights, LEVEL)[1]
    rates = {
        "S1 over packs": (parts.low, parts.high),
        "sum of the packs' S1 by MOVER": _mover_sum(n, y, weights),
        "stratified CR2-t": _cr2_t(n, y, weights, 0.0),
        "Inspect ci_wilson(cluster=), pooled": inspect_ci_wilson(n.reshape(len(n), -1), y.reshape(len(n), -1)),
    }
    both = s2(n, pairs.base, pairs.candidate, weights=weights, confidence=LEVEL)
    changes = {
        "S2 over packs": (both.low, both.high),
        "stratified paired CR2-t": _cr2_t(n, pairs.candidate - pairs.base, weights, -1.0),
    }
    change = setting.candidate_rate - setting.rate
    kept = [(pairs.base[:, h, :k], pairs.candidate[:, h, :k], n[:, h, :k]) for h, k in enumerate(setting.scenarios)]
    shares, changes_of = ([(base / size) for base, _, size in kept], [(two - one) / size for one, two, size in kept])
    return [
        *gaffke_scores("overall rate", grid, setting, shares, setting.rate),
        *gaffke_scores("overall difference", grid, setting, changes_of, change, (-1.0, 1.0)),
        *(score("overall rate", grid, name, setting, found, setting.rate) for name, found in rates.items()),
        *(score("overall difference", grid, name, setting, found, change) for name, found in changes.items()),
    ]


def _simulated(setting: PackSetting, data_sets: int, rng: np.random.Generator) -> PairedCounts:
    """Counts of shape (data sets, packs, scenarios); smaller packs are filled up with scenarios of size 0."""
    longest = max(setting.scenarios)
    packs = []
    for scenarios, factor in zip(setting.scenarios, setting.pack_factors, strict=True):
        n = scenario_sizes(setting.outputs, (data_sets, longest), rng)
        n[:, scenarios:] = 0
        base, candidate = (
            propensities(setting.generator, rate * factor, setting.icc)
            for rate in (setting.rate, setting.candidate_rate)
        )
        packs.append(paired_counts(n, base, candidate, LIKENESS, rng))
    return PairedCounts(*(np.stack([getattr(pack, name) for pack in packs], axis=1) for name in PairedCounts.__slots__))


def _mover_sum(n: NDArray[np.int64], y: NDArray[np.int64], weights: Floats) -> Interval:
    """Each pack's own S1 interval, added up by their squared reaches."""
    cells = moments(n, y)
    parts = s1(cells, LEVEL)
    p = (weights * cells.p).sum(-1)
    below, above = (np.sqrt(((weights * reach) ** 2).sum(-1)) for reach in (cells.p - parts.low, parts.high - cells.p))
    return p - below, p + above


def _cr2_t(n: NDArray[np.int64], total: NDArray[np.int64], weights: Floats, least: float) -> Interval:
    """Normal theory on the stratified mean, with CR2 and the packs' degrees of freedom added up."""
    cells = moments(n, total)
    p = (weights * cells.p).sum(-1)
    error = np.sqrt((weights**2 * cells.cr2).sum(-1))
    half = special.stdtrit(cells.df.sum(-1), UPPER) * error
    return np.clip(p - half, least, 1), np.clip(p + half, least, 1)
