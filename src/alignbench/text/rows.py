"""Rows of results as types: a field is a column, and what it means stands beside it.

A row type is a frozen keyword-only dataclass; what is written as JSON alone may be a pydantic model. Each field is
`Annotated[type, "what it means"]`, or `Annotated[type, SPREAD]` where the fields of another row type, or the entries of
a mapping, are columns in its place. Tables, CSV, JSON and the pages of columns are made of that alone.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin, get_type_hints

from alignbench.text.markdown import Markdown, markdown_table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SPREAD", "as_columns", "columns_markdown", "meanings"]


class _Spread:
    """Marks a field whose own fields or entries are columns in its place."""


SPREAD: Final = _Spread()


@lru_cache
def meanings(row: type) -> Mapping[str, str]:
    """The columns of a row type, in their order, and what each means.

    Args:
        row: A row type; entries of a mapping that is spread have no column of their own here.

    Raises:
        TypeError: A field does not say what it means.
    """
    found: dict[str, str] = {}
    for name, (kind, about) in _fields(row).items():
        if about == [SPREAD]:
            found |= meanings(part) if (part := _row_type(kind)) else {}
        elif len(about) == 1 and isinstance(about[0], str):
            found[name] = about[0]
        else:
            raise TypeError(f"{row.__name__}.{name} does not say what it means")
    return found


def _fields(row: Any) -> dict[str, tuple[Any, list[object]]]:
    """The type of each field, and what stands beside it."""
    if not is_dataclass(row):
        return {name: (one.annotation, list(one.metadata)) for name, one in row.model_fields.items()}
    hints = get_type_hints(row, include_extras=True)
    parts = {name: get_args(hint) if hasattr(hint, "__metadata__") else (hint,) for name, hint in hints.items()}
    return {name: (kind, about) for name, (kind, *about) in parts.items()}


def _row_type(kind: Any) -> type | None:
    """The row type in a hint such as `Ledger` or `Ledger | None`; None for a mapping."""
    options = get_args(kind) if get_origin(kind) is Union or isinstance(kind, type(int | str)) else (kind,)
    return next((one for one in options if isinstance(one, type) and is_dataclass(one)), None)


def as_columns(row: Any) -> dict[str, object]:
    """One row as a mapping of columns to values; a part that is None has no columns.

    Args:
        row: An instance of a row type.
    """
    kind: type = type(row)
    spread = _spread(kind)
    found: dict[str, object] = {}
    for one in fields(row):
        value = getattr(row, one.name)
        if one.name not in spread:
            found[one.name] = value
        elif is_dataclass(value):
            found |= as_columns(value)
        elif value is not None:
            found |= value
    return found


@lru_cache
def _spread(row: type) -> frozenset[str]:
    hints = get_type_hints(row, include_extras=True)
    return frozenset(name for name, hint in hints.items() if SPREAD in getattr(hint, "__metadata__", ()))


def columns_markdown(columns: Mapping[str, str]) -> str:
    """Columns and what they mean as a table in Markdown.

    Args:
        columns: From `meanings`.
    """
    # What a column means is Markdown of ours, but for the bar that would end its cell.
    cells = ([Markdown(f"`{name}`"), Markdown(about.replace("|", r"\|"))] for name, about in columns.items())
    return markdown_table(["column", "meaning"], cells)
