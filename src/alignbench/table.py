"""The verdict table: one row per output and judge, with declared columns.

Every analysis starts here. A full table comes from logs (`alignbench.logs`); any CSV or Parquet file with the
columns `model, scenario, verdict` is read too, the missing columns filled with stated defaults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from alignbench.csv_files import own_columns
from alignbench.errors import InputError, first_line
from alignbench.files import what_stands_at
from alignbench.verdicts import OVERALL, REFUSAL_TYPES, UNSCORED_REASONS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

__all__ = [
    "KEY_COLUMNS",
    "VERDICT_COLUMNS",
    "Column",
    "add_flag",
    "arrow_schema",
    "as_table",
    "label_models",
    "read_table",
    "require_columns",
]

Kind = Literal["text", "integer", "count", "boolean"]


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column of the verdict table.

    Attributes:
        name: Its name.
        kind: text (pandas category), integer (nullable Int16), count (nullable Int32, from 1), boolean.
        default: What stands there when a bare table lacks it; None is null.
        allowed: Every non-null value it may take, or None for any.
        nullable: Whether null is a valid value.
    """

    name: str
    kind: Kind
    default: str | int | bool | None = None
    allowed: tuple[str | int, ...] | None = None
    nullable: bool = True


_POSITIONS = tuple(range(7))

VERDICT_COLUMNS: tuple[Column, ...] = (
    Column("model", "text", nullable=False),
    Column("model_args", "text", ""),
    Column("task", "text", ""),
    Column("pack", "text", "default", nullable=False),
    Column("pack_version", "text", ""),
    Column("pack_digest", "text", ""),
    Column("scenario", "text", nullable=False),
    Column("family", "text", ""),
    Column("split", "text", "seen", ("seen", "unseen")),
    Column("twin", "boolean", False, nullable=False),
    Column("condition", "text", "default", nullable=False),
    Column("nudge", "text", "neutral", ("neutral", "value_1", "value_2")),
    Column("epoch", "count", nullable=False),
    Column("turn", "count", 1, nullable=False),
    Column("turns", "count", nullable=False),
    Column("judge", "text", ""),
    Column("judge_config", "text", ""),
    Column("rubric", "text", ""),
    Column("rubric_digest", "text", ""),
    Column("verdict", "text", None, VERDICTS),
    Column("unscored_reason", "text", None, UNSCORED_REASONS),
    Column("refusal_type", "text", None, REFUSAL_TYPES),
    Column("severity", "integer", None, (0, 1, 2, 3)),
    Column("value_1", "text", ""),
    Column("value_2", "text", ""),
    Column("position_1", "integer", None, _POSITIONS),
    Column("position_2", "integer", None, _POSITIONS),
    Column("flags", "text", ""),
    Column("date", "text", ""),
    Column("run", "text", ""),
    Column("log", "text", ""),
    Column("sample_uuid", "text", ""),
)
"""The columns, in their order. `flags` holds words joined by +; `epoch` and `turn` count from 1."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDTH: dict[str, Literal["Int16", "Int32"]] = {"integer": "Int16", "count": "Int32"}
_HIGHEST = 2**31 - 1

_BY_NAME = {column.name: column for column in VERDICT_COLUMNS}

KEY_COLUMNS = (
    "model", "model_args", "pack", "scenario", "twin", "condition", "epoch", "turn", "judge", "judge_config",
)  # fmt: skip
"""What identifies a row."""

_OUTPUT_KEY = tuple(name for name in KEY_COLUMNS if name != "epoch")


def arrow_schema() -> pa.Schema:
    """The schema of the table in Parquet: dictionary-coded text, integers of 16 bits, counts of 32, booleans."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    types = {"text": text, "integer": pa.int16(), "count": pa.int32(), "boolean": pa.bool_()}
    return pa.schema([pa.field(c.name, types[c.kind], nullable=c.nullable) for c in VERDICT_COLUMNS])


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a verdict table, whole or bare, from CSV or Parquet.

    Raises:
        InputError: No such file, another format, no table in it, or a value that its column does not allow.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(what_stands_at(file), file=file, allowed="a .csv or .parquet file")
    try:
        if file.suffix == ".csv":
            frame = own_columns(pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""]))
        elif file.suffix == ".parquet":
            frame = pd.read_parquet(file)
        else:
            raise InputError(f"cannot read a {file.suffix!r} file", file=file, allowed=".csv, .parquet, .eval, .json")
    except InputError:
        raise
    except Exception as error:  # pandas and pyarrow raise many kinds for one fact: this is no table
        raise InputError(f"this is no table: {first_line(error)}", file=file) from error
    return as_table(frame, source=file)


def as_table(frame: pd.DataFrame, *, source: object = None) -> pd.DataFrame:
    """Check a frame against the declared columns and give it their types.

    Programs write tables, so words are exact: `Misaligned` is refused, for it may mean something else to its program.
    People type labels: these are read without regard to capitals and blanks (`alignbench.judging.labels`).

    Args:
        frame: At least the columns `model, scenario, verdict`. Columns we do not know are kept after ours.
        source: Named in errors.

    Returns:
        A new frame with every declared column and a new index.

    Raises:
        InputError: A required column is missing, a value is not allowed, or two rows have one key.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{type(frame).__name__} is no table", file=source, allowed="a pandas DataFrame")
    missing = [name for name in ("model", "scenario", "verdict") if name not in frame.columns]
    if missing:
        raise InputError(f"missing column {', '.join(map(repr, missing))}", file=source,
                         allowed="at least model, scenario, verdict")  # fmt: skip
    if frame.empty:
        raise InputError("the table has no rows", file=source)
    frame = frame.reset_index(drop=True)
    try:
        columns = {c.name: _typed(frame, c, source) for c in VERDICT_COLUMNS if c.name in frame.columns}
    except UnicodeDecodeError as error:
        raise InputError(f"bytes {error.object[:40]!r} in a column", file=source, allowed="text in UTF-8") from error
    for column in VERDICT_COLUMNS:
        if column.name not in columns and column.name not in ("epoch", "turns", "unscored_reason"):
            columns[column.name] = _constant(column, len(frame))
    columns.setdefault("unscored_reason", _constant(_BY_NAME["unscored_reason"], len(frame)))
    columns["unscored_reason"] = _complete_reasons(columns["verdict"], columns["unscored_reason"], source)
    if "epoch" not in columns:
        columns["epoch"] = _numbered(columns)
    if "turns" not in columns:
        columns["turns"] = _last_turn(columns)
    _check_packs(columns["pack"], source)
    others = {name: frame[name] for name in frame.columns if name not in _BY_NAME}
    table = pd.DataFrame({**{c.name: columns[c.name] for c in VERDICT_COLUMNS}, **others})
    _check_keys(table, source)
    return table


def _constant(column: Column, rows: int) -> pd.Series:
    if column.kind == "text":
        categories = pd.Index([] if column.default is None else [str(column.default)], dtype=str)
        codes = np.full(rows, -1 if column.default is None else 0, dtype=np.int8)
        return pd.Series(pd.Categorical.from_codes(codes, categories=categories))
    if column.kind == "boolean":
        return pd.Series(np.full(rows, bool(column.default)))
    value = pd.NA if column.default is None else column.default
    return pd.Series([value] * rows, dtype=_WIDTH[column.kind])


def _bad(column: Column, row: int, value: object, source: object, allowed: str = "") -> InputError:
    if not allowed:
        kind = f"a whole number from 1 to {_HIGHEST}" if column.kind == "count" else column.kind
        allowed = ", ".join(map(str, column.allowed)) if column.allowed else kind
        allowed += ", or empty" if column.nullable and column.default is None else ""
    value = value.item() if isinstance(value, np.generic) else value
    # Row 0 of a file stands on its second line, below the header.
    line = row + 2 if isinstance(source, Path) and source.suffix == ".csv" else None
    return InputError(f"column {column.name!r}, row {row + 1}: {value!r}", file=source, line=line, allowed=allowed)


def _typed(frame: pd.DataFrame, column: Column, source: object) -> pd.Series:
    raw = frame[column.name]
    if isinstance(raw, pd.DataFrame):
        raise InputError(f"column {column.name!r} stands there twice", file=source)
    typed = {"text": _text, "integer": _integer, "count": _integer, "boolean": _boolean}[column.kind](
        raw, column, source
    )
    if not column.nullable and typed.isna().any():
        raise _bad(column, int(np.flatnonzero(typed.isna())[0]), None, source)
    return typed


def _text(raw: pd.Series, column: Column, source: object) -> pd.Series:
    coded = isinstance(raw.dtype, pd.CategoricalDtype)
    if not coded or not all(isinstance(value, str) and _encodable(value) for value in raw.cat.categories):
        raw = _as_text(raw).astype("category")
    values = raw.cat.categories
    if column.allowed is not None:
        for value in values:
            if value not in column.allowed and (raw == value).any():
                raise _bad(column, int(np.flatnonzero(raw == value)[0]), value, source)
    if column.default is not None and raw.isna().any():
        missing = [] if column.default in values else [column.default]
        raw = raw.cat.add_categories(missing).fillna(column.default)
    return raw


def _as_text(raw: pd.Series) -> pd.Series:
    """Values as text; half a character, which no file can hold, is escaped."""
    try:
        return raw.astype(object).where(raw.isna(), raw.astype(str))
    except UnicodeEncodeError:
        pieces = raw.astype(object)
        return pieces.where(raw.isna(), [str(one).encode("utf-8", "backslashreplace").decode() for one in pieces])


def _encodable(text: str) -> bool:
    return text.isascii() or not _SURROGATE.search(text)


def _integer(raw: pd.Series, column: Column, source: object) -> pd.Series:
    numbers = pd.to_numeric(raw, errors="coerce")
    filled = numbers.to_numpy(dtype=float, na_value=np.nan)
    given = raw.notna().to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = given & (filled != np.floor(filled))
        if column.allowed is not None:
            wrong |= given & ~np.isin(filled, column.allowed)
        else:
            wrong |= given & ~((filled >= 1) & (filled <= _HIGHEST))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise _bad(column, at, raw.iloc[at], source)
    whole = np.where(np.isnan(filled), 0, filled).astype(np.int64)
    return pd.Series(pd.array(whole, dtype=_WIDTH[column.kind])).mask(np.isnan(filled))


_TRUTH = {"true": True, "1": True, "false": False, "0": False, "1.0": True, "0.0": False}


def _boolean(raw: pd.Series, column: Column, source: object) -> pd.Series:
    if raw.dtype == bool:
        return raw
    mapped = raw.where(raw.notna(), str(column.default)).astype(str).str.lower().map(_TRUTH)
    if mapped.isna().any():
        at = int(np.flatnonzero(mapped.isna())[0])
        raise _bad(column, at, raw.iloc[at], source)
    return mapped.astype(bool)


def _complete_reasons(verdict: pd.Series, reason: pd.Series, source: object) -> pd.Series:
    """Give every row without a verdict a reason, and none to a row with one."""
    both = (verdict.notna() & reason.notna()).to_numpy()
    if both.any():
        at = int(np.flatnonzero(both)[0])
        raise InputError(
            f"row {at + 1} has a verdict {verdict.iloc[at]!r} and an unscored_reason {reason.iloc[at]!r}",
            file=source,
            allowed="one of the two",
        )
    open_rows = (verdict.isna() & reason.isna()).to_numpy()
    if not open_rows.any():
        return reason
    if "unstated" not in reason.cat.categories:
        reason = reason.cat.add_categories(["unstated"])
    return reason.mask(open_rows, "unstated")


def _codes(column: pd.Series) -> tuple[np.ndarray, int]:
    """The values as integers in their order, and above how many none lies."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64) + 1, len(column.cat.categories) + 1
    if pd.api.types.is_integer_dtype(column.dtype):
        # A missing number becomes NaN, which is a value of its own.
        column = column.astype(float)
    codes, values = pd.factorize(column, sort=True, use_na_sentinel=False)
    return codes.astype(np.int64), len(values)


def row_groups(columns: Sequence[pd.Series]) -> np.ndarray:
    """Number the distinct combinations of several columns in their sorted order, one 64-bit integer a row."""
    group, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        codes, values = _codes(column)
        if size * values >= 2**62:
            group, kept = pd.factorize(group, sort=True)
            size = len(kept)
        group, size = group * values + codes, size * values
    return pd.factorize(group, sort=True)[0].astype(np.int64)


def _numbered(columns: dict[str, pd.Series]) -> pd.Series:
    """Without an epoch column the rows of one key are its epochs, in file order."""
    group = pd.Series(row_groups([columns[name] for name in _OUTPUT_KEY]))
    return (group.groupby(group).cumcount() + 1).astype("Int32")


def _last_turn(columns: dict[str, pd.Series]) -> pd.Series:
    """Without a turns column the last turn of a conversation is the highest that stands there."""
    turn = columns["turn"]
    if (turn == 1).all():
        return turn
    names = [name for name in KEY_COLUMNS if name != "turn"]
    return turn.groupby(row_groups([columns[name] for name in names])).transform("max").astype("Int32")


def _check_packs(packs: pd.Series, source: object) -> None:
    """Refuse a pack that is called as the rows over all packs are."""
    taken = np.flatnonzero(packs == OVERALL)
    if len(taken):
        raise _bad(_BY_NAME["pack"], int(taken[0]), OVERALL, source, "another name: this one means all packs together")


def _check_keys(table: pd.DataFrame, source: object) -> None:
    group = row_groups([table[name] for name in KEY_COLUMNS])
    double = pd.Series(group).duplicated()
    if not double.any():
        return
    first = int(np.flatnonzero(double)[0])
    other = int(np.flatnonzero(group == group[first])[0])
    row = table.iloc[first]
    key = ", ".join(f"{name}={row[name]}" for name in KEY_COLUMNS if row[name] != "")
    logs = {str(table.log.iloc[at]) for at in (first, other)} - {""}
    where = f" (in {' and '.join(sorted(logs))})" if logs else ""
    raise InputError(f"rows {other + 1} and {first + 1} have one key: {key}{where}", file=source,
                     allowed="one row per output and judge")  # fmt: skip


def require_columns(table: pd.DataFrame, names: Sequence[str], purpose: str) -> None:
    """Refuse a table in which a column that `purpose` needs holds nothing but its default.

    Raises:
        InputError: Names the columns.
    """
    empty = [
        name for name in names if name not in table.columns or table[name].isna().all() or (table[name] == "").all()
    ]
    if empty:
        names_text = ", ".join(map(repr, empty))
        raise InputError(f"{purpose} needs the column {names_text}, which is missing or empty")


def label_models(table: pd.DataFrame) -> pd.DataFrame:
    """Tell checkpoints apart that run under one name: where `model_args` differ they join the name."""
    args = table.groupby("model", observed=True)["model_args"].nunique()
    twofold = set(args[args > 1].index)
    if not twofold:
        return table
    label, settings = table["model"].astype(str), table["model_args"].astype(str).replace("", "{}")
    label = label.mask(table["model"].isin(twofold), label + " " + settings)
    return table.assign(model=label.astype("category"))


def add_flag(flags: Sequence[str], flag: str, condition: bool = True) -> tuple[str, ...]:
    """Append a flag once, if the condition holds."""
    return (*flags, flag) if condition and flag not in flags else tuple(flags)
