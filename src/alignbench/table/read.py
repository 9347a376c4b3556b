"""The verdict table: one row per output and judge, with declared columns.

Every analysis starts here. A full table comes from logs (`alignbench.logs`); any CSV or Parquet file with the
columns `model, scenario, verdict` is read too, the missing columns filled with stated defaults
(`alignbench.table.columns`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from alignbench.documents.csv_files import csv_problem, read_csv
from alignbench.errors import InputError, Note, warn
from alignbench.files import describe_path
from alignbench.table.columns import (
    REQUIRED,
    TIME,
    VERDICT_COLUMNS,
    Column,
    arrow_schema,
    columns_there,
    refuse_misspelt,
    unused_columns,
    utc_second,
)
from alignbench.table.further import without_labels
from alignbench.table.keys import KEY_COLUMNS, RUN_COLUMNS, key_columns
from alignbench.vocabulary import OVERALL, UNSTATED

if TYPE_CHECKING:
    from collections.abc import Sequence

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

_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDTH: dict[str, Literal["Int16", "Int32"]] = {"integer": "Int16", "count": "Int32"}
_HIGHEST = 2**31 - 1

_BY_NAME = {column.name: column for column in VERDICT_COLUMNS}

_OUTPUT_KEY = tuple(name for name in KEY_COLUMNS if name != "epoch")


def read_table(path: str | Path, *, by: Sequence[str] = (), note: Note = warn) -> pd.DataFrame:
    """Read a verdict table, whole or bare, from CSV or Parquet.

    Args:
        path: The file.
        by: Columns that it will be grouped by; with `run` among them several runs may answer the same.
        note: Gets a remark on columns that nothing reads, and one where rows are taken as repetitions for want of a
            column `epoch`.

    Raises:
        InputError: No such file, another format, no table in it, or a value that its column does not allow.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(describe_path(file), file=file, allowed="a .csv or .parquet file")
    try:
        if file.suffix == ".csv":
            frame = read_csv(file, na_values=[""])
        elif file.suffix == ".parquet":
            frame = pd.read_parquet(file)
        else:
            raise InputError(f"cannot read a {file.suffix!r} file", file=file, allowed=".csv, .parquet, .eval, .json")
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"cannot read this file: {error.strerror}", file=file) from error
    except Exception as error:  # pandas and pyarrow raise many kinds for one fact: this is no table
        raise InputError(f"this is no table: {csv_problem(error)}", file=file) from error
    table = without_labels(as_table(frame, source=file, by=by))
    unused = unused_columns(frame.columns, by)
    if unused:
        note(f"{file}: {unused}")
    if "epoch" not in frame.columns and (most := int(table["epoch"].max())) > 1:
        note(f"{file}: no column 'epoch': up to {most:,} rows of one scenario are taken as its repetitions")
    return table


def as_table(frame: pd.DataFrame, *, source: object = None, by: Sequence[str] = ()) -> pd.DataFrame:
    """Check a frame against the declared columns and give it their types.

    Programs write tables, so words are exact: `Misaligned` is refused, for it may mean something else to its program.
    People type labels: these are read without regard to capitals and blanks (`alignbench.labels.read`).

    Args:
        frame: At least the columns `model, scenario, verdict`. Columns we do not know are kept after ours, but for
            those that differ from one of ours by capitals or blanks alone: these are refused.
        source: Named in errors.
        by: Columns that it will be grouped by; with `run` among them several runs may answer the same.

    Returns:
        A new frame with every declared column and a new index.

    Raises:
        InputError: A column is missing or misspelt, a value is not allowed, or two rows have one key.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{type(frame).__name__} is no table", file=source, allowed="a pandas DataFrame")
    refuse_misspelt(frame.columns, source=source)
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise InputError(f"missing column {', '.join(map(repr, missing))}: {columns_there(frame.columns)}", file=source,
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
    _check_dates(columns["date"], source)
    others = {name: frame[name] for name in frame.columns if name not in _BY_NAME}
    table = pd.DataFrame({**{c.name: columns[c.name] for c in VERDICT_COLUMNS}, **others})
    _check_keys(table, source, key_columns(by))
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
        kinds = {"count": f"a whole number from 1 to {_HIGHEST}", "boolean": "true, false, 1, 0"}
        allowed = ", ".join(map(str, column.allowed or ())) or kinds.get(column.kind, column.kind)
        if column.name == "verdict":
            allowed += ", or empty where there is none, which unscored_reason may explain"
        elif column.nullable and column.default is None:
            allowed += ", or empty"
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
    if UNSTATED not in reason.cat.categories:
        reason = reason.cat.add_categories([UNSTATED])
    return reason.mask(open_rows, UNSTATED)


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
    """Without an epoch column the rows of one key and run are its epochs, in file order."""
    group = pd.Series(row_groups([columns[name] for name in (*_OUTPUT_KEY, "run", "date")]))
    return (group.groupby(group).cumcount() + 1).astype("Int32")


def _last_turn(columns: dict[str, pd.Series]) -> pd.Series:
    """Without a turns column the last turn of a conversation is the highest that stands there."""
    turn = columns["turn"]
    if (turn == 1).all():
        return turn
    names = [name for name in KEY_COLUMNS if name != "turn"]
    return turn.groupby(row_groups([columns[name] for name in names])).transform("max").astype("Int32")


def _check_dates(dates: pd.Series, source: object) -> None:
    """Refuse a date that no run began at: by it `--latest` chooses between runs."""
    wrong = [value for value in dates.cat.categories if value and not utc_second(str(value))]
    at = int(dates.isin(wrong).to_numpy().argmax()) if wrong else 0
    if dates.iloc[at] in wrong:
        raise _bad(_BY_NAME["date"], at, dates.iloc[at], source, f"{TIME}, or empty")


def _check_packs(packs: pd.Series, source: object) -> None:
    """Refuse a pack that is called as the rows over all packs are."""
    taken = np.flatnonzero(packs == OVERALL)
    if len(taken):
        raise _bad(_BY_NAME["pack"], int(taken[0]), OVERALL, source, "another name: this one means all packs together")


def _check_keys(table: pd.DataFrame, source: object, names: Sequence[str]) -> None:
    group = row_groups([table[name] for name in names])
    double = pd.Series(group).duplicated()
    if not double.any():
        return
    first = int(np.flatnonzero(double)[0])
    other = int(np.flatnonzero(group == group[first])[0])
    row = table.iloc[first]
    key = ", ".join(f"{name}={row[name]}" for name in names if row[name] != "")
    about = ", ".join(f"{row[name]}" for name in ("model", "pack", "scenario"))
    places = sorted({_place(table.iloc[at]) for at in (first, other)} - {""})
    between = f", {' and '.join(places)}" if places else ""
    same = f"rows {other + 1} and {first + 1} have one key: {key}"
    apart = [name for name in RUN_COLUMNS if row[name] != table[name].iloc[other]]
    if apart:
        latest = "--latest takes the latest run alone, " if "date" in apart else ""
        raise InputError(
            f"two runs answer the same{between}: rows {other + 1} and {first + 1} both hold {about}",
            file=source,
            allowed=f"one run of the same: {latest}rates --by model,pack,{apart[-1]} shows each, and compare and gate "
            "take the folders or tables of two runs as two inputs",
        )
    where = f" (in {' and '.join(places)})" if places else ""
    raise InputError(
        f"{same}{where}", file=source, allowed="one row per output and judge; repetitions differ in epoch, runs in run"
    )


def _place(row: pd.Series) -> str:
    """The log of a row, or its run, and when that began."""
    name = str(row["log"] or row["run"])
    return f"{name} of {row['date']}" if name and row["date"] else name


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
