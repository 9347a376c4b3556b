"""The figure of a leaderboard: every text inside it and on nothing else, every dot whole, what is unknown so drawn."""

from __future__ import annotations

import logging
import string
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import matplotlib.image
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_tables import models, write_labels
from test_leaderboard import NAMES, OTHER, THREE, measured, together

from alignbench.analysis.rates.calibrate import calibrate
from alignbench.labels.read import read_labels
from alignbench.report.figures.text import distinct_labels, drawable, families
from alignbench.report.leaderboard.boards import leaderboard
from alignbench.report.leaderboard.figure import board_figure, draw_boards

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alignbench.report.leaderboard.board import Board

ALIKE = [f"owner/{'same-beginning-' * 5}{variant}{'-same-end' * 8}" for variant in ("one", "two", "three")]
LONG = [*ALIKE, *(f"{'y' * 140}-{at:09}" for at in range(9))]
ONE_ANSWER = pd.DataFrame(
    {"model": ["m", "m", "n", "n"], "scenario": "s", "twin": [False, True] * 2,
     "verdict": ["aligned", "refused", "misaligned", None]}
)  # fmt: skip


def boards_of(case: str) -> list[Board]:
    """Boards by the name of a case."""
    if case == "one model":
        return leaderboard(measured("only", 0.3, 1))
    if case == "long names":
        return leaderboard(together(*(measured(name, 0.05 + 0.07 * at, at) for at, name in enumerate(LONG))))
    if case == "two boards":
        apart = OTHER.assign(judge="judge/two " + "with a long name " * 12)
        return leaderboard(together(THREE, apart, apart[~apart["twin"]].assign(model="no twins")))
    if case == "one answer":
        return leaderboard(ONE_ANSWER)
    if case == "hostile names":
        tables = [measured(name, 0.1 + 0.04 * at, at, judge="judge/$x$_1\n模") for at, name in enumerate(NAMES)]
        return leaderboard(together(*tables))
    return leaderboard(THREE)


@cache
def figure_of(case: str) -> Figure:
    """The figure of a case, drawn once."""
    return board_figure(boards_of(case))


CASES = ["three models", "one model", "long names", "two boards", "one answer", "hostile names"]


def written(figure: Figure) -> dict[Any, tuple[str, Any]]:
    """Every text that is drawn, with its box."""
    canvas: Any = figure.canvas
    renderer = canvas.get_renderer()
    figure.draw(renderer)
    ticks = [label for axes in figure.axes for label in axes.get_xticklabels()]
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts), *ticks]
    return {text: (text.get_text(), text.get_window_extent(renderer)) for text in texts if text.get_text().strip()}


def drawn_at(line: Any) -> list[float]:
    """The rates at which a line or a dot is drawn."""
    return [float(value) for value in line.get_xdata()]


def panels(figure: Figure, measure: str) -> list[Axes]:
    """The panels of one measure, a board each."""
    return [axes for axes in figure.axes if axes.get_label() == measure]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_texts_lie_inside_and_on_nothing_else(case: str) -> None:
    """No text leaves the figure, covers another, or lies on a panel to which it does not belong."""
    figure = figure_of(case)
    found = written(figure)
    page = figure.bbox
    for shown, box in found.values():
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, shown
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, shown
    for (one, first), (other, second) in combinations(found.values(), 2):
        assert not first.overlaps(second), (one, other)
    for text in figure.texts:
        for axes in figure.axes:
            assert not found[text][1].overlaps(axes.get_window_extent()), text.get_text()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_scales_are_shared_and_dots_are_whole(case: str) -> None:
    """Both errors have one scale on all boards, usefulness has 0 to 100; every point is on it and none is clipped."""
    figure = figure_of(case)
    errors = [*panels(figure, "misalignment"), *panels(figure, "over_refusal")]
    assert len({axes.get_xlim() for axes in errors}) == 1
    assert {axes.get_xlim() for axes in figure.axes if axes not in errors} == {(0.0, 100.0)}
    for axes in figure.axes:
        for line in axes.lines:
            low, high = axes.get_xlim()
            assert all(low <= value <= high for value in drawn_at(line))
            assert not line.get_clip_on()


@pytest.mark.slow
def test_the_figure_names_ranks_counts_packs_and_judge() -> None:
    """Each model's rank and counts stand in its row, the pack's digest and the judge above; usefulness is drawn."""
    (board,) = leaderboard(THREE)
    figure = board_figure([board])
    texts = [text for text, _ in written(figure).values()]
    rows = board.rows[board.rows["pack"] == board.total]
    assert [text for text in texts if text in ("1-1", "2-2", "3-3")] == ["1-1", "2-2", "3-3"]
    assert {f"{row['events']}/{row['n']}" for _, row in rows.iterrows()} <= set(texts)
    (about,) = [text.replace("\n", " ") for text in texts if text.startswith("Packs: ")]
    assert "pack_0 (digest d1), pack_1 (digest d1). Judge: judge/one (configuration c1, unexamined)" in about
    for measure in ("misalignment", "over_refusal", "acted_well", "helped"):
        (axes,) = panels(figure, measure)
        dots = [drawn_at(line)[0] for line in axes.lines if line.get_marker() == "o"]
        rates = rows[rows["measure"] == measure].set_index("model")["rate"]
        assert dots == pytest.approx([100 * rates[model] for model in ("good", "middling", "poor")])


@pytest.mark.slow
def test_what_is_not_known_is_drawn_as_unknown() -> None:
    """One answer has no interval: an open dot on a dotted line over the whole scale; of no answer there are words."""
    figure = figure_of("one answer")
    texts = [text for text, _ in written(figure).values()]
    (misalignment,), (over_refusal,) = panels(figure, "misalignment"), panels(figure, "over_refusal")
    assert "0/1, no interval" in texts
    assert any("no interval, so the rate may be anything" in text.replace("\n", " ") for text in texts)
    whole, dot = misalignment.lines[:2]
    assert drawn_at(whole) == [0, 100]
    assert (whole.get_linestyle(), dot.get_markerfacecolor()) == (":", "white")
    assert [text.get_text() for text in over_refusal.texts] == ["nothing judged"]
    conflicts = measured("only", 0.3, 1).query("not twin")
    bare = board_figure(leaderboard(conflicts))
    assert [text.get_text() for text in panels(bare, "helped")[0].texts] == ["not measured"]
    assert not panels(bare, "helped")[0].lines


@pytest.mark.slow
def test_corrected_rates_are_told_from_raw_ones(tmp_path: Path) -> None:
    """The dot is the corrected rate, a diamond the raw one; the counts, which are the judge's, are called raw."""
    tables = models(a=0.03, b=0.20)
    write_labels(tmp_path / "labels.csv", *tables)
    (board,) = leaderboard(
        tables[1], calibration=calibrate(tables[1], read_labels([tmp_path / "labels.csv"])).calibration
    )
    figure = board_figure([board])
    rows = board.rows[board.rows["measure"] == "misalignment"].set_index("model")
    (axes,) = panels(figure, "misalignment")
    for marker, column in (("o", "rate"), ("D", "raw_rate")):
        drawn = [drawn_at(line)[0] for line in axes.lines if line.get_marker() == marker]
        assert drawn == pytest.approx([100 * rows[column][name] for name in ("a", "b")])
    texts = [text for text, _ in written(figure).values()]
    assert {f"raw {rows['events'][name]}/{rows['n'][name]}" for name in ("a", "b")} <= set(texts)
    twins = board.rows[board.rows["measure"] == "over_refusal"].iloc[0]
    assert f"{twins['events']}/{twins['n']}" in texts
    assert any("diamonds and raw counts: the judge alone" in text.replace("\n", " ") for text in texts)


def test_long_names_stay_apart() -> None:
    """Names of 150 letters are shortened in the middle; what tells them apart is still there."""
    labels = distinct_labels(LONG, 38, 2)
    assert len(set(labels)) == len(LONG)
    assert all(len(line) <= 38 for label in labels for line in label.split("\n"))
    assert all(word in label.replace("\n", "") for word, label in zip(("one", "two", "three"), labels, strict=False))
    assert all(label.endswith(f"-{at:09}") for at, label in enumerate(labels[3:]))
    assert distinct_labels(["short", "names"], 38, 2) == ["short", "names"]


@settings(max_examples=60)
@given(
    st.lists(
        st.builds("".join, st.lists(st.sampled_from(["a" * 30, "b" * 30, "a", "b", "-"]), max_size=12)),
        unique=True, max_size=8,
    )
)  # fmt: skip
def test_no_two_names_have_one_label(names: list[str]) -> None:
    """Whatever the names, wherever they differ: distinct, in two lines of the width at most."""
    labels = distinct_labels(names, 20, 2)
    assert len({label.replace("\n", "") for label in labels}) == len(names)
    assert all(len(line) <= 20 for label in labels for line in label.split("\n"))
    assert all(label.count("\n") <= 1 for label in labels)


def test_letters_without_a_font_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed font that has a letter draws it; where none has, its escape stands there, and no box."""
    shown = drawable("模型 a\nb")
    assert shown in ("模型 a\\nb", "\\u6a21\\u578b a\\nb")
    monkeypatch.setattr("alignbench.report.figures.text._letters", lambda: frozenset(map(ord, string.printable)))
    assert drawable("模型 a") == "\\u6a21\\u578b a"
    assert families()[0] == "DejaVu Sans"


@pytest.mark.slow
def test_drawing_says_nothing_and_heeds_no_settings(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Matplotlib's remarks are not passed on, its user's settings change nothing, and both are as before."""
    boards, level = boards_of("hostile names"), logging.getLogger("matplotlib").level
    draw_boards(boards, tmp_path / "plain.png")
    with matplotlib.rc_context({"axes.facecolor": "black", "font.family": ["No Such Font"], "text.usetex": True}):
        draw_boards(boards, tmp_path / "own.png")
        assert matplotlib.rcParams["text.usetex"]
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "plain.png").read_bytes()
    assert caplog.records == []
    assert logging.getLogger("matplotlib").level == level


@pytest.mark.slow
def test_a_board_of_very_many_models_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a picture would have more dots than can be drawn, it has fewer an inch and still every row."""
    (board,) = leaderboard(measured("only", 0.3, 1))
    rows = pd.concat([board.rows.assign(model=f"model {at}") for at in range(40)], ignore_index=True)
    many = replace(board, rows=rows)
    draw_boards([many], tmp_path / "usual.png")
    monkeypatch.setattr("alignbench.report.leaderboard.figure.PIXELS", 1000)
    draw_boards([many], tmp_path / "small.png")
    usual, small = (matplotlib.image.imread(tmp_path / name).shape for name in ("usual.png", "small.png"))
    assert usual[0] > 1500
    assert 990 <= small[0] <= 1000
    assert small[1] / small[0] == pytest.approx(usual[1] / usual[0], rel=0.01)
