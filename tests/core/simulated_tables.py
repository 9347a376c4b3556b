"""Verdict tables of simulated models whose rates are known; `make proof` has them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.proof.tables import judged, simulated

from alignbench.table.read import as_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["changed", "judged", "lose", "simulated"]


def lose(table: pd.DataFrame, rows: np.ndarray, reason: str) -> pd.DataFrame:
    """A table in which some rows have no verdict; with the reason `missing` they are not there at all.

    Args:
        table: A table.
        rows: Which rows, as truths.
        reason: Why.
    """
    if reason == "missing":
        return table[~rows]
    return as_table(
        table.assign(
            verdict=table["verdict"].astype(object).mask(rows, None),
            unscored_reason=table["unscored_reason"].astype(object).mask(rows, reason),
        )
    )


def changed(table: pd.DataFrame, rows: np.ndarray, verdict: str) -> pd.DataFrame:
    """A table in which some rows have another verdict.

    Args:
        table: A table.
        rows: Which rows, as truths.
        verdict: Theirs from now on.
    """
    return as_table(
        table.assign(
            verdict=table["verdict"].astype(object).mask(rows, verdict),
            unscored_reason=table["unscored_reason"].astype(object).mask(rows, None),
        )
    )
