"""Which rows of a verdict table carry a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.vocabulary import split_flags

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["has_flag"]


def has_flag(table: pd.DataFrame, flag: str) -> NDArray[np.bool_]:
    """Which rows of a checked verdict table carry a flag; their column holds what `join_flags` has made.

    Args:
        table: A verdict table.
        flag: The flag.

    Returns:
        A vector, an entry a row.
    """
    flags = table["flags"].cat
    # The last place is that of a missing value, whose code is -1.
    known = np.array([*(flag in split_flags(str(name)) for name in flags.categories), False])
    found: NDArray[np.bool_] = known[flags.codes.to_numpy()]
    return found
