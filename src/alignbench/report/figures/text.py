"""Names in a figure: drawn with the letters that fonts have, shortened so that they stay apart, and measured."""

from __future__ import annotations

import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any

from alignbench.text.words import visible, visible_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TextRuler", "distinct_labels", "drawable", "families"]

_FURTHER = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK KR", "Noto Sans JP", "Noto Sans SC",
    "Noto Sans KR", "Source Han Sans", "IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei",
    "Malgun Gothic", "MS Gothic", "SimHei", "Arial Unicode MS", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Emoji",
)  # fmt: skip
"""Fonts with letters that matplotlib's own lacks; those that are installed are used."""
_BREAKS = "/-_ ,:.=+"
"""After these a long name goes on in the next line."""


@cache
def families() -> list[str]:
    """Matplotlib's own font, then the installed ones that have further letters."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FURTHER if name in installed)]


@cache
def _letters() -> frozenset[int]:
    """What the fonts of `families` can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset().union(*(get_font(findfont(FontProperties(family=[name]))).get_charmap() for name in families()))


def drawable(text: str, *, is_name: bool = True) -> str:
    """The text in one line; a letter that no font has as its escape, and not as an empty box.

    Args:
        text: The text.
        is_name: Whether it is a name as it is; sentences hold names that are visible already.
    """
    shown = visible_name(text) if is_name else visible(text)
    return "".join(one if ord(one) in _letters() else one.encode("ascii", "backslashreplace").decode() for one in shown)


def distinct_labels(names: Sequence[str], width: int, lines: int) -> list[str]:
    """Names as labels of some lines; where they are shortened, what tells them apart stays.

    Args:
        names: Names, no two alike.
        width: Letters of a line.
        lines: How many lines a label may have.
    """
    # A line may end up to a quarter before its end, behind a sign.
    room = width + (lines - 1) * (width - width // 4)
    short = [_in_the_middle(name, room) for name in names]
    alike: dict[str, list[str]] = {}
    for name, label in zip(names, short, strict=True):
        alike.setdefault(label, []).append(name)
    for at, name in enumerate(names):
        others = [other for other in alike[short[at]] if other != name]
        if others:
            short[at] = _round_difference(name, others, room)
    for at, label in enumerate(short):
        if label in short[:at]:
            mark = f" #{at + 1}"
            short[at] = label[: room - len(mark)] + mark
    return ["\n".join(_broken(label, width)) for label in short]


def _in_the_middle(text: str, room: int) -> str:
    """The text, or its two ends."""
    if len(text) <= room:
        return text
    tail = (room - 1) // 2
    return f"{text[: room - 1 - tail]}…{text[len(text) - tail :]}"


def _round_difference(name: str, others: Sequence[str], room: int) -> str:
    """Both ends of a name, and between them the place where it parts from those that have the same ends."""
    at = max(_common(name, other) for other in others)
    part = (room - 2) // 3
    start = max(at - part // 4, part)
    return f"{name[:part]}…{name[start : start + part]}…{name[len(name) - part :]}"


def _common(name: str, other: str) -> int:
    """How many letters at the start two names have in common."""
    return next((at for at, pair in enumerate(zip(name, other, strict=False)) if pair[0] != pair[1]), len(name))


def _broken(text: str, width: int) -> list[str]:
    """A text in lines, broken behind a sign where there is one near the end of a line."""
    found = []
    while len(text) > width:
        ends = [at + 1 for at in range(width - width // 4, width) if text[at] in _BREAKS]
        end = ends[-1] if ends else width
        found.append(text[:end])
        text = text[end:]
    return [*found, text]


class TextRuler:
    """Measures texts as a figure will have them.

    Args:
        dots: Dots an inch.
    """

    def __init__(self, dots: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure = Figure(dpi=dots)
        canvas: Any = FigureCanvasAgg(self._figure)
        self._renderer = canvas.get_renderer()

    def width(self, text: str, size: float, weight: str = "normal") -> float:
        """Inches that a text of some lines is wide."""
        drawn = self._figure.text(
            0, 0, text, fontsize=size, fontfamily=families(), weight=weight, parse_math=False, usetex=False
        )
        extent = drawn.get_window_extent(self._renderer)
        drawn.remove()
        return float(extent.width) / self._figure.dpi

    def wrapped(self, text: str, inches: float, size: float) -> list[str]:
        """The text in lines, none of them wider than that."""
        letters = max(int(inches * 200 / size), 8)
        while True:
            lines = textwrap.wrap(text, letters, drop_whitespace=True, break_on_hyphens=False)
            if letters <= 8 or self.width("\n".join(lines), size) <= inches:
                return lines
            letters = int(letters * 0.93)
