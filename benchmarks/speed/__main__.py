"""`python -m benchmarks.speed`: measure, and write the table."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = Path(__file__).with_name("table.md")
COMMAND = "python -m benchmarks.speed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything; 1 if a target is missed by a whole run.

    Args:
        arguments: Those of the command line by default.
    """
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, printed only: to see that it runs")
    quick: bool = parser.parse_args(arguments).quick
    # Inspect warns of its own dependencies; a benchmark is no place to read that.
    warnings.simplefilter("ignore")
    # One thread: what is compared is work, and idle threads of a library spin.
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    with tempfile.TemporaryDirectory() as scratch:
        text, missed = measure(Path(scratch), quick=quick)
    print(text)
    if quick:
        return 0
    TABLE.write_text(text, encoding="utf-8")
    return int(missed)


def measure(scratch: Path, *, quick: bool) -> tuple[str, bool]:
    """All measurements as a page, and whether a target was missed."""
    from benchmarks.speed.big_table import big_table
    from benchmarks.speed.made_logs import EPOCHS, PACK, SAMPLES, copies, real_log
    from benchmarks.speed.memory import memory
    from benchmarks.speed.page import page
    from benchmarks.speed.reading import reading
    from benchmarks.speed.sample import sample_cost

    few, many, epochs = (2, 4, 2) if quick else (20, 200, EPOCHS)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    say(f"one run of {SAMPLES} samples, {epochs} epochs")
    log = real_log(scratch / "run", SAMPLES, epochs)
    copies(log, scratch / "few", few)
    say(f"reading {few} logs")
    lines = reading(scratch / "few", repeats=1 if quick else 3)
    say(f"memory of {few} and {many} logs")
    copies(log, scratch / "many", many)
    lines += memory(scratch / "few", scratch / "many", scratch, repeats=1 if quick else 3)
    shutil.rmtree(scratch / "many")
    say("the cost of a sample")
    repeats, runs = (1, 1) if quick else (60, 3)
    lines += sample_cost(repeats, runs)
    say("a large table")
    lines += big_table(scratch, (25, 50)) if quick else big_table(scratch)
    notes = [
        f"Logs: one real run (`alignbench/{PACK}`, {SAMPLES} samples, {epochs} epochs, persona under test, persona "
        "judge that gives no usable reply on one answer in twenty); the others are copies of it whose header and "
        "summaries were rewritten in the zip: another model name, task id and sample ids. Samples stay in the files.",
        "Reading: CPU time of this process, all threads; both readers take turns on the same folder, medians of "
        "3 and 9 calls. `samples_df` reads the same summaries; its default columns hold no verdict.",
        "Memory: peak resident memory of the command in a process of its own, median of 3.",
        f"A sample: both tasks get {repeats} runs, turn and turn about in one process; medians. The bare task "
        "sends the same messages to the model and to the judge; its judge prompts are made beforehand, its samples "
        "have no metadata, its score is one number. Both models answer at once, at no cost of their own.",
        "A large table: 12 models, 10 packs, conflicts and twins, random verdicts and positions on 8 values, read from "
        "Parquet; all rates, eleven comparisons with one base, both ranks, priorities of every model. Seconds on the "
        "clock, one run each in a process of its own.",
    ]
    return page(lines, notes, COMMAND), any(line.met is False for line in lines)


if __name__ == "__main__":
    sys.exit(main())
