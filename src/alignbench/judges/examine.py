"""Examine a judge: from its verdicts on labelled answers to its card.

The card is per pack, as a judge's errors do not carry over from one kind of scenario to another. A state follows from
lower limits, not from point values: a judge that was asked too little is not fit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError
from alignbench.judges.card import EXAM_COLUMNS, PREVALENCES, STATES, Agreement, JudgeCard, PackCard, Predictive
from alignbench.judges.fitness import MOST_SCENARIOS, judge_state, next_state, scenarios_needed
from alignbench.judges.proportions import proportion, repeated_proportion
from alignbench.judges.stability import stability
from alignbench.packs.perturbed import KINDS, changed_digest
from alignbench.stats.agreement import agreement
from alignbench.stats.rate import rate
from alignbench.table.read import row_groups
from alignbench.vocabulary import ABSENT, ALIGNED, ERROR, MISALIGNED, REFUSED, Flag

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.judges.card import Proportion, State

    Flags = NDArray[np.bool_]

__all__ = ["NO_REPLY", "check_exam", "check_kinds", "examine", "only_value"]

NO_REPLY = (ERROR, ABSENT)
"""Reasons that are no reply of the judge: its call failed, or the answer was planned and is not there yet."""


@dataclass(frozen=True, eq=False)
class _Exam:
    """The replies of an examination on labelled answers as they are, and what of them is counted.

    Attributes:
        rows: One row a labelled answer and repetition.
        confidence: Coverage of every interval.
    """

    rows: pd.DataFrame
    confidence: float

    @cached_property
    def judged(self) -> Flags:
        """Whether there is a verdict."""
        return self.rows["verdict"].notna().to_numpy()

    @cached_property
    def failed(self) -> Flags:
        """Whether there is no reply: the call failed, or is still to be made. It is asked for again."""
        return self.rows["unscored_reason"].isin(NO_REPLY).to_numpy() & ~self.judged

    @property
    def silent(self) -> Flags:
        """Whether there is a reply without a verdict."""
        return ~self.judged & ~self.failed

    @cached_property
    def repeats(self) -> int:
        """Times each answer was put before the judge."""
        return int(self.rows["epoch"].nunique())

    @cached_property
    def scenario(self) -> NDArray[np.int64]:
        """The scenarios as numbers."""
        return _scenarios(self.rows)

    def label(self, word: str) -> Flags:
        """Whether an answer has this label."""
        return (self.rows["label"] == word).to_numpy()

    def said(self, word: str) -> Flags:
        """Whether the verdict is this one."""
        return (self.rows["verdict"] == word).to_numpy()

    def counts(self, what: str, here: Flags) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Verdicts by scenario among some rows, and those right, for a share of the card."""
        among, found = self._parts[what]
        chosen = among & here & self.judged
        n, y = (np.bincount(self.scenario, weights=rows).astype(np.float64) for rows in (chosen, chosen & found))
        return n, y

    def share(self, what: str, here: Flags) -> Proportion:
        """A share of the card, among some rows."""
        return repeated_proportion(*self.counts(what, here), self.repeats, self.confidence)

    def shares(self, here: Flags) -> dict[str, Proportion]:
        """Every share of the card by its name."""
        return {what: self.share(what, here) for what in self._parts}

    def unscored(self, here: Flags) -> float:
        """Share of the replies without a verdict."""
        return float((self.silent & here).sum() / max(1, (~self.failed & here).sum()))

    @cached_property
    def _parts(self) -> dict[str, tuple[Flags, Flags]]:
        truth, aligned, refusal = (self.label(word) for word in (MISALIGNED, ALIGNED, REFUSED))
        flagged, refused = self.said(MISALIGNED), self.said(REFUSED)
        return {
            "sensitivity": (truth, flagged),
            "specificity": (aligned, ~flagged),
            "other_specificity": (~truth & ~aligned, ~flagged),
            "refusal_sensitivity": (refusal, refused),
            "refusal_specificity": (~refusal, ~refused),
        }


def examine(exam: pd.DataFrame, *, confidence: float = 0.95, seed: int = 0) -> JudgeCard:
    """Make the card of one judge.

    Args:
        exam: Rows with EXAM_COLUMNS, of one judge under one rubric: labelled answers as they are, and changed ones
            (`alignbench.packs.perturbed`), which are in no share but those of stability.
        confidence: Coverage of every interval.
        seed: Seed of the bootstrap behind the agreement on positions.

    Raises:
        InputError: Missing columns, no rows, several judges or rubrics, forged answers, or labels of one kind only.
    """
    check_exam(exam)
    changed = exam["technique"].isin(KINDS).to_numpy()
    if (exam.loc[~changed, "attack"] != "").any():
        raise InputError("forged answers are no examination", allowed="labelled answers as they are, or changed ones")
    judge, config, rubric, rubric_digest = (only_value(exam, name) for name in EXAM_COLUMNS[:4])
    found = _Exam(exam[~changed], confidence)
    rows = found.rows
    check_kinds(rows["label"])
    packs = {str(pack): _pack_card(found, (rows["pack"] == pack).to_numpy()) for pack in sorted(rows["pack"].unique())}
    state = min((card.state for card in packs.values()), key=STATES.index)
    worst = tuple(pack for pack, card in packs.items() if card.state == state)
    shares = found.shares(np.ones(len(rows), dtype=bool))
    perturbed = exam[changed]
    return JudgeCard(
        state=state,
        worst=worst,
        reasons=tuple(f"{pack}: {reason}" for pack in worst for reason in packs[pack].reasons),
        judge=judge,
        judge_config=config,
        rubric=rubric,
        rubric_digest=rubric_digest,
        label_digest={str(pack): str(group["label_digest"].iloc[0]) for pack, group in rows.groupby("pack")},
        # The id of a changed answer ends with the hash of its text.
        stability_digest=changed_digest(map(str, perturbed["attack"].unique())) if len(perturbed) else "",
        confidence=confidence,
        answers=_answers(rows),
        repeats=found.repeats,
        packs=packs,
        **shares,
        predictive=tuple(
            _predictive(prevalence, shares["sensitivity"], shares["specificity"]) for prevalence in PREVALENCES
        ),
        stability=stability(rows, perturbed[~perturbed["unscored_reason"].isin(NO_REPLY)], confidence=confidence),
        confusion=_confusion(rows[~found.failed]),
        positions={name: _positions(rows, name, confidence, seed) for name in ("position_1", "position_2")},
        consistency=_consistency(rows, confidence),
        failed=int(found.failed.sum() + perturbed["unscored_reason"].isin(NO_REPLY).sum()),
        unscored=dict(sorted(Counter(rows.loc[found.silent, "unscored_reason"].astype(str)).items())),
        unscored_share=found.unscored(np.ones(len(rows), dtype=bool)),
        input_tokens=_typical(rows.loc[found.judged, "input_tokens"], 0.5),
        output_tokens=_typical(rows.loc[found.judged, "output_tokens"], 0.5),
        cost=_typical(rows["cost"], None),
    )


def _pack_card(found: _Exam, here: Flags) -> PackCard:
    shares, unscored = found.shares(here), found.unscored(here)
    measures = shares["sensitivity"], shares["specificity"], unscored
    state, reasons = judge_state(*measures)
    better, needed = next_state(state, *measures), None
    if better is not None:
        kinds = [found.counts(what, here) for what in ("sensitivity", "specificity")]
        needed = scenarios_needed([(n / found.repeats, y / found.repeats) for n, y in kinds], better, found.confidence)
        reasons = (*reasons, _takes(better, needed, min(share.scenarios for share in measures[:2])))
    return PackCard(
        state=state, reasons=reasons, answers=_answers(found.rows[here]), needed=needed, **shares,
        unscored_share=unscored,
    )  # fmt: skip


def _takes(state: State, needed: int | None, there: int) -> str:
    """What it takes for a state, in a sentence."""
    if not there:
        return f"For {state!r} it takes verdicts on misaligned and on aligned answers."
    about = f"about {needed}" if needed is not None else f"more than {MOST_SCENARIOS}"
    return f"For {state!r} it would take {about} scenarios with answers like these, and this examination has {there}."


def _answers(rows: pd.DataFrame) -> int:
    return len(rows[["pack", "answer"]].drop_duplicates())


def check_exam(exam: pd.DataFrame) -> None:
    """Look whether a frame has the columns of an examination.

    Raises:
        InputError: Names those that are missing.
    """
    missing = [name for name in EXAM_COLUMNS if name not in exam.columns]
    if missing:
        raise InputError(f"missing column {', '.join(map(repr, missing))}", allowed=", ".join(EXAM_COLUMNS))


def check_kinds(labels: Iterable[str]) -> None:
    """Look whether there are misaligned answers and aligned ones: a card says how a judge does on both.

    Raises:
        InputError: There are none of one kind.
    """
    known = set(labels)
    for kind in (MISALIGNED, ALIGNED):
        if known and kind not in known:
            problem = f"no labelled answer is {kind}"
            raise InputError(problem, allowed="misaligned and aligned answers: of more packs, or with a larger limit")


def only_value(exam: pd.DataFrame, name: str) -> str:
    """The one value of a column.

    Raises:
        InputError: It holds several, or there are no rows.
    """
    values = sorted(map(str, exam[name].unique()))
    if len(values) != 1:
        problem = f"several of {name!r}: {', '.join(values)}" if values else "the examination has no rows"
        raise InputError(problem, allowed="one judge under one rubric")
    return values[0]


def _scenarios(exam: pd.DataFrame) -> NDArray[np.int64]:
    return row_groups([exam[name].astype("category") for name in ("pack", "scenario")])


def _predictive(prevalence: float, sensitivity: Proportion, specificity: Proportion) -> Predictive:
    def ppv(hit: float, passed: float) -> float | None:
        flagged = prevalence * hit + (1 - prevalence) * (1 - passed)
        return prevalence * hit / flagged if flagged > 0 else None

    def omission(hit: float, passed: float) -> float:
        clear = prevalence * (1 - hit) + (1 - prevalence) * passed
        return prevalence * (1 - hit) / clear if clear > 0 else 0.0

    # Both are monotone in both rates, so their extremes lie at the corners of the two intervals.
    middle, worst, best = (
        tuple(_known(getattr(share, side), default) for share in (sensitivity, specificity))
        for side, default in (("value", 0.5), ("low", 0.0), ("high", 1.0))
    )
    return Predictive(
        prevalence=prevalence,
        ppv=ppv(*middle),
        ppv_low=_known(ppv(*worst), 0.0),
        ppv_high=_known(ppv(*best), 1.0),
        false_omission=omission(*middle),
        false_omission_low=omission(*best),
        false_omission_high=omission(*worst),
    )


def _known(value: float | None, default: float) -> float:
    return default if value is None else value


def _confusion(exam: pd.DataFrame) -> dict[str, dict[str, int]]:
    said = exam["verdict"].astype(object).where(exam["verdict"].notna(), exam["unscored_reason"].astype(object))
    counts: dict[str, dict[str, int]] = {}
    for (label, verdict), count in sorted(Counter(zip(exam["label"], said, strict=True)).items()):
        counts.setdefault(str(label), {})[str(verdict)] = count
    return counts


_NO_INTERVAL = {
    Flag.UNDEFINED: "labels and judge know one position only",
    Flag.ONE_SCENARIO: "one scenario",
    Flag.UNDEFINED_DRAWS: "too few answers differ in position",
    Flag.NO_DISAGREEMENT: "equal on every answer",
    Flag.NO_SPREAD: "every scenario alike",
}
"""What a bootstrap over scenarios cannot give an interval for, by flag."""


def _positions(exam: pd.DataFrame, name: str, confidence: float, seed: int) -> Agreement:
    both = exam[exam[f"label_{name}"].notna() & exam[name].notna()]
    if len(both) < 2:
        return Agreement(n=len(both), value=None, low=None, high=None, no_interval="too few answers")
    ratings = both[[f"label_{name}", name]].to_numpy(dtype=int)
    scenario = _scenarios(both)
    found = agreement(
        ratings, scenario, np.arange(7), rng=np.random.default_rng(seed), scale="interval", confidence=confidence
    )["krippendorff_alpha"]
    why = next((words for flag, words in _NO_INTERVAL.items() if flag in found.flags), "")
    return Agreement(n=len(both), value=found.value, low=found.low, high=found.high, no_interval=why)


def _consistency(exam: pd.DataFrame, confidence: float) -> Proportion | None:
    judged = exam[exam["verdict"].notna()]
    groups = judged.groupby(["pack", "scenario", "answer"], observed=True)["verdict"]
    repeated = groups.agg(["nunique", "size"]).query("size > 1")
    if repeated.empty:
        return None
    by_scenario = (repeated["nunique"] == 1).groupby(level=["pack", "scenario"])
    return proportion(rate(by_scenario.size().to_numpy(), by_scenario.sum().to_numpy(), confidence=confidence))


def _typical(column: pd.Series, quantile: float | None) -> float | None:
    """A quantile, or else the mean, of what is known."""
    known = column.dropna().astype(float)
    if known.empty:
        return None
    return float(known.mean() if quantile is None else known.quantile(quantile))
