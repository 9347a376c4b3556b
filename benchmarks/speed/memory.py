"""Peak memory of `alignbench verdicts`, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.speed.page import Line

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["memory"]

GROWTH = 0.10
"""By how much peak memory may grow."""

# A child's peak begins with that of the process that starts it, so a small one stands between.
LAUNCHER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak(folder: Path, output: Path) -> int:
    """Peak resident memory of writing the table of a folder, in bytes."""
    command = [sys.executable, "-m", "alignbench.cli", "verdicts", str(folder), "-o", str(output)]
    done = subprocess.run([sys.executable, "-S", "-c", LAUNCHER, *command], capture_output=True, text=True, check=True)
    return int(done.stdout)


def memory(few: Path, many: Path, scratch: Path, repeats: int) -> list[Line]:
    """Compare a folder of few logs with one of many."""
    sizes = [len(list(folder.iterdir())) for folder in (few, many)]
    peaks = [median(peak(folder, scratch / "t.parquet") for _ in range(repeats)) for folder in (few, many)]
    growth = peaks[1] / peaks[0] - 1
    return [
        *(
            Line(f"Peak memory of `alignbench verdicts -o FILE.parquet`, {size} logs", f"{found / 2**20:.0f} MiB")
            for size, found in zip(sizes, peaks, strict=True)
        ),
        Line("growth", f"{growth:+.1%}", f"below {GROWTH:.0%}", growth < GROWTH),
    ]
