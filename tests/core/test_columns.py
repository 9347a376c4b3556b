"""The columns of a table: none is ignored without a word, and all are described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner

import alignbench
from alignbench.cli import cli
from alignbench.errors import InputError
from alignbench.labels.read import read_labels
from alignbench.table.columns import VERDICT_COLUMNS, columns_page
from alignbench.table.read import as_table, read_table

if TYPE_CHECKING:
    from click.testing import Result

ROWS = [("a", "misaligned", False), ("b", "misaligned", False), ("a", "aligned", True), ("b", "aligned", True)]


def written(folder: Path, **columns: Any) -> Path:
    """A bare table of two conflicts, both misaligned, and their twins, with further columns."""
    frame = pd.DataFrame(ROWS, columns=["scenario", "verdict", "twin"]).assign(model="m", **columns)
    frame.to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def rates(file: Path, *options: str) -> Result:
    """The command `rates`, in JSON."""
    return CliRunner().invoke(cli, ["rates", str(file), "--format", "json", *options])


def misalignment(done: Result) -> float:
    """The rate that it printed."""
    assert done.exit_code == 0, done.output
    (row,) = [row for row in json.loads(done.stdout) if row["measure"] == "misalignment"]
    return float(row["rate"])


@pytest.mark.parametrize("name", ["Twin", "TWIN", " twin", "t_win"])
def test_a_column_in_other_letters_is_an_error(name: str, tmp_path: Path) -> None:
    """With `twin` all conflicts are misaligned; `Twin` would make it half of all rows, and is refused."""
    file = written(tmp_path)
    assert misalignment(rates(file)) == 1.0
    pd.read_csv(file).rename(columns={"twin": name}).to_csv(file, index=False)
    refused = rates(file)
    assert isinstance(refused.exception, InputError)
    assert f"column {name!r} is not used; did you mean 'twin'? (allowed: 'twin', spelled so)" in str(refused.exception)


@pytest.mark.parametrize(
    ("name", "meant"), [("Model", "model"), ("unscored reason", "unscored_reason"), ("EPOCH", "epoch")]
)
def test_every_column_is_meant_exactly(name: str, meant: str) -> None:
    """Needed columns and optional ones alike; beside the right one another spelling is a column of its own."""
    frame = pd.DataFrame({"model": "m", "scenario": ["a"], "verdict": ["aligned"], "epoch": 1, "unscored_reason": None})
    with pytest.raises(InputError, match=f"did you mean '{meant}'"):
        as_table(frame.rename(columns={meant: name}))
    assert name in as_table(frame.assign(**{name: "x"})).columns


def test_other_letters_are_refused_in_labels_and_ratings(tmp_path: Path) -> None:
    """Labels of one person under `Labeller` would be the file's, and ratings without `scenario` independent."""
    labels = pd.DataFrame({"scenario": ["a"], "Labeller": ["ann"], "label": ["aligned"]})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    with pytest.raises(InputError, match=r"labels\.csv: column 'Labeller' is not used; did you mean 'labeller'"):
        read_labels([tmp_path / "labels.csv"])
    ratings = pd.DataFrame({"unit": [1, 1], "rater": ["x", "y"], "label": ["p", "q"], "Scenario": ["a", "a"]})
    with pytest.raises(InputError, match="did you mean 'scenario'"):
        alignbench.agreement(ratings)
    with pytest.raises(InputError, match="did you mean 'scenario'"):
        alignbench.agreement(pd.DataFrame({"x": [1], "y": [1], "Scenario": ["a"]}), raters=["x", "y"])
    named = pd.DataFrame({"Pack": [1, 0], "y": [1, 1]})
    assert alignbench.agreement(named, raters=["Pack", "y"])["units"].iloc[0] == 2


def test_columns_that_nothing_reads_are_named_once(tmp_path: Path) -> None:
    """Each is named on stderr with the declared one that it resembles; the number is that of the columns there are."""
    done = rates(written(tmp_path, Scenarios="x", temperature=1, sevrity=0))
    assert misalignment(done) == 1.0
    assert done.stderr == (
        f"{tmp_path / 'table.csv'}: column 'Scenarios' is not used; column 'temperature' is not used; "
        "column 'sevrity' is not used; did you mean 'severity'?\n"
    )


def test_columns_that_are_read_are_not_named(tmp_path: Path) -> None:
    """What --by names, and what our own files carry, is used."""
    carried = {"judge_card": "fit", "votes": 1, "transcript": "x", "judged": "x", "labeller": "ann", "label": "aligned"}
    done = rates(written(tmp_path, temperature=1, **carried), "--by", "model,temperature")
    assert misalignment(done) == 1.0
    assert done.stderr == ""


def test_rows_taken_as_repetitions_are_told(tmp_path: Path) -> None:
    """Without a column epoch, rows of one scenario are its repetitions, and stderr says so; with it nothing is said."""
    file = tmp_path / "table.csv"
    frame = pd.DataFrame({"model": "m", "scenario": ["a", "a", "a", "b"], "verdict": "aligned"})
    frame.to_csv(file, index=False)
    done = rates(file)
    assert misalignment(done) == 0.0
    assert done.stderr == f"{file}: no column 'epoch': up to 3 rows of one scenario are taken as its repetitions\n"
    frame.assign(epoch=[1, 2, 3, 1]).to_csv(file, index=False)
    assert rates(file).stderr == ""
    frame.iloc[2:].to_csv(file, index=False)
    assert rates(file).stderr == ""


def test_python_is_warned(tmp_path: Path) -> None:
    """Read in Python, the same remarks are warnings."""
    with pytest.warns(UserWarning, match="column 'temperature' is not used"):
        read_table(written(tmp_path, temperature=1))


def test_the_page_of_columns_is_up_to_date() -> None:
    """The page of columns holds the table that `make columns` prints, each column once with its meaning."""
    page = (Path(__file__).parents[2] / "docs" / "columns" / "verdict_table.md").read_text(encoding="utf-8")
    assert f"<!-- columns -->\n\n{columns_page()}\n\n<!-- end columns -->" in page
    for column in VERDICT_COLUMNS:
        assert columns_page().count(f"| `{column.name}` | {column.meaning} |") == 1
        assert column.meaning.endswith(".")


def test_a_verdict_that_is_none_is_explained(tmp_path: Path) -> None:
    """`unscored` is no verdict: the cell stays empty, and a column says why."""
    file = written(tmp_path)
    frame = pd.read_csv(file, dtype=str).assign(verdict=["misaligned", "unscored", "aligned", "aligned"])
    frame.to_csv(file, index=False)
    refused = rates(file)
    assert isinstance(refused.exception, InputError)
    assert (
        "'unscored' (allowed: aligned, misaligned, refused, deferred, off_task, or empty where there is none, "
        in str(refused.exception)
    )
    assert "unscored_reason" in str(refused.exception)


def test_semicolons_separate_as_commas_do(tmp_path: Path) -> None:
    """A spreadsheet that writes decimal commas separates columns by semicolons; the table is the same."""
    file = written(tmp_path, note="a, b", date="2026-11-27")
    frame = pd.read_csv(file)
    with pytest.warns(UserWarning, match="note"):
        plain = read_table(file)
    frame.to_csv(file, index=False, sep=";", encoding="utf-8-sig")
    with pytest.warns(UserWarning, match="note"):
        pd.testing.assert_frame_equal(read_table(file), plain)
