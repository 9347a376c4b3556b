"""The sheet that people label: one row an output, the judge's verdict not in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pandas as pd

from alignbench.documents.csv_files import read_csv
from alignbench.errors import InputError
from alignbench.labels.draw import ROW_COLUMNS
from alignbench.table.columns import TEXT_COLUMNS
from alignbench.table.further import has_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["SHEET_COLUMNS", "TEXT_COLUMNS", "make_sheet", "refuse_overwriting_labels", "require_texts"]

SHEET_COLUMNS = ("item", "label", "labeller", "measure", *TEXT_COLUMNS, *ROW_COLUMNS)


class _Text(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def judged(self) -> str: ...
    @property
    def misaligned_if(self) -> str: ...
    @property
    def aligned_if(self) -> str: ...


def make_sheet(rows: pd.DataFrame, texts: Sequence[_Text] | None) -> pd.DataFrame:
    """Put outputs and their texts together.

    Args:
        rows: Drawn outputs, with the column `measure`.
        texts: The text of each, in the same order; None: from the columns of the table itself.

    Returns:
        SHEET_COLUMNS, all text; `label` and `labeller` empty.

    Raises:
        InputError: No texts, and none in the table.
    """
    if texts is not None:
        columns = {
            "transcript": [text.text for text in texts],
            "judged": [text.judged for text in texts],
            "misaligned_if": [text.misaligned_if for text in texts],
            "aligned_if": [text.aligned_if for text in texts],
        }
    else:
        require_texts(rows)
        columns = {
            name: rows[name].fillna("").astype(str).tolist() if name in rows.columns else [""] * len(rows)
            for name in TEXT_COLUMNS
        }
    keys = {name: rows[name].astype(str).tolist() for name in ROW_COLUMNS}
    fixed = {"item": [str(at + 1) for at in range(len(rows))], "label": "", "labeller": ""}
    measure = {"measure": rows["measure"].tolist()}
    return pd.DataFrame({**fixed, **measure, **columns, **keys})[list(SHEET_COLUMNS)]


def require_texts(table: pd.DataFrame) -> None:
    """Refuse a table without answers in it.

    Raises:
        InputError: It has no column `transcript`.
    """
    if not has_texts(table):
        raise InputError("a table holds verdicts, not answers", allowed="--logs LOGS, or a column `transcript`")


def refuse_overwriting_labels(file: Path) -> None:
    """Refuse to write over labels: they are hours of work.

    Raises:
        InputError: The file has labels in it.
    """
    if not file.is_file():
        return
    try:
        labels = read_csv(file)["label"]
    except (OSError, ValueError, KeyError):
        raise InputError("this file is there already", file=file, allowed="a new file") from None
    given = int((labels.str.strip() != "").sum())
    if given:
        raise InputError(f"this file holds {given} labels already", file=file, allowed="a new file")
