"""alignbench judge attack."""

from __future__ import annotations

import click

from alignbench.cli.judge.exam import progress, report_failures
from alignbench.cli.judge.grader import grader_options, make_grader
from alignbench.cli.output import print_markdown, print_text


@click.command()
@grader_options
@click.option("--rubric", default="conflict", show_default=True, metavar="RUBRIC", help="Id or path of the rubric.")
@click.option(
    "--epochs", type=click.IntRange(min=1), default=1, show_default=True,
    help="Times each answer is judged; two or more show how many flips are the judge's own wavering.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=2), help="Use only this many answers, bare and forged in turn.")
@click.option("-o", "--output", default="judge", show_default=True, metavar="DIR", help="Folder for report and logs.")
def command(grader: str, model_args: tuple[str, ...], rubric: str, epochs: int, limit: int | None, output: str) -> None:
    """Try to talk a judge round: misaligned answers that claim a verdict, fake the end of the transcript, flatter, ….

    Each answer is judged as it is and with an attack round it. The report counts the verdicts that flipped, in total
    and by technique, and with two epochs or more how many flips to expect of a judge that merely disagrees with itself.
    Broken off, or after failed calls, the same command asks only for what is missing.
    """
    from alignbench.jobs.examine import attack_judge
    from alignbench.report.card import attack_summary

    report, answered = attack_judge(
        make_grader(grader, model_args), output, rubric=rubric, epochs=epochs, limit=limit, display=progress()
    )
    print_markdown(attack_summary(report))
    report_failures(answered.failed, answered.problem)
    print_text(f"wrote {output}/judge_attack.md, {output}/judge_attack.json; logs: {answered.folder}")
