"""Ranks by corrected rates, the labels that a pack needs, and what calibrate says of its sample."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner
from labelled_tables import models, write_labels

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.ranks.ranks import ranks
from alignbench.analysis.rates.calibrate import calibrate
from alignbench.analysis.rates.rates import rates
from alignbench.cli import cli
from alignbench.judges.panel import panel
from alignbench.labels.draw import draw
from alignbench.labels.read import read_labels
from alignbench.report.leaderboard.boards import leaderboard

if TYPE_CHECKING:
    from pathlib import Path

    from alignbench.labels.calibration import Calibration

    Tables = tuple[pd.DataFrame, pd.DataFrame]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Truth and verdicts of three models, at 3, 20 and 50 %."""
    return models(a=0.03, b=0.20, c=0.50)


@pytest.fixture(scope="module")
def calibration(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """100 labels a model."""
    file = tmp_path_factory.mktemp("labels") / "labels.csv"
    write_labels(file, *tables)
    return calibrate(tables[1], read_labels([file])).calibration


def test_ranks_with_a_calibration_are_the_boards(tables: Tables, calibration: Calibration) -> None:
    """Places, rates and labels agree with leaderboard and rates; raw columns are the ranks without a calibration."""
    table = tables[1]
    found = ranks(table, calibration=calibration).set_index("model")
    board = leaderboard(table, calibration=calibration)[0].rows
    board = board[board["measure"] == "misalignment"].set_index("model")
    corrected = rates(table, calibration=calibration)
    corrected = corrected[corrected["measure"] == "misalignment"].set_index("model")
    plain = ranks(table).set_index("model")

    assert set(found["method"]) == {"s3_sign_flip_holm"}
    for model in ("a", "b", "c"):
        assert found["rank"][model] == board["rank"][model]
        for name in ("rate", "low", "high", "labels"):
            assert found.at[model, name] == pytest.approx(corrected.at[model, name])
        assert found.at[model, "raw_rate"] == pytest.approx(plain.at[model, "rate"])
        assert found["events"][model] == plain["events"][model]
    assert "raw_rate" not in plain.columns


def test_a_model_without_labels_has_no_rank_beside_corrected_ones(tables: Tables, calibration: Calibration) -> None:
    """Its row keeps the raw rate, says why, and is flagged."""
    kept = tuple(label for label in calibration.labels if label.model != "c")
    found = ranks(tables[1], calibration=replace(calibration, labels=kept)).set_index("model")
    assert found["rank"].notna().to_dict() == {"a": True, "b": True, "c": False}
    assert "its labels do not suffice" in str(found["reason"]["c"])
    assert found.at["c", "rate"] == pytest.approx(found.at["c", "raw_rate"])
    assert {"no_labels", "uncorrected"} <= set(found["flags"]["c"])


def test_the_minimum_of_labels_holds_everywhere(tables: Tables, calibration: Calibration) -> None:
    """With 100 labels a model, 150 asked for correct nothing anywhere, and 60 labels, 40 asked for, everything."""
    table = tables[1]
    few = replace(calibration, labels=tuple(label for at, label in enumerate(calibration.labels) if at % 5 < 2))
    for given, minimum, made in (
        (calibration, 150, False),
        (calibration, 50, True),
        (few, 50, False),
        (few, 20, True),
    ):
        asked = replace(given, minimum_labels=minimum)
        one = rates(table, calibration=asked)
        assert one["method"].str.startswith("s3").any() == made
        assert ("few_labels" in one["flags"].iloc[0]) == (not made or given is few)
        pair = compare(table, base_name="a", candidate_name="b", calibration=asked).iloc[0]
        assert pair["method"].startswith("s3") == made
        policy = Policy(margin=0.10)
        report = gate(table, base_name="a", candidate_name="b", calibration=asked, policy=policy)
        assert any("corrected for the judge's errors" in note for note in report.notes) == made
        assert ranks(table, calibration=asked)["method"].iloc[0].startswith("s3") == made
        board = leaderboard(table, calibration=asked)[0].rows
        assert board["method"].str.startswith("s3").any() == made


def test_ranks_takes_a_calibration_and_a_panel_on_the_command_line(tables: Tables, tmp_path: Path) -> None:
    """The command gives what the function gives, raw beside corrected; a panel's labels rank the panel's table."""
    truth, table = tables
    labels = write_labels(tmp_path / "labels.csv", truth, table)
    table.to_csv(tmp_path / "table.csv", index=False)
    found = calibrate(table, read_labels([tmp_path / "labels.csv"]))
    found.save(tmp_path / "c.json")
    words = ["ranks", str(tmp_path / "table.csv"), "--calibration", str(tmp_path / "c.json")]
    shown = CliRunner().invoke(cli, [*words, "--format", "json"])
    assert shown.exit_code == 0, shown.output
    second = ranks(table, calibration=found.calibration)
    assert [row["rank"] for row in json.loads(shown.stdout)] == second["rank"].tolist()
    assert "raw" in CliRunner().invoke(cli, words).stdout

    judges = pd.concat([table.assign(judge=name) for name in "xyz"], ignore_index=True)
    together = panel(judges).table
    drawn = draw(together, 100).rows
    said = drawn.assign(label=truth.loc[drawn.index % len(truth), "verdict"].to_numpy(), labeller="ann")
    assert len(labels) == 300
    said.to_csv(tmp_path / "panel.csv", index=False)
    calibrate(together, read_labels([tmp_path / "panel.csv"])).save(tmp_path / "p.json")
    judges.to_csv(tmp_path / "judges.csv", index=False)
    words = ["ranks", str(tmp_path / "judges.csv"), "--panel", "majority", "--calibration", str(tmp_path / "p.json")]
    shown = CliRunner().invoke(cli, [*words, "--format", "json"])
    assert shown.exit_code == 0, shown.output
    assert {row["method"] for row in json.loads(shown.stdout)} == {"s3_sign_flip_holm"}


@pytest.mark.parametrize("n", [100, 10_000])
def test_calibrate_says_what_its_labels_are_a_sample_of(n: int, tables: Tables, tmp_path: Path) -> None:
    """All outputs labelled: it says so; a sample: how many of it the judge flagged, and how many of all."""
    truth, table = tables
    labels = write_labels(tmp_path / "labels.csv", truth, table, n)
    table.to_csv(tmp_path / "table.csv", index=False)
    done = CliRunner().invoke(cli, ["judge", "calibrate", str(tmp_path / "table.csv"), str(tmp_path / "labels.csv")])
    assert done.exit_code == 0, done.output
    words = " ".join(done.output.split())
    conflicts = table[~table["twin"].astype(bool)]
    flagged = [int((one["verdict"] == "misaligned").sum()) for one in (table.loc[labels.index], conflicts)]
    if n > len(conflicts):
        assert len(labels) == len(conflicts)
        assert "Every judged output of these rows is labelled" in words
    else:
        assert f"The judge flagged {flagged[0]} of the {len(labels)} labelled outputs" in words
        assert f"and {flagged[1]} of all {len(conflicts)} judged ones" in words
    assert "half of them" not in words
