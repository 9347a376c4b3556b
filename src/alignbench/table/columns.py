"""The columns of the verdict table: what each holds, may hold, and is where a table lacks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from alignbench.errors import InputError
from alignbench.vocabulary import NEUTRAL, NUDGES, REFUSAL_TYPES, UNSCORED_REASONS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import pyarrow as pa

__all__ = [
    "CARD_COLUMN",
    "FURTHER_COLUMNS",
    "HUMAN",
    "REQUIRED",
    "TEXT_COLUMNS",
    "TIME",
    "VERDICT_COLUMNS",
    "VOTES",
    "Column",
    "FurtherColumn",
    "arrow_schema",
    "columns_page",
    "columns_there",
    "refuse_misspelt",
    "unused_columns",
    "utc_second",
]

Kind = Literal["text", "integer", "count", "boolean"]
REQUIRED = ("model", "scenario", "verdict")
"""What a bare table needs."""


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column of the verdict table.

    Attributes:
        name: Its name.
        kind: text (pandas category), integer (nullable Int16), count (nullable Int32, from 1), boolean.
        meaning: What stands in it, in words.
        default: What stands there when a bare table lacks it; None is null.
        allowed: Every non-null value it may take, or None for any.
        nullable: Whether null is a valid value.
        without: What becomes of a bare table without it, where that is no single value.
    """

    name: str
    kind: Kind
    meaning: str
    default: str | int | bool | None = None
    allowed: tuple[str | int, ...] | None = None
    nullable: bool = True
    without: str = ""


_POSITIONS = tuple(range(7))

VERDICT_COLUMNS: tuple[Column, ...] = (
    Column("model", "text", "The model that answered.", nullable=False),
    Column("model_args", "text", "Its arguments and settings; rows of different ones are different models.", ""),
    Column("task", "text", "The Inspect task.", ""),
    Column("pack", "text", "The pack of scenarios.", "default", nullable=False),
    Column("pack_version", "text", "Version of the pack.", ""),
    Column("pack_digest", "text", "Digest of the pack; packs of two digests are never compared.", ""),
    Column("scenario", "text", "The scenario, the unit of the statistics.", nullable=False),
    Column("family", "text", "Family of alike scenarios.", ""),
    Column("split", "text", "Whether families like this one may have been trained on.", "seen", ("seen", "unseen")),
    Column("twin", "boolean", "Whether the output answers the benign twin of the conflict.", False, nullable=False),
    Column("condition", "text", "Circumstances; headline figures are of `default` alone.", "default", nullable=False),
    Column("nudge", "text", "The value that the prompt leans to.", NEUTRAL, NUDGES),
    Column("epoch", "count", "Which repetition of the scenario it is.", nullable=False,
           without="rows of one scenario are its repetitions, in file order"),
    Column("turn", "count", "Which answer of the conversation it is.", 1, nullable=False),
    Column("turns", "count", "Answers in the conversation; headline figures are of the last.", nullable=False,
           without="the highest turn of the conversation"),
    Column("judge", "text", "The model that judged.", ""),
    Column("judge_config", "text", "Digest of the judge's settings.", ""),
    Column("rubric", "text", "The rubric that it judged by.", ""),
    Column("rubric_digest", "text", "Digest of the rubric; verdicts by two digests are never compared.", ""),
    Column("verdict", "text", "What the judge found; empty where there is no verdict.", None, VERDICTS),
    Column("unscored_reason", "text", "Why there is no verdict.", None, UNSCORED_REASONS,
           without="`unstated` in rows without a verdict"),
    Column("refusal_type", "text", "How much was withheld.", None, REFUSAL_TYPES),
    Column("severity", "integer", "How grave a misaligned answer is, 0 for any other.", None, (0, 1, 2, 3)),
    Column("value_1", "text", "The first of the two values that collide.", ""),
    Column("value_2", "text", "The second.", ""),
    Column("position_1", "integer", "From 0, against the first value, to 6, for it.", None, _POSITIONS),
    Column("position_2", "integer", "The same of the second value.", None, _POSITIONS),
    Column("flags", "text", "Warnings, one word each, joined by +.", ""),
    Column("date", "text", "Start of the run, in UTC where no zone is stated; `--latest` goes by it.", ""),
    Column("run", "text", "The run: Inspect's eval id of the log; `--by run` tells runs apart by it.", ""),
    Column("log", "text", "File name of the log.", ""),
    Column("sample_uuid", "text", "The sample in the log.", ""),
)  # fmt: skip
"""The columns, in their order."""

TIME = "a day or a time, as 2026-11-28 or 2026-11-28T03:04:05+00:00"
"""What a date may be, in words."""


@dataclass(frozen=True, slots=True)
class FurtherColumn:
    """A column that a verdict table may have beside the declared ones, and that changes what is done with it.

    Attributes:
        name: Its name.
        kind: text, count (whole numbers from 0), or share (a number from 0 to 1, or null).
        meaning: What stands in it, in words.
        added_by: What adds it; a file may bring it too, unless the name begins with an underscore.
    """

    name: str
    kind: Literal["text", "count", "share"]
    meaning: str
    added_by: str


CARD_COLUMN = "judge_card"
VOTES = "votes"
HUMAN = "_human_event"
TEXT_COLUMNS = ("transcript", "judged", "misaligned_if", "aligned_if")
_SHEET = "judge sample"

FURTHER_COLUMNS: tuple[FurtherColumn, ...] = (
    FurtherColumn(CARD_COLUMN, "text", "The state of the judge's card on the pack, or `unexamined`.", "--cards"),
    FurtherColumn(VOTES, "count", "How many judges of a panel found the event.", "--panel"),
    # The underscore keeps a user's own column from being taken for labels; one for each labeller may follow, numbered.
    FurtherColumn(HUMAN, "share", "Share of an output's labellers who call it the event; null: not labelled.",
                  "--calibration"),
    FurtherColumn(TEXT_COLUMNS[0], "text", "The conversation, as a labeller reads it.", _SHEET),
    FurtherColumn(TEXT_COLUMNS[1], "text", "Which of its messages are judged.", _SHEET),
    FurtherColumn(TEXT_COLUMNS[2], "text", "What makes the answer misaligned.", _SHEET),
    FurtherColumn(TEXT_COLUMNS[3], "text", "What makes it aligned.", _SHEET),
    FurtherColumn("item", "count", "Number of the row in a sheet of labels.", _SHEET),
    FurtherColumn("label", "text", "What a person calls the answer, a verdict word.", _SHEET),
    FurtherColumn("labeller", "text", "Who that is.", _SHEET),
    FurtherColumn("measure", "text", "The measure that the row was drawn for.", _SHEET),
)  # fmt: skip
"""Columns that some step adds; ask for them with the functions of `alignbench.table.further`."""
_FROM_FILES = tuple(column.name for column in FURTHER_COLUMNS if not column.name.startswith("_"))
_NAMES = tuple(column.name for column in VERDICT_COLUMNS)


def arrow_schema() -> pa.Schema:
    """The schema of the table in Parquet: dictionary-coded text, integers of 16 bits, counts of 32, booleans."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    types = {"text": text, "integer": pa.int16(), "count": pa.int32(), "boolean": pa.bool_()}
    return pa.schema([pa.field(c.name, types[c.kind], nullable=c.nullable) for c in VERDICT_COLUMNS])


def _letters(name: object) -> str:
    """A name without capitals, and without what people put between words."""
    return re.sub(r"[\s_.-]+", "", str(name)).casefold()


def refuse_misspelt(names: Iterable[object], declared: Sequence[str] = _NAMES, *, source: object = None) -> None:
    """Refuse a column that differs from a declared one, which is not there, by capitals or blanks alone.

    Its program meant ours, and without it another number would come out.

    Args:
        names: The columns of a table.
        declared: Those that are read; default: the columns of the verdict table.
        source: Named in the error.

    Raises:
        InputError: Names both.
    """
    there = list(map(str, names))
    absent = {_letters(name): name for name in declared if name not in there}
    for name in there:
        meant = absent.get(_letters(name))
        if meant is not None:
            raise InputError(f"column {name!r} is not used; did you mean {meant!r}?", file=source,
                             allowed=f"{meant!r}, spelled so")  # fmt: skip


def unused_columns(names: Iterable[object], used: Collection[str] = ()) -> str:
    """What to tell of columns that nothing reads, with the declared one that each resembles; empty without any.

    Args:
        names: The columns of a table.
        used: Columns beside the declared ones, and those that files of ours carry, that something reads.
    """
    there = list(map(str, names))
    absent = {_letters(name): name for name in _NAMES if name not in there}
    said = []
    for name in there:
        if name not in (*_NAMES, *_FROM_FILES, *used):
            near = get_close_matches(_letters(name), absent, n=1, cutoff=0.75)
            said.append(f"column {name!r} is not used{f'; did you mean {absent[near[0]]!r}?' if near else ''}")
    return "; ".join(said)


_SHOWN, _LONGEST = 12, 60


def columns_there(names: Iterable[object]) -> str:
    """What a table has in place of a column that is missing, in words; one alone may be several of another format."""
    there = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in map(str, names)]
    if not there:
        return "it has no columns"
    rest = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    said = f"it has {', '.join(map(repr, there[:_SHOWN]))}{rest}"
    if len(there) == 1 and re.search(r"[\t|:]", there[0]):
        return f"{said} alone, and columns are told apart by commas or semicolons"
    return said


def utc_second(text: str) -> str:
    """A time as it stands in the column `date`: in UTC, to the second; empty for what Python does not read as one."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def columns_page() -> str:
    """The columns as a table in Markdown: the three that a bare table needs, then those that it may have."""
    lines = ["| column | what it is | allowed | without it |", "| --- | --- | --- | --- |"]
    for column in sorted(VERDICT_COLUMNS, key=lambda column: column.name not in REQUIRED):
        kinds = {"text": "text", "count": "whole numbers from 1", "boolean": "true, false", "integer": ""}
        allowed = ", ".join(f"`{value}`" for value in column.allowed or ()) or kinds[column.kind]
        allowed = f"{TIME}, or empty" if column.name == "date" else allowed
        default = "" if column.default in (None, "") else f"`{str(column.default).lower()}`"
        without = "needed" if column.name in REQUIRED else column.without or default or "empty"
        lines.append(f"| `{column.name}` | {column.meaning} | {allowed} | {without} |")
    return "\n".join(lines)
