"""Tables and sentences as lines of plain text that fit a screen; no number, interval or name is ever broken.

A table that is too wide takes the first of these forms that fits: headings and remarks in several lines; what names a
group of rows in a line above them, remarks in lines below their row; several tables, each with the names of its rows.
A word that is wider than the screen by itself stays whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from alignbench.text.words import visible_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["PIPE_WIDTH", "Lines", "numeric", "shown", "table_lines", "wrapped"]

PIPE_WIDTH = 240
"""Columns of what is no terminal."""
_REMARKS = ("flags", "Flags", "why", "order", "meaning", "title", "unscored", "levels")
"""Columns of words, which may be folded, and stand below their row where there is no room beside it."""
_NOTHING = ("", "-")
"""A remark that says nothing."""
_SHORTEST = 24
"""Columns that folded remarks are given at least, if they need as many."""
_EDGE, _BETWEEN, _INDENT = "  ", "   ", "  "
_TOGETHER = re.compile(
    r"\[[^\[\]]*\d[^\[\]]*\]"  # an interval
    r"|[+-]?[\d.]+ to [+-]?[\d.]+(?: %| points)?"
    r"|\d+(?:\.\d+)? (?:%|points?\b)(?: \[[^\[\]]*\])?"
    r"|[\d.]+(?: / [\d.]+)+"
    r"|\d[\d.]*(?: %)? -> \d[\d.]*(?: %)?"
)
"""What stands in one line although it holds blanks."""


class Lines(str):
    """A cell of several lines that we have broken ourselves; a line break within a name is no such line."""

    __slots__ = ()

    @classmethod
    def of(cls, parts: Iterable[object]) -> Lines:
        """One line for each part, whatever it holds."""
        return cls("\n".join(visible_name(str(part)) for part in parts))


def shown(value: object) -> str:
    """A cell or a heading as it is printed: one line, or those of `Lines`."""
    return value if isinstance(value, Lines) else visible_name(str(value))


def wrapped(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """A sentence in lines of at most `width` columns, broken at blanks that are not within a number or an interval.

    Args:
        text: One line.
        width: Columns.
        first: What stands before the first line.
        rest: What stands before the others.
    """
    line, lines, empty = first, [], True
    for word in _TOGETHER.sub(lambda found: found[0].replace(" ", "\0"), text).split(" "):
        whole = word.replace("\0", " ")
        longer = line + whole if empty else f"{line} {whole}"
        if not empty and cell_len(longer) > width:
            lines.append(line)
            longer = rest + whole
        line, empty = longer, False
    return [*lines, line]


def numeric(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether every cell of a column begins as a number, an interval or a bound does; a lone `-` is nothing."""
    return all(str(row[name])[:1] in "0123456789-+[<" for row in rows)


def table_lines(
    rows: Sequence[Mapping[str, Any]], width: int, *, keys: Sequence[str] | None = None, once: bool = False
) -> list[str]:
    """Rows as a table of at most `width` columns, or as several; numbers stand to the right.

    Args:
        rows: One row or more, heading to cell.
        width: Columns of the screen.
        keys: Columns that name a row; default: those before the first number, and at least the first.
        once: Whether names that all keys but the last share with the row above are left out.
    """
    table = _Table(rows, keys, once=once)
    for design in table.designs(width):
        if table.width(design) <= width:
            return table.drawn(design, width)
    return table.in_blocks(width)


@dataclass(frozen=True, slots=True)
class _Design:
    """One way to draw a table, or a part of it.

    Attributes:
        columns: What stands side by side.
        above: Keys that stand in a line above the rows that share them.
        below: Remarks that stand in lines below their row.
        folded: Whether headings may have several lines.
        room: Columns for each remark among `columns`; 0: as many as it needs.
    """

    columns: tuple[str, ...]
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    folded: bool = True
    room: int = 0

    @property
    def edge(self) -> str:
        """What every row begins with."""
        return _EDGE + (_INDENT if self.above else "")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it is drawn: its heading and its cells in lines, how wide it is, and on which side texts stand."""

    heading: list[str]
    cells: list[list[str]]
    width: int
    right: bool


class _Table:
    """Rows, with what names them."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], keys: Sequence[str] | None, *, once: bool) -> None:
        self._rows, self._once = rows, once
        self._made: dict[tuple[str, bool, int], _Column] = {}
        self._names = tuple(rows[0])
        self._keys = tuple(self._first_words() if keys is None else keys)
        self._others = tuple(name for name in self._names if name not in self._keys)
        words = (at for at, name in enumerate(self._keys) if numeric(rows, name))
        self._above = self._keys[: next(words, len(self._keys))]
        """Keys that may stand in a line above rows; a number there would say nothing."""
        self._remarks = tuple(name for name in self._others if name in _REMARKS)

    def _first_words(self) -> tuple[str, ...]:
        words = (at for at, name in enumerate(self._names) if numeric(self._rows, name) or name in _REMARKS)
        return self._names[: max(next(words, len(self._names)), 1)]

    def designs(self, width: int) -> Iterator[_Design]:
        """Ways to draw the whole, the most readable first."""
        yield _Design(self._names, folded=False)
        for count in range(len(self._above) + (len(self._keys) > len(self._above))):
            above = self._above[:count]
            short = tuple(name for name in self._names if name not in (*above, *self._remarks))
            yield from self._with_remarks(_Design(short, above), width)

    def _with_remarks(self, design: _Design, width: int) -> Iterator[_Design]:
        """Remarks beside the rest, if there is room, else below the rows."""
        # A column of remarks without one is left out.
        made = [name for name in self._remarks if any(shown(row[name]) not in _NOTHING for row in self._rows)]
        if made:
            room = (width - self.width(design)) // len(made) - len(_BETWEEN)
            longest = max(cell_len(shown(text)) for name in made for text in (name, *(row[name] for row in self._rows)))
            if room >= min(longest, _SHORTEST):
                yield replace(design, columns=(*design.columns, *made), room=room)
        yield replace(design, below=self._remarks)

    def in_blocks(self, width: int) -> list[str]:
        """Several tables that fit, in the fewest lines; each has the names of its rows, the last one the remarks."""
        tried = [self._parts(self._above[:count], width) for count in range(len(self._above) + 1)]
        fit = [parts for parts in tried if all(self.width(part) <= width for part in parts)] or [
            self._parts(self._keys, width)
        ]
        drawn = [[line for part in parts for line in self.drawn(part, width)[1:]] for parts in fit]
        return ["", *min(drawn, key=len)]

    def _parts(self, above: tuple[str, ...], width: int) -> list[_Design]:
        beside = tuple(name for name in self._keys if name not in above)
        parts: list[tuple[str, ...]] = []
        for name in self._others:
            if name in self._remarks:
                continue
            if parts and self.width(_Design((*beside, *parts[-1], name), above)) <= width:
                parts[-1] += (name,)
            else:
                parts.append((name,))
        designs = [_Design((*beside, *part), above) for part in parts or [()]]
        return [*designs[:-1], next(self._with_remarks(designs[-1], width))]

    def width(self, design: _Design) -> int:
        """Columns that the rows need, without the lines above and below them."""
        columns = [self._column(name, design) for name in design.columns]
        return len(design.edge) + sum(one.width for one in columns) + len(_BETWEEN) * max(len(columns) - 1, 0)

    def _column(self, name: str, design: _Design) -> _Column:
        """The column as the design has it; made once, as many designs of a long table are tried."""
        look = (name, design.folded, design.room if name in self._remarks else 0)
        if look not in self._made:
            self._made[look] = self._make(name, design)
        return self._made[look]

    def _make(self, name: str, design: _Design) -> _Column:
        cells = [shown(row[name]).split("\n") for row in self._rows]
        if name in self._remarks and design.room:
            cells = [[part for line in cell for part in wrapped(line, design.room)] for cell in cells]
        if self._once and name in self._keys[:-1]:
            cells = [[""] if self._repeated(at) else cell for at, cell in enumerate(cells)]
        body = max(cell_len(line) for cell in cells for line in cell)
        heading = [
            part for line in shown(name).split("\n") for part in (wrapped(line, body) if design.folded else [line])
        ]
        return _Column(heading, cells, max(body, *map(cell_len, heading)), numeric(self._rows, name))

    def _repeated(self, at: int) -> bool:
        """Whether all names of a row but the last stand in the row above it."""
        return at > 0 and all(self._rows[at][key] == self._rows[at - 1][key] for key in self._keys[:-1])

    def drawn(self, design: _Design, width: int) -> list[str]:
        """The lines."""
        columns = [self._column(name, design) for name in design.columns]
        height = max((len(one.heading) for one in columns), default=0)
        lines = ["", *([_EDGE + ", ".join(design.above)] if design.above else [])]
        # Headings stand on the rule, whatever their height.
        headings = [[""] * (height - len(one.heading)) + one.heading for one in columns]
        lines += _side_by_side(design.edge, columns, headings)
        lines.append(" " + "─" * (self.width(design) - 1))
        for at, row in enumerate(self._rows):
            new = at == 0 or any(row[key] != self._rows[at - 1][key] for key in design.above)
            if design.above and new:
                names = ", ".join(shown(row[key]).replace("\n", " ") for key in design.above)
                lines += wrapped(names, width, first=_EDGE, rest=_EDGE + _INDENT)
            lines += _side_by_side(design.edge, columns, [one.cells[at] for one in columns])
            for name in design.below:
                lines += self._remark(name, row, design.edge + _INDENT, width)
        return [*lines, ""]

    @staticmethod
    def _remark(name: str, row: Mapping[str, Any], edge: str, width: int) -> list[str]:
        text = shown(row[name]).replace("\n", " ")
        return wrapped(f"{name}: {text}", width, first=edge, rest=edge + _INDENT) if text not in _NOTHING else []


def _side_by_side(edge: str, columns: Sequence[_Column], cells: Sequence[Sequence[str]]) -> list[str]:
    """One row of cells, which may have several lines each."""
    lines = []
    for at in range(max(map(len, cells), default=0)):
        texts = [cell[at] if at < len(cell) else "" for cell in cells]
        blanks = [" " * (one.width - cell_len(text)) for one, text in zip(columns, texts, strict=True)]
        padded = [
            blank + text if one.right else text + blank for one, text, blank in zip(columns, texts, blanks, strict=True)
        ]
        lines.append((edge + _BETWEEN.join(padded)).rstrip())
    return lines
