"""CSV that a spreadsheet only shows: no cell of ours is a formula, and every cell is read back as it was."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from alignbench.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FORMULA", "csv_problem", "frame_csv", "own_cell", "own_columns", "read_csv", "safe_cell"]

_SIGNS = "=+\\-@\t\r\n＝＋－＠"
FORMULA = f"^('*[{_SIGNS}])"
"""What a spreadsheet may execute, or what would be taken for our mark before it; numbers with a sign among them."""
_FORMULA = re.compile(FORMULA)
_MARKED = re.compile(f"^'+[{_SIGNS}]")
_LONGEST_HEADING, _SHOWN = 2**16, 60
_NUMBER = re.compile(r"[+-](?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def safe_cell(text: str) -> str:
    """A text as it is written into a CSV: with ' before it where a spreadsheet would take it for a formula.

    Spreadsheets execute cells that begin with =, +, -, @, a tab or a line break (OWASP, "CSV injection"), quoted or
    not. Numbers with a sign stay numbers. A text that begins with such a mark already gets one more, so that
    `own_cell` gives back exactly what was there.
    """
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def own_cell(text: str) -> str:
    """The text that `safe_cell` wrote; every other text is as it was, unless somebody marked it in the same way."""
    return text[1:] if _MARKED.match(text) else text


def _safe(value: Any) -> Any:
    return safe_cell(value).encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def frame_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV without its index: formulas marked (`safe_cell`), halves of characters escaped."""
    made, heading = frame.copy(), [_safe(name) for name in frame.columns]
    broken = any("\r" in str(name) for name in heading)
    for at in range(made.shape[1]):
        column = made.iloc[:, at]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            cells = [_safe(value) for value in column]
            made.isetitem(at, pd.Series(cells, dtype=object).to_numpy())
            broken = broken or any("\r" in cell for cell in cells if isinstance(cell, str))
    # Python below 3.13 does not see that a lone carriage return ends a line for whoever reads it.
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if broken else csv.QUOTE_MINIMAL
    return made.to_csv(index=False, lineterminator="\n", header=heading, quoting=quoting)


def read_csv(file: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV as text, and give back the cells and headings that `safe_cell` marked.

    Its columns are separated by commas, or by semicolons, as spreadsheets write them where a comma is in numbers.

    Args:
        file: The file.
        options: Of `pandas.read_csv`; everything is read as text unless they say otherwise.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no CSV in UTF-8; `csv_problem` says why.
    """
    with io.BufferedReader(file.open("rb", buffering=0), _LONGEST_HEADING) as lines:
        heading = lines.peek().partition(b"\n")[0]
        separator = ";" if heading.count(b";") > heading.count(b",") else ","
        names = next(csv.reader([heading.decode("utf-8-sig", "replace").rstrip("\r")], delimiter=separator), [])
        twice = next((name for name in names if name and names.count(name) > 1), None)
        if twice is not None:
            # pandas would number them, and the first would count.
            raise ValueError(f"its heading has the column {twice[:_SHOWN]!r} twice")
        # Excel marks its UTF-8.
        usual = {"dtype": str, "keep_default_na": False, "sep": separator, "encoding": "utf-8-sig"}
        frame = pd.read_csv(lines, **{**usual, **options})
    if not isinstance(frame.index, pd.RangeIndex):
        # pandas would shift every column by one.
        raise ValueError("its lines have more cells than its heading")
    return own_columns(frame)


_CELLS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_QUOTE = re.compile(r"EOF inside string starting at row (\d+)")


def csv_problem(error: Exception) -> str:
    """Why a file is no CSV, in our words: pandas has its own."""
    said = first_line(error)
    if isinstance(error, UnicodeDecodeError):
        return "it is not in UTF-8"
    if cells := _CELLS.search(said):
        return f"line {cells[2]} has {cells[3]} cells, and those before have {cells[1]}"
    if quote := _QUOTE.search(said):
        return f"a quotation mark in row {quote[1]} is never closed"
    if isinstance(error, pd.errors.EmptyDataError):
        return "it is empty"
    return "its lines are no CSV" if isinstance(error, pd.errors.ParserError) else said


def own_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame that was read, with the cells and headings that were there before `safe_cell` marked them."""
    frame = frame.rename(columns=lambda name: own_cell(name) if isinstance(name, str) else name)
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        if any(isinstance(value, str) and _MARKED.match(value) for value in _distinct(column)):
            cells = [own_cell(cell) if isinstance(cell, str) else cell for cell in column]
            frame.isetitem(at, pd.Series(cells, dtype=object).to_numpy())
    return frame


def _distinct(column: pd.Series) -> Sequence[object]:
    return [] if pd.api.types.is_numeric_dtype(column.dtype) else column.unique().tolist()
