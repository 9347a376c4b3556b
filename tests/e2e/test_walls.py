"""The rooms of the code and what they may import: the contracts hold, and a wrong import of any kind breaks them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, Command

if TYPE_CHECKING:
    from pathlib import Path

    from commands import Finished

pytestmark = pytest.mark.slow

WRONG = {
    "upwards": (
        "table/frames.py",
        "import alignbench.analysis.rates.rates",
        "table.frames -> alignbench.analysis.rates",
    ),
    "between siblings": ("labels/draw.py", "import alignbench.judges.card", "labels.draw -> alignbench.judges.card"),
    "of types alone": (
        "stats/rate.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from alignbench.table.counts import Measure",
        "stats.rate -> alignbench.table.counts",
    ),
    "within a function": (
        "packs/check.py",
        "def _planted() -> None:\n    from alignbench.cli import main\n    main()",
        "packs.check -> alignbench.cli",
    ),
    "in a circle": ("stats/estimate.py", "import alignbench.stats.rate", "in alignbench.stats"),
    "of Inspect": ("judges/votes.py", "import inspect_ai.log", "judges.votes -> inspect_ai"),
    "of tables where models run": ("run/stops.py", "import pandas", "run.stops -> pandas"),
    "of plots in the statistics": ("stats/ranks.py", "import matplotlib.figure", "stats.ranks -> matplotlib"),
}
"""Kind of wrong import: where it is planted, the lines, and how the report names it."""


def _lint(folder: Path, planted: dict[str, str]) -> Finished:
    """Run the contracts on a copy of the code to which lines are added, by file."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "alignbench", folder / "alignbench", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, lines in planted.items():
        file = folder / "alignbench" / name
        file.parent.mkdir(exist_ok=True)
        before = file.read_text("utf-8") if file.exists() else ""
        file.write_text(f"{before}\n\n{lines}\n", encoding="utf-8")
    return Command(["lint-imports", "--no-cache"], folder, path=[folder]).run()


def test_the_contracts_hold(tmp_path: Path) -> None:
    """No import goes upwards, aside or in a circle, types included."""
    finished = _lint(tmp_path, {})
    assert finished.code == 0, finished.text


def test_every_kind_of_wrong_import_is_found(tmp_path: Path) -> None:
    """Planted at once, each of them is named in the report."""
    finished = _lint(tmp_path, {file: lines for file, lines, _ in WRONG.values()})
    assert finished.code == 1
    report = " ".join(finished.text.split())
    assert [kind for kind, (_, _, named) in WRONG.items() if named not in report] == []


def test_a_room_without_a_layer_is_found(tmp_path: Path) -> None:
    """A new package must be given its place before it can be used."""
    finished = _lint(tmp_path, {"cellar/__init__.py": '"""Nobody knows what this is."""'})
    assert finished.code == 1
    assert "cellar" in finished.text
