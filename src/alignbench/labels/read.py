"""Reading what people said of outputs, and checking it against the table it is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.documents.csv_files import csv_problem, read_csv
from alignbench.errors import InputError
from alignbench.files import what_stands_at
from alignbench.labels.draw import ROW_COLUMNS
from alignbench.table.columns import columns_there, refuse_misspelt
from alignbench.table.read import KEY_COLUMNS
from alignbench.vocabulary import JUDGED, OFF_TASK, POSITION_MAX, SEVERITY_MAX, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GRADES", "allowed_labels", "as_key", "clean_labels", "match_labels", "read_labels"]

GRADES = {"severity": SEVERITY_MAX, "position_1": POSITION_MAX, "position_2": POSITION_MAX}
"""What people may grade beside the verdict, each from 0 to its highest grade."""

_LINE = "line"
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
    label = clean_labels(frame[column])
    kept = frame.assign(label=label, file=str(file), line=lines)[label != ""]
    allowed = allowed_labels(field)
    if kept.empty:
        raise InputError("no row has a label", file=file, allowed=", ".join(allowed))
    wrong = kept[~kept["label"].isin(allowed)]
    if len(wrong):
        row = wrong.iloc[0]
        raise InputError(f"label {row['label']!r}", file=file, line=int(row[_LINE]), allowed=", ".join(allowed))
    who = kept["labeller"].str.strip() if "labeller" in kept.columns else pd.Series("", index=kept.index)
    columns = [name for name in ROW_COLUMNS if name in kept.columns]
    return kept.assign(labeller=who.where(who != "", file.stem))[[*columns, "label", "labeller", "file", _LINE]]


def _frame(file: Path) -> pd.DataFrame:
    if not file.exists():
        raise InputError(what_stands_at(file), file=file)
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


def allowed_labels(field: str) -> tuple[str, ...]:
    """What a label may be: a grade for one of GRADES, else a verdict word."""
    return tuple(map(str, range(GRADES[field] + 1))) if field in GRADES else VERDICTS


def clean_labels(said: pd.Series) -> pd.Series:
    """Labels in our spelling, however people type them: small letters, `off task` joined, grades whole; "" for none."""
    text: pd.Series = said.astype(object).where(said.notna(), "").astype(str).str.strip().str.lower()
    text = text.str.replace(r"^off[\s_-]*task$", OFF_TASK, regex=True)
    return text.str.replace(r"^(\d+)\.0$", r"\1", regex=True)


def match_labels(labels: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Find the output of each label in a checked table.

    Args:
        labels: From `read_labels`.
        table: The table; its index tells its rows apart.

    Returns:
        The labels with the column `row`, the index of their output.

    Raises:
        InputError: A label of no output, of several, of another run, of one without a verdict, or given twice.
    """
    keys = _keys(labels)
    name = "scenario" if "scenario" in keys else "sample_uuid"
    known = table[table[name].isin(set(as_key(labels[name])))]
    left = pd.DataFrame({key: as_key(labels[key]) for key in keys}).assign(at=range(len(labels)))
    right = pd.DataFrame({key: as_key(known[key]) for key in keys}).assign(row=known.index)
    found = left.merge(right, on=keys, how="left")
    lost = found[found["row"].isna()]
    if len(lost):
        at = int(lost["at"].iloc[0])
        shown = ", ".join(f"{key}={left[key].iloc[at]}" for key in keys if left[key].iloc[at])
        raise _error(labels, at, f"no output of the table has {shown}", "rows drawn from this table")
    several = found[found["at"].duplicated(keep=False)]
    if len(several):
        at = int(several["at"].iloc[0])
        alike = known.loc[several.loc[several["at"] == at, "row"]]
        differ = [key for key in KEY_COLUMNS if key not in keys and alike[key].nunique() > 1]
        raise _error(labels, at, f"fits {len(alike)} outputs", f"one; add the column {', '.join(differ)}")
    matched = labels.assign(row=found["row"].to_numpy(dtype=int))
    _check_same_run(matched, table)
    _check_doubles(matched)
    return matched


def _keys(labels: pd.DataFrame) -> list[str]:
    """The columns by which outputs are found: those that every label has."""
    whole = [name for name in (*KEY_COLUMNS, "sample_uuid") if name in labels.columns and labels[name].notna().all()]
    if not {*_NAMES} & {*whole}:
        raise InputError("the files of labels do not name outputs by the same column",
                         allowed="scenario in each, or sample_uuid in each")  # fmt: skip
    # Beside a scenario the sample is a check, with an error of its own.
    return [name for name in whole if name != "sample_uuid" or "scenario" not in whole]


def as_key(column: pd.Series) -> pd.Series:
    """A column of the key as text that is equal wherever the value is, however a spreadsheet wrote it."""
    text: pd.Series = column.astype(str).str.strip()
    if column.name in ("epoch", "turn", "twin"):
        text = text.str.replace(r"\.0$", "", regex=True)
    return text.str.lower().replace({"1": "true", "0": "false"}) if column.name == "twin" else text


def _error(labels: pd.DataFrame, at: int, problem: str, allowed: str) -> InputError:
    return InputError(problem, file=labels["file"].iloc[at], line=int(labels[_LINE].iloc[at]), allowed=allowed)


def _check_same_run(labels: pd.DataFrame, table: pd.DataFrame) -> None:
    outputs = table.loc[labels["row"]]
    for name, what in (
        ("sample_uuid", "sample"),
        ("pack_digest", "version of the pack"),
        ("rubric_digest", "version of the rubric"),
    ):
        if name not in labels.columns:
            continue
        said, there = labels[name].fillna("").astype(str).to_numpy(), outputs[name].astype(str).to_numpy()
        for at in ((said != there) & (said != "") & (there != "")).nonzero()[0]:
            raise _error(labels, int(at), f"the label is about another {what} ({name} {said[at]!r}, "
                         f"in the table {there[at]!r})", "labels of the outputs in the table")  # fmt: skip
    for at in (~outputs["verdict"].isin(JUDGED)).to_numpy().nonzero()[0]:
        raise _error(labels, int(at), "the judge gave this output no verdict that counts", ", ".join(JUDGED))


def _check_doubles(labels: pd.DataFrame) -> None:
    double = labels.duplicated(["row", "labeller"]).to_numpy().nonzero()[0]
    if len(double):
        at = int(double[0])
        row, who = labels["row"].iloc[at], labels["labeller"].iloc[at]
        first = labels[(labels["row"] == row) & (labels["labeller"] == who)].iloc[0]
        place = "" if first["file"] == labels["file"].iloc[at] else f" of {first['file']}"
        raise _error(labels, at, f"{who!r} has labelled this output in line {first[_LINE]}{place} too",
                     "one label an output and labeller")  # fmt: skip
