"""`python -m benchmarks.coverage`: simulate, and write the table."""

from __future__ import annotations

import argparse
import csv
import os
import platform
import resource
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.coverage.corrections import SOME
from benchmarks.coverage.report import missed, report
from benchmarks.coverage.run import run, tasks
from benchmarks.coverage.scores import Score
from benchmarks.coverage.settings import Effort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.coverage.run import Result

TABLE = Path(__file__).with_name("table.md")
QUICK = 7
"""A quick run takes every 7th setting: a number without a factor in common with the sides of the grids."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulations; 1 if a target is missed by a whole run.

    Args:
        arguments: Those of the command line by default.
    """
    options = _parser().parse_args(arguments)
    effort = Effort() if options.data_sets is None else Effort().at_most(options.data_sets)
    whole = options.data_sets is None and not options.quick
    # One thread a process: the processes together take the cores, not each of them all.
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    start = time.monotonic()
    chosen = tasks(QUICK if options.quick else 1)
    results = run(chosen, effort, options.seed, options.processes, lambda line: print(line, file=sys.stderr))
    facts = _facts(effort, options.seed, options.processes, (time.monotonic() - start) / 60)
    if not whole:
        facts.insert(0, "**A shortened run: its minima say little.**")
    page = report(results, facts)
    out = options.out or (TABLE if whole else None)
    if out is None:
        print(page)
    else:
        _write(out, page)
    if options.scores:
        _write_scores(options.scores, results)
    faults = missed(results)
    for fault in faults:
        print(f"target missed: {fault}", file=sys.stderr)
    return int(whole and bool(faults))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--data-sets", type=_positive, metavar="N", help="at most N data sets in any setting")
    parser.add_argument("--quick", action="store_true", help=f"only every {QUICK}th setting")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (0)")
    parser.add_argument("--processes", type=_positive, default=2, help="(2)")
    parser.add_argument("--out", type=Path, help="where to write (a shortened run: standard output)")
    parser.add_argument("--scores", type=Path, help="also write every setting's result, as CSV")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _facts(effort: Effort, seed: int, processes: int, minutes: float) -> list[str]:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who)) / 60
    packages = ", ".join(f"{name} {version(name)}" for name in ("alignbench", "numpy", "scipy"))
    return [
        f"{os.cpu_count()} cores ({processes} processes), Python {platform.python_version()}, {packages}; "
        f"{minutes:.1f} minutes, {used:.1f} of CPU time.",
        f"Seed {seed}. Data sets a setting: {effort.core:,} on the core, {effort.stress:,} under stress, "
        f"{effort.heavy:,} with heavy tails, "
        f"{effort.slow:,} for bootstraps ({effort.resamples:,} resamples) and posterior, {effort.tests:,} "
        f"for tests, {effort.orders:,} for worths ({effort.order_resamples} resamples), "
        f"{SOME:,} to {effort.corrections:,} for corrections.",
    ]


def _write(path: Path, text: str) -> None:
    """Write beside the file and rename: nobody ever sees half of it."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def _write_scores(path: Path, results: Sequence[Result]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["part", "grid", "method", "setting", "data_sets", "coverage", "width", "refused"])
        for one in results:
            if isinstance(one, Score):
                row = [one.part, one.grid, one.method, one.setting, one.data_sets]
                writer.writerow([*row, one.coverage, one.width, one.refused])


if __name__ == "__main__":
    sys.exit(main())
