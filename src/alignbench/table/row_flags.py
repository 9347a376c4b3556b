"""Words in the column `flags` of a verdict table that say something of a whole sample or log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["JUDGE_FALLBACK", "MODEL_FALLBACK", "PARTIAL_LOG", "SCORE_EDITED", "SELF_GRADED", "has_flag"]

PARTIAL_LOG = "partial_log"
"""On every row of a log in which planned samples are missing."""
MODEL_FALLBACK = "model_fallback"
"""On every row of a sample in which another model than the one under test served a request for it."""
JUDGE_FALLBACK = "judge_fallback"
"""On the rows of a judge for a sample in which another model served a request for the judge."""
SELF_GRADED = "self_graded"
"""On a row whose judge is the model under test."""
SCORE_EDITED = "score_edited"
"""On a row whose score a person has edited."""


def has_flag(table: pd.DataFrame, flag: str) -> NDArray[np.bool_]:
    """Which rows of a checked verdict table carry a flag; in the column `flags` they are joined by +.

    Args:
        table: A verdict table.
        flag: The flag, one word.

    Returns:
        A vector, an entry a row.
    """
    flags = table["flags"].cat
    # The last place is that of a missing value, whose code is -1.
    known = np.array([*(flag in str(name).split("+") for name in flags.categories), False])
    found: NDArray[np.bool_] = known[flags.codes.to_numpy()]
    return found
