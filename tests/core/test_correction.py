"""S3: rates corrected for the judge's errors, and their differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_tables import judged
from scipy import stats
from simulated_tables import simulated

from alignbench.errors import InputError
from alignbench.labels.draw import draw
from alignbench.stats.label_correction import (
    Corrected,
    LabelledPack,
    corrected_difference,
    corrected_overall,
    corrected_rate,
)
from alignbench.stats.rate import rate
from alignbench.stats.sign_flip import sign_flip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sample = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _sample(seed: int, scenarios: int = 12, outputs: int = 4, share: float = 0.3, labelled: float = 0.5) -> Sample:
    """Scenario, flag and label of each output; every stratum has a label."""
    rng = np.random.default_rng(seed)
    scenario = np.repeat(np.arange(scenarios), outputs)
    truth = rng.random(len(scenario)) < rng.beta(share, 1 - share, scenarios)[scenario]
    flag = np.where(truth, rng.random(len(truth)) < 0.85, rng.random(len(truth)) < 0.1)
    flag[:2] = [True, False]
    label = np.where(rng.random(len(truth)) < labelled, truth, np.nan)
    label[:2] = truth[:2]
    return scenario, flag.astype(int), label


def _by_hand(
    scenario: NDArray[np.int64], flag: NDArray[np.int64], label: NDArray[np.float64], draws: int = 40_000
) -> tuple[float, float, float]:
    """The stated rule, output by output and with other random numbers; returns the rate and its limits."""
    rng = np.random.default_rng(99)
    groups = sorted(set(scenario))
    size = {g: sum(s == g for s in scenario) for g in groups}
    seen = label == label

    def rate_of(weight: dict[int, NDArray[np.float64]]) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
        whole, given, total = sum(weight.values()), {}, np.zeros(len(next(iter(weight.values()))))
        for kind in set(flag):
            here = [at for at in range(len(flag)) if flag[at] == kind]
            known = [at for at in here if seen[at]]
            share = sum(weight[scenario[at]] / size[scenario[at]] for at in here) / whole
            mass = sum(weight[scenario[at]] / size[scenario[at]] for at in known)
            total = total + share * sum(weight[scenario[at]] / size[scenario[at]] * label[at] for at in known) / mass
            parts = [1 / size[scenario[at]] for at in here]
            left = 1 - len(known) / len(here)
            one = sum(part**2 for part in parts) / sum(parts) * ((1 - left) / -np.log(left) if left else 0)
            extra = one * rng.exponential(size=len(total))
            given[kind] = share * extra / (mass + extra)
            heavy[kind] = float(np.mean(share)) * one / float(np.mean(mass))
        return total, given

    heavy: dict[int, float] = {}
    value, _ = rate_of({g: np.ones(1) for g in groups})
    weight = {g: rng.exponential(size=draws) for g in groups}
    total, given = rate_of(weight)
    rate_of({g: np.ones(1) for g in groups})
    label_share = given[max(heavy, key=lambda kind: heavy[kind])]
    scenario_mass = rng.exponential(size=draws)
    left = 1 - scenario_mass / (sum(weight.values()) + scenario_mass)
    drawn = total * (1 - label_share) + label_share * (rng.random(draws) < 0.5)
    return float(value[0]), float(np.quantile(drawn * left, 0.025)), float(np.quantile(drawn * left + 1 - left, 0.975))


@pytest.mark.parametrize("seed", range(6))
def test_the_estimate_and_its_interval_are_those_of_the_stated_rule(seed: int) -> None:
    """A second computation gives the same rate, and with other draws limits within 3 % of the width."""
    scenario, flag, label = _sample(seed)
    kept = np.random.default_rng(seed).random(len(flag)) < 0.8
    kept[:2] = True
    sample = scenario[kept], flag[kept], label[kept]
    found = corrected_rate(*sample)

    value, low, high = _by_hand(*sample)
    assert found.estimate.value == pytest.approx(value)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((low, high), abs=0.03 * (high - low))
    assert found.labels == np.isfinite(sample[2]).sum()


def test_the_rate_is_that_of_a_stratified_sample() -> None:
    """By hand: 30 of 100 flagged, 6 of 10 labels there say event; 1 of 20 elsewhere: .3 * .6 + .7 * .05 = .215."""
    flag = np.repeat([1, 0], [30, 70])
    label = np.full(100, np.nan)
    label[:10], label[30:50] = [1] * 6 + [0] * 4, [1] + [0] * 19

    found = corrected_rate(np.arange(100) % 20, flag, label)

    assert found.estimate.value == pytest.approx(0.215)
    assert found.packs[0].shares == {0: pytest.approx(1 / 20), 1: pytest.approx(6 / 10)}
    assert found.packs[0].residual.sum() == pytest.approx(0)
    assert found.estimate.events == 7
    assert found.estimate.flags == ("few_labels",)


def test_the_rate_is_the_mean_over_scenarios() -> None:
    """By hand: everything labelled, 1 of 1 in one scenario and 0 of 9 in the other: .5, not .1."""
    found = corrected_rate([0] + [1] * 9, [1] + [0] * 9, [1.0] + [0.0] * 9).estimate
    assert found.value == pytest.approx(0.5)


def _gaffke(shares: NDArray[np.float64]) -> tuple[float, float]:
    """Second source: Gaffke's limits by plain Dirichlet draws."""
    weight = np.random.default_rng(5).dirichlet(np.ones(len(shares) + 1), 60_000)
    below = weight[:, :-1] @ shares
    return float(np.quantile(below, 0.025)), float(np.quantile(below + weight[:, -1], 0.975))


@pytest.mark.parametrize("events", [0, 1, 9, 60, 119])
def test_with_every_output_labelled_the_limits_are_gaffkes(events: int) -> None:
    """Nothing is left to correct, whatever the judge said: neither wider than 1.1 times nor narrower (draws: 3 %)."""
    rng = np.random.default_rng(0)
    scenario, truth = np.repeat(np.arange(30), 4), np.zeros(120)
    truth[rng.permutation(120)[:events]] = 1
    for flag in (truth.astype(int), rng.integers(0, 2, 120)):
        found = corrected_rate(scenario, flag, truth).estimate
        low, high = _gaffke(np.bincount(scenario, weights=truth) / 4)

        assert found.value == pytest.approx(events / 120)
        assert found.low is not None
        assert found.high is not None
        assert 0.97 <= (found.high - found.low) / (high - low) <= 1.1
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))


@pytest.mark.parametrize("events", [0, 1, 5, 40])
def test_one_output_a_scenario_is_clopper_pearson(events: int) -> None:
    """Everything labelled, a perfect judge: the binomial's exact limits, to 3 % of the width."""
    truth = (np.arange(80) < events).astype(float)
    found = corrected_rate(np.arange(80), truth.astype(int), truth).estimate
    low = stats.beta.ppf(0.025, events, 81 - events) if events else 0.0
    high = stats.beta.ppf(0.975, events + 1, 80 - events)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))


def _labelled(outputs: int, flagged: int, found: tuple[int, int]) -> Sample:
    """Scenarios of four, the flagged spread over them; 100 labels, of them `found` events (flagged, others)."""
    flag, label = np.zeros(outputs, dtype=int), np.full(outputs, np.nan)
    flag[: 4 * flagged : 4] = 1
    first = min(flagged, 33)
    label[: 4 * first : 4] = (np.arange(first) < found[0]).astype(float)
    others = np.flatnonzero(flag == 0)[1 :: (outputs - flagged) // 101][: 100 - first]
    label[others] = (np.arange(100 - first) < found[1]).astype(float)
    assert np.isfinite(label).sum() == 100
    return np.repeat(np.arange(outputs // 4), 4), flag, label


@pytest.mark.parametrize("outputs", [1000, 4000, 10_000])
def test_one_flagged_and_confirmed_output_does_not_blow_up_the_limit(outputs: int) -> None:
    """All flagged confirmed, all others clean: 17, 44 and 66 % once; as wide as Clopper-Pearson's 4 % or narrower."""
    none, one = (corrected_rate(*_labelled(outputs, many, (many, 0))).estimate for many in (0, 1))
    exact = stats.beta.ppf(0.975, 1, 99)
    assert none.high is not None
    assert one.high is not None
    assert none.high <= 1.06 * exact
    assert none.high <= one.high <= none.high + 2 / outputs + 0.1 * exact
    assert (none.low, none.value) == (0, 0)
    assert one.value == pytest.approx(1 / outputs)


@pytest.mark.parametrize(("outputs", "flagged"), [(1000, 20), (1000, 200), (10_000, 500)])
def test_one_more_confirmed_event_moves_the_limit_as_clopper_pearson(outputs: int, flagged: int) -> None:
    """By at most 1.5 times what it moves Clopper-Pearson's in that stratum, times the stratum's share; never down.

    2/1000 are left for the draws; near "all of them" Clopper-Pearson itself stands still.
    """
    for side, most in ((0, min(flagged, 33)), (1, 100 - min(flagged, 33))):
        share = (flagged if side == 0 else outputs - flagged) / outputs
        before = None
        for events in (0, 1, 2, 3, 8, 9):
            found = corrected_rate(*_labelled(outputs, flagged, (events, 2) if side == 0 else (3, events))).estimate
            exact = stats.beta.ppf(0.975, events + 1, most - events)
            assert found.high is not None
            if before is not None and before[0] == events - 1:
                moved = found.high - before[1]
                assert 0 <= moved <= 1.5 * share * (exact - before[2]) + 0.002
            before = events, found.high, exact


@given(seed=st.integers(0, 10_000), at=st.integers(0, 10_000), to=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_more_of_the_event_never_lowers_a_limit(seed: int, at: int, to: float) -> None:
    """One label raised, by any amount, in any stratum and scenario: rate and both limits rise or stay, exactly."""
    scenario, flag, label = _sample(seed, scenarios=8 + seed % 30)
    known = np.flatnonzero(np.isfinite(label))
    more = label.copy()
    more[known[at % len(known)]] = max(to, label[known[at % len(known)]])

    one, other = (corrected_rate(scenario, flag, said, draws=1000).estimate for said in (label, more))
    for name in ("value", "low", "high"):
        assert getattr(other, name) >= getattr(one, name) - 1e-12


def test_without_an_event_the_lower_limit_is_zero_over_many_packs_too() -> None:
    """Nine packs of two strata: nothing confirmed, so nothing is shown; the upper limit is what one label can hide."""
    sample = _labelled(1000, 100, (0, 0))
    found = corrected_overall([LabelledPack(*sample)] * 9).estimate
    alone = corrected_rate(*sample).estimate
    assert (found.low, found.value) == (0, 0)
    assert found.high is not None
    assert alone.high is not None
    assert alone.high / 9 * 0.9 <= found.high <= alone.high / 2


@given(
    seed=st.integers(0, 10_000), scenarios=st.integers(2, 20), outputs=st.integers(1, 5), share=st.floats(0.02, 0.98)
)
@settings(max_examples=80, deadline=None)
def test_limits_hold_the_rate_and_have_a_width(seed: int, scenarios: int, outputs: int, share: float) -> None:
    """The rate is a share, lies within its limits, these within [0, 1], and the interval is never a point."""
    sample = _sample(seed, scenarios, outputs, share)
    found = corrected_rate(*sample).estimate

    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.01
    assert found.n_eff is not None
    assert 0 < found.n_eff <= found.n * (1 + 1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_neither_order_nor_names_of_scenarios_matter(seed: int) -> None:
    """Rows in another order and scenarios under other numbers give the same estimate."""
    scenario, flag, label = _sample(seed)
    order = np.random.default_rng(seed).permutation(len(flag))

    one = corrected_rate(scenario, flag, label).estimate
    other = corrected_rate((7 * scenario[order] + 3), flag[order], label[order]).estimate

    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))


def test_strata_may_be_votes_of_a_panel() -> None:
    """Splitting a stratum by something without meaning keeps the estimate near; each stratum needs its label."""
    scenario, flag, _ = _sample(1, 30)
    truth = np.random.default_rng(9).random(len(flag)) < np.where(flag == 1, 0.7, 0.05)
    votes = flag * 2 + np.arange(len(flag)) % 2

    found = corrected_rate(scenario, votes, truth.astype(float))

    assert set(found.packs[0].shares) == {0, 1, 2, 3}
    assert found.estimate.value == pytest.approx(truth.mean())


def test_overall_weighs_packs_equally() -> None:
    """Two packs of different size: the mean of their rates, an interval narrower than the wider one of theirs."""
    one, two = LabelledPack(*_sample(1, 30)), LabelledPack(*_sample(2, 12))
    both = corrected_overall([one, two])
    alone = [corrected_overall([pack]).estimate for pack in (one, two)]

    assert both.estimate.value == pytest.approx(np.mean([part.value for part in alone]))
    widths = [float(part.high or 0) - float(part.low or 0) for part in (both.estimate, *alone)]
    assert widths[0] < max(widths[1:])
    assert both.estimate.method == "s3_stratified"


def _pair(seed: int) -> tuple[Corrected, Corrected]:
    scenario, flag, label = _sample(seed, 30)
    _, other_flag, other_label = _sample(seed + 1, 30)
    one = corrected_rate(scenario, flag, label, draws=2000)
    return one, corrected_rate(scenario, other_flag, other_label, draws=2000)


def test_the_difference_of_fully_labelled_models_is_that_of_their_scenarios() -> None:
    """Second source: with everything labelled, Dirichlet weights of the scenarios' differences, and one of +1 or -1."""
    rng = np.random.default_rng(3)
    scenario = np.repeat(np.arange(40), 4)
    truth = [(rng.random(160) < rng.beta(share, 1 - share, 40)[scenario]).astype(float) for share in (0.3, 0.5)]
    base, candidate = (corrected_rate(scenario, rng.integers(0, 2, 160), one) for one in truth)
    found = corrected_difference(base, candidate, rng=np.random.default_rng(0))

    change = np.bincount(scenario, weights=truth[1] - truth[0]) / 4
    weight = rng.dirichlet(np.ones(41), 60_000)
    drawn = weight[:, :-1] @ change + weight[:, -1] * rng.choice([-1, 1], 60_000)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))
    assert found.difference == pytest.approx(change.mean())
    assert found.method == "s3_paired"


@pytest.mark.slow
@given(seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_swapping_the_models_turns_the_difference_round(seed: int) -> None:
    """Limits change places and signs; the two-sided p stays; a model against itself shows nothing."""
    base, candidate = _pair(seed)
    one = corrected_difference(base, candidate, rng=np.random.default_rng(0))
    other = corrected_difference(candidate, base, rng=np.random.default_rng(0))

    assert one.low is not None
    assert one.high is not None
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.p == pytest.approx(one.p, abs=0.02)
    same = corrected_difference(base, base, rng=np.random.default_rng(0))
    assert (same.difference, same.p, same.informative_scenarios) == (0, 1, 0)
    assert same.low is not None
    assert same.low < 0


def _flips(base: Corrected, candidate: Corrected) -> float:
    """One-sided p of the sign-flip alone."""
    one, two = base.packs[0], candidate.packs[0]
    change = two.residual - one.residual + two.rate - one.rate
    return sign_flip(change, np.random.default_rng(0)).greater


@pytest.mark.slow
@given(seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_p_is_the_larger_of_sign_flip_and_interval(seed: int) -> None:
    """Second source: at the level that p names the interval ends at zero, unless the sign-flip's p is the larger."""
    samples = [_sample(at, 30) for at in (seed, seed + 1)]

    def sides(confidence: float) -> tuple[Corrected, Corrected]:
        base, candidate = (
            corrected_rate(samples[0][0], *sample[1:], confidence=confidence, draws=2000) for sample in samples
        )
        return base, candidate

    def low(confidence: float) -> float:
        limit = corrected_difference(*sides(confidence), rng=np.random.default_rng(0)).low
        assert limit is not None
        return limit

    p = corrected_difference(*sides(0.95), rng=np.random.default_rng(0)).p_greater
    assert p is not None
    flips = _flips(*sides(0.95))
    assert p >= flips - 1e-12
    if 1e-3 < p < 0.499:
        # p moves in steps of 1 / 8,000: as many values of the difference are drawn.
        assert low(1 - 2 * p) == pytest.approx(0, abs=3e-3) if p > flips else low(1 - 2 * p) >= -3e-3


def _lenient(seed: int, sensitivity: float, specificity: float, propensity: NDArray[np.float64]) -> Corrected:
    """A judge's verdicts on outputs of known propensities, 100 of them labelled."""
    rng = np.random.default_rng(seed)
    scenario = np.repeat(np.arange(len(propensity)), 4)
    event = rng.random(len(scenario)) < propensity[scenario]
    flag = rng.random(len(scenario)) < np.where(event, sensitivity, 1 - specificity)
    label = np.full(len(scenario), np.nan)
    for kind, size in ((True, min(50, int(flag.sum()))), (False, 100 - min(50, int(flag.sum())))):
        chosen = rng.choice(np.flatnonzero(flag == kind), size=size, replace=False)
        label[chosen] = event[chosen]
    return corrected_rate(scenario, flag, label, draws=1000)


@pytest.mark.slow
def test_another_judgement_of_equal_models_is_no_regression() -> None:
    """A lenient judge of the base and a good one of the candidate, rates alike: at most 5 % of seeds reject at .05.

    The sign-flip alone rejects in more than 10 %: labels that happen to miss the events which the judge missed leave
    no trace in the scenarios' differences.
    """
    rejected = flipped = 0
    for seed in range(150):
        propensity = np.random.default_rng(seed).beta(0.02 * 4, 0.98 * 4, size=225)
        base = _lenient(2 * seed, 0.5, 0.98, propensity)
        candidate = _lenient(2 * seed + 1, 0.9, 0.95, propensity)
        found = corrected_difference(base, candidate, rng=np.random.default_rng(0))
        rejected += (found.p_greater or 0) < 0.05
        flipped += _flips(base, candidate) < 0.05

    assert rejected <= 7
    assert flipped > 15


@pytest.mark.slow
def test_labellers_who_err_are_in_the_interval() -> None:
    """Three who err in 10 %: of 200 seeds 92 % hold how often a labeller calls the event, by majorities under 80 %."""
    held = by_majority = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        scenario = np.repeat(np.arange(60), 4)
        event = rng.random(240) < rng.beta(0.1, 1.9, 60)[scenario]
        flag = (rng.random(240) < np.where(event, 0.9, 0.05)).astype(int)
        flag[:2] = [1, 0]
        said = (event[:, None] ^ (rng.random((240, 3)) < 0.1)).astype(float)
        said[rng.permutation(np.arange(2, 240))[:120]] = np.nan
        consensus = 0.05 * 0.9 + 0.95 * 0.1
        for name, label in (("held", said), ("majority", np.round(said.mean(1)))):
            found = corrected_rate(scenario, flag, label, draws=1000).estimate
            holds = (found.low or 0) <= consensus <= (found.high or 0)
            held, by_majority = held + (name == "held" and holds), by_majority + (name == "majority" and holds)
    assert held >= 184
    assert by_majority < 160


def test_a_labeller_who_sees_more_widens_the_interval_to_both() -> None:
    """Two labellers of the same outputs, one with twice the events: the limits reach what either alone would say."""
    scenario, flag, truth = _sample(4, 60, share=0.4)
    known = np.isfinite(truth)
    strict = np.where(known & (np.arange(len(truth)) % 2 == 0), 0.0, truth)
    strict[~known] = np.nan
    both = corrected_rate(scenario, flag, np.stack([truth, strict], axis=1)).estimate
    alone = [float(corrected_rate(scenario, flag, one).estimate.value or 0) for one in (truth, strict)]
    shared = corrected_rate(scenario, flag, (truth + strict) / 2).estimate

    assert both.value == pytest.approx(np.mean(alone))
    assert shared.value == pytest.approx(both.value)
    assert both.low is not None
    assert both.high is not None
    assert both.low < min(alone) < max(alone) < both.high
    assert both.high - both.low > 1.2 * ((shared.high or 0) - (shared.low or 0))
    agreed = corrected_rate(scenario, flag, np.stack([truth, truth], axis=1)).estimate
    assert agreed == corrected_rate(scenario, flag, truth).estimate


@pytest.mark.parametrize(
    ("scenario", "stratum", "label", "words"),
    [
        ([0, 1], [1, 0], [1, np.nan], "no label among the 1 outputs of which the judge said 0"),
        ([0, 1], [1, 0], [1, 2], "label 2.0"),
        ([0, 1], [1], [1, 0], "shapes"),
        ([], [], [], "not empty"),
        ([0.5, 1], [1, 0], [1, 0], "scenario of type float64"),
        ([0, 1], [-1, 0], [1, 0], "stratum"),
    ],
)
def test_what_cannot_be_corrected_is_refused(
    scenario: list[float], stratum: list[int], label: list[float], words: str
) -> None:
    """A stratum without a label, labels that are no shares, vectors that do not fit."""
    with pytest.raises(InputError, match=words):
        corrected_rate(scenario, stratum, label)


def test_one_scenario_has_a_rate_and_no_interval() -> None:
    """Without a second scenario nothing shows the variance."""
    found = corrected_rate([0, 0, 0, 0], [1, 1, 0, 0], [1, np.nan, 0, np.nan]).estimate
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert "one_scenario" in found.flags


@pytest.mark.slow
def test_the_raw_interval_misses_the_truth_and_the_corrected_one_holds_it() -> None:
    """225 scenarios x 4, target at 5 %, sensitivity .9, specificity .95: of 200 seeds S3 holds 92 %, raw misses 90 %.

    Each seed is a model of one table, so that the sampling code draws the 200 labels of all of them at once.
    """
    seeds = [simulated(f"m{at:03}", 0.05, seed=at, effects=at, packs=1, scenarios=225) for at in range(200)]
    truth = pd.concat(seeds, ignore_index=True)
    truth = truth[~truth["twin"]].reset_index(drop=True)
    table = judged(truth)
    drawn = draw(table, 200).rows.index
    label = pd.Series(np.nan, index=table.index)
    label[drawn] = (truth.loc[drawn, "verdict"] == "misaligned").astype(float)
    flag, scenario = (table["verdict"] == "misaligned").to_numpy(), table["scenario"].cat.codes.to_numpy()
    raw_missed = held = 0
    for rows in table.groupby("model", observed=True).indices.values():
        assert label.iloc[rows].notna().sum() == 200
        raw = rate(np.bincount(scenario[rows]), np.bincount(scenario[rows], weights=flag[rows]))
        found = corrected_rate(scenario[rows], flag[rows], label.iloc[rows], draws=1000).estimate
        raw_missed += not (raw.low or 0) <= 0.05 <= (raw.high or 0)
        held += (found.low or 0) <= 0.05 <= (found.high or 0)

    assert raw_missed >= 180
    assert held >= 184
