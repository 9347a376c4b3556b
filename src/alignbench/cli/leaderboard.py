"""alignbench leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.calibration import calibration_option
from alignbench.cli.options import (
    confidence_option,
    input_argument,
    latest_option,
    panel_options,
    seed_option,
    unscored_option,
)
from alignbench.cli.output import print_text
from alignbench.cli.reading import combined, read
from alignbench.text.numbers import number_of

if TYPE_CHECKING:
    from alignbench.judges.panel import How
    from alignbench.labels.calibration import Calibration


@click.command()
@input_argument
@latest_option
@click.option("-o", "--output", default="leaderboard", show_default=True, metavar="DIR",
              help="Folder for the files; made if it is not there.")  # fmt: skip
@panel_options
@calibration_option
@unscored_option
@confidence_option
@seed_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    output: str,
    panel: How | None,
    cards: tuple[str, ...],
    calibration: Calibration | None,
    **options: Any,
) -> None:
    """Put models side by side: leaderboard.csv with its columns explained, leaderboard.md and leaderboard.png.

    Models with another judge, rubric or pack version, or without all the packs, are never ranked together: they get a
    board of their own, which says why. Ranks are sets of places that hold together, never a bare number. --cards says
    what the judges' exams found: what an unfit judge judged is shown apart and not ranked. With --calibration rates
    and ranks are corrected for the judge's errors; models with too few labels are not ranked beside corrected ones.
    """
    from alignbench.files import refuse_overwriting_inputs
    from alignbench.judges.marking import read_cards
    from alignbench.report.leaderboard.boards import leaderboard
    from alignbench.report.leaderboard.page import board_about, words_apart
    from alignbench.report.leaderboard.write import FILES, write_leaderboard

    labels = None if calibration is None else calibration.source
    refuse_overwriting_inputs([Path(output) / name for name in FILES], [*inputs, *cards, labels])
    known = read_cards(cards)
    table = combined(read(inputs, latest=latest), panel, known)
    boards = leaderboard(table, cards=known, calibration=calibration, **options)
    files = write_leaderboard(boards, output)
    for board in boards:
        models = board.rows["model"].nunique()
        why = f". {words_apart(board)}" if board.reason else ""
        print_text(f"board {board.number}: {number_of(models, 'model')}{why}")
        print_text(board_about(board), edge="  ")
    for path in files:
        click.echo(f"wrote {path}")
