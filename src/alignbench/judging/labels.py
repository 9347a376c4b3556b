"""Reading what people said of outputs, and checking it against the table it is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.errors import InputError
from alignbench.judging.sampling import ROW_COLUMNS
from alignbench.table import KEY_COLUMNS
from alignbench.verdicts import JUDGED, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["match_labels", "read_labels"]

_LINE = "line"
_NEEDED = ("scenario", "label")


def read_labels(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read files of labels; rows without a label are passed over.

    A file has the columns `label` (a verdict word) and `scenario`, with what else tells outputs apart (the other
    columns of the key), and optionally `labeller`; without it the file's name is the labeller's.

    Returns:
        Text columns: those of ROW_COLUMNS that the files have, `label`, `labeller`; and `file` and `line`.

    Raises:
        InputError: Unreadable, a column missing, an unknown label, or no label at all in a file.
    """
    frames = [_read(Path(path)) for path in paths]
    return pd.concat(frames, ignore_index=True)


def _read(file: Path) -> pd.DataFrame:
    try:
        # Excel marks its UTF-8; blank lines must be counted.
        frame = pd.read_csv(file, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"this is no table: {str(error).splitlines()[0]}", file=file) from error
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        found = ", ".join(map(repr, frame.columns[:8]))
        raise InputError(
            f"missing column {missing[0]!r}; the file has {found}",
            file=file,
            allowed="a CSV with commas, as `judge sample` or its page writes it",
        )
    breaks = frame.apply(lambda column: column.str.count("\n")).sum(axis=1)
    lines = 2 + (breaks + 1).cumsum().shift(fill_value=0).astype(int)
    label = frame["label"].str.strip().str.lower()
    kept = frame.assign(label=label, file=str(file), line=lines)[label != ""]
    if kept.empty:
        raise InputError("no row has a label", file=file, allowed=", ".join(VERDICTS))
    wrong = kept[~kept["label"].isin(VERDICTS)]
    if len(wrong):
        row = wrong.iloc[0]
        raise InputError(f"label {row['label']!r}", file=file, line=int(row[_LINE]), allowed=", ".join(VERDICTS))
    who = kept["labeller"].str.strip() if "labeller" in kept.columns else pd.Series("", index=kept.index)
    columns = [name for name in ROW_COLUMNS if name in kept.columns]
    return kept.assign(labeller=who.where(who != "", file.stem))[[*columns, "label", "labeller", "file", _LINE]]


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
    keys = [name for name in KEY_COLUMNS if name in labels.columns and labels[name].notna().all()]
    known = table[table["scenario"].isin(set(labels["scenario"]))]
    left = pd.DataFrame({name: _text(labels[name]) for name in keys}).assign(at=range(len(labels)))
    right = pd.DataFrame({name: _text(known[name]) for name in keys}).assign(row=known.index)
    found = left.merge(right, on=keys, how="left")
    lost = found[found["row"].isna()]
    if len(lost):
        at = int(lost["at"].iloc[0])
        shown = ", ".join(f"{name}={left[name].iloc[at]}" for name in keys if left[name].iloc[at])
        raise _error(labels, at, f"no output of the table has {shown}", "rows drawn from this table")
    several = found[found["at"].duplicated(keep=False)]
    if len(several):
        differ = [name for name in KEY_COLUMNS if name not in keys]
        at = int(several["at"].iloc[0])
        raise _error(labels, at, f"fits {int((several['at'] == at).sum())} outputs",
                     f"one; add the column {', '.join(differ)}")  # fmt: skip
    matched = labels.assign(row=found["row"].to_numpy(dtype=int))
    _check_same_run(matched, table)
    _check_doubles(matched)
    return matched


def _text(column: pd.Series) -> pd.Series:
    text = column.astype(str).str.strip()
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
        said, there = labels[name].astype(str).to_numpy(), outputs[name].astype(str).to_numpy()
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
        raise _error(labels, at, f"{who!r} has labelled this output in line {first[_LINE]} too",
                     "one label an output and labeller")  # fmt: skip
