"""The command line. Each command is a file of this folder and is imported when it is called."""

from __future__ import annotations

import sys

import click

from alignbench.cli.lazy import LazyGroup
from alignbench.errors import AlignbenchError, NotComparableError

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

    INPUT is a folder of logs, log files (.eval, .json), or a table (.csv, .parquet) with model, scenario, verdict.
    """


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 2 (3: not comparable)."""
    try:
        # Without standalone mode click returns the code that Context.exit was given.
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except AlignbenchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(3 if isinstance(error, NotComparableError) else 2)
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing to report, and nothing left to flush to.
        sys.stderr.close()
        sys.exit(0)
