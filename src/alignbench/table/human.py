"""What people said of the outputs of a table, in columns of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["HUMAN", "human_columns", "human_labels", "labeller_column"]

HUMAN = "_human_event"
"""Column of a table: share of an output's labellers who call it the event; null where nobody labelled it."""


def labeller_column(number: int) -> str:
    """Column of a table: what one of several labellers said of an output, 1 event, 0 none, null nothing."""
    return f"{HUMAN}_{number}"


def human_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a table that hold what people said: HUMAN and those of single labellers; none without labels."""
    return [str(name) for name in table.columns if str(name).startswith(HUMAN)]


def human_labels(table: pd.DataFrame) -> NDArray[np.float64]:
    """What people said of each row, a column for each labeller; one column of shares where they are not told apart."""
    single = [name for name in human_columns(table) if name != HUMAN]
    return np.column_stack([table[name].astype(float).to_numpy() for name in single or [HUMAN]])
