"""Each public function and type, used as a program that is checked with `mypy --strict` would use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import alignbench as ab

if TYPE_CHECKING:
    import pandas as pd


def read(paths: list[str | Path]) -> pd.DataFrame:
    """Tables from logs, files and frames."""
    print(ab.__version__)
    return ab.as_table(ab.read_inputs(paths)) if paths else ab.read_table("verdicts.csv")


def measure(table: pd.DataFrame, calibration: ab.Calibration | None = None) -> list[pd.DataFrame]:
    """Every analysis that gives a frame."""
    return [
        ab.rates(table, ["model", "pack"], calibration=calibration),
        ab.compare(table, base_name="a", by=["split"]),
        ab.unpaired(table, base_name="a"),
        ab.ranks(table, measure="misalignment"),
        ab.agreement(table, on="verdict"),
    ]


def decide(base: pd.DataFrame, candidate: pd.DataFrame, policy: ab.Policy) -> int:
    """The gate, its rows and its exit code."""
    report: ab.GateReport = ab.gate(base, candidate, policy=policy)
    rows: tuple[ab.GateRow, ...] = report.rows
    print([row.worst_case for row in rows], report.headline)
    return report.exit_code


def explore(table: pd.DataFrame) -> ab.Drift:
    """Values, drift and plans."""
    print(ab.priorities(table), ab.plan(table))
    return ab.drift(table, axis="monitoring")


def publish(table: pd.DataFrame, cards: list[ab.JudgeCard]) -> list[Path]:
    """Boards as files."""
    boards: list[ab.Board] = ab.leaderboard(table, cards=cards)
    return ab.write_leaderboard(boards, Path("board"))


def correct(table: pd.DataFrame, labels: pd.DataFrame) -> ab.Calibration:
    """Labels and panels."""
    print(ab.calibrate(table, labels), ab.panel(table, "majority"))
    return ab.load_calibration("calibration.json")


def look(name: str) -> list[ab.Scenario]:
    """Packs, rubrics and policies."""
    pack: ab.Pack = ab.new_pack(name, "copy") if name else ab.load_pack("pricing_fairness")
    rubric: ab.Rubric = ab.load_rubric("conflict")
    answers: list[ab.LabelledAnswer] = pack.answers("price_request", twin=False)
    print(rubric.digest, len(answers), ab.shipped_packs(), ab.load_policy("policy.yaml"))
    return list(pack.scenarios.values())


def fail(error: Exception) -> str:
    """The errors that a program can act on."""
    if isinstance(error, ab.InputError | ab.NotComparableError):
        return str(error)
    return "ours" if isinstance(error, ab.AlignbenchError) else "another's"
