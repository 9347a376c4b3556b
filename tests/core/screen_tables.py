"""One small set of tables that every command has something to say about, and the commands whose screens are kept."""

from __future__ import annotations

import re
import shlex
from contextlib import chdir
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner

from alignbench.cli import cli
from alignbench.table.read import as_table

__all__ = ["COMMANDS", "WIDTHS", "screen", "write_tables"]

ROOT = Path(__file__).parents[2]
WIDTHS = (80, 100, 120)
PACKS = ("deception_assistance", "honesty_vs_helpfulness", "pricing_fairness")
VALUES = ("autonomy", "compassion", "fairness", "honesty")
CONDITIONS = {"default": 1, "monitoring=logged": 1, "nudge=value_1": 1, "pressure=push": 3}
"""Condition to turns of a conversation."""
MODELS = {"provider/model-base-2026-08-01": 0.25, "provider/model-tuned-2026-08-01": 0.1, "persona/refuser": 0.05}
"""Model to how often it does the wrong thing."""
JUDGES = {"provider/judge-large-20260801": 0.0, "other-provider/judge-mini": 0.1}
"""Judge to how often it errs."""
EPOCHS = 2
SCENARIOS = 14

COMMANDS = {
    "rates": "rates all.parquet",
    "rates_by_condition": "rates base.parquet --by model,pack,condition,nudge",
    "rates_ledger": "rates all.parquet --ledger --by model",
    "rates_corrected": "rates base.parquet --calibration calibration.json",
    "compare": "compare base.parquet tuned.parquet",
    "compare_by_family": "compare all.parquet --base provider/model-base-2026-08-01 --by pack,family --packs "
    "pricing_fairness",
    "drift": "drift base.parquet --axis monitoring",
    "drift_turns": "drift base.parquet --axis pressure",
    "priorities": "priorities base.parquet",
    "priorities_matrix": "priorities base.parquet --part matrix",
    "plan": "plan all.parquet --base provider/model-base-2026-08-01 --candidate provider/model-tuned-2026-08-01",
    "plan_gate": "plan --rate .03 --icc .2 --other-rate .06 --scenarios 14,42 --epochs 4 --margin .1 --draws 5",
    "plan_target": "plan --target 'detect 22% -> 3%'",
    "ranks": "ranks all.parquet",
    "leaderboard": "leaderboard judges.parquet -o board",
    "gate_passed": "gate base.parquet tuned.parquet --policy wide.yaml",
    "gate_regressed": "gate tuned.parquet refuser.parquet --margin .15",
    "gate_inconclusive": "gate base.parquet lost.parquet --margin .12",
    "agreement": "agreement judges.parquet",
    "agreement_confusion": "agreement judges.parquet --confusion",
    "judge_calibrate": "judge calibrate base.parquet labels.csv",
    "judge_compare": "judge compare judges.parquet --base provider/judge-large-20260801",
    "judge_sample": "judge sample texts.csv -n 20 -o sheet.csv",
    "packs_list": "packs list",
    "packs_show": "packs show pricing_fairness",
}
"""Screen to the command that prints it, in the folder of the tables."""


def write_tables(folder: Path) -> None:
    """Write the tables, labels and a calibration that COMMANDS name.

    Args:
        folder: An empty folder.
    """
    models = {name: _table(name, rate, seed) for seed, (name, rate) in enumerate(MODELS.items())}
    base, tuned, refuser = models.values()
    base.to_parquet(folder / "base.parquet")
    tuned.to_parquet(folder / "tuned.parquet")
    refuser.to_parquet(folder / "refuser.parquet")
    (folder / "wide.yaml").write_text("margin: 0.3\nlargest_usefulness_loss: 0.3\n", encoding="utf-8")
    lost = tuned["epoch"].eq(2) & tuned["scenario"].isin(["pricing_fairness_00", "pricing_fairness_01"])
    _without(tuned, lost, "grader_failed").to_parquet(folder / "lost.parquet")
    some = _without(refuser, refuser["scenario"].eq("pricing_fairness_03"), "cut_off")
    pd.concat([base, tuned, some], ignore_index=True).to_parquet(folder / "all.parquet")
    short = base[base["condition"] == "default"]
    judged = [_judged_by(short, judge, error) for judge, error in JUDGES.items()]
    pd.concat(judged, ignore_index=True).to_parquet(folder / "judges.parquet")
    texts = short[["model", "pack", "scenario", "twin", "epoch", "verdict", "judge", "rubric_digest", "pack_digest"]]
    about = {"transcript": "user: a question\n\nassistant: an answer", "misaligned_if": "it lies", "aligned_if": "not"}
    texts.assign(**about).to_csv(folder / "texts.csv", index=False)
    _label(short).to_csv(folder / "labels.csv", index=False)
    screen("judge calibrate base.parquet labels.csv -o calibration.json", folder)


def screen(command: str, folder: Path, width: int | None = None) -> str:
    """What a command prints, on a terminal of so many columns or, without them, into a pipe."""
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}
    with chdir(folder):
        done = CliRunner(env=terminal if width else {}).invoke(cli, shlex.split(command), color=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.output).replace(f"{ROOT}/", "")
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _table(model: str, rate: float, seed: int) -> pd.DataFrame:
    """A table of one model: three packs under four conditions, pressure over three turns."""
    rng = np.random.default_rng([17, seed])
    rows = []
    pairs = list(combinations(range(len(VALUES)), 2))
    for at, pack in enumerate(PACKS):
        for number in range(SCENARIOS):
            first, second = pairs[(number + at) % len(pairs)]
            hard = rng.beta(rate, 1 - rate) if rate < 0.2 else rng.beta(2 * rate, 2 * (1 - rate))
            shared = {
                "model": model, "pack": pack, "scenario": f"{pack}_{number:02}", "family": f"family_{number % 2}",
                "value_1": VALUES[first], "value_2": VALUES[second],
            }  # fmt: skip
            for condition, turns in CONDITIONS.items():
                for epoch in range(1, EPOCHS + 1):
                    for turn in range(1, turns + 1):
                        bad = rng.random() < hard * (0.5 if "logged" in condition else 1)
                        lean = int(np.clip(round(3 + second - first + 1.5 * rng.normal()), 0, 6))
                        rows.append(
                            shared
                            | {"twin": False, "condition": condition, "epoch": epoch, "turn": turn, "turns": turns}
                            | {"nudge": "value_1" if "nudge" in condition else "neutral"}
                            | {"verdict": "misaligned" if bad else "aligned", "severity": int(bad)}
                            | {"position_1": lean, "position_2": 6 - lean}
                        )
            for epoch in range(1, EPOCHS + 1):
                refused = rng.random() < (0.4 if "refuser" in model else 0.05)
                rows.append(
                    shared
                    | {"twin": True, "condition": "default", "epoch": epoch, "turn": 1, "turns": 1, "nudge": "neutral"}
                    | {"verdict": "refused" if refused else "aligned", "position_1": None, "position_2": None}
                )
    frame = pd.DataFrame(rows)
    (judge, *_) = JUDGES
    return as_table(
        frame.assign(
            judge=judge, judge_config="0123456789abcdef", rubric="conflict", rubric_digest="fedcba9876543210",
            pack_version="1-A", pack_digest=frame["pack"].str[:8] + "01234567",
            model_args='{"temperature":0}' if "tuned" in model else "",
        )
    )  # fmt: skip


def _without(table: pd.DataFrame, rows: pd.Series, reason: str) -> pd.DataFrame:
    """The table with no verdict in some rows."""
    grades = dict.fromkeys(("severity", "position_1", "position_2"), None)
    words = table["verdict"].astype(object).mask(rows, None)
    why = table["unscored_reason"].astype(object).mask(rows, reason)
    kept = table.assign(verdict=words, unscored_reason=why)
    return as_table(kept.assign(**{name: kept[name].mask(rows, value) for name, value in grades.items()}))


def _judged_by(table: pd.DataFrame, judge: str, error: float) -> pd.DataFrame:
    """The table as a judge sees it who swaps aligned and misaligned in some conflicts."""
    swapped = (np.random.default_rng(5).random(len(table)) < error) & ~table["twin"].to_numpy(dtype=bool)
    words = table["verdict"].astype(str)
    words = words.mask(swapped, words.map({"aligned": "misaligned", "misaligned": "aligned"}))
    numbered = [f"u{at}" for at in range(len(table))]
    severity = words.eq("misaligned").astype(int).where(~table["twin"].to_numpy(dtype=bool))
    return as_table(table.assign(judge=judge, verdict=words, severity=severity, sample_uuid=numbered))


def _label(table: pd.DataFrame) -> pd.DataFrame:
    """Labels by two people of the conflicts of two packs, one of whom sees more."""
    drawn = table[~table["twin"].to_numpy(dtype=bool) & table["pack"].isin(PACKS[:2])]
    keys = drawn[["model", "pack", "scenario", "twin", "condition", "epoch", "turn"]].copy()
    keys = keys.assign(label=drawn["verdict"].astype(str), labeller="ann")
    more = keys.head(20).assign(labeller="bo")
    return pd.concat([keys, more.assign(label=more["label"].where(more.index % 5 > 0, "misaligned"))])
