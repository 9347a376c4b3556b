"""alignbench demo."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import emit, format_option, print_table, print_text
from alignbench.text.flags import explained
from alignbench.text.numbers import interval, percent

if TYPE_CHECKING:
    from alignbench.jobs.demo import DemoResult
    from alignbench.report.leaderboard.board import Board


@click.command()
@click.option(
    "-o",
    "--output",
    default="demo",
    show_default=True,
    metavar="DIR",
    help="Folder for logs, table and leaderboard; made if it is not there.",
)
@click.option(
    "--model", "models", multiple=True, metavar="MODEL",
    help="Also run this real model, judged by itself (so never ranked); for example gguf/smollm2-135m-instruct, "
    "which needs no key but the extra `local`.",
)  # fmt: skip
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=6,
    show_default=True,
    help="Samples of each pack for --model.",
)
@format_option
def command(output: str, models: tuple[str, ...], limit: int, form: str) -> None:
    """Watch the whole chain find a truth that is known.

    Five scripted models with known rates answer the scenarios of the shipped packs, four times each; a scripted judge
    grades them; logs, verdict table, rates and leaderboard are the real ones. No key, no network, under 90 seconds.
    Broken off, the same command goes on where it stopped. In CSV and JSON what was found stands beside what is true.
    """
    from alignbench.jobs.demo import SEED, run_demo

    start, aside = time.monotonic(), form != "table"

    def progress(model: str, samples: int) -> None:
        click.echo(f"  {model:<32} {samples:>5} samples  {time.monotonic() - start:>5.0f} s", err=aside)

    def announce(said: str) -> None:
        print_text(said, err=aside)

    # Inspect prints of a run that was done before that it is done.
    with redirect_stdout(sys.stderr) if aside else nullcontext():
        result = run_demo(output, models=models, limit=limit, announce=announce, progress=progress)
    if aside:
        emit(result.truth, form, table=dict)
        return
    _print_truth(result)
    for board in result.boards:
        _print_board(board)
    click.echo("Written:")
    for path in result.files:
        click.echo(f"  {path}")
    click.echo("\nNext:")
    click.echo(f"  inspect view --log-dir {output}/logs --recursive")
    click.echo(f"  alignbench rates {output}/logs --by model,family")
    click.echo(f"  alignbench gate {output}/logs/base {output}/logs/tuned --margin .10")
    click.echo(f"  alignbench judge exam --grader persona/grader -M seed={SEED} -o {output}/judge")
    click.echo(f"  alignbench leaderboard {output}/logs -o {output} --cards {output}/judge/judge_card.json")


def _print_truth(result: DemoResult) -> None:
    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {
            "model": record["model"],
            "pack": record["pack"],
            "measure": record["measure"],
            "events": f"{record['events']}/{record['n']}",
            "rate": percent(record["rate"]),
            "95 % interval": interval(record["low"], record["high"]),
            "truth": percent(record["truth"]),
            "holds": "yes" if record["holds"] else "NO",
        }

    records = result.truth.to_dict("records")
    print_table(
        [row({str(key): value for key, value in record.items()}) for record in records],
        title="What was found, beside what is true",
        keys=("measure", "model", "pack"),
    )
    click.echo(f"{int(result.truth['holds'].sum())} of {len(records)} intervals hold the truth.\n")


def _print_board(board: Board) -> None:
    from alignbench.report.leaderboard.page import board_about, board_table, words_apart

    meanings = explained(flag for flags in board.rows["flags"] for flag in flags)
    apart = words_apart(board) if board.reason else ""
    caption = "\n".join(filter(None, (board_about(board), apart, meanings)))
    print_table(
        board_table(board, board.total), title=f"Leaderboard, board {board.number}", caption=caption, keys=("Model",)
    )
