"""Every command's table on terminals of 80, 100 and 120 columns: kept as files, and no number or name is broken."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from screen_tables import COMMANDS, WIDTHS, screen, write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Golden

pytestmark = pytest.mark.slow

_shown = cache(screen)
NUMBER = r"[-+<]?\s?\d[\d.,]*"
CELL = re.compile(rf"\S+|{NUMBER} %|({NUMBER}( %)? )?\[.*\]|\d+/\d+ in \d+|[\d.]+( / [\d.]+)+( of \d+)?")
"""A number, an interval or a name, as it stands between the columns of a table."""


@pytest.fixture(scope="module")
def tables(shared_folder: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """The folder with the tables that the commands read."""
    return shared_folder("screens", write_tables)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_the_screen_is_the_one_that_was_looked_at(name: str, width: int, tables: Path, golden: Golden) -> None:
    """The whole text, to the last digit; --refresh-golden writes it anew."""
    golden(f"screens/{name}.{width}.txt", _shown(COMMANDS[name], tables, width))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_too_long_and_every_cell_is_whole(name: str, width: int, tables: Path) -> None:
    """What stands in a cell where there is room stands in one line of the terminal too."""
    narrow, wide = _shown(COMMANDS[name], tables, width), _shown(COMMANDS[name], tables)
    assert max(map(len, narrow.splitlines())) <= width
    cells = {cell for line in _body(wide) for cell in re.split(r"\s{2,}", line.strip()) if CELL.fullmatch(cell)}
    assert cells or name in ("plan_target", "leaderboard")
    words = set(re.split(r"[\s,]+", narrow))
    assert [cell for cell in cells if (cell not in narrow if " " in cell else cell not in words)] == []


def _body(text: str) -> Iterator[str]:
    """The lines of tables below their headings."""
    inside = False
    for line in text.splitlines():
        inside = line.startswith(" ──") or (inside and bool(line))
        if inside and not line.startswith(" ──"):
            yield line
