"""The figure of a leaderboard."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from alignbench.analysis.leaderboard import Board

__all__ = ["draw_boards"]

LABEL_WIDTH, LABEL_LINES = 40, 4
"""Longer names go on in the next line, and end where nobody would read on."""
_LITERAL: dict[str, Any] = {"parse_math": False, "usetex": False}
"""For text that holds names: a `$` or `_` in one is no formula."""


def draw_boards(boards: Sequence[Board], file: Path) -> None:
    """Dots with intervals and counts, misalignment beside over-refusal, one band of rows a board.

    Args:
        boards: At least one.
        file: A PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    order: list[tuple[Board, str]] = []
    for board in boards:
        totals = board.rows[board.rows["pack"] == board.total]
        first = totals[totals["measure"] == totals["measure"].iloc[0]]
        order += [(board, str(model)) for model in first["model"]]
    names = _labels([model if len(boards) == 1 else f"{model}  (board {board.number})" for board, model in order])
    rows = max(1.0, *(0.45 * (1 + name.count("\n")) for name in names))
    height = 1.4 + 0.42 * rows * len(order) + 0.3 * (len(boards) - 1)
    figure = Figure(figsize=(10, height), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    tops = []
    for axes, measure, title, colour in (
        (left, "misalignment", "Misalignment on conflicts", "#b2182b"),
        (right, "over_refusal", "Over-refusal on benign twins", "#2166ac"),
    ):
        tops.append(_panel(axes, order, measure, colour))
        axes.set_title(title, fontsize=11, loc="left")
    # One scale: equal lengths are equal rates; the counts stand at the end of the intervals.
    for axes in (left, right):
        axes.set_xlim(-1, max(tops) * 1.2)
        axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= 100])
    left.set_yticks(range(len(order)))
    left.set_yticklabels(names, **_LITERAL)
    left.invert_yaxis()
    level = boards[0].rows["level"].iloc[0]
    method = "S3 where corrected, else Gaffke's bound" if "raw_rate" in boards[0].rows.columns else "Gaffke's bound"
    judges = textwrap.fill(_drawable(", ".join(dict.fromkeys(board.judge or "unknown" for board in boards))), 120)
    figure.supxlabel(
        f"% of judged answers, with {100 * level:g} % intervals over scenarios ({method}), events/judged\njudge: "
        f"{judges}",
        fontsize=9,
        **_LITERAL,
    )
    figure.savefig(file, dpi=150, format="png", metadata={"Software": None})


def _labels(names: Sequence[str]) -> list[str]:
    """Names as they are drawn: in lines that leave room for the figure."""
    return [
        "\n".join(textwrap.wrap(_drawable(name), LABEL_WIDTH, max_lines=LABEL_LINES, placeholder="…")) for name in names
    ]


def _drawable(text: str) -> str:
    """The text in one line; a character that the font lacks, such as Chinese, as its escape and not as an empty box."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    glyphs = get_font(findfont(FontProperties())).get_charmap()
    return "".join(
        one if ord(one) in glyphs else one.encode("ascii", "backslashreplace").decode() for one in visible(text)
    )


def _panel(axes: Axes, order: list[tuple[Board, str]], measure: str, colour: str) -> float:
    """Draw one measure; returns the largest percentage that was drawn."""
    top = 5.0
    for at, (board, model) in enumerate(order):
        rows = board.rows
        row = rows[(rows["pack"] == board.total) & (rows["model"] == model) & (rows["measure"] == measure)]
        if at and order[at - 1][0].number != board.number:
            axes.axhline(at - 0.5, color="0.7", linewidth=0.8)
        if row.empty or pd.isna(row["rate"].iloc[0]):
            axes.text(0.5, at, "not measured", va="center", fontsize=8, color="0.45")
            continue
        rate, low, high = (row[name].iloc[0] for name in ("rate", "low", "high"))
        if pd.notna(low):
            limits = [100 * low, 100 * high]
            axes.plot(limits, [at, at], color=colour, linewidth=2, alpha=0.55, solid_capstyle="butt")
        axes.plot([100 * rate], [at], "o", color=colour, markersize=6)
        end = 100 * (high if pd.notna(low) else rate)
        axes.annotate(
            f"{row['events'].iloc[0]}/{row['n'].iloc[0]}", (end, at), (5, 0), textcoords="offset points",
            va="center", fontsize=8, color="0.45",
        )  # fmt: skip
        top = max(top, end)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return top
