"""Markdown of ours: texts and names of others escaped in it, and tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alignbench.text.words import visible, visible_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Markdown",
    "markdown_line",
    "markdown_name",
    "markdown_plain",
    "markdown_points",
    "markdown_table",
    "markdown_text",
]

_MARKUP = re.compile(r"([|*`<>\[\]\\~&$]|:(?=//)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_INTERVAL = re.compile(r"\\\[([-+]?[\d.]+, [-+]?[\d.]+)\\\](?![(:]|\\\[)")
"""An interval within an escaped text: two numbers in brackets are no link unless an address follows."""
_EMPHASIS = re.compile(r"\\([!-/:-@\[-`{-~])|&#32;|\*\*?")
"""A sign or blank that was escaped, which stays; or a sign of emphasis, which goes."""
_BLOCK = re.compile(r"^(?:[-+=#]|(\d+)(?=[.)]))")
"""What would begin a heading, a list or a rule at the start of a line."""


class Markdown(str):
    """Text that is Markdown already, which a table takes as it is."""

    __slots__ = ()


def markdown_text(text: str) -> Markdown:
    """`visible`, with what Markdown, the HTML or the formulas in it would take for markup escaped."""
    line = _INTERVAL.sub(r"[\1]", _MARKUP.sub(r"\\\1", visible(text)))
    # Markdown drops blanks at the ends of a cell, and takes four before a line for code.
    inner = line.strip(" ")
    before, _, after = line.partition(inner) if inner else (line, "", "")
    return Markdown("&#32;" * len(before) + inner + "&#32;" * len(after))


def markdown_line(text: str) -> Markdown:
    """`markdown_text` for what begins a line or a point of a list: no heading, list or rule is made of it."""
    line = markdown_text(text)
    return Markdown(_BLOCK.sub(lambda found: f"\\{found[0]}" if found[1] is None else f"{found[1]}\\", line))


def markdown_name(name: str) -> Markdown:
    """`visible_name`, with what Markdown would take for markup escaped."""
    return markdown_text(visible_name(name))


def markdown_points(lines: Iterable[str]) -> str:
    """Sentences as the points of a list.

    Args:
        lines: Texts, which are escaped, or `Markdown`.
    """
    return "\n".join(f"- {line if isinstance(line, Markdown) else markdown_line(line)}" for line in lines)


def markdown_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table.

    Args:
        heading: The headings.
        rows: The cells of each row. A text is escaped; a name of somebody else has been through `markdown_name`, as all
            `Markdown` stays as it is.
    """
    return "\n".join(map(_row, [heading, [Markdown("---")] * len(heading), *rows]))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell if isinstance(cell, Markdown) else markdown_text(cell) for cell in cells)} |"


def markdown_plain(text: str) -> str:
    """Markdown of ours for a screen that shows it as it is: without emphasis, names as they are."""
    return _EMPHASIS.sub(lambda found: " " if found[0] == "&#32;" else found[1] or "", text)
