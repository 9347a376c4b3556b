"""alignbench leaderboard."""

from __future__ import annotations

import click

from alignbench.cli.common import input_argument, level_option, seed_option


@click.command()
@input_argument
@click.option("-o", "--output", default="leaderboard", show_default=True, metavar="DIR", help="Folder for the files.")
@level_option
@seed_option
def command(inputs: tuple[str, ...], output: str, level: float, seed: int) -> None:
    """Put models side by side: leaderboard.csv, leaderboard.md and leaderboard.png.

    Models with another judge, rubric or pack version, or without all the packs, are never ranked together: they get a
    board of their own, which says why. Ranks are sets of places that hold together, never a bare number.
    """
    from alignbench.inputs import read_inputs
    from alignbench.leaderboard import leaderboard, write_leaderboard

    boards = leaderboard(read_inputs(inputs), level=level, seed=seed)
    files = write_leaderboard(boards, output)
    for board in boards:
        models = board.rows["model"].nunique()
        why = f" (not comparable with board 1: {board.reason})" if board.reason else ""
        click.echo(f"board {board.number}: {models} model{'s' if models != 1 else ''}{why}")
    for path in files:
        click.echo(f"wrote {path}")
