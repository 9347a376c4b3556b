"""Gaffke's limits: against reference values, other formulae for the same, and what must hold of any numbers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from alignbench.stats import gaffke
from alignbench.stats.betting import betting_limits
from alignbench.stats.difference import PairCounts, difference
from alignbench.stats.gaffke import mean_limits, positive_chance, stratified_limits
from alignbench.stats.overall import overall_rate
from alignbench.stats.rate import GAFFKE, rate

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "interval_cases.json").read_text())["cases"]
steady = settings(deadline=None, max_examples=60)
shares = st.lists(st.sampled_from([0, 0.25, 0.5, 0.75, 1]) | st.floats(0, 1), min_size=2, max_size=40)


@pytest.mark.parametrize("method", GAFFKE)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_reference_values(case: dict[str, Any], method: Any) -> None:
    """Rates, differences and overall rates have the limits of an implementation by others, to 1e-9."""
    given_, confidence = case["input"], case.get("level", 0.95)
    if case["kind"] == "rate":
        found: Any = rate(given_["n"], given_["y"], confidence=confidence, method=method)
    elif case["kind"] == "difference":
        n, base, candidate = (np.array(given_[name]) for name in ("n", "base", "candidate"))
        pairs = PairCounts(n, base, candidate, np.abs(candidate - base))
        found = difference([pairs], rng=np.random.default_rng(0), confidence=confidence, method=method)
    else:
        found = overall_rate([(np.ones(len(x)), x) for x in given_["x"]], confidence=confidence, method=method)
    wanted = case["expected"][method]
    assert getattr(found, "value", None) or getattr(found, "difference", 0.0) == pytest.approx(case["estimate"])
    assert (found.low, found.high) == pytest.approx((wanted["low"], wanted["high"]), abs=1e-9)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize(("events", "k"), [(0, 12), (1, 12), (5, 12), (0, 90), (3, 90), (89, 90), (90, 90), (20, 900)])
def test_with_one_output_a_scenario_it_is_clopper_pearson(events: int, k: int, confidence: float) -> None:
    """Numbers of two values give the exact binomial interval, by the recursion and by the integral."""
    found = rate([1] * k, [1] * events + [0] * (k - events), confidence=confidence)
    assert (found.low, found.high) == pytest.approx(proportion_confint(events, k, 1 - confidence, "beta"), abs=1e-9)


@pytest.mark.parametrize("k", [2, 14, 42, 225, 3_000])
def test_zero_events_leave_the_bound_of_the_scenarios(k: int) -> None:
    """However many outputs a scenario has, the upper limit is 1 - (alpha / 2) ** (1 / K)."""
    found = rate([7] * k, [0] * k)
    assert found.low == 0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / k), rel=1e-9)


def drawn_limits(values: list[float], confidence: float, share: float, rng: np.random.Generator) -> tuple[float, float]:
    """The same limits from random weights."""
    draws, limits = 400_000, []
    for own, far in ((0.0, 1.0), (1.0, 0.0)):
        weights = rng.standard_exponential((draws, len(values) + 1))
        ends = np.where(rng.random(draws) < share, own, far)
        means = (weights[:, :-1] @ values + weights[:, -1] * ends) / weights.sum(1)
        tail = (1 - confidence) / 2
        limits.append(float(np.quantile(means, tail if own == 0 else 1 - tail)))
    return limits[0], limits[1]


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("values", [[0.0, 0.1, 0.4, 0.4, 1.0], [0.0] * 20 + [0.25, 0.5, 0.5, 1.0, 1.0]])
def test_random_weights_give_the_same_limits(values: list[float], share: float) -> None:
    """Quantiles of 400,000 drawn weighted means agree to 1e-3."""
    wanted = drawn_limits(values, 0.9, share, np.random.default_rng(0))
    assert mean_limits(values, confidence=0.9, share=share) == pytest.approx(wanted, abs=1e-3)


@steady
@given(st.lists(st.floats(0, 1) | st.just(0.0), min_size=25, max_size=120), st.floats(0.01, 0.9), st.booleans())
def test_recursion_and_integral_are_one_function(values: list[float], limit: float, above: bool) -> None:
    """The chance by de Boor's recursion equals the one by the contour integral up to rounding."""
    places = np.round(np.append(values, float(above)), 12) - limit
    exact = float(positive_chance(places))
    distinct, masses = gaffke._gathered(places)
    assert gaffke._massed_chance(distinct, masses) == pytest.approx(exact, abs=1e-10)


@steady
@given(shares, st.sampled_from([1.0, 0.75, 0.5]), st.sampled_from([0.8, 0.95]))
def test_limits_mirror_and_do_not_know_the_order(values: list[float], share: float, confidence: float) -> None:
    """L(x) = 1 - U(1 - x), and the numbers may stand in any order."""
    low, high = mean_limits(values, confidence=confidence, share=share)
    assert 0 <= low <= high <= 1
    other = mean_limits([1 - value for value in values], confidence=confidence, share=share)
    assert (1 - other[1], 1 - other[0]) == pytest.approx((low, high), abs=1e-8)
    assert mean_limits(values[::-1], confidence=confidence, share=share) == pytest.approx((low, high), abs=1e-9)


@steady
@given(shares, st.data(), st.sampled_from([1.0, 0.5]))
def test_a_larger_share_never_lowers_a_limit(values: list[float], data: st.DataObject, share: float) -> None:
    """Both limits are monotone in the share of every scenario."""
    at = data.draw(st.integers(0, len(values) - 1))
    more = [*values]
    more[at] = data.draw(st.floats(values[at], 1))
    before, after = mean_limits(values, confidence=0.95, share=share), mean_limits(more, confidence=0.95, share=share)
    assert after[0] >= before[0] - 1e-9
    assert after[1] >= before[1] - 1e-9


@pytest.mark.slow
@steady
@given(st.lists(st.floats(0, 1), min_size=3, max_size=12), st.integers(2, 4), st.sampled_from([1.0, 0.5]))
def test_equal_strata_of_equal_means_are_one_stratum(values: list[float], strata: int, share: float) -> None:
    """Packs that show the same, each of the weight of its scenarios, are wider than one pack by degrees of freedom."""
    limits = stratified_limits([values] * strata, np.full(strata, 1 / strata), confidence=0.95, share=share)
    together = mean_limits(values * strata, confidence=0.95, share=share)
    assert limits[0] <= together[0] + 1e-9
    assert limits[1] >= together[1] - 1e-9
    assert stratified_limits([values], [1.0], confidence=0.95, share=share) == mean_limits(
        values, confidence=0.95, share=share
    )


@pytest.mark.slow
def test_unlike_strata_pay_for_the_smallest() -> None:
    """One event-free pack of 6 beside one of 60: the bound is that of the smaller pack's weight."""
    limits = stratified_limits([np.zeros(6), np.zeros(60)], [0.5, 0.5], confidence=0.95)
    # The imagined scenario weighs as one of the six: .5 * 66 / 6 of an average one.
    heavy = 0.5 * 66 / 6
    wanted = next(t for t in np.linspace(0, 1, 100_001) if stats.beta.cdf(t / (t + heavy * (1 - t)), 1, 66) >= 0.975)
    assert limits[1] == pytest.approx(wanted, abs=2e-5)


@pytest.mark.slow
def test_ten_thousand_scenarios_take_a_second() -> None:
    """10,000 scenarios of 1 to 60 outputs: under a second of CPU (about a tenth), and near the normal interval."""
    rng = np.random.default_rng(0)
    n = rng.integers(1, 60, 10_000)
    y = rng.binomial(n, rng.beta(0.2, 2, 10_000))
    start = time.process_time()
    found = rate(n, y)
    assert time.process_time() - start < 1
    spread = 1.96 * (y / n).std() / 100
    assert found.value is not None
    assert (found.low, found.high) == pytest.approx((found.value - spread, found.value + spread), abs=2e-4)


@pytest.mark.slow
def test_more_distinct_numbers_than_places_move_the_limits_by_less_than_a_millionth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Splitting numbers between the places of a grid is exact to 1e-6, for even and for heavy-tailed numbers."""
    rng = np.random.default_rng(1)
    for values in (rng.random(2_000), rng.lognormal(0, 2, 2_000) / 2_000):
        kept = np.clip(values, 0, 1)
        exact = mean_limits(kept, confidence=0.95)
        with monkeypatch.context() as patch:
            patch.setattr(gaffke, "PLACES", 1_000)
            assert mean_limits(kept, confidence=0.95) == pytest.approx(exact, abs=1e-6)


@steady
@given(shares, st.integers(0, 5))
def test_betting_is_wider_and_depends_on_nothing_but_numbers_and_seed(values: list[float], seed: int) -> None:
    """The proven limits lie around the mean, in [0, 1]; the file's order does not move them."""
    low, high = betting_limits(values, confidence=0.95, rng=np.random.default_rng(seed))
    assert 0 <= low <= high <= 1
    assert betting_limits(values[::-1], confidence=0.95, rng=np.random.default_rng(seed)) == (low, high)


def test_betting_holds_a_heavy_tail() -> None:
    """2 % of the scenarios always show the event: 40 scenarios, 400 tables, the limits hold .02 in 95 % of them."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        low, high = betting_limits((rng.random(40) < 0.02).astype(float), confidence=0.95, rng=rng)
        held += low <= 0.02 <= high
    assert held >= 0.95 * 400
