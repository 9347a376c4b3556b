"""Everything that is asked of a large table, in a process of its own: `python -m benchmarks.speed.big_table FILE`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.speed.page import Line

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["big_table"]

MODELS, PACKS, OUTPUTS = 12, 10, 30
SCENARIOS = (250, 2_500)
"""Scenarios of all packs together: 90,000 rows and ten times as many."""
VERDICTS = ("aligned", "misaligned", "refused", "off_task")
VALUES = 8
SECONDS, GIBIBYTES, LINEAR = 60.0, 3.0, 13.0
"""Promised for 900,000 rows; and the most by which ten times the rows may cost more."""


def made_table(scenarios: int) -> pd.DataFrame:
    """Conflicts and twins of twelve models with random verdicts and positions."""
    rng = np.random.default_rng(0)
    model, scenario, output = (axis.ravel() for axis in np.indices((MODELS, scenarios, OUTPUTS), dtype=np.int16))
    twin = output % 2 == 1
    verdict = rng.choice(len(VERDICTS), len(model), p=[0.7, 0.15, 0.1, 0.05])
    placed = verdict < 2
    first = scenario % VALUES
    second = (first + 1 + scenario // VALUES % (VALUES - 1)) % VALUES
    positions = {
        f"position_{side}": pd.Series(rng.integers(0, 7, len(model)), dtype="Int16").mask(~placed) for side in (1, 2)
    }

    def names(codes: np.ndarray, word: str) -> pd.Series:
        words = pd.Index([f"{word}{at}" for at in range(int(codes.max()) + 1)])
        return pd.Series(pd.Categorical.from_codes(codes, categories=words))

    return pd.DataFrame(
        {
            "model": names(model, "model"),
            "pack": names(scenario % PACKS, "pack"),
            "scenario": names(scenario, "scenario"),
            "twin": twin,
            "epoch": output // 2 + 1,
            "verdict": pd.Categorical.from_codes(verdict, categories=pd.Index(VERDICTS)),
            "value_1": names(first, "value"),
            "value_2": names(second, "value"),
            **positions,
        }
    )


def analyse(file: Path) -> dict[str, float]:
    """Seconds of each analysis, and the peak memory of this process in GiB."""
    import alignbench as ab

    table = ab.read_table(file)
    models = sorted(table["model"].cat.categories)
    steps: dict[str, Callable[[], object]] = {
        "read_table": lambda: ab.read_table(file),
        "rates": lambda: ab.rates(table),
        "compare": lambda: [ab.compare(table, base_name=models[0], candidate_name=name) for name in models[1:]],
        "ranks": lambda: [ab.ranks(table, measure=measure) for measure in ("misalignment", "over_refusal")],
        "priorities": lambda: ab.priorities(table),
    }
    found = {}
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        found[name] = time.perf_counter() - start
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return {**found, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def big_table(scratch: Path, sizes: tuple[int, ...] = SCENARIOS) -> list[Line]:
    """All rates, eleven comparisons with one base, ranks and priorities of twelve models, at two sizes."""
    measured = []
    for scenarios in sizes:
        file = scratch / f"big_{scenarios}.parquet"
        made_table(scenarios).to_parquet(file)
        command = [sys.executable, "-m", "benchmarks.speed.big_table", str(file)]
        measured.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    small, large = measured
    rows = [MODELS * scenarios * OUTPUTS for scenarios in sizes]
    totals = [sum(seconds for name, seconds in each.items() if name != "peak") for each in measured]
    lines = [
        Line(f"`{name}`, {rows[0]:,} and {rows[1]:,} rows", f"{small[name]:.2f} s and {large[name]:.2f} s")
        for name in small
        if name != "peak"
    ]
    growth = totals[1] / totals[0] / (sizes[1] / sizes[0] / 10)
    return [
        *lines,
        Line(f"all of these, {rows[1]:,} rows", f"{totals[1]:.1f} s", f"below {SECONDS:.0f} s", totals[1] < SECONDS),
        Line("peak memory", f"{large['peak']:.2f} GiB", f"below {GIBIBYTES:.0f} GiB", large["peak"] < GIBIBYTES),
        Line("ten times the rows cost", f"{growth:.1f} times", f"at most {LINEAR:.0f} times", growth <= LINEAR),
    ]


if __name__ == "__main__":
    print(json.dumps(analyse(Path(sys.argv[1]))))
