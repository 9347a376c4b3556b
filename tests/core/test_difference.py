"""The S2 interval, the sign-flip test, the detectable difference and Holm's correction."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import expit
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from alignbench.errors import InputError
from alignbench.stats.difference import PairCounts, difference, difference_in_differences, minimum_detectable
from alignbench.stats.gaffke import mean_limits
from alignbench.stats.matched import newcombe_10, tango
from alignbench.stats.multiplicity import holm
from alignbench.stats.overall import overall_rate
from alignbench.stats.rate import GAFFKE, rate
from alignbench.stats.s2 import s2
from alignbench.stats.sign_flip import sign_flip

if TYPE_CHECKING:
    from alignbench.stats.methods import DifferenceMethod

SIZES = np.array([4, 6, 4, 5, 8, 4, 7, 6])
BASE = np.array([0, 3, 1, 0, 5, 2, 1, 0])
CANDIDATE = np.array([1, 2, 3, 0, 6, 4, 1, 2])


def rng(seed: int = 0) -> np.random.Generator:
    """A fresh generator."""
    return np.random.default_rng(seed)


def counts(n: Any, base: Any, candidate: Any) -> PairCounts:
    """Pairs in which the two models agree as often as they can."""
    n, base, candidate = np.asarray(n), np.asarray(base), np.asarray(candidate)
    return PairCounts(n, base, candidate, np.abs(candidate - base))


def by_the_formula(packs: list[tuple[Any, Any, Any]], confidence: float = 0.95) -> tuple[float, float, float]:
    """S2 of METHODS section 2 written out in loops: limits and r."""
    share = 1 / len(packs)
    cross = square_a = square_b = 0.0
    for n, a, b in packs:
        total = sum(n)
        p_a, p_b = sum(a) / total, sum(b) / total
        for n_g, a_g, b_g in zip(n, a, b, strict=True):
            e_a, e_b, leverage = a_g - n_g * p_a, b_g - n_g * p_b, 1 / (1 - n_g / total)
            cross += share**2 * e_a * e_b * leverage / total**2
            square_a += share**2 * e_a**2 * leverage / total**2
            square_b += share**2 * e_b**2 * leverage / total**2
    r = cross / math.sqrt(square_a * square_b)
    one = overall_rate([(n, a) for n, a, _ in packs], confidence=confidence, method="s1")
    two = overall_rate([(n, b) for n, _, b in packs], confidence=confidence, method="s1")
    assert one.low is not None
    assert one.high is not None
    assert one.value is not None
    assert two.low is not None
    assert two.high is not None
    assert two.value is not None
    below_b, above_b = two.value - two.low, two.high - two.value
    below_a, above_a = one.value - one.low, one.high - one.value
    d = two.value - one.value
    low = d - math.sqrt(below_b**2 - 2 * r * below_b * above_a + above_a**2)
    high = d + math.sqrt(above_b**2 - 2 * r * above_b * below_a + below_a**2)
    return low, high, r


def test_one_pack_follows_the_formula() -> None:
    """For one pack the limits and r are those of the formula, computed scenario by scenario."""
    parts = s2(SIZES, BASE, CANDIDATE)
    assert [float(parts.low), float(parts.high), float(parts.r)] == pytest.approx(
        by_the_formula([(SIZES, BASE, CANDIDATE)])
    )


def test_several_packs_follow_the_formula() -> None:
    """By the name `s2`, over packs of unequal size, the limits are those of the stratified rates with their r."""
    packs = [
        (SIZES, BASE, CANDIDATE),
        (SIZES[:5], CANDIDATE[:5], BASE[:5]),
        (SIZES[2:], BASE[2:], CANDIDATE[2:]),
    ]
    found = difference([counts(*pack) for pack in packs], rng=rng(), confidence=0.9, method="s2")
    assert (found.low, found.high) == pytest.approx(by_the_formula(packs, 0.9)[:2])
    assert found.method == "s2_stratified"


@pytest.mark.parametrize("method", ["gaffke_midp", "gaffke"])
def test_the_difference_is_the_mean_over_scenarios_with_gaffkes_limits(method: DifferenceMethod) -> None:
    """Every scenario's difference of shares counts once, in [-1, 1]; r is the correlation of the shares."""
    found = difference([counts(SIZES, BASE, CANDIDATE)], rng=rng(), method=method)
    n, base, candidate = (np.array(part, dtype=float) for part in (SIZES, BASE, CANDIDATE))
    change = (candidate - base) / n
    assert found.difference == pytest.approx(change.mean())
    assert (found.rate_base, found.rate_candidate) == pytest.approx(((base / n).mean(), (candidate / n).mean()))
    wanted = mean_limits((change + 1) / 2, confidence=0.95, share=GAFFKE[method])
    assert (found.low, found.high) == pytest.approx((2 * wanted[0] - 1, 2 * wanted[1] - 1), abs=1e-9)
    assert found.r == pytest.approx(np.corrcoef(base / n, candidate / n)[0, 1])
    assert found.method == method


@pytest.mark.parametrize(("k", "largest"), [(45, 0.05), (22, 0.1)])
def test_models_that_agree_everywhere_differ_by_no_more_than_scenarios_can_hide(k: int, largest: float) -> None:
    """At no difference the upper end of the 90 % interval is 1 - .10 ** (1 / K), over packs of one size too."""
    same = counts(np.full(k, 4), np.ones(k), np.ones(k))
    for packs in ([same], [same] * 2):
        found = difference(packs, rng=rng(), confidence=0.9)
        assert found.high == pytest.approx(1 - 0.1 ** (1 / (k * len(packs))), rel=1e-6)
    one = difference([same], rng=rng(), confidence=0.9)
    assert one.high is not None
    assert one.high < largest


def test_one_output_a_scenario_has_pearsons_r() -> None:
    """With one output a scenario r is Pearson's correlation of the two columns of verdicts."""
    a, b = rng(1).random((2, 40)) < 0.4
    parts = s2(np.ones(40), a, b | (a & (rng(2).random(40) < 0.5)))
    expected = np.corrcoef(a, b | (a & (rng(2).random(40) < 0.5)))[0, 1]
    assert float(parts.r) == pytest.approx(expected)


def test_many_cells_at_once_equal_one_by_one() -> None:
    """Leading axes are cells of their own."""
    n = rng(3).integers(1, 6, size=(3, 2, 4, 9))
    a, b = rng(4).binomial(n, 0.3), rng(5).binomial(n, 0.5)
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    whole = s2(n, a, b, weights=weights, confidence=0.8)
    for at in np.ndindex(3, 2):
        single = s2(n[at], a[at], b[at], weights=weights, confidence=0.8)
        assert float(whole.low[at]) == pytest.approx(float(single.low))
        assert float(whole.high[at]) == pytest.approx(float(single.high))


@st.composite
def pairs(draw: st.DrawFn, least: int = 2) -> tuple[list[int], list[int], list[int]]:
    """Pairs, and events of both models, by scenario."""
    n = draw(st.lists(st.integers(1, 9), min_size=least, max_size=12))
    return n, [draw(st.integers(0, size)) for size in n], [draw(st.integers(0, size)) for size in n]


@settings(max_examples=80, deadline=None)
@given(pairs())
def test_any_pairs_give_a_proper_interval(data: tuple[list[int], list[int], list[int]]) -> None:
    """The limits lie in [-1, 1], hold the estimate, never coincide, and nothing is NaN."""
    found = difference([counts(*data)], rng=rng())
    assert found.low is not None
    assert found.high is not None
    assert found.difference is not None
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert found.high - found.low > 1e-6
    assert all(not math.isnan(value) for value in (found.r or 0, found.p or 0, found.mde_80 or 0))
    assert found.p is not None
    assert 0 < found.p <= 1


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(pairs(), st.randoms())
def test_swapping_and_reordering(data: tuple[list[int], list[int], list[int]], random: Any) -> None:
    """Swapping the models mirrors the interval and keeps the two-sided p; order does not matter."""
    n, a, b = data
    one, other = difference([counts(n, a, b)], rng=rng()), difference([counts(n, b, a)], rng=rng())
    assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)))
    assert one.p == other.p
    order = list(range(len(n)))
    random.shuffle(order)
    mixed = difference([counts(*([part[at] for at in order] for part in data))], rng=rng())
    assert (mixed.low, mixed.high, mixed.p, mixed.p_greater) == pytest.approx((one.low, one.high, one.p, one.p_greater))


@settings(max_examples=50, deadline=None)
@given(pairs(least=4))
def test_more_scenarios_narrow_the_interval(data: tuple[list[int], list[int], list[int]]) -> None:
    """Four times the same scenarios give a narrower interval round the same difference."""
    few, many = s2(*data), s2(*(np.tile(part, 4) for part in data))
    assert float(many.difference) == pytest.approx(float(few.difference))
    assert float(many.high - many.low) < float(few.high - few.low)


@pytest.mark.parametrize(
    ("n", "base", "candidate"),
    [
        ([2] * 6, [1] * 6, [1] * 6),
        ([4] * 6, [0, 4] * 3, [0, 4] * 3),
        ([4, 4], [0, 2], [2, 4]),
        ([1] * 6, [0] * 6, [0] * 6),
        ([1] * 6, [0] * 6, [1] * 6),
        ([3] * 7, [1] * 7, [1] * 7),
    ],
)
def test_perfect_agreement_does_not_close_the_interval(n: list[int], base: list[int], candidate: list[int]) -> None:
    """Models that agree on every scenario, or differ by a constant, are not known to within nothing."""
    found = difference([counts(n, base, candidate)], rng=rng())
    assert (found.high or 0) - (found.low or 0) > 0.05


def test_no_differing_scenario_still_bounds_what_could_differ() -> None:
    """If no scenario of 25 differs, at most 1 - .05 ** (1/25) of all do, however dependent."""
    base = np.tile([0, 4, 4, 0, 4], 5)
    found = difference([counts(np.full(25, 4), base, base)], rng=rng())
    assert found.high is not None
    assert found.high >= 1 - 0.05 ** (1 / 25) - 1e-9
    assert found.low == pytest.approx(-found.high)
    assert "few_informative" in found.flags


def test_coverage_of_s2_in_a_slice_of_the_grid() -> None:
    """S2 holds the truth about as often as it says: 30 scenarios of 4 to 10, shared effects."""
    data, cells, spread = rng(0), 1_500, 1.2
    n = data.integers(4, 11, size=(cells, 30))
    shared, own = data.standard_normal((2, cells, 30))
    a = data.binomial(n, expit(-1 + spread * shared))
    b = data.binomial(n, expit(-1.8 + spread * (0.7 * shared + math.sqrt(0.51) * own)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    change = expit(-1.8 + spread * nodes) - expit(-1 + spread * nodes)
    truth = float((change * weights).sum() / weights.sum())
    found = s2(n, a, b)
    covered = (found.low <= truth) & (truth <= found.high)
    assert 0.93 <= covered.mean() <= 0.99


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
@pytest.mark.parametrize("seed", range(4))
def test_exact_sign_flip_is_scipys(alternative: str, seed: int) -> None:
    """Up to 16 informative scenarios p is that of scipy's exact paired permutation test."""
    change = rng(seed).integers(-3, 5, size=11).astype(float)
    expected = stats.permutation_test(
        (change,), np.sum, permutation_type="samples", alternative=alternative, n_resamples=np.inf
    ).pvalue
    found = sign_flip(change, rng())
    assert found.exact
    assert (found.two_sided if alternative == "two-sided" else found.greater) == pytest.approx(expected)


def test_drawn_sign_flip_is_near_the_exact_one() -> None:
    """With more scenarios the drawn p lies within sampling error of the exact one, found by convolution."""
    change = rng(7).integers(-4, 6, size=40).astype(float)
    # The exact law of the sum of +-|d|: one convolution a scenario, on the integers from -sum to sum.
    law, reach = np.array([1.0]), 0
    for size in np.abs(change).astype(int):
        kernel = np.zeros(2 * size + 1)
        kernel[0] += 0.5
        kernel[-1] += 0.5
        law, reach = np.convolve(law, kernel), reach + size
    exact = law[np.arange(-reach, reach + 1) >= change.sum()].sum()
    found = sign_flip(change, rng())
    assert not found.exact
    assert found.greater == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 9_999))


def test_a_drawn_p_is_never_zero() -> None:
    """The observed pattern is one of those counted: the smallest drawn p is 1 / 10,000."""
    found = sign_flip(np.arange(1.0, 41.0), rng())
    assert found.greater == found.two_sided == 1 / 10_000


@pytest.mark.parametrize(("plus", "minus"), [(3, 1), (20, 9), (40, 40), (0, 6), (30, 4)])
def test_one_output_a_scenario_is_mcnemars_test(plus: int, minus: int) -> None:
    """With differences of one size p is McNemar's exact p, however many scenarios there are."""
    found = sign_flip(np.repeat([1.0, -1.0, 0.0], [plus, minus, 9]), rng())
    assert found.exact
    assert found.two_sided == pytest.approx(mcnemar([[9, minus], [plus, 9]], exact=True).pvalue)


def test_four_informative_scenarios_cannot_reach_the_level() -> None:
    """Four scenarios that all point one way have p = 1/16 and the flag; five have 1/32 and none."""
    few = difference([counts([2] * 12, [0] * 12, [2] * 4 + [0] * 8)], rng=rng())
    enough = difference([counts([2] * 12, [0] * 12, [2] * 5 + [0] * 7)], rng=rng())
    assert few.p_greater == 1 / 16
    assert "few_informative" in few.flags
    assert enough.p_greater == 1 / 32
    assert "few_informative" not in enough.flags


def test_the_test_keeps_its_level_on_clustered_pairs() -> None:
    """With scenario effects of their own for each model and no difference, 5 % tests reject about 5 %."""
    data, rejected, cells = rng(11), 0, 400
    for _ in range(cells):
        a, b = (data.binomial(8, expit(data.normal(-1, 2, size=14))) for _ in range(2))
        rejected += sign_flip(b - a, data).two_sided < 0.05
    assert rejected / cells <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / cells)


def test_newcombe_10_reproduces_its_published_example() -> None:
    """Newcombe 1998, table II: 36 both, 12 and 2 discordant of 50 give .0569 to .3404 for +.2.

    By hand: Wilson [.8654, .9890] of 48/50 and [.6259, .8570] of 38/50; ad - bc = -24 needs no correction,
    so phi = -24 / sqrt(48 * 2 * 38 * 12) = -.1147;
    .2 - sqrt(.0946^2 + 2 * .1147 * .0946 * .0970 + .0970^2) = .0569.
    """
    assert newcombe_10(36, 2, 12, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_newcombe_10_corrects_a_positive_correlation() -> None:
    """A positive ad - bc is lowered by n/2, to no less than 0, which widens the interval."""
    cells = (6, 1, 2, 6)
    total = sum(cells)
    half = [rate(np.ones(total), np.arange(total) < k, method="wilson") for k in (7, 8)]
    phi = (36 - 2 - total / 2) / math.sqrt(7 * 8 * 8 * 7)
    above_a, below_b = (half[0].high or 0) - 7 / 15, 8 / 15 - (half[1].low or 0)
    low = 1 / 15 - math.sqrt(below_b**2 - 2 * phi * below_b * above_a + above_a**2)
    assert newcombe_10(*cells)[0] == pytest.approx(low)


def test_tangos_limits_have_the_critical_score() -> None:
    """At both limits the score statistic is the quantile; its nuisance here by maximising the likelihood."""
    both, only_base, only_candidate, neither = 5, 9, 3, 13
    total = 30

    def score(theta: float) -> float:
        # Cells: q (base only), q + theta (candidate only), the rest is free; maximise over q.
        def loss(q: float) -> float:
            rest = 1 - 2 * q - theta
            return -(only_base * math.log(q) + only_candidate * math.log(q + theta) + (both + neither) * math.log(rest))

        q = optimize.minimize_scalar(
            loss,
            bounds=(max(0, -theta) + 1e-9, (1 - theta) / 2 - 1e-9),
            method="bounded",
            options={"xatol": 1e-12},
        ).x
        return (only_candidate - only_base - total * theta) / math.sqrt(total * (2 * q + theta - theta**2))

    low, high = tango(both, only_base, only_candidate, neither)
    assert score(low) == pytest.approx(1.95996, abs=1e-3)
    assert score(high) == pytest.approx(-1.95996, abs=1e-3)


@pytest.mark.parametrize("interval", [newcombe_10, tango])
def test_intervals_of_single_outputs_are_proper(interval: Any) -> None:
    """For every small table the limits are ordered, lie in [-1, 1], hold the estimate, and mirror."""
    for both, one, two, neither in itertools.product(range(3), repeat=4):
        if both + one + two + neither == 0:
            continue
        low, high = interval(both, one, two, neither)
        change = (two - one) / (both + one + two + neither)
        assert -1 <= low <= change + 1e-12
        assert change - 1e-12 <= high <= 1
        assert high > low
        assert interval(both, two, one, neither) == pytest.approx((-high, -low), abs=1e-8)


def test_named_methods_are_used_and_guarded() -> None:
    """A difference by Tango is Tango's; several outputs a scenario or several packs are refused."""
    base, candidate = np.repeat([1, 1, 0, 0], [5, 9, 3, 13]), np.repeat([1, 0, 1, 0], [5, 9, 3, 13])
    single = counts(np.ones(30), base, candidate)
    found = difference([single], rng=rng(), method="tango")
    assert (found.low, found.high) == pytest.approx(tango(5, 9, 3, 13))
    assert found.method == "tango"
    with pytest.raises(InputError, match="several outputs a scenario"):
        difference([counts(SIZES, BASE, CANDIDATE)], rng=rng(), method="newcombe_10")
    with pytest.raises(InputError, match="2 packs"):
        difference([single, single], rng=rng(), method="tango")


def test_detectable_difference_by_hand() -> None:
    """psi = .2, rho_d = .25, 50 scenarios of 5: 2.4865 * sqrt(.2 * (1 + 4 * .25) / 250) = .0995."""
    assert float(minimum_detectable(0.2, 0.25, 50, 5)) == pytest.approx(0.09946, abs=1e-5)


def test_detectable_difference_needs_five_scenarios() -> None:
    """Where fewer than five scenarios differ the test can find nothing, so no detectable difference is claimed."""
    five = difference([counts(np.full(25, 4), np.zeros(25), np.repeat([1, 0], [5, 20]))], rng=rng())
    assert five.mde_80 is not None
    assert five.mde_80 >= 5 / 100
    assert difference([counts(np.full(25, 4), np.zeros(25), np.repeat([1, 0], [4, 21]))], rng=rng()).mde_80 is None
    assert difference([counts(np.full(25, 4), np.zeros(25), np.zeros(25))], rng=rng()).mde_80 is None
    assert difference([counts([4] * 4, [0] * 4, [2] * 4)], rng=rng()).mde_80 is None


def test_planning_numbers_come_from_the_pairs() -> None:
    """psi is the discordant share; rho_d is 1 where a scenario's pairs differ alike, else 0."""
    n, nothing = np.full(20, 4), np.zeros(20)
    alike = difference([counts(n, nothing, np.repeat([4, 0], 10))], rng=rng())
    assert (alike.discordant, alike.icc_difference) == (0.5, 1.0)
    spread = difference([PairCounts(n, nothing + 1, nothing + 1, nothing + 2)], rng=rng())
    assert (spread.discordant, spread.icc_difference) == (0.5, 0.0)


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    """In data with a true difference of the stated size the one-sided test rejects about 80 %."""
    data, scenarios, outputs, found = rng(5), 60, 4, 0
    # Each pair differs with probability psi, independently: rho_d is 0.
    psi = 0.3
    size = float(minimum_detectable(psi, 0, scenarios, outputs))
    for _ in range(200):
        up = data.binomial(outputs, (psi + size) / 2, size=scenarios)
        down = data.binomial(outputs - up, (psi - size) / 2 / (1 - (psi + size) / 2))
        found += sign_flip(up - down, data).greater < 0.05
    assert found / 200 == pytest.approx(0.8, abs=0.09)


def test_contrast_of_changes_by_hand() -> None:
    """Two independent differences: the limits add in quadrature, and no test is claimed."""
    one = difference([counts(SIZES, BASE, CANDIDATE)], rng=rng())
    two = difference([counts(SIZES, CANDIDATE, BASE)], rng=rng())
    found = difference_in_differences(one, two)
    assert None not in (one.difference, one.low, one.high, two.difference, two.low, two.high)
    d, low_1, high_1 = one.difference or 0, one.low or 0, one.high or 0
    e, low_2, high_2 = two.difference or 0, two.low or 0, two.high or 0
    assert found.difference == pytest.approx(e - d)
    assert found.low == pytest.approx(e - d - math.hypot(e - low_2, high_1 - d))
    assert found.high == pytest.approx(e - d + math.hypot(high_2 - e, d - low_1))
    assert (found.p, found.r, found.scenarios) == (None, None, 16)


def test_too_little_gives_flags_instead_of_intervals() -> None:
    """One scenario has a difference and no interval; no pair, or a pack without one, has neither."""
    one = difference([counts([5], [1], [3])], rng=rng())
    assert one.difference == pytest.approx(0.4)
    assert [one.low, one.high, one.mde_80] == [None, None, None]
    assert "one_scenario" in one.flags
    assert difference([counts([], [], [])], rng=rng()).flags == ("no_pairs",)
    part = difference([counts(SIZES, BASE, CANDIDATE), counts([], [], [])], rng=rng())
    assert (part.difference, part.flags) == (None, ("missing_pack",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": [4, np.nan]}, "scenario 1 has n"),
        ({"base": [5, 1]}, "scenario 0 has n"),
        ({"discordant": [0, 1]}, "scenario 0 has n"),
        ({"discordant": [4, 4]}, "scenario 0 has n"),
        ({"candidate": [1]}, "four vectors of one length"),
    ],
)
def test_bad_counts_are_one_line_errors(change: dict[str, Any], message: str) -> None:
    """Counts that cannot be are refused with the scenario and what they were."""
    good: dict[str, Any] = {"n": [4, 4], "base": [1, 1], "candidate": [2, 1], "discordant": [1, 0]}
    with pytest.raises(InputError, match=message):
        difference([PairCounts(**{**good, **change})], rng=rng())


def test_bad_options_are_one_line_errors() -> None:
    """Unknown methods, impossible levels and weights, no packs, and no vectors are refused."""
    cell = counts(SIZES, BASE, CANDIDATE)
    bad: list[dict[str, Any]] = [{"method": "wald"}, {"confidence": 1.0}, {"weights": [0.5, 0.5]}, {"alpha": 0}]
    for options in bad:
        with pytest.raises(InputError):
            difference([cell], rng=rng(), **options)
    with pytest.raises(InputError, match="no packs"):
        difference([], rng=rng())
    with pytest.raises(InputError, match="vector of finite numbers"):
        sign_flip([1.0, np.nan], rng())
    for interval in (newcombe_10, tango):
        with pytest.raises(InputError, match="four counts"):
            interval(0, 0, 0, 0)
        with pytest.raises(InputError, match="confidence"):
            interval(1, 1, 1, 1, 2.0)


@pytest.mark.slow
def test_holm_is_statsmodels() -> None:
    """Adjusted p-values are those of statsmodels, in the order given; none give none."""
    p = np.array([0.02, 0.5, 0.001, 0.02, 0.9, 0.013, 0.0])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert len(holm([])) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.001, 0.999))
def test_holm_steps_down(p: list[float], confidence: float) -> None:
    """Rejecting adjusted p is the procedure itself: sorted p against level / (m - rank), until one fails."""
    rejected: set[int] = set()
    for rank, at in enumerate(sorted(range(len(p)), key=lambda at: p[at])):
        if p[at] * (len(p) - rank) > confidence:
            break
        rejected.add(at)
    assert {at for at, value in enumerate(holm(p)) if value <= confidence} == rejected


def test_holm_refuses_what_is_no_p() -> None:
    """A p above 1 or NaN is an error."""
    for bad in ([1.2], [float("nan")], [[0.1]]):
        with pytest.raises(InputError, match="p-values"):
            holm(bad)
