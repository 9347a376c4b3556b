"""The gate: did the change make the model worse? One decision, with reasons, for every form of output.

Regressed: any one-sided sign-flip test below alpha after Holm's correction over all packs, both errors and their
overall rows, on what is judged on both sides. Not worse: no regression, and every upper end below its margin: of the
rise of both errors and of the loss of both kinds of usefulness, overall, with each output that only one side has lost
counted against the candidate. Inconclusive: anything else; that is never a pass.

References:
    Holm 1979; Piaggio et al. 2012, JAMA 308:2594 (non-inferiority: margin before data); Horowitz & Manski 2000 (bounds
    for what is missing).
"""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

from alignbench.analysis.compare.comparisons import compared_sides
from alignbench.analysis.compare.contrast import EVERY_MEASURE, model_contrasts
from alignbench.analysis.compare.models import checked_sides, model_names
from alignbench.analysis.gate import words
from alignbench.analysis.gate.advice import commands, what_would_decide
from alignbench.analysis.gate.decision import GateReport
from alignbench.analysis.gate.margins import Held, check_margins, smallest_margin
from alignbench.analysis.gate.policy import Policy, load_policy
from alignbench.analysis.gate.rows import GateRow
from alignbench.errors import InputError, NotComparableError
from alignbench.stats.multiplicity import holm
from alignbench.table.frames import plain_value
from alignbench.text.words import sentence, visible_name
from alignbench.vocabulary import MEASURES, MISALIGNMENT, OVER_REFUSAL, OVERALL, Flag, is_useful

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.analysis.compare.paired_cells import Cell
    from alignbench.analysis.gate.decision import Decision
    from alignbench.analysis.gate.rows import Outcome
    from alignbench.analysis.rates.corrected import Correction, LabelledPairs

__all__ = ["GateReport", "GateRow", "decide", "gate", "margin_field"]


def gate(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    *,
    policy: Policy | str | Path | None = None,
    base_name: str | None = None,
    candidate_name: str | None = None,
    calibration: Correction | None = None,
    inputs: Sequence[str] = (),
) -> GateReport:
    """Decide whether a candidate is worse than its base.

    Args:
        base: A verdict table, whole or bare (`model, scenario, verdict`).
        candidate: The candidate's table; without it `base` holds both models.
        policy: What to decide by, or its YAML file; default: margin .05, alpha .05.
        base_name: The base model, where its table holds several.
        candidate_name: The candidate, likewise.
        calibration: Labels by people on some of these outputs, to correct both rates for the judge's errors.
        inputs: What the tables were read from, which the report names: base and candidate, or one for both.

    An output that one side lacks, or that has no verdict there, counts against the candidate where the other has one.
    Where the tables say what the judges' cards found (`alignbench.judges.marking.mark_cards`), nothing is decided by an
    unfit judge.

    Returns:
        The report; results that must not be compared give one too, with exit code 3.

    Raises:
        InputError: A table, a name or the policy is unusable, a model is compared with itself, or there are too few
            scenarios for any result to meet a margin.
    """
    rules = policy if isinstance(policy, Policy) else Policy() if policy is None else load_policy(policy)
    try:
        sides = checked_sides(base, candidate, calibration=calibration)
    except NotComparableError as error:
        return GateReport.not_comparable(
            base_name or "the base", candidate_name or "the candidate", sentence(str(error)), policy=rules
        )
    name, others = model_names(sides, base_name, candidate_name)
    if len(others) > 1:
        raise InputError(f"which of {len(others)} models is the candidate?",
                         allowed=f"--candidate {' | '.join(map(quote, others))}")  # fmt: skip
    compared = tuple(compared_sides(sides, name, others, inputs))
    try:
        (found,) = model_contrasts(
            sides,
            base_name=name,
            candidate_name=others[0],
            confidence=rules.confidence,
            alpha=rules.alpha,
            seed=rules.seed,
        )
    except NotComparableError as error:
        return GateReport.not_comparable(name, others[0], sentence(str(error)), policy=rules, sides=compared)
    lost = found.pairing.lost().to_dict("records")
    report = decide(name, others[0], found.cells, rules, unfit=found.pairing.judges_found("unfit"), lost=lost)
    return replace(report, sides=compared)


def decide(
    base: str,
    candidate: str,
    cells: Sequence[Cell],
    policy: Policy,
    *,
    unfit: Sequence[str] = (),
    lost: Sequence[Mapping[Hashable, object]] = (),
) -> GateReport:
    """The one decision: exit code, text, JSON, JUnit and Markdown all come from its report.

    Args:
        base: Name of the base model.
        candidate: Name of the candidate.
        cells: Every comparison by pack, and the overall ones, at the policy's confidence.
        policy: What to decide by.
        unfit: Judges of these comparisons that are unfit by their cards.
        lost: From `Pairing.lost`.

    Raises:
        InputError: There are too few scenarios for any result to meet a margin.
    """
    check_margins(_what_is_held(cells, policy), policy)
    sides = {measure.name: _sides(cells, measure.name) for measure in EVERY_MEASURE}
    kept = [cell for cell in cells if all(sides[cell.measure])]
    missing = [measure.name for measure in MEASURES if not all(sides[measure.name])]
    rows = (*_rows(kept, policy), *(_absent(measure, policy) for measure in missing))
    one_sided = [name for name in missing if any(sides[name])]
    obstacles = (*map(words.unfit, unfit), *_obstacles(kept, one_sided, policy))
    again = _to_judge_again(lost, _undecided(rows))
    decision, reasons, advice = _decision(rows, policy, obstacles, again)
    return GateReport(
        decision=decision,
        base=base,
        candidate=candidate,
        reasons=reasons,
        advice=advice,
        notes=(*map(words.not_measured, missing), *words.disagreeing(rows, policy), *words.notes(kept)),
        rows=rows,
        tests=_tests(rows),
        policy=policy,
        judge_again=again,
    )


def _tests(rows: Sequence[GateRow]) -> int:
    """Tests that Holm's correction ran over."""
    return sum(row.p is not None for row in rows)


def _undecided(rows: Sequence[GateRow]) -> list[GateRow]:
    """The rows that keep the candidate from passing, those of all packs first."""
    deciding = [row for row in rows if row.decides and row.outcome != "not_worse"]
    return sorted(deciding, key=lambda row: not row.headline)


def _to_judge_again(
    lost: Sequence[Mapping[Hashable, object]], undecided: Sequence[GateRow]
) -> tuple[dict[str, object], ...]:
    """What the candidate has lost, and what the base has where it rests on that alone that nothing is decided."""
    by_losses = any(row.lost_base and row.limit is not None and row.limit < row.margin for row in undecided)
    kept = [one for one in lost if one["candidate"] or by_losses]
    return tuple({str(key): plain_value(value) for key, value in one.items()} for one in kept)


def _decision(
    rows: Sequence[GateRow],
    policy: Policy,
    obstacles: tuple[str, ...],
    again: tuple[dict[str, object], ...],
) -> tuple[Decision, tuple[str, ...], tuple[str, ...]]:
    """The decision, why, and what would decide it where nothing does.

    Args:
        rows: Every comparison.
        policy: What to decide by.
        obstacles: Why the two must not be compared.
        again: Outputs to judge again.
    """
    if obstacles:
        return "not_comparable", obstacles, ()
    # Readers want the whole before its parts.
    ordered = sorted(rows, key=lambda row: not row.headline)
    worse = [row for row in ordered if row.outcome == "regressed"]
    if worse:
        return "regressed", tuple(words.regressed(row, policy, _tests(rows)) for row in worse), ()
    undecided = _undecided(rows)
    if not undecided:
        return "not_worse", tuple(words.not_worse(row, policy) for row in ordered if row.decides), ()
    advice = (*what_would_decide(undecided, policy), *commands(again))
    reasons = tuple(words.inconclusive(row, policy) for row in undecided)
    return "inconclusive", reasons, tuple(dict.fromkeys(advice))


def _what_is_held(cells: Sequence[Cell], policy: Policy) -> Iterator[Held]:
    """Each margin with the outputs that it is held against."""
    for cell in cells:
        packs, labels = _held(cell, policy)
        if packs:
            where = words.name(cell.measure) + (f" in {visible_name(cell.pack)}" if cell.pack != OVERALL else "")
            yield Held(margin_field(cell.measure), packs, where, labels)


def _held(cell: Cell, policy: Policy) -> tuple[list[NDArray[np.float64]], list[LabelledPairs]]:
    """What a margin is held against: outputs by scenario of each pack, and the labels that correct their interval.

    No outputs where no margin is held against the cell, or a pack has none.
    """
    packs = [stratum.worst.n for stratum in cell.strata]
    labels = [one.labels for one in cell.strata if one.labels is not None] if cell.corrected else []
    return packs if (cell.headline or policy.per_pack) and all(len(pack) for pack in packs) else [], labels


def margin_field(measure: str) -> str:
    """The field of the policy that holds the margin of a measure."""
    return "largest_usefulness_loss" if is_useful(measure) else "margin"


def _sides(cells: Sequence[Cell], measure: str) -> tuple[bool, bool]:
    """Whether base and candidate have outputs on which a measure is taken."""
    members = [stratum for cell in cells if cell.measure == measure for stratum in cell.strata]
    return (
        any(one.unjudged_share_base is not None for one in members),
        any(one.unjudged_share_candidate is not None for one in members),
    )


def _rows(cells: Sequence[Cell], policy: Policy) -> tuple[GateRow, ...]:
    tested = [
        at for at, cell in enumerate(cells) if cell.estimate.p_greater is not None and not is_useful(cell.measure)
    ]
    adjusted = dict(zip(tested, holm([cells[at].estimate.p_greater or 0.0 for at in tested]), strict=True))
    return tuple(_row(cell, policy, adjusted.get(at)) for at, cell in enumerate(cells))


def _row(cell: Cell, policy: Policy, p_holm: float | None) -> GateRow:
    one, losses, useful = cell.estimate, cell.losses, is_useful(cell.measure)
    packs, labels = _held(cell, policy)
    margin = getattr(policy, margin_field(cell.measure))
    bound = cell.bound_low if useful else cell.bound_high
    worst_case = -bound if useful and bound is not None else bound
    outcome: Outcome = "inconclusive"
    if p_holm is not None and p_holm < policy.alpha:
        outcome = "regressed"
    elif worst_case is not None and worst_case < margin and not losses.too_many_on_both:
        outcome = "not_worse"
    return GateRow(
        measure=cell.measure,
        pack=cell.pack,
        judge=" ".join(str(value) for value in cell.group.values() if value),
        outcome=outcome,
        headline=cell.headline,
        decides=cell.headline or policy.per_pack,
        margin=margin,
        scenarios=one.scenarios,
        pairs=one.pairs,
        rate_base=one.rate_base,
        rate_candidate=one.rate_candidate,
        difference=one.difference,
        low=one.low,
        high=one.high,
        worst_case=worst_case,
        r=one.r,
        p=None if useful else one.p_greater,
        p_holm=p_holm,
        informative_scenarios=one.informative_scenarios,
        mde_80=None if useful else one.mde_80,
        smallest_margin=smallest_margin(packs, policy.confidence, labels) if packs else None,
        icc_difference=one.icc_difference,
        asked=losses.asked,
        lost_candidate=losses.only_candidate,
        lost_base=losses.only_base,
        lost_both=losses.both,
        unscored_base=losses.base,
        unscored_candidate=losses.candidate,
        off_task_base=losses.off_task_base,
        off_task_candidate=losses.off_task_candidate,
        flags=cell.flags,
    )


def _absent(measure: str, policy: Policy) -> GateRow:
    """The row of a measure that was not taken on both sides."""
    return GateRow(
        measure=measure,
        pack=OVERALL,
        judge="",
        outcome="not_measured",
        headline=True,
        decides=False,
        margin=policy.margin,
        flags=(Flag.NOT_MEASURED,),
    )


def _obstacles(cells: Sequence[Cell], one_sided: Sequence[str], policy: Policy) -> tuple[str, ...]:
    """Why the two must not be compared; nothing if they may be.

    Args:
        cells: The comparisons of what both sides have.
        one_sided: The errors that only one side has outputs for.
        policy: What to decide by.
    """
    found = []
    if any(Flag.IDENTICAL_ROWS in cell.flags for cell in cells):
        found.append(words.IDENTICAL)
    if any(Flag.OTHER_JUDGES in cell.flags for cell in cells):
        found.append(words.OTHER_JUDGES)
    if any(Flag.MODEL_FALLBACK in cell.flags for cell in cells):
        found.append(words.FALLBACK)
    if MISALIGNMENT.name in one_sided:
        found.append(words.NO_CONFLICTS)
    if policy.require_twins and OVER_REFUSAL.name in one_sided:
        found.append(words.NO_TWINS)
    for cell in cells:
        if len(cell.strata) > 1 or is_useful(cell.measure):
            continue
        (stratum,) = cell.strata
        for side, share in (("base", stratum.unjudged_share_base), ("candidate", stratum.unjudged_share_candidate)):
            if share is None:
                found.append(words.absent(cell, side))
        if cell.estimate.scenarios < policy.minimum_scenarios:
            found.append(words.too_few(cell, policy))
    return tuple(found)
