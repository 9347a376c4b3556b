"""Labels on the verdicts of a panel: the counts of its votes are the strata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from labelled_tables import judged, models, row_of
from simulated_tables import simulated

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.rates.calibrate import calibrate
from alignbench.analysis.rates.rates import rates
from alignbench.cli.judge.calibrate import command as calibrate_command
from alignbench.cli.judge.sample import command as sample_command
from alignbench.cli.rates import command as rates_command
from alignbench.errors import InputError, NotComparableError
from alignbench.judges.panel import panel
from alignbench.labels.draw import ROW_COLUMNS, draw
from alignbench.stats.label_correction import corrected_rate
from alignbench.table.counts import label_strata
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

    from alignbench.labels.calibration import Calibration

    Tables = tuple[pd.DataFrame, pd.DataFrame]

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
    combined = panel(table).table
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
    table = panel(_three(truth)).table
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
        row = row_of(found, model)
        assert (row["rate"], row["low"], row["high"]) == pytest.approx((second.value, second.low, second.high))
    parts = [table[table["model"] == name] for name in ("a", "b")]
    compared = compare(*parts, calibration=calibration).iloc[0]
    assert compared["method"] == "s3_paired"
    assert [compared["rate_base"], compared["rate_candidate"]] == pytest.approx(
        [row_of(found, name)["rate"] for name in "ab"]
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
    for other in (panel(table[table["judge"] != "z"]).table, table):
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
