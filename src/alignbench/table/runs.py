"""Runs that answer the same question: which of them is the latest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.errors import InputError
from alignbench.table.columns import TIME, utc_second
from alignbench.table.keys import QUESTION
from alignbench.table.read import require_columns, row_groups
from alignbench.text.numbers import number_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["latest_runs"]


def latest_runs(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out every run that a later one repeats.

    Within a model with its settings, a pack, a condition, and conflicts or twins, a run is left out as a whole if a
    later one that counts has answered one of its scenarios: runs are never mixed scenario by scenario. Shards of one
    evaluation, which share no scenario, all stay.

    Args:
        table: A checked verdict table with its columns `date` and `run` (or `date` alone).

    Returns:
        The rows that count; and in words how many were left out.

    Raises:
        InputError: A row has no date, or runs that answer the same began in the same second.
    """
    require_columns(table, ["date"], "--latest")
    start, run = _starts(table), _runs(table)
    question = row_groups([table[name] for name in QUESTION])
    scenario = row_groups([table["scenario"]])
    asked = pd.DataFrame({"question": question, "run": run, "scenario": scenario, "start": start})
    first = asked.groupby("run")["start"].min()
    parts = asked.drop_duplicates(["question", "run", "scenario"]).groupby(["question", "run"])["scenario"].agg(set)
    order = sorted(parts.index, key=lambda part: (-first[part[1]], part))
    kept: dict[int, list[int]] = {}
    left: set[tuple[int, int]] = set()
    for part in order:
        about, one = part
        later = [other for other in kept.setdefault(about, []) if parts[about, other] & parts[part]]
        if not later:
            kept[about].append(one)
            continue
        if first[one] in {first[other] for other in later}:
            date = table["date"].iloc[int(np.flatnonzero(run == one)[0])]
            raise InputError(f"two runs that answer the same began at {date}", allowed="runs of different seconds")
        left.add(part)
    if not left:
        return table, "--latest: nothing left out, as no run is repeated by a later one of the same model and arguments"
    out = pd.MultiIndex.from_arrays([question, run]).isin(list(left))
    runs = len({one for _, one in left})
    said = f"{out.sum():,} of {len(table):,} rows left out, of {number_of(runs, 'run')} that a later one"
    return table[~out].reset_index(drop=True), f"--latest: {said} repeats"


def _runs(table: pd.DataFrame) -> NDArray[np.int64]:
    """Number the runs; where a run has no id its date tells it apart."""
    unnamed = table["run"] == ""
    return row_groups([table["run"], table["date"].astype(object).where(unnamed, "").astype("category")])


def _starts(table: pd.DataFrame) -> NDArray[np.float64]:
    """The second at which the run of each row began."""
    dates = table["date"].cat
    seconds = [utc_second(str(date)) for date in dates.categories]
    known = np.array([datetime.fromisoformat(one).timestamp() if one else np.nan for one in seconds])
    found: NDArray[np.float64] = known[dates.codes.to_numpy()]
    if np.isnan(found).any():
        at = int(np.flatnonzero(np.isnan(found))[0])
        raise InputError(f"column 'date', row {at + 1}: {table['date'].iloc[at]!r}", allowed=f"with --latest {TIME}")
    return found
