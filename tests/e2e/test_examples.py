"""The examples of the Python API run, as they stand, and print numbers."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

import pytest
from commands import ROOT
from golden_runs import demo_folder

if TYPE_CHECKING:
    from pathlib import Path

    from commands import SharedFolder

pytestmark = pytest.mark.slow

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_runs(
    example: Path,
    shared_folder: SharedFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From its first line to its last, where the demo's logs lie if it reads them."""
    reads_demo = "demo/logs" in example.read_text("utf-8")
    monkeypatch.chdir(shared_folder("demo", demo_folder) if reads_demo else tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    assert "rate" in capsys.readouterr().out
