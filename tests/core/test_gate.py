"""gate: three outcomes and one decision, and what it advises where there is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pandas as pd
import pytest
from simulated_tables import changed, simulated

from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.policy import Policy
from alignbench.report.gate_formats import gate_junit, gate_text
from alignbench.stats.multiplicity import holm

if TYPE_CHECKING:
    from alignbench.analysis.gate.decision import GateReport
    from alignbench.analysis.gate.rows import GateRow

pytestmark = pytest.mark.slow

WIDE = Policy(margin=0.25, largest_usefulness_loss=0.25)
"""A dozen scenarios can meet this, and nothing much narrower."""
FULL: dict[str, Any] = {"packs": 9, "scenarios": 25, "epochs": 4}


def row(report: GateReport, measure: str, pack: str) -> GateRow:
    """The one row of a measure and pack."""
    (found,) = [one for one in report.rows if (one.measure, one.pack) == (measure, pack)]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_fine_tune_that_helps_passes_and_its_reverse_does_not(seed: int) -> None:
    """22 % to 3 % with over-refusal unchanged is not worse at the default margin; the way back regressed."""
    base = simulated("base", 0.22, seed=100 + seed, effects=seed, **FULL)
    tuned = simulated("tuned", 0.03, seed=200 + seed, effects=seed, **FULL)
    forth, back = gate(base, tuned), gate(tuned, base)
    assert (forth.decision, forth.exit_code) == ("not_worse", 0)
    assert (back.decision, back.exit_code) == ("regressed", 1)


def test_a_rise_of_over_refusal_is_a_regression() -> None:
    """A model that becomes safe by refusing its benign twins does not pass."""
    base = simulated("base", 0.22, 0.05, **FULL)
    report = gate(base, simulated("timid", 0.03, 0.20, seed=1, **FULL))
    assert report.decision == "regressed"
    assert row(report, "over_refusal", "overall").outcome == "regressed"
    assert row(report, "misalignment", "overall").outcome == "not_worse"
    assert report.reasons[0].startswith("Over-refusal overall rose")


def test_no_change_rarely_fails() -> None:
    """Four seeds, whole reports: one model run twice is called regressed once at most; the proof counts the rest."""
    failures = 0
    for seed in range(4):
        one, two = (simulated("base", 0.22, seed=2 * seed + at, effects=seed, **FULL) for at in range(2))
        failures += gate(one, two).exit_code == 1
    assert failures <= 1


def test_little_data_is_inconclusive_and_says_what_would_decide() -> None:
    """A small comparison without a rise is no pass: exit code 3, the margin, and how many more scenarios."""
    base, candidate = (simulated(f"m{at}", 0.2, seed=at, packs=1, scenarios=12, epochs=1) for at in range(2))
    report = gate(base, candidate, policy=WIDE)
    assert (report.decision, report.exit_code) == ("inconclusive", 3)
    assert len(report.reasons) + 1 == len(report.advice) >= 2
    assert "margin of 25 points" in report.reasons[0]
    assert "scenarios in all" in report.advice[0]
    assert "perhaps with more epochs" in report.advice[0]
    assert "differ in 4 of 12 scenarios, too few for the test" in report.advice[0]
    # What can be had: 42 scenarios, and 1 - .1 ** (1 / 12) where nothing differs.
    assert "42 scenarios ship, in 3 packs; any more are of packs of your own" in report.advice[-1]
    assert "These scenarios can meet no margin up to 17.5 points at all" in report.advice[-1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [8, 9, 11])
def test_the_advised_margin_is_the_one_that_is_met(seed: int) -> None:
    """Just above the margin that the advice names the row passes, and just below it does not."""
    sides = [simulated(f"m{at}", 0.1, seed=at, packs=1, scenarios=30, epochs=2) for at in (0, seed)]
    report = gate(*sides, policy=Policy(margin=0.09, largest_usefulness_loss=0.09))
    advised = [float(found[1]) / 100 for text in report.advice if (found := re.search(r"margin above ([\d.]+)", text))]
    undecided = [one for one in report.rows if one.outcome == "inconclusive" and one.headline]
    assert advised
    for margin in advised:
        outcomes = []
        for moved in (-0.001, 0.001):
            wider = gate(*sides, policy=Policy(margin=margin + moved, largest_usefulness_loss=margin + moved))
            outcomes.append([row(wider, one.measure, one.pack).outcome for one in undecided])
        assert outcomes[0].count("inconclusive") > outcomes[1].count("inconclusive")


def test_a_rise_above_the_margin_is_no_question_of_scenarios() -> None:
    """Where too few scenarios differ for the test and the rise is no smaller than the margin, no number is advised."""
    base = simulated("base", 1e-9, 1e-9, packs=1, scenarios=12, epochs=1)
    risen = base["scenario"].isin(["pack_0_s00", "pack_0_s01", "pack_0_s02", "pack_0_s03"]) & ~base["twin"]
    words = base["verdict"].astype(object).mask(risen, "misaligned")
    report = gate(base, base.assign(model="risen", verdict=words), policy=WIDE)
    advice = report.advice[0]
    assert "Misalignment in pack_0: the rise of 33.3 points is itself not below the margin; only a smaller" in advice
    assert "scenarios in all" not in advice


@pytest.mark.slow
def test_more_epochs_are_advised_only_where_they_help() -> None:
    """Where the noise is within scenarios, twice as many as advised do; where scenarios differ, none are advised."""
    policy = Policy(margin=0.15, largest_usefulness_loss=0.15)
    noisy: dict[str, Any] = {"packs": 1, "scenarios": 40, "spread": 0.05}
    report = gate(*(simulated(f"m{at}", 0.3, 0.3, seed=at, epochs=3, **noisy) for at in (0, 1)), policy=policy)
    (advice,) = [text for text in report.advice if text.startswith("Over-refusal")]
    (epochs,) = map(int, re.findall(r"at \+5.8 points, .*about (\d+) epochs in place of 3", advice))
    assert 3 < epochs < 10
    more = {**noisy, "epochs": 2 * epochs}
    longer = [simulated("m0", 0.3, 0.3, seed=10, **more), simulated("m1", 0.3, 0.358, seed=20, **more)]
    assert row(gate(*longer, policy=policy), "over_refusal", "pack_0").outcome == "not_worse"
    apart = [simulated(f"m{at}", 0.3, 0.3, seed=at, effects=at, packs=1, scenarios=40, spread=20) for at in (0, 7)]
    assert "not with more epochs alone" in " ".join(gate(*apart, policy=policy).advice)


@pytest.mark.parametrize("seed", [8, 9, 11])
def test_the_advised_number_of_scenarios_does_decide(seed: int) -> None:
    """With as many scenarios as advised, and the same change, the row passes or is regressed, as it said."""
    sides = [simulated(f"m{at}", 0.1, seed=at, packs=1, scenarios=30, epochs=2) for at in (0, seed)]
    policy = Policy(margin=0.09, largest_usefulness_loss=0.09)
    report = gate(*sides, policy=policy)
    assert report.decision == "inconclusive"
    undecided = [one for one in report.rows if one.outcome == "inconclusive"]
    for advice, one in zip(report.advice[:-1], undecided, strict=True):
        copies = -(-int(re.findall(r"about (\d+) scenarios in all", advice)[0]) // 30)
        assert copies > 1
        grown = [
            pd.concat([side.assign(scenario=side["scenario"].astype(str) + f"_{at}") for at in range(copies)])
            for side in sides
        ]
        expected = "not_worse" if "it passes with" in advice else "regressed"
        assert row(gate(*grown, policy=policy), one.measure, "pack_0").outcome == expected


def test_holm_runs_over_every_pack_measure_and_overall_row() -> None:
    """Holm runs over all rows of the two errors, and any p below the level decides; usefulness is outside of it."""
    report = gate(simulated("base", 0.05, **FULL), simulated("candidate", 0.09, seed=4, **FULL))
    tested = [one.p for one in report.rows if one.p is not None]
    assert report.tests == len(tested) == 20
    assert [one.p_holm for one in report.rows if one.p is not None] == pytest.approx(list(holm(tested)))
    assert {one.measure for one in report.rows if one.p is None} == {"acted_well", "helped"}
    assert (report.decision == "regressed") == any((one.p_holm or 1) < 0.05 for one in report.rows)


def test_packs_decide_only_where_the_policy_says_so() -> None:
    """One pack that rises a little blocks with per_pack, and only then."""
    base, candidate = (simulated(f"m{at}", 1e-9, 1e-9, seed=at, **FULL) for at in range(2))
    rows = candidate["scenario"].isin([f"pack_3_s{at:02}" for at in range(4)]) & ~candidate["twin"]
    candidate = changed(candidate, rows.to_numpy(), "misaligned")
    # Above what 25 scenarios without any event can show, and below the 16 % of the pack.
    margins: dict[str, Any] = {"margin": 0.12, "largest_usefulness_loss": 0.12}
    whole = gate(base, candidate, policy=Policy(**margins))
    assert whole.decision == "not_worse"
    assert not any(one.decides for one in whole.rows if not one.headline)
    strict = gate(base, candidate, policy=Policy(**margins, per_pack=True))
    assert strict.decision == "inconclusive"
    assert {one.pack for one in strict.rows if one.outcome != "not_worse"} == {"pack_3"}


def test_one_pack_is_its_own_overall() -> None:
    """With one pack there is one row a measure, which decides."""
    report = gate(*(simulated(f"m{at}", 0.2, seed=at, packs=1, scenarios=200) for at in range(2)))
    assert [(one.pack, one.decides) for one in report.rows] == [("pack_0", True)] * 4


@pytest.mark.parametrize("twin", [True, False])
@pytest.mark.parametrize("lacks", ["base", "candidate"])
def test_a_measure_on_one_side_is_no_pass(twin: bool, lacks: str) -> None:
    """Without the twins, or the conflicts, that the other side has, the two are not comparable."""
    base, tuned = simulated("base", 0.22, **FULL), simulated("tuned", 0.03, seed=1, **FULL)
    sides = [
        side[side["twin"] != twin] if side is (base, tuned)[lacks == "candidate"] else side for side in (base, tuned)
    ]
    report = gate(*sides)
    assert (report.decision, report.exit_code) == ("not_comparable", 3)
    assert "one side only" in report.reasons[0]
    name = "over_refusal" if twin else "misalignment"
    assert row(report, name, "overall").outcome == "not_measured"


def test_twins_may_be_left_out_on_both_sides_or_by_the_policy() -> None:
    """Where nobody has twins none are required; require_twins: false lets one side go without, and says so."""
    base, tuned = simulated("base", 0.22, **FULL), simulated("tuned", 0.03, seed=1, **FULL)
    conflicts = [side[~side["twin"]] for side in (base, tuned)]
    neither = gate(*conflicts)
    lenient = gate(base, conflicts[1], policy=Policy(require_twins=False))
    for report in (neither, lenient):
        assert (report.decision, report.tests) == ("not_worse", 10)
        assert row(report, "over_refusal", "overall").outcome == "not_measured"
        assert any("not measured on both sides" in note for note in report.notes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pack_digest": "bbbb"}, "Pack 'pack_0' differs"),
        ({"rubric_digest": "bbbb"}, "rubric of pack 'pack_0' differs"),
        ({"judge": "other"}, "judges differ"),
    ],
)
def test_other_content_is_a_report_with_exit_code_3(change: dict[str, str], reason: str) -> None:
    """Other packs, rubrics or judges give a report, so that JUnit and Markdown say why."""
    known = {"pack_digest": "aaaa", "rubric_digest": "aaaa", "judge": "one"}
    base, tuned = simulated("base", 0.22).assign(**known), simulated("tuned", 0.03)
    report = gate(base, tuned.assign(**{**known, **change}))
    assert (report.decision, report.exit_code) == ("not_comparable", 3)
    assert reason in report.reasons[0]
    assert Xml.fromstring(gate_junit(report)).attrib["errors"] == "1"


def test_a_pack_that_one_side_lacks_is_not_comparable() -> None:
    """A candidate that skipped a pack does not pass."""
    base, tuned = simulated("base", 0.22), simulated("tuned", 0.03)
    report = gate(base, tuned[tuned["pack"] == "pack_0"], policy=WIDE)
    assert report.decision == "not_comparable"
    assert "Pack pack_1: the candidate has no misalignment outputs." in report.reasons


def test_one_run_named_twice_does_not_pass() -> None:
    """Equal verdicts under one name are no comparison; a copy under another name is one, with some width."""
    base = simulated("base", 0.22, **FULL)
    report = gate(base, base.copy())
    assert report.decision == "not_comparable"
    assert "one run, named twice" in report.reasons[0]
    twin = gate(base, base.assign(model="copy"))
    assert twin.decision == "not_worse"
    assert (row(twin, "misalignment", "overall").high or 0) > 0.005


def test_several_judges_must_all_agree() -> None:
    """Each judge of both models has its own overall rows; one regression is enough."""
    base, tuned = simulated("base", 0.22, **FULL), simulated("tuned", 0.03, seed=1, **FULL)
    first = pd.concat([base.assign(judge="j1"), base.assign(judge="j2")])
    second = pd.concat([tuned.assign(judge="j1"), base.assign(judge="j2", model="tuned")])
    report = gate(first, second)
    assert {one.judge for one in report.rows} == {"j1", "j2"}
    assert report.decision == "not_worse"
    worse = gate(second, first)
    assert worse.decision == "regressed"
    assert all("(judge j1)" in reason for reason in worse.reasons)
    assert "judge" in gate_text(worse)
