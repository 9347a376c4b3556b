"""Bradley-Terry log-worths of values with ties and a nudge, and a jackknife that deletes whole scenarios.

The model, for an output of a scenario that sets value i against value j: with eta = worth_i - worth_j + b *
nudge (nudge +1 towards i, -1 towards j, 0 neutral) the output favours i with probability exp(eta/2)/Z, j with
exp(-eta/2)/Z, and neither (a tie) with exp(d)/Z. Outputs of one scenario are not independent, so the
covariance never comes from the likelihood: each scenario is left out once and the model refitted.

References:
    Bradley & Terry 1952; Davidson 1970 (ties); Firth & Turner 2012 (BradleyTerry2, order effects as
    covariates); Efron & Stein 1981 (the jackknife variance is biased upwards).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, optimize, sparse, special

from alignbench.errors import InputError
from alignbench.stats.collisions import cells_of, components
from alignbench.stats.estimate import check_confidence
from alignbench.stats.rate import FEW_SCENARIOS
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alignbench.stats.collisions import Cells, Comparisons

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["BradleyTerry", "Model", "bradley_terry", "separated"]

RIDGE = 0.01
"""Penalty on the squared parameters: next to nothing, but separated data stay finite."""
WEAKER, MOST_MOVED = 0.1, 0.25
"""With so much of the penalty a limit may move by so much of the half-width; else the penalty alone has set it."""
_BATCH_NUMBERS = 4_000_000
_LONGEST_STEP = 1.0
_MOST_STEPS = 200
_TOLERANCE = 1e-9
_NO_SPREAD = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A multinomial model of cells (pair and nudge) that is linear in its parameters, fitted by Newton.

    Attributes:
        design: One row a cell, one column a parameter of eta, shape (C, Q).
        ties: Whether the data hold ties; then a last parameter d is added.
        ridge: Penalty on every squared parameter.
    """

    design: Floats
    ties: bool
    ridge: float = RIDGE

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.design.shape[1]) + self.ties

    def probabilities(self, parameters: Floats) -> Floats:
        """Probabilities of win, tie and loss; parameters (B, P), result (B, C, 3)."""
        half = parameters[:, : self.design.shape[1]] @ self.design.T / 2
        tie = np.broadcast_to(parameters[:, -1:] if self.ties else np.array([[-np.inf]]), half.shape)
        shares: Floats = special.softmax(np.stack([half, tie, -half], axis=-1), axis=-1)
        return shares

    def score(self, parameters: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """Gradient (B, P), negative Hessian (B, P, P) of the penalised likelihood; counts (B, C, 3)."""
        columns, outputs = self.design.shape[1], counts.sum(-1)
        chance = self.probabilities(parameters)
        lead = chance[..., 0] - chance[..., 2]
        slope = (counts[..., 0] - counts[..., 2] - outputs * lead) / 2
        spread = outputs * (chance[..., 0] + chance[..., 2] - lead**2) / 4
        products = (self.design[:, :, None] * self.design[:, None, :]).reshape(len(self.design), -1)
        gradient, hessian = np.zeros(parameters.shape), np.zeros((*parameters.shape, self.size))
        gradient[:, :columns] = slope @ self.design
        hessian[:, :columns, :columns] = (spread @ products).reshape(-1, columns, columns)
        if self.ties:
            tied = chance[..., 1]
            gradient[:, -1] = (counts[..., 1] - outputs * tied).sum(-1)
            cross = -(outputs * tied * lead / 2) @ self.design
            hessian[:, -1, :columns] = hessian[:, :columns, -1] = cross
            hessian[:, -1, -1] = (outputs * tied * (1 - tied)).sum(-1)
        return gradient - self.ridge * parameters, hessian + self.ridge * np.eye(self.size)

    def fit(self, counts: Floats, start: Floats | None = None) -> Floats:
        """Maximise the penalised likelihood for many sets of counts at once.

        Args:
            counts: Shape (B, C, 3).
            start: Parameters to start from, shape (P,); default: zeros.

        Returns:
            Parameters, shape (B, P).
        """
        origin = np.zeros(self.size) if start is None else start
        found = np.tile(origin, (len(counts), 1))
        moving = np.arange(len(counts))
        for _ in range(_MOST_STEPS):
            if not len(moving):
                break
            gradient, hessian = self.score(found[moving], counts[moving])
            step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
            longest = np.abs(step).max(axis=1)
            # A bounded step keeps Newton's method inside the region where the quadratic holds.
            found[moving] += step * np.minimum(1, _LONGEST_STEP / np.maximum(longest, _TOLERANCE))[:, None]
            moving = moving[longest > _TOLERANCE]
        return found

    def log_likelihood(self, parameters: Floats, counts: Floats) -> float:
        """Log-likelihood without the penalty; parameters (P,), counts (C, 3)."""
        chance = self.probabilities(parameters[None])[0]
        return float(special.xlogy(counts, chance).sum())


def _design(cells: Cells, values: int, nudged: bool) -> Floats:
    design = np.zeros((len(cells.first), values + nudged))
    row = np.arange(len(design))
    design[row, cells.first], design[row, cells.second] = 1.0, -1.0
    if nudged:
        design[:, -1] = cells.nudge
    return design


def separated(design: Floats, counts: Floats) -> bool:
    """Whether some parameter has no finite maximum-likelihood estimate (Albert & Anderson 1984).

    That is so if some direction never speaks against an outcome that was seen and speaks for at least one.

    Args:
        design: Shape (C, Q).
        counts: Shape (C, 3).
    """
    zeros = np.zeros((len(design), 1))
    favour = np.stack(
        [
            np.hstack([design / 2, zeros]),
            np.hstack([zeros * design, zeros + 1]),
            np.hstack([-design / 2, zeros]),
        ]
    )
    others = range(3) if counts[:, 1].any() else (0, 2)
    rows = [favour[seen][counts[:, seen] > 0] - favour[other][counts[:, seen] > 0]
            for seen in others for other in others if seen != other]  # fmt: skip
    support = np.concatenate(rows)
    best = optimize.linprog(-support.sum(0), A_ub=-support, b_ub=np.zeros(len(support)), bounds=(-1, 1), method="highs")
    return bool(-best.fun > 1e-7)


@dataclass(frozen=True, slots=True, eq=False)
class BradleyTerry:
    """Log-worths of connected values; entries are NaN where no interval can be given, and `flags` says why.

    Leaving out a scenario may leave data that have no finite estimate; then the penalty alone says how far the worths
    move, and so how wide an interval is. Such intervals are not given: see `ridge_only`.

    Attributes:
        worth: Centred log-worths, shape (V,).
        covariance: Their jackknife covariance, shape (V, V).
        low: Lower limits, shape (V,).
        high: Upper limits, shape (V,).
        nudge: Effect of a nudge on the log-odds scale with its limits; None without nudges.
        tie: Davidson's tie parameter exp(d), 0 without ties.
        confidence: Two-sided coverage of each interval.
        df: Degrees of freedom of the t quantile, K - V + 1.
        scenarios: Scenarios, K.
        replicates: Log-worths without each scenario in turn, shape (K, V).
        model: The model that was fitted.
        parameters: Its parameters, shape (P,).
        used: Which rows of the comparisons it was fitted to, shape (R,).
        apart: Which differences of worths have an interval that the penalty alone sets, shape (V, V).
        flags: `nudge_separated` (nudged outputs left out: they always follow the nudge), `nudge_confounded`
            (their effect cannot be told from the worths), `separated` (a worth has no finite estimate),
            `one_scenario_bridge` (a link between values rests on one scenario), `few_scenarios`, `no_spread`
            (scenarios agree to the last output in some contrast: the variance of independent outputs is
            added), `ridge_only` (the penalty alone sets some interval: with a tenth of it a limit moves by more
            than a quarter of the half-width).
    """

    worth: Floats
    covariance: Floats
    low: Floats
    high: Floats
    nudge: tuple[float, float, float] | None
    tie: float
    confidence: float
    df: int
    scenarios: int
    replicates: Floats
    model: Model
    parameters: Floats
    used: NDArray[np.bool_]
    apart: NDArray[np.bool_]
    flags: tuple[str, ...]

    def ordered(self) -> Integers:
        """The values whose differences from each other the data determine, sorted: more than half of them, or none."""
        known = sparse.csgraph.connected_components(sparse.coo_array(~self.apart), directed=False)[1]
        members = np.flatnonzero(known == np.bincount(known).argmax())
        sound = not self.apart[np.ix_(members, members)].any() and 2 * len(members) > len(self.worth)
        return members if sound else members[:0]

    def share(self, value: int, against: int) -> float:
        """Share of outputs that favour `value` by the model without a nudge, ties a half."""
        half = float(self.worth[value] - self.worth[against]) / 2
        win, loss = np.exp(half), np.exp(-half)
        return float((win + self.tie / 2) / (win + self.tie + loss))


def bradley_terry(data: Comparisons, *, confidence: float = 0.95, ridge: float = RIDGE) -> BradleyTerry:
    """Fit worths with delete-one-scenario jackknife intervals, t at K - V + 1 degrees of freedom.

    Args:
        data: Comparisons of values that are all connected.
        confidence: Two-sided coverage.
        ridge: Penalty on every squared parameter.

    Raises:
        InputError: The values are not connected, or the confidence is none.
    """
    check_confidence(confidence)
    if components(data).max() > 0:
        raise InputError("the values are not connected", allowed="one fit for each connected part")
    used, nudged, flags = _usable(data)
    chosen = data.take(used)
    cells, values = cells_of(chosen), data.values
    model = Model(_design(cells, values, nudged), bool(cells.counts[:, 1].any()), ridge)
    parameters, replicates = _jackknifed(model, cells, chosen)
    scenarios, df = chosen.scenarios, chosen.scenarios - values + 1
    if _fragile(chosen):
        flags = (*flags, Flag.ONE_SCENARIO_BRIDGE)
    flags = (*flags, Flag.FEW_SCENARIOS) if scenarios < FEW_SCENARIOS or df < 1 else flags
    covariance, flat = _covariance(model, cells, parameters, replicates)
    flags = (*flags, Flag.NO_SPREAD) if flat else flags
    quantile = special.stdtrit(max(df, 1), 0.5 + confidence / 2)
    loose, apart = np.zeros(model.size, dtype=bool), np.zeros((values, values), dtype=bool)
    if {Flag.SEPARATED, Flag.ONE_SCENARIO_BRIDGE} & set(flags) or df < 1:
        covariance = np.full_like(covariance, np.nan)
    else:
        loose, apart = _ridge_only(model, cells, chosen, (parameters, covariance), quantile)
        flags = (*flags, Flag.RIDGE_ONLY) if loose[: values + nudged].any() or apart.any() else flags
    half = np.where(loose, np.nan, quantile * np.sqrt(np.diag(covariance)))
    low, high = parameters - half, parameters + half
    nudge = (float(parameters[values]), float(low[values]), float(high[values])) if nudged else None
    return BradleyTerry(
        worth=parameters[:values], covariance=covariance[:values, :values], low=low[:values],
        high=high[:values], nudge=nudge,
        tie=float(np.exp(parameters[-1])) if model.ties else 0.0, confidence=confidence, df=df, scenarios=scenarios,
        replicates=replicates[:, :values], model=model, parameters=parameters, used=used, apart=apart, flags=flags,
    )  # fmt: skip


def _usable(data: Comparisons) -> tuple[NDArray[np.bool_], bool, tuple[str, ...]]:
    """Which rows to fit, whether with a nudge effect, and what to warn of."""
    every = np.ones(len(data.first), dtype=bool)
    neutral = data.nudge == 0
    nudged, flags = bool((~neutral).any()), ()
    cells = cells_of(data)
    design = _design(cells, data.values, nudged)
    if nudged and np.linalg.matrix_rank(design) < data.values:
        return (
            every,
            False,
            (Flag.NUDGE_CONFOUNDED, *_flag_separated(_design(cells, data.values, False), cells.counts)),
        )
    if not separated(design, cells.counts):
        return every, nudged, flags
    if nudged and neutral.any():
        alone = data.take(neutral)
        cells = cells_of(alone)
        if components(alone).max() == 0 and not separated(_design(cells, data.values, False), cells.counts):
            return neutral, False, (Flag.NUDGE_SEPARATED,)
    return every, nudged, (Flag.SEPARATED,)


def _flag_separated(design: Floats, counts: Floats) -> tuple[str, ...]:
    return (Flag.SEPARATED,) if separated(design, counts) else ()


def _jackknifed(model: Model, cells: Cells, data: Comparisons) -> tuple[Floats, Floats]:
    """Parameters, shape (P,), and those without each scenario in turn, shape (K, P)."""
    parameters = model.fit(cells.counts[None])[0]
    replicates = _replicates(model, cells, data, parameters)
    # The replicates are centred like the estimate: only differences of worths mean something.
    for rows in (parameters[None], replicates):
        rows[:, : data.values] -= rows[:, : data.values].mean(axis=1, keepdims=True)
    return parameters, replicates


def _ridge_only(
    model: Model, cells: Cells, data: Comparisons, fitted: tuple[Floats, Floats], quantile: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which parameters, shape (P,), and differences of worths, shape (V, V), have limits that the penalty alone sets.

    With a tenth of the penalty these move by a good part of the half-width; others move by a few hundredths.
    """
    weaker = replace(model, ridge=WEAKER * model.ridge)
    found, replicates = _jackknifed(weaker, cells, data)
    other = found, _covariance(weaker, cells, found, replicates)[0]

    def moved(estimates: list[Floats], variances: list[Floats]) -> NDArray[np.bool_]:
        half, weak = (quantile * np.sqrt(np.maximum(variance, 0)) for variance in variances)
        far: NDArray[np.bool_] = np.abs(estimates[1] - estimates[0]) + np.abs(weak - half) > MOST_MOVED * half
        return far

    sides = fitted, other
    worths = [parameters[: data.values] for parameters, _ in sides]
    among = [covariance[: data.values, : data.values] for _, covariance in sides]
    variances = [np.diag(part) for part in among]
    apart = moved(
        [worth[:, None] - worth for worth in worths],
        [own[:, None] + own - 2 * part for own, part in zip(variances, among, strict=True)],
    )
    np.fill_diagonal(apart, False)
    return moved([fitted[0], found], [np.diag(covariance) for _, covariance in sides]), apart


def _replicates(model: Model, cells: Cells, data: Comparisons, start: Floats) -> Floats:
    """Parameters without each scenario in turn, shape (K, P), in batches that fit into memory."""
    batch = max(1, _BATCH_NUMBERS // (cells.counts.size + model.size**2))
    found = np.empty((data.scenarios, model.size))
    for begin in range(0, data.scenarios, batch):
        end = min(begin + batch, data.scenarios)
        counts = np.tile(cells.counts, (end - begin, 1, 1))
        rows = (data.scenario >= begin) & (data.scenario < end)
        # A scenario has one row a cell at most, or several that are taken away one after the other.
        np.subtract.at(counts, (data.scenario[rows] - begin, cells.of_row[rows]), data.counts[rows])
        found[begin:end] = model.fit(counts, start)
    return found


def _covariance(model: Model, cells: Cells, parameters: Floats, replicates: Floats) -> tuple[Floats, bool]:
    """Jackknife covariance of the parameters, and whether it vanishes in some contrast or the nudge.

    A contrast in which all scenarios agree would have an interval of no width; there the covariance that
    independent outputs would have is added.
    """
    scenarios, columns = len(replicates), model.design.shape[1]
    values = int(max(cells.first.max(), cells.second.max())) + 1
    moved = replicates - parameters
    jackknife: Floats = (scenarios - 1) / scenarios * moved.T @ moved
    # Rows: each worth against the last one, then the nudge.
    contrasts = np.delete(np.eye(model.size), [values - 1, *range(columns, model.size)], axis=0)
    contrasts[: values - 1, values - 1] = -1
    centring = np.eye(model.size)
    centring[:values, :values] -= 1 / values
    hessian = model.score(parameters[None], cells.counts[None])[1][0]
    independent = centring @ np.linalg.inv(hessian) @ centring.T
    ratios = linalg.eigh(contrasts @ jackknife @ contrasts.T, contrasts @ independent @ contrasts.T, eigvals_only=True)
    flat = bool(ratios.min() < _NO_SPREAD)
    return (jackknife + independent if flat else jackknife), flat


def _fragile(data: Comparisons) -> bool:
    """Whether the values fall apart without some one scenario."""
    by_scenario = np.unique(np.stack([data.pair, data.scenario]), axis=1)[0]
    pairs, scenarios = np.unique(by_scenario, return_counts=True)
    return any(components(data.take(data.pair != pair)).max() > 0 for pair in pairs[scenarios == 1])
