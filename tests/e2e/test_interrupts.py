"""Ctrl-C at chosen points: exit code 130, what stood there before stands there still, and the same command goes on."""

from __future__ import annotations

import importlib
import os
import signal
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import Command, small_demo
from simulated_tables import simulated

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

GENERATE = "alignbench.run.models.scripted:PersonaAPI.generate"
FIGURE = "alignbench.report.leaderboard.write:draw_boards"
REPLACE = "pathlib:Path.replace"
EXAM = ["alignbench", "judge", "exam", "--grader", "persona/grader", "--epochs", "1", "-o", "out"]
ATTACK = ["alignbench", "judge", "attack", "--grader", "persona/grader", "-o", "out"]
FILES = {
    "demo": ("verdicts.parquet", "leaderboard.csv", "leaderboard_columns.md", "leaderboard.md", "leaderboard.png"),
    "exam": ("judge_card.json", "judge_card.md"),
    "attack": ("judge_attack.json", "judge_attack.md"),
    "leaderboard": ("leaderboard.csv", "leaderboard_columns.md", "leaderboard.md", "leaderboard.png"),
}
"""What each command writes, logs aside."""
COMMANDS = {
    "demo": ["alignbench", "demo", "-o", "out"],
    "exam": [*EXAM, "--limit", "12"],
    "attack": [*ATTACK, "--limit", "24"],
    "leaderboard": ["alignbench", "leaderboard", "table.csv", "-o", "out"],
}
POINTS = {
    "demo": [
        (GENERATE, 1), (GENERATE, 40), ("alignbench.jobs.demo:_evaluate", 2), (FIGURE, 1), (REPLACE, "leaderboard.md"),
    ],
    "exam": [
        ("alignbench.run.task:exam_task", 1), (GENERATE, 1), (GENERATE, 11),
        ("alignbench.jobs.examine:examine", 1), (REPLACE, "judge_card.json"),
    ],
    "attack": [
        ("alignbench.jobs.examine:attack_task", 1), (GENERATE, 2), (GENERATE, 24),
        ("alignbench.jobs.examine:attack_report", 1), (REPLACE, "judge_attack.md"),
    ],
    "leaderboard": [
        ("alignbench.logs.inputs:read_inputs", 1), ("alignbench.report.leaderboard.boards:checked_rates", 1),
        ("alignbench.report.leaderboard.write:markdown", 1), (FIGURE, 1), (REPLACE, "leaderboard.csv"),
    ],
}  # fmt: skip
"""For each command five points: a function, and which of its calls, or the file that it puts into its place."""


def _interrupting(point: str, when: int | str) -> None:
    """Send this process an interrupt in the midst of it, at one call of one function."""
    module, _, name = point.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, last = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    real: Callable[..., Any] = getattr(owner, last)
    calls = 0

    @wraps(real)
    def called(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if when in (calls, Path(str(args[-1])).name if args else ""):
            os.kill(os.getpid(), signal.SIGINT)
        return real(*args, **options)

    setattr(owner, last, called)


def _small(point: str, when: int | str) -> None:
    """The small demo, interrupted at a point."""
    small_demo()
    if point:
        _interrupting(point, when)


def _before(command: str, point: str, when: int | str) -> Callable[[], None]:
    return partial(_small if command == "demo" else _interrupting, point, when)


@pytest.mark.parametrize(
    ("command", "point", "when"),
    [(name, *point) for name, points in POINTS.items() for point in points],
)
def test_an_interrupt_leaves_what_stood_there(command: str, point: str, when: int | str, tmp_path: Path) -> None:
    """Code 130, no traceback, no file of this run and no half of one; in the midst of the last step, all of them."""
    out = tmp_path / "out"
    out.mkdir()
    for name in FILES[command]:
        (out / name).write_text("old", encoding="utf-8")
    if command == "leaderboard":
        simulated("m", 0.2, scenarios=6, epochs=2).to_csv(tmp_path / "table.csv", index=False)
    done = Command(COMMANDS[command], tmp_path, before=_before(command, point, when)).run()
    assert done.code == 130, done.text
    assert "Traceback" not in done.text
    assert "wrote" not in done.text.lower()
    assert {file.name for file in out.iterdir() if file.name != "logs"} == set(FILES[command])
    news = [(out / name).read_bytes() != b"old" for name in FILES[command]]
    assert all(news) if point == REPLACE else not any(news)


@pytest.mark.parametrize("command", ["demo", "exam", "attack"])
def test_the_same_command_goes_on_after_an_interrupt(command: str, tmp_path: Path) -> None:
    """It ends with 0 and every file."""
    broken = Command(COMMANDS[command], tmp_path, before=_before(command, GENERATE, 9)).run()
    assert broken.code == 130, broken.text
    assert broken.err.splitlines()[-1].endswith("the same command goes on")
    assert not any((tmp_path / "out" / name).exists() for name in FILES[command])
    again = partial(_small, "", 0) if command == "demo" else None
    finished = Command(COMMANDS[command], tmp_path, before=again).run()
    assert finished.code == 0, finished.text
    assert all((tmp_path / "out" / name).exists() for name in FILES[command])


@pytest.mark.parametrize(("argv", "file"), [(EXAM, "judge_card.json"), (ATTACK, "judge_attack.json")])
def test_nothing_fuller_is_replaced(argv: list[str], file: str, tmp_path: Path) -> None:
    """A part of an examination does not take the place of more of it, nor costs a call; as much of it does."""
    assert Command([*argv, "--limit", "24"], tmp_path).run().code == 0
    before = (tmp_path / "out" / file).read_bytes()
    part = Command([*argv, "--limit", "12"], tmp_path, before=partial(_interrupting, GENERATE, 1)).run()
    assert part.code == 2, part.text
    assert "what is here rests on" in part.err
    assert (tmp_path / "out" / file).read_bytes() == before
    assert Command([*argv, "--limit", "24"], tmp_path).run().code == 0


@pytest.mark.parametrize("when", [1, 8])
def test_an_interrupted_rescore_leaves_the_log_as_it_was(when: int, tmp_path: Path) -> None:
    """Code 130, and no copy beside the log nor in its place."""
    target = tmp_path / "logs"
    ran = [
        "inspect",
        "eval",
        "alignbench/pricing_fairness",
        "--model",
        "persona/base",
        "--limit",
        "8",
        "-T",
        "judge=false",
    ]
    assert Command([*ran, "--display", "none", "--log-dir", str(target)], tmp_path).run().code == 0
    (log,) = target.glob("*.eval")
    before = log.read_bytes()
    argv = ["alignbench", "judge", "rescore", "logs", "--grader", "persona/grader", "--in-place"]
    done = Command(argv, tmp_path, before=partial(_interrupting, GENERATE, when)).run()
    assert done.code == 130, done.text
    assert [file.name for file in target.iterdir()] == [log.name]
    assert log.read_bytes() == before
