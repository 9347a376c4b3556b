"""alignbench judge rescore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alignbench.cli.judge.grader import grader_options, make_grader
from alignbench.cli.output import print_text

if TYPE_CHECKING:
    from alignbench.jobs.rescore import Rescored


@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="LOGS...")
@grader_options
@click.option("--rubric", metavar="RUBRIC", help="Id or path of the rubric; default: the run's.")
@click.option("-o", "--output", metavar="DIR", help="Folder for the copies; default: NAME-scored.eval beside each log.")
@click.option("--in-place", is_flag=True, help="Replace the logs themselves.")
def command(
    logs: tuple[str, ...],
    grader: str,
    model_args: tuple[str, ...],
    rubric: str | None,
    output: str | None,
    in_place: bool,
) -> None:
    """Add a judge to logs: the same answers, judged again; the model under test is not called.

    LOGS are log files or folders of them. Tables of the copies have a row per output and judge: see judge compare, and
    --panel of rates and leaderboard. What it has judged is not judged again, so after failed calls the same command
    does the rest.
    """
    from alignbench.jobs.rescore import rescore

    for found in rescore(logs, make_grader(grader, model_args), rubric=rubric, output=output, in_place=in_place):
        _report(found)


def _report(found: Rescored) -> None:
    counts = {
        "judged": found.judged,
        "judged before": found.kept,
        "not judged, the judge could not be called": found.failed,
        "without an answer": found.unanswered,
        "declared invalid": found.invalid,
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count or what == "judged")
    print_text(f"{found.target}: {said}")
    if found.rubric_changed:
        print_text("  the rubric is not the run's: the two judges were told different things", err=True)
    if found.failed:
        click.echo("  run the same command again to judge the rest", err=True)
