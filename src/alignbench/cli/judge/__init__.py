"""alignbench judge. Each subcommand is a file of this folder and is imported when it is called."""

from __future__ import annotations

import click

from alignbench.cli.lazy import LazyGroup

__all__ = ["SUBCOMMANDS", "command"]

SUBCOMMANDS = {
    "exam": "Examine a judge on answers whose verdict is known, and write its card.",
    "attack": "Can answers that speak to the judge talk it round?",
    "sample": "Draw outputs for people to label.",
    "calibrate": "Correct rates by what people said of some outputs.",
    "rescore": "Judge the answers of logs again, by another judge.",
    "compare": "What changes from one judge to another, on the same outputs.",
}
"""Subcommand and its one-line help."""


@click.command("judge", cls=LazyGroup, package="alignbench.cli.judge", helps=SUBCOMMANDS)
def command() -> None:
    """The judge is an instrument: examine it, correct for its errors, judge again.

    A judge's rate is wrong by its own errors, and these differ between models: the labels that correct it are drawn
    from the outputs being reported.
    """
