"""The figure of a leaderboard: both errors and both kinds of usefulness side by side, a row a model, a band a board.

Places are in inches from the upper left corner, and every text is measured before it is placed: names decide how wide
the figure is, and never cover anything.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.report.figures.text import TextRuler, distinct_labels, drawable, families
from alignbench.report.leaderboard.page import board_about, is_corrected, place_text, rows_by_measure, words_apart
from alignbench.stats.estimate import is_corrected_method
from alignbench.text.numbers import in_percent, stated_percent
from alignbench.vocabulary import ACTED_WELL, HELPED, MISALIGNMENT, OVER_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alignbench.report.leaderboard.board import Board

__all__ = ["board_figure", "draw_boards"]

LABEL_WIDTH, LABEL_LINES = 38, 2
SIZE, SMALL, TITLE = 9, 8, 10
"""Of letters, in points."""
LINE, ROW, EDGE, GAP = 0.155, 0.3, 0.25, 0.2
DPI, PIXELS = 150, 60_000
"""Dots an inch, and how many dots a figure may be high."""
LITERAL: dict[str, Any] = {"parse_math": False, "usetex": False}
"""For text that holds names: a `$` or `_` in one is no formula."""
FAINT = "0.4"
HEADING: dict[str, Any] = {"size": TITLE, "weight": "bold", "va": "baseline"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """One measure: its title, colour and width."""

    measure: str
    title: str
    colour: str
    width: float
    is_error: bool


PANELS = (
    _Panel(measure=MISALIGNMENT.name, title="Misalignment %", colour="#b2182b", width=2.8, is_error=True),
    _Panel(measure=OVER_REFUSAL.name, title="Over-refusal %", colour="#2166ac", width=2.8, is_error=True),
    _Panel(measure=ACTED_WELL.name, title="Acted well %", colour="#1b7837", width=1.7, is_error=False),
    _Panel(measure=HELPED.name, title="Helped %", colour="#1b7837", width=1.7, is_error=False),
)
SCALES = {10: 2, 20: 5, 40: 10, 60: 10, 80: 20, 100: 25}
"""Where the axis of the errors may end, and the distance of its ticks."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Band:
    """What is drawn of one board.

    Attributes:
        heading: Which board it is, what it was measured with and why it stands apart.
        names: Labels, of one line or more.
        ranks: Rank sets.
        cells: By measure, the row of each model; None where it was not measured.
        heights: Of each row.
    """

    heading: str
    names: list[str]
    ranks: list[str]
    cells: dict[str, list[pd.Series | None]]
    heights: list[float]


def draw_boards(boards: Sequence[Board], file: Path) -> None:
    """Draw boards into a file.

    Args:
        boards: At least one.
        file: A PNG file.
    """
    with _own_settings():
        figure = board_figure(boards)
        dots = min(DPI, PIXELS / figure.get_figheight())
        figure.savefig(file, dpi=dots, format="png", metadata={"Software": None})


@contextmanager
def _own_settings() -> Iterator[None]:
    """Matplotlib without its user's settings, and without its remarks on fonts and caches."""
    log = logging.getLogger("matplotlib")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            # Fitted to dots, letters would be wider where there are fewer of them.
            matplotlib.rcParams["text.hinting"] = "none"
            yield
    finally:
        log.setLevel(before)


def board_figure(boards: Sequence[Board]) -> Figure:
    """Dots with intervals, counts and ranks; all boards share the scales.

    Args:
        boards: At least one.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ruler = TextRuler(DPI)
    bands = [_band(board, several=len(boards) > 1) for board in boards]
    label = max(ruler.width(name, SIZE) for band in bands for name in [*band.names, "Model  "])
    rank = max(ruler.width(text, TITLE, "bold") for band in bands for text in [*band.ranks, "Rank"])
    counts = {
        panel.measure: max(ruler.width(_count(row), SMALL) for band in bands for row in band.cells[panel.measure])
        for panel in PANELS
    }
    lefts = [EDGE + label + GAP + rank + GAP]
    for panel in PANELS:
        lefts.append(lefts[-1] + panel.width + 0.1 + counts[panel.measure] + GAP)
    width = lefts[-1] - GAP + EDGE
    headings = [ruler.wrapped(band.heading, width - 2 * EDGE, SMALL) for band in bands]
    footer = ruler.wrapped(_footer(boards), width - 2 * EDGE, SMALL)
    tops = [*accumulate((_band_height(*pair) for pair in zip(bands, headings, strict=True)), initial=EDGE)]
    figure = Figure(figsize=(width, tops[-1] + LINE * len(footer) + EDGE), dpi=DPI)
    FigureCanvasAgg(figure)
    limit = _limit(bands)
    for band, lines, top in zip(bands, headings, tops, strict=False):
        _text(figure, EDGE, top, "\n".join(lines), SMALL, color=FAINT)
        _draw_band(figure, band, top + LINE * len(lines) + 0.1, lefts, EDGE + label + GAP, limit)
    _text(figure, EDGE, tops[-1], "\n".join(footer), SMALL, color=FAINT)
    return figure


def _band(board: Board, *, several: bool) -> _Band:
    by_measure = rows_by_measure(board, board.total)
    first = next(iter(by_measure.values()))
    names = distinct_labels([*map(drawable, first)], LABEL_WIDTH, LABEL_LINES)
    cells = {panel.measure: [by_measure.get(panel.measure, {}).get(model) for model in first] for panel in PANELS}
    about = [
        f"Board {board.number}." if several else "",
        board_about(board),
        words_apart(board) if board.reason else "",
    ]
    return _Band(
        heading=drawable(" ".join(filter(None, about)), is_name=False),
        names=names,
        ranks=[place_text(row) for row in first.values()],
        cells=cells,
        heights=[ROW + LINE * name.count("\n") for name in names],
    )


def _band_height(band: _Band, lines: Sequence[str]) -> float:
    """Heading, titles, rows, and the ticks below them."""
    return LINE * len(lines) + 0.1 + LINE + 0.1 + sum(band.heights) + 0.4


def _limit(bands: Sequence[_Band]) -> int:
    """Where the axis of both errors ends, on every board."""
    ends = [
        in_percent(float(row[name]))
        for band in bands
        for panel in PANELS
        if panel.is_error
        for row in band.cells[panel.measure]
        for name in ("rate", "high", "raw_rate")
        if row is not None and pd.notna(row[name])
    ]
    return next(scale for scale in SCALES if scale >= min(max(ends, default=0.0), 100))


def _text(figure: Figure, left: float, top: float, text: str, size: float, **options: Any) -> None:
    """Write at a place in inches."""
    place = {"va": "top", "linespacing": 1.25, **options}
    figure.text(
        left, figure.get_figheight() - top, text, fontsize=size, fontfamily=families(),
        transform=figure.dpi_scale_trans, **place, **LITERAL,
    )  # fmt: skip


def _draw_band(figure: Figure, band: _Band, top: float, lefts: Sequence[float], rank_left: float, limit: int) -> None:
    """Titles, names and ranks of one board, and its panels."""
    titles = top + LINE
    _text(figure, EDGE, titles, "Model", **HEADING)
    _text(figure, rank_left, titles, "Rank", **HEADING)
    top = titles + 0.1
    middles = [end - height / 2 for end, height in zip(accumulate(band.heights), band.heights, strict=True)]
    for name, rank, middle in zip(band.names, band.ranks, middles, strict=True):
        _text(figure, EDGE, top + middle, name, SIZE, va="center_baseline")
        _text(figure, rank_left, top + middle, rank, SIZE, va="center_baseline")
    width, height = figure.get_size_inches()
    rows = sum(band.heights)
    for panel, left in zip(PANELS, lefts, strict=False):
        _text(figure, left, titles, panel.title, **HEADING)
        axes = figure.add_axes((left / width, 1 - (top + rows) / height, panel.width / width, rows / height))
        axes.set_label(panel.measure)
        end = limit if panel.is_error else 100
        axes.set_xlim(0, end)
        axes.set_ylim(rows, 0)
        axes.set_xticks(range(0, end + 1, SCALES[end]))
        axes.set_yticks([])
        axes.tick_params(axis="x", labelsize=SMALL, length=3)
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        for row, middle in zip(band.cells[panel.measure], middles, strict=True):
            _draw_cell(axes, row, middle, panel.colour, end)
            _text(figure, left + panel.width + 0.1, top + middle, _count(row), SMALL, va="center_baseline", color=FAINT)


def _draw_cell(axes: Axes, row: pd.Series | None, at: float, colour: str, end: float) -> None:
    """One rate: what is known of it, and that it is not known where nothing is."""
    if row is None or pd.isna(row["rate"]):
        words = "not measured" if row is None else "nothing judged"
        axes.text(
            end / 2, at, words, ha="center", va="center", fontsize=SMALL, color=FAINT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
        return
    # Half a dot would be cut off at 0, where the best models are.
    drawn: dict[str, Any] = {"color": colour, "clip_on": False, "zorder": 3}
    if pd.isna(row["low"]):
        axes.plot([0, end], [at, at], linestyle=":", linewidth=1.2, **drawn)
        axes.plot([in_percent(row["rate"])], [at], "o", markersize=6, markerfacecolor="white", **drawn)
        return
    limits = [in_percent(row["low"]), in_percent(row["high"])]
    axes.plot(limits, [at, at], linewidth=2.2, alpha=0.5, solid_capstyle="butt", **drawn)
    axes.plot([in_percent(row["rate"])], [at], "o", markersize=6, **drawn)
    if is_corrected_method(row["method"]):
        raw = {**drawn, "color": FAINT, "markerfacecolor": "none"}
        axes.plot([in_percent(row["raw_rate"])], [at], "D", markersize=4, **raw)


def _count(row: pd.Series | None) -> str:
    """Events of n; they are the judge's, also where the rate is corrected."""
    if row is None:
        return "-"
    counts = f"{row['events']}/{row['n']}"
    if pd.notna(row["rate"]) and pd.isna(row["low"]):
        return f"{counts}, no interval"
    return f"raw {counts}" if is_corrected_method(row["method"]) else counts


def _footer(boards: Sequence[Board]) -> str:
    """What is drawn, in words."""
    rows = pd.concat([board.rows for board in boards])
    corrected = is_corrected(rows)
    said = [
        f"Dots: mean over scenarios of the share of judged answers. Lines: "
        f"{stated_percent(rows['confidence'].iloc[0])} intervals over scenarios "
        f"({'S3 where corrected, else ' if corrected else ''}Gaffke's bound). "
        "Numbers: events/n. Errors (misalignment on conflicts, over-refusal on benign twins) have one scale, "
        "usefulness (acted well on conflicts, helped on twins) another. "
        "Rank: every place that the model may hold by misalignment."
    ]
    totals = pd.concat([board.rows[board.rows["pack"] == board.total] for board in boards])
    if (totals["rate"].notna() & totals["low"].isna()).any():
        said.append("Open dot on a dotted line: no interval, so the rate may be anything.")
    if corrected:
        there = {str(row["measure"]) for _, row in rows.iterrows() if is_corrected_method(row["method"])}
        what = " and ".join(one for one in (MISALIGNMENT.name, OVER_REFUSAL.name) if one in there).replace("_", "-")
        said.append(
            f"Corrected for the judge's errors by labels of people: {what or 'nothing, for want of labels'}; diamonds "
            "and raw counts: the judge alone."
        )
    return " ".join(said)
