"""What the demo's logs say through every command in every format, kept as files: a digit that changes is seen."""

from __future__ import annotations

from contextlib import chdir
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from golden_runs import OUTPUTS, demo_folder, figure_data, same_text, stable

from alignbench import leaderboard, read_inputs
from alignbench.report.leaderboard.figure import board_figure

if TYPE_CHECKING:
    from pathlib import Path

    from commands import SharedFolder
    from golden_runs import Output

    from conftest import Golden

pytestmark = pytest.mark.slow

WRITTEN = (
    "demo/leaderboard.csv",
    "demo/leaderboard.md",
    "demo/leaderboard_columns.md",
    "carded/leaderboard.csv",
    "carded/leaderboard.md",
    "exam/judge_card.md",
    "exam/judge_card.json",
    "attack/judge_attack.md",
    "attack/judge_attack.json",
    "calibration.json",
    "gate.md",
    "gate.xml",
    "screen.txt",
    "exam.txt",
    "attack.txt",
    "rescore.txt",
)
"""Files that the commands leave behind, and what those that run models print."""


@pytest.fixture(scope="module")
def demo(shared_folder: SharedFolder) -> Path:
    """The folder in which the demo was run, and its judge examined."""
    return shared_folder("demo", demo_folder)


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.file)
def test_a_command_prints_what_it_printed(output: Output, demo: Path, golden: Golden) -> None:
    """Every command in every format, to the last digit; --refresh-golden writes it anew."""
    golden(f"demo/{output.file}", output.text(demo), same=same_text)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_is_the_one_that_was_written(name: str, demo: Path, golden: Golden) -> None:
    """Leaderboard, cards, attack report, calibration and the gate's reports."""
    golden(f"demo/written/{name.replace('/', '_')}", stable((demo / name).read_text("utf-8")), same=same_text)


def test_the_verdict_table_is_the_one_that_was_read(demo: Path, golden: Golden) -> None:
    """The first answers to every scenario, with every column."""
    table = pd.read_csv(demo / "verdicts_base.csv", dtype=str, keep_default_na=False)
    first = table[table["epoch"] == "1"].sort_values(["pack", "scenario", "twin"])
    golden("demo/written/verdicts.csv", stable(first.to_csv(index=False)), same=same_text)


def test_the_figure_shows_what_it_showed(demo: Path, golden: Golden) -> None:
    """Every text, line and dot of the leaderboard's figure."""
    with chdir(demo):
        figure = board_figure(leaderboard(read_inputs(["demo/logs"]), seed=1))
    golden("demo/written/leaderboard_figure.txt", stable(figure_data(figure)), same=same_text)
