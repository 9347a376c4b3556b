"""Planning: expectations against simulation, inversions that are minimal, questions in one line, prices."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from alignbench.analysis.plan.cost import Effort, Prices, read_prices
from alignbench.analysis.plan.pilot import Assumptions, pilots
from alignbench.analysis.plan.plan import plan
from alignbench.analysis.plan.question import answer_question
from alignbench.analysis.plan.rows import PassRow, PlanRow
from alignbench.cli.plan import command
from alignbench.errors import InputError
from alignbench.stats import expected_labels, planning
from alignbench.stats.gaffke import mean_limits
from alignbench.stats.label_correction import corrected_rate
from alignbench.stats.planning import Population
from alignbench.stats.sign_flip import sign_flip
from alignbench.text.rows import meanings
from alignbench.vocabulary import FEW_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATES = st.floats(0.005, 0.5)
ICCS = st.one_of(st.just(0.0), st.floats(0.01, 0.9))


def scenario_rates(people: Population, place: np.ndarray) -> np.ndarray:
    """Rates of scenarios at given quantiles of a beta distribution."""
    size = 1 / people.icc - 1
    return np.asarray(stats.beta.ppf(place, people.rate * size, (1 - people.rate) * size))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
@pytest.mark.parametrize(("scenarios", "outputs"), [(25, 1), (25, 4), (100, 4)])
def test_expected_width_is_the_mean_of_simulated_widths(rate: float, scenarios: int, outputs: int) -> None:
    """The planned width lies within 5 % of the mean width of Gaffke's limits in 100 simulated studies."""
    people = Population(rate, 0.4)
    rng = np.random.default_rng(0)
    events = rng.binomial(outputs, scenario_rates(people, rng.random((100, scenarios))))
    widths = [np.diff(mean_limits(row / outputs, confidence=0.95)) for row in events]
    low, high = planning.rate_interval(people, scenarios, outputs)
    assert high - low == pytest.approx(float(np.mean(widths)), rel=0.05)


def test_the_ceiling_is_a_limit() -> None:
    """A million epochs give the interval that is named for infinitely many."""
    people = Population(0.2, 0.4)
    assert planning.rate_interval(people, 40, 10**6) == pytest.approx(
        planning.rate_interval(people, 40, math.inf), rel=1e-3
    )


def test_one_output_a_scenario_is_clopper_pearson() -> None:
    """Without epochs the expected interval is the exact one at the expected events, 6 of 60."""
    expected = stats.binomtest(6, 60).proportion_ci(0.95, method="exact")
    assert planning.rate_interval(Population(0.1, 0.5), 60, 1) == pytest.approx((expected.low, expected.high))


@pytest.mark.slow
@given(RATES, ICCS, st.integers(2, 400), st.integers(1, 60))
@settings(max_examples=25)
def test_more_is_never_worse(rate: float, icc: float, scenarios: int, outputs: int) -> None:
    """Width falls with scenarios, and with epochs up to the ceiling (but for what counts as continuous)."""
    people = Population(rate, icc)

    def width(k: int, m: float) -> float:
        low, high = planning.rate_interval(people, k, m)
        assert 0 <= low <= rate <= high <= 1
        return high - low

    here = width(scenarios, outputs)
    assert width(scenarios + 1, outputs) < here
    assert width(scenarios, outputs + 1) <= here * 1.01
    assert width(scenarios, math.inf) <= here * 1.01


@pytest.mark.slow
@given(RATES, ICCS, st.floats(0.01, 0.2), st.integers(1, 20))
@settings(max_examples=50)
def test_scenarios_for_a_rate_are_the_fewest(rate: float, icc: float, half: float, outputs: int) -> None:
    """The number found is enough and one fewer is not."""
    people = Population(rate, icc)
    found = planning.scenarios_for_rate(people, half, outputs)
    assert found is not None
    low, high = planning.rate_interval(people, found, outputs)
    assert (high - low) / 2 <= half
    if found > 2:
        low, high = planning.rate_interval(people, found - 1, outputs)
        assert (high - low) / 2 > half


def test_detectable_is_the_formula() -> None:
    """The minimum detectable effect is METHODS section 7, worked by hand."""
    # z.95 + z.80 = 1.644854 + 0.841621; psi .2, rho_d .3, K 50, m 4: sqrt(.2 * 1.9 / 200) = .0435890.
    pairs = planning.Pairing(0.2, 0.3)
    assert planning.detectable(pairs, 50, 4) == pytest.approx(2.486475 * 0.0435890, rel=1e-5)
    # However many epochs: sqrt(.2 * .3 / 50) = .0346410.
    assert planning.detectable(pairs, 50, math.inf) == pytest.approx(2.486475 * 0.0346410, rel=1e-5)


@pytest.mark.slow
@given(RATES, RATES, ICCS, ICCS, st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_pairing_is_possible_and_symmetric(a: float, b: float, icc_a: float, icc_b: float, degree: float) -> None:
    """At least |p_A - p_B| of the pairs differ, whatever the pairing; swapping the models changes nothing."""
    first, second = Population(a, icc_a), Population(b, icc_b)
    pairs = planning.pairing(first, second, degree)
    assert abs(a - b) - 1e-3 <= pairs.discordant <= 1
    assert 0 <= pairs.icc_difference <= 1
    swapped = planning.pairing(second, first, degree)
    assert swapped.discordant == pytest.approx(pairs.discordant)
    assert pairs.discordant <= planning.pairing(first, second, 0).discordant + 1e-12


def test_pairing_of_equal_models_by_hand() -> None:
    """Two equal models whose scenarios have one order differ by the noise within scenarios only."""
    people = Population(0.2, 0.5)
    pairs = planning.pairing(people, people, 1)
    # psi = 2 p (1 - p) (1 - icc) = .16, and no difference between scenarios is left.
    assert pairs.discordant == pytest.approx(0.16, rel=1e-3)
    assert pairs.icc_difference == pytest.approx(0, abs=5e-3)
    apart = planning.pairing(people, people, 0)
    assert apart.discordant == pytest.approx(0.32)
    assert apart.icc_difference == pytest.approx(0.5)


@pytest.mark.parametrize(("outputs", "degree"), [(1, 0.0), (4, 0.5)])
def test_the_planned_number_of_scenarios_has_the_power(outputs: int, degree: float) -> None:
    """22 % -> 3 % at the planned size: the sign-flip test finds it in 68 to 92 % of 200 studies."""
    base, tuned = Population(0.22, 0.4), Population(0.03, 0.4)
    scenarios = planning.scenarios_to_detect(planning.pairing(base, tuned, degree), -0.19, outputs)
    assert scenarios is not None
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        common = rng.standard_normal((2, scenarios))
        common[1] = degree * common[0] + math.sqrt(1 - degree**2) * common[1]
        place = special.ndtr(common)
        before = rng.binomial(outputs, scenario_rates(base, place[0]))
        after = rng.binomial(outputs, scenario_rates(tuned, place[1]))
        found += sign_flip(before - after, rng).greater <= 0.05
    assert 0.68 <= found / 200 <= 0.92


def test_clean_scenarios() -> None:
    """299 scenarios without one event are below 1 %; 473 with one, as the binomial says."""
    assert planning.clean_scenarios(0.01) == 299
    assert 0.99**299 <= 0.05 < 0.99**298
    needed = planning.clean_scenarios(0.01, 1)
    assert needed == 473
    assert stats.binom.cdf(1, 473, 0.01) <= 0.05 < stats.binom.cdf(1, 472, 0.01)


JUDGE = {"sensitivity": 0.9, "specificity": 0.95}


def corrected_width(people: Population, scenarios: int, outputs: int, labels: int, rng: np.random.Generator) -> float:
    """Width of the corrected interval of one simulated study: labels drawn as `judge sample` draws them."""
    event = (rng.random((scenarios, outputs)) < scenario_rates(people, rng.random(scenarios))[:, None]).ravel()
    flagged = np.where(event, rng.random(event.size) < 0.9, rng.random(event.size) < 0.05)
    first = expected_labels.labels_to_flagged(labels, int(flagged.sum()), int((~flagged).sum()))
    label = np.full(event.size, np.nan)
    for kind, size in ((True, first), (False, labels - first)):
        drawn = rng.permutation(np.flatnonzero(flagged == kind))[:size]
        label[drawn] = event[drawn]
    found = corrected_rate(np.repeat(np.arange(scenarios), outputs), flagged, label, draws=1_000).estimate
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


@pytest.mark.parametrize(
    ("rate", "scenarios", "outputs", "labels"),
    [
        (0.01, 100, 4, 100),
        (0.05, 100, 4, 200),
        (0.2, 100, 4, 100),
        (0.2, 100, 4, 400),
        (0.05, 25, 4, 50),
        (0.1, 60, 1, 60),
    ],
)
def test_corrected_width_is_the_mean_of_simulated_ones(rate: float, scenarios: int, outputs: int, labels: int) -> None:
    """The planned width of the corrected rate lies within 12 % of the mean of 60 simulated S3 intervals."""
    people, rng = Population(rate, 0.4), np.random.default_rng(0)
    widths = [corrected_width(people, scenarios, outputs, labels, rng) for _ in range(60)]
    low, high = planning.corrected_interval(people, scenarios, outputs, labels, **JUDGE)
    assert high - low == pytest.approx(float(np.mean(widths)), rel=0.12)


@pytest.mark.parametrize(
    ("labels", "flagged", "others", "wanted"),
    [(30, 100, 100, 10), (30, 4, 100, 4), (30, 100, 12, 18), (2, 5, 5, 1), (2, 0, 5, 0)],
)
def test_a_third_of_the_labels_goes_to_flagged_outputs(labels: int, flagged: int, others: int, wanted: int) -> None:
    """While there are so many of both kinds, and one at least where there is one."""
    assert expected_labels.labels_to_flagged(labels, flagged, others) == wanted


@given(RATES, ICCS, st.integers(2, 60), st.integers(1, 8), st.data())
@settings(max_examples=80, deadline=None)
def test_labels_to_expect_add_up(rate: float, icc: float, scenarios: int, outputs: int, data: st.DataObject) -> None:
    """As many labels as asked, a third of them flagged where there are so many, and events in the expected numbers."""
    n = scenarios * outputs
    labels = data.draw(st.integers(2, n))
    sensitivity, specificity = data.draw(st.floats(0.5, 1)), data.draw(st.floats(0.5, 1))
    people = scenario_rates(Population(rate, max(icc, 0.01)), (np.arange(scenarios) + 0.5) / scenarios)
    told = expected_labels.expected_labels(
        people, outputs, labels, rate, sensitivity=sensitivity, specificity=specificity
    )
    known = ~np.isnan(told.label)
    share = rate * sensitivity + (1 - rate) * (1 - specificity)
    flagged = int(told.flagged.sum())
    assert flagged == round(n * share)
    assert int(known.sum()) == labels
    first = int((known & told.flagged).sum())
    assert first == min(flagged, max(labels // 3, labels - (n - flagged), 1))
    for kind, size, found in ((True, first, rate * sensitivity / share if share else 0.0),
                              (False, labels - first, rate * (1 - sensitivity) / (1 - share))):  # fmt: skip
        assert float(np.nansum(told.label[told.flagged == kind])) == pytest.approx(size * found, abs=1e-6)


def test_a_corrected_plan_of_one_question_has_one_answer() -> None:
    """No seed: asked twice, the same; and the limits hold the assumed rate."""
    people = Population(0.03, 0.3)
    first, again = (planning.corrected_interval(people, 50, 4, 80, **JUDGE) for _ in range(2))
    assert first == again
    assert 0 <= first[0] <= 0.03 <= first[1] <= 1


def test_labels_needed_are_the_fewest() -> None:
    """The labels found are enough, one fewer is not, a perfect judge needs fewer, and the minimum for a wide one."""
    people = Population(0.1, 0.3)
    found = planning.labels_needed(people, 200, 4, 0.035, **JUDGE)
    assert found is not None
    assert found > FEW_LABELS

    def half(labels: int) -> float:
        low, high = planning.corrected_interval(people, 200, 4, labels, **JUDGE)
        return (high - low) / 2

    assert half(found) <= 0.035 < half(found - 1)
    perfect = {"sensitivity": 1.0, "specificity": 1.0}
    assert (planning.labels_needed(people, 200, 4, 0.035, **perfect) or found) < found
    assert planning.labels_needed(people, 200, 4, 0.05, **perfect) == FEW_LABELS
    assert planning.labels_needed(people, 200, 4, 0.001, **JUDGE) is None


@pytest.mark.slow
@given(RATES, ICCS, st.integers(2, 40), st.integers(1, 6), st.data())
@settings(max_examples=40, deadline=None)
def test_corrected_plans_exist_for_any_design(
    rate: float, icc: float, scenarios: int, outputs: int, data: st.DataObject
) -> None:
    """Two labels or all, a judge of any quality: limits in [0, 1] around the assumed rate, an error never."""
    labels = data.draw(st.one_of(st.just(2), st.just(scenarios * outputs), st.integers(2, scenarios * outputs)))
    judge = {name: data.draw(st.floats(0, 1)) for name in ("sensitivity", "specificity")}
    low, high = planning.corrected_interval(Population(rate, icc), scenarios, outputs, labels, **judge)
    assert 0 <= low <= rate <= high <= 1


def simulated(seed: int = 0, scenarios: int = 40, epochs: int = 4) -> pd.DataFrame:
    """Two models on the same scenarios, three columns only."""
    rng = np.random.default_rng(seed)
    difficulty = rng.beta(0.6, 1.4, scenarios)
    rows = []
    for model, ease in (("base", 1.0), ("tuned", 0.4)):
        events = rng.random((scenarios, epochs)) < (difficulty * ease)[:, None]
        rows += [
            {"model": model, "scenario": f"s{g:03d}", "verdict": "misaligned" if event else "aligned"}
            for g in range(scenarios)
            for event in events[g]
        ]
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_a_bare_table_is_a_pilot() -> None:
    """Three columns are enough: a model's first row holds the pilot's rate, scenarios and epochs."""
    table = simulated()
    frame = plan(table)
    assert list(frame.columns) == ["model", *(name for name in meanings(PlanRow) if name not in meanings(PassRow))]
    assert len(frame) == 2 * 9
    first = frame[frame["model"] == "base"].iloc[0]
    assert first["rate"] == pytest.approx((table[table["model"] == "base"]["verdict"] == "misaligned").mean())
    assert (first["scenarios"], first["epochs"]) == (40, 4)
    assert first["width"] > first["width_ceiling"] > 0
    assert first["mde"] > first["mde_ceiling"] > 0
    assert not frame.drop(columns="cost").isna().any().any()


def test_the_pilot_says_how_two_models_differ() -> None:
    """With base and candidate the discordant share of the plan is that of the pilot's pairs."""
    table = simulated()
    (known,) = pilots(table, Assumptions(), base="base", candidate="tuned")
    sides = [table[table["model"] == model]["verdict"].to_numpy() == "misaligned" for model in ("base", "tuned")]
    assert known.pairs.discordant == pytest.approx((sides[0] != sides[1]).mean())
    (assumed,) = pilots(table, Assumptions(pairing=0), base="base")
    assert assumed.pairs.discordant > known.pairs.discordant


@pytest.mark.slow
def test_a_pilot_without_events_promises_nothing() -> None:
    """Zero events in a pilot do not make the planned rate, or the detectable difference, zero."""
    table = simulated().assign(verdict="aligned")
    row = plan(table, base="base").iloc[0]
    assert row["rate"] > 0
    assert row["mde"] > 0
    assert "no_events_in_pilot" in row["flags"]


def test_a_pilot_of_one_scenario_plans_for_two() -> None:
    """One scenario says nothing of the correlation within: S1's prior stands in, and two are the least."""
    table = simulated()
    row = plan(table[table["scenario"] == "s000"], base="base").iloc[0]
    assert row["scenarios"] == 2
    assert row["icc"] == 0.5


@pytest.mark.slow
def test_overall_of_several_packs_is_planned() -> None:
    """A pilot of two packs gives one plan over both, not one a pack."""
    table = simulated().assign(pack=lambda t: np.where(t["scenario"] < "s020", "one", "two"))
    frame = plan(table, base="base")
    assert set(frame["scenarios"]) == {40, 80, 160}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("detect 22% -> 3%", "detect 22 % -> 3 %: "),
        ("detect .22 to .03", "detect 22 % -> 3 %: "),
        ("detect 22 % → 3 %", "detect 22 % -> 3 %: "),
        ("rate 5% ± 2%", "rate 5 % ± 2 %: "),
        ("5% +/- 2%", "rate 5 % ± 2 %: "),
        ("below 1%", "below 1 %: 299 independent scenarios without one event, or 473 with one"),
        ("< 0.01", "below 1 %: 299 "),
    ],
)
def test_questions_are_answered_in_one_line(question: str, start: str) -> None:
    """Each way to ask gives one line that begins with the question."""
    found = answer_question(question)
    assert found.text.startswith(start)
    assert "\n" not in found.text
    # What can be had without writing scenarios: 1 - .1 ** (1 / 42) where nothing differs.
    assert "42 scenarios ship, in 3 packs; any more are of packs of your own" in found.text
    assert found.text.endswith("the gate passes nothing under a margin up to 5.3 points (90 % interval)")


@pytest.mark.slow
def test_answers_are_what_the_functions_say() -> None:
    """Designs come by fewest outputs first; with scenarios fixed, epochs or a plain no."""
    found = answer_question("rate 5% ± 2%", epochs=(1, 4))
    people = Population(0.05, 0.5)
    expected = [(planning.scenarios_for_rate(people, 0.02, m), m) for m in (1, 4)]
    assert list(found.designs) == sorted(expected, key=lambda design: (design[0] or 0) * design[1])
    assert found.least_scenarios == planning.scenarios_for_rate(people, 0.02, math.inf)
    assert found.labels is not None
    few = answer_question("rate 5% ± 2%", scenarios=(found.least_scenarios or 0) - 1)
    assert few.designs == ()
    assert "not enough, whatever the epochs" in few.text
    one = planning.scenarios_for_rate(people, 0.02, 1) or 0
    assert answer_question("rate 5% ± 2%", scenarios=one).designs == ((one, 1),)


@pytest.mark.slow
def test_the_pilot_informs_an_answer() -> None:
    """The icc of the pilot replaces the assumed one; several models without a name are refused."""
    table = simulated()
    told = answer_question("rate 5% ± 2%", table, base="base")
    assert told.designs != answer_question("rate 5% ± 2%").designs
    assert answer_question("detect 22% -> 3%", table, base="base", candidate="tuned").text.count("as in the pilot") == 1
    with pytest.raises(InputError, match="name the model"):
        answer_question("rate 5% ± 2%", table)


def test_calls_and_cost_by_hand(tmp_path: Path) -> None:
    """Calls count conditions, twins, turns and judges; the price file turns them into money."""
    file = tmp_path / "prices.yaml"
    file.write_text(
        "currency: EUR\n"
        "target: {input: 2, output: 10, input_tokens: 500, output_tokens: 300}\n"
        "grader: {input: 1, output: 5, input_tokens: 2000, output_tokens: 200}\n"
    )
    effort = Effort(twins=True, conditions=3, turns=2, judges=2, prices=read_prices(file))
    # (3 conditions + 1 twin) * 2 turns * 10 scenarios * 5 epochs = 400 answers, 800 judgements.
    found = effort.cost(10, 5)
    assert (found.calls_target, found.calls_grader) == (400, 800)
    # An answer costs (1000 + 3000) / 1e6 = .004, a judgement (2000 + 1000) / 1e6 = .003.
    assert found.cost == pytest.approx(400 * 0.004 + 800 * 0.003)
    row = plan(assumed=Assumptions(rate=0.1), scenarios=[10], epochs=[5], effort=effort).iloc[0]
    assert (row["calls_target"], row["calls_grader"], row["currency"]) == (400, 800, "EUR")
    assert row["cost"] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plan(), "nothing to plan from"),
        (lambda: plan(assumed=Assumptions(rate=1.2)), "rate 1.2"),
        (lambda: plan(assumed=Assumptions(rate=0.1, icc=-1)), "icc -1"),
        (lambda: plan(assumed=Assumptions(rate=0.1, power=1)), "power 1"),
        (lambda: plan(assumed=Assumptions(rate=0.1, labels=10)), "labels 10"),
        (lambda: plan(assumed=Assumptions(rate=0.1), scenarios=[1]), "scenarios 1"),
        (lambda: plan(assumed=Assumptions(rate=0.1), epochs=[0]), "epochs 0"),
        (lambda: plan(assumed=Assumptions(rate=0.1), epochs=[]), "epochs is empty"),
        (lambda: plan(assumed=Assumptions(rate=0.1), measure="tone"), "unknown measure 'tone'"),
        (lambda: plan(assumed=Assumptions(rate=0.1), base="x"), "no table that holds the model 'x'"),
        (lambda: plan(simulated(), base="x"), "no rows of the model 'x'"),
        (lambda: plan(simulated(), candidate="tuned"), "a candidate needs a base"),
        (lambda: plan(simulated().assign(verdict="off_task")), "the pilot has no rate of 'base'"),
        (lambda: plan(simulated(), measure="over_refusal"), "no rows on which over_refusal is measured"),
        (lambda: Effort(turns=0), "turns 0"),
        (lambda: answer_question("how many?"), "cannot read the target 'how many\\?'"),
        (lambda: answer_question("detect 120% -> 3%"), "rate '120'"),
        (lambda: answer_question("detect 3% -> 3%"), "nothing to detect"),
        (lambda: answer_question("below 0%"), "bound 0"),
        (lambda: answer_question("rate 5% ± 0%"), "half width 0"),
        (lambda: answer_question("rate 5% ± 2%", scenarios=1), "scenarios 1"),
        (lambda: answer_question("rate 5% ± 2%", epochs=()), "epochs"),
        (lambda: planning.clean_scenarios(0.1, -1), "events -1"),
        (lambda: planning.scenarios_to_detect(planning.Pairing(0.1, 0.1), 0, 4), "effect 0"),
        (
            lambda: planning.corrected_interval(Population(0.1, 0), 9, 1, 99, sensitivity=1, specificity=1),
            "labels 99",
        ),
    ],
)
def test_bad_input_is_one_line(call: Callable[[], object], message: str) -> None:
    """Each wrong input is an InputError of one line that names the value."""
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["target: {}", "- 1", "", "currency: EUR\ncolour: red", "target: ["])
def test_a_bad_price_file_is_one_line_that_names_it(text: str, tmp_path: Path) -> None:
    """A price file that is incomplete, of another form, or no YAML is an InputError with the file's name."""
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"prices\.yaml"):
        read_prices(file)


@pytest.mark.slow
@given(RATES, ICCS, st.integers(2, 60), st.integers(1, 12), st.floats(0, 1), st.floats(0.5, 1), st.floats(0.5, 1))
@settings(max_examples=40, deadline=None)
def test_no_number_of_a_plan_is_missing(
    rate: float,
    icc: float,
    scenarios: int,
    epochs: int,
    pairing: float,
    sensitivity: float,
    specificity: float,
) -> None:
    """Any plan holds finite numbers, limits in [0, 1], and ceilings that are passed by nothing."""
    assumed = Assumptions(rate=rate, icc=icc, pairing=pairing, sensitivity=sensitivity, specificity=specificity)
    if scenarios * epochs < 2:
        scenarios = 2
    row = plan(assumed=assumed, scenarios=[scenarios], epochs=[epochs]).iloc[0]
    for name in ("low", "high", "width", "width_ceiling", "zero_event_bound", "width_corrected"):
        assert 0 <= row[name] <= 1
    assert math.isfinite(row["mde"])
    assert row["mde_ceiling"] <= row["mde"] + 1e-12
    assert row["width_ceiling"] <= row["width"] + 1e-12


@pytest.mark.slow
def test_command_answers_and_plans(tmp_path: Path) -> None:
    """The command answers a target in one line, plans a bare CSV, and prints every key as JSON."""
    file = tmp_path / "pilot.csv"
    simulated().to_csv(file, index=False)
    run = CliRunner()
    one = run.invoke(command, ["--target", "detect 22% -> 3%"])
    assert one.output.count("\n") == 1
    assert json.loads(run.invoke(command, ["--target", "below 1%", "--format", "json"]).stdout)["designs"] == [[299, 1]]
    records = json.loads(run.invoke(command, [str(file), "--format", "json"]).stdout)
    assert list(records[0]) == ["model", *(name for name in meanings(PlanRow) if name not in meanings(PassRow))]
    shown = run.invoke(command, [str(file)]).output
    assert "never below" in shown
    assert f" {100 * records[0]['mde']:+.1f} " in shown, "a difference is in points, with its sign"
    assert run.invoke(command, ["--rate", ".1", "--scenarios", "x"]).exit_code == 2


def test_prices_are_plain_data() -> None:
    """A price file's schema refuses negative prices."""
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Prices.model_validate(
            {
                "target": {"input": -1, "output": 1, "input_tokens": 1, "output_tokens": 1},
                "grader": {"input": 1, "output": 1, "input_tokens": 1, "output_tokens": 1},
            }
        )
