"""Options and output that the commands share."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from alignbench.errors import InputError
from alignbench.text.flags import explained
from alignbench.text.tables import PIPE_WIDTH, table_lines, wrapped
from alignbench.text.words import fitted, markdown_plain, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from alignbench.judges.card import JudgeCard
    from alignbench.judges.panel import How

__all__ = [
    "FiniteRange",
    "by_option",
    "cards_option",
    "combined",
    "emit",
    "format_option",
    "input_argument",
    "json_text",
    "latest_option",
    "level_option",
    "panel_options",
    "print_lines",
    "print_markdown",
    "print_paragraphs",
    "print_table",
    "print_text",
    "read",
    "seed_option",
    "tell",
    "terminal_width",
    "unscored_option",
]

input_argument = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
latest_option = click.option(
    "--latest", is_flag=True,
    help="Of several runs that answer the same, count the latest alone; stderr says how much is left out.",
)  # fmt: skip
format_option = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True,
    help="How the result is printed.",
)  # fmt: skip


def read(inputs: Sequence[str], by: Sequence[str] = (), *, latest: bool = False) -> pd.DataFrame:
    """The table of what a user names, with remarks on stderr.

    Args:
        inputs: Folders of logs, logs, tables.
        by: Columns that it will be grouped by; with `run` among them several runs may answer the same.
        latest: Whether of such runs the latest alone counts.

    Raises:
        InputError: Nothing readable, or rows with one key.
    """
    from alignbench.logs.inputs import read_inputs

    return read_inputs(inputs, by=by, latest=latest, note=tell)


def tell(remark: str) -> None:
    """Say on stderr what a person should know of the numbers on stdout."""
    print_text(remark, err=True)


class FiniteRange(click.FloatRange):
    """Finite numbers between two limits: click lets nan through, which compares with none."""

    def __init__(self, low: float, high: float, *, is_open: bool = False) -> None:
        super().__init__(low, high, min_open=is_open, max_open=is_open)
        self._words = f"{low:g}{'<' if is_open else '<='}x{'<' if is_open else '<='}{high:g}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error for nan, infinity and what is out of range."""
        found = click.FLOAT.convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{found} is not in the range {self._words}.", param, ctx)
        return super().convert(value, param, ctx)


def _coverage(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """A coverage of intervals; people who mean a test give 0.05."""
    from alignbench.stats.estimate import COVERAGE, check_level

    try:
        check_level(value)
    except InputError:
        raise click.BadParameter(f"{value:g} is none; --level is {COVERAGE}.") from None
    return value


level_option = click.option(
    "--level", type=float, callback=_coverage, default=0.95, show_default=True,
    help="Two-sided coverage of the intervals.",
)  # fmt: skip
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every random draw."
)


unscored_option = click.option(
    "--largest-unscored-share", type=FiniteRange(0, 1), default=0.10, show_default=True,
    help="A model of which more of a pack has no verdict has no rank.",
)  # fmt: skip
_PANEL = click.option(
    "--panel", type=click.Choice(["majority", "weights"]), default=None,
    help="Combine the votes of several judges; weights come from their cards.",
)  # fmt: skip
cards_option = click.option(
    "--cards", multiple=True, type=click.Path(), metavar="FILE",
    help="The judge_card.json of a judge (from judge exam); once for each.",
)  # fmt: skip


def panel_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --panel and --cards; `combined` does what they ask for."""
    return _PANEL(cards_option(command))


def combined(
    table: pd.DataFrame, panel: How | None, cards: Sequence[JudgeCard], by: Sequence[str] = ()
) -> pd.DataFrame:
    """Give each row the state of its judge's card, and make one judge of several where --panel asks for it.

    Args:
        table: A verdict table.
        panel: majority, weights, or None for the judges as they are.
        cards: Cards that were read.
        by: Columns that it will be grouped by, as for `read`.

    Raises:
        InputError: No panel can be made.
        NotComparableError: The judges used different rubrics.
    """
    from alignbench.judges.marking import mark_cards
    from alignbench.judges.panel import panel as combine

    if panel is None:
        return _marked(mark_cards(table, cards), cards) if cards else table
    result = combine(table, panel, cards, by=by)
    about = result.attrs["panel"]
    same = [f"{one['first']} and {one['second']} {one['same_verdict']}/{one['outputs']}" for one in about["agreement"]]
    said = f"panel of {len(about['judges'])}: {about['ties']} ties of {about['outputs']} outputs; "
    for line in (f"{said}same verdict: {'; '.join(same)}", *(f"warning: {text}" for text in about["warnings"])):
        tell(line)
    return result


def _marked(table: pd.DataFrame, cards: Sequence[JudgeCard]) -> pd.DataFrame:
    """Say so where no card fits: a card binds to judge, configuration, rubric and packs."""
    if (table["judge_card"] == "unexamined").all():
        key = ["judge", "judge_config", "rubric_digest"]
        groups: dict[tuple[str, str, str], list[str]] = {}
        for *judge, pack in table[[*key, "pack"]].astype(str).drop_duplicates().itertuples(index=False):
            groups.setdefault((judge[0], judge[1], judge[2]), []).append(pack)
        rows = "; ".join(_judge(*names, packs=packs) for names, packs in groups.items())
        examined = "; ".join(
            _judge(card.judge, card.judge_config, card.rubric_digest, packs=card.packs) for card in cards
        )
        tell(
            f"warning: no card fits; the rows were judged by {rows}; the cards are of {examined}. Examine the judge "
            "with the settings, arguments and rubric that it had in the run"
        )
    return table


def _judge(judge: str, config: str, rubric: str, *, packs: Iterable[str]) -> str:
    return f"{judge} (configuration {config or 'none'}, rubric {rubric}, on {', '.join(packs)})"


def by_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the option --by, a list of columns joined by commas."""
    return click.option(
        "--by", default=default, show_default=True, metavar="COLUMN,...", callback=_split,
        help="Columns to group by, joined by commas.",
    )  # fmt: skip


def _split(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


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
        lines = "\n".join(filter(None, (caption, explained(shown))))
        print_table(rows, title=title, caption=lines or None, keys=keys)
    else:
        raise InputError(f"unknown format {form!r}", allowed="table, csv, json")
