"""The rows of two sides below each other, in one table whose text is coded as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["stacked"]


def stacked(base: pd.DataFrame, candidate: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Put the candidate's rows below the base's.

    Args:
        base: Rows of a verdict table.
        candidate: Further rows, of the same table or another one.
        columns: The columns kept, which both have.

    Returns:
        A table with a new index; everything but whole numbers and truths is a category, so that grouping works on
        integers.
    """
    return pd.DataFrame({name: _below(base[name], candidate[name]) for name in columns})


def _below(first: pd.Series, second: pd.Series) -> pd.Series:
    if isinstance(first.dtype, pd.CategoricalDtype) and isinstance(second.dtype, pd.CategoricalDtype):
        return _categories([first, second])
    column = pd.concat([first, second], ignore_index=True)
    if pd.api.types.is_numeric_dtype(column) and not column.hasnans:
        return column
    return column.astype("category")


def _categories(parts: Sequence[pd.Series]) -> pd.Series:
    """Categories end to end; pandas' own `union_categoricals` refuses a column without values."""
    names = [list(map(str, part.cat.categories)) for part in parts]
    place = {name: at for at, name in enumerate(dict.fromkeys(name for own in names for name in own))}
    # A missing value has the code -1, which picks the last place.
    codes = [
        np.array([*(place[name] for name in own), -1])[part.cat.codes.to_numpy()]
        for own, part in zip(names, parts, strict=True)
    ]
    return pd.Series(pd.Categorical.from_codes(np.concatenate(codes), categories=pd.Index(list(place))))
