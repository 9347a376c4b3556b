"""Simulations of Bradley-Terry worths: the jackknife against an iid bootstrap and the model's own errors.

Scenarios differ in how far they favour one value, by a normal effect on the log-odds scale, so the true
worths are those that the model would find with scenarios without end: the fit to the expected outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from alignbench.stats.bradley_terry import bradley_terry
from alignbench.stats.collisions import cells_of, comparisons
from benchmarks.coverage.methods import LEVEL, UPPER
from benchmarks.coverage.peers import NORMAL
from benchmarks.coverage.scores import Score, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alignbench.stats.bradley_terry import BradleyTerry
    from alignbench.stats.collisions import Comparisons
    from benchmarks.coverage.scores import Grid
    from benchmarks.coverage.settings import Effort

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["WorthSetting", "expected_worths", "worth_core", "worth_heavy", "worth_scores", "worth_stress"]

OUTPUTS = 4
"""Outputs of a scenario under each nudge."""
TIE = 0.3
"""Davidson's tie parameter: 13 % of the outputs of equal values are ties."""
NUDGE = 0.8
"""Effect of a nudge on the log-odds scale."""


@dataclass(frozen=True, slots=True)
class WorthSetting:
    """Where worths are estimated.

    Attributes:
        values: Number of values; their worths lie evenly between -1 and 1.
        reach: Each value meets those up to so many places further on a ring.
        per_pair: Scenarios of each pair.
        scenario_sd: Standard deviation of the scenarios' effects.
        nudged: Whether each scenario is also told in the two nudged forms.
        heavy: Whether the effects have a t distribution with 2 degrees of freedom, scaled by `scenario_sd`.
    """

    values: int
    reach: int
    per_pair: int
    scenario_sd: float
    nudged: bool
    heavy: bool = False

    @property
    def pairs(self) -> Integers:
        """The pairs of values, shape (pairs, 2)."""
        steps = product(range(self.values), range(1, self.reach + 1))
        met = {tuple(sorted((value, (value + step) % self.values))) for value, step in steps}
        return np.array(sorted(met))

    def __str__(self) -> str:
        nudged = "with" if self.nudged else "without"
        return (
            f"{self.values} values, {len(self.pairs)} pairs of {self.per_pair} scenarios, "
            f"scenario {'scale' if self.heavy else 'sd'} {self.scenario_sd:g}, {nudged} nudges"
        )


def worth_core() -> list[WorthSetting]:
    """24 settings: 4 or 8 values that meet most others, 6 or 12 scenarios a pair."""
    grid = product((4, 8), (6, 12), (0.5, 1.0, 2.0), (False, True))
    return [WorthSetting(values, 2, per_pair, sd, nudged) for values, per_pair, sd, nudged in grid]


def worth_stress() -> list[WorthSetting]:
    """8 settings: rings in which each value meets two others, few scenarios a pair, which differ much."""
    grid = product((4, 8), (3, 5), (2.0, 3.0), (False,))
    return [WorthSetting(values, 1, per_pair, sd, nudged) for values, per_pair, sd, nudged in grid]


def worth_heavy() -> list[WorthSetting]:
    """8 settings in which few scenarios settle everything, or nothing: effects from a t distribution."""
    grid = product((4, 8), (6, 12), (1.0, 2.0))
    return [WorthSetting(values, 2, per_pair, scale, False, heavy=True) for values, per_pair, scale in grid]


def _rows(setting: WorthSetting) -> tuple[Integers, Integers, Integers]:
    """Pair, scenario and nudge of each row of the comparisons."""
    scenarios = len(setting.pairs) * setting.per_pair
    nudges = np.array([-1, 0, 1] if setting.nudged else [0])
    scenario = np.repeat(np.arange(scenarios), len(nudges))
    return scenario // setting.per_pair, scenario, np.tile(nudges, scenarios)


def _chances(setting: WorthSetting, pair: Integers, nudge: Integers, effect: Floats) -> Floats:
    """Chances of win, tie and loss for rows of the last axis, shape (..., rows, 3)."""
    worth = np.linspace(-1, 1, setting.values)
    first, second = setting.pairs[pair].T
    half = (worth[first] - worth[second] + NUDGE * nudge + setting.scenario_sd * effect) / 2
    tie = np.full(half.shape, np.log(TIE))
    chances: Floats = special.softmax(np.stack([half, tie, -half], axis=-1), axis=-1)
    return chances


@lru_cache(maxsize=64)
def expected_worths(setting: WorthSetting) -> Floats:
    """The worths that the model has with scenarios without end, shape (values,)."""
    pair, _, nudge = _rows(setting)
    kinds = np.unique(np.stack([pair, nudge]), axis=1)
    share = (np.arange(4001) + 0.5) / 4001
    effect = (stats.t.ppf(share, 2) if setting.heavy else special.ndtri(share))[:, None]
    expected = _chances(setting, kinds[0], kinds[1], np.broadcast_to(effect, (4001, kinds.shape[1]))).mean(0)
    first, second = setting.pairs[kinds[0]].T
    whole = comparisons(first, second, kinds[1], expected * 1e6, kinds[0], setting.values)
    return bradley_terry(whole).worth


def worth_scores(setting: WorthSetting, grid: Grid, effort: Effort, rng: np.random.Generator) -> list[Score]:
    """The intervals of the worths in one setting; coverage and width are means over the values."""
    pair, scenario, nudge = _rows(setting)
    first, second = setting.pairs[pair].T
    limits = np.full((3, 2, effort.orders, setting.values), np.nan)
    for at in range(effort.orders):
        drawn = rng.standard_t(2, scenario[-1] + 1) if setting.heavy else rng.standard_normal(scenario[-1] + 1)
        effect = drawn[scenario]
        counts = rng.multinomial(OUTPUTS, _chances(setting, pair, nudge, effect))
        data = comparisons(first, second, nudge, counts, scenario, setting.values)
        fitted = bradley_terry(data, confidence=LEVEL)
        limits[0, :, at] = fitted.low, fitted.high
        limits[1, :, at] = _iid_bootstrap(fitted, data, effort.order_resamples, rng)
        limits[2, :, at] = _model_error(fitted, data)
    truth = expected_worths(setting)
    names = ("jackknife over scenarios", "iid bootstrap, percentile", "the model's own errors")
    return [
        score("worths", grid, name, setting, (low, high), truth)
        for name, (low, high) in zip(names, limits, strict=True)
    ]


def _iid_bootstrap(fitted: BradleyTerry, data: Comparisons, resamples: int, rng: np.random.Generator) -> Floats:
    """Percentile limits from outputs drawn one by one with replacement, shape (2, values)."""
    counts = cells_of(data.take(fitted.used)).counts
    outputs = int(counts.sum())
    drawn = rng.multinomial(outputs, counts.ravel() / outputs, size=resamples).reshape(-1, *counts.shape)
    found = fitted.model.fit(drawn.astype(float), fitted.parameters)[:, : len(fitted.worth)]
    centred = found - found.mean(axis=1, keepdims=True)
    return np.asarray(np.quantile(centred, [1 - UPPER, UPPER], axis=0))


def _model_error(fitted: BradleyTerry, data: Comparisons) -> Floats:
    """Limits from the curvature of the likelihood, shape (2, values)."""
    counts, values = cells_of(data.take(fitted.used)).counts, len(fitted.worth)
    covariance = np.linalg.inv(fitted.model.score(fitted.parameters[None], counts[None])[1][0])
    centred = np.eye(values) - 1 / values
    error = np.sqrt(np.diag(centred @ covariance[:values, :values] @ centred))
    return np.stack([fitted.worth - NORMAL * error, fitted.worth + NORMAL * error])
