"""Intervals of one rate: each formula against a second derivation, and what must hold of any data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from statsmodels.stats.proportion import proportion_confint

from alignbench.errors import InputError
from alignbench.stats.methods import Method
from alignbench.stats.overall import overall_rate
from alignbench.stats.rate import moments, rate, wilson, zero_event_bound

if TYPE_CHECKING:
    from random import Random

Cell = tuple[list[int], list[int]]

METHODS: tuple[Method, ...] = get_args(Method)
FORMULAE = tuple(method for method in METHODS if method != "beta_binomial")
# The order of the bets makes the limits of `betting`, and a mirrored or doubled table has another one.
WITHOUT_ORDER = tuple(method for method in FORMULAE if method != "betting")
# The posterior is a grid: a hundredth of a second an interval, so it has its own, smaller test.
steady = settings(deadline=None, max_examples=100)
# Equal and unequal sizes, rare and common events, none and all, one dominant scenario.
CELLS: tuple[Cell, ...] = (
    ([4] * 12, [0, 1, 0, 4, 2, 0, 0, 0, 3, 0, 0, 1]),
    ([3, 9, 1, 5, 5, 2, 30, 4], [1, 0, 1, 5, 2, 0, 11, 4]),
    ([10] * 10, [0] * 9 + [1]),
    ([2, 3, 4], [0, 0, 0]),
    ([2, 3, 4], [2, 3, 4]),
    ([1] * 25, [1] * 3 + [0] * 22),
    ([100, 1], [50, 1]),
)


@st.composite
def cells(draw: st.DrawFn, least: int = 2, most: int = 12, size: int = 8) -> Cell:
    """Scenario counts with at least `least` scenarios."""
    n = draw(st.lists(st.integers(1, size), min_size=least, max_size=most))
    return n, [draw(st.integers(0, outputs)) for outputs in n]


def s1_by_hand(n: list[int], y: list[int], confidence: float) -> dict[str, float]:
    """S1 as METHODS section 1 states it, scenario by scenario."""
    total, events, scenarios = sum(n), sum(y), len(n)
    p = events / total
    cr2 = sum((yg - ng * p) ** 2 / (1 - ng / total) for ng, yg in zip(n, y, strict=True)) / total**2
    a = sum(ng**2 / (1 - ng / total) for ng in n) / total
    b = sum(ng**4 / (1 - ng / total) ** 2 for ng in n) / total**2
    df = total**2 / (sum(ng**2 for ng in n) + a**2 - b)
    m2 = sum(ng**2 for ng in n) / total
    observed = 1.0 if p in (0, 1) else max(1.0, cr2 * total / (p * (1 - p)))
    with_event = sum(yg > 0 for yg in y)
    with_other = sum(yg < ng for ng, yg in zip(n, y, strict=True))
    ev = min(with_event, with_other)
    deff = (observed * ev + (1 + (m2 - 1) * 0.5) * 4) / (ev + 4)
    n_eff = total / deff
    t = stats.t.ppf(0.5 + confidence / 2, df)
    centre = (p + t**2 / (2 * n_eff)) / (1 + t**2 / n_eff)
    half = t / (1 + t**2 / n_eff) * math.sqrt(p * (1 - p) / n_eff + t**2 / (4 * n_eff**2))
    return {
        "value": p,
        "low": centre - half,
        "high": centre + half,
        "n": total,
        "scenarios": scenarios,
        "events": events,
        "event_scenarios": ev,
        "deff": deff,
        "n_eff": n_eff,
        "df": df,
        "icc": min(max((observed - 1) / (m2 - 1), 0), 1) if m2 > 1 else math.nan,
    }


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize(("n", "y"), CELLS)
def test_s1_is_the_written_formula(n: list[int], y: list[int], confidence: float) -> None:
    """Every number of the estimate equals the formula worked out scenario by scenario."""
    found, wanted = rate(n, y, confidence=confidence, method="s1"), s1_by_hand(n, y, confidence)
    for name, value in wanted.items():
        got = getattr(found, name)
        assert (math.nan if got is None else got) == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True), name
    assert found.method == "s1"
    assert found.confidence == confidence


@pytest.mark.parametrize(("n", "y"), CELLS)
def test_cr2_and_its_degrees_of_freedom_are_the_general_definition(n: list[int], y: list[int]) -> None:
    """CR2 and Bell-McCaffrey df equal the matrix definition for a regression on a constant."""
    total = sum(n)
    cluster = np.repeat(np.arange(len(n)), n)
    outcome = np.concatenate([np.repeat([1.0, 0.0], [yg, ng - yg]) for ng, yg in zip(n, y, strict=True)])
    x = np.ones((total, 1))
    bread = np.linalg.inv(x.T @ x)
    annihilator = np.eye(total) - x @ bread @ x.T
    residual = annihilator @ outcome
    meat, columns = np.zeros((1, 1)), []
    for at in range(len(n)):
        inside = cluster == at
        values, vectors = np.linalg.eigh(annihilator[np.ix_(inside, inside)])
        root = vectors @ np.diag(values**-0.5) @ vectors.T
        score = x[inside].T @ root @ residual[inside]
        meat += np.outer(score, score)
        columns.append(annihilator[:, inside] @ root @ x[inside] @ bread[:, 0])
    spread = np.array(columns) @ np.array(columns).T
    found = moments(n, y)
    assert found.cr2 == pytest.approx((bread @ meat @ bread).item(), abs=1e-14)
    assert found.df == pytest.approx(np.trace(spread) ** 2 / np.trace(spread @ spread), rel=1e-9)


def test_degrees_of_freedom_of_equal_scenarios() -> None:
    """Scenarios of one size leave K - 1 degrees of freedom."""
    assert rate([5] * 9, [1] * 9).df == pytest.approx(8)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
@pytest.mark.parametrize("events", [0, 1, 7, 20])
def test_wilson_with_one_output_a_scenario_is_statsmodels(events: int, confidence: float) -> None:
    """Where every scenario has one output the Wilson interval is the textbook one."""
    found = rate([1] * 20, [1] * events + [0] * (20 - events), confidence=confidence, method="wilson")
    wanted = proportion_confint(events, 20, alpha=1 - confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx(wanted, abs=1e-12)


def test_s1_on_many_independent_outputs_is_nearly_wilson() -> None:
    """With one output a scenario S1 is Wilson at n_eff = n, but for the t quantile."""
    found = rate([1] * 5000, [1] * 400 + [0] * 4600, method="s1")
    assert found.n_eff == pytest.approx(5000, rel=1e-3)
    assert (found.low, found.high) == pytest.approx(proportion_confint(400, 5000, method="wilson"), abs=1e-5)


@pytest.mark.parametrize("hit", [0, 1, 6, 15])
def test_clopper_pearson_on_scenarios_is_scipy(hit: int) -> None:
    """With a scenario all or nothing, the worst case is the exact interval on scenarios."""
    found = rate([3] * 15, [3] * hit + [0] * (15 - hit), method="clopper_pearson")
    wanted = stats.binomtest(hit, 15).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_cr2_t_is_the_textbook_interval() -> None:
    """With one output a scenario it is the mean, plus and minus t times the standard error."""
    outcome = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1]
    found = rate([1] * 10, outcome, method="cr2_t", confidence=0.9)
    wanted = stats.t.interval(0.9, 9, loc=np.mean(outcome), scale=stats.sem(outcome))
    assert (found.low, found.high) == pytest.approx((wanted[0], min(wanted[1], 1.0)), abs=1e-12)


def test_beta_binomial_is_the_posterior() -> None:
    """Brute-force integration puts (1 - level) / 2 of the posterior below and above the limits."""
    n, y = [4, 4, 3, 5], [0, 2, 1, 1]

    def density(rho: float, angle: float) -> float:
        mu, strength = math.sin(angle) ** 2, 1 / rho - 1
        likelihood = [
            stats.betabinom.pmf(yg, ng, mu * strength, (1 - mu) * strength) for ng, yg in zip(n, y, strict=True)
        ]
        return float(np.prod(likelihood))

    def mass(low: float, high: float) -> float:
        angles = [math.asin(math.sqrt(limit)) for limit in (low, high)]
        return float(integrate.dblquad(density, *angles, 1e-6, 1 - 1e-6, epsabs=1e-7, epsrel=1e-4)[0])

    found = rate(n, y, method="beta_binomial", confidence=0.8)
    assert found.low is not None
    assert found.high is not None
    below, inside, above = mass(1e-9, found.low), mass(found.low, found.high), mass(found.high, 1 - 1e-9)
    whole = below + inside + above
    assert (below / whole, above / whole) == pytest.approx((0.1, 0.1), abs=2e-3)


def overall_by_hand(packs: list[Cell], weights: list[float]) -> tuple[float, float, float]:
    """The stratified S1 as METHODS section 1 states it."""
    share = [weight / sum(weights) for weight in weights]
    parts = [s1_by_hand(n, y, 0.95) for n, y in packs]
    sizes = [part["n"] for part in parts]
    m2 = [sum(ng**2 for ng in n) / sum(n) for n, _ in packs]
    p = sum(w * part["value"] for w, part in zip(share, parts, strict=True))
    cr2 = [float(moments(n, y).cr2) for n, y in packs]
    v = sum(w**2 * value for w, value in zip(share, cr2, strict=True))
    v0 = sum(w**2 / size for w, size in zip(share, sizes, strict=True))
    mean_size = sum(w**2 / size * m for w, size, m in zip(share, sizes, m2, strict=True)) / v0
    with_event = sum(yg > 0 for _, y in packs for yg in y)
    with_other = sum(yg < ng for n, y in packs for ng, yg in zip(n, y, strict=True))
    ev = min(with_event, with_other)
    deff = (max(1.0, v / (p * (1 - p) * v0)) * ev + (1 + (mean_size - 1) * 0.5) * 4) / (ev + 4)
    low, high = wilson(p, 1 / (v0 * deff), stats.t.ppf(0.975, sum(part["df"] for part in parts)))
    return p, float(low), float(high)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 5.0]])
def test_overall_is_the_stratified_formula(weights: list[float] | None) -> None:
    """The overall rate weighs packs, not outputs, and its limits follow the written formula."""
    packs = list(CELLS[:3])
    found = overall_rate(packs, weights=weights, method="s1")
    wanted = overall_by_hand(packs, weights or [1.0] * 3)
    assert (found.value, found.low, found.high) == pytest.approx(wanted, abs=1e-12)
    assert found.method == "s1_stratified"
    assert (found.n, found.scenarios, found.events) == (48 + 59 + 100, 30, 11 + 24 + 1)


@pytest.mark.parametrize(("n", "y"), CELLS)
def test_overall_of_one_pack_is_its_rate(n: list[int], y: list[int]) -> None:
    """One pack alone gives the estimate of that pack, field by field; also where nothing of it was judged."""
    assert overall_rate([(n, y)]) == rate(n, y)
    assert overall_rate([([0] * len(n), [0] * len(n))]) == rate([], [])


def test_overall_needs_every_pack() -> None:
    """A pack with nothing judged leaves no overall value; one with a single scenario leaves no interval."""
    missing = overall_rate([CELLS[0], ([], [])])
    assert (missing.value, missing.low, missing.high) == (None, None, None)
    assert missing.flags == ("missing_pack",)
    for nothing in (overall_rate([([], []), ([0, 0], [0, 0])]), overall_rate([([], [])])):
        assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
        assert nothing.flags == ("nothing_judged",)
    single = overall_rate([CELLS[0], ([4], [1])])
    assert single.value == pytest.approx((11 / 48 + 1 / 4) / 2)
    assert (single.low, single.high) == (None, None)
    assert "one_scenario" in single.flags


def test_zero_event_bound_of_one_stratum() -> None:
    """With one stratum the bound is 1 - alpha ** (1 / K), and the estimate carries it only at zero events."""
    assert zero_event_bound([30], [1.0], 0.95) == pytest.approx(1 - 0.05 ** (1 / 30), rel=1e-12)
    assert rate([4] * 30, [0] * 30).one_sided_upper == pytest.approx(1 - 0.05 ** (1 / 30), rel=1e-12)
    assert rate([4] * 30, [1] + [0] * 29).one_sided_upper is None


@steady
@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(0.1, 5)), min_size=2, max_size=4),
    st.sampled_from([0.8, 0.95]),
)
def test_zero_event_bound_is_the_worst_case(strata: list[tuple[int, float]], confidence: float) -> None:
    """No set of rates that could show zero events with probability 1 - level has a larger weighted rate."""
    scenarios = np.array([k for k, _ in strata], float)
    weights = np.array([w for _, w in strata]) / sum(w for _, w in strata)
    budget = -math.log(1 - confidence)
    found = zero_event_bound(scenarios, weights, confidence)
    # Spending the budget x_h = -K_h log(1 - p_h) on one stratum is a feasible point; so is any split of it.
    corners = weights * -np.expm1(-budget / scenarios)
    assert found >= corners.max() - 1e-9
    best = optimize.minimize(
        lambda x: -float((weights * -np.expm1(-x / scenarios)).sum()),
        np.full(len(strata), budget / len(strata)),
        bounds=[(0, budget)] * len(strata),
        constraints={"type": "eq", "fun": lambda x: float(x.sum() - budget)},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    assert found == pytest.approx(max(-best.fun, corners.max()), rel=1e-4)


def test_nothing_judged_and_one_scenario() -> None:
    """Without scenarios there is no value, with one there is no interval, and a flag says so."""
    nothing = rate([], [])
    assert (nothing.value, nothing.low, nothing.high, nothing.n) == (None, None, None, 0)
    assert nothing.flags == ("nothing_judged",)
    assert rate([0, 0], [0, 0]) == nothing
    single = rate([0, 8], [0, 2])
    assert (single.value, single.low, single.high, single.scenarios) == (0.25, None, None, 1)
    assert single.flags == ("few_scenarios", "one_scenario")


def test_few_scenarios_are_flagged() -> None:
    """Nine scenarios are few, ten are not."""
    assert rate([2] * 9, [1] * 9).flags == ("few_scenarios",)
    assert rate([2] * 10, [1] * 10).flags == ()


@pytest.mark.parametrize(
    ("n", "y", "confidence", "named"),
    [
        ([2, 2], [3, 0], 0.95, "y = 3.0 of n = 2.0"),
        ([2, 2], [-1, 0], 0.95, "-1.0"),
        ([2, math.nan], [0, 0], 0.95, "nan"),
        ([2, math.inf], [0, 0], 0.95, "inf"),
        ([2, 2], [0], 0.95, "(2,)"),
        ([[2, 2]], [[0, 0]], 0.95, "(1, 2)"),
        ([2, 2], [0, 0], 1.0, "confidence 1.0"),
        ([2, 2], [0, 0], 0.0, "confidence 0.0"),
        ([2, 2], [0, 0], math.nan, "confidence nan"),
    ],
)
def test_unusable_counts_are_named(n: list[float], y: list[float], confidence: float, named: str) -> None:
    """What cannot be a count or a coverage is an error with the bad value in it."""
    with pytest.raises(InputError) as raised:
        rate(n, y, confidence=confidence)
    assert named in str(raised.value)


def test_unknown_method_and_unusable_weights_are_named() -> None:
    """So are a method nobody knows, no packs at all, and weights that are none."""
    with pytest.raises(InputError, match="'wald'"):
        rate([2, 2], [0, 1], method="wald")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least one"):
        overall_rate([])
    for weights in ([1.0], [1.0, 0.0], [1.0, -1.0], [1.0, math.nan]):
        with pytest.raises(InputError, match="2 positive numbers"):
            overall_rate([CELLS[0], CELLS[1]], weights=weights)


@steady
@given(cells(), st.sampled_from(FORMULAE), st.floats(0.5, 0.999))
def test_limits_are_probabilities_around_the_estimate(cell: Cell, method: Method, confidence: float) -> None:
    """0 <= low <= rate <= high <= 1, whatever the data and the method, and no field is NaN."""
    found = rate(*cell, confidence=confidence, method=method)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    numbers = (found.deff, found.n_eff, found.df, found.icc, found.one_sided_upper)
    assert all(number is None or math.isfinite(number) for number in numbers)
    assert found.deff is not None
    assert found.deff >= 1


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(cells(most=6))
def test_the_posterior_interval_behaves(cell: Cell) -> None:
    """The posterior limits, too, are probabilities around the rate, nested by level, and mirror."""
    n, y = cell
    inner, outer = (rate(n, y, confidence=confidence, method="beta_binomial") for confidence in (0.8, 0.95))
    other = rate(n, [ng - yg for ng, yg in zip(n, y, strict=True)], method="beta_binomial")
    limits = [outer.low, inner.low, inner.value, inner.high, outer.high]
    assert limits == sorted(limits, key=lambda limit: -1.0 if limit is None else limit)
    assert outer.low is not None
    assert outer.high is not None
    assert 0 <= outer.low <= outer.high <= 1
    assert (other.low, other.high) == pytest.approx((1 - outer.high, 1 - outer.low), abs=1e-6)


@steady
@given(cells(), st.sampled_from(WITHOUT_ORDER))
def test_swapping_events_and_others_mirrors_the_interval(cell: Cell, method: Method) -> None:
    """Counting the non-events instead gives the mirrored interval."""
    n, y = cell
    found = rate(n, y, method=method)
    other = rate(n, [ng - yg for ng, yg in zip(n, y, strict=True)], method=method)
    assert found.low is not None
    assert found.high is not None
    assert (other.low, other.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-6)
    assert other.deff == pytest.approx(found.deff)


@steady
@given(cells(), st.sampled_from(FORMULAE), st.randoms())
def test_the_order_of_scenarios_is_nothing(cell: Cell, method: Method, random: Random) -> None:
    """Scenarios in another order give the same estimate."""
    shuffled = list(zip(*cell, strict=True))
    random.shuffle(shuffled)
    found, again = rate(*cell, method=method), rate(*zip(*shuffled, strict=True), method=method)
    assert (again.value, again.low, again.high) == pytest.approx((found.value, found.low, found.high))


@pytest.mark.slow
@steady
@given(st.integers(2, 40), st.integers(1, 6), st.data())
def test_another_event_never_lowers_an_exact_limit(k: int, size: int, data: st.DataObject) -> None:
    """Gaffke's, Wilson and Clopper-Pearson rise with the events; S1 need not: an event shows the spread."""
    exact: tuple[Method, ...] = ("gaffke", "gaffke_g75", "gaffke_midp", "wilson", "clopper_pearson")
    method = data.draw(st.sampled_from(exact))
    y = data.draw(st.lists(st.integers(0, size), min_size=k, max_size=k))
    assume(sum(y) < k * size)
    at = next(at for at in range(k) if y[at] < size)
    more = [value + (place == at) for place, value in enumerate(y)]
    before, after = rate([size] * k, y, method=method), rate([size] * k, more, method=method)
    assert before.low is not None
    assert after.low is not None
    assert before.high is not None
    assert after.high is not None
    assert after.low >= before.low - 1e-12
    assert after.high >= before.high - 1e-12


@steady
@given(cells(), st.sampled_from(WITHOUT_ORDER))
def test_twice_the_scenarios_narrow_the_interval(cell: Cell, method: Method) -> None:
    """Every scenario seen twice leaves the rate where it is and never widens the interval."""
    n, y = cell
    found, twice = rate(n, y, method=method), rate(n * 2, y * 2, method=method)
    assert found.low is not None
    assert found.high is not None
    assert twice.low is not None
    assert twice.high is not None
    assert twice.value == pytest.approx(found.value)
    assert twice.high - twice.low <= found.high - found.low + 1e-12


@steady
@given(cells(), st.sampled_from(FORMULAE))
def test_more_coverage_is_a_wider_interval(cell: Cell, method: Method) -> None:
    """The 80 % interval lies inside the 95 % interval."""
    inner, outer = rate(*cell, confidence=0.8, method=method), rate(*cell, confidence=0.95, method=method)
    assert inner.low is not None
    assert inner.high is not None
    assert outer.low is not None
    assert outer.high is not None
    assert outer.low <= inner.low + 1e-12
    assert inner.high <= outer.high + 1e-12


@steady
@given(st.lists(cells(most=6), min_size=2, max_size=4))
def test_overall_lies_around_the_mean_of_its_packs(packs: list[Cell]) -> None:
    """The overall value is the plain mean of the packs' rates, inside its own limits."""
    found = overall_rate(packs)
    assert found.value == pytest.approx(np.mean([np.divide(y, n).mean() for n, y in packs]))
    assert found.pooled == pytest.approx(np.mean([sum(y) / sum(n) for n, y in packs]))
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (found.one_sided_upper is None) == (found.events > 0)


@steady
@given(cells(least=3, most=8))
def test_moments_of_many_cells_at_once(cell: Cell) -> None:
    """Arrays of cells give what each cell gives alone; empty scenarios do not count."""
    n, y = np.array(cell)
    stacked = moments(np.stack([n, np.append(n[:-1], 0)]), np.stack([y, np.append(y[:-1], 0)]))
    for at, alone in enumerate((moments(n, y), moments(n[:-1], y[:-1]))):
        for name in stacked.__dataclass_fields__:
            assert getattr(stacked, name)[at] == pytest.approx(getattr(alone, name)), name
