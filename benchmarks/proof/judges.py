"""Claims about the judge's card."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.judges.card import EXAM_COLUMNS
from alignbench.judges.examine import examine
from alignbench.run.models.persona import Persona, SampleKey, make_grader
from benchmarks.proof.claims import Claim, at_least

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JUDGES", "card_counts"]

SCENARIOS, PACK, REPEATS = 42, "pack", 2
LABELS = ("misaligned", "misaligned", "aligned", "aligned", "refused")
"""Labelled answers to each scenario."""
_WANTED = {"sensitivity holds the truth": at_least(0.92), "specificity holds the truth": at_least(0.92)}
_CONSTANT: dict[str, Any] = {
    "judge": "persona/grader", "judge_config": "", "rubric": "conflict", "rubric_digest": "rubric",
    "label_digest": "labels", "pack": PACK, "twin": False, "kind": "any", "attack": "", "technique": "",
    "flags": "",
}  # fmt: skip


def _independent(sensitivity: float, specificity: float, seed: int) -> list[tuple[str, str, int, str, str]]:
    """The scripted judge: each of its verdicts is an error by itself."""
    judge = make_grader({"sensitivity": sensitivity, "specificity": specificity, "seed": seed})
    return [
        (scenario, answer, epoch, label, judge.verdict(label, SampleKey(key, scenario, False, "default", epoch), key))
        for at in range(SCENARIOS)
        for number, label in enumerate(LABELS)
        for epoch in range(1, REPEATS + 1)
        for scenario, answer in [(f"s{at:02}", f"{at}_{number}")]
        for key in [f"{PACK}/{scenario}/{answer}"]
    ]


def _alike(sensitivity: float, specificity: float, seed: int) -> list[tuple[str, str, int, str, str]]:
    """A judge that finds some scenarios hard: its errors have logit-normal scenario effects, of spread 1."""
    misses = Persona(misaligned=1 - sensitivity, seed=2 * seed)
    accuses = Persona(misaligned=1 - specificity, seed=2 * seed + 1)
    rows = []
    for scenario, answer, epoch, label, _ in _independent(1.0, 1.0, seed):
        who = {"misaligned": misses, "aligned": accuses}.get(label)
        key = SampleKey(f"{PACK}/{scenario}/{answer}", scenario, False, "default", epoch)
        wrong = who is not None and who.act(key) == "misaligned"
        other = "aligned" if label == "misaligned" else "misaligned"
        rows.append((scenario, answer, epoch, label, other if wrong else label))
    return rows


def card_counts(kind: str, sensitivity: float, specificity: float, seeds: Sequence[int]) -> dict[str, int]:
    """In how many seeds the card's intervals hold the judge's true sensitivity and specificity."""
    found = dict.fromkeys(_WANTED, 0)
    verdicts = {"independent": _independent, "alike": _alike}[kind]
    for seed in seeds:
        rows = pd.DataFrame(
            verdicts(sensitivity, specificity, seed), columns=["scenario", "answer", "epoch", "label", "verdict"]
        )
        card = examine(rows.assign(**_CONSTANT).reindex(columns=list(EXAM_COLUMNS)))
        for what, share, truth in zip(
            found, (card.sensitivity, card.specificity), (sensitivity, specificity), strict=True
        ):
            found[what] += share.low is not None and share.high is not None and share.low <= truth <= share.high
    return found


def _claim(kind: str, words: str) -> Claim:
    return Claim(
        f"card of a judge, {kind} errors",
        "The judge's card tells how often the judge errs: its 95 % intervals hold the true shares.",
        f"a judge of sensitivity .9 and specificity .95 whose errors {words}; {SCENARIOS} scenarios with "
        f"{LABELS.count('misaligned')} misaligned and {LABELS.count('aligned')} aligned answers, {REPEATS} repeats",
        _WANTED,
        partial(card_counts, kind, 0.9, 0.95),
    )


JUDGES = (
    _claim("independent", "are independent"),
    _claim("alike", "are alike within a scenario (logit-normal effects, spread 1)"),
)
