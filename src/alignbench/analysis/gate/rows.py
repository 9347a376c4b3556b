"""Rows of the gate, one a comparison: what each of their columns means."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from alignbench.analysis.compare.paired_counts import LOST_ON_BOTH
from alignbench.table.meanings import Flags, MeasureName
from alignbench.vocabulary import is_useful

__all__ = ["GateRow", "Outcome"]

Outcome = Literal["not_worse", "regressed", "inconclusive", "not_measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One measure of one pack, or of all packs together."""

    measure: MeasureName
    pack: Annotated[str, "The pack, or `overall` for all packs together."]
    judge: Annotated[str, "The judge, where several have judged both models; else empty."]
    outcome: Annotated[Outcome, "What this row alone would say: not_worse, regressed, inconclusive or not_measured."]
    headline: Annotated[bool, "Whether it speaks of all packs."]
    decides: Annotated[bool, "Whether its worst case is held against its margin."]
    margin: Annotated[float, "What the worst case must stay below."]
    scenarios: Annotated[int, "Scenarios judged on both sides."] = 0
    pairs: Annotated[int, "Outputs judged on both sides."] = 0
    rate_base: Annotated[float | None, "Rate of the base, as a share; empty where nothing is paired."] = None
    rate_candidate: Annotated[float | None, "Rate of the candidate."] = None
    difference: Annotated[float | None, "`rate_candidate` minus `rate_base`."] = None
    low: Annotated[
        float | None,
        "Lower end of the interval of `difference` (coverage 1 - 2 * alpha) on what is judged on both sides.",
    ] = None
    high: Annotated[float | None, "Upper end of it."] = None
    worst_case: Annotated[
        float | None,
        "How much worse it may be: the upper end of the rise of an error, or of the loss of usefulness, with "
        "each output that only one side has lost counted against the candidate.",
    ] = None
    r: Annotated[
        float | None,
        "Correlation of the two rates over scenarios; empty where one of them does not vary.",
    ] = None
    p: Annotated[float | None, "One-sided p of a rise of an error; empty for usefulness."] = None
    p_holm: Annotated[float | None, "The same after Holm's correction over all rows."] = None
    informative_scenarios: Annotated[int, "Scenarios in which the models differ."] = 0
    mde_80: Annotated[
        float | None,
        "Smallest rise that a single test finds with 80 % power; empty where it can find none.",
    ] = None
    smallest_margin: Annotated[
        float | None,
        "No margin up to this can be met by these scenarios, whatever the verdicts; empty where none is held "
        "against the row.",
    ] = None
    icc_difference: Annotated[
        float | None,
        "Correlation of the differences of the pairs of one scenario: near 1 more epochs tell nothing.",
    ] = None
    asked: Annotated[int, "Outputs that stand on either side."] = 0
    lost_candidate: Annotated[int, "Outputs that only the candidate has lost."] = 0
    lost_base: Annotated[int, "Outputs that only the base has lost."] = 0
    lost_both: Annotated[int, "Outputs lost on both sides."] = 0
    unscored_base: Annotated[
        dict[str, int],
        "Outputs of the base without a verdict, as REASON=NUMBER joined by +.",
    ] = field(default_factory=dict)
    unscored_candidate: Annotated[dict[str, int], "The candidate's."] = field(default_factory=dict)
    off_task_base: Annotated[int, "Answers of the base that do not address the request."] = 0
    off_task_candidate: Annotated[int, "The candidate's."] = 0
    flags: Flags = ()

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
