"""`python -m benchmarks.proof`: count every simulated claim over a thousand seeds, and write the page."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.files import write_text
from benchmarks.proof.claims import SEEDS, prove
from benchmarks.proof.registry import CLAIMS, ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.proof.claims import Found

__all__ = ["main", "page"]

TABLE = Path(__file__).with_name("table.md")
PAGE = """# What is claimed, and how often it was so

Written by `python -m benchmarks.proof` (`make proof`); not edited by hand. Each claim is simulated {seeds} times, with
the seeds 0 to {last}, none of them picked. All of it runs on tables: no model is called.

{verdict}

{machine}

{sections}
## Counted elsewhere

| where | what |
|---|---|
{elsewhere}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Count the claims; 1 if one does not hold.

    Args:
        arguments: Those of the command line by default.
    """
    options = _parser().parse_args(arguments)
    # One thread a process: the processes together take the cores, not each of them all.
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    claims = [claim for claim in CLAIMS if not options.only or claim.name in options.only]
    start = time.monotonic()
    results = prove(claims, options.seeds, options.processes, lambda line: print(line, file=sys.stderr))
    text = page(results, options.seeds, options.processes, (time.monotonic() - start) / 60)
    whole = options.seeds == SEEDS and len(claims) == len(CLAIMS)
    if whole:
        write_text(TABLE, text)
    else:
        print(text)
    refuted = [f"{found.claim.name}: {what}" for found in results for what in found.refuted]
    for line in refuted:
        print(f"does not hold: {line}", file=sys.stderr)
    return int(bool(refuted))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proof", description=__doc__)
    parser.add_argument(
        "--seeds", type=_positive, default=SEEDS, metavar="N",
        help=f"only the first N; below {SEEDS} chance is allowed for, and the page is printed ({SEEDS})",
    )  # fmt: skip
    parser.add_argument("--only", action="append", choices=[claim.name for claim in CLAIMS], help="one claim; again")
    parser.add_argument("--processes", type=_positive, default=2, help="(2)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def page(results: Sequence[Found], seeds: int, processes: int, minutes: float) -> str:
    """The page in Markdown.

    Args:
        results: What was found.
        seeds: Of how many seeds.
        processes: In how many processes.
        minutes: How long it took.
    """
    lines = sum(len(found.claim.wanted) for found in results)
    refuted = sum(len(found.refuted) for found in results)
    verdict = f"**{lines - refuted} of {lines} hold.**"
    if seeds < SEEDS:
        verdict += f" A shortened run: what chance explains (p of .001 or more, of {seeds} seeds) counts as holding."
    packages = ", ".join(f"{name} {version(name)}" for name in ("alignbench", "numpy", "scipy", "pandas"))
    return PAGE.format(
        seeds=f"{seeds:,}",
        last=seeds - 1,
        verdict=verdict,
        machine=f"{os.cpu_count()} cores ({processes} processes), Python {platform.python_version()}, {packages}; "
        f"{minutes:.1f} minutes.",
        sections="\n".join(map(_section, results)),
        elsewhere="\n".join(f"| `{where}` | {what} |" for where, what in ELSEWHERE),
    )


def _section(found: Found) -> str:
    claim, of = found.claim, f"of {found.seeds:,}"
    rows = [
        f"| {what} | {number:,} {of} | {claim.wanted[what]} | {'yes' if found.holds(what) else '**no**'} |"
        for what, number in found.counts.items()
    ]
    return "\n".join(
        [
            f"## {claim.name[0].upper()}{claim.name[1:]}\n",
            f"{claim.words}\n",
            f"Simulated: {claim.situation}. {found.seconds:.0f} seconds of CPU time.\n",
            "| what | found | wanted | holds |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
