"""Words in the column `flags` of a verdict table that say something of a whole sample or log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["JUDGE_FALLBACK", "MODEL_FALLBACK", "PARTIAL_LOG", "has_flag", "models_with_flag"]

PARTIAL_LOG = "partial_log"
"""On every row of a log in which planned samples are missing."""
MODEL_FALLBACK = "model_fallback"
"""On every row of a sample in which another model than the one under test served a request for it."""
JUDGE_FALLBACK = "judge_fallback"
"""On the rows of a judge for a sample in which another model served a request for the judge."""


def has_flag(table: pd.DataFrame, flag: str) -> pd.Series:
    """Which rows of a verdict table carry a flag; in the column `flags` they are joined by +.

    Args:
        table: A verdict table; without the column `flags` no row carries any.
        flag: The flag, one word.

    Returns:
        A boolean series with the index of the table.
    """
    import pandas as pd

    if "flags" not in table.columns:
        return pd.Series(False, index=table.index)
    column = table["flags"].astype("category")
    carrying = [value for value in column.cat.categories if flag in str(value).split("+")]
    return column.isin(carrying)


def models_with_flag(table: pd.DataFrame, flag: str = MODEL_FALLBACK) -> frozenset[tuple[str, str]]:
    """Models of which some row carries a flag: with `model_fallback`, those that did not answer for themselves.

    Args:
        table: A verdict table.
        flag: The flag.

    Returns:
        Pairs of `model` and `model_args` (empty text where the table has no such column).
    """
    rows = table[has_flag(table, flag)]
    arguments = rows["model_args"].astype(str) if "model_args" in rows.columns else [""] * len(rows)
    return frozenset(zip(rows["model"].astype(str), arguments, strict=True))
