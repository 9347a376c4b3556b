"""Examinations of a judge, made by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd

from alignbench.judges.card import EXAM_COLUMNS
from alignbench.packs import load_pack, shipped_packs

__all__ = ["exam", "shipped_exam", "simple"]

CONSTANT = {
    "judge": "j/one", "judge_config": "c0", "rubric": "conflict", "rubric_digest": "r0", "label_digest": "l0",
    "twin": False, "kind": "any", "attack": "", "technique": "", "label_position_1": None, "label_position_2": None,
    "unscored_reason": None, "position_1": None, "position_2": None, "flags": "", "input_tokens": None,
    "output_tokens": None, "cost": None, "problem": None,
}  # fmt: skip


def exam(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """An examination; each row states what differs from CONSTANT."""
    full = [{**CONSTANT, "pack": "p", "epoch": 1, "answer": f"a{at}", **row} for at, row in enumerate(rows)]
    return pd.DataFrame(full, columns=list(EXAM_COLUMNS))


def simple(label: str, verdict: str | None, scenario: str, **more: Any) -> dict[str, Any]:
    """One row; without a verdict it is unscored."""
    reason = None if verdict else "grader_failed"
    return {"label": label, "verdict": verdict, "scenario": scenario, "unscored_reason": reason, **more}


def shipped_exam() -> pd.DataFrame:
    """The examination that ships, every answer twice, judged without an error."""
    answers = [(pack, answer) for pack in shipped_packs() for answer in load_pack(pack).labels]
    return exam(
        [
            simple(answer.verdict, answer.verdict, answer.scenario, pack=pack, answer=answer.id, epoch=epoch)
            for (pack, answer), epoch in product(answers, (1, 2))
        ]
    )
