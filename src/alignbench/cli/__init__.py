"""The command line. Each command is a file of this folder and is imported when it is called."""

from __future__ import annotations

import click

from alignbench.cli.ending import run
from alignbench.cli.lazy import LazyGroup

__all__ = ["cli", "main"]

COMMANDS = {
    "demo": "Five scripted models with known rates through the whole chain.",
    "packs": "Look at scenario packs, and check your own.",
    "verdicts": "Write the verdict table of logs.",
    "rates": "Misalignment and over-refusal with intervals.",
    "compare": "What changed between two models, with intervals and tests.",
    "gate": "Is the candidate worse than the base? The exit code says.",
    "ranks": "Which places each model may hold.",
    "priorities": "Which of two colliding values the answers serve.",
    "drift": "Do answers drift when circumstances change?",
    "plan": "What a design will show, before it is run.",
    "judge": "Examine a judge, correct for its errors, judge again.",
    "agreement": "Do several judges, or judges and people, say the same?",
    "leaderboard": "Models side by side, as CSV, Markdown and a figure.",
}
"""Command and its one-line help."""


@click.command(
    cls=LazyGroup,
    package="alignbench.cli",
    helps=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="alignbench")
def cli() -> None:
    """How often does a model do the wrong thing when two values collide?

    Evaluations run with Inspect: inspect eval alignbench/honesty_vs_helpfulness --model M --model-role grader=J.
    The commands here check packs, read the logs and print numbers that carry n, interval and judge.

    INPUT is a folder of logs, log files (.eval, .json), or a table (.csv, .parquet) with model, scenario, verdict. Of
    several runs that answer the same, as last week's and this week's, --latest counts the latest alone.

    \b
    Exit codes
      0    done; gate: not worse
      1    gate: regressed; packs validate: a pack has errors; nothing else exits 1
      2    wrong usage or input
      3    not comparable; gate: cannot be told
      4    an unexpected error of ours (with ALIGNBENCH_TRACEBACK=1 it says where)
      5    reading or writing failed, as when the disk is full
      130  interrupted
      141  whoever read the output has gone; nothing is said of it.
    """


def main() -> None:
    """Run the command line and exit with its code; what the codes mean stands in `alignbench --help`."""
    run(cli)
