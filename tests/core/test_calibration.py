"""From labels to corrected rates: the label file, the calibration file, and what other analyses make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from labelled_tables import judged, models, write_labels
from simulated_tables import simulated

from alignbench.analysis.cells import label_strata
from alignbench.analysis.compare import compare
from alignbench.analysis.gate import gate
from alignbench.analysis.leaderboard import leaderboard
from alignbench.analysis.leaderboard_page import markdown
from alignbench.analysis.panel import panel
from alignbench.analysis.rates import rates
from alignbench.cli.gate import command as gate_command
from alignbench.cli.judge.calibrate import command as calibrate_command
from alignbench.cli.judge.sample import command as sample_command
from alignbench.cli.rates import command as rates_command
from alignbench.errors import InputError, NotComparableError
from alignbench.judging.calibrate import calibrate
from alignbench.judging.calibration import Calibration, load_calibration
from alignbench.judging.labels import read_labels
from alignbench.judging.sampling import ROW_COLUMNS, draw
from alignbench.policy import Policy
from alignbench.stats.correction import corrected_rate
from alignbench.table import as_table

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


def _row(frame: pd.DataFrame, model: str, measure: str = "misalignment") -> dict[Any, Any]:
    (row,) = frame[(frame["model"] == model) & (frame["measure"] == measure)].to_dict("records")
    return row


def test_rates_are_corrected_by_s3_and_stand_beside_the_raw_ones(tables: Tables, calibration: Calibration) -> None:
    """The corrected rate is that of the plain function on the same arrays; raw, counts and twins are as without."""
    truth, table = tables
    found, plain = rates(table, calibration=calibration), rates(table)

    rows = table[(table["model"] == "a") & ~table["twin"]]
    keys = {(label.model, label.scenario, label.epoch) for label in calibration.labels}
    known = [key in keys for key in zip(rows["model"], rows["scenario"], rows["epoch"], strict=True)]
    label = (truth.loc[rows.index, "verdict"] == "misaligned").astype(float).where(known)
    second = corrected_rate(rows["scenario"].cat.codes, rows["verdict"] == "misaligned", label).estimate
    row, raw = _row(found, "a"), _row(plain, "a")
    assert (row["rate"], row["low"], row["high"]) == pytest.approx((second.value, second.low, second.high))
    assert (row["method"], row["labels"]) == ("s3", 100)
    assert (row["raw_rate"], row["raw_low"]) == (raw["rate"], raw["low"])
    assert tuple(found["events"]) == tuple(plain["events"])
    twins = _row(found, "a", "over_refusal")
    assert (twins["method"], twins["rate"]) == ("gaffke", twins["raw_rate"])
    assert twins["flags"] == ("no_labels", "uncorrected")
    assert abs(row["rate"] - 0.03) < abs(row["raw_rate"] - 0.03)


@pytest.mark.slow
def test_comparison_gate_and_board_use_the_corrected_rates(tables: Tables, calibration: Calibration) -> None:
    """One difference for all: compare's corrected cell is the gate's row; the board ranks by corrected rates."""
    table = tables[1]
    found = rates(table, calibration=calibration)
    corrected = {model: _row(found, model)["rate"] for model in ("a", "b")}
    row = compare(table, base_name="a", candidate_name="b", calibration=calibration, level=0.9).iloc[0]
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

    raw = _row(rates(table, calibration=only_a), "b")
    assert (raw["flags"], raw["rate"]) == (("no_labels", "uncorrected"), raw["raw_rate"])
    row = compare(table, base_name="a", calibration=only_a).iloc[0]
    plain = compare(table, base_name="a").iloc[0]
    assert "uncorrected" in row["flags"]
    assert (row["low"], row["high"], row["p"]) == (plain["low"], plain["high"], plain["p"])
    board = leaderboard(table, calibration=only_a)[0].rows
    ranked, left = _row(board, "a"), _row(board, "b")
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
    row = _row(found, "b")
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
    row = _row(calibrate(table, read_labels(both)).rates, "b")
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
    assert _row(full, "a")["rate"] == _row(found.rates, "a")["rate"]
    assert _row(full, "b")["flags"] == ("no_labels", "uncorrected")
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


@pytest.mark.slow
def test_the_gate_passes_on_corrected_rates_what_a_worse_judged_candidate_would_fail() -> None:
    """Equal models, a judge who flags the candidate more: the raw gate regresses, the corrected one does not."""
    truth, table = models(7, a=0.1, b=0.1)
    harsh = (table["model"] == "b") & ~table["twin"] & (table["verdict"] == "aligned")
    extra = harsh & (np.random.default_rng(0).random(len(table)) < 0.25)
    table = as_table(table.assign(verdict=table["verdict"].astype(object).mask(extra, "misaligned")))
    labels = truth["verdict"].astype(str)

    # Labels speak of the two errors: usefulness stays as this judge saw it.
    policy = Policy(margin=0.10, largest_usefulness_loss=0.5)
    assert gate(table, base_name="a", candidate_name="b", policy=policy).decision == "regressed"
    found = calibrate(table, _all_labels(table, labels)).calibration
    assert gate(table, base_name="a", candidate_name="b", calibration=found, policy=policy).decision == "not_worse"


def test_a_gate_that_cannot_begin_says_so_in_every_form(tmp_path: Path) -> None:
    """Labels on the verdicts of another judge fit nothing: exit 3 with the reason, and no crash, in each form."""
    truth, table = models(7, a=0.1, b=0.1)
    found = calibrate(table, _all_labels(table, truth["verdict"].astype(str))).calibration
    found.save(tmp_path / "calibration.json", rates=[], agreement=[])
    table.assign(judge="another").to_parquet(tmp_path / "table.parquet")
    reports = {"--junit": tmp_path / "gate.xml", "--markdown": tmp_path / "gate.md"}
    argv = [str(tmp_path / "table.parquet"), "--base", "a", "--candidate", "b",
            "--calibration", str(tmp_path / "calibration.json"), "--margin", ".3",
            *(str(word) for pair in reports.items() for word in pair)]  # fmt: skip
    for form in ("table", "json", "csv"):
        done = CliRunner().invoke(gate_command, [*argv, "--format", form])
        assert done.exit_code == 3, done.output
        assert "does not fit" in done.output
        assert all("does not fit" in file.read_text("utf-8") for file in reports.values())
    assert done.stdout.startswith("measure,pack,judge,outcome,")
    assert done.stdout.count("\n") == 1


def test_labels_that_correct_nothing_are_no_silent_pass(tmp_path: Path) -> None:
    """Labels of the base alone correct no comparison, and those of another model no rate: both are said in words."""
    truth, table = models(7, a=0.1, b=0.1)
    base, other = (table[table["model"] == name] for name in ("a", "b"))
    labels = _all_labels(base, truth["verdict"].astype(str).loc[base.index])
    found = calibrate(base, labels).calibration
    report = gate(base, other, calibration=found, policy=Policy(margin=0.3, largest_usefulness_loss=0.5))
    assert report.notes[0].startswith("The calibration corrects nothing here")
    found.save(tmp_path / "calibration.json", rates=[], agreement=[])
    both = calibrate(table, _all_labels(table, truth["verdict"].astype(str))).calibration
    report = gate(base, other, calibration=both, policy=Policy(margin=0.3, largest_usefulness_loss=0.5))
    assert not any("corrects nothing" in note for note in report.notes)
    for name, rows in (("mine", base), ("other", other)):
        rows.to_parquet(tmp_path / f"{name}.parquet")
        argv = [str(tmp_path / f"{name}.parquet"), "--calibration", str(tmp_path / "calibration.json")]
        done = CliRunner().invoke(rates_command, argv)
        assert done.exit_code == 0, done.output
        assert ("has no label of these outputs: nothing is corrected" in done.stderr) == (name == "other")


def _all_labels(table: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    columns = ["model", "scenario", "twin", "epoch"]
    return table[columns].astype(str).assign(label=labels, labeller="ann", file="memory", line=range(len(table)))


# Panels: the counts of votes are the strata

_JUDGES = {"x": (0.9, 0.8), "y": (0.75, 0.85), "z": (0.8, 0.9)}
_PLACE = ["model", "scenario", "twin", "epoch"]


def _three(truth: pd.DataFrame) -> pd.DataFrame:
    """What three judges say who err on their own."""
    said = [
        judged(truth, sensitivity=sensitivity, specificity=specificity, seed=at).assign(judge=judge)
        for at, (judge, (sensitivity, specificity)) in enumerate(_JUDGES.items())
    ]
    return pd.concat(said, ignore_index=True)


def _true_labels(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The labels of one who knows the truth."""
    words = truth.set_index(_PLACE)["verdict"].astype(str).reindex(pd.MultiIndex.from_frame(rows[_PLACE]))
    labels = rows[list(ROW_COLUMNS)].astype(str).assign(label=words.to_numpy(), labeller="ann")
    return labels.assign(file="memory", line=range(len(rows)))


@pytest.fixture(scope="module")
def panelled() -> tuple[pd.DataFrame, pd.DataFrame, Calibration]:
    """The verdicts of three judges of models a and b, those of their panel, and a calibration of the panel."""
    truth = models(3, a=0.1, b=0.2)[0]
    table = _three(truth)
    combined = panel(table)
    return table, combined, calibrate(combined, _true_labels(draw(combined, 100).rows, truth)).calibration


def test_the_strata_of_a_panel_are_votes_and_verdict() -> None:
    """Flagged or not without votes; with them a count that stands on both sides of the verdict is two strata."""
    table = as_table(pd.DataFrame({"model": "m", "scenario": list("stuv"), "verdict": ["misaligned", "aligned"] * 2}))
    assert label_strata(table, "misaligned").tolist() == [1, 0, 1, 0]
    assert label_strata(table.assign(votes=[3, 0, 2, 2]), "misaligned").tolist() == [7, 0, 5, 4]
    # A panel's table from a file of text, and rows of a single judge beside a panel's.
    assert label_strata(table.assign(votes=["3", "0", "2", "1"]), "misaligned").tolist() == [7, 0, 5, 2]
    assert label_strata(table.assign(votes=np.nan), "misaligned").tolist() == [1, 0, 1, 0]
    for wrong in (-1, 0.5, "many", None):
        with pytest.raises(InputError, match=r"column 'votes': .*from 0"):
            label_strata(table.assign(votes=pd.Series([1, 1, 1, wrong], dtype=object).array), "misaligned")


def test_a_draw_gives_every_count_of_votes_a_label() -> None:
    """Parts by verdict as ever; in each part one label a count, the rest in proportion; too few are refused."""
    rows = [("misaligned", 3, 30), ("misaligned", 2, 1), ("aligned", 1, 10), ("aligned", 0, 200)]
    frame = pd.DataFrame([(word, votes) for word, votes, many in rows for _ in range(many)],
                         columns=["verdict", "votes"])  # fmt: skip
    table = as_table(frame.assign(model="m", scenario=[f"s{at % 9}" for at in range(len(frame))]))

    for seed in range(5):
        assert draw(table, 4, seed=seed).rows["votes"].value_counts().to_dict() == {0: 1, 1: 1, 2: 1, 3: 1}
    # By hand: 25 further labels on 9 and 199 outputs are 1.08 and 23.92; of the flagged all 11 further go to 3 votes.
    assert draw(table, 40).rows["votes"].value_counts().to_dict() == {0: 25, 1: 2, 2: 1, 3: 12}
    assert draw(table, 300).rows["votes"].value_counts().to_dict() == {0: 200, 1: 10, 2: 1, 3: 30}
    with pytest.raises(InputError, match="1 would be labelled, and they have 2 counts of votes"):
        draw(table, 3)


def test_the_design_of_a_panel_shows_each_count_of_votes() -> None:
    """One line a verdict and count of votes, also where a count stands on both sides; the sums are the design's."""
    rows = [("misaligned", 3, 30), ("misaligned", 2, 1), ("aligned", 2, 6), ("aligned", 1, 10), ("aligned", 0, 200)]
    frame = pd.DataFrame([(word, votes) for word, votes, many in rows for _ in range(many)],
                         columns=["verdict", "votes"])  # fmt: skip
    table = as_table(frame.assign(model="m", scenario=[f"s{at % 9}" for at in range(len(frame))]))
    found = draw(table, 40)

    votes = found.votes
    assert list(zip(votes["flagged"], votes["votes"], votes["outputs"], strict=True)) == [
        (word == "misaligned", count, many) for word, count, many in rows
    ]
    for row in votes.to_dict("records"):
        mine = (found.rows["verdict"] == "misaligned") == row["flagged"]
        assert row["drawn"] == (mine & (found.rows["votes"] == row["votes"])).sum() > 0
    (design,) = found.design.to_dict("records")
    assert votes["drawn"].sum() == design["drawn"] == 40
    assert votes.loc[votes["flagged"], "outputs"].sum() == design["flagged"]
    assert draw(table.drop(columns="votes"), 40).votes.empty


@pytest.mark.slow
def test_intervals_corrected_by_votes_cover_the_truth() -> None:
    """Forty models of 5 %, each its own panel of three: at least 95 % of the intervals hold it, of the raw ones few."""
    names = [f"m{at:02}" for at in range(40)]
    truth = pd.concat(
        [simulated(name, 0.05, seed=at, effects=at, packs=1, scenarios=40) for at, name in enumerate(names)],
        ignore_index=True,
    )
    truth = truth[~truth["twin"]]
    table = panel(_three(truth))
    found = calibrate(table, _true_labels(draw(table, 100).rows, truth)).rates

    assert set(found["method"]) == {"s3"}
    assert ((found["low"] <= 0.05) & (found["high"] >= 0.05)).mean() >= 0.95
    assert ((found["raw_low"] <= 0.05) & (found["raw_high"] >= 0.05)).mean() < 0.8
    assert found["rate"].mean() == pytest.approx(0.05, abs=0.01)


@pytest.mark.slow
def test_rates_and_comparison_use_the_votes(panelled: tuple[pd.DataFrame, pd.DataFrame, Calibration]) -> None:
    """The corrected rate is that of the plain function on the votes, and compare and gate take the same ones."""
    _, table, calibration = panelled
    found = rates(table, calibration=calibration)
    said = {(label.model, label.scenario, label.epoch): label.event for label in calibration.labels}
    for model in ("a", "b"):
        rows = table[(table["model"] == model) & ~table["twin"]]
        label = [said.get(key, np.nan) for key in zip(rows["model"], rows["scenario"], rows["epoch"], strict=True)]
        second = corrected_rate(rows["scenario"].cat.codes, rows["votes"], label).estimate
        row = _row(found, model)
        assert (row["rate"], row["low"], row["high"]) == pytest.approx((second.value, second.low, second.high))
    parts = [table[table["model"] == name] for name in ("a", "b")]
    compared = compare(*parts, calibration=calibration).iloc[0]
    assert compared["method"] == "s3_paired"
    assert [compared["rate_base"], compared["rate_candidate"]] == pytest.approx(
        [_row(found, name)["rate"] for name in "ab"]
    )
    policy = Policy(margin=0.10)
    report = gate(table, base_name="a", candidate_name="b", calibration=calibration, policy=policy)
    assert any("corrected for the judge's errors" in note for note in report.notes)


@pytest.mark.slow
def test_a_calibration_of_a_panel_is_refused_elsewhere(
    panelled: tuple[pd.DataFrame, pd.DataFrame, Calibration],
) -> None:
    """Two of the three judges, one judge alone, other votes behind the same verdicts, or no votes."""
    table, combined, calibration = panelled
    for other in (panel(table[table["judge"] != "z"]), table):
        with pytest.raises(NotComparableError, match=r"the labels check the judge 'panel\(majority: x, y, z\)'"):
            rates(other, calibration=calibration)
    with pytest.raises(NotComparableError, match=r"had \d votes of the panel when it was labelled, and has \d now"):
        rates(combined.assign(votes=combined["votes"] + 1), calibration=calibration)
    with pytest.raises(NotComparableError, match="does not say how many"):
        rates(combined.drop(columns="votes"), calibration=calibration)


@pytest.mark.slow
def test_a_panel_is_calibrated_on_the_command_line(tmp_path: Path) -> None:
    """`--panel` in judge sample, judge calibrate and rates --calibration; without it rates refuses the labels."""
    truth = models(3, a=0.1)[0]
    table, sheet, labels, saved = (str(tmp_path / name) for name in ("t.csv", "s.csv", "l.csv", "c.json"))
    _three(truth).assign(transcript="[1] user:\nHi").to_csv(table, index=False)
    runner, majority = CliRunner(), ["--panel", "majority"]

    sampled = runner.invoke(sample_command, [table, "-o", sheet, *majority])
    assert sampled.exit_code == 0, sampled.output
    assert "By how many judges of the panel found the event" in sampled.output
    drawn = pd.read_csv(sheet).astype({"twin": bool})
    words = truth.set_index(_PLACE)["verdict"].astype(str).reindex(pd.MultiIndex.from_frame(drawn[_PLACE]))
    drawn.assign(label=words.to_numpy(), labeller="ann").to_csv(labels, index=False)
    done = runner.invoke(calibrate_command, [table, labels, "-o", saved, *majority])
    assert done.exit_code == 0, done.output
    corrected = runner.invoke(rates_command, [table, *majority, "--calibration", saved, "--format", "json"])
    row = json.loads(corrected.stdout)[0]
    assert (row["method"], row["labels"]) == ("s3", 100)
    alone = runner.invoke(rates_command, [table, "--calibration", saved])
    assert isinstance(alone.exception, NotComparableError)
