"""From logs to the verdict table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignbench.documents.csv_files import FORMULA
from alignbench.errors import InputError, Note, first_line, warn
from alignbench.files import atomic_path
from alignbench.identity import model_settings
from alignbench.logs.layout import Summary
from alignbench.logs.read import Log, choose, no_verdicts
from alignbench.logs.samples import samples
from alignbench.table.columns import arrow_schema, utc_second
from alignbench.table.keys import KEY_COLUMNS
from alignbench.table.read import as_table
from alignbench.vocabulary import OVERALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

__all__ = ["verdicts", "write_verdicts"]

GROUP_ROWS = 5_000
"""Rows that are written at once."""


def _columns(log: Log) -> tuple[dict[str, list[Any]], int]:
    """The columns that differ within a log, and the number of rows."""
    names = (
        "scenario", "family", "split", "twin", "condition", "nudge", "epoch", "turn", "turns", "judge",
        "judge_config", "rubric", "rubric_digest", "verdict", "unscored_reason", "refusal_type", "severity",
        "value_1", "value_2", "position_1", "position_2", "flags", "sample_uuid",
    )  # fmt: skip
    records = []
    for summary, score, rows in samples(log, Summary):
        about = summary.metadata
        for turn, row in enumerate(rows, start=1):
            records.append(
                (about.scenario, about.family, about.split, about.twin, about.condition, about.nudge,
                 summary.epoch, turn, len(rows), score.judge, score.judge_config, score.rubric,
                 score.rubric_digest, row.verdict, row.reason, row.refusal_type, row.severity, about.value_1,
                 about.value_2, row.position_1, row.position_2, row.flags, summary.uuid or "")
            )  # fmt: skip
    if not records:
        return {name: [] for name in names}, 0
    return dict(zip(names, map(list, zip(*records, strict=True)), strict=True)), len(records)


def _arrow(log: Log) -> pa.Table:
    """The rows of one log."""
    import pyarrow as pa

    columns, rows = _columns(log)
    about, metadata = log.eval, log.metadata
    if metadata["pack"] == OVERALL:
        raise InputError(f"pack {OVERALL!r}", file=log.path, allowed="another name: this one means all packs together")
    constant = {
        "model": about.model,
        "model_args": model_settings(about.model_args, about.model_generate_config),
        "task": about.task,
        "pack": metadata["pack"],
        "pack_version": metadata.get("pack_version", ""),
        "pack_digest": metadata["pack_digest"],
        "date": utc_second(about.created),
        "run": about.eval_id,
        "log": log.name,
    }
    schema = arrow_schema()
    arrays = []
    for field in schema:
        if field.name in constant:
            codes = pa.array([0] * rows, pa.int32())
            arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array([constant[field.name]], pa.string())))
        elif pa.types.is_dictionary(field.type):
            arrays.append(pa.array(columns[field.name], pa.string()).dictionary_encode())
        else:
            arrays.append(_plain_array(columns[field.name], field, log))
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain_array(values: list[Any], field: pa.Field, log: Log) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError) as error:
        most = 2 ** (field.type.bit_width - 1) - 1
        raise InputError(
            f"column {field.name!r}: {first_line(error)}", file=log.path, allowed=f"whole numbers up to {most}"
        ) from error


def verdicts(paths: Sequence[str | Path], *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Read the verdict table of logs.

    Args:
        paths: Log folders and log files. Logs of other tasks are passed over; of several passes over one task
            the last one counts.
        by: Columns that the table will be grouped by; with `run` among them several runs may answer the same.

    Returns:
        The table, checked: one row per output and judge.

    Raises:
        InputError: No logs, unreadable logs, no verdicts in them, or two rows with one key.
    """
    import pyarrow as pa

    table = pa.concat_tables([_arrow(log) for log in choose(paths)]).unify_dictionaries()
    if not table.num_rows:
        raise no_verdicts(paths)
    return as_table(table.to_pandas(integer_object_nulls=False, types_mapper=_pandas_type), by=by)


def _pandas_type(kind: pa.DataType) -> Any:
    import pandas as pd
    import pyarrow as pa

    return {pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype()}.get(kind)


def write_verdicts(paths: Sequence[str | Path], output: str | Path, *, note: Note = warn) -> int:
    """Write the verdict table of logs to a file, one log at a time: memory does not grow with their number.

    Args:
        paths: As for `verdicts`.
        output: A `.parquet` or `.csv` file; it appears whole or not at all. Several runs that answer the same all
            stand in it.
        note: Gets a remark where there are such runs.

    Returns:
        The number of rows.

    Raises:
        InputError: As for `verdicts`, or another kind of file.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    suffix = Path(output).suffix
    if suffix not in (".csv", ".parquet"):
        raise InputError(f"cannot write a {suffix!r} file", file=output, allowed=".csv, .parquet")
    logs = choose(paths)
    keys = _Keys()
    with atomic_path(output) as file:
        schema = arrow_schema()
        if suffix == ".csv":
            schema = pa.schema([pa.field(f.name, _plain_type(f.type)) for f in schema])
        writer = (pa.csv.CSVWriter if suffix == ".csv" else pa.parquet.ParquetWriter)(file, schema)
        with writer:
            for table in _batches(logs, keys):
                writer.write_table(_safe(table.cast(schema)) if suffix == ".csv" else table)
        if not keys.rows:
            raise no_verdicts(paths)
        if keys.double:
            # The whole table is needed to tell runs that answer the same from two rows of one run, and to name these.
            verdicts(paths, by=["run"])
            note(f"{output}: several runs answer the same; read the table with --latest, or with --by run")
    return keys.rows


def _batches(logs: Sequence[Log], keys: _Keys) -> Iterator[pa.Table]:
    """The rows of the logs, some thousand at once: each group of rows in a Parquet file takes memory until the end."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for log in logs:
        waiting.append(_arrow(log))
        keys.add(waiting[-1])
        if log is logs[-1] or sum(table.num_rows for table in waiting) >= GROUP_ROWS:
            yield pa.concat_tables(waiting).unify_dictionaries()
            waiting = []


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return pa.string() if pa.types.is_dictionary(kind) else kind


def _safe(table: pa.Table) -> pa.Table:
    """Text that a spreadsheet would take for a formula, marked, and signed numbers too; `own_cell` takes both back."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for at, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            marked = pc.replace_substring_regex(table.column(at), pattern=FORMULA, replacement=r"'\1")
            table = table.set_column(at, column, marked)
    return table


class _Keys:
    """Eight bytes a row: enough to see that a key stands there twice."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Take in the rows of one log."""
        import numpy as np

        columns = [table.column(name).to_pylist() for name in KEY_COLUMNS]
        hashes = np.fromiter((hash(key) for key in zip(*columns, strict=True)), dtype=np.int64, count=table.num_rows)
        self.seen.append(hashes)
        self.rows += table.num_rows

    @property
    def double(self) -> bool:
        """Whether two rows have one key (or, once in 10 million tables of a million rows, one hash)."""
        import numpy as np

        every = np.concatenate(self.seen)
        # In place: a set of them, as `unique` makes it, would be what this command takes most memory for.
        every.sort()
        return bool((every[1:] == every[:-1]).any())
