"""CSV of ours: nothing in it is a formula, and what is read back is what was written."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from simulated_tables import simulated

from alignbench.cli import cli
from alignbench.documents.csv_files import frame_csv, own_cell, own_columns, safe_cell
from alignbench.labels.read import read_labels
from alignbench.report.leaderboard.boards import leaderboard
from alignbench.report.leaderboard.write import write_leaderboard
from alignbench.table.read import as_table, read_table

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.builds(
        str.__add__,
        st.sampled_from(["'", "''", "", "=", "+", "-", "@", "\t", "\r", "\n", "＝"]),
        st.text("=+-@'1.e|x", max_size=6),
    ),
    st.floats(allow_nan=False).map(str),
)  # fmt: skip
FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1-cmd|x",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "--1",
    "-",
    "=-1",
]


def harmless(cell: str) -> bool:
    """Whether a spreadsheet only shows it: a number, or it does not begin as a formula does."""
    return (
        re.match(r"[=+\-@\t\r\n＝＋－＠]", cell) is None
        or re.fullmatch(r"[+-][\d.]+(e[+-]?\d+)?", cell.lower()) is not None
    )


def fields(text: str) -> list[list[str]]:
    """A CSV as a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(text, newline="")))


@given(CELLS)
@example("'")
@example("'=1")
@example("''-5")
@example("-5")
def test_a_cell_is_harmless_and_comes_back(cell: str) -> None:
    """No text begins as a formula does; the mark is taken off again, and only that."""
    written = safe_cell(cell)
    assert harmless(written)
    assert own_cell(written) == cell
    assert written in (cell, "'" + cell)


@pytest.mark.parametrize("cell", FORMULAS)
def test_formulas_are_marked(cell: str) -> None:
    """Each way to begin a formula gets the mark, also behind a sign that looks like a number's."""
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-0.5", "+3", "-1e-05", "1", "", "model", "'quoted'", "a=b", " =1"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    """A number with its sign is a number to whoever reads it; an apostrophe before a letter is one."""
    assert safe_cell(cell) == own_cell(cell) == cell


@settings(max_examples=60)
@given(st.lists(st.tuples(CELLS, CELLS, st.floats(-9, 9)), min_size=1, max_size=5), CELLS.filter(bool))
def test_a_frame_is_harmless_and_comes_back(rows: list[tuple[str, str, float]], heading: str) -> None:
    """Text in cells and headings, line ends of every kind among it, is harmless in the file and whole in the frame."""
    columns = [heading, "b" + heading, "number"]
    frame = pd.DataFrame([[*row] for row in rows], columns=columns).astype(dict.fromkeys(columns[:2], object))
    text = frame_csv(frame)
    head, *body = fields(text)
    assert all(harmless(cell) for line in (head, *body) for cell in line)
    assert [[own_cell(cell) for cell in line[:2]] for line in body] == [[*row[:2]] for row in rows]
    again = own_columns(pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False))
    assert [*again.columns] == columns
    assert again.iloc[:, :2].to_numpy().tolist() == [[*row[:2]] for row in rows]
    assert again["number"].astype(float).tolist() == frame["number"].tolist()


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS.filter(bool), min_size=1, max_size=4, unique=True))
def test_a_verdict_table_keeps_its_names_through_a_csv(tmp_path: Path, names: list[str]) -> None:
    """Models called as formulas, or with the mark in their names, are called so again when the file is read."""
    table = as_table(pd.DataFrame({"model": pd.Series(names, dtype=object), "scenario": "s", "verdict": "aligned"}))
    (tmp_path / "table.csv").write_bytes(frame_csv(table).encode())
    assert read_table(tmp_path / "table.csv")["model"].tolist() == names


@pytest.mark.parametrize("cell", ["a\0b", "a\rb", "a\r\nb", 'a"b', "a,b", "\u2028"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_odd_characters_survive_a_file(cell: str, form: str, tmp_path: Path) -> None:
    """NUL, line ends and quotation marks in a name are there again."""
    table = as_table(pd.DataFrame({"model": [cell], "scenario": ["s"], "verdict": ["aligned"]}))
    file = tmp_path / f"table.{form}"
    if form == "csv":
        file.write_bytes(frame_csv(table).encode())
    else:
        table.to_parquet(file)
    assert read_table(file)["model"].tolist() == [cell]


@pytest.mark.parametrize("kind", ["object", "category"])
def test_half_a_character_is_escaped(kind: str, tmp_path: Path) -> None:
    """No file can hold half of a surrogate pair: the table shows its escape, and every file is written."""
    half = pd.Index(["\ud800x"], dtype=object)
    model = pd.Categorical.from_codes([0], categories=half) if kind == "category" else half
    table = as_table(pd.DataFrame({"model": model, "scenario": "s", "verdict": "aligned"}))
    assert table["model"].tolist() == [r"\ud800x"]
    table.to_parquet(tmp_path / "table.parquet")
    assert frame_csv(pd.DataFrame({"a": pd.Series(["\udc00"], dtype=object)})) == "a\n\\udc00\n"


EVIL = "=HYPERLINK(A1)|x"


def evil_table(tmp_path: Path) -> Path:
    """A table with a formula for a model, and an answer that begins as one."""
    table = simulated(EVIL, 0.4, scenarios=12, epochs=2, seed=1).assign(judge="@judge", transcript="-1+cmd|x")
    table.to_parquet(tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


WRITERS: dict[str, list[str]] = {
    "rates": ["rates", "TABLE", "--format", "csv"],
    "rates by": ["rates", "TABLE", "--format", "csv", "--by", "scenario"],
    "ranks": ["ranks", "TABLE", "--format", "csv"],
    "unpaired": ["compare", "TABLE", "--base", "other", "--candidate", EVIL, "--unpaired", "OUT"],
    "sheet": ["judge", "sample", "TABLE", "-n", "4", "-o", "OUT"],
}


@pytest.mark.parametrize("argv", WRITERS.values(), ids=WRITERS)
def test_every_command_writes_harmless_csv(argv: list[str], tmp_path: Path) -> None:
    """Printed or into a file: every cell is harmless, and the model's name is there, marked."""
    file, out = evil_table(tmp_path), tmp_path / "out.csv"
    if "--unpaired" in argv:
        extra = simulated("other", 0.4, scenarios=6, epochs=2, seed=2).assign(judge="@judge", transcript="x")
        pd.concat([pd.read_parquet(file), extra], ignore_index=True).to_parquet(file)
    done = CliRunner().invoke(cli, [{"TABLE": str(file), "OUT": str(out)}.get(word, word) for word in argv])
    assert done.exit_code == 0, done.output
    text = out.read_text(encoding="utf-8") if out.exists() else done.stdout
    cells = [cell for line in fields(text) for cell in line]
    assert [cell for cell in cells if not harmless(cell)] == []
    assert "'" + EVIL in cells


def test_a_name_is_printed_as_it_is(tmp_path: Path) -> None:
    """What looks like a colour is part of the name: the CSV that is printed joins with the table it came from."""
    name = "red\x1b[31m"
    simulated(name, 0.4, scenarios=12, epochs=2, seed=1).to_parquet(tmp_path / "table.parquet")
    done = CliRunner().invoke(cli, ["rates", str(tmp_path / "table.parquet"), "--format", "csv"])
    assert name in [cell for line in fields(done.stdout) for cell in line]


def test_the_leaderboard_is_harmless(tmp_path: Path) -> None:
    """leaderboard.csv as well."""
    write_leaderboard(leaderboard(pd.read_parquet(evil_table(tmp_path))), tmp_path)
    cells = [cell for line in fields((tmp_path / "leaderboard.csv").read_text(encoding="utf-8")) for cell in line]
    assert [cell for cell in cells if not harmless(cell)] == []
    assert {"'" + EVIL, "'@judge"} <= set(cells)


def test_labels_fit_the_outputs_of_a_formula(tmp_path: Path) -> None:
    """A sheet that was drawn of such a model, and labelled, is read with the model's own name."""
    file, sheet = evil_table(tmp_path), tmp_path / "sheet.csv"
    assert CliRunner().invoke(cli, ["judge", "sample", str(file), "-n", "4", "-o", str(sheet)]).exit_code == 0
    drawn: Any = pd.read_csv(sheet, dtype=str, keep_default_na=False)
    drawn.assign(label="aligned", labeller="ann").to_csv(sheet, index=False)
    assert set(read_labels([sheet])["model"]) == {EVIL}
    assert CliRunner().invoke(cli, ["judge", "calibrate", str(file), str(sheet)]).exit_code == 0
