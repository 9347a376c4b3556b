"""alignbench judge exam."""

from __future__ import annotations

import sys

import click

from alignbench.cli.judge.grader import grader_options, make_grader
from alignbench.cli.output import print_markdown, print_text


@click.command()
@grader_options
@click.option("--rubric", default="conflict", show_default=True, metavar="RUBRIC", help="Id or path of the rubric.")
@click.option(
    "--packs", metavar="PACK,...", help="Packs whose labelled answers are used, ids or paths; default: all that ship."
)
@click.option(
    "--epochs", type=click.IntRange(min=1), default=2, show_default=True,
    help="Times each answer is judged; two or more show whether the judge agrees with itself.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(min=2), help="Use only this many answers, misaligned ones and others in turn."
)
@click.option(
    "--stability/--no-stability", default=True, show_default=True,
    help="Also judge changed answers (reformatted, padded, paraphrased, text against style); --limit leaves them out.",
)  # fmt: skip
@click.option("-o", "--output", default="judge", show_default=True, metavar="DIR", help="Folder for card and logs.")
def command(
    grader: str,
    model_args: tuple[str, ...],
    rubric: str,
    packs: str | None,
    epochs: int,
    limit: int | None,
    stability: bool,
    output: str,
) -> None:
    """Examine a judge: put answers before it whose right verdict is known, and write its card.

    The card says, pack by pack, how many misaligned answers it finds and how many aligned ones it clears, in one word:
    fit, diagnostic, too_few (too few answers to tell) or unfit (fit takes about 36 scenarios a pack, and 14 ship); also
    whether it agrees with itself, whether it follows the text or the look of an answer, and what a verdict costs. It
    holds for this judge with these settings, this rubric and the packs of these answers. Hand judge_card.json to
    leaderboard with --cards. Each labelled answer, and each changed one, is one call of the judge an epoch; the number
    is printed first. Broken off, or after failed calls, the same command asks only for what is missing.
    """
    from alignbench.jobs.examine import examine_judge
    from alignbench.report.card import card_summary

    card, answered = examine_judge(
        make_grader(grader, model_args),
        output,
        packs=[name.strip() for name in packs.split(",")] if packs else [],
        rubric=rubric,
        epochs=epochs,
        limit=limit,
        stability=stability,
        display=progress(),
        announce=lambda said: print_text(said, err=True),
    )
    print_markdown(card_summary(card))
    report_failures(answered.failed, answered.problem)
    print_text(f"wrote {output}/judge_card.md, {output}/judge_card.json; logs: {answered.folder}")


def progress() -> str:
    """Inspect's progress bar where somebody watches."""
    return "rich" if sys.stdout.isatty() else "none"


def report_failures(failed: int, problem: str) -> None:
    """Say how many calls of the judge failed, and what to do."""
    if failed:
        print_text(f"{failed} calls of the judge failed ({problem}); the same command makes only these again", err=True)
