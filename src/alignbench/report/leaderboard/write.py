"""A leaderboard as files: the CSV, what its columns mean, a page and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from alignbench.documents.csv_files import frame_csv
from alignbench.files import atomic_path, make_folder, together, write_text
from alignbench.report.leaderboard.columns import leaderboard_columns
from alignbench.report.leaderboard.figure import draw_boards
from alignbench.report.leaderboard.page import markdown
from alignbench.vocabulary import join_flags

if TYPE_CHECKING:
    from pathlib import Path

    from alignbench.report.leaderboard.board import Board

__all__ = ["FILES", "write_leaderboard"]

FILES = ("leaderboard.csv", "leaderboard_columns.md", "leaderboard.md", "leaderboard.png")


def write_leaderboard(boards: list[Board], folder: str | Path) -> list[Path]:
    """Write FILES into a folder.

    Raises:
        InputError: The folder cannot be written to.
    """
    target = make_folder(folder)
    rows = pd.concat([board.rows.astype(object) for board in boards], ignore_index=True)
    flat = rows.assign(
        flags=[join_flags(flags) for flags in rows["flags"]],
        unscored=["+".join(f"{reason}={count}" for reason, count in each.items()) for each in rows["unscored"]],
    )
    csv, columns, page, figure = paths = [target / name for name in FILES]
    with together():
        write_text(csv, frame_csv(flat))
        write_text(columns, leaderboard_columns())
        write_text(page, markdown(boards))
        with atomic_path(figure) as file:
            draw_boards(boards, file)
    return paths
