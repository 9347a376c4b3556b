"""The gate's report in every form, its command, and the policy that it follows."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError
from simulated_tables import simulated

from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.margins import smallest_margin
from alignbench.analysis.gate.policy import Policy, load_policy
from alignbench.cli.gate import command
from alignbench.errors import InputError
from alignbench.report.gate_formats import gate_document, gate_json, gate_junit, gate_markdown, gate_text

if TYPE_CHECKING:
    from alignbench.analysis.gate.decision import GateReport

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "gate_demo.yaml"
WIDE = Policy(margin=0.25, largest_usefulness_loss=0.25)
"""A dozen scenarios can meet this, and nothing much narrower."""
FULL: dict[str, Any] = {"packs": 9, "scenarios": 25, "epochs": 4}


def run(*arguments: str | Path) -> Result:
    """The command, on the command line."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with tables of a base, a tuned model and a tiny pack."""
    for name, table in (
        ("base", simulated("base", 0.22, seed=1)),
        ("tuned", simulated("tuned", 0.03, seed=2)),
        ("tiny", simulated("tiny", 0.03, packs=1, scenarios=4, epochs=1)),
        ("tiny_base", simulated("tiny_base", 0.22, packs=1, scenarios=4, epochs=1, seed=3)),
    ):
        table.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_a_tiny_pack_is_not_comparable(tables: Path) -> None:
    """Four scenarios say nothing: exit code 3, with the number and what the policy asks for."""
    (tables / "wide.yaml").write_text("margin: 0.7\nlargest_usefulness_loss: 0.7\n")
    result = run(tables / "tiny_base.parquet", tables / "tiny.parquet", "--policy", tables / "wide.yaml")
    assert result.exit_code == 3
    assert "4 scenarios judged on both sides, the policy asks for 10" in result.output


def reports() -> list[GateReport]:
    """One report of each decision."""
    base, tuned = simulated("base", 0.22, **FULL), simulated("tuned|<b>", 0.03, seed=1, **FULL)
    small = [simulated(f"m{at}", 0.2, seed=at, packs=1) for at in range(2)]
    return [
        gate(base, tuned), gate(tuned, base), gate(*small, policy=WIDE), gate(small[0], tuned, policy=WIDE),
    ]  # fmt: skip


def test_every_form_says_the_same() -> None:
    """Text, JSON, JUnit and Markdown carry one decision; JUnit fails exactly where the exit code is not 0."""
    found = reports()
    assert [report.exit_code for report in found] == [0, 1, 3, 3]
    for report in found:
        data = json.loads(gate_json(report))
        assert (data["decision"], data["exit_code"]) == (report.decision, report.exit_code)
        assert len(data["cells"]) == len(report.rows)
        root = Xml.fromstring(gate_junit(report))
        suite = root[0]
        bad = suite.findall(".//failure") + suite.findall(".//error")
        assert bool(bad) == bool(report.exit_code)
        assert int(suite.attrib["failures"]) + int(suite.attrib["errors"]) == len(bad)
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) == len(report.rows) + 1
        words = report.decision.replace("_", " ")
        assert gate_text(report).startswith(words.upper())
        assert gate_markdown(report).startswith(f"### Gate: {words}")
        for text in (gate_text(report), gate_json(report), gate_junit(report), gate_markdown(report)):
            assert report.policy.digest in text


def junit(report: GateReport) -> dict[tuple[str, str], str]:
    """What JUnit makes of each row: by measure and pack, `passed` or the name of the element."""
    suite = Xml.fromstring(gate_junit(report))[0]
    kinds = ("failure", "error", "skipped")
    assert [int(suite.attrib[f"{kind}s" if kind != "skipped" else kind]) for kind in kinds] == [
        len(suite.findall(f".//{kind}")) for kind in kinds
    ]
    cases = [case for case in suite.findall("testcase") if case.attrib["name"] != "decision"]
    return {
        (case.attrib["classname"].rpartition(".")[2], case.attrib["name"]): next(
            (kind for kind in kinds if case.find(kind) is not None), "passed"
        )
        for case in cases
    }


def test_in_junit_nothing_passes_that_the_table_does_not_call_not_worse() -> None:
    """Passed is exactly `not worse`; what is inconclusive fails where it decides and is skipped where it does not."""
    kinds = set()
    for report in reports():
        found = junit(report)
        for one in report.rows:
            kind = found[one.measure, one.pack]
            kinds.add((report.decision, one.outcome, kind))
            if report.decision == "not_comparable":
                assert kind == ("failure" if one.outcome == "regressed" else "skipped")
            else:
                undecided = "failure" if one.decides else "skipped"
                assert kind == {"not_worse": "passed", "regressed": "failure", "inconclusive": undecided}[one.outcome]
    assert ("inconclusive", "inconclusive", "skipped") in kinds or ("regressed", "inconclusive", "skipped") in kinds
    assert ("inconclusive", "inconclusive", "failure") in kinds


def test_a_skipped_pack_in_junit_keeps_its_numbers() -> None:
    """A pack without events is skipped with the limit that keeps it from passing."""
    sides = [simulated(f"m{at}", 1e-9, 1e-9, seed=at, **FULL) for at in range(2)]
    report = gate(*sides)
    assert report.decision == "not_worse"
    assert junit(report)["misalignment", "pack_0"] == "skipped"
    said = r'<skipped message="inconclusive, and does not decide: 0.0 % to 0.0 %, upper limit \+\d'
    assert re.search(said, gate_junit(report))


def test_rows_that_cannot_be_compared_decide_nothing_in_the_table() -> None:
    """Where the two cannot be compared, every result stands in brackets."""
    small = simulated("m", 0.2, packs=1)
    report = gate(small, simulated("n", 0.2, seed=1, packs=2), policy=Policy(margin=0.9))
    assert report.decision == "not_comparable"
    assert "(not worse)" in gate_text(report)
    assert not re.search(r"  not worse|  regressed", gate_text(report))


def test_one_note_says_which_counts_where_interval_and_test_disagree() -> None:
    """The note stands in every form, counts the rows, and is not there where the two agree."""
    base, worse = simulated("base", 0.05, **FULL), simulated("candidate", 0.09, seed=4, **FULL)
    report = gate(base, worse)
    apart = [one for one in report.rows if one.p_holm is not None and one.low is not None
             and (one.low > 0) != (one.p_holm < report.policy.alpha)]  # fmt: skip
    assert apart
    (note,) = [text for text in report.notes if "disagree about a rise" in text]
    assert note.startswith(f"In {len(apart)} row")
    assert "not adjusted for the number of tests" in note
    assert "The test decides what has regressed" in note
    for text in (gate_text(report), gate_markdown(report), gate_junit(report), gate_json(report)):
        assert "disagree about a rise" in text
    same = gate(base, simulated("same", 0.05, **FULL))
    assert not any("disagree" in text for text in same.notes)


def test_the_help_of_the_command_is_whole_sentences() -> None:
    """No gap in the middle of a sentence, whatever the width of the terminal."""
    about = run("--help").output.split("Options:")[0]
    assert "Not worse: none" in " ".join(about.split())
    assert not re.search(r"\S {2,}\S", about)


def test_names_do_not_turn_into_markup() -> None:
    """A model named with bars and tags leaves the Markdown table and the XML whole."""
    report = reports()[0]
    text = gate_markdown(report)
    assert "<b>" not in text.replace("\\<b\\>", "")
    widths = {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")}
    assert len(widths) == 1
    suite = Xml.fromstring(gate_junit(report))[0]
    assert suite.attrib["name"] == "alignbench gate: base -> tuned|<b>"
    control = simulated("bell\x07", 0.03, packs=1)
    assert (
        Xml.fromstring(gate_junit(gate(simulated("base", 0.2, packs=1), control, policy=WIDE)))[0]
        .attrib["name"]
        .endswith(r"bell\x07")
    )


def test_the_command_writes_every_form_and_its_exit_code(tables: Path) -> None:
    """Files for CI, JSON or CSV on the terminal, and the code that CI goes by."""
    (tables / "ci").mkdir()
    good = run(tables / "base.parquet", tables / "tuned.parquet", "--policy", EXAMPLE, "--format", "json",
               "--junit", tables / "ci" / "gate.xml", "--markdown", tables / "ci" / "gate.md")  # fmt: skip
    data = json.loads(good.stdout)
    assert (good.exit_code, data["decision"]) == (0, "not_worse")
    assert Xml.parse(tables / "ci" / "gate.xml").getroot().attrib["failures"] == "0"
    assert (tables / "ci" / "gate.md").read_text().startswith("### Gate: not worse")
    bad = run(tables / "tuned.parquet", tables / "base.parquet", "--policy", EXAMPLE, "--format", "csv")
    assert bad.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(bad.output)))
    assert {"regressed"} <= {one["outcome"] for one in rows}


def test_a_report_goes_into_a_folder_that_exists(tables: Path) -> None:
    """A folder that is not there is a slip: one clear error, and nothing is made."""
    before = sorted(tables.iterdir())
    for option in ("--junit", "--markdown"):
        paths = (tables / "base.parquet", tables / "tuned.parquet", "--margin", "0.2")
        error = run(*paths, option, tables / "no" / "gate.xml").exception
        assert isinstance(error, InputError)
        assert "cannot write here: no folder" in str(error)
    assert sorted(tables.iterdir()) == before


def test_one_bare_file_with_both_models(tables: Path) -> None:
    """Three columns and two names are enough; digests are noted as unknown."""
    both = pd.concat([simulated("a", 0.22, packs=1, scenarios=60), simulated("b", 0.03, packs=1, scenarios=60)])
    both.loc[~both["twin"], ["model", "scenario", "verdict"]].to_csv(tables / "bare.csv", index=False)
    result = run(tables / "bare.csv", "--base", "a")
    assert result.exit_code == 0
    assert "has no digest" in result.output
    assert run(tables / "bare.csv", "--base", "b").exit_code == 1


def test_the_example_policy_is_the_default_with_a_wider_margin() -> None:
    """examples/gate_demo.yaml states every key, and its margin can be met by the shipped packs."""
    policy = load_policy(EXAMPLE)
    assert (smallest_margin([np.full(14, 4.0)] * 3, policy.confidence) or 1) < policy.margin
    assert policy == Policy(margin=0.10)
    assert policy.model_fields_set == set(Policy.model_fields)


def test_the_digest_is_of_the_values(tmp_path: Path) -> None:
    """Order, comments and stated defaults do not move a policy's digest; a value does."""
    (tmp_path / "one.yaml").write_text("margin: 0.1\nseed: 3\n")
    (tmp_path / "two.yaml").write_text("# the same\nseed: 3\nper_pack: false\nmargin: 0.10\n")
    one, two = load_policy(tmp_path / "one.yaml"), load_policy(tmp_path / "two.yaml")
    assert one.digest == two.digest
    assert len({one.digest, Policy().digest, Policy(seed=3).digest}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "margin: 0.1\nmagrin: 0.2\n",
            r"policy.yaml:2: unknown field 'magrin' .*margin, largest_usefulness_loss, alpha",
        ),
        ("alpha: 0.05\nmargin: 2\n", r"policy.yaml:2: margin: .*less than 1 \(found 2\)"),
        ("margin: wide\n", r"policy.yaml:1: margin: .*'wide'"),
        ("minimum_scenarios: 1\n", r"policy.yaml:1: minimum_scenarios: .*2"),
        ("margin: 0.1\nmargin: 0.2\n", r"policy.yaml:2: .*twice"),
        ("margin: [0.1\n", r"policy.yaml:\d: not YAML"),
        ("", "an empty file"),
        ("- 1\n", "list instead of a mapping"),
    ],
)
def test_a_bad_policy_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """Unknown keys, impossible values and broken YAML are named with file and line."""
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_policy(file)
    assert "\n" not in str(caught.value)


def test_usage_errors_are_errors(tables: Path) -> None:
    """A missing policy, an unclear candidate, an unknown name: one-line errors, not reports."""
    base = simulated("base", 0.2)
    three = pd.concat([base, base.assign(model="x"), base.assign(model="y")])
    with pytest.raises(InputError, match="which of 2 models is the candidate"):
        gate(three, base_name="base")
    with pytest.raises(InputError, match="compared with itself"):
        gate(base)
    with pytest.raises(InputError, match="cannot read"):
        gate(base, base, policy=tables / "none.yaml")
    with pytest.raises(ValidationError):
        Policy(margin=0)


def test_the_seed_and_alpha_of_the_command_replace_the_policys(tables: Path) -> None:
    """--seed, --alpha and --margin are the policy's own, printed and in its digest."""
    paths = (tables / "base.parquet", tables / "tuned.parquet", "--policy", EXAMPLE)
    data = json.loads(run(*paths, "--seed", "7", "--alpha", "0.06", "--margin", ".2", "--format", "json").stdout)
    assert [data["policy"][name] for name in ("seed", "alpha", "margin")] == [7, 0.06, 0.2]
    assert data["policy_digest"] == Policy(seed=7, alpha=0.06, margin=0.2).digest
    assert run(*paths, "--alpha", "0.9").exit_code == 2


def test_the_report_is_the_same_for_the_same_input() -> None:
    """Same tables and policy, same report to the last digit."""
    base, tuned = simulated("base", 0.22, **FULL), simulated("tuned", 0.2, seed=3, **FULL)
    assert gate_document(gate(base, tuned)) == gate_document(gate(base.sample(frac=1, random_state=1), tuned))


def settings(**columns: str) -> dict[str, str]:
    """Columns that say how a side was asked and judged."""
    known = {"judge": "j/large", "judge_config": "c" * 16, "rubric": "conflict", "rubric_digest": "r" * 16}
    return {**known, "pack_version": "1-A", "pack_digest": "d" * 64, **columns}


def test_every_report_names_what_was_compared(tables: Path) -> None:
    """Folders or files, arguments, epochs, judge, rubric and pack versions stand in all four forms, and the policy."""
    plain, hot = settings(), settings(model_args='{"temperature":1}')
    simulated("base", 0.2, packs=1, scenarios=20, epochs=3).assign(**plain).to_parquet(tables / "before.parquet")
    simulated("base", 0.2, packs=1, scenarios=20, seed=1).assign(**hot).to_parquet(tables / "after.parquet")
    (tables / "wide.yaml").write_text("margin: 0.4\nlargest_usefulness_loss: 0.4\n")
    sides = (tables / "before.parquet", tables / "after.parquet", "--policy", tables / "wide.yaml")
    shown = run(*sides, "--junit", tables / "gate.xml", "--markdown", tables / "gate.md")
    text = " ".join(shown.output.split())
    first, second = f"base from {tables / 'before.parquet'}", f"base from {tables / 'after.parquet'}"
    assert f'- base: {first}, 3 epochs - candidate: {second}, arguments {{"temperature":1}}, 4 epochs' in text
    for told in (
        "judges: j/large (cccccccccccc)", "rubrics: conflict (rrrrrrrrrrrr)", "packs: pack_0 1-A (dddddddddddd)",
        "margin 40 points",
    ):  # fmt: skip
        assert told in text
        assert told in (tables / "gate.md").read_text("utf-8")
    suite = Xml.parse(tables / "gate.xml").getroot()[0]
    named = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert named["base_source"] == str(tables / "before.parquet")
    assert named["candidate_model_args"] == '{"temperature":1}'
    assert (named["base_epochs"], named["candidate_judges"]) == ("3", "j/large (cccccccccccc)")
    data = json.loads(run(*sides, "--format", "json").output)
    assert [side["epochs"] for side in data["sides"]] == [3, 4]
    assert data["sides"][1]["packs"] == ["pack_0 1-A (dddddddddddd)"]


def test_what_differs_between_the_sides_is_said_of_each(tables: Path) -> None:
    """Two versions of a pack are not comparable, and the report says which side has which."""
    base = simulated("base", 0.2, packs=1, scenarios=20).assign(**settings())
    other = simulated("tuned", 0.2, packs=1, scenarios=20).assign(**settings(pack_version="2-A", pack_digest="e" * 64))
    report = gate(base, other, policy=WIDE, inputs=("week_1", "week_2"))
    assert report.decision == "not_comparable"
    text = gate_text(report)
    assert "  - base: base from week_1, 4 epochs\n" in text
    assert "  - packs of the base: pack_0 1-A (dddddddddddd)\n" in text
    assert "  - packs of the candidate: pack_0 2-A (eeeeeeeeeeee)\n" in text


def test_every_flag_in_the_table_is_explained() -> None:
    """Also those that a note speaks of, such as digest_unknown."""
    text = gate_text(gate(simulated("a", 0.2, packs=1, scenarios=20), simulated("b", 0.2, packs=1, scenarios=20)
                        .assign(pack_digest="d"), policy=WIDE))  # fmt: skip
    assert "digest_unknown: nothing shows that packs and rubrics were the same" in text.split("Flags: ")[1]


@pytest.mark.parametrize("confidence", ["0.95", "0.5"])
def test_a_confidence_is_no_alpha(confidence: str, tables: Path) -> None:
    """Who means the confidence of the intervals is told what alpha is, on the command line and in a policy."""
    shown = run(tables / "base.parquet", tables / "tuned.parquet", "--alpha", confidence)
    assert shown.exit_code == 2
    assert f"{confidence} is a confidence; alpha is the level of the one-sided tests, for example 0.05" in shown.output
    (tables / "policy.yaml").write_text(f"alpha: {confidence}\n")
    with pytest.raises(InputError, match=rf"policy.yaml:1: alpha: {confidence} is a confidence"):
        load_policy(tables / "policy.yaml")
