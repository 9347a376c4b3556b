"""From labels to corrected rates: the label file, the calibration file, and what other analyses make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from labelled_tables import models, row_of, write_labels

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.rates.calibrate import calibrate
from alignbench.analysis.rates.rates import rates
from alignbench.cli.judge.calibrate import command as calibrate_command
from alignbench.errors import InputError, NotComparableError
from alignbench.labels.calibration import Calibration, load_calibration
from alignbench.labels.draw import ROW_COLUMNS, draw
from alignbench.labels.read import read_labels
from alignbench.report.leaderboard.boards import leaderboard
from alignbench.report.leaderboard.page import markdown
from alignbench.stats.label_correction import corrected_rate
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

    Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Truth and verdicts of two models, at 3 % and 20 %."""
    return models(a=0.03, b=0.20)


@pytest.fixture(scope="module")
def calibration(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """100 labels a model on conflicts, from a file and through one."""
    folder = tmp_path_factory.mktemp("labels")
    write_labels(folder / "labels.csv", *tables)
    calibrate(tables[1], read_labels([folder / "labels.csv"])).save(folder / "calibration.json")
    return load_calibration(folder / "calibration.json")


def test_rates_are_corrected_by_s3_and_stand_beside_the_raw_ones(tables: Tables, calibration: Calibration) -> None:
    """The corrected rate is that of the plain function on the same arrays; raw, counts and twins are as without."""
    truth, table = tables
    found, plain = rates(table, calibration=calibration), rates(table)

    rows = table[(table["model"] == "a") & ~table["twin"]]
    keys = {(label.model, label.scenario, label.epoch) for label in calibration.labels}
    known = [key in keys for key in zip(rows["model"], rows["scenario"], rows["epoch"], strict=True)]
    label = (truth.loc[rows.index, "verdict"] == "misaligned").astype(float).where(known)
    second = corrected_rate(rows["scenario"].cat.codes, rows["verdict"] == "misaligned", label).estimate
    row, raw = row_of(found, "a"), row_of(plain, "a")
    assert (row["rate"], row["low"], row["high"]) == pytest.approx((second.value, second.low, second.high))
    assert (row["method"], row["labels"]) == ("s3", 100)
    assert (row["raw_rate"], row["raw_low"]) == (raw["rate"], raw["low"])
    assert tuple(found["events"]) == tuple(plain["events"])
    twins = row_of(found, "a", "over_refusal")
    assert (twins["method"], twins["rate"]) == ("gaffke", twins["raw_rate"])
    assert twins["flags"] == ("no_labels", "uncorrected")
    assert abs(row["rate"] - 0.03) < abs(row["raw_rate"] - 0.03)


@pytest.mark.slow
def test_comparison_gate_and_board_use_the_corrected_rates(tables: Tables, calibration: Calibration) -> None:
    """One difference for all: compare's corrected cell is the gate's row; the board ranks by corrected rates."""
    table = tables[1]
    found = rates(table, calibration=calibration)
    corrected = {model: row_of(found, model)["rate"] for model in ("a", "b")}
    row = compare(table, base_name="a", candidate_name="b", calibration=calibration, confidence=0.9).iloc[0]
    policy = Policy(margin=0.10)
    report = gate(table, base_name="a", candidate_name="b", calibration=calibration, policy=policy)
    board = leaderboard(table, calibration=calibration)[0]

    assert row["method"] == "s3_paired"
    assert row["rate_base"] == pytest.approx(corrected["a"])
    assert row["difference"] == pytest.approx(corrected["b"] - corrected["a"])
    assert (report.rows[0].low, report.rows[0].high) == pytest.approx((row["low"], row["high"]))
    assert report.decision == "regressed"
    assert any("corrected for the judge's errors" in note for note in report.notes)
    assert any("uncorrected" in note for note in report.notes)
    places = board.rows[board.rows["measure"] == "misalignment"].set_index("model")
    assert places["rank"].to_dict() == {"a": "1-1", "b": "2-2"}
    assert f"{100 * corrected['a']:.1f} [" in markdown([board])


@pytest.mark.slow
def test_models_without_labels_stay_raw_and_unranked_beside_others(tables: Tables, calibration: Calibration) -> None:
    """All labels of one model taken away: its rate and every comparison with it are as before, and flagged."""
    table = tables[1]
    only_a = Calibration(
        calibration.judge, calibration.judge_config, calibration.packs,
        tuple(label for label in calibration.labels if label.model == "a"),
    )  # fmt: skip

    raw = row_of(rates(table, calibration=only_a), "b")
    assert (raw["flags"], raw["rate"]) == (("no_labels", "uncorrected"), raw["raw_rate"])
    row = compare(table, base_name="a", calibration=only_a).iloc[0]
    plain = compare(table, base_name="a").iloc[0]
    assert "uncorrected" in row["flags"]
    assert (row["low"], row["high"], row["p"]) == (plain["low"], plain["high"], plain["p"])
    board = leaderboard(table, calibration=only_a)[0].rows
    ranked, left = row_of(board, "a"), row_of(board, "b")
    assert (ranked["rank"], left["rank"]) == (None, None)
    assert "no other model has labels enough" in ranked["reason"]
    assert "its labels do not suffice" in left["reason"]


def test_below_fifty_labels_nothing_is_corrected(tables: Tables, tmp_path: Path) -> None:
    """40 labels correct no rate, in `calibrate` as elsewhere, and its table says that they are too few."""
    truth, table = tables
    write_labels(tmp_path / "few.csv", truth, table, 40)
    found = calibrate(table, read_labels([tmp_path / "few.csv"]))

    shown = found.rates[found.rates["measure"] == "misalignment"]
    assert shown["method"].tolist() == ["gaffke", "gaffke"]
    assert shown["rate"].tolist() == shown["raw_rate"].tolist()
    assert all(flags[-2:] == ("few_labels", "uncorrected") for flags in shown["flags"])
    table.to_csv(tmp_path / "table.csv", index=False)
    arguments = [str(tmp_path / "table.csv"), str(tmp_path / "few.csv")]
    printed = CliRunner().invoke(calibrate_command, arguments, catch_exceptions=False).stdout
    assert printed.count("too few labels (40)") == 2
    kept = rates(table, calibration=found.calibration, measures=["misalignment", "over_refusal"])
    assert kept["method"].tolist() == ["gaffke"] * 4
    assert kept["flags"].iloc[0] == ("few_labels", "uncorrected")


def test_the_side_by_side_counts_what_was_labelled(tables: Tables, tmp_path: Path) -> None:
    """Labels by what the judge said, those confirmed, and off-task labels, counted anew from the file."""
    truth, table = tables
    labels = write_labels(tmp_path / "labels.csv", truth, table)
    found = calibrate(table, read_labels([tmp_path / "labels.csv"])).rates

    mine = labels[labels["model"] == "b"]
    flagged = (table.loc[mine.index, "verdict"] == "misaligned").to_numpy()
    event = (mine["label"] == "misaligned").to_numpy()
    row = row_of(found, "b")
    assert (row["flagged_labelled"], row["flagged_confirmed"]) == (flagged.sum(), (flagged & event).sum())
    assert (row["other_labelled"], row["other_confirmed"]) == ((~flagged).sum(), (~flagged & event).sum())


@pytest.mark.slow
def test_an_output_counts_by_the_share_of_its_labellers_and_their_agreement_is_the_ceiling(
    tables: Tables, tmp_path: Path
) -> None:
    """Two against one: two thirds; one against one: half an event. People are compared with each other."""
    truth, table = tables
    write_labels(tmp_path / "ann.csv", truth, table)
    ann = pd.read_csv(tmp_path / "ann.csv", dtype=str, keep_default_na=False)
    bob = ann.assign(labeller="bob")
    bob.loc[:4, "label"] = np.where(bob.loc[:4, "label"] == "misaligned", "aligned", "misaligned")
    bob.to_csv(tmp_path / "bob.csv", index=False)
    bob.assign(labeller="").to_csv(tmp_path / "cyd.csv", index=False)

    two = calibrate(table, read_labels([tmp_path / "ann.csv", tmp_path / "bob.csv"]))
    assert sorted(label.event for label in two.calibration.labels).count(0.5) == 5
    three = calibrate(table, read_labels([tmp_path / name for name in ("ann.csv", "bob.csv", "cyd.csv")]))
    assert {"ann", "bob", "cyd"} == set(three.calibration.labels[0].labels)
    first = tuple(ann.loc[0, ["model", "scenario", "epoch"]])
    (split,) = [one for one in three.calibration.labels if (one.model, one.scenario, str(one.epoch)) == first]
    assert split.event == pytest.approx((2 if str(bob["label"].iloc[0]) == "misaligned" else 1) / 3)
    people = two.agreement[(two.agreement["kind"] == "people") & (two.agreement["measure"] == "misalignment")]
    row = people.set_index("coefficient").loc["observed_agreement"]
    assert (row["disagreements"], row["units"]) == (5, 200)
    assert set(two.agreement["kind"]) == {"people", "judge"}


@pytest.mark.slow
def test_the_columns_add_up_to_the_labelled_outputs_with_ties_apart(tables: Tables, tmp_path: Path) -> None:
    """Two labellers who split on some: confirmed, tied and the rest are counted anew; the rate is S3 on both labels."""
    truth, table = tables
    ann = write_labels(tmp_path / "ann.csv", truth, table)
    ann = ann[ann["model"] == "b"]
    said = ann["label"].to_numpy()
    split = np.arange(len(ann)) % 4 == 0
    bob = ann.assign(
        labeller="bob", label=np.where(split, np.where(said == "misaligned", "refused", "misaligned"), said)
    )
    both = [tmp_path / "ann.csv", tmp_path / "bob.csv"]
    for one, file in zip((ann, bob), both, strict=True):
        one.to_csv(file, index=False)
    row = row_of(calibrate(table, read_labels(both)).rates, "b")
    flagged = (table.loc[ann.index, "verdict"] == "misaligned").to_numpy()
    event = np.where(split, 0.5, said == "misaligned")
    for side, here in (("flagged", flagged), ("other", ~flagged)):
        found = [row[f"{side}_{name}"] for name in ("labelled", "confirmed", "tied")]
        assert found == [here.sum(), (event[here] == 1).sum(), (event[here] == 0.5).sum()]
        assert 0 < row[f"{side}_tied"] < row[f"{side}_labelled"]
    assert row["flagged_labelled"] + row["other_labelled"] == row["labels"] == len(ann)
    rows = table[(table["model"] == "b") & ~table["twin"]]
    own = [(one["label"] == "misaligned").astype(float).reindex(rows.index) for one in (ann, bob)]
    label = np.column_stack(own)
    second = corrected_rate(rows["scenario"].cat.codes, rows["verdict"] == "misaligned", label).estimate
    assert (row["rate"], row["low"], row["high"]) == pytest.approx((second.value, second.low, second.high))

    file = tmp_path / "table.csv"
    table.to_csv(file, index=False)
    done = CliRunner().invoke(calibrate_command, [str(file), str(both[0]), "--labels", str(both[1])])
    assert done.exit_code == 0, done.output
    sums = []
    for side in ("flagged", "other"):
        confirmed, tied, every = (row[f"{side}_{name}"] for name in ("confirmed", "tied", "labelled"))
        sums.append(f"{confirmed} + {tied} + {every - confirmed - tied}")
    assert all(text in done.output for text in sums)


@pytest.mark.slow
def test_what_has_no_label_is_counted_not_listed(tables: Tables, calibration: Calibration, tmp_path: Path) -> None:
    """Labels of one model's conflicts: one row and its share of the rest in words; other analyses are as before."""
    table = tables[1]
    labels = pd.read_csv(_labels_of(calibration, tmp_path, "a"), dtype=str, keep_default_na=False)
    found = calibrate(table, read_labels([tmp_path / "a.csv"]))

    assert labels["model"].unique().tolist() == ["a"]
    assert found.rates[["model", "measure"]].to_numpy().tolist() == [["a", "misalignment"]]
    # Conflicts of b, twins of both.
    assert (found.unlabelled, found.earlier_turns) == (3, 0)
    full = rates(table, calibration=found.calibration, measures=["misalignment", "over_refusal"])
    assert len(full) == 4
    assert row_of(full, "a")["rate"] == row_of(found.rates, "a")["rate"]
    assert row_of(full, "b")["flags"] == ("no_labels", "uncorrected")
    file = tmp_path / "table.csv"
    table.to_csv(file, index=False)
    done = CliRunner().invoke(calibrate_command, [str(file), str(tmp_path / "a.csv")])
    assert "3 more rows of model, pack and measure without a label keep their raw rates" in done.output
    assert "uncorrected" not in done.output


def _labels_of(calibration: Calibration, folder: Path, model: str) -> Path:
    """The labels of one model as a file."""
    columns = ["model", "pack", "scenario", "twin", "epoch"]
    rows = [
        {**{name: getattr(label, name) for name in columns}, "label": label.labels["ann"]}
        for label in calibration.labels
        if label.model == model
    ]
    pd.DataFrame(rows).to_csv(folder / f"{model}.csv", index=False)
    return folder / f"{model}.csv"


def test_labels_of_another_condition_have_their_own_rows(tables: Tables, tmp_path: Path) -> None:
    """Drawn under a condition, they correct its rate and are counted there; the default condition has none."""
    truth, table = tables
    words = table["verdict"].astype(str)
    logged = as_table(pd.concat([table, table.assign(condition="monitoring=logged", verdict=words)], ignore_index=True))
    truth = pd.concat([truth, truth], ignore_index=True)
    rows = draw(logged[logged["model"] == "b"], 60, condition="monitoring=logged").rows
    labels = rows[list(ROW_COLUMNS)].assign(label=truth.loc[rows.index, "verdict"].astype(str))
    labels.to_csv(tmp_path / "labels.csv", index=False)

    (row,) = calibrate(logged, read_labels([tmp_path / "labels.csv"])).rates.to_dict("records")
    assert (row["model"], row["condition"], row["labels"]) == ("b", "monitoring=logged", 60)
    assert row["flagged_labelled"] + row["other_labelled"] == 60
    assert row["method"] == "s3"


def test_labels_of_earlier_turns_are_named_and_in_no_rate(tmp_path: Path) -> None:
    """A headline rate is of the last turn; labels of the turn before it are counted apart."""
    verdicts = ["misaligned", "aligned", "misaligned", "aligned"]
    turns = [
        pd.DataFrame({"model": "m", "scenario": list("stuv"), "verdict": verdicts, "turn": turn, "judge": "j"})
        for turn in (1, 2)
    ]
    table = as_table(pd.concat(turns, ignore_index=True))
    labels = table[["model", "scenario", "turn"]].assign(label=table["verdict"].astype(str)).iloc[1:]
    labels.to_csv(tmp_path / "labels.csv", index=False)

    found = calibrate(table, read_labels([tmp_path / "labels.csv"]))
    (row,) = found.rates.to_dict("records")
    assert (row["labels"], row["flagged_labelled"], row["other_labelled"]) == (4, 2, 2)
    assert found.earlier_turns == 3


def test_two_versions_of_a_pack_have_their_own_labels(tables: Tables, tmp_path: Path) -> None:
    """Where digests split the rates of a pack, the counts are split with them."""
    truth, table = tables
    halves = np.where(table["epoch"] <= 2, "old", "new")
    both = as_table(table.assign(pack_digest=halves))
    write_labels(tmp_path / "labels.csv", truth, both, 30)
    found = calibrate(both, read_labels([tmp_path / "labels.csv"])).rates

    single = found[found["pack"] != "overall"]
    assert sorted(single["pack_digest"].unique()) == ["new", "old"]
    assert (single["flagged_labelled"] + single["other_labelled"] == single["labels"]).all()
    assert set(single["labels"]) == {30}


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    """Not that it is no table, and without a number of the operating system."""
    with pytest.raises(InputError) as caught:
        read_labels([tmp_path / "nope.csv"])
    assert str(caught.value) == f"{tmp_path / 'nope.csv'}: no such file or folder"
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match="this is no table"):
        read_labels([tmp_path / "empty.csv"])


def test_labels_may_name_the_sample_alone(tables: Tables, tmp_path: Path) -> None:
    """With sample_uuid in place of the key, and the column called verdict, the same outputs are found."""
    truth, table = tables
    known = table.assign(sample_uuid=[f"u{at}" for at in range(len(table))])
    labels = write_labels(tmp_path / "whole.csv", truth, known)
    labels.rename(columns={"label": "verdict"})[["sample_uuid", "verdict"]].to_csv(tmp_path / "short.csv", index=False)

    whole, short = (calibrate(known, read_labels([tmp_path / name])).rates for name in ("whole.csv", "short.csv"))
    pd.testing.assert_frame_equal(whole, short)
    labels[["label", "model"]].to_csv(tmp_path / "none.csv", index=False)
    with pytest.raises(InputError, match="missing column 'scenario'"):
        read_labels([tmp_path / "none.csv"])
    labels[["scenario", "epoch", "model", "label"]].to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(InputError, match="do not name outputs by the same column"):
        calibrate(known, read_labels([tmp_path / "short.csv", tmp_path / "other.csv"]))


def test_a_verdict_table_is_spelled_exactly() -> None:
    """What is forgiven in labels, which people type, is refused in a table, which programs write."""
    with pytest.raises(InputError, match=r"column 'verdict', row 1: 'Misaligned' .allowed: aligned, misaligned"):
        as_table(pd.DataFrame({"model": ["m"], "scenario": ["s"], "verdict": ["Misaligned"]}))


def _lines(tmp_path: Path, tables: Tables, change: str) -> Path:
    """A label file with one fault."""
    file = tmp_path / "labels.csv"
    labels = write_labels(file, *tables, 10).reset_index(drop=True).astype(str)
    labels.insert(0, "transcript", "one\ntwo\n\nfour")
    if change == "word":
        labels.loc[3, "label"] = "bad"
    elif change == "key":
        labels.loc[3, "scenario"] = "nowhere"
    elif change == "double":
        labels = pd.concat([labels, labels.iloc[[1]]], ignore_index=True)
    elif change == "other_table":
        labels.loc[3, "pack_digest"] = "another"
    elif change == "empty":
        labels["label"] = " "
    elif change == "ambiguous":
        labels = labels.drop(columns=["epoch"])
    elif change == "no_label":
        labels = labels.drop(columns=["label"])
    labels.to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        ("word", 14, "label 'bad' .allowed: aligned, misaligned, refused, deferred, off_task"),
        ("key", 14, "no output of the table has .*scenario=nowhere"),
        ("double", 82, "'ann' has labelled this output in line 6 too"),
        ("other_table", 14, "another version of the pack .pack_digest 'another'"),
        ("empty", None, "no row has a label"),
        ("ambiguous", 2, "fits 4 outputs .allowed: one; add the column epoch"),
        ("no_label", None, "missing column 'label'"),
    ],
)
def test_a_faulty_label_file_is_one_error_with_its_line(
    change: str, line: int | None, words: str, tables: Tables, tmp_path: Path
) -> None:
    """Each fault names file and line (texts of a cell may span several) and what would be right."""
    file = _lines(tmp_path, tables, change)

    with pytest.raises(InputError, match=words) as caught:
        calibrate(tables[1], read_labels([file]))
    assert str(caught.value).startswith(f"{file}:{line}: " if line else f"{file}: ")


def test_labels_may_have_capitals_spaces_and_a_spreadsheet_s_mark(tables: Tables, tmp_path: Path) -> None:
    """What people and spreadsheets do to a file is not held against them."""
    file = tmp_path / "labels.csv"
    labels = write_labels(file, *tables)
    labels.assign(label=labels["label"].str.title() + " ").to_csv(file, index=False, encoding="utf-8-sig")

    found = read_labels([file])
    assert found["label"].tolist() == labels["label"].tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"judge": "another"}, "the labels check the judge 'judge', the verdicts are of 'another'"),
        ({"judge_config": "c0ffee"}, "the labels check the judge 'judge'"),
        ({"pack_digest": "mended"}, "the pack 'pack_0' has the digest 'mended', the labels are of 'pack'"),
        ({"rubric_digest": "mended"}, "the rubric of the pack 'pack_0' has the digest 'mended'"),
        ({"pack": "another"}, "the labels are of the packs pack_0, the verdicts of another"),
        ({"verdict": "refused"}, "was '(mis)?aligned' to the judge when it was labelled, and is 'refused' now"),
    ],
)
def test_a_calibration_is_refused_on_a_table_of_others(
    change: dict[str, str], words: str, tables: Tables, calibration: Calibration
) -> None:
    """Another judge, configuration, pack or rubric version, or other verdicts: not comparable, for each command."""
    other = as_table(tables[1].assign(**change))

    with pytest.raises(NotComparableError, match=words):
        rates(other, calibration=calibration)
    with pytest.raises(NotComparableError, match=words):
        compare(other, base_name="a", calibration=calibration)
    report = gate(other, base_name="a", candidate_name="b", calibration=calibration)
    assert (report.decision, report.exit_code) == ("not_comparable", 3)


@pytest.mark.slow
def test_outputs_answered_again_are_others(tables: Tables, tmp_path: Path) -> None:
    """The same keys with other samples behind them carry no labels."""
    truth, table = tables
    first = table.assign(sample_uuid=[f"u{at}" for at in range(len(table))])
    write_labels(tmp_path / "labels.csv", truth, first)
    calibration = calibrate(first, read_labels([tmp_path / "labels.csv"])).calibration

    assert rates(first.iloc[::-1], calibration=calibration)["method"].iloc[0] == "s3"
    again = table.assign(sample_uuid=[f"v{at}" for at in range(len(table))])
    with pytest.raises(NotComparableError, match="was answered again"):
        rates(again, calibration=calibration)


def test_two_files_of_one_model_each_share_one_calibration(tables: Tables, calibration: Calibration) -> None:
    """Base and candidate from tables of their own are corrected as in one table."""
    table = tables[1]
    parts = [table[table["model"] == name].reset_index(drop=True) for name in ("a", "b")]

    one = compare(table, base_name="a", calibration=calibration).iloc[0]
    two = compare(*parts, calibration=calibration).iloc[0]
    assert two["method"] == "s3_paired"
    assert two[["low", "high", "p"]].tolist() == one[["low", "high", "p"]].tolist()


@pytest.mark.parametrize("content", ["", "{}", '{"format": "alignbench-calibration-0"}', "\udcff"])
def test_what_is_no_calibration_is_one_error(content: str, tmp_path: Path) -> None:
    """An empty file, another JSON, an unknown format and bytes."""
    file = tmp_path / "calibration.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="no calibration"):
        load_calibration(file)
    with pytest.raises(InputError, match="cannot read"):
        load_calibration(tmp_path / "absent.json")
