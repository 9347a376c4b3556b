"""The further columns of a verdict table: whether it has them, and what they say (`FURTHER_COLUMNS` declares them)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.table.columns import CARD_COLUMN, HUMAN, TEXT_COLUMNS, VOTES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "card_states",
    "has_labels",
    "has_texts",
    "has_votes",
    "human_labels",
    "label_columns",
    "labeller_column",
    "without_labels",
]


def card_states(table: pd.DataFrame) -> pd.Series | None:
    """The state of the judge's card on the pack of each row; None where no card was asked for."""
    return table[CARD_COLUMN] if CARD_COLUMN in table.columns else None


def has_votes(table: pd.DataFrame) -> bool:
    """Whether a panel judged, so that its votes are counted."""
    return VOTES in table.columns


def has_texts(table: pd.DataFrame) -> bool:
    """Whether the table holds the conversations that a labeller reads."""
    return TEXT_COLUMNS[0] in table.columns


def has_labels(table: pd.DataFrame) -> bool:
    """Whether labels by people were attached, for whatever rows."""
    return HUMAN in table.columns


def labeller_column(number: int) -> str:
    """Column of a table: what one of several labellers said of an output, 1 event, 0 none, null nothing."""
    return f"{HUMAN}_{number}"


def label_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a table that hold what people said: HUMAN and those of single labellers; none without labels."""
    return [str(name) for name in table.columns if str(name).startswith(HUMAN)]


def human_labels(table: pd.DataFrame) -> NDArray[np.float64]:
    """What people said of each row, a column for each labeller; one column of shares where they are not told apart."""
    single = [name for name in label_columns(table) if name != HUMAN]
    return np.column_stack([table[name].astype(float).to_numpy() for name in single or [HUMAN]])


def without_labels(table: pd.DataFrame) -> pd.DataFrame:
    """A table without labels, also where a file has columns of their names: only a calibration attaches labels."""
    return table.drop(columns=label_columns(table))
