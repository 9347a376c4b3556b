"""Whether a table fits the screen, and what is done where it does not."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from alignbench.text import visible_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PIPE_WIDTH", "Lines", "blocks", "fitted", "fitting", "numeric", "screen_width", "shown", "table_width"]

PIPE_WIDTH = 240
"""Columns of what is no terminal."""
_BETWEEN = 3
"""Blanks round the text of a column."""
_SHORTEST = 12
"""Columns that flags are given at least."""


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


def screen_width() -> int:
    """Columns that a table may take."""
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else PIPE_WIDTH


def table_width(rows: Sequence[Mapping[str, Any]]) -> int:
    """Columns that `alignbench.cli.common.print_table` needs for these rows without folding a text."""
    names = list(rows[0]) if rows else []
    texts = ([shown(name), *(shown(row[name]) for row in rows)] for name in names)
    return 1 + sum(max(len(line) for text in column for line in text.split("\n")) + _BETWEEN for column in texts)


def fitted(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Rows that name their group once; on a narrow screen its names stand below each other, and flags are folded.

    Args:
        rows: Rows in which those of a group stand together; `flags`, if there, is the last column.
        keys: The columns that name a group, the first ones of each row.
    """
    places: list[int] = []
    for at, row in enumerate(rows):
        again = at > 0 and all(row[key] == rows[at - 1][key] for key in keys)
        places.append(places[-1] + 1 if again else 0)
    once = [{**row, **(dict.fromkeys(keys, "") if place else {})} for row, place in zip(rows, places, strict=True)]
    if table_width(once) > screen_width():
        once = _folded(_stacked(rows, keys, places) if len(keys) > 1 else once)
    return once


def blocks(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Rows as tables of a few columns each, so that every table fits the screen and no name is cut.

    Args:
        rows: Rows, each of a group of its own.
        keys: The columns that name a row, the first ones of each row; they stand in every table.
    """
    whole = [dict(row) for row in rows]
    if table_width(whole) <= screen_width():
        return [whole]
    if len(keys) > 1:
        whole = _stacked(whole, keys, [0] * len(whole))
        keys = [", ".join(keys)]
    tables: list[list[str]] = []
    for name in (name for name in whole[0] if name not in keys):
        tried = [*keys, *(tables[-1] if tables else ()), name]
        if tables and table_width([{one: row[one] for one in tried} for row in whole]) <= screen_width():
            tables[-1].append(name)
        else:
            tables.append([name])
    return [[{one: row[one] for one in (*keys, *names)} for row in whole] for names in tables]


def numeric(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether every cell of a column begins as a number, an interval or a bound does; a lone `-` is nothing."""
    return all(str(row[name])[:1] in "0123456789-+[<" for row in rows)


def fitting(rows: Sequence[Mapping[str, Any]]) -> list[Sequence[Mapping[str, Any]]]:
    """The rows as they are, or where they are wider than the screen in `blocks`, so that no number is broken.

    What names a row is then the text before the first number, and at least the first column.
    """
    if table_width(rows) <= screen_width():
        return [rows]
    names = list(rows[0])
    first = next((at for at, name in enumerate(names) if numeric(rows, name)), len(names))
    return [*blocks(rows, names[: max(first, 1)])]


def _stacked(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], places: Sequence[int]) -> list[dict[str, Any]]:
    """What names a group in one column, a name a row, the last row with those that are left."""
    stacked = []
    for at, (row, place) in enumerate(zip(rows, places, strict=True)):
        last = at + 1 == len(rows) or not places[at + 1]
        names = Lines.of(row[key] for key in (keys[place:] if last else keys[place : place + 1]))
        stacked.append({", ".join(keys): names, **{name: row[name] for name in row if name not in keys}})
    return stacked


def _folded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Flags in as many lines as the screen leaves them columns for."""
    if "flags" not in rows[0]:
        return rows
    others = [{name: value for name, value in row.items() if name != "flags"} for row in rows]
    room = max(screen_width() - table_width(others) - _BETWEEN, _SHORTEST)
    return [{**row, "flags": Lines.of(textwrap.wrap(row["flags"], room, break_long_words=False))} for row in rows]
