"""The gate on rates that labels of people correct, and where they correct nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from labelled_tables import models

from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.rates.calibrate import calibrate
from alignbench.cli.gate import command as gate_command
from alignbench.cli.rates import command as rates_command
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


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
