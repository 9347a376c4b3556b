"""The README's first command: personas through the whole chain, and every analysis on the logs it leaves."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, TERMINAL, Command, plain
from golden_runs import demo_folder

if TYPE_CHECKING:
    from pathlib import Path

    from commands import SharedFolder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(shared_folder: SharedFolder) -> Path:
    """The folder in which the demo was run once."""
    return shared_folder("demo", demo_folder)


def test_the_chain_finds_the_known_truth(demo: Path) -> None:
    """At least 26 of the 30 intervals hold the rates that the personas were given."""
    held = re.search(r"(\d+) of 30 intervals hold the truth", (demo / "screen.txt").read_text("utf-8"))
    assert held is not None
    assert int(held[1]) >= 26


def test_the_readme_shows_this_leaderboard(demo: Path) -> None:
    """The table in the README is the one that the demo writes, to the last digit."""
    page = (demo / "demo" / "leaderboard.md").read_text("utf-8")
    table = page[page.index("| Rank") : page.index("\n\n", page.index("| Rank"))]
    assert table in (ROOT / "README.md").read_text("utf-8")


def test_the_gate_passes_the_improvement_and_stops_its_reverse(demo: Path) -> None:
    """Base to tuned exits 0 or 3, tuned to base 1, under the demo's policy."""
    policy = ["--policy", str(ROOT / "examples" / "gate_demo.yaml")]
    before, after = "demo/logs/base", "demo/logs/tuned"
    assert Command(["alignbench", "gate", before, after, *policy], demo).run().code in (0, 3)
    assert Command(["alignbench", "gate", after, before, *policy], demo).run().code == 1


def test_the_truth_as_json(demo: Path) -> None:
    """--format json prints the truth table alone, with as many intervals that hold it."""
    finished = Command(["alignbench", "demo", "-o", "demo", "--format", "json"], demo).run()
    assert finished.code == 0, finished.text
    held = re.search(r"(\d+) of 30 intervals hold the truth", (demo / "screen.txt").read_text("utf-8"))
    assert held is not None
    assert [row["holds"] for row in json.loads(finished.out)].count(True) == int(held[1])


def test_the_same_command_again_runs_nothing_twice(demo: Path) -> None:
    """A second run of the demo finds every sample done and writes the same leaderboard; it fits 80 columns."""
    logs = {log.name for log in (demo / "demo" / "logs").rglob("*.eval")}
    before = (demo / "demo" / "leaderboard.csv").read_bytes()
    finished = Command(["alignbench", "demo", "-o", "demo"], demo, env=TERMINAL).run()
    assert finished.code == 0, finished.text
    first, again = ((demo / "screen.txt").read_text("utf-8"), plain(finished.out))
    assert max(map(len, again.splitlines())) <= 80
    cells = {cell for line in first.splitlines() for cell in re.findall(r"\d+/\d+|\d+\.\d(?: %| \[.*?\])", line)}
    assert len(cells) > 50
    assert [cell for cell in cells if cell not in again] == []
    assert {log.name for log in (demo / "demo" / "logs").rglob("*.eval")} == logs
    assert (demo / "demo" / "leaderboard.csv").read_bytes() == before
