"""Agreement between raters: published examples, brute force, and the table and label file it is read from."""

from __future__ import annotations

import json
from itertools import permutations
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats import inter_rater

from alignbench.analysis.agreement.agreement import agreement, confusion
from alignbench.analysis.agreement.rows import AgreementRow
from alignbench.analysis.rates.calibrate import calibrate
from alignbench.cli.agreement import command
from alignbench.errors import InputError
from alignbench.labels.draw import draw
from alignbench.labels.read import read_labels
from alignbench.labels.sheet import make_sheet
from alignbench.stats import agreement as core
from alignbench.table.read import as_table
from alignbench.text.rows import meanings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alignbench.stats.methods import Scale

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units,
# 0 is missing. Gwet's handbook uses the same ratings (the data set raw4raters of his software).
FOUR_OBSERVERS = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    ).T
    - 1
)
# Fleiss 1971, table 1: thirty patients by six psychiatrists; how many chose depression, personality disorder,
# schizophrenia, neurosis, other.
PSYCHIATRISTS = np.array([
    [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0],
    [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0],
    [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1], [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0],
    [0, 2, 0, 4, 0], [1, 0, 2, 0, 3], [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0],
    [1, 0, 0, 4, 1], [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
])  # fmt: skip


def two_by_two(both: int, first: int, second: int, neither: int) -> np.ndarray:
    """Ratings of two raters from the four cells of their table."""
    return np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0)


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(scale: Scale, alpha: float) -> None:
    """Krippendorff's own worked example comes out to the printed digits on three scales."""
    found = core.coefficients(FOUR_OBSERVERS, range(1, 6), scale=scale)
    assert found["krippendorff_alpha"] == pytest.approx(alpha, abs=5e-4)


def test_gwet_and_fleiss_of_the_published_example() -> None:
    """AC1, AC2 and Fleiss' kappa with missing ratings equal what Gwet prints for the same data."""
    plain = core.coefficients(FOUR_OBSERVERS, range(1, 6))
    assert plain["gwet_ac1"] == pytest.approx(0.77544, abs=5e-6)
    assert plain["fleiss_kappa"] == pytest.approx(0.76117, abs=5e-6)
    assert plain["observed_agreement"] == pytest.approx(0.8181818)
    quadratic = core.coefficients(FOUR_OBSERVERS, range(1, 6), scale="interval")
    assert quadratic["gwet_ac2"] == pytest.approx(0.914, abs=5e-4)
    # Its complete units only, quadratic weights: 2/3.
    assert core.coefficients(FOUR_OBSERVERS[1:9], range(1, 5), scale="interval")["fleiss_kappa"] == pytest.approx(2 / 3)


def test_kappa_of_the_psychiatrists() -> None:
    """Fleiss 1971 prints .430; statsmodels gives the same to the last digit."""
    ratings = np.array([np.repeat(range(5), row) for row in PSYCHIATRISTS])
    kappa = core.coefficients(ratings, range(5))["fleiss_kappa"]
    assert kappa == pytest.approx(0.430, abs=5e-4)
    assert kappa == pytest.approx(inter_rater.fleiss_kappa(PSYCHIATRISTS), abs=1e-12)


def test_ac1_where_kappa_fails() -> None:
    """Gwet 2008's paradox: 118 of 125 in agreement, all of one kind; kappa is below 0 and AC1 is .94."""
    found = core.coefficients(two_by_two(118, 5, 2, 0), [0, 1], positive=1)
    # By hand: p_a = 118/125; share of "1" = (123 + 120)/250 = .972, p_e = 2 * .972 * .028 = .054432.
    assert found["gwet_ac1"] == pytest.approx((0.944 - 0.054432) / (1 - 0.054432), abs=1e-12)
    # p_e = .984 * .96 + .016 * .04 = .94528
    assert found["cohen_kappa"] == pytest.approx((0.944 - 0.94528) / (1 - 0.94528), abs=1e-12)
    assert found["positive_agreement"] == pytest.approx(2 * 118 / (2 * 118 + 7))
    assert found["negative_agreement"] == 0


@given(hnp.arrays(np.int64, (4, 4), elements=st.integers(1, 6)))
@settings(max_examples=30, deadline=None)
def test_cohen_equals_statsmodels(table: np.ndarray) -> None:
    """Cohen's kappa, plain and with quadratic weights, equals statsmodels on any full table."""
    ratings = np.array([(i, j) for (i, j), count in np.ndenumerate(table) for _ in range(count)])
    for scale, kind in (("nominal", None), ("interval", "quadratic")):
        expected = inter_rater.cohens_kappa(table, wt=kind).kappa
        found = core.coefficients(ratings, range(4), scale=scale)["cohen_kappa"]  # type: ignore[arg-type]
        assert found == pytest.approx(expected, abs=1e-10)


def brute_force_alpha(ratings: np.ndarray, values: np.ndarray, scale: str) -> float:
    """1 - D_o / D_e over every ordered pair of pairable ratings, with no table of coincidences."""
    units = [[value for value in row if value >= 0] for row in ratings]
    units = [row for row in units if len(row) > 1]
    pool = [value for row in units for value in row]
    if not pool:
        return float("nan")
    counts = np.bincount(pool, minlength=len(values))

    def distance(c: int, k: int) -> float:
        if scale == "nominal":
            return float(c != k)
        if scale == "interval":
            return float((values[c] - values[k]) ** 2)
        low, high = min(c, k), max(c, k)
        return float((counts[low : high + 1].sum() - (counts[c] + counts[k]) / 2) ** 2) if c != k else 0.0

    observed = sum(sum(distance(a, b) for a, b in permutations(row, 2)) / (len(row) - 1) for row in units) / len(pool)
    expected = sum(distance(a, b) for a, b in permutations(pool, 2)) / (len(pool) * (len(pool) - 1))
    return 1 - observed / expected if expected else float("nan")


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(2, 4)), elements=st.integers(-1, 3)),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
@settings(max_examples=80, deadline=None)
def test_alpha_equals_brute_force(ratings: np.ndarray, scale: Scale) -> None:
    """Alpha equals its definition over all pairs of ratings, missing ones included, on every scale."""
    values = np.array([0.0, 1.0, 4.0, 5.0])
    found = core.coefficients(ratings, values, scale=scale)["krippendorff_alpha"]
    assert found == pytest.approx(brute_force_alpha(ratings, values, scale), abs=1e-9, nan_ok=True)


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 4)), elements=st.integers(-1, 2)),
    st.integers(0, 2**16),
)
@settings(max_examples=50, deadline=None)
def test_what_holds_for_any_ratings(ratings: np.ndarray, seed: int) -> None:
    """No NaN, no zero width, the value inside its interval; raters and units may stand in any order."""
    rng = np.random.default_rng(seed)
    scenario = rng.integers(0, 5, len(ratings))
    found = core.agreement(ratings, scenario, range(3), rng=rng, positive=1, draws=100)
    for estimate in found.values():
        if estimate.value is None:
            assert estimate.flags
            assert estimate.low is None
            continue
        assert estimate.value <= 1 + 1e-12
        if estimate.low is not None and estimate.high is not None:
            assert estimate.low <= estimate.value <= estimate.high
            assert estimate.high - estimate.low > 0
        else:
            assert estimate.flags
    shuffled = rng.permutation(ratings, axis=1)[rng.permutation(len(ratings))]
    other = core.coefficients(shuffled, range(3), positive=1)
    for name, value in core.coefficients(ratings, range(3), positive=1).items():
        assert other[name] == pytest.approx(value, abs=1e-9, nan_ok=True)


@pytest.mark.slow
def test_the_interval_covers_and_knows_clusters() -> None:
    """Of 80 simulated studies alpha's interval covers the truth in 85 %; over units it covers less."""
    rng = np.random.default_rng(0)
    # Agreement varies by scenario. Two balanced categories, P(agree) = .8, by chance .5, so alpha = .6.
    hit = naive = 0
    for _ in range(80):
        agree_rate = rng.beta(0.8 * 1.5, 0.2 * 1.5, 40)
        first = rng.integers(0, 2, (40, 8))
        second = np.where(rng.random((40, 8)) < agree_rate[:, None], first, 1 - first)
        ratings = np.stack([first.ravel(), second.ravel()], axis=1)
        by_scenario = core.agreement(ratings, np.repeat(range(40), 8), [0, 1], rng=rng, draws=200)["krippendorff_alpha"]
        by_unit = core.agreement(ratings, range(320), [0, 1], rng=rng, draws=200)["krippendorff_alpha"]
        assert by_scenario.low is not None
        assert by_scenario.high is not None
        assert by_unit.low is not None
        assert by_unit.high is not None
        hit += by_scenario.low <= 0.6 <= by_scenario.high
        naive += by_unit.low <= 0.6 <= by_unit.high
    assert hit >= 0.85 * 80
    assert naive < hit


def test_full_agreement_has_no_zero_width_interval() -> None:
    """Where nobody disagrees the bootstrap says nothing; the observed agreement keeps its S1 interval."""
    ratings = np.repeat(np.arange(24)[:, None] % 2, 2, axis=1)
    found = core.agreement(ratings, range(24), [0, 1], rng=np.random.default_rng(0))
    assert found["krippendorff_alpha"].value == 1
    assert found["krippendorff_alpha"].low is None
    assert "no_disagreement" in found["krippendorff_alpha"].flags
    observed = found["observed_agreement"]
    assert observed.low is not None
    assert 0.8 < observed.low < observed.high == 1  # type: ignore[operator]


def test_one_category_only_is_undefined_not_one() -> None:
    """Alpha and kappa are undefined where only one category was used, and say so."""
    found = core.agreement(np.zeros((12, 2), int), range(12), [0, 1], rng=np.random.default_rng(0))
    assert found["krippendorff_alpha"].value is None
    assert found["cohen_kappa"].flags == ("undefined",)
    assert found["gwet_ac1"].value == 1


def test_one_scenario_has_no_interval() -> None:
    """A single scenario gives coefficients without intervals, flagged."""
    found = core.agreement(two_by_two(4, 2, 2, 4), np.zeros(12), [0, 1], rng=np.random.default_rng(0))
    assert all(estimate.low is None and "one_scenario" in estimate.flags for estimate in found.values())


def judged(judges: dict[str, list[str]], twin: bool = False) -> pd.DataFrame:
    """Two outputs a scenario, judged by several judges."""
    parts = []
    for judge, verdicts in judges.items():
        scenario = [f"s{at // 2}" for at in range(len(verdicts))]
        epoch = [1 + at % 2 for at in range(len(verdicts))]
        part = pd.DataFrame({"scenario": scenario, "epoch": epoch, "verdict": verdicts})
        parts.append(part.assign(model="m", twin=twin, judge=judge))
    return pd.concat(parts)


LEFT = ["misaligned", "aligned", "refused", "misaligned", "aligned", "aligned"] * 4
RIGHT = ["misaligned", "aligned", "aligned", "aligned", "misaligned", "aligned"] * 4


def test_judges_of_a_table_are_compared_on_the_event() -> None:
    """On misalignment a refusal and an aligned answer are one thing; on the verdict they differ."""
    table = judged({"left": LEFT, "right": RIGHT})
    event = agreement(table).set_index("coefficient")
    # Per six outputs: both 1, only left 1, only right 1, neither 3.
    assert event.loc["positive_agreement", "value"] == pytest.approx(2 / 4)
    assert event.loc["observed_agreement", "value"] == pytest.approx(4 / 6)
    assert event.loc["observed_agreement", "scenarios"] == 12
    whole = agreement(table, on="verdict").set_index("coefficient")
    assert whole.loc["observed_agreement", "value"] == pytest.approx(3 / 6)
    counts = confusion(table, on="verdict").set_index(["first_label", "second_label"])["units"]
    assert counts["refused", "aligned"] == 4
    assert counts.sum() == 24


def test_twins_are_compared_on_refusal_only() -> None:
    """over_refusal looks at twins, misalignment at conflicts; rows of the other kind are nobody's ratings."""
    conflicts = judged({"left": LEFT, "right": RIGHT})
    table = pd.concat([conflicts, judged({"left": LEFT, "right": LEFT}, twin=True)])
    twins = agreement(table, on="over_refusal").set_index("coefficient")
    assert twins.loc["observed_agreement", "value"] == 1
    assert twins.loc["observed_agreement", "units"] == 24
    assert agreement(table).set_index("coefficient").loc["observed_agreement", "units"] == 24


def test_labels_give_a_judge_its_error_rates() -> None:
    """Sensitivity, specificity, predictive value and false omission rate are means over scenarios, by hand."""
    table = judged({"left": LEFT})
    labels = judged({"anna": RIGHT})[["scenario", "epoch", "verdict"]].assign(labeller="anna")
    found = agreement(table, labels=labels).set_index("coefficient")
    # Three kinds of scenarios. In the first the judge is right on both outputs, in the second it flags one of two
    # without cause, in the third it misses the one that is misaligned.
    assert found.loc["sensitivity", "value"] == pytest.approx((1 + 0) / 2)
    assert found.loc["specificity", "value"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert found.loc["positive_predictive_value", "value"] == pytest.approx((1 + 0) / 2)
    assert found.loc["false_omission_rate", "value"] == pytest.approx((0 + 0 + 1 / 2) / 3)
    # Outputs are counted over all scenarios: of 16 not labelled misaligned the judge flags 4.
    assert found.loc[["specificity"], ["units", "disagreements", "scenarios"]].to_numpy().tolist() == [[16, 4, 12]]
    assert found.loc["false_omission_rate", "disagreements"] == 4
    assert found.loc["sensitivity", "raters"] == ("left", "anna")


def test_labels_must_name_one_output() -> None:
    """A label that fits two outputs is refused with the missing column; labels that fit none are counted."""
    table = judged({"left": LEFT})
    with pytest.raises(InputError, match=r"row 1: fits 2 outputs \(allowed: one; add the column epoch\)"):
        agreement(table, labels=pd.DataFrame({"scenario": ["s0"], "verdict": ["aligned"]}))
    with pytest.raises(InputError, match="no label fits"):
        agreement(table, labels=pd.DataFrame({"scenario": ["x"], "epoch": [1], "verdict": ["aligned"]}))
    some = pd.DataFrame({"scenario": ["s0", "s1", "x"], "epoch": [1, 1, 1], "verdict": ["aligned"] * 3})
    remarks: list[str] = []
    agreement(table, labels=some, note=remarks.append)
    assert remarks == ["1 labels fit no output of the table"]


def test_a_sheet_is_read_as_calibrate_reads_it(tmp_path: Path) -> None:
    """The sheet of judge sample, labelled by two people who type, gives what the same words give as a frame."""
    table = judged({"left": LEFT}).assign(transcript="text")
    table.to_csv(tmp_path / "table.csv", index=False)
    sheet = make_sheet(draw(as_table(table), 24).rows, None)
    word = dict(zip(zip(table["scenario"], table["epoch"].astype(str), strict=True), RIGHT, strict=True))
    words = [word[key] for key in zip(sheet["scenario"], sheet["epoch"], strict=True)]
    typed = sheet.assign(label=[f" {one.title()}" for one in words], labeller="anna")
    typed.to_csv(tmp_path / "anna.csv", index=False)
    typed.drop(columns="labeller").to_csv(tmp_path / "bob.csv", index=False)

    files = [argument for name in ("anna", "bob") for argument in ("--labels", str(tmp_path / f"{name}.csv"))]
    run = CliRunner()
    done = run.invoke(command, [str(tmp_path / "table.csv"), *files, "--format", "json"], catch_exceptions=False)
    said = [(" : ".join(row["raters"]), row["coefficient"]) for row in json.loads(done.stdout)]
    assert {names for names, _ in said} == {"anna : bob : left", "anna : bob", "anna : left", "bob : left"}
    one = run.invoke(command, [str(tmp_path / "table.csv"), *files[:2], "--format", "json"], catch_exceptions=False)
    plain = judged({"anna": RIGHT})[["scenario", "epoch", "verdict"]].assign(labeller="anna")
    second = agreement(table, labels=plain).set_index("coefficient")["value"].to_dict()
    assert {row["coefficient"]: row["value"] for row in json.loads(one.stdout)} == pytest.approx(second)
    assert calibrate(as_table(table), read_labels([tmp_path / "anna.csv"])).rates["labels"].tolist() == [24]


def test_grades_are_read_from_a_column_of_their_name(tmp_path: Path) -> None:
    """`--on severity` takes the column severity of a label file, and names line and value of what is no grade."""
    table, labels = tmp_path / "table.csv", tmp_path / "labels.csv"
    grades = [3, 0, 0, 2, 0, 1] * 4
    judged({"left": LEFT}).assign(severity=grades).to_csv(table, index=False)
    sheet = judged({"": LEFT})[["scenario", "epoch"]].assign(label="aligned", severity=grades)
    sheet.to_csv(labels, index=False)
    argv = [str(table), "--labels", str(labels), "--on", "severity", "--format", "json"]
    found = {row["coefficient"]: row for row in json.loads(CliRunner().invoke(command, argv).stdout)}
    assert (found["krippendorff_alpha"]["value"], found["krippendorff_alpha"]["units"]) == (1, 24)
    sheet.assign(severity=9).to_csv(labels, index=False)
    wrong = CliRunner().invoke(command, argv).exception
    assert str(wrong) == f"{labels}:2: label '9' (allowed: 0, 1, 2, 3)"
    sheet.drop(columns="severity").to_csv(labels, index=False)
    assert "missing column 'severity'" in str(CliRunner().invoke(command, argv).exception)


def test_labels_of_another_run_fit_nothing() -> None:
    """A sample known on both sides must be the same; where one side knows none the keys decide."""
    table = judged({"left": LEFT}).assign(sample_uuid=[f"u{at}" for at in range(24)])
    labels = table[["scenario", "epoch", "verdict", "sample_uuid"]]
    with pytest.raises(InputError, match="no label fits"):
        agreement(table, labels=labels.assign(sample_uuid=[f"v{at}" for at in range(24)]))
    for data, given_ in ((table, labels.assign(sample_uuid="")), (table.drop(columns="sample_uuid"), labels)):
        found = agreement(data, labels=given_).set_index("coefficient")
        assert (found.loc["observed_agreement", "value"], found.loc["observed_agreement", "units"]) == (1, 24)


@pytest.mark.parametrize("argv", [["nope.csv"], ["table.csv", "--labels", "nope.csv"]])
def test_a_missing_file_is_said_to_be_missing(argv: list[str], tmp_path: Path) -> None:
    """One line, the same for the table and for labels."""
    judged({"left": LEFT}).to_csv(tmp_path / "table.csv", index=False)
    done = CliRunner().invoke(command, [str(tmp_path / one) if one.endswith(".csv") else one for one in argv])
    assert str(done.exception).startswith(f"{tmp_path / 'nope.csv'}: no such file")


def test_wide_and_long_forms_are_the_same() -> None:
    """Two columns of raters give what the same ratings give in long form, with null as not rated."""
    wide = pd.DataFrame(
        {"scenario": list("aabbccdd"), "x": [1, 2, 3, 3, 2, 1, None, 2], "y": [1, 2, 3, 2, 2, 1, 1, None]}
    )
    long = pd.concat(
        [
            pd.DataFrame({"unit": range(8), "scenario": wide["scenario"], "rater": name, "label": wide[name]})
            for name in "xy"
        ]
    )
    first = agreement(wide, raters=["x", "y"], scale="ordinal")
    second = agreement(long, scale="ordinal")
    pd.testing.assert_frame_equal(first, second)
    assert set(first["units"]) == {6}


def test_same_seed_same_digits() -> None:
    """The bootstrap is a function of the seed."""
    rng = np.random.default_rng(0)
    said = rng.integers(0, 3, 120)
    table = pd.DataFrame({"unit": np.repeat(range(60), 2), "rater": ["x", "y"] * 60, "label": said})
    pd.testing.assert_frame_equal(agreement(table, seed=3), agreement(table, seed=3))
    assert not agreement(table, seed=3).equals(agreement(table, seed=4))


WIDE = pd.DataFrame({"x": ["a", "b"], "y": ["b", "a"]})
TWICE = pd.DataFrame({"unit": [1, 1], "rater": "x", "label": [1, 2]})
NO_KEY = pd.DataFrame({"verdict": ["aligned"]})
NO_VERDICT = pd.DataFrame({"scenario": ["s0"], "verdict": ["good"]})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: agreement(t[t["judge"] == "left"]), "needs two raters"),
        (lambda t: agreement(t, on="tone"), "cannot compare raters on 'tone'"),
        (lambda t: agreement(t, by=["colour"]), "cannot group by 'colour'"),
        (lambda t: agreement(t, reference="nobody"), "no rater 'nobody'"),
        (lambda t: agreement(t, on="severity"), "nobody rated severity"),
        (lambda t: agreement(t, confidence=1.5), "1.5 is no coverage"),
        (lambda t: agreement(t, draws=10), "draws 10"),
        (lambda t: agreement(t, scale=cast("Any", "ratio")), "unknown scale 'ratio'"),
        (lambda t: agreement(t, labels=NO_KEY), "the labels have the columns verdict"),
        (lambda t: agreement(t, labels=NO_VERDICT), "row 1: label 'good'"),
        (lambda t: agreement(t[["model"]]), "missing column 'unit', 'rater', 'label'"),
        (lambda _: agreement(TWICE), r"'x' labelled one unit twice \(unit '1'\)"),
        (lambda _: agreement(WIDE, raters=["x", "y"], scale="interval"), "on the interval scale"),
        (lambda _: agreement(WIDE, raters=["x", "z"]), "raters"),
        (lambda _: agreement(WIDE, raters=["x", "y"], categories=["a"]), "label 'b'"),
        (lambda _: agreement(WIDE, raters=["x", "y"], positive="c"), "positive category 'c'"),
        (lambda _: agreement(WIDE, raters=["x", "y"], labels=NO_KEY), "labels need a verdict table"),
        (lambda _: core.coefficients([[0, 2]], [0, 1]), "rating codes 0 to 2"),
        (lambda _: core.coefficients([[0], [1]], [0, 1]), "two raters or more"),
        (lambda _: core.coefficients([[0, 1]], [1, 0], scale="ordinal"), "increasing"),
    ],
)
def test_bad_input_is_one_line(call: Callable[[pd.DataFrame], object], message: str) -> None:
    """Each wrong input is an InputError of one line that names the value."""
    with pytest.raises(InputError, match=message) as caught:
        call(judged({"left": LEFT, "right": RIGHT}))
    assert "\n" not in str(caught.value)


def test_command_prints_json_and_tables(tmp_path: Path) -> None:
    """The command carries every key in JSON, and reads a long CSV as well as a verdict table with labels."""
    table, labels, long = (tmp_path / name for name in ("table.csv", "labels.csv", "long.csv"))
    judged({"left": LEFT, "right": RIGHT}).to_csv(table, index=False)
    judged({"": RIGHT})[["scenario", "epoch", "verdict"]].to_csv(labels, index=False)
    pd.DataFrame({"unit": [1, 1, 2, 2], "rater": list("xyxy"), "label": list("abaa")}).to_csv(long, index=False)
    run = CliRunner()
    result = run.invoke(command, [str(table), "--labels", str(labels), "--format", "json"])
    records = json.loads(result.stdout)
    assert list(records[0]) == list(meanings(AgreementRow))
    assert {"fleiss_kappa", "cohen_kappa", "sensitivity"} <= {record["coefficient"] for record in records}
    assert "krippendorff_alpha" in run.invoke(command, [str(long)]).output
    assert "first_label" in run.invoke(command, [str(table), "--confusion", "--format", "csv"]).output
