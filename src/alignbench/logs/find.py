"""Find the logs that paths name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import InputError
from alignbench.files import describe_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_logs"]

LOG_NAME = re.compile(r"^[^.].*\.eval$|^\d{4}-\d{2}-\d{2}T.*\.json$")
"""What Inspect takes for a log in a folder: other JSON files there are none."""


def find_logs(paths: Sequence[str | Path]) -> list[str]:
    """Find the logs that paths name.

    Args:
        paths: Log folders (searched recursively) and log files, local or remote.

    Returns:
        Log files, sorted within each path, each once.

    Raises:
        InputError: A path that does not exist, or a folder without logs.
    """
    found: dict[str, None] = {}
    for path in map(str, paths):
        if "://" in path:
            found.update(dict.fromkeys(_remote_logs(path)))
            continue
        if os.path.isdir(path):  # noqa: PTH112  (paths may be long lists; no object is needed)
            inside = [str(file) for file in sorted(_files(path)) if LOG_NAME.match(file.name) and file.is_file()]
            if not inside:
                raise InputError("no logs in this folder", file=path, allowed="a folder that `inspect eval` wrote to")
            found.update(dict.fromkeys(inside))
        elif os.path.isfile(path):  # noqa: PTH113
            if path.endswith((".csv", ".parquet")):
                raise InputError("this is a table, and logs are asked for", file=path, allowed="folders, .eval, .json")
            if not path.endswith((".eval", ".json")):
                raise InputError("this is no log", file=path, allowed=".eval, .json; tables: .csv, .parquet")
            found[path] = None
        else:
            raise InputError(
                describe_path(path), file=path, allowed="a log folder, .eval, .json; tables: .csv, .parquet"
            )
    return list(found)


def _files(path: str) -> Iterator[Path]:
    """All files in a folder and those below; none that cannot be read is passed over, for it may hold logs."""

    def refuse(error: OSError) -> None:
        raise InputError(f"cannot read this folder: {error.strerror}", file=error.filename, allowed="one to read")

    for folder, _, names in os.walk(path, onerror=refuse):
        yield from (Path(folder, name) for name in names)


def _remote_logs(path: str) -> list[str]:
    from inspect_ai.log import list_eval_logs

    if path.endswith((".eval", ".json")):
        return [path]
    logs = [info.name for info in list_eval_logs(path)]
    if not logs:
        raise InputError("no logs in this folder", file=path)
    return logs
