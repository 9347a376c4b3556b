"""What the analyses need of pandas beside the verdict table itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.table.read import row_groups
from alignbench.text.rows import as_columns, meanings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

__all__ = ["plain_value", "rows_frame", "sorted_groups", "with_nulls"]


def plain_value(value: object) -> object:
    """A cell as Python has it: no numpy number."""
    return value.item() if isinstance(value, np.generic) else value


def sorted_groups(table: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the combinations of columns in the order of their text.

    Returns:
        The number of each row, shape (rows,); and a row number of one row of each combination.
    """
    keys = row_groups([table[name] for name in columns])
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    texts = [table[name].iloc[first].astype(str).to_numpy() for name in columns]
    order = np.array(sorted(range(len(first)), key=list(zip(*texts, strict=True)).__getitem__), dtype=np.int64)
    return np.argsort(order)[group], first[order]


def with_nulls(frame: pd.DataFrame, text: Sequence[str], whole: Sequence[str] = ()) -> pd.DataFrame:
    """Let columns of text hold None, which pandas makes NaN, and columns of whole numbers hold NA.

    Args:
        frame: A result.
        text: Columns of text.
        whole: Columns of whole numbers.
    """
    objects = {name: frame[name].astype(object).where(frame[name].notna(), None) for name in text}
    return frame.assign(**objects).astype(dict.fromkeys(whole, "Int64"))


def rows_frame(
    rows: Sequence[object], kind: type, group: Sequence[str] = (), *, without: Collection[str] = ()
) -> pd.DataFrame:
    """Rows of results as a data frame.

    Args:
        rows: Instances of one row type (see `alignbench.text.rows`).
        kind: The row type, which says the columns where there are no rows.
        group: Columns that come from a mapping that the rows spread, such as those grouped by; they stand first.
        without: Columns left out.

    Returns:
        One row an instance: the columns `group`, then those of the row type in their order.
    """
    names = [*group, *(name for name in meanings(kind) if name not in {*group, *without})]
    return pd.DataFrame([as_columns(row) for row in rows], columns=names)
