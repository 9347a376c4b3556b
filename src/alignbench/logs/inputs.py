"""One door for every command that takes INPUT: a folder of logs, log files, or verdict tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import InputError, Note, warn
from alignbench.table.keys import RUN_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["read_inputs"]

TABLE_SUFFIXES = (".csv", ".parquet")


def read_inputs(
    paths: Sequence[str | Path],
    *,
    by: Sequence[str] = (),
    latest: bool = False,
    note: Note = warn,
) -> pd.DataFrame:
    """Read one verdict table from what a user names.

    Args:
        paths: One or more log folders, log files (`.eval`, `.json`, local or remote), or tables (`.csv`,
            `.parquet`).
        by: Columns that the table will be grouped by. With `run` among them several runs may answer the same.
        latest: Of several runs that answer the same, leave out all but the latest by its date
            (`alignbench.table.runs.latest_runs`).
        note: Gets remarks for people: rows left out by `latest`, columns that nothing reads, rows that are taken as
            repetitions.

    Returns:
        The table, checked.

    Raises:
        InputError: Nothing readable, or rows with one key.
    """
    import pandas as pd

    from alignbench.table.read import as_table, read_table
    from alignbench.table.runs import latest_runs

    names = [str(path) for path in paths]
    # A folder holds logs, whatever it is called.
    tables = [name for name in names if name.endswith(TABLE_SUFFIXES) and not Path(name).is_dir()]
    logs = [name for name in names if name not in tables]
    columns = (*by, *RUN_COLUMNS) if latest else tuple(by)
    frames = [read_table(name, by=columns, note=note) for name in tables]
    if logs:
        from alignbench.logs import verdicts

        frames.append(verdicts(logs, by=columns))
    if not frames:
        raise InputError("nothing to read", allowed="a log folder, logs, or a verdict table")
    source = " + ".join(names)
    table = frames[0]
    if len(frames) > 1:
        table = as_table(pd.concat(frames, ignore_index=True), source=source, by=columns)
    if not latest:
        return table
    table, remark = latest_runs(table)
    note(remark)
    return as_table(table, source=source, by=by)
