"""Inspect's eval sets as our own commands run them: broken off, they say so."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from inspect_ai import eval_set

from alignbench.errors import WriteError
from alignbench.files import DISK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inspect_ai import Task
    from inspect_ai.log import EvalLog

__all__ = ["run_eval_set"]


def run_eval_set(tasks: Sequence[str] | Sequence[Task], log_dir: Path, **options: Any) -> tuple[bool, list[EvalLog]]:
    """Run or go on with an eval set that nobody watches.

    Args:
        tasks: Names of tasks, or tasks.
        log_dir: Its folder, which holds no other logs.
        options: Of `inspect_ai.eval_set`.

    Returns:
        Whether every task was finished, and the headers of their logs.

    Raises:
        KeyboardInterrupt: It was broken off. Inspect writes the logs of what was done, and returns as from a set
            without tasks.
        WriteError: The disk was full, or failed, which Inspect only notes in its logs.
    """
    success, logs = eval_set(
        list(tasks),  # type: ignore[arg-type]  # a list of one kind is a list of either
        log_dir=str(log_dir),
        log_level="error",
        # Nobody watches these samples live, and the buffer for that costs more than they do.
        log_realtime=False,
        **options,
    )
    for log in logs:
        # Inspect keeps no error but its words: OSError(28, …) or [Errno 28] ….
        said = re.search(r"(?:Error\(|\[Errno )(\d+)", log.error.message) if log.error else None
        if said and int(said[1]) in DISK:
            raise WriteError(f"{log_dir}: cannot write here: {os.strerror(int(said[1]))}")
    if len(logs) < len(tasks) or any(log.status == "cancelled" for log in logs):
        raise KeyboardInterrupt("broken off; what the logs hold is kept, and the same command goes on")
    return success, logs
