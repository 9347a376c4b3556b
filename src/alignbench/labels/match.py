"""Which output of a verdict table each label is about, and what a label may say: one rule for whoever reads labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.errors import InputError
from alignbench.table.keys import KEY_COLUMNS
from alignbench.vocabulary import JUDGED, POSITION_MAX, SEVERITY_MAX, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "GRADES",
    "Found",
    "allowed_labels",
    "checked_labels",
    "find_outputs",
    "match_labels",
    "refuse_doubles",
]

GRADES = {"severity": SEVERITY_MAX, "position_1": POSITION_MAX, "position_2": POSITION_MAX}
"""What people may grade beside the verdict, each from 0 to its highest grade."""
_SAMPLE = "sample_uuid"
_NAMES = ("scenario", _SAMPLE)
_NEEDED = "label, and scenario or sample_uuid with what else tells outputs apart"
_NONE = -1


def allowed_labels(field: str) -> tuple[str, ...]:
    """What a label may be: a grade for one of GRADES, else a verdict word."""
    return tuple(map(str, range(GRADES[field] + 1))) if field in GRADES else VERDICTS


def checked_labels(labels: pd.DataFrame, column: str, field: str) -> pd.Series:
    """Labels in our spelling, however people type them: small letters, `off task` joined, grades whole; "" for none.

    Args:
        labels: Rows of labels; with `file` and `line`, errors name them.
        column: The column that holds them.
        field: What they are about: one of GRADES, or anything else for verdict words.

    Raises:
        InputError: A word that is no label.
    """
    typed = labels[column]
    text: pd.Series = typed.astype(object).where(typed.notna(), "").astype(str).str.strip().str.lower()
    text = text.str.replace(r"^off[\s_-]*task$", "off_task", regex=True)
    text = text.str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    allowed = allowed_labels(field)
    wrong = (~text.isin([*allowed, ""])).to_numpy().nonzero()[0]
    if len(wrong):
        raise _label_error(labels, int(wrong[0]), f"label {text.iloc[wrong[0]]!r}", ", ".join(allowed))
    return text


def _label_error(labels: pd.DataFrame, at: int, problem: str, allowed: str) -> InputError:
    """An error of one label, with its file and line where it comes from a file, else with its row."""
    if {"file", "line"} <= set(labels.columns):
        return InputError(problem, file=labels["file"].iloc[at], line=int(labels["line"].iloc[at]), allowed=allowed)
    return InputError(f"labels, row {at + 1}: {problem}", allowed=allowed)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The output of each label.

    Attributes:
        keys: The columns by which outputs were found.
        output: Place of each label's output among the outputs, shape (labels,); -1 where none fits.
        other_sample: Where none fits, the place of one that differs in nothing but its sample; -1 where there is none.
    """

    keys: tuple[str, ...]
    output: NDArray[np.int64]
    other_sample: NDArray[np.int64]


def find_outputs(labels: pd.DataFrame, outputs: pd.DataFrame, keys: Sequence[str]) -> Found:
    """Find the output of each label by the key columns that every label has, and by its sample.

    Where a label and an output both know their sample it must be the same; where one of the two does not, as in a table
    that does not come from logs, the other columns decide.

    Args:
        labels: Rows of labels, with `scenario` or `sample_uuid` and what else tells outputs apart.
        outputs: A row each, with the columns `keys` and `sample_uuid`.
        keys: The columns that tell outputs apart.

    Raises:
        InputError: The labels name no outputs, or a label fits several.
    """
    joined = _joined(labels, keys)
    first = next(name for name in _NAMES if name in joined)
    left = _as_text(labels, joined).assign(said=_samples(labels), label=np.arange(len(labels)))
    left = left[left[first] != ""]
    places = _as_key(outputs[first]).isin(set(left[first])).to_numpy().nonzero()[0]
    there = outputs.iloc[places]
    right = _as_text(there, joined).assign(there=_samples(there), output=places)
    pairs = left.merge(right, on=joined)
    other = ((pairs["said"] != pairs["there"]) & (pairs["said"] != "") & (pairs["there"] != "")).to_numpy()
    fits = pairs[~other]
    several = fits.loc[fits["label"].duplicated(), "label"]
    if len(several):
        at = int(several.iloc[0])
        alike = outputs.iloc[fits.loc[fits["label"] == at, "output"]]
        differ = [name for name in keys if name not in joined and alike[name].nunique() > 1] or [_SAMPLE]
        raise _label_error(labels, at, f"fits {len(alike)} outputs", f"one; add the column {', '.join(differ)}")
    return Found(tuple(joined), _placed(fits, len(labels)), _placed(pairs[other], len(labels)))


def _joined(labels: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """The columns by which outputs are found; beside a scenario the sample is a check, for it may be unknown."""
    whole = [name for name in (*keys, _SAMPLE) if name in labels.columns and labels[name].notna().all()]
    if {*_NAMES} & {*whole}:
        return [name for name in whole if name != _SAMPLE or "scenario" not in whole]
    if {*_NAMES} & {*labels.columns}:
        raise InputError("the files of labels do not name outputs by the same column",
                         allowed="scenario in each, or sample_uuid in each")  # fmt: skip
    raise InputError(f"the labels have the columns {', '.join(map(str, labels.columns))}", allowed=_NEEDED)


def _placed(pairs: pd.DataFrame, labels: int) -> NDArray[np.int64]:
    """The place of the output of each label; -1 for those that are in no pair."""
    place = np.full(labels, _NONE, dtype=np.int64)
    place[pairs["label"]] = pairs["output"]
    return place


def _as_text(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: _as_key(frame[name]).to_numpy() for name in columns})


def _samples(frame: pd.DataFrame) -> NDArray[np.object_]:
    """The sample of each row; empty where it is not known."""
    if _SAMPLE not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    known = frame[_SAMPLE].astype(object)
    return _as_key(known.where(known.notna(), "")).to_numpy(dtype=object)


def _as_key(column: pd.Series) -> pd.Series:
    """A column of the key as text that is equal wherever the value is, however a spreadsheet wrote it."""
    text: pd.Series = column.astype(str).str.strip()
    if column.name in ("epoch", "turn", "twin"):
        text = text.str.replace(r"\.0$", "", regex=True)
    return text.str.lower().replace({"1": "true", "0": "false"}) if column.name == "twin" else text


def match_labels(labels: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Find the output of every label in a checked table: one that fits none is an error.

    Args:
        labels: From `alignbench.labels.read.read_labels`.
        table: The table; its index tells its rows apart.

    Returns:
        The labels with the column `row`, the index of their output.

    Raises:
        InputError: A label of no output, of several, of another run, of one without a verdict, or given twice.
    """
    found = find_outputs(labels, table, KEY_COLUMNS)
    for at in (found.output < 0).nonzero()[0].tolist():
        near = found.other_sample[at]
        if near >= 0:
            raise _of_another(labels, at, "sample", _SAMPLE, str(table[_SAMPLE].iloc[near]))
        shown = ", ".join(f"{key}={value}" for key in found.keys if (value := str(labels[key].iloc[at]).strip()))
        problem = f"no output of the table has {shown}" if shown else "the label names no output"
        raise _label_error(labels, at, problem, "rows drawn from this table")
    outputs = table.iloc[found.output]
    for name, what in (("pack_digest", "version of the pack"), ("rubric_digest", "version of the rubric")):
        if name in labels.columns:
            said, there = labels[name].fillna("").astype(str).to_numpy(), outputs[name].astype(str).to_numpy()
            for at in ((said != there) & (said != "") & (there != "")).nonzero()[0].tolist():
                raise _of_another(labels, at, what, name, there[at])
    for at in (~outputs["verdict"].isin(JUDGED)).to_numpy().nonzero()[0].tolist():
        raise _label_error(labels, at, "the judge gave this output no verdict that counts", ", ".join(JUDGED))
    refuse_doubles(labels, found.output, labels["labeller"])
    return labels.assign(row=outputs.index.to_numpy())


def _of_another(labels: pd.DataFrame, at: int, what: str, name: str, there: str) -> InputError:
    problem = f"the label is about another {what} ({name} {str(labels[name].iloc[at])!r}, in the table {there!r})"
    return _label_error(labels, at, problem, "labels of the outputs in the table")


def refuse_doubles(labels: pd.DataFrame, output: NDArray[np.int64], labeller: pd.Series) -> None:
    """Refuse two labels of one output by one labeller.

    Args:
        labels: Rows of labels.
        output: From `find_outputs`.
        labeller: Who gave each label.

    Raises:
        InputError: Names both places.
    """
    given = pd.DataFrame({"output": output, "labeller": labeller.to_numpy(dtype=object)})[output >= 0]
    double = given.index[given.duplicated()]
    if not len(double):
        return
    at = int(double[0])
    first = int(given.index[(given == given.loc[at]).all(axis=1)][0])
    if {"file", "line"} <= set(labels.columns):
        file, line = labels["file"].iloc[first], labels["line"].iloc[first]
        place = f"line {line}" if file == labels["file"].iloc[at] else f"line {line} of {file}"
    else:
        place = f"row {first + 1}"
    raise _label_error(labels, at, f"{given.loc[at, 'labeller']!r} has labelled this output in {place} too",
                       "one label an output and labeller")  # fmt: skip
