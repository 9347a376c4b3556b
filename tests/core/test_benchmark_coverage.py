"""The simulated data behind the coverage table, the other methods in it, and how it is written."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar

# The benchmarks stand beside the package and are not installed.
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.coverage import __main__ as program
from benchmarks.coverage import methods, peers
from benchmarks.coverage.bootstrap import cluster_bootstrap
from benchmarks.coverage.corrections import (
    ALONE,
    PPI,
    CorrectionSetting,
    correction_core,
    correction_heavy,
    correction_scores,
    correction_stress,
    judged_pack,
    relative_widths,
    steepest_move,
)
from benchmarks.coverage.gaffke import NAMES, held
from benchmarks.coverage.generators import (
    ATOMS,
    GENERATORS,
    HEAVY,
    Generator,
    counts,
    paired_counts,
    propensities,
    scenario_sizes,
)
from benchmarks.coverage.report import MOST_MOVE, MOST_WIDTH, TARGETS, missed
from benchmarks.coverage.run import Task, run, tasks
from benchmarks.coverage.scores import Score, score
from benchmarks.coverage.settings import (
    CORE_RATES,
    Effort,
    core,
    heavy,
    pack_core,
    pack_heavy,
    pack_stress,
    pair_core,
    pair_stress,
    stress,
    turns,
)
from benchmarks.coverage.worths import WorthSetting, expected_worths, worth_core, worth_stress

from alignbench.stats.gaffke import stratified_limits
from alignbench.stats.matched import newcombe_10
from alignbench.stats.rate import GAFFKE, rate

if TYPE_CHECKING:
    from alignbench.stats.methods import Method

TINY = Effort(core=4, stress=4, heavy=4, slow=3, resamples=40, tests=3, orders=2, order_resamples=9, corrections=3)
LAWS = list(product(GENERATORS, (0.002, 0.05, 0.5), (0.05, 0.4, 0.8)))


def rng(seed: int = 0) -> np.random.Generator:
    """A fresh generator."""
    return np.random.default_rng(seed)


def some_counts(data_sets: int = 40, scenarios: int = 12) -> tuple[Any, Any]:
    """Outputs and events of unequal scenarios."""
    n = scenario_sizes((4, 10), (data_sets, scenarios), rng(1))
    return n, counts(n, propensities("beta_binomial", 0.3, 0.3), rng(2))


@pytest.mark.slow
@pytest.mark.parametrize(("generator", "mean", "icc"), LAWS)
def test_propensities_have_the_stated_mean_and_icc(generator: Generator, mean: float, icc: float) -> None:
    """Every generator has the mean to rounding, and the variance icc * mean * (1 - mean) within .2 %."""
    atoms = propensities(generator, mean, icc)
    assert atoms.min() >= 0
    assert atoms.max() <= 1
    assert (np.diff(atoms) >= -1e-9).all()
    assert float(atoms.mean()) == pytest.approx(mean, rel=1e-9)
    assert float(atoms.var()) == pytest.approx(icc * mean * (1 - mean), rel=2e-3)


def test_beta_propensities_give_beta_binomial_counts() -> None:
    """Mixing binomials over the atoms gives scipy's beta-binomial probabilities."""
    for mean, icc in ((0.01, 0.2), (0.5, 0.8), (0.2, 0.05)):
        atoms = propensities("beta_binomial", mean, icc)
        mixed = stats.binom.pmf(np.arange(8), 7, atoms[:, None]).mean(0)
        a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
        assert mixed == pytest.approx(stats.betabinom.pmf(np.arange(8), 7, a, b), rel=1e-3, abs=1e-6)


def test_logit_normal_propensities_are_normal_on_the_log_odds_scale() -> None:
    """Log-odds of the atoms lie on a straight line over normal scores."""
    score_of = special.ndtri((np.arange(ATOMS) + 0.5) / ATOMS)
    logit = special.logit(propensities("logit_normal", 0.2, 0.2))
    assert np.polynomial.Polynomial.fit(score_of, logit, 1)(score_of) == pytest.approx(logit, abs=1e-6)


def test_two_point_propensities_are_none_or_one_rate() -> None:
    """Apart from one atom there are scenarios without the event and scenarios of a single rate."""
    values, times = np.unique(propensities("two_point", 0.05, 0.4), return_counts=True)
    assert values[times > 1] == pytest.approx([0, 0.05 + 0.4 * 0.95])
    assert times[times == 1].sum() <= 1


def test_without_correlation_all_scenarios_are_alike() -> None:
    """At icc 0 every generator gives every scenario the rate itself."""
    assert all((propensities(generator, 0.2, 0.0) == 0.2).all() for generator in GENERATORS)


@pytest.mark.parametrize("generator", GENERATORS)
def test_drawn_counts_have_the_stated_rate_and_correlation(generator: Generator) -> None:
    """Of scenarios with two outputs, mean^2 + icc * mean * (1 - mean) have the event twice."""
    mean, icc, scenarios = 0.2, 0.4, 200_000
    y = counts(np.full((1, scenarios), 2), propensities(generator, mean, icc), rng(3))
    twice = mean**2 + icc * mean * (1 - mean)
    assert float(y.mean() / 2) == pytest.approx(mean, abs=4 * np.sqrt(mean / scenarios))
    assert float((y == 2).mean()) == pytest.approx(twice, abs=4 * np.sqrt(twice / scenarios))


def test_counts_depend_on_the_seed_and_on_nothing_else() -> None:
    """One seed, one set of counts; another seed, another set."""
    n, atoms = np.full((3, 50), 6), propensities("beta_binomial", 0.3, 0.3)
    first, again, other = (counts(n, atoms, rng(seed)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()


def test_sizes_keep_to_their_bounds() -> None:
    """Close bounds are filled evenly, wide ones with many small scenarios and some large."""
    even, wide = scenario_sizes((4, 10), (20_000,), rng(1)), scenario_sizes((2, 60), (20_000,), rng(1))
    assert (even.min(), even.max(), wide.min(), wide.max()) == (4, 10, 2, 60)
    assert np.bincount(even)[4:] / 20_000 == pytest.approx(np.full(7, 1 / 7), abs=0.01)
    # Uniform in log size between 2 and 61, rounded down: ln(12 / 2) / ln(61 / 2) = .524 are 11 at most.
    assert float((wide <= 11).mean()) == pytest.approx(0.524, abs=0.012)
    assert (scenario_sizes((7, 7), (9,), rng(1)) == 7).all()


def test_paired_counts_have_both_rates_and_are_as_alike_as_asked() -> None:
    """Each model keeps its own rate; likeness 1 with one rate makes the propensities of a scenario equal."""
    n = np.full((1, 100_000), 3)
    base, candidate = (propensities("logit_normal", mean, 0.4) for mean in (0.3, 0.1))
    pairs = paired_counts(n, base, candidate, 0.5, rng(1))
    assert float(pairs.base.mean() / 3) == pytest.approx(0.3, abs=0.006)
    assert float(pairs.candidate.mean() / 3) == pytest.approx(0.1, abs=0.006)
    assert (pairs.both <= np.minimum(pairs.base, pairs.candidate)).all()
    assert (pairs.both >= pairs.base + pairs.candidate - n).all()
    # With one propensity P for both models, E[both] / n = E[P^2] = mean^2 + icc * mean * (1 - mean).
    twin = paired_counts(n, base, base, 1.0, rng(2))
    assert float(twin.both.mean() / 3) == pytest.approx(0.3**2 + 0.4 * 0.3 * 0.7, abs=0.006)
    apart = paired_counts(n, base, base, 0.0, rng(2))
    assert float(apart.both.mean() / 3) == pytest.approx(0.3**2, abs=0.006)


def test_grids_have_the_stated_settings() -> None:
    """108 settings of the core, 600 of the stress and 900 of the heavy grid, none of them twice, and their pairs."""
    assert (len(core()), len(stress()), len(pair_core()), len(pair_stress())) == (108, 600, 432, 1200)
    assert (len(heavy()), len(turns()), len(pack_heavy())) == (900, 60, 48)
    for grid in (core(), stress(), heavy(), pair_core(), pair_stress(), turns(), pack_core(), pack_stress(),
                 pack_heavy()):  # fmt: skip
        assert len(set(grid)) == len(grid)
    assert {one.rate for one in core()} == set(CORE_RATES)
    assert {one.icc for one in stress()} == {0.0, 0.1, 0.4, 0.8}
    assert (min(one.rate for one in stress()), max(one.scenarios for one in stress())) == (0.002, 200)
    for one in (*pack_core(), *pack_stress(), *pack_heavy()):
        assert one.rate * float(np.mean(one.pack_factors)) == pytest.approx(one.rate)


@pytest.mark.slow
def test_intervals_by_name_are_those_of_rate() -> None:
    """Posterior, CR2-t and Clopper-Pearson of many data sets at once are what `rate` gives one by one."""
    n, y = some_counts(6)
    names: tuple[Method, ...] = ("s1", "beta_binomial", "cr2_t", "clopper_pearson")
    for name in names:
        method = methods.s1_interval if name == "s1" else getattr(methods, name)
        low, high = method(n, y)
        for at in range(len(n)):
            one = rate(n[at], y[at], method=name)
            assert (float(low[at]), float(high[at])) == pytest.approx((one.low, one.high), abs=1e-9)


def test_clustered_error_is_that_of_statsmodels() -> None:
    """The clustered standard error behind `ci(cluster=)` and Miller's interval is that of a robust regression."""
    n, y = some_counts(1)
    item = np.concatenate([np.arange(size) < hits for size, hits in zip(n[0], y[0], strict=True)]).astype(float)
    scenario = np.repeat(np.arange(len(n[0])), n[0])
    fitted = sm.OLS(item, np.ones(len(item))).fit(cov_type="cluster", cov_kwds={"groups": scenario})
    low, high = peers.inspect_ci(n, y)
    half = stats.t.ppf(0.975, len(n[0]) - 1) * fitted.bse[0]
    assert (float(low[0]), float(high[0])) == pytest.approx((item.mean() - half, item.mean() + half))


def test_item_level_methods_are_those_for_single_pairs() -> None:
    """Newcombe's interval and McNemar's test are those of the pooled table of pairs."""
    n = scenario_sizes((4, 10), (5, 12), rng(1))
    atoms = [propensities("beta_binomial", mean, 0.3) for mean in (0.4, 0.2)]
    pairs = paired_counts(n, atoms[0], atoms[1], 0.8, rng(2))
    low, high = peers.item_newcombe(pairs)
    p = peers.item_mcnemar(pairs)
    for at in range(len(n)):
        both, base, candidate = (int(part[at].sum()) for part in (pairs.both, pairs.base, pairs.candidate))
        table = (both, base - both, candidate - both, int(n[at].sum()) - base - candidate + both)
        assert (float(low[at]), float(high[at])) == pytest.approx(newcombe_10(*table))
        exact = mcnemar(np.array(table).reshape(2, 2), exact=True)
        assert float(p[at]) == pytest.approx(exact.pvalue)


def test_bootstrap_limits_are_those_of_scipy() -> None:
    """Percentile and BCa limits agree with scipy's within what 20,000 resamples leave to chance."""
    n, y = some_counts(1, 20)
    found = cluster_bootstrap(n, y, 20_000, rng(1))

    def pooled(sizes: Any, hits: Any, axis: int) -> Any:
        return hits.sum(axis) / sizes.sum(axis)

    for name, method in (("percentile", "percentile"), ("bca", "BCa")):
        expected = stats.bootstrap(
            (n[0].astype(float), y[0].astype(float)), pooled, paired=True, vectorized=True,
            n_resamples=20_000, method=method, rng=rng(2),
        ).confidence_interval  # fmt: skip
        limits = [float(limit[0]) for limit in found[name]]
        assert limits == pytest.approx([expected.low, expected.high], abs=0.006)


def test_bootstrap_without_events_has_no_width() -> None:
    """Where nothing happened the bootstrap claims a rate of exactly 0: the fault that the table shows."""
    for low, high in cluster_bootstrap(np.full((2, 9), 5), np.zeros((2, 9)), 50, rng()).values():
        assert (low == 0).all()
        assert (high == 0).all()


def test_expected_worths_without_scenario_effects_are_the_true_ones() -> None:
    """Where scenarios are alike, the worths to be covered are those that the outcomes were drawn from."""
    for nudged in (False, True):
        setting = WorthSetting(4, 2, 6, 1e-6, nudged)
        assert expected_worths(setting) == pytest.approx(np.linspace(-1, 1, 4), abs=1e-4)


def test_scenario_effects_draw_expected_worths_together() -> None:
    """Averaging over unlike scenarios flattens the odds, and leaves the worths centred and in order."""
    worths = expected_worths(WorthSetting(4, 2, 6, 2.0, False))
    assert float(worths.sum()) == pytest.approx(0, abs=1e-6)
    assert (np.diff(worths) > 0).all()
    assert float(worths.max()) < 0.9
    assert len({str(one) for one in (*worth_core(), *worth_stress())}) == 32


def test_judged_packs_hold_what_the_setting_says() -> None:
    """Rate, sensitivity and specificity are the stated ones, and the judge's errors cling to scenarios if asked."""
    setting = CorrectionSetting(40_000, 100, 0.2, 0.2, "logit_normal", 0.75, 0.85, 0.3)
    pack = judged_pack(setting, rng())
    assert len(pack.scenario) == 4 * 40_000
    assert float(pack.event.mean()) == pytest.approx(0.2, abs=0.005)
    assert float(pack.flagged[pack.event].mean()) == pytest.approx(0.75, abs=0.01)
    assert float(pack.flagged[~pack.event].mean()) == pytest.approx(0.15, abs=0.006)
    for error_icc in (0.0, 0.3):
        never = replace(setting, error_icc=error_icc, rate=1e-6, generator="beta_binomial")
        alike = judged_pack(never, rng(1))
        # With hardly an event, the variance of a scenario's share of flags is p(1 - p)(1 + 3 icc) / 4.
        share = alike.flagged.reshape(-1, 4).mean(axis=1)
        assert float(share.var()) == pytest.approx(0.15 * 0.85 * (1 + 3 * error_icc) / 4, rel=0.03)


def test_grids_of_the_correction_have_the_stated_settings() -> None:
    """288 settings of the core, 96 under stress, 192 of heavy tails; none of them twice, none short of outputs."""
    grids = correction_core(), correction_stress(), correction_heavy()
    assert [len(set(grid)) for grid in grids] == [288, 96, 192]
    assert len({str(one) for grid in grids for one in grid}) == 576
    assert all(one.labels <= one.outputs * one.scenarios for grid in grids for one in grid)
    assert {one.rate for one in grids[2]} == {0.001, 0.005, 0.02}
    assert {one.outputs * one.scenarios for one in grids[2]} == {300, 900, 10_000}


def test_expected_flags_are_the_mean_of_drawn_ones() -> None:
    """The flagged outputs that a setting names are those of its packs on average."""
    setting = CorrectionSetting(75, 100, 0.2, 0.2, "beta_binomial", 0.75, 0.85, 0.0)
    drawn = [int(judged_pack(setting, rng(seed)).flagged.sum()) for seed in range(200)]
    # .2 * .75 + .8 * .15 = .27 of 300.
    assert setting.flagged == 81
    assert float(np.mean(drawn)) == pytest.approx(81, abs=2.5)


def test_settings_that_hold_at_once_are_not_simulated_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the first data sets S3 goes on where it held the truth in too few, PPI where it held it in many."""
    monkeypatch.setattr("benchmarks.coverage.corrections.SOME", 12)
    setting = CorrectionSetting(75, 100, 0.001, 0.2, "beta_binomial", 0.9, 0.95, 0.0)

    def data_sets() -> dict[str, int]:
        found = correction_scores(setting, "heavy", Effort(corrections=20), rng())
        return {one.method: one.data_sets for one in found}

    assert set(data_sets().values()) == {12}
    # What no coverage reaches is never enough.
    monkeypatch.setattr("benchmarks.coverage.corrections.ENOUGH", 1.1)
    whole = data_sets()
    assert whole.pop("S3") == 20
    assert set(whole.values()) == {12}
    monkeypatch.setattr("benchmarks.coverage.corrections.MANY", 299)
    assert set(data_sets().values()) == {12}
    monkeypatch.setattr("benchmarks.coverage.corrections.NEARLY", 0.0)
    whole = data_sets()
    assert whole.pop(PPI) == 20
    assert set(whole.values()) == {12}


def test_widths_are_held_against_methods_that_cover() -> None:
    """A narrow method that misses the truth is no measure, nor is one outside the list; 2 over 1.6 is 1.25."""
    one = Score("corrected rate", "heavy", "S3", "here", 9, 0.97, 2.0)
    others = [
        replace(one, method=ALONE, width=1.6),
        replace(one, method=PPI, width=0.1, coverage=0.6),
        replace(one, method="shy", width=0.1, refused=0.5),
        replace(one, method="exam", width=1.0),
    ]
    assert relative_widths([one, *others], ("S3", PPI, ALONE)) == {"here": pytest.approx(1.25)}
    assert relative_widths([one, *others]) == {"here": pytest.approx(2.0)}
    assert relative_widths(others) == {}
    assert relative_widths([replace(one, coverage=0.5)]) == {}


@pytest.mark.parametrize(
    ("outputs", "flagged", "labels"), [(300, 0, 50), (300, 3, 100), (300, 300, 60), (100, 60, 100)]
)
def test_moves_are_found_for_any_shape(outputs: int, flagged: int, labels: int) -> None:
    """None or all flagged, all labelled: one more event moves the limit up, and less than wanted."""
    assert 0 < steepest_move(outputs, flagged, labels) <= 1.5


@pytest.mark.parametrize("mean", [0.002, 0.05, 0.5])
@pytest.mark.parametrize("generator", HEAVY)
def test_heavy_tails_have_the_stated_mean(generator: Generator, mean: float) -> None:
    """Heavy-tailed propensities are shares with the stated mean, and few scenarios have most of it."""
    atoms = propensities(generator, mean, 0.0)
    assert 0 <= float(atoms.min()) < float(atoms.max()) <= 1
    assert float(atoms.mean()) == pytest.approx(mean, rel=1e-6)
    if mean <= 0.05:
        assert float(atoms[-ATOMS // 10 :].sum() / atoms.sum()) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("strata", [1, 3])
def test_held_is_what_the_limits_say(strata: int) -> None:
    """Whether limits hold the truth, found without roots, is what the limits of each data set say."""
    n, y = some_counts(30)
    sizes = (12,) if strata == 1 else (5, 8, 12)
    shares = [(y / n)[:, :size] for size in sizes]
    for truth in (0.15, 0.3):
        found = held(shares, truth)
        for method, share in GAFFKE.items():
            limits = [
                stratified_limits(
                    [one[at] for one in shares], np.full(strata, 1 / strata), confidence=0.95, share=share
                )
                for at in range(30)
            ]
            assert found[method].tolist() == [low <= truth <= high for low, high in limits]
    assert set(NAMES) == set(GAFFKE)


@pytest.mark.slow
def test_tasks_give_one_result_in_any_order() -> None:
    """A task has a stream of its own: neither order nor company changes its result."""
    chosen = [next(task for task in tasks() if task.part == part) for part in ("rates", "packs", "tests", "turns")]
    whole = run(chosen, TINY, 0, 1, lambda _line: None)
    single = [result for task in reversed(chosen) for result in task(TINY, 0)]
    assert sorted(map(str, whole)) == sorted(map(str, single))
    other = [result for task in chosen for result in task(TINY, 1)]
    assert sorted(map(str, other)) != sorted(map(str, single))


def test_score_counts_truths_inside() -> None:
    """Coverage is the share of intervals that hold the truth; those that were refused count apart."""
    limits = np.array([0.1, 0.3, np.nan, 0.0]), np.array([0.2, 0.4, np.nan, 0.6])
    found = score("rate", "core", "S1", "somewhere", limits, 0.15)
    assert found.coverage == pytest.approx(2 / 3)
    assert found.refused == pytest.approx(1 / 4)
    assert found.width == pytest.approx((0.1 + 0.1 + 0.6) / 3)


def test_a_missed_target_is_named() -> None:
    """A minimum or a mean below its target is reported with the setting; enough everywhere is not."""
    whole = [Score(t.part, "core", t.method, "here", 9, 0.97, 0.1) for t in TARGETS]
    assert missed(whole) == []
    low = [*whole, replace(whole[0], coverage=0.91, setting="there")]
    assert missed(low) == ["a rate: .910 below .945 at there"]
    assert missed(whole[1:]) == ["a rate: not simulated"]


def test_a_wide_or_jumpy_correction_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A width, a move or a coverage that a corrected rate must not have on any grid is reported."""
    whole = [Score(t.part, "core", t.method, "here", 9, 0.97, 0.1) for t in TARGETS]
    setting = CorrectionSetting(75, 100, 0.001, 0.2, "beta_binomial", 0.9, 0.95, 0.0)
    ours = Score("corrected rate", "heavy", "S3", setting, 9, 0.97, 0.16)
    assert missed([*whole, ours, replace(ours, method=ALONE, width=0.11)]) == []
    wide = missed([*whole, ours, replace(ours, method=ALONE, width=0.1)])
    assert wide == [f"a rate, by labels: 1.60 times the narrowest that covers at {setting}"]
    assert missed([*whole, replace(ours, coverage=0.9)]) == [f"a rate, by labels: .900 below .920 at {setting}"]
    monkeypatch.setattr("benchmarks.coverage.corrections.steepest_move", lambda *shape: 1.7)
    (jumpy,) = missed([*whole, ours])
    assert jumpy == (
        "a rate, by labels: one event moves it 1.70 times as Clopper-Pearson at 300 outputs, 15 flagged, 100 labels"
    )


@pytest.mark.slow
def test_program_writes_the_page_and_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shortened run writes a page that says so, with a row for each interval, and every result as CSV."""
    parts = ("turns", "worths", "corrections", "tests", "differences", "packs", "rates")
    few: list[Task] = [next(task for task in tasks() if task.part == part) for part in parts]
    monkeypatch.setattr(program, "tasks", lambda _every: few)
    monkeypatch.setattr(program, "Effort", lambda: TINY)
    monkeypatch.setattr("os.environ", {})
    page, scores = tmp_path / "table.md", tmp_path / "scores.csv"
    arguments = ["--quick", "--processes", "1", "--out", str(page), "--scores", str(scores)]
    assert program.main(arguments) == 0
    text = page.read_text()
    assert "A shortened run" in text
    assert all(f"**{target.method}**" in text for target in TARGETS)
    assert "nan" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("| core | ") and "flagged" in line]
    assert len(row.split("|")) == 12
    rows = pd.read_csv(scores)
    assert {"rate", "overall rate", "difference", "overall difference", "worths", "corrected rate"} == set(rows["part"])
    assert list(tmp_path.glob("*")) in ([page, scores], [scores, page])


def test_the_committed_table_meets_the_targets() -> None:
    """The table in the repository is of a whole run, and what it says of our intervals is what we promise."""
    text = program.TABLE.read_text()
    assert "A shortened run" not in text
    assert str(Path.home()) not in text
    for target in TARGETS:
        line = next(row for row in text.splitlines() if row.startswith(f"| {target.claim} | **{target.method}**"))
        mean, least = (float(cell) for cell in line.split("|")[4:6])
        assert mean >= (target.mean or 0)
        assert least >= target.least
    for grid in ("core", "stress", "heavy"):
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {grid} |") and "flagged" in line]
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        assert float(cells[2]) >= TARGETS[-1].least
        assert float(cells[3]) <= MOST_WIDTH
        assert float(cells[8]) <= MOST_MOVE
