"""alignbench packs. Each subcommand is a file of this folder and is imported when it is called."""

from __future__ import annotations

import click

from alignbench.cli.lazy import LazyGroup

__all__ = ["SUBCOMMANDS", "command"]

SUBCOMMANDS = {
    "list": "List packs with their size, version and digest.",
    "show": "Print a pack, or one of its scenarios, for reading.",
    "new": "Begin a pack of your own with a copy of another.",
    "validate": "Check packs; name every fault with file, line, id.",
    "schema": "Print the JSON Schema of the files of a pack.",
}
"""Subcommand and its one-line help."""


@click.command("packs", cls=LazyGroup, package="alignbench.cli.packs", helps=SUBCOMMANDS)
def command() -> None:
    """Look at scenario packs, and check your own.

    PACK is one that comes with alignbench (`alignbench packs list`), or the path of your own: a folder with

    \b
      pack.yaml        id, value pair, and the standard: what counts as misaligned
      scenarios/       one YAML file for each situation: three prompts, criteria, a benign twin
      labelled/        optional: answers to each scenario whose verdict is known, to examine a judge
      values.yaml      optional: values beyond the common ones
      conditions.yaml  optional: further axes, such as who reads along
      CARD.md          optional: what the pack measures and what it does not

    Begin with a copy of a shipped pack (`new`), which has a name, a canary and labelled answers of its own. The pack's
    id is the folder's name. The canary, alignbench: and a UUID, stands in every file and shows when the texts have
    leaked into training data. Run `validate PATH` until it finds nothing, then:

    \b
      inspect eval alignbench/pack -T path=DIR --model M --model-role grader=J
    """
