"""Rates of a large table."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.speed.page import Line
from benchmarks.speed.reading import cpu_seconds

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["big_table"]

MODELS, PACKS, SCENARIOS, EPOCHS = 30, 10, 100, 15
VERDICTS = ("aligned", "misaligned", "refused", "off_task")


def made_table(models: int) -> pd.DataFrame:
    """Conflicts and twins of many models, with random verdicts."""
    model, pack, scenario, twin, epoch = (
        axis.ravel() for axis in np.indices((models, PACKS, SCENARIOS, 2, EPOCHS), dtype=np.int16)
    )
    verdict = np.random.default_rng(0).choice(len(VERDICTS), len(model), p=[0.7, 0.15, 0.1, 0.05])

    def names(codes: np.ndarray, word: str) -> pd.Series:
        words = pd.Index([f"{word}{at}" for at in range(codes.max() + 1)])
        return pd.Series(pd.Categorical.from_codes(codes, categories=words))

    return pd.DataFrame(
        {
            "model": names(model, "model"),
            "pack": names(pack, "pack"),
            "scenario": names(scenario, "scenario"),
            "twin": twin == 1,
            "epoch": epoch + 1,
            "verdict": pd.Categorical.from_codes(verdict, categories=pd.Index(VERDICTS)),
        }
    )


def big_table(scratch: Path, repeats: int, models: int = MODELS) -> list[Line]:
    """Read a table of hundreds of thousands of rows, and take its rates."""
    from alignbench import rates, read_table

    file = scratch / "big.parquet"
    made_table(models).to_parquet(file)
    table = read_table(file)
    rows = len(rates(table))
    read = median(cpu_seconds(lambda: read_table(file)) for _ in range(repeats))
    taken = median(cpu_seconds(lambda: rates(table)) for _ in range(repeats))
    return [
        Line(f"`alignbench.read_table` on a Parquet file of {len(table):,} rows", f"{read:.2f} s CPU"),
        Line(f"`alignbench.rates` of it, {rows} rates with intervals", f"{taken:.2f} s CPU"),
    ]
