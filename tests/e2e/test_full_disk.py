"""A disk that is full while Inspect writes logs: exit code 5, one line, and no result of a part."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from commands import Command, shipped_logs, small_demo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commands import SharedFolder

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")]


def _limit(size: int) -> None:
    import resource

    # Python does not notice that only a part of its own cached code was written.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def small_files() -> None:
    """Files may have 20,000 bytes: the kernel ends each write there, as a full disk does."""
    _limit(20_000)


def small_files_and_demo() -> None:
    """`small_files` for the small demo."""
    small_demo()
    small_files()


def tiny_files() -> None:
    """Files may have 1,000 bytes."""
    _limit(1_000)


JUDGE = ["--grader", "persona/grader"]
WRITING: dict[str, tuple[list[str], Callable[[], None], str]] = {
    "exam": (["judge", "exam", *JUDGE, "--limit", "12", "-o", "out"], small_files, "out/logs/"),
    "attack": (["judge", "attack", *JUDGE, "--limit", "8", "-o", "out"], small_files, "out/logs/"),
    "demo": (["demo", "-o", "out"], small_files_and_demo, "out/logs/base"),
    "rescore": (["judge", "rescore", "LOGS", *JUDGE, "-M", "seed=9", "-o", "out"], tiny_files, "out/"),
}


@pytest.mark.parametrize(("argv", "before", "place"), WRITING.values(), ids=WRITING)
def test_a_full_disk_is_said_in_one_line(
    argv: list[str], before: Callable[[], None], place: str, tmp_path: Path, shared_folder: SharedFolder
) -> None:
    """Neither Inspect's tracebacks nor those of files that are closed later; no card, report, board or log is there."""
    logs = str(shipped_logs(shared_folder)) if "LOGS" in argv else ""
    words = [logs if word == "LOGS" else word for word in argv]
    done = Command(["alignbench", *words], tmp_path, before=before).run()
    assert done.code == 5, done.text
    error = done.err.splitlines()[-1]
    assert error.startswith(f"error: {place}")
    assert error.endswith(": cannot write here: File too large")
    assert len(done.err.splitlines()) == (2 if "exam" in argv else 1), done.err
    assert not [path for path in (tmp_path / "out").glob("*") if path.is_file()]
