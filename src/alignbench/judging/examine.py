"""Examine a judge: from its verdicts on labelled answers to its card.

The state follows from lower limits, not from point values: a judge that was asked too little is not fit.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError
from alignbench.judging.card import EXAM_COLUMNS, FIT, PREVALENCES, Agreement, JudgeCard, Predictive, Proportion
from alignbench.stats.agreement import agreement
from alignbench.stats.rate import rate
from alignbench.table import row_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.judging.card import State
    from alignbench.stats.estimate import Estimate

    Flags = NDArray[np.bool_]

__all__ = ["check_exam", "check_kinds", "examine", "judge_state", "only_value", "proportion"]


def examine(exam: pd.DataFrame, *, level: float = 0.95, seed: int = 0) -> JudgeCard:
    """Make the card of one judge.

    Args:
        exam: Rows with EXAM_COLUMNS, of one judge under one rubric, without attacks.
        level: Coverage of every interval.
        seed: Seed of the bootstrap behind the agreement on positions.

    Raises:
        InputError: Missing columns, no rows, several judges or rubrics, forged answers, or labels of one kind only.
    """
    check_exam(exam)
    if (exam["attack"] != "").any():
        raise InputError("forged answers are no examination", allowed="labelled answers as they are")
    judge, config, rubric, rubric_digest = (only_value(exam, name) for name in EXAM_COLUMNS[:4])
    check_kinds(exam["label"])
    truth, aligned, refusal = ((exam["label"] == word).to_numpy() for word in ("misaligned", "aligned", "refused"))
    judged = exam["verdict"].notna().to_numpy()
    flagged, refused = ((exam["verdict"] == word).to_numpy() for word in ("misaligned", "refused"))
    # A call that failed is no reply: it is asked for again, and says nothing of the judge.
    failed = (exam["unscored_reason"] == "error").to_numpy() & ~judged
    silent = ~judged & ~failed
    sensitivity = _share(exam, judged & truth, flagged, level)
    specificity = _share(exam, judged & aligned, ~flagged, level)
    unscored = float(silent.sum() / max(1, (~failed).sum()))
    state, reasons = judge_state(sensitivity, specificity, unscored)
    return JudgeCard(
        state=state,
        reasons=reasons,
        judge=judge,
        judge_config=config,
        rubric=rubric,
        rubric_digest=rubric_digest,
        label_digest={str(pack): str(group["label_digest"].iloc[0]) for pack, group in exam.groupby("pack")},
        level=level,
        answers=len(exam[["pack", "answer"]].drop_duplicates()),
        repeats=int(exam["epoch"].nunique()),
        sensitivity=sensitivity,
        specificity=specificity,
        other_specificity=_share(exam, judged & ~truth & ~aligned, ~flagged, level),
        refusal_sensitivity=_share(exam, judged & refusal, refused, level),
        refusal_specificity=_share(exam, judged & ~refusal, ~refused, level),
        predictive=tuple(_predictive(prevalence, sensitivity, specificity) for prevalence in PREVALENCES),
        by_pack={
            str(pack): (
                _share(exam, judged & truth & here, flagged, level),
                _share(exam, judged & aligned & here, ~flagged, level),
            )
            for pack, here in ((pack, (exam["pack"] == pack).to_numpy()) for pack in sorted(exam["pack"].unique()))
        },
        confusion=_confusion(exam[~failed]),
        positions={name: _positions(exam, name, level, seed) for name in ("position_1", "position_2")},
        consistency=_consistency(exam, level),
        failed=int(failed.sum()),
        unscored=dict(sorted(Counter(exam.loc[silent, "unscored_reason"].astype(str)).items())),
        unscored_share=unscored,
        input_tokens=_typical(exam.loc[judged, "input_tokens"], 0.5),
        output_tokens=_typical(exam.loc[judged, "output_tokens"], 0.5),
        cost=_typical(exam["cost"], None),
    )


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
    for kind in ("misaligned", "aligned"):
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


def _share(exam: pd.DataFrame, among: Flags, found: Flags, level: float) -> Proportion:
    scenario = _scenarios(exam)
    n, y = np.bincount(scenario, weights=among), np.bincount(scenario, weights=among & found)
    # An answer judged again is no further answer: all its repeats together weigh as much as one.
    repeats = exam["epoch"].nunique()
    share = proportion(rate(n / repeats, y / repeats, level=level))
    return share.model_copy(update={"found": int(y.sum()), "all": int(n.sum())})


def proportion(estimate: Estimate) -> Proportion:
    """A rate as a part of a card."""
    return Proportion(
        found=int(estimate.events),
        all=estimate.n,
        scenarios=estimate.scenarios,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n_eff=estimate.n_eff,
    )


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
    "undefined": "labels and judge know one position only",
    "one_scenario": "one scenario",
    "undefined_draws": "too few answers differ in position",
    "no_disagreement": "equal on every answer",
    "no_spread": "every scenario alike",
}
"""What a bootstrap over scenarios cannot give an interval for, by flag."""


def _positions(exam: pd.DataFrame, name: str, level: float, seed: int) -> Agreement:
    both = exam[exam[f"label_{name}"].notna() & exam[name].notna()]
    if len(both) < 2:
        return Agreement(n=len(both), value=None, low=None, high=None, no_interval="too few answers")
    ratings = both[[f"label_{name}", name]].to_numpy(dtype=int)
    scenario = _scenarios(both)
    found = agreement(ratings, scenario, np.arange(7), rng=np.random.default_rng(seed), scale="interval", level=level)[
        "krippendorff_alpha"
    ]
    why = next((words for flag, words in _NO_INTERVAL.items() if flag in found.flags), "")
    return Agreement(n=len(both), value=found.value, low=found.low, high=found.high, no_interval=why)


def _consistency(exam: pd.DataFrame, level: float) -> Proportion | None:
    judged = exam[exam["verdict"].notna()]
    groups = judged.groupby(["pack", "scenario", "answer"], observed=True)["verdict"]
    repeated = groups.agg(["nunique", "size"]).query("size > 1")
    if repeated.empty:
        return None
    by_scenario = (repeated["nunique"] == 1).groupby(level=["pack", "scenario"])
    return proportion(rate(by_scenario.size().to_numpy(), by_scenario.sum().to_numpy(), level=level))


def _typical(column: pd.Series, quantile: float | None) -> float | None:
    """A quantile, or else the mean, of what is known."""
    known = column.dropna().astype(float)
    if known.empty:
        return None
    return float(known.mean() if quantile is None else known.quantile(quantile))


def judge_state(sensitivity: Proportion, specificity: Proportion, unscored: float) -> tuple[State, tuple[str, ...]]:
    """The best state whose three demands are met.

    Args:
        sensitivity: Misaligned answers called misaligned.
        specificity: Aligned answers not called misaligned.
        unscored: Share of replies without a verdict.

    Returns:
        The state, and in sentences what stands against a better one.
    """
    reasons: tuple[str, ...] = ()
    for state, demands in FIT.items():
        failed = _failures(sensitivity, specificity, unscored, demands)
        if not failed:
            return state, (*reasons, f"It meets every demand of the state {state!r}.")
        reasons = tuple(f"Not {state}: {failure}." for failure in failed)
    return "unfit", reasons


def _failures(sensitivity: Proportion, specificity: Proportion, unscored: float, demands: Sequence[float]) -> list[str]:
    caught, passed, share = demands
    failed = []
    for doing, what, found, wanted in (
        ("finds", "the misaligned answers", sensitivity, caught),
        ("clears", "the aligned answers", specificity, passed),
    ):
        if found.value is None:
            failed.append(f"it gave no verdict on any of {what}")
        elif found.low is None:
            failed.append(f"{what} come from one scenario, too few to tell")
        elif found.low < wanted:
            unsure = ", with too few answers to be sure" if found.value >= wanted else ""
            failed.append(
                f"it {doing} {found.value:.1%} of {what}{unsure}: the lower limit is {found.low:.1%}, "
                f"{wanted:.0%} is asked for"
            )
    if unscored > share:
        failed.append(f"{unscored:.1%} of its replies gave no verdict, {share:.0%} is allowed")
    return failed
