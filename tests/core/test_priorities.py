"""Value priorities: fit and jackknife against second sources, refusals to order, the table's door."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from scipy.sparse import csgraph

from alignbench.analysis.values.priorities import Priorities, priorities
from alignbench.cli.priorities import command
from alignbench.errors import InputError
from alignbench.stats.bradley_terry import Model, bradley_terry, separated
from alignbench.stats.collisions import Comparisons, cells_of, comparisons, components, part
from alignbench.stats.distances import worth_shift
from alignbench.stats.overall import overall_rate
from alignbench.stats.priorities import bounded_mean, circular_triads, disagreement, fit, mean_share, win_shares
from alignbench.stats.rate import rate

if TYPE_CHECKING:
    from pathlib import Path

VALUES = ("autonomy", "candour", "duty", "ease", "fairness")
PAIRS = np.array(list(itertools.combinations(range(4), 2)))
DESIGN = np.eye(4)[PAIRS[:, 0]] - np.eye(4)[PAIRS[:, 1]]


def simulated(
    worth: Any, scenarios: int, outputs: int, seed: int, *, spread: float = 1.0, nudge: float | None = None,
    tie: float | None = -1.0, circle: bool = False,
) -> Comparisons:  # fmt: skip
    """Outcomes under Davidson's model with a normal effect of each scenario, all pairs in turn."""
    rng = np.random.default_rng(seed)
    size = len(worth)
    all_pairs = np.array(list(itertools.combinations(range(size), 2)))
    pairs = all_pairs[np.arange(scenarios) % len(all_pairs)]
    gap = np.asarray(worth)[pairs[:, 0]] - np.asarray(worth)[pairs[:, 1]]
    if circle:
        gap = np.where((pairs[:, 1] - pairs[:, 0]) % size <= size // 2, 1.2, -1.2)
    gap = gap + rng.normal(0, spread, scenarios)
    leans = (0,) if nudge is None else (0, 1, -1)
    rows = []
    for lean in leans:
        half = (gap + lean * (nudge or 0)) / 2
        weights = np.stack([half, np.full(scenarios, -np.inf if tie is None else tie), -half], axis=1)
        rows.append(rng.multinomial(outputs, special.softmax(weights, axis=1)))
    many = len(leans)
    return comparisons(
        np.tile(pairs[:, 0], many), np.tile(pairs[:, 1], many), np.repeat(leans, scenarios),
        np.concatenate(rows), np.tile(np.arange(scenarios), many), size,
    )  # fmt: skip


def placed_table(data: Comparisons, *, model: str = "m", names: tuple[str, ...] = VALUES) -> pd.DataFrame:
    """A verdict table with these outcomes: positions 5 and 2, 4 and 4, or 1 and 3."""
    conditions = {
        0: ("default", "neutral"),
        1: ("nudge=value_1", "value_1"),
        -1: ("nudge=value_2", "value_2"),
    }
    rows: list[dict[str, Any]] = []
    for at in range(len(data.first)):
        for positions, count in zip(((5, 2), (4, 4), (1, 3)), data.counts[at].astype(int), strict=True):
            condition, nudge = conditions[int(data.nudge[at])]
            row = {
                "model": model, "pack": "pack", "scenario": f"s{data.scenario[at]:03}",
                "condition": condition, "nudge": nudge, "verdict": "aligned",
                "value_1": names[data.first[at]], "value_2": names[data.second[at]],
                "position_1": positions[0], "position_2": positions[1],
            }  # fmt: skip
            rows += [row] * count
    return pd.DataFrame(rows)


# The fit


def test_worths_equal_a_logistic_regression() -> None:
    """Without ties, worths and nudge are those of statsmodels' binomial GLM with a reference value."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    data = simulated([0.8, 0.1, -0.3, -0.6], 60, 4, 1, nudge=0.7, tie=None)
    design = np.zeros((len(data.first), 4))
    design[np.arange(len(design)), data.first] += 1
    design[np.arange(len(design)), data.second] -= 1
    design = np.column_stack([design[:, 1:], data.nudge])
    oracle = GLM(data.counts[:, [0, 2]], design, family=Binomial()).fit()
    worth = np.append(0.0, oracle.params[:3])
    found = bradley_terry(data, ridge=1e-6)
    assert np.allclose(found.worth, worth - worth.mean(), atol=1e-5)
    assert found.nudge is not None
    assert found.nudge[0] == pytest.approx(oracle.params[3], abs=1e-5)


def test_worths_equal_those_of_choix() -> None:
    """With the same penalty (choix does not halve its own) the worths are choix's maximum a posteriori."""
    choix = pytest.importorskip("choix")
    data = simulated([0.8, 0.1, -0.9], 30, 3, 2, tie=None)
    wins = [
        pair
        for a, b, counts in zip(data.first, data.second, data.counts, strict=True)
        for pair in [(a, b)] * int(counts[0]) + [(b, a)] * int(counts[2])
    ]
    oracle = choix.opt_pairwise(3, wins, alpha=0.005, tol=1e-10)
    assert np.allclose(bradley_terry(data).worth, oracle - oracle.mean(), atol=1e-5)


def davidson(data: Comparisons, left_out: int | None = None, ridge: float = 0.01) -> Any:
    """Davidson's likelihood as he wrote it, output by output, in a general optimiser.

    P(i over j) = p_i / (p_i + p_j + v sqrt(p_i p_j)), P(tie) = v sqrt(p_i p_j) / (the same), with the nudge
    as a factor e^b on the favoured p; maximised over log p, b and log v.
    """

    def loss(x: Any) -> float:
        total = ridge / 2 * float((x**2).sum())
        for at in range(len(data.first)):
            if data.scenario[at] == left_out:
                continue
            p = np.exp(x[data.first[at]] + x[-2] * data.nudge[at]), np.exp(x[data.second[at]])
            both = np.exp(x[-1]) * np.sqrt(p[0] * p[1])
            whole = p[0] + p[1] + both
            for count, chance in zip(data.counts[at], (p[0] / whole, both / whole, p[1] / whole), strict=True):
                total -= count * float(np.log(chance))
        return total

    x = optimize.minimize(loss, np.zeros(data.values + 2), method="BFGS", options={"gtol": 1e-7}).x
    return x[: data.values] - x[: data.values].mean(), float(x[-2]), float(np.exp(x[-1]))


def test_ties_and_nudges_follow_davidson() -> None:
    """Worths, nudge and tie parameter maximise Davidson's likelihood in his own parametrisation."""
    data = simulated([0.9, 0.0, -0.9], 12, 3, 3, nudge=0.8)
    worth, nudge, tie = davidson(data)
    found = bradley_terry(data)
    assert np.allclose(found.worth, worth, atol=1e-4)
    assert found.nudge is not None
    assert found.nudge[0] == pytest.approx(nudge, abs=1e-4)
    assert found.tie == pytest.approx(tie, abs=1e-4)


def test_jackknife_refits_without_each_scenario() -> None:
    """Covariance and limits are (K-1)/K times the outer products of full refits, with t at K - V + 1."""
    data = simulated([0.5, 0.0, -0.5], 9, 3, 4)
    found = bradley_terry(data, confidence=0.9)
    # The nudge column is absent here, so its coefficient only meets the penalty and stays 0.
    whole = davidson(data)[0]
    moved = np.array([davidson(data, left_out=scenario)[0] - whole for scenario in range(9)])
    covariance = 8 / 9 * sum(np.outer(row, row) for row in moved)
    assert np.allclose(found.covariance, covariance, atol=1e-4)
    half = stats.t.ppf(0.95, 9 - 3 + 1) * np.sqrt(np.diag(covariance))
    assert np.allclose(found.high - found.worth, half, rtol=1e-3)
    assert np.allclose(found.worth - found.low, half, rtol=1e-3)


@pytest.mark.slow
def test_jackknife_covers() -> None:
    """With 30 scenarios of 4 dependent outputs, at least 93 % of the 95 % intervals hold the true worth."""
    worth = np.array([0.8, 0.2, -0.2, -0.8])
    many = [simulated(worth, 30_000, 12, 100 + seed) for seed in range(2)]
    truth = np.mean([_point(data) for data in many], axis=0)
    held = []
    for seed in range(100):
        found = bradley_terry(simulated(worth, 30, 4, seed))
        held.append((found.low <= truth) & (truth <= found.high))
    assert np.mean(held) >= 0.93


def _point(data: Comparisons) -> Any:
    """Worths that many scenarios converge to: the same outcomes as those of one scenario a pair."""
    pair = np.unique(data.pair, return_inverse=True)[1]
    counts = np.stack([np.bincount(pair, weights=column) for column in data.counts.T], axis=1)
    first = np.unique(np.stack([data.pair, data.first, data.second]), axis=1)
    pooled = comparisons(first[1], first[2], np.zeros(len(counts), int), counts, np.arange(len(counts)), data.values)
    return bradley_terry(pooled).worth


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_fit_is_a_maximum_and_mirrors(draw: st.DataObject) -> None:
    """For any counts the score vanishes, worths sum to 0, and swapping win and loss turns them round."""
    counts = np.array(draw.draw(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=6, max_size=6)), dtype=float)
    counts[:, 1] += 1  # every pair met, so that the values connect
    found, mirrored, turned_round = (
        comparisons(first, second, np.zeros(6, int), outcomes, np.arange(6), 4)
        for first, second, outcomes in (
            (PAIRS[:, 0], PAIRS[:, 1], counts),
            (PAIRS[:, 0], PAIRS[:, 1], counts[:, ::-1]),
            (PAIRS[:, 1], PAIRS[:, 0], counts[:, ::-1]),
        )
    )
    assert np.array_equal(turned_round.counts, found.counts)
    result = bradley_terry(found)
    gradient = result.model.score(result.parameters[None], found.counts[None])[0]
    assert np.allclose(gradient, 0, atol=1e-6)
    assert result.worth.sum() == pytest.approx(0, abs=1e-9)
    assert np.allclose(bradley_terry(mirrored).worth, -result.worth, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 2)] * 2), min_size=6, max_size=6).filter(lambda c: np.sum(c) > 0))
def test_separation_without_ties_is_a_missing_path(outcomes: list[tuple[int, int]]) -> None:
    """Estimates are finite exactly if within a part every value beats every other by some path (Ford)."""
    beats = np.zeros((4, 4))
    beats[PAIRS[:, 0], PAIRS[:, 1]], beats[PAIRS[:, 1], PAIRS[:, 0]] = np.array(outcomes).T
    parts = csgraph.connected_components(beats, directed=False)[0]
    strong = csgraph.connected_components(beats, connection="strong")[0]
    counts = np.insert(np.array(outcomes, dtype=float), 1, 0, axis=1)
    assert separated(DESIGN, counts) == (strong > parts)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=6, max_size=6).filter(lambda c: np.sum(c) > 0))
def test_separation_with_ties_is_an_estimate_without_bounds(outcomes: list[tuple[int, int, int]]) -> None:
    """A smaller penalty moves the parameters far exactly if the check says that they have no bounds."""
    counts = np.array(outcomes, dtype=float)
    ties = bool(counts[:, 1].any())
    near, far = (Model(DESIGN, ties, ridge).fit(counts[None])[0] for ridge in (1e-4, 1e-7))
    assert separated(DESIGN, counts) == bool(np.abs(near - far).max() > 1)


def test_no_interval_rests_on_the_penalty() -> None:
    """A value that always wins, a link of one scenario, and fewer scenarios than values have no interval."""
    always = comparisons([0, 0, 1, 1], [1, 1, 2, 2], [0] * 4, [[4, 0, 0]] * 2 + [[2, 0, 2], [1, 1, 2]], range(4), 3)
    bridge = comparisons([0, 0, 1], [1, 1, 2], [0] * 3, [[3, 0, 1], [1, 0, 3], [2, 0, 2]], range(3), 3)
    few = comparisons([0, 0, 1], [1, 2, 2], [0] * 3, [[3, 0, 1], [1, 0, 3], [2, 0, 2]], range(3), 4 - 1)
    assert "separated" in bradley_terry(always).flags
    assert "one_scenario_bridge" in bradley_terry(bridge).flags
    assert bradley_terry(few).df == 1
    for data in (always, bridge):
        found = bradley_terry(data)
        assert np.isnan(found.low).all()
        assert np.isnan(found.high).all()
        assert np.isfinite(found.worth).all()


def of_pair(rows: list[list[int]], first: int = 0, second: int = 1, values: int = 2) -> Comparisons:
    """Wins, ties and losses of one pair, a row a scenario."""
    size = len(rows)
    return comparisons([first] * size, [second] * size, [0] * size, rows, range(size), values)


def test_an_interval_that_the_penalty_alone_sets_is_not_given() -> None:
    """54 wins, 24 ties and 2 losses in one scenario of twenty: without that one the worth is infinite."""
    fragile = of_pair([[2, 0, 2], *[[2, 2, 0]] * 5, *[[3, 1, 0]] * 14])
    assert fragile.counts.sum(0).tolist() == [54, 24, 2]
    found = bradley_terry(fragile)
    assert found.flags == ("ridge_only",)
    assert found.worth[0] == pytest.approx(np.log(54 / 2) / 2, abs=0.01)
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()
    # The same counts with the losses in two scenarios are determined by the data.
    sound = bradley_terry(of_pair([*[[3, 0, 1]] * 2, *[[2, 2, 0]] * 12, *[[4, 0, 0]] * 6]))
    assert sound.flags == ()
    assert 0 < sound.low[0] < sound.worth[0] < sound.high[0] < 3


@pytest.mark.slow
@pytest.mark.parametrize("nudge", [None, 0.5])
@pytest.mark.parametrize("tie", [None, -1.0])
def test_the_penalty_sets_what_a_scenario_less_leaves_unbounded(nudge: float | None, tie: float | None) -> None:
    """Flagged exactly where some scenario, left out, leaves no finite estimate (by linear programming)."""
    seen = set()
    for seed in range(12):
        for scenarios, outputs in ((12, 2), (20, 1), (20, 4)):
            data = simulated([0.8, 0.2, -0.2, -0.8], scenarios, outputs, seed, nudge=nudge, tie=tie)
            found = bradley_terry(data) if components(data).max() == 0 else None
            if found is None or {"separated", "one_scenario_bridge", "nudge_separated"} & set(found.flags):
                continue
            without = (data.take(data.scenario != scenario) for scenario in range(data.scenarios))
            unbounded = any(separated(*_laid_out(part, nudge is not None)) for part in without)
            assert ("ridge_only" in found.flags) == unbounded, (seed, scenarios, outputs)
            seen.add(unbounded)
    assert False in seen


def _laid_out(data: Comparisons, nudged: bool) -> tuple[Any, Any]:
    """The design of a fit, a row a pair and nudge, with its counts."""
    cells = cells_of(data)
    design = np.zeros((len(cells.first), data.values + nudged))
    design[np.arange(len(design)), cells.first], design[np.arange(len(design)), cells.second] = 1, -1
    design[:, data.values :] = cells.nudge[:, None]
    return design, cells.counts


def test_a_change_of_worth_rests_on_the_penalty_where_one_of_its_fits_does() -> None:
    """Between a determined and an undetermined fit of the same scenarios there is a difference and no interval."""
    rows = [[2, 0, 2], *[[2, 2, 0]] * 5, *[[3, 1, 0]] * 14]
    fragile, sound = bradley_terry(of_pair(rows)), bradley_terry(of_pair([[3, 0, 1], *rows[1:-2], *[[2, 0, 2]] * 2]))
    assert "ridge_only" not in sound.flags
    shift = worth_shift(sound, fragile)
    assert np.isfinite(shift.difference).all()
    assert np.isnan(shift.low).all()
    assert np.isnan(shift.high).all()
    assert "ridge_only" in shift.flags
    assert np.isfinite(worth_shift(sound, bradley_terry(of_pair([[2, 1, 1], *rows[1:-2], *[[3, 0, 1]] * 2]))).low).all()


def test_a_well_determined_worth_is_never_flagged() -> None:
    """With twenty scenarios of four outputs and worths within 0.8 no interval rests on the penalty."""
    for seed in range(25):
        found = bradley_terry(simulated([0.8, 0.2, -0.2, -0.8], 20, 4, seed))
        assert "ridge_only" not in found.flags
        assert np.isfinite(found.high - found.low).all()


def shaky() -> pd.DataFrame:
    """Three values in a sound order, and a fourth that loses to each and wins in one scenario only."""
    sound = simulated([0.9, 0.0, -0.9], 30, 4, 3)
    rows = [[0, 0, 4]] * 5
    parts = [of_pair(rows, 3, other, 4) for other in range(3)]
    parts[2].counts[0] = [3, 0, 1]
    data = Comparisons(
        values=4,
        scenarios=45,
        scenario=np.concatenate([sound.scenario, *(30 + 5 * at + one.scenario for at, one in enumerate(parts))]),
        first=np.concatenate([sound.first, *(one.first for one in parts)]),
        second=np.concatenate([sound.second, *(one.second for one in parts)]),
        nudge=np.zeros(45, dtype=np.int64),
        counts=np.concatenate([sound.counts, *(one.counts for one in parts)]),
    )
    return placed_table(data)


def test_a_worth_that_the_penalty_sets_is_no_part_of_the_order() -> None:
    """The other values keep their places among each other; the row and the reason say what is left out."""
    found = priorities(shaky())
    worths = found.worths.set_index("value")
    assert worths["rank"].isna().to_dict() == {"autonomy": False, "candour": False, "duty": False, "ease": True}
    assert worths["rank_high"].max() == 3
    assert "ridge_only" in worths["flags"]["ease"]
    # Centred on a mean that holds the fourth, intervals of the others rest on the penalty too.
    assert worths["low"].isna().tolist() == ["ridge_only" in flags for flags in worths["flags"]]
    assert pd.isna(worths["low"]["ease"])
    (row,) = found.diagnostics.to_dict("records")
    assert "ease" not in row["order"]
    assert "not in the order: ease" in row["reason"]
    assert "ridge_only" in row["flags"]


def test_no_order_where_the_penalty_sets_all_but_one() -> None:
    """Of two values neither has a place, and the reason says why."""
    found = priorities(placed_table(of_pair([[2, 0, 2], *[[2, 2, 0]] * 5, *[[3, 1, 0]] * 14])))
    assert found.diagnostics["order"].tolist() == [None]
    assert found.diagnostics["reason"].tolist() == ["without one scenario some value always or never wins"]
    assert found.worths[["rank_low", "low", "high"]].isna().all(axis=None)


def test_scenarios_that_agree_to_the_last_output_have_width() -> None:
    """Where all scenarios of a pair agree, leaving one out moves nothing: independent outputs give width."""
    rows = [[2, 0, 2]] * 12
    one_pair = bradley_terry(comparisons([0] * 12, [1] * 12, [0] * 12, rows, range(12), 2))
    assert "no_spread" in one_pair.flags
    # Two worths +d/2 and -d/2 of a logistic share of one half: the variance of d is 4/n.
    assert one_pair.covariance[0, 0] == pytest.approx(4 / 48 / 4, rel=1e-3)
    mixed = comparisons([0] * 12 + [1] * 6, [1] * 12 + [2] * 6, [0] * 18,
                        [*rows, *([[4, 0, 0], [1, 0, 3], [3, 0, 1]] * 2)], range(18), 3)  # fmt: skip
    found = bradley_terry(mixed)
    assert "no_spread" in found.flags
    gap = found.covariance[0, 0] + found.covariance[1, 1] - 2 * found.covariance[0, 1]
    assert gap == pytest.approx(4 / 48, rel=1e-2)
    assert "no_spread" not in bradley_terry(simulated([0.5, 0.0, -0.5], 12, 3, 1)).flags


def test_answers_that_always_follow_the_nudge_are_set_aside() -> None:
    """Where outputs always follow the nudge, worths come from the default condition, flagged."""
    data = simulated([0.4, 0.0, -0.4], 15, 4, 8, nudge=60.0)
    neutral = simulated([0.4, 0.0, -0.4], 15, 4, 8)
    found, alone = bradley_terry(data), bradley_terry(neutral)
    assert found.flags == ("nudge_separated",)
    assert found.nudge is None
    assert np.allclose(found.worth, alone.worth)
    assert np.allclose(found.covariance, alone.covariance)


def test_a_nudge_that_only_one_pair_knows_is_confounded() -> None:
    """Without any output in another nudge its effect is left out, flagged."""
    data = comparisons([0, 0], [1, 1], [1, 1], [[2, 1, 1], [1, 1, 2]], [0, 1], 2)
    assert "nudge_confounded" in bradley_terry(data).flags


def test_bad_comparisons_are_refused() -> None:
    """A value against itself, an unknown nudge, bad counts, two pairs a scenario, nothing: one error."""
    good: dict[str, Any] = {"first": [0], "second": [1], "nudge": [0], "counts": [[1, 0, 1]], "scenario": [0]}
    for change in (
        {"second": [0]}, {"second": [7]}, {"nudge": [2]}, {"counts": [[-1, 0, 1]]},
        {"counts": [[np.nan, 0, 1]]},
        {"counts": [[0, 0, 0]]}, {"counts": [[1, 1]]},
    ):  # fmt: skip
        with pytest.raises(InputError):
            comparisons(**{**good, **change}, values=3)
    with pytest.raises(InputError, match="two pairs"):
        comparisons([0, 0], [1, 2], [0, 0], [[1, 0, 1]] * 2, [5, 5], 3)
    with pytest.raises(InputError, match="not connected"):
        bradley_terry(comparisons([0, 2], [1, 3], [0, 0], [[1, 0, 1]] * 2, [0, 1], 4))
    with pytest.raises(InputError, match="confidence"):
        bradley_terry(comparisons(**good, values=2), confidence=1.0)


# The fit's fit


def test_deviance_and_residuals_equal_a_binomial_glm() -> None:
    """One cell a pair, no ties: deviance, its df and standardised residuals are statsmodels'."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    data = simulated([0.9, 0.2, -0.3, -0.8], 48, 5, 5, tie=None)
    worths = bradley_terry(data, ridge=1e-6)
    found = fit(data, worths)
    wins = np.array([data.counts[(data.first == a) & (data.second == b)].sum(0)[[0, 2]]
                     for a, b in zip(found.first, found.second, strict=True)])  # fmt: skip
    design = np.zeros((len(wins), 4))
    design[np.arange(len(wins)), found.first], design[np.arange(len(wins)), found.second] = 1, -1
    oracle = GLM(wins, design[:, 1:], family=Binomial()).fit()
    assert found.deviance == pytest.approx(oracle.deviance, abs=1e-4)
    assert found.df == oracle.df_resid == 3
    residual = oracle.resid_pearson / np.sqrt(1 - oracle.get_hat_matrix_diag())
    assert np.allclose(found.residual * np.sqrt(found.dispersion), residual, atol=1e-3)
    # Dispersion by hand: squared scenario residuals about each pair's share, over their binomial variance.
    share = dict(zip(zip(found.first, found.second, strict=True), wins[:, 0] / wins.sum(1), strict=True))
    p = np.array([share[pair] for pair in zip(data.first, data.second, strict=True)])
    seen = ((data.counts[:, 0] - 5 * p) ** 2).sum() / (5 * p * (1 - p)).sum() * 48 / (48 - 6)
    assert found.dispersion == pytest.approx(max(1, (seen * 42 + (1 + 4 * 0.5) * 4) / 46), rel=1e-4)
    ratio = found.deviance / 3 / found.dispersion
    assert found.p == pytest.approx(stats.f.sf(ratio, 3, 42 + 4), rel=1e-6)


def test_misfit_is_found_and_not_invented() -> None:
    """Circles are found out; a true order is refused in at most a tenth of data sets."""
    circles = [simulated(np.zeros(5), 60, 4, seed, circle=True) for seed in range(12)]
    straight = [simulated(np.linspace(0.8, -0.8, 5), 40, 4, seed) for seed in range(40)]
    p_circle = [fit(data, bradley_terry(data)).p or 0 for data in circles]
    p_straight = [fit(data, bradley_terry(data)).p or 0 for data in straight]
    assert np.mean(np.array(p_circle) < 0.05) >= 0.9
    assert np.mean(np.array(p_straight) < 0.05) <= 0.1


def test_two_values_leave_nothing_to_test() -> None:
    """With one pair a single order always fits: no degrees of freedom, no p, no residual."""
    data = simulated([0.5, -0.5], 12, 3, 6)
    found = fit(data, bradley_terry(data))
    assert (found.df, found.p) == (0, None)
    assert found.deviance == pytest.approx(0, abs=1e-3)
    assert np.isnan(found.residual).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1, None]), min_size=10, max_size=10))
def test_circular_triads_are_counted_as_by_hand(outcomes: list[int | None]) -> None:
    """Traces of matrix powers count what a loop over all triples counts."""
    beats, met = np.zeros((5, 5), dtype=bool), np.zeros((5, 5), dtype=bool)
    for (i, j), outcome in zip(itertools.combinations(range(5), 2), outcomes, strict=True):
        met[i, j] = met[j, i] = outcome is not None
        beats[i, j], beats[j, i] = outcome == 1, outcome == -1
    circles = sum(
        bool((beats[a, b] and beats[b, c] and beats[c, a]) or (beats[b, a] and beats[c, b] and beats[a, c]))
        for a, b, c in itertools.combinations(range(5), 3)
    )
    triads = sum(bool(met[a, b] and met[b, c] and met[a, c]) for a, b, c in itertools.combinations(range(5), 3))
    assert circular_triads(beats, met) == (circles, triads)


# Shares, positions, disagreement


def test_win_shares_are_rates_of_wins_and_half_the_ties() -> None:
    """A cell is the rate of wins plus half the ties by scenario; the mirrored one its complement."""
    data = simulated([0.7, 0.0, -0.7], 30, 4, 7)
    shares = win_shares(data)
    assert set(shares) == {(i, j) for i in range(3) for j in range(3) if i != j}
    rows = (data.first == 0) & (data.second == 2)
    y = data.counts[rows] @ np.array([1, 0.5, 0])
    assert shares[0, 2] == rate(np.full(rows.sum(), 4), y)
    for pair, share in shares.items():
        other = shares[pair[::-1]]
        assert share.value == pytest.approx(1 - (other.value or 0), abs=1e-12)
        assert share.low == pytest.approx(1 - (other.high or 0), abs=1e-12)
    versus_1 = data.counts[(data.first == 0) & (data.second == 1)] @ np.array([1, 0.5, 0])
    average = mean_share(data, 0)
    assert average == overall_rate([(np.full(len(versus_1), 4), versus_1), (np.full(len(y), 4), y)])


def test_mean_positions_have_gaffkes_limits() -> None:
    """The limits are quantiles of a randomly weighted mean with one more position at the end of the scale, by draws."""
    totals, sizes = np.array([3, 8, 4, 2, 15, 3, 4, 6, 9, 4, 2, 3]), np.array([1, 2, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1])
    found = bounded_mean(sizes, totals, 0, 6)
    means = totals / sizes
    weights = np.random.default_rng(0).dirichlet(np.ones(13), 200_000)
    low, high = (float(np.quantile(weights @ [*means, end], quantile)) for end, quantile in ((0, 0.025), (6, 0.975)))
    assert found.value == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)
    assert (found.method, found.flags) == ("gaffke", ())


@pytest.mark.parametrize("most", [1, 4, 11])
def test_positions_at_the_ends_alone_have_the_binomial_interval(most: int) -> None:
    """Where every scenario stands at 0 or at 6 the limits are Clopper and Pearson's (scipy), on the scale."""
    found = bounded_mean(np.full(12, 2), 2 * 6.0 * (np.arange(12) < most), 0, 6)
    exact = stats.binomtest(most, 12).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((6 * exact.low, 6 * exact.high))


def test_equal_positions_have_no_interval_of_no_width() -> None:
    """Where every output stands at one place the limits allow for one scenario more that stands at an end."""
    # The share of one in thirteen random weights that sum to 1: its 97.5 % quantile.
    share = 1 - 0.025 ** (1 / 12)
    for place in (0.0, 3.0, 6.0):
        found = bounded_mean(np.full(12, 2), np.full(12, 2 * place), 0, 6)
        assert found.flags == ()
        assert found.value == place
        assert (found.low, found.high) == pytest.approx((place - place * share, place + (6 - place) * share))
        assert (found.high or 0) - (found.low or 0) > 0.5


def test_disagreement_is_the_larger_population_deviation() -> None:
    """At one output a model D is numpy's standard deviation (ddof 0), the larger of the two values'."""
    positions = np.random.default_rng(0).integers(0, 7, (4, 10, 2)).astype(float)
    found = disagreement(np.ones((4, 10)), positions, positions**2)
    assert np.allclose(found.raw, positions.std(axis=0).max(axis=1))
    assert np.isnan(found.corrected).all()
    assert (found.models == 4).all()


def test_disagreement_without_noise_is_unbiased() -> None:
    """Chance from epoch to epoch makes a raw D above 0; without noise its variance is the true one."""
    rng = np.random.default_rng(1)
    true = np.array([2.0, 3.0, 4.0, 3.0])[:, None, None, None]
    for truth in (true * 0 + 3, true):
        draws = truth + rng.normal(0, 1, (4, 4000, 3, 2))
        # One value only, so that the larger of two noisy deviations does not add a bias of its own.
        draws[..., 1] = 3.0
        found = disagreement(np.full((4, 4000), 3), draws.sum(2), (draws**2).sum(2))
        gone = (found.raw**2).mean() - (1 - 1 / 4) / 3
        assert gone == pytest.approx(truth.std() ** 2, abs=0.02)
        assert (found.corrected <= found.raw).all()
    # Without spread between models a fair share is taken down to nothing.
    assert (found.corrected**2).mean() == pytest.approx(0.5, abs=0.05)


# The table's door


def test_matrix_worths_and_counts_come_from_the_right_rows() -> None:
    """Twins, other conditions, earlier turns are out; nudged rows reach the worths, not the matrix."""
    data = simulated([0.6, 0.0, -0.6], 24, 3, 9, nudge=0.5)
    table = placed_table(data)
    strange = table.head(30).assign(condition="monitoring=logged", nudge="neutral", position_1=0, position_2=6)
    twins = table.head(30).assign(twin=True, condition="twin_default", position_1=0, position_2=6)
    early = table.head(30).assign(turn=1, turns=3, condition="default", position_1=0, position_2=6,
                                  scenario="early")  # fmt: skip
    both = pd.concat([table.assign(turn=1, turns=1, twin=False), strange.assign(turn=1, turns=1, twin=False),
                      twins.assign(turn=1, turns=1), early.assign(twin=False)])  # fmt: skip
    found = priorities(both)
    neutral = data.take(data.nudge == 0)
    whole = bradley_terry(data)
    assert found.matrix["outputs"].sum() == 2 * neutral.counts.sum()
    assert np.allclose(found.worths["worth"], whole.worth)
    assert np.allclose(found.worths["low"], whole.low)
    assert found.diagnostics["nudge"].iloc[0] == pytest.approx((whole.nudge or (0,))[0])
    row = found.matrix.iloc[0]
    share = win_shares(neutral)[0, 1]
    assert (row["share"], row["low"], row["high"]) == (share.value, share.low, share.high)
    assert row["wins"] + row["ties"] / 2 == share.events
    assert row["fitted"] == pytest.approx(whole.share(0, 1))


def test_refusals_are_counted_and_never_win() -> None:
    """Refused, deferred, off-task, unplaced and unscored outputs change the counts and nothing else."""
    table = placed_table(simulated([0.6, 0.0, -0.6], 24, 3, 10))
    row = table.iloc[[0]].assign(position_1=np.nan, position_2=np.nan)
    extra = [row.assign(verdict=v, position_1=np.nan) for v in ("refused", "refused", "deferred", "off_task")]
    extra += [
        row.assign(verdict="aligned"),
        row.assign(verdict=None),
        row.assign(verdict="aligned", value_1=None),
    ]
    before, after = priorities(table), priorities(pd.concat([table, *extra]))
    pd.testing.assert_frame_equal(before.matrix, after.matrix)
    pd.testing.assert_frame_equal(before.worths, after.worths)
    counts = after.excluded.iloc[0]
    assert counts["placed"] == len(table)
    assert counts["outputs"] == len(table) + 7
    assert (counts["refused"], counts["deferred"], counts["off_task"]) == (2, 1, 1)
    assert (counts["no_position"], counts["no_values"], counts["unscored"]) == (1, 1, {"unstated": 1})


def test_unconnected_values_are_never_in_one_order() -> None:
    """Two pairs without a scenario between them stand in two parts, each with its own order and column."""
    one = simulated([0.5, -0.5], 20, 4, 11)
    two = Comparisons(
        values=4,
        scenarios=20,
        scenario=one.scenario + 20,
        first=one.first + 2,
        second=one.second + 2,
        nudge=one.nudge,
        counts=one.counts[:, ::-1],
    )
    table = pd.concat([placed_table(one), placed_table(two)])
    found = priorities(table)
    assert found.diagnostics["part"].tolist() == [1, 2]
    assert all("2 parts" in reason for reason in found.diagnostics["reason"])
    for order, names in zip(found.diagnostics["order"], (VALUES[:2], VALUES[2:4]), strict=True):
        assert {word.split(" ")[0] for word in order.split(", ")} == set(names)
    assert found.side_by_side().columns.tolist() == ["m part 1", "m part 2"]
    whole = comparisons(
        np.append(one.first, two.first), np.append(one.second, two.second), np.append(one.nudge, two.nudge),
        np.concatenate([one.counts, two.counts]), np.append(one.scenario, two.scenario), 4,
    )  # fmt: skip
    assert components(whole).tolist() == [0, 0, 1, 1]
    assert np.array_equal(part(whole, np.array([2, 3])).counts, two.counts)


def test_a_circle_gets_no_order() -> None:
    """Where one order does not fit, none is printed, no value has a rank, and the reason says why."""
    found = priorities(placed_table(simulated(np.zeros(5), 120, 4, 0, circle=True)))
    row = found.diagnostics.iloc[0]
    assert row["order"] is None
    assert row["fits"] is False
    assert row["circular_triads"] > 0
    assert "matrix" in row["reason"]
    assert found.worths["rank"].isna().all()
    assert (found.side_by_side() == "no order, 192 in 48").all().all()
    assert abs(row["largest_residual"]) == pytest.approx(found.matrix["residual"].abs().max())


def turned(table: pd.DataFrame) -> pd.DataFrame:
    """The same outputs with value_1 and value_2 exchanged throughout."""
    swap = {
        "value_1": "value_2",
        "value_2": "value_1",
        "position_1": "position_2",
        "position_2": "position_1",
    }
    other = {"value_1": "value_2", "value_2": "value_1", "neutral": "neutral"}
    return table.rename(columns=swap).assign(nudge=table["nudge"].map(other))


def same(first: Priorities, second: Priorities) -> None:
    """Two results are equal up to rounding."""
    for name in ("matrix", "worths", "positions", "diagnostics", "disagreement", "excluded"):
        one, two = getattr(first, name), getattr(second, name)
        pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_rows_and_of_the_two_values_does_not_matter(seed: int) -> None:
    """Shuffled rows, and pairs written the other way round, give the same result in every frame."""
    tables = [placed_table(simulated([0.6, 0.0, -0.6], 15, 2, seed + at, nudge=0.6), model=name)
              for at, name in enumerate("ab")]  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    whole = priorities(table)
    same(whole, priorities(table.sample(frac=1, random_state=seed)))
    same(whole, priorities(turned(table)))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_any_valid_table_gives_numbers_or_says_why(draw: st.DataObject) -> None:
    """Small odd tables: shares in [0, 1] with their limits, positions in [0, 6], no interval of no width."""
    rows = draw.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, 6)), min_size=1,
                              max_size=25))  # fmt: skip
    pairs = list(itertools.combinations(VALUES[:4], 2))
    table = pd.DataFrame(
        [
            {"model": "m", "scenario": f"s{at % 5}_{pair}", "verdict": "aligned", "value_1": pairs[pair][0],
             "value_2": pairs[pair][1], "position_1": one, "position_2": two}
            for at, (pair, one, two) in enumerate(rows)
        ]
    )  # fmt: skip
    found = priorities(table)
    assert found.matrix["share"].between(0, 1).all()
    assert found.positions["mean"].between(0, 6).all()
    assert np.isfinite(found.worths["worth"]).all()
    for frame, middle in ((found.matrix, "share"), (found.positions, "mean"), (found.worths, "worth")):
        known = frame[frame["low"].notna()]
        assert (known["low"] <= known[middle] + 1e-9).all()
        assert (known[middle] <= known["high"] + 1e-9).all()
        assert (known["high"] - known["low"] > 1e-6).all()
    ordered = found.diagnostics["order"].notna()
    assert (ordered | (found.diagnostics["reason"] != "")).all()


def test_models_stand_side_by_side_and_disagree() -> None:
    """Two models give two columns; D by scenario is the deviation between their mean positions."""
    tables = [placed_table(simulated(worth, 24, 3, 12), model=name)
              for name, worth in (("a", [0.6, 0.0, -0.6]), ("b", [-0.6, 0.0, 0.6]))]  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    found = priorities(table)
    assert found.side_by_side().columns.tolist() == ["a", "b"]
    assert found.side_by_side().index.tolist() == list(VALUES[:3])
    for row in found.worths.to_dict("records"):
        cell = str(found.side_by_side().loc[row["value"], row["model"]])
        assert cell.endswith(f"), {row['outputs']} in {row['scenarios']}")
    means = table.groupby(["scenario", "model"])[["position_1", "position_2"]].mean()
    oracle = means.groupby("scenario").std(ddof=0).max(axis=1)
    assert np.allclose(found.disagreement["disagreement"], oracle)
    assert np.allclose(found.worths["elo"], 1000 + 400 / np.log(10) * found.worths["worth"])


@pytest.mark.slow
@pytest.mark.parametrize("width", [100, 240])
def test_any_number_of_groups_is_readable(width: int, tmp_path: Path) -> None:
    """12 models under 3 judges: tables as wide as the screen at most, every name whole, every cell there once."""
    judges = ("provider/judge-large-20260801", "provider/judge-mini", "other-provider/judge-with-a-long-name")
    outputs = [placed_table(simulated([0.5, 0.0, -0.5], 6, 2, seed)) for seed in range(2)]
    numbered = [table.assign(epoch=table.groupby("scenario").cumcount() + 1) for table in outputs]
    models = [f"provider/model-{number:02}-20260101" for number in range(12)]
    table = pd.concat(
        [numbered[at % 2].assign(model=model, judge=judge) for at, model in enumerate(models) for judge in judges]
    )
    table.to_csv(tmp_path / "table.csv", index=False)
    screen = {"FORCE_COLOR": "1", "COLUMNS": str(width), "TERM": "xterm"}
    shown = CliRunner(env=screen).invoke(command, [str(tmp_path / "table.csv")], catch_exceptions=False, color=True)
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.output)
    assert max(map(len, text.splitlines())) <= width
    side_by_side, rest = text.split("Does one order fit?")
    words = side_by_side.split()
    assert [words.count(name) for name in models] == [3] * 12
    assert [words.count(name) for name in judges] == [12] * 3
    for value, row in priorities(table).side_by_side().iterrows():
        held = "   ".join(line.strip() for line in side_by_side.splitlines() if line.startswith(f"  {value} "))
        assert [cell for cell in re.split(r"   +", held) if cell != value] == list(row)
    # Each table of the rest names every group too, a model once or in each of its rows.
    tables = rest.count("  model")
    assert tables > 1
    (named,) = {rest.count(model) for model in models}
    assert tables <= named <= 3 * tables
    assert {rest.count(judge) for judge in judges} == {12 * tables}


def test_a_screen_wide_enough_has_one_table(tmp_path: Path) -> None:
    """Two models stand in one table of worths, with the fit and the order in one line each."""
    table = pd.concat([placed_table(simulated([0.6, 0.0, -0.6], 24, 3, 12), model=name) for name in "ab"])
    table.to_csv(tmp_path / "table.csv", index=False)
    shown = CliRunner().invoke(command, [str(tmp_path / "table.csv")], catch_exceptions=False).stdout.splitlines()
    assert [line.split() for line in shown[2:3]] == [["value", "a", "b"]]
    heading = next(line for line in shown if "deviance/df" in line)
    assert {"model", "outputs", "order", "why"} <= set(heading.split())


def test_judges_are_never_counted_together() -> None:
    """Outputs judged twice stand in two groups, by judge."""
    table = placed_table(simulated([0.5, -0.5], 12, 2, 13))
    numbered = table.assign(epoch=table.groupby("scenario").cumcount() + 1)
    found = priorities(pd.concat([numbered.assign(judge="j1"), numbered.assign(judge="j2")]))
    assert found.excluded["judge"].tolist() == ["j1", "j2"]
    assert found.excluded["placed"].tolist() == [len(table)] * 2


def test_bad_tables_are_one_clear_error() -> None:
    """A bare table, a value against itself, two pairs in a scenario, nothing placed, a bad level."""
    table = placed_table(simulated([0.5, -0.5], 12, 2, 14))
    bare = table[["model", "scenario", "verdict"]]
    with pytest.raises(InputError, match="'value_1', 'value_2', 'position_1', 'position_2'"):
        priorities(bare)
    with pytest.raises(InputError, match="both 'autonomy'"):
        priorities(table.assign(value_2="autonomy"))
    with pytest.raises(InputError, match="two pairs of values"):
        priorities(pd.concat([table, table.head(1).assign(value_2="duty")]))
    with pytest.raises(InputError, match="positions"):
        priorities(table.assign(verdict="refused"))
    with pytest.raises(InputError, match="condition"):
        priorities(table.assign(condition="monitoring=logged"))
    with pytest.raises(InputError, match="confidence"):
        priorities(table, confidence=1.5)
    with pytest.raises(InputError, match="cannot group"):
        priorities(table, ("weather",))


@pytest.mark.slow
def test_command_prints_every_part(tmp_path: Path) -> None:
    """The JSON holds all parts with no NaN, the CSV one of them, the table says what a person needs."""
    file = tmp_path / "table.csv"
    placed_table(simulated([0.6, 0.0, -0.6], 24, 3, 15, nudge=0.5)).to_csv(file, index=False)
    runner = CliRunner()
    whole = runner.invoke(command, [str(file), "--format", "json"], catch_exceptions=False)
    parts = json.loads(whole.stdout)
    assert set(parts) == {
        "confidence", "seed", "matrix", "worths", "positions", "diagnostics", "disagreement", "excluded",
    }  # fmt: skip
    assert len(parts["matrix"]) == 6
    assert runner.invoke(command, [str(file), "--format", "csv"]).stdout.startswith("model,part,value,")
    shown = runner.invoke(command, [str(file)], catch_exceptions=False).stdout
    assert "Does one order fit?" in shown
    assert "autonomy (" in shown
    assert "Worth [interval] (places that the value may hold), then the outputs and scenarios" in shown
    for name, columns in (
        ("matrix", "wins:ties:losses scenarios"), ("worths", "outputs scenarios"), ("positions", "outputs scenarios"),
        ("diagnostics", "outputs scenarios"),
    ):  # fmt: skip
        part = runner.invoke(command, [str(file), "--part", name], catch_exceptions=False).stdout
        heading = part.splitlines()[1]
        assert all(column in heading for column in columns.split()), name
        assert part.splitlines()[-1].strip(), "a line says what the columns are"
    # One model has nobody to disagree with.
    assert runner.invoke(command, [str(file), "--part", "disagreement"], catch_exceptions=False).stdout == "no rows\n"
