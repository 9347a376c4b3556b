"""Rows of results as types: their fields are the columns, in order, each with its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest

from alignbench.table.frames import rows_frame
from alignbench.text.rows import SPREAD, as_columns, columns_markdown, meanings


@dataclass(frozen=True, kw_only=True)
class _Part:
    asked: Annotated[int, "Outputs planned."]
    tie: Annotated[int, "Ties."] = 0


@dataclass(frozen=True, kw_only=True)
class _Row:
    group: Annotated[dict[str, object], SPREAD]
    rate: Annotated[float | None, "A share | a part."]
    part: Annotated[_Part | None, SPREAD] = None
    flags: Annotated[tuple[str, ...], "Warnings."] = ()


@dataclass(frozen=True, kw_only=True)
class _Silent:
    rate: float


def test_columns_stand_in_the_order_of_the_fields() -> None:
    """What is spread stands in the place of its field, with its own meanings."""
    assert dict(meanings(_Row)) == {
        "rate": "A share | a part.",
        "asked": "Outputs planned.",
        "tie": "Ties.",
        "flags": "Warnings.",
    }


def test_a_row_is_its_columns() -> None:
    """Entries of a mapping and fields of a part are columns; a part that is not there has none."""
    whole = _Row(group={"model": "m"}, rate=0.5, part=_Part(asked=3))
    assert as_columns(whole) == {"model": "m", "rate": 0.5, "asked": 3, "tie": 0, "flags": ()}
    assert as_columns(_Row(group={}, rate=None)) == {"rate": None, "flags": ()}


def test_a_frame_has_every_column_without_rows() -> None:
    """The row type says the columns, not the rows; the group stands first, and some may be left out."""
    assert list(rows_frame([], _Row, ["model"], without=["tie"])) == ["model", "rate", "asked", "flags"]
    rows = [_Row(group={"model": "m"}, rate=0.5, part=_Part(asked=3))]
    assert rows_frame(rows, _Row, ["model"]).loc[0, "asked"] == 3


def test_a_field_that_does_not_say_what_it_means_is_an_error() -> None:
    """So no column is without its line in the pages."""
    with pytest.raises(TypeError, match=r"_Silent\.rate does not say what it means"):
        meanings(_Silent)


def test_the_page_shows_every_column() -> None:
    """A table in Markdown, one line a column."""
    page = columns_markdown(meanings(_Row))
    assert page.splitlines()[0] == "| column | meaning |"
    assert len(page.splitlines()) == 6
