"""What a gate finds: the decision with everything that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alignbench.text.words import sentence, visible_name

if TYPE_CHECKING:
    from alignbench.analysis.compare.comparisons import Side
    from alignbench.analysis.gate.policy import Policy
    from alignbench.analysis.gate.rows import GateRow

__all__ = ["Decision", "GateReport"]

Decision = Literal["not_worse", "regressed", "inconclusive", "not_comparable"]

_EXIT: dict[Decision, int] = {"not_worse": 0, "regressed": 1, "inconclusive": 3, "not_comparable": 3}


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

    @classmethod
    def not_comparable(
        cls, base: str, candidate: str, reason: str, *, policy: Policy, sides: tuple[Side, ...] = ()
    ) -> GateReport:
        """A report without a single comparison, as the two cannot be compared.

        Args:
            base: Name of the base model.
            candidate: Name of the candidate.
            reason: Why, in a sentence.
            policy: What would have decided.
            sides: As in the class.
        """
        return cls(
            decision="not_comparable",
            base=base,
            candidate=candidate,
            reasons=(reason,),
            advice=(),
            notes=(),
            rows=(),
            tests=0,
            policy=policy,
            sides=sides,
        )

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
