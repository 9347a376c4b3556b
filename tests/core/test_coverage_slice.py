"""A small slice of the coverage benchmark: the intervals cover what they claim."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

# The benchmarks stand beside the package and are not installed.
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.coverage import methods, peers
from benchmarks.coverage.corrections import CorrectionSetting, correction_scores, relative_widths, steepest_move
from benchmarks.coverage.gaffke import held
from benchmarks.coverage.generators import counts, propensities, scenario_sizes
from benchmarks.coverage.packs import pack_scores
from benchmarks.coverage.rates import simulated_pairs
from benchmarks.coverage.scores import Score, score
from benchmarks.coverage.settings import Effort, PackSetting, PairSetting, Setting
from benchmarks.coverage.worths import WorthSetting, worth_scores

pytestmark = pytest.mark.slow

SLICE = (
    Setting(10, (4, 10), 0.5, 0.01, "two_point"),
    Setting(100, (4, 10), 0.5, 0.05, "beta_binomial"),
    Setting(30, (4, 10), 0.2, 0.05, "logit_normal"),
    Setting(100, (4, 10), 0.2, 0.5, "two_point"),
    Setting(30, (4, 10), 0.5, 0.2, "logit_normal"),
    Setting(10, (4, 10), 0.05, 0.5, "beta_binomial"),
)
"""From easy to the worst of the core."""
DATA_SETS = 1_000


def rate_score(setting: Setting, seed: int, method: str = "s1_interval") -> Score:
    """Coverage of an interval of a rate."""
    rng = np.random.default_rng([0, seed])
    n = scenario_sizes(setting.outputs, (DATA_SETS, setting.scenarios), rng)
    y = counts(n, propensities(setting.generator, setting.rate, setting.icc), rng)
    found = methods.s1_interval(n, y) if method == "s1_interval" else peers.inspect_ci(n, y)
    return score("rate", "core", method, setting, found, setting.rate)


HOT = (
    Setting(100, (1, 50), 0.0, 0.02, "hot"),
    Setting(42, (20, 20), 0.0, 0.05, "hot"),
    Setting(14, (4, 4), 0.0, 0.02, "cauchy"),
)
"""Where few scenarios always misbehave and the rest never."""


def gaffke_coverage(setting: Setting, seed: int) -> float:
    """Coverage of the published interval of a rate."""
    rng = np.random.default_rng([0, seed])
    n = scenario_sizes(setting.outputs, (DATA_SETS, setting.scenarios), rng)
    y = counts(n, propensities(setting.generator, setting.rate, setting.icc), rng)
    return float(held([y / n], setting.rate)["gaffke"].mean())


def test_the_interval_of_a_rate_covers_its_level() -> None:
    """In six settings of the core and three of heavy tails it holds the true rate in 94 % at least."""
    found = [gaffke_coverage(setting, at) for at, setting in enumerate((*SLICE, *HOT))]
    assert float(np.mean(found)) >= 0.96
    assert min(found) >= 0.94


def test_s1_does_not_under_heavy_tails() -> None:
    """S1 holds it in 92 % of the core at least, but in less than 85 % where a few scenarios always misbehave."""
    assert min(rate_score(setting, at).coverage for at, setting in enumerate(SLICE)) >= 0.92
    assert min(rate_score(setting, at).coverage for at, setting in enumerate(HOT)) < 0.85


def test_the_slice_can_fail() -> None:
    """Mean and t clustered errors hold the true rate of rare events in less than half of the data sets."""
    assert rate_score(SLICE[0], 0, "inspect_ci").coverage < 0.5


@pytest.mark.parametrize("factor", [1.0, 0.2])
def test_the_interval_of_a_difference_covers_its_level(factor: float) -> None:
    """In six settings of the core it holds the true difference, none or four fifths, in 94 % at least."""
    for at, (setting, likeness) in enumerate(zip(SLICE, (0.3, 0.9) * 3, strict=True)):
        pair = PairSetting(setting, setting.rate * factor, likeness)
        pairs = simulated_pairs(pair, DATA_SETS, np.random.default_rng([1, at]))
        truth = pair.candidate_rate - setting.rate
        change = (pairs.candidate - pairs.base) / pairs.n
        assert held([change], truth, (-1.0, 1.0))["gaffke_midp"].mean() >= 0.94


def test_packs_cover_their_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over packs the rate and the difference are held in 92 % at least."""
    # Their width is asked of nothing here, and takes the time.
    monkeypatch.setattr("benchmarks.coverage.gaffke.MEASURED", 1)
    effort = Effort(core=300)
    for setting in (
        PackSetting((12,) * 3, (4, 10), 0.5, 0.2, "logit_normal", 0.04),
        PackSetting((25,) * 9, (4, 10), 0.5, 0.05, "two_point", 0.05),
    ):
        found = pack_scores(setting, "core", effort, np.random.default_rng(0))
        published = {("overall rate", "Gaffke over packs"), ("overall difference", "Gaffke, mid-P over packs")}
        ours = [one.coverage for one in found if (one.part, one.method) in published]
        assert len(ours) == 2
        assert min(ours) >= 0.92


def test_s3_covers_its_level_where_the_judge_does_not() -> None:
    """Corrected by 100 labels the rate is held in 92 % at least; the judge's own rate holds it in less than half."""
    for at, error_icc in enumerate((0.0, 0.3)):
        setting = CorrectionSetting(75, 100, 0.05, 0.2, "logit_normal", 0.75, 0.85, error_icc)
        found = correction_scores(setting, "core", Effort(corrections=500), np.random.default_rng([3, at]))
        coverage = {one.method: one.coverage for one in found}
        assert coverage["S3"] >= 0.92
        assert coverage["S1 on the judge's verdicts"] < 0.5


def test_s3_is_neither_wide_nor_jumpy_where_events_are_rare() -> None:
    """Rate .001 of 1,000 outputs: within 1.5 of the narrowest that covers; an event moves it as Clopper-Pearson's."""
    for law in ("hot", "beta_binomial"):
        setting = CorrectionSetting(250, 100, 0.001, 0.2, law, 0.9, 0.95, 0.3)
        found = correction_scores(setting, "heavy", Effort(corrections=100), np.random.default_rng(0))
        assert next(one.coverage for one in found if one.method == "S3") >= 0.92
        (width,) = relative_widths(found).values()
        assert width <= 1.5
    for outputs, flagged in ((1000, 1), (1000, 20), (4000, 100), (10_000, 500)):
        assert 0 < steepest_move(outputs, flagged) <= 1.5


def test_jackknife_covers_its_level() -> None:
    """Jackknife intervals of worths hold them in 92 % at least, where an iid bootstrap does not in 85 %."""
    effort = Effort(orders=60, order_resamples=99)
    setting = WorthSetting(4, 2, 12, 2.0, False)
    jackknife, iid, _ = worth_scores(setting, "core", effort, np.random.default_rng(0))
    assert jackknife.coverage >= 0.92
    assert iid.coverage < 0.85
