"""Reading what people said of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.documents.csv_files import csv_problem, read_csv
from alignbench.errors import InputError
from alignbench.files import describe_path
from alignbench.labels.draw import ROW_COLUMNS
from alignbench.labels.match import allowed_labels, checked_labels
from alignbench.table.columns import columns_there, refuse_misspelt

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_labels"]

_WORD = ("label", "verdict")
_NAMES = ("scenario", "sample_uuid")
_SHEET = "a CSV as `judge sample` or its page writes it"


def read_labels(paths: Sequence[str | Path], *, field: str = "label") -> pd.DataFrame:
    """Read files of labels; rows without a label are passed over.

    A file has the column `label` (or `verdict`) with a verdict word, the column `scenario` or `sample_uuid`, with what
    else tells outputs apart (the other columns of the key), and optionally `labeller`; without it the file's name
    is the labeller's. People type labels: capitals and blanks round a word do not matter, and `off task` is off_task.
    (Programs write verdict tables: there a verdict is spelled exactly.)

    Args:
        paths: The files.
        field: The column to read in place of `label`: one of GRADES.

    Returns:
        Text columns: those of ROW_COLUMNS that the files have, `label`, `labeller`; and `file` and `line`.

    Raises:
        InputError: Unreadable, a judge's verdicts, a column missing, an unknown label, or no label at all in a file.
    """
    frames = [_read(Path(path), field) for path in paths]
    return pd.concat(frames, ignore_index=True)


def _read(file: Path, field: str) -> pd.DataFrame:
    frame = _frame(file)
    refuse_misspelt(frame.columns, (*ROW_COLUMNS, "labeller", field), source=file)
    column = _label_column(frame, file, field)
    if frame.empty:
        raise InputError("no row has a label", file=file, allowed=", ".join(allowed_labels(field)))
    breaks = frame.apply(lambda text: text.str.count("\n")).sum(axis=1)
    lines = 2 + (breaks + 1).cumsum().shift(fill_value=0).astype(int)
    placed = frame.assign(file=str(file), line=lines)
    label = checked_labels(placed, column, field)
    kept = placed.assign(label=label)[label != ""]
    if kept.empty:
        raise InputError("no row has a label", file=file, allowed=", ".join(allowed_labels(field)))
    who = kept["labeller"].str.strip() if "labeller" in kept.columns else pd.Series("", index=kept.index)
    columns = [name for name in ROW_COLUMNS if name in kept.columns]
    return kept.assign(labeller=who.where(who != "", file.stem))[[*columns, "label", "labeller", "file", "line"]]


def _frame(file: Path) -> pd.DataFrame:
    if not file.exists():
        raise InputError(describe_path(file), file=file)
    try:
        # Blank lines must be counted.
        return read_csv(file, skip_blank_lines=False)
    except OSError as error:
        raise InputError(f"cannot read this file: {error.strerror}", file=file) from error
    except ValueError as error:
        raise InputError(f"this is no table: {csv_problem(error)}", file=file, allowed=_SHEET) from error


def _label_column(frame: pd.DataFrame, file: Path, field: str) -> str:
    """The column that holds the labels, in a file that also says what they are about."""
    wanted = _WORD if field == "label" else (field,)
    column = next((name for name in wanted if name in frame.columns), None)
    if {"judge", "verdict"} <= {*frame.columns} and not {"label", "labeller"} & {*frame.columns}:
        raise InputError("this is a table of a judge's verdicts, not of labels by people", file=file,
                         allowed="a CSV with the column label, as `judge sample` or its page writes it")  # fmt: skip
    missing = wanted[0] if column is None else _NAMES[0] if not {*_NAMES} & {*frame.columns} else None
    if column is None or missing is not None:
        raise InputError(f"missing column {missing!r}: {columns_there(frame.columns)}", file=file, allowed=_SHEET)
    return column
