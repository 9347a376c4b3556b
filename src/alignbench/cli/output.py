"""How the commands print: sentences, tables, Markdown, CSV and JSON."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from alignbench.errors import InputError
from alignbench.text.flags import explain_flags
from alignbench.text.markdown import markdown_plain
from alignbench.text.tables import PIPE_WIDTH, table_lines, wrapped
from alignbench.text.words import fitted, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

__all__ = [
    "csv_text",
    "echo_csv",
    "emit",
    "json_text",
    "print_lines",
    "print_markdown",
    "print_paragraphs",
    "print_table",
    "print_text",
    "tell",
    "terminal_width",
]


def tell(remark: str) -> None:
    """Say on stderr what a person should know of the numbers on stdout."""
    print_text(remark, err=True)


def _plain(value: Any) -> Any:
    """Turn a cell into what JSON knows: NaN and NA become null, numpy scalars become numbers."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def json_text(value: Any) -> str:
    """JSON for people and programs: null instead of NaN, two spaces of indent, a final newline.

    Where the output's encoding may lack a character, all that is not ASCII is escaped, so that no name changes.
    """
    narrow = not (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    return json.dumps(_plain(value), indent=2, ensure_ascii=narrow, allow_nan=False) + "\n"


def csv_text(frame: pd.DataFrame) -> str:
    """CSV in which flags are joined by + and mappings stand as `key=value` pairs joined by +."""

    from alignbench.documents.csv_files import frame_csv

    def flat(value: Any) -> Any:
        if isinstance(value, dict):
            return "+".join(f"{key}={item}" for key, item in value.items())
        return "+".join(map(str, value)) if isinstance(value, list | tuple) else value

    columns = {name: [flat(value) for value in frame[name]] for name in frame.columns}
    return frame_csv(type(frame)(columns))


def echo_csv(frame: pd.DataFrame) -> None:
    """Print a frame as `csv_text` has it, names as they are: click would strip what looks like a colour from them."""
    click.echo(csv_text(frame), nl=False, color=True)


def terminal_width(*, err: bool = False) -> int | None:
    """Columns of the terminal; None where the output, or with `err` stderr, is none."""
    from rich.console import Console

    console = Console(stderr=err)
    return console.width if console.is_terminal else None


def print_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    title: str | None = None,
    caption: str | None = None,
    keys: Sequence[str] | None = None,
    once: bool = False,
) -> None:
    """Print rows as a table that fits the terminal; no name can break a line of it, or command it.

    Args:
        rows: Heading to cell.
        title: Above the table.
        caption: Below it.
        keys: The columns that name a row; default: those before the first number.
        once: Whether names that all keys but the last share with the row above are left out.
    """
    if not rows:
        click.echo("no rows")
        return
    if title is not None:
        print_text(title)
    print_lines(table_lines(rows, terminal_width() or PIPE_WIDTH, keys=keys, once=once))
    if caption:
        print_paragraphs(caption)


def print_text(text: str, *, edge: str = "", err: bool = False) -> None:
    """Print a sentence, or some, in lines that fit the terminal and break no number and no name.

    Args:
        text: A paragraph; into a pipe it stays one line.
        edge: What every line begins with.
        err: Whether it goes to stderr.
    """
    width, shown = terminal_width(err=err), visible(text)
    parts = [edge + shown] if width is None else wrapped(shown, width, first=edge, rest=edge)
    print_lines([part.rstrip() for part in parts], err=err)


def print_paragraphs(text: str, *, edge: str = "") -> None:
    """`print_text` for each line of a text."""
    for line in text.rstrip("\n").split("\n"):
        print_text(line, edge=edge)


def print_markdown(text: str) -> None:
    """Print Markdown of our own: as it is into a pipe, on a terminal plain, in lines that fit, its tables as tables."""
    width = terminal_width()
    if width is None:
        click.echo(text)
        return
    for block in text.strip().split("\n\n"):
        if block.startswith("| "):
            lines = [[*map(markdown_plain, _CELL.split(line.strip("| ")))] for line in block.split("\n")]
            heading = _unique(lines[0])
            print_lines(table_lines([dict(zip(heading, line, strict=True)) for line in lines[2:]], width)[1:])
            continue
        for line in block.split("\n"):
            line = _HEADING.sub("", line)
            edge = "- " if line.startswith("- ") else ""
            # What is folded of a point stands under its text.
            print_lines(wrapped(visible(markdown_plain(line[len(edge) :])), width, first=edge, rest=" " * len(edge)))
        click.echo()


_CELL = re.compile(r" \| ?")
_HEADING = re.compile(r"^#+ ")


def _unique(heading: Sequence[str]) -> list[str]:
    """Headings that stand twice, with the last one before them that does not."""
    once = [name if heading.count(name) == 1 else "" for name in heading]
    before = [next((one for one in reversed(once[:at]) if one), "") for at in range(len(heading))]
    return [name or f"{repeated} ({last})" for name, repeated, last in zip(once, heading, before, strict=True)]


def print_lines(lines: Sequence[str], *, err: bool = False) -> None:
    """Print lines as they are, in signs that the output's encoding has."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None)
    for line in lines:
        click.echo(fitted(line, encoding), err=err)


def emit(
    frame: pd.DataFrame,
    form: str,
    *,
    table: Callable[[dict[str, Any]], Mapping[str, Any]],
    title: str | None = None,
    caption: str | None = None,
    keys: Sequence[str] | None = None,
) -> None:
    """Print a result as a table, as CSV, or as a JSON list of records.

    Args:
        frame: The result.
        form: table, csv or json.
        table: What of a row a person sees, as heading to text.
        title: Above the table.
        caption: Below the table, before what the flags that occur mean.
        keys: The columns of the table that name a row; default: those before the first number.

    Raises:
        InputError: Another format.
    """
    records = [{str(name): value for name, value in record.items()} for record in frame.to_dict("records")]
    if form == "json":
        click.echo(json_text(records), nl=False)
    elif form == "csv":
        echo_csv(frame)
    elif form == "table":
        rows = [table(record) for record in records]
        shown = [flag for record in records for flag in record["flags"]] if rows and "flags" in rows[0] else []
        lines = "\n".join(filter(None, (caption, explain_flags(shown))))
        print_table(rows, title=title, caption=lines or None, keys=keys)
    else:
        raise InputError(f"unknown format {form!r}", allowed="table, csv, json")
