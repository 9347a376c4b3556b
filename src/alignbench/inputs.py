"""One door for every command that takes INPUT: a folder of logs, log files, or verdict tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["read_inputs"]

TABLE_SUFFIXES = (".csv", ".parquet")


def read_inputs(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read one verdict table from what a user names.

    Args:
        paths: One or more log folders, log files (`.eval`, `.json`, local or remote), or tables (`.csv`,
            `.parquet`).

    Returns:
        The table, checked.

    Raises:
        InputError: Nothing readable, or rows with one key.
    """
    import pandas as pd

    from alignbench.table import as_table, read_table

    names = [str(path) for path in paths]
    # A folder holds logs, whatever it is called.
    tables = [name for name in names if name.endswith(TABLE_SUFFIXES) and not Path(name).is_dir()]
    logs = [name for name in names if name not in tables]
    frames = [read_table(name) for name in tables]
    if logs:
        from alignbench.logs import verdicts

        frames.append(verdicts(logs))
    if not frames:
        raise InputError("nothing to read", allowed="a log folder, logs, or a verdict table")
    if len(frames) == 1:
        return frames[0]
    return as_table(pd.concat(frames, ignore_index=True), source=" + ".join(names))
