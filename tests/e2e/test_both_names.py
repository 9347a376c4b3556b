"""A task has two names: that of the installed package and that of its file in a checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import PERSONA, ROOT, Command

from alignbench.logs import verdicts
from alignbench.packs import shipped_packs

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

pytestmark = pytest.mark.slow

TASKS = list(shipped_packs())
BY_RUN = ["log", "sample_uuid"]


def _table(logs: Path, *tasks: str) -> pd.DataFrame:
    """The verdict table of tasks run from the root of the checkout."""
    argv = ["inspect", "eval", *tasks, *PERSONA, "--display", "none", "--log-dir", str(logs)]
    finished = Command(argv, ROOT).run()
    assert finished.code == 0, finished.text
    return verdicts([logs]).drop(columns=BY_RUN).sort_values(["pack", "scenario", "twin"], ignore_index=True)


def test_by_package_and_by_file_the_verdicts_are_equal(tmp_path: Path) -> None:
    """Runs of `alignbench/<task>` and of `evals/<task>.py` differ in nothing but log and uuid."""
    package = _table(tmp_path / "package", *(f"alignbench/{task}" for task in TASKS))
    file = _table(tmp_path / "file", *(f"evals/{task}.py" for task in TASKS))

    assert sorted(set(package["pack"])) == TASKS
    assert package["verdict"].notna().all()
    # A package's tasks carry its name in front.
    assert set(package["task"]) == {f"alignbench/{task}" for task in file["task"].unique()}
    assert package.drop(columns="task").equals(file.drop(columns="task"))
