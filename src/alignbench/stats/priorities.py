"""Which value wins where two collide: win shares, fit of a single order, positions, disagreement.

References:
    Kendall & Babington Smith 1940 (circular triads); Rao & Scott 1984 and McCullagh & Nelder 1989, ch. 4.5
    (deviance over a dispersion under clustering); Zhang et al. 2025, arXiv 2510.07686 (positions 0-6,
    disagreement D).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from alignbench.errors import InputError
from alignbench.stats.collisions import cells_of, tally
from alignbench.stats.overall import overall_rate
from alignbench.stats.rate import PRIOR_ICC, PRIOR_WEIGHT, rate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from alignbench.stats.bradley_terry import BradleyTerry, Model
    from alignbench.stats.collisions import Comparisons
    from alignbench.stats.estimate import Estimate

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = [
    "Disagreement",
    "Fit",
    "bounded_mean",
    "circular_triads",
    "disagreement",
    "fit",
    "mean_share",
    "win_shares",
]

HIGH_DISAGREEMENT = 1.5
"""From this D on at least two answers lie three points apart (Zhang et al. 2025)."""


def _scenario_counts(data: Comparisons, value: int, against: int) -> tuple[Floats, Floats]:
    """Outputs, and wins plus half the ties of `value`, by scenario of one pair."""
    low, high = min(value, against), max(value, against)
    rows = (data.first == low) & (data.second == high)
    _, scenario = np.unique(data.scenario[rows], return_inverse=True)
    counts = data.counts[rows]
    favoured = counts[:, 0 if value == low else 2] + counts[:, 1] / 2
    return tally(scenario, counts.sum(1)), tally(scenario, favoured)


def win_shares(data: Comparisons, *, confidence: float = 0.95) -> dict[tuple[int, int], Estimate]:
    """Share of outputs that favour one value over another, ties a half, with Gaffke's intervals over scenarios.

    Args:
        data: Comparisons; only rows without a nudge make sense here.
        confidence: Two-sided coverage.

    Returns:
        An estimate for each ordered pair (value, against) that met; `events` are wins plus half the ties.
    """
    met = np.unique(np.stack([data.first, data.second]), axis=1).T
    ordered = [(int(a), int(b)) for i, j in met for a, b in ((i, j), (j, i))]
    return {(a, b): rate(*_scenario_counts(data, a, b), confidence=confidence) for a, b in ordered}


def mean_share(data: Comparisons, value: int, *, confidence: float = 0.95) -> Estimate:
    """Average of a value's win shares over its opponents, of equal weight, with Gaffke's stratified interval."""
    against = np.unique(np.concatenate([data.second[data.first == value], data.first[data.second == value]]))
    if not len(against):
        raise InputError(f"value {value!r} met no other", allowed="a value of the comparisons")
    return overall_rate([_scenario_counts(data, value, int(other)) for other in against], confidence=confidence)


def circular_triads(preferred: ArrayLike, observed: ArrayLike) -> tuple[int, int]:
    """Triples of values that go round in a circle (A over B over C over A).

    Args:
        preferred: Whether row wins over column, shape (V, V), never both ways.
        observed: Whether the two met, shape (V, V), symmetric.

    Returns:
        Circular triples, and triples in which all three pairs met.
    """
    beats, met = np.asarray(preferred, dtype=np.int64), np.asarray(observed, dtype=np.int64)
    return int(np.trace(beats @ beats @ beats)) // 3, int(np.trace(met @ met @ met)) // 6


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How well one order of worths describes the pairs.

    Attributes:
        deviance: Twice the log-likelihood lost against a model with a parameter of its own for every pair.
        df: Pairs beyond what the worths can fit; 0 where nothing can be tested.
        dispersion: Variance of scenario totals over their variance if outputs were independent, at least 1.
        p: P value of deviance / (df * dispersion) against F; None where df is 0.
        first: Values of each pair, shape (pairs,).
        second: The opposed values.
        observed: Share that favours `first`, ties a half, nudged outputs included.
        fitted: The same by the model.
        residual: Standardised residuals under the dispersion; NaN where the model fits a pair exactly.
    """

    deviance: float
    df: int
    dispersion: float
    p: float | None
    first: Integers
    second: Integers
    observed: Floats
    fitted: Floats
    residual: Floats


def fit(data: Comparisons, worths: BradleyTerry) -> Fit:
    """Deviance against the saturated pair model and standardised residuals, both allowing for clustering.

    Args:
        data: The comparisons that `worths` was fitted to.
        worths: The fit.
    """
    chosen = data.take(worths.used)
    cells = cells_of(chosen)
    model, values = worths.model, chosen.values
    pairs, pair = np.unique(cells.first * values + cells.second, return_inverse=True)
    saturated = replace(model, design=np.hstack([np.eye(len(pairs))[pair], model.design[:, values:]]))
    own = saturated.fit(cells.counts[None])[0]
    lost = saturated.log_likelihood(own, cells.counts) - model.log_likelihood(worths.parameters, cells.counts)
    deviance, df = max(0.0, 2 * lost), len(pairs) - (values - 1)
    dispersion = _dispersion(chosen, _moments(saturated, own), cells.of_row, len(pairs))
    spare = max(chosen.scenarios - len(pairs), 1)
    mean, variance = _moments(model, worths.parameters)
    outputs = cells.counts.sum(1)
    total = tally(pair, outputs)
    score = tally(pair, cells.counts[:, 0] + cells.counts[:, 1] / 2)
    expected = tally(pair, outputs * mean)
    spread = _residual_variance(model, worths.parameters, cells.counts, pair, tally(pair, outputs * variance))
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.where(spread > 0, (score - expected) / np.sqrt(dispersion * spread), np.nan)
    return Fit(
        deviance=deviance, df=df, dispersion=dispersion,
        p=float(special.fdtrc(df, spare + PRIOR_WEIGHT, deviance / df / dispersion)) if df else None,
        first=pairs // values, second=pairs % values, observed=score / total, fitted=expected / total,
        residual=residual,
    )  # fmt: skip


def _moments(model: Model, parameters: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of an output's score (win 1, tie a half, loss 0) in each cell."""
    win, tie, _ = model.probabilities(parameters[None])[0].T
    mean = win + tie / 2
    return mean, win + tie / 4 - mean**2


def _dispersion(data: Comparisons, moments: tuple[Floats, Floats], of_row: Integers, pairs: int) -> float:
    """Scenario-level dispersion about the saturated model, shrunk like S1's design effect."""
    outputs = data.counts.sum(1)
    mean, variance = moments[0][of_row], moments[1][of_row]
    error = tally(data.scenario, data.counts[:, 0] + data.counts[:, 1] / 2 - outputs * mean)
    expected = float((outputs * variance).sum())
    size = tally(data.scenario, outputs)
    prior = 1 + ((size**2).sum() / size.sum() - 1) * PRIOR_ICC
    spare = data.scenarios - pairs
    if spare < 1 or expected < 1e-9:
        return float(prior)
    seen = float((error**2).sum()) / expected * data.scenarios / spare
    return max(1.0, float((seen * spare + prior * PRIOR_WEIGHT) / (spare + PRIOR_WEIGHT)))


def _residual_variance(model: Model, parameters: Floats, counts: Floats, pair: Integers, own: Floats) -> Floats:
    """Variance of each pair's residual if outputs were independent, less what the fit has absorbed."""
    win, tie, _ = model.probabilities(parameters[None])[0].T
    mean, variance = win + tie / 2, win + tie / 4 - (win + tie / 2) ** 2
    outputs = counts.sum(1)
    gradient = outputs[:, None] * variance[:, None] * model.design
    if model.ties:
        gradient = np.hstack([gradient, (outputs * tie * (0.5 - mean))[:, None]])
    by_pair = np.zeros((len(own), model.size))
    np.add.at(by_pair, pair, gradient)
    hessian = model.score(parameters[None], counts[None])[1][0]
    left = own - np.einsum("ij,ij->i", by_pair, np.linalg.solve(hessian, by_pair.T).T)
    # Where the model fits a pair exactly, only rounding and the ridge are left.
    return np.where(left > 1e-3 * own, left, 0.0)


def bounded_mean(n: ArrayLike, total: ArrayLike, low: float, high: float, *, confidence: float = 0.95) -> Estimate:
    """Mean over scenarios of a bounded quantity, with Gaffke's limits.

    Args:
        n: Outputs by scenario, shape (K,).
        total: Sum of the quantity by scenario.
        low: Its smallest possible value.
        high: Its largest.
        confidence: Two-sided coverage.

    Returns:
        An Estimate on the quantity's own scale, in [low, high]; `events` is its sum.
    """
    sizes, sums = np.asarray(n, dtype=float), np.asarray(total, dtype=float)
    # Rounding must not push a scenario at a bound out of it.
    shares = np.clip((sums - low * sizes) / (high - low), 0, sizes)
    found = rate(sizes, shares, confidence=confidence)

    def scaled(share: float | None) -> float | None:
        return None if share is None else low + (high - low) * share

    return replace(
        found, value=scaled(found.value), low=scaled(found.low), high=scaled(found.high),
        events=float(sums.sum()), event_scenarios=0, icc=None, deff=None, n_eff=None, one_sided_upper=None,
        pooled=scaled(found.pooled),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """How far the models' answers to a scenario lie apart, an entry a scenario.

    Attributes:
        models: Models with a position, shape (S,).
        raw: The larger of the two values' population standard deviations of the models' mean positions; NaN
            below two models.
        corrected: The same with the variance that repeats of one model explain taken off; NaN without
            repeats.
    """

    models: Integers
    raw: Floats
    corrected: Floats


def disagreement(count: ArrayLike, total: ArrayLike, squares: ArrayLike) -> Disagreement:
    """Disagreement D between models, with and without the models' own epoch-to-epoch noise.

    The variance of M means of n_m outputs overstates the variance between models by (1 - 1/M) times the mean
    of s_m^2 / n_m. A model with one output borrows the mean s^2 of the scenario's other models.

    Args:
        count: Outputs, shape (M, S).
        total: Sum of the positions on both values, shape (M, S, 2).
        squares: Sum of their squares, same shape.
    """
    n = np.asarray(count, dtype=float)[..., None]
    sums, powers = np.asarray(total, dtype=float), np.asarray(squares, dtype=float)
    there = n > 0
    models = there.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, sums / n, 0.0)
        centre = mean.sum(0) / models
        between = (np.where(there, mean - centre, 0.0) ** 2).sum(0) / models
        within = np.where(n > 1, np.maximum(powers - n * mean**2, 0) / (n - 1), np.nan)
        repeated = (n > 1).sum(0)
        shared = np.where(n > 1, within, 0.0).sum(0) / repeated
        noise = np.where(there, np.where(n > 1, within, shared) / n, 0.0).sum(0) / models * (1 - 1 / models)
        known = np.where(models >= 2, between, np.nan)
        raw, corrected = np.sqrt(known).max(1), np.sqrt(np.maximum(known - noise, 0)).max(1)
    return Disagreement(models[:, 0], raw, corrected)
