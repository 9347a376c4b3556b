"""Files of labels: what people typed is understood, what is none is refused, and no result is written over them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from labelled_tables import models, write_labels

from alignbench.analysis.rates.calibrate import calibrate
from alignbench.analysis.rates.rates import rates
from alignbench.cli.agreement import command as agreement_command
from alignbench.cli.compare import command as compare_command
from alignbench.cli.gate import command as gate_command
from alignbench.cli.judge.calibrate import command as calibrate_command
from alignbench.cli.judge.sample import command as sample_command
from alignbench.cli.leaderboard import command as leaderboard_command
from alignbench.cli.rates import command as rates_command
from alignbench.errors import InputError, NotComparableError
from alignbench.labels.read import read_labels
from alignbench.report.leaderboard.boards import leaderboard
from alignbench.report.leaderboard.page import markdown
from alignbench.text.flags import explain_flags
from alignbench.vocabulary import FEW_LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Truth and verdicts of two models, at 3 % and 20 %."""
    return models(a=0.03, b=0.20)


@pytest.fixture
def files(tables: Tables, tmp_path: Path) -> dict[str, Path]:
    """A table with answers, its labels and their calibration."""
    found = {name: tmp_path / name for name in ("table.csv", "labels.csv", "calibration.json")}
    tables[1].assign(transcript="[1] user:\nHi").to_csv(found["table.csv"], index=False)
    write_labels(found["labels.csv"], *tables)
    calibrate(tables[1], read_labels([found["labels.csv"]])).save(found["calibration.json"])
    return found


def _refused(command: click.Command, arguments: Sequence[object], words: str, folder: Path) -> None:
    """The command ends in one error with these words, and every file is as it was."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = CliRunner().invoke(command, [str(one) for one in arguments])
    assert isinstance(done.exception, InputError), done.output
    assert words in str(done.exception)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


# What is read


def test_labels_separated_by_semicolons_are_the_same_labels(files: dict[str, Path], tmp_path: Path) -> None:
    """A spreadsheet that writes decimal commas makes a file that corrects as the one with commas does."""
    plain = read_labels([files["labels.csv"]])
    file = tmp_path / "semicolons" / "labels.csv"
    file.parent.mkdir()
    pd.read_csv(files["labels.csv"], dtype=str, keep_default_na=False).to_csv(
        file, index=False, sep=";", encoding="utf-8-sig"
    )
    pd.testing.assert_frame_equal(read_labels([file]).drop(columns="file"), plain.drop(columns="file"))
    _refused(sample_command, [files["table.csv"], "-o", file], "holds 200 labels already", tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("label,scenario\naligned,s\naligned,s,more", "line 3 has 3 cells, and those before have 2"),
        ("label,scenario\naligned,s,more\n", "its lines have more cells than its heading"),
        ('label,scenario\n"aligned,s\n', "a quotation mark in row 1 is never closed"),
        ("", "it is empty"),
        ("label;scenario\naligned,\xe9", "it is not in UTF-8"),
    ],
)
def test_what_is_no_csv_is_told_in_our_words(
    content: str, problem: str, files: dict[str, Path], tmp_path: Path
) -> None:
    """A file of labels, or a table, that is no CSV: the error says why, and what would have been one."""
    files["labels.csv"].write_bytes(content.encode("latin-1"))
    _refused(calibrate_command, [files["table.csv"], files["labels.csv"]], f"this is no table: {problem}", tmp_path)
    for command in (rates_command, agreement_command):
        _refused(command, [files["labels.csv"]], f"this is no table: {problem}", tmp_path)


@pytest.mark.parametrize("further", [[], ["--labels", "l.csv"]])
def test_labels_without_a_table_are_wrong_usage(further: list[str]) -> None:
    """With one file it is not clear which is missing: the error says what both are, and what --labels is."""
    done = CliRunner().invoke(calibrate_command, ["logs", *further])
    assert done.exit_code == 2
    assert "'logs' alone: INPUT... are the verdicts, and LABELS are the labels" in done.output.replace("\n", " ")
    assert ("--labels adds those of another labeller" in done.output) == bool(further)


# What is never written over


def test_no_result_takes_the_place_of_an_input(files: dict[str, Path], tmp_path: Path) -> None:
    """Labels, table or calibration named as output, under any name of the file: one error, nothing written."""
    table, labels, calibration = files.values()
    (tmp_path / "link.csv").symlink_to(labels)
    both = [table, "--base", "a", "--candidate", "b", "--calibration", calibration]
    words = "cannot write here: it is an input"
    for output in (labels, table, tmp_path / "link.csv", tmp_path / "." / "labels.csv"):
        _refused(calibrate_command, [table, labels, "-o", output], words, tmp_path)
    _refused(calibrate_command, [table, labels, "--labels", table, "-o", table], words, tmp_path)
    _refused(sample_command, [table, "-o", table], words, tmp_path)
    _refused(sample_command, [table, "-o", tmp_path / "new.csv", "--html", table], words, tmp_path)
    for option in ("--junit", "--markdown"):
        _refused(gate_command, [*both, option, table], words, tmp_path)
        _refused(gate_command, [*both, option, calibration], words, tmp_path)
    _refused(compare_command, [*both, "--unpaired", calibration], words, tmp_path)
    table.rename(tmp_path / "leaderboard.csv")
    _refused(leaderboard_command, [tmp_path / "leaderboard.csv", "-o", tmp_path], words, tmp_path)


def test_two_results_do_not_share_a_file(files: dict[str, Path], tmp_path: Path) -> None:
    """Sheet and page, JUnit and Markdown: the second would replace the first."""
    table, new = files["table.csv"], tmp_path / "new"
    _refused(sample_command, [table, "-o", new, "--html", new], "another result goes here", tmp_path)
    arguments = [table, "--base", "a", "--candidate", "b", "--junit", new, "--markdown", new]
    _refused(gate_command, arguments, "another result goes here", tmp_path)


@pytest.mark.slow
def test_what_is_not_ours_is_not_replaced(files: dict[str, Path], tmp_path: Path) -> None:
    """A page replaces a page and a calibration a calibration; other people's labels, or anything else, stay."""
    table, labels, calibration = files.values()
    sheet, page, mine = (tmp_path / name for name in ("sheet.csv", "page.html", "bob.csv"))
    mine.write_bytes(labels.read_bytes())
    _refused(sample_command, [table, "-o", sheet, "--html", mine], "it is no page of judge sample", tmp_path)
    _refused(calibrate_command, [table, labels, "-o", mine], "it is no calibration", tmp_path)
    for _ in range(2):
        done = CliRunner().invoke(sample_command, [str(table), "-o", str(sheet), "--html", str(page)])
        assert done.exit_code == 0, done.output
        done = CliRunner().invoke(calibrate_command, [str(table), str(labels), "-o", str(calibration)])
        assert done.exit_code == 0, done.output


# What is read


def test_a_judge_s_verdicts_are_no_labels(files: dict[str, Path], tmp_path: Path) -> None:
    """A verdict table in the place of labels is refused for verdicts and for grades; a file by hand is read."""
    table = files["table.csv"]
    for field in ("label", "severity"):
        with pytest.raises(InputError, match="table of a judge's verdicts, not of labels by people"):
            read_labels([table], field=field)
    labels = pd.read_csv(files["labels.csv"], dtype=str)
    labels.rename(columns={"label": "verdict"}).assign(labeller="ann").to_csv(tmp_path / "hand.csv", index=False)
    assert read_labels([tmp_path / "hand.csv"])["label"].tolist() == labels["label"].tolist()


def test_a_file_of_headings_alone_has_no_labels(files: dict[str, Path], tmp_path: Path) -> None:
    """An empty sheet is one clear error."""
    heading = files["labels.csv"].read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "empty.csv").write_text(heading + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="no row has a label"):
        read_labels([tmp_path / "empty.csv"])


def test_off_task_may_be_written_as_people_do(files: dict[str, Path], tmp_path: Path) -> None:
    """Joined by a blank, a hyphen or nothing; other words with these letters are refused."""
    labels = pd.read_csv(files["labels.csv"], dtype=str).head(5)
    spelled = labels.assign(label=["off_task", "Off task", "off-task", "OFFTASK ", "off - task"])
    spelled.to_csv(tmp_path / "off.csv", index=False)
    assert set(read_labels([tmp_path / "off.csv"])["label"]) == {"off_task"}
    spelled.assign(label="task off").to_csv(tmp_path / "off.csv", index=False)
    with pytest.raises(InputError, match="label 'task off'"):
        read_labels([tmp_path / "off.csv"])


def test_a_label_given_twice_names_both_files(tables: Tables, files: dict[str, Path], tmp_path: Path) -> None:
    """The line of the first label is of another file where it stands in another."""
    labels = pd.read_csv(files["labels.csv"], dtype=str).assign(labeller="ann")
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    labels.to_csv(one, index=False)
    labels.iloc[[3]].to_csv(two, index=False)
    with pytest.raises(InputError) as caught:
        calibrate(tables[1], read_labels([one, two]))
    assert str(caught.value).startswith(f"{two}:2: 'ann' has labelled this output in line 5 of {one} too")


@pytest.mark.parametrize(
    ("fault", "words"),
    [("ambiguous", "fits 4 outputs (allowed: one; add the column epoch)"),
     ("double", "'ann' has labelled this output in line 2 too (allowed: one label an output and labeller)"),
     ("word", "label 'bad' (allowed: aligned, misaligned, refused, deferred, off_task)"),
     ("names", "the files of labels do not name outputs by the same column")],
)  # fmt: skip
def test_agreement_and_calibrate_match_labels_by_one_rule(
    fault: str, words: str, tables: Tables, tmp_path: Path
) -> None:
    """The same faulty file is refused by both commands in the same words, with its line."""
    table, file = tmp_path / "table.csv", tmp_path / "labels.csv"
    known = tables[1].assign(sample_uuid=[f"u{at}" for at in range(len(tables[1]))])
    known.to_csv(table, index=False)
    labels = write_labels(file, tables[0], known, 10).astype(str).assign(labeller="ann")
    others = labels.head(0)
    if fault == "ambiguous":
        labels = labels.drop(columns=["epoch", "sample_uuid"], errors="ignore")
    elif fault == "double":
        labels = pd.concat([labels, labels.iloc[[0]]])
    elif fault == "word":
        labels = labels.assign(label=[*labels["label"].iloc[:4], "bad", *labels["label"].iloc[5:]])
    else:
        both = labels.assign(sample_uuid=known.loc[labels.index, "sample_uuid"])
        labels, others = both.drop(columns="scenario").head(5), both.drop(columns="sample_uuid").tail(5)
    labels.to_csv(file, index=False)
    others.to_csv(tmp_path / "others.csv", index=False)
    further = ["--labels", str(tmp_path / "others.csv")] if len(others) else []
    one = CliRunner().invoke(calibrate_command, [str(table), str(file), *further]).exception
    two = CliRunner().invoke(agreement_command, [str(table), "--labels", str(file), *further]).exception
    assert isinstance(one, InputError)
    assert words in str(one)
    assert str(two) == str(one)


def test_samples_tell_outputs_apart_where_both_sides_know_them(tables: Tables, tmp_path: Path) -> None:
    """Labels without an epoch are found by their samples; of another sample one is refused, in these words."""
    known = tables[1].assign(sample_uuid=[f"u{at}" for at in range(len(tables[1]))])
    labels = write_labels(tmp_path / "labels.csv", tables[0], known, 10).astype(str)
    labels = labels.assign(sample_uuid=known.loc[labels.index, "sample_uuid"]).drop(columns="epoch")
    labels.to_csv(tmp_path / "labels.csv", index=False)
    found = calibrate(known, read_labels([tmp_path / "labels.csv"]))
    assert {one.sample_uuid for one in found.calibration.labels} == set(labels["sample_uuid"])
    samples = labels["sample_uuid"].tolist()
    labels.assign(sample_uuid=[*samples[:3], "other", *samples[4:]]).to_csv(tmp_path / "labels.csv", index=False)
    with pytest.raises(InputError, match=r"labels.csv:5: the label is about another sample \(sample_uuid 'other'"):
        calibrate(known, read_labels([tmp_path / "labels.csv"]))


def test_another_configuration_of_the_judge_is_named(tables: Tables, files: dict[str, Path]) -> None:
    """Labels of one configuration and verdicts of another: both stand in the error, also where one has none."""
    labels = read_labels([files["labels.csv"]]).drop(columns="judge_config", errors="ignore")
    found = calibrate(tables[1].assign(judge_config="a"), labels).calibration
    words = r"the judge 'judge' \(configuration a\), the verdicts are of 'judge' \((configuration b|no configuration)\)"
    for config in ("b", ""):
        with pytest.raises(NotComparableError, match=words):
            rates(tables[1].assign(judge_config=config), calibration=found)


@pytest.mark.slow
def test_agreement_counts_off_task_as_the_correction_does(tables: Tables, files: dict[str, Path]) -> None:
    """No pair is left out: an off-task label is no event, between people too; the sample is named in words."""
    labels = pd.read_csv(files["labels.csv"], dtype=str, keep_default_na=False)
    changed = labels["label"] == "aligned"
    labels.assign(label=np.where(changed, "off_task", labels["label"])).to_csv(files["labels.csv"], index=False)
    other = files["labels.csv"].with_name("bob.csv")
    labels.assign(labeller="bob").to_csv(other, index=False)
    found = calibrate(tables[1], read_labels([files["labels.csv"], other])).agreement
    assert changed.any()
    assert set(found["units"]) == {len(labels)}
    people = found[(found["kind"] == "people") & (found["coefficient"] == "observed_agreement")]
    assert people["disagreements"].tolist() == [0]
    done = CliRunner().invoke(calibrate_command, [str(files["table.csv"]), str(files["labels.csv"])])
    flagged = (pd.read_csv(files["table.csv"])["verdict"] == "misaligned").sum()
    assert re.search(rf"The judge flagged \d+ of the {len(labels)} labelled outputs, and {flagged} of all", done.output)


# Why a rate is not corrected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kept", "flags"),
    [("none", ("no_labels",)), ("others", ("unlabelled_stratum",)), ("few", ("few_labels",)),
     ("few others", ("unlabelled_stratum", "few_labels"))],
)  # fmt: skip
def test_the_reason_for_an_uncorrected_rate_is_the_true_one(
    kept: str, flags: tuple[str, ...], tables: Tables, tmp_path: Path
) -> None:
    """No label at all, none of what the judge flagged, or fewer than 50: each its own word, in rates and compare."""
    truth, table = tables
    labels = write_labels(tmp_path / "labels.csv", truth, table, 200)
    flagged = (table.loc[labels.index, "verdict"] == "misaligned").to_numpy()
    mine = (labels["model"] == "b").to_numpy()
    chosen = {
        "none": ~mine,
        "others": ~mine | ~flagged,
        "few": ~mine | (np.cumsum(mine) <= 40),
        "few others": ~mine | (~flagged & (np.cumsum(mine & ~flagged) <= 40)),
    }[kept]
    labels[chosen].to_csv(tmp_path / "labels.csv", index=False)
    found = calibrate(table, read_labels([tmp_path / "labels.csv"])).calibration
    frame = rates(table, calibration=found)
    (row,) = frame[(frame["model"] == "b") & (frame["measure"] == "misalignment")].to_dict("records")
    assert (row["method"], row["flags"]) == ("gaffke", (*flags, "uncorrected"))
    table.to_csv(tmp_path / "table.csv", index=False)
    found_in = tmp_path / "c.json"
    calibrate(table, read_labels([tmp_path / "labels.csv"])).save(found_in)
    arguments = [str(tmp_path / "table.csv"), "--base", "a", "--calibration", str(found_in)]
    compared = CliRunner().invoke(compare_command, arguments, catch_exceptions=False).output
    assert all(f"{flag}: " in compared for flag in (*flags, "uncorrected"))


@pytest.mark.slow
def test_a_leaderboard_says_of_which_measure_a_flag_is(tables: Tables, files: dict[str, Path]) -> None:
    """Conflicts labelled, twins not: only over-refusal reads uncorrected; without any S3 rate the caption says so."""
    _, table = tables
    found = calibrate(table, read_labels([files["labels.csv"]])).calibration
    page = markdown(leaderboard(table, calibration=found))
    rows = [line for line in page.splitlines() if line.startswith("| ") and "| a |" in line]
    assert rows
    assert all("uncorrected (over-refusal)" in row and "uncorrected (misalignment)" not in row for row in rows)
    assert "rates flagged uncorrected: Gaffke's bound on scenario means" in page
    few = read_labels([files["labels.csv"]]).head(20)
    plain = markdown(leaderboard(table, calibration=calibrate(table, few).calibration))
    assert "Gaffke's bound on scenario means: no rate could be corrected for the judge's errors" in plain
    assert "method S3" not in plain


def test_every_text_states_the_labels_that_a_correction_needs() -> None:
    """The commands' help, the documentation and the words of the flag hold the one number that the statistics use."""
    page = (Path(__file__).parents[2] / "docs" / "label.md").read_text(encoding="utf-8")
    assert f"at least {FEW_LABELS}: " in page
    assert f"holds {FEW_LABELS} labels" in " ".join((sample_command.help or "").split())
    assert f"Below {FEW_LABELS} labels in a pack" in " ".join((calibrate_command.help or "").split())
    assert f"({FEW_LABELS} if not said otherwise)" in explain_flags(["few_labels"])
