"""What a gate finds: a row a comparison, and the decision with everything that it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from alignbench.analysis.compare.paired_counts import LOST_ON_BOTH
from alignbench.text.words import sentence, visible_name
from alignbench.vocabulary import is_useful

if TYPE_CHECKING:
    from alignbench.analysis.compare.comparisons import Side
    from alignbench.analysis.gate.policy import Policy

__all__ = ["Decision", "GateReport", "GateRow", "Outcome"]

Decision = Literal["not_worse", "regressed", "inconclusive", "not_comparable"]
Outcome = Literal["not_worse", "regressed", "inconclusive", "not_measured"]

_EXIT: dict[Decision, int] = {"not_worse": 0, "regressed": 1, "inconclusive": 3, "not_comparable": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One measure of one pack, or of all packs together.

    Attributes:
        measure: misalignment, over_refusal, acted_well or helped.
        pack: The pack, or "overall".
        judge: The judge, where several have judged both models; else empty.
        outcome: What this row alone would say.
        headline: Whether it speaks of all packs.
        decides: Whether its worst case is held against its margin.
        scenarios: Scenarios judged on both sides.
        pairs: Outputs judged on both sides.
        rate_base: Rate of the base.
        rate_candidate: Rate of the candidate.
        difference: rate_candidate - rate_base.
        low: Lower limit of the interval with coverage 1 - 2 * level, on what is judged on both sides.
        high: Upper limit.
        worst_case: How much worse it may be: the upper end of the rise of an error, or of the loss of usefulness, with
            each output that only one side has lost counted against the candidate.
        margin: What the worst case must stay below.
        r: Realised correlation of the two rates.
        p: One-sided p of a rise of an error; None of usefulness.
        p_holm: The same after Holm's correction over all rows.
        informative_scenarios: Scenarios in which the models differ.
        mde_80: Smallest rise that a single test finds with 80 % power.
        smallest_margin: No margin up to this can be met by these scenarios, whatever the verdicts; None where none is
            held against the row.
        icc_difference: Correlation of the differences of the pairs of one scenario: near 1 more epochs tell nothing.
        asked: Outputs that stand on either side.
        lost_candidate: Outputs that only the candidate has lost.
        lost_base: Outputs that only the base has lost.
        lost_both: Outputs lost on both sides.
        unscored_base: Outputs of the base without a verdict, by reason.
        unscored_candidate: The candidate's.
        off_task_base: Answers of the base that do not address the request.
        off_task_candidate: The candidate's.
        flags: Warnings in one word each.
    """

    measure: str
    pack: str
    judge: str
    outcome: Outcome
    headline: bool
    decides: bool
    margin: float
    scenarios: int = 0
    pairs: int = 0
    rate_base: float | None = None
    rate_candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    worst_case: float | None = None
    r: float | None = None
    p: float | None = None
    p_holm: float | None = None
    informative_scenarios: int = 0
    mde_80: float | None = None
    smallest_margin: float | None = None
    icc_difference: float | None = None
    asked: int = 0
    lost_candidate: int = 0
    lost_base: int = 0
    lost_both: int = 0
    unscored_base: dict[str, int] = field(default_factory=dict)
    unscored_candidate: dict[str, int] = field(default_factory=dict)
    off_task_base: int = 0
    off_task_candidate: int = 0
    flags: tuple[str, ...] = ()

    @property
    def useful(self) -> bool:
        """Whether less of it is worse."""
        return is_useful(self.measure)

    @property
    def worsening(self) -> float | None:
        """The rise of an error, or the loss of usefulness."""
        return self.difference if self.difference is None or not self.useful else -self.difference

    @property
    def limit(self) -> float | None:
        """Upper end of the worsening on what is judged on both sides."""
        limit = self.low if self.useful else self.high
        return limit if limit is None or not self.useful else -limit

    @property
    def lost_on_one_side(self) -> int:
        """Outputs that only one side has lost: the worst case counts them against the candidate."""
        return self.lost_base + self.lost_candidate

    @property
    def lost_too_many(self) -> bool:
        """Whether more is lost on both sides than a pass may leave open."""
        return self.lost_both > LOST_ON_BOTH * self.asked


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """A decision and everything it rests on; every form of output is made from it.

    Attributes:
        decision: The outcome.
        base: Name of the base model.
        candidate: Name of the candidate.
        reasons: Why, in sentences.
        policy: What it was decided by.
        advice: What would decide an inconclusive comparison, in sentences.
        notes: What a reader should know beside that, in sentences.
        rows: Every comparison; empty where none could be made.
        judge_again: Outputs that the candidate has lost, and those of the base where it rests on them that nothing is
            decided: their keys, and why (`base`, `candidate`).
        tests: Tests that Holm's correction ran over.
        sides: Base and candidate: where from, how asked and judged, on which packs; empty where that is not known.
    """

    decision: Decision
    base: str
    candidate: str
    reasons: tuple[str, ...]
    policy: Policy
    advice: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rows: tuple[GateRow, ...] = ()
    tests: int = 0
    judge_again: tuple[dict[str, object], ...] = ()
    sides: tuple[Side, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 not worse, 1 regressed, 3 inconclusive or not comparable."""
        return _EXIT[self.decision]

    @property
    def less_useful(self) -> bool:
        """Whether usefulness is shown to have fallen."""
        return any(row.decides and row.useful and row.high is not None and row.high < 0 for row in self.rows)

    @property
    def headline(self) -> str:
        """The decision as a sentence."""
        return _headline(self)


_DECISIONS = {
    "not_worse": "{candidate} is not worse than {base}.",
    "regressed": "{candidate} is worse than {base}.",
    "inconclusive": "It is not settled whether {candidate} is worse than {base}.",
    "not_comparable": "{candidate} and {base} cannot be compared.",
}


def _headline(report: GateReport) -> str:
    text = _DECISIONS[report.decision]
    if report.decision == "inconclusive" and report.less_useful:
        text = "{candidate} is less useful than {base}, and not shown to be no worse."
    shown = {"base": visible_name(report.base), "candidate": visible_name(report.candidate)}
    if report.base == report.candidate:
        shown = {"base": "the base", "candidate": f"the candidate {shown['candidate']}"}
        return sentence(text.format(**shown))
    return text.format(**shown)
