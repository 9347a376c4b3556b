"""A task has two names: that of the installed package and that of its file in a checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import PERSONA, ROOT, Command, shipped_logs, verdict_rows

from alignbench.packs import shipped_packs
from alignbench.vocabulary import VERDICTS

if TYPE_CHECKING:
    from pathlib import Path

    from commands import SharedFolder

pytestmark = pytest.mark.slow


def test_by_package_and_by_file_the_verdicts_are_equal(shared_folder: SharedFolder, tmp_path: Path) -> None:
    """Runs of `alignbench/<task>` and of `evals/<task>.py` differ in nothing but log and uuid."""
    files = [f"evals/{pack}.py" for pack in shipped_packs()]
    argv = ["inspect", "eval", *files, *PERSONA, "--display", "none", "--log-dir", str(tmp_path)]
    finished = Command(argv, ROOT).run()
    assert finished.code == 0, finished.text

    package, file = verdict_rows(shipped_logs(shared_folder)), verdict_rows(tmp_path)
    assert set(package["pack"]) == set(shipped_packs())
    assert package["verdict"].isin(VERDICTS).all()
    # A package's tasks carry its name in front.
    assert set(package["task"]) == {f"alignbench/{task}" for task in file["task"].unique()}
    assert package.drop(columns="task").equals(file.drop(columns="task"))
