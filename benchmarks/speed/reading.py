"""The verdict table of many logs, beside Inspect's own data frame of the same logs."""

from __future__ import annotations

import gc
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.speed.page import Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["reading"]

TIMES = 20
"""How many times as fast as `samples_df` reading must be."""


def cpu_seconds(call: Callable[[], object]) -> float:
    """CPU time of a call, all threads, garbage of earlier calls not counted."""
    gc.collect()
    start = time.process_time()
    call()
    return time.process_time() - start


def reading(folder: Path, repeats: int) -> list[Line]:
    """Read a folder both ways, turn and turn about."""
    from inspect_ai.analysis import samples_df

    from alignbench.logs import verdicts

    logs = sorted(folder.iterdir())
    table = verdicts(logs)
    rows, unscored = len(table), float(table["verdict"].isna().mean())
    samples_df(str(logs[0]), quiet=True)
    ours, theirs = [], []
    for _ in range(repeats):
        theirs.append(cpu_seconds(lambda: samples_df(str(folder), quiet=True)))
        ours += [cpu_seconds(lambda: verdicts([folder])) for _ in range(3)]
    found, other = median(ours), median(theirs)
    what = f"{len(logs)} logs, {rows:,} judged samples ({unscored:.1%} unscored)"
    return [
        Line(f"`alignbench.logs.verdicts` on {what}", f"{found:.2f} s CPU, {found / rows * 1e6:.0f} µs a row"),
        Line("`inspect_ai.analysis.samples_df`, default columns, same logs", f"{other:.2f} s CPU"),
        Line("times as fast", f"{other / found:.1f}", f"at least {TIMES}", other / found >= TIMES),
    ]
