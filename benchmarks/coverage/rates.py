"""Simulations of a rate and of two rates on the same scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.stats.sign_flip import sign_flip
from benchmarks.coverage import methods, peers
from benchmarks.coverage.bootstrap import cluster_bootstrap
from benchmarks.coverage.gaffke import gaffke_scores
from benchmarks.coverage.generators import PairedCounts, counts, paired_counts, propensities, scenario_sizes
from benchmarks.coverage.scores import Rejections, Score, score

if TYPE_CHECKING:
    from benchmarks.coverage.scores import Grid
    from benchmarks.coverage.settings import Effort, PairSetting, Setting, TurnSetting

__all__ = ["difference_scores", "rate_scores", "rejections", "simulated_pairs", "turn_scores"]

ALPHA = 0.05

_RATE_METHODS = {
    "S1": methods.s1_interval,
    "CR2-t": methods.cr2_t,
    "Clopper-Pearson on scenarios": methods.clopper_pearson,
    "Wilson, outputs independent": peers.item_wilson,
    "Inspect ci(cluster=)": peers.inspect_ci,
    "Inspect ci_wilson(cluster=)": peers.inspect_ci_wilson,
}

_DIFFERENCE_METHODS = {
    "S2": methods.s2_interval,
    "paired CR2-t": peers.paired_cr2_t,
    "Newcombe 10, outputs independent": peers.item_newcombe,
    "Miller, paired and clustered, normal": peers.miller_z,
    "Miller, paired and clustered, t": peers.miller_t,
}

_BOOTSTRAPS = {"percentile": "cluster bootstrap, percentile", "bca": "cluster bootstrap, BCa"}


def rate_scores(setting: Setting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """Every interval of a rate in one setting; bootstraps and posterior on the core, on fewer data sets."""
    data_sets = effort.of(grid)
    n = scenario_sizes(setting.outputs, (data_sets, setting.scenarios), rng)
    y = counts(n, propensities(setting.generator, setting.rate, setting.icc), rng)
    limits, shares = {name: method(n, y) for name, method in _RATE_METHODS.items()}, y / n
    if grid == "core":
        n, y = n[: effort.slow], y[: effort.slow]
        limits["beta-binomial posterior"] = methods.beta_binomial(n, y)
        drawn = cluster_bootstrap(n, y, effort.resamples, rng)
        limits |= {_BOOTSTRAPS[name]: found for name, found in drawn.items()}
    return [
        *gaffke_scores("rate", grid, setting, [shares], setting.rate),
        *(score("rate", grid, name, setting, found, setting.rate) for name, found in limits.items()),
    ]


def simulated_pairs(setting: PairSetting, data_sets: int, rng: np.random.Generator) -> PairedCounts:
    """Paired counts of two models in one setting."""
    base = setting.base
    n = scenario_sizes(base.outputs, (data_sets, base.scenarios), rng)
    atoms = [propensities(base.generator, rate, base.icc) for rate in (base.rate, setting.candidate_rate)]
    return paired_counts(n, atoms[0], atoms[1], setting.likeness, rng)


def difference_scores(setting: PairSetting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """Every interval of a difference in one setting."""
    pairs = simulated_pairs(setting, effort.of(grid), rng)
    return _difference_scores(setting, pairs, setting.candidate_rate - setting.base.rate, grid, effort, rng)


def turn_scores(setting: TurnSetting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """Every interval of a difference where whole scenarios turn."""
    shape = (effort.of(grid), setting.scenarios)
    kind = rng.random(shape)
    kept = (kind >= setting.returning) & (kind < setting.hot)
    before = kind < setting.hot
    after = kept | (kind >= 1 - setting.turning)
    n = np.full(shape, setting.outputs)
    pairs = PairedCounts(n, n * before, n * after, n * (before & after))
    return _difference_scores(setting, pairs, setting.change, grid, effort, rng)


def _difference_scores(
    setting: object, pairs: PairedCounts, truth: float, grid: Grid, effort: Effort, rng: np.random.Generator
) -> list[Score]:
    limits = {name: method(pairs) for name, method in _DIFFERENCE_METHODS.items()}
    if grid == "core":
        change = (pairs.candidate - pairs.base)[: effort.slow]
        drawn = cluster_bootstrap(pairs.n[: effort.slow], change, effort.resamples, rng)
        limits |= {_BOOTSTRAPS[name]: found for name, found in drawn.items()}
    shares = (pairs.candidate - pairs.base) / pairs.n
    return [
        *gaffke_scores("difference", grid, setting, [shares], truth, (-1.0, 1.0)),
        *(score("difference", grid, name, setting, found, truth) for name, found in limits.items()),
    ]


def rejections(setting: PairSetting, effort: Effort, rng: np.random.Generator) -> list[Rejections]:
    """How often the tests reject in a setting without a difference."""
    pairs = simulated_pairs(setting, effort.tests, rng)
    tests = [sign_flip(change, rng) for change in pairs.candidate - pairs.base]
    miller = peers.miller_z(pairs)
    found = {
        "sign-flip, two-sided": np.array([test.two_sided for test in tests]) <= ALPHA,
        "sign-flip, one-sided": np.array([test.greater for test in tests]) <= ALPHA,
        "McNemar, outputs independent": peers.item_mcnemar(pairs) <= ALPHA,
        "Miller, paired and clustered, normal": (miller[0] > 0) | (miller[1] < 0),
    }
    return [Rejections(name, setting, effort.tests, float(hit.mean())) for name, hit in found.items()]
