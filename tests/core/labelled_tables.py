"""Tables whose truth is known, judged by a judge who errs, and the labels of people who know the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from simulated_tables import judged, simulated

from alignbench.labels.draw import ROW_COLUMNS, draw

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["judged", "models", "row_of", "write_labels"]


def models(seed: int = 0, **rates: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth and verdicts of several models, with the same row numbers; one pack of 40 scenarios, 4 outputs each."""
    truth = pd.concat(
        [
            simulated(name, rate, seed=100 * seed + at, effects=seed, packs=1, scenarios=40)
            for at, (name, rate) in enumerate(rates.items())
        ],
        ignore_index=True,
    )
    return truth, judged(truth, seed=seed)


def write_labels(
    file: Path, truth: pd.DataFrame, verdicts: pd.DataFrame, n: int = 100, *, labeller: str = "ann", seed: int = 0
) -> pd.DataFrame:
    """Draw from the verdicts, label by the truth, write the file, and return what stands in it."""
    rows = draw(verdicts, n, seed=seed).rows
    labels = rows[list(ROW_COLUMNS)].assign(label=truth.loc[rows.index, "verdict"].astype(str), labeller=labeller)
    labels.to_csv(file, index=False)
    return labels


def row_of(frame: pd.DataFrame, model: str, measure: str = "misalignment") -> dict[Any, Any]:
    """The one row of a model and measure in a frame of rates."""
    (row,) = frame[(frame["model"] == model) & (frame["measure"] == measure)].to_dict("records")
    return row
