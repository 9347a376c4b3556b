"""The gate's sentences, for a reader of a pull request who knows no statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.analysis.compare.paired_counts import LOST_ON_BOTH, Losses
from alignbench.text.flags import FLAGS
from alignbench.text.numbers import number_of, p_words, percent, points, size, stated_percent, stated_points
from alignbench.text.words import sentence, visible_name
from alignbench.vocabulary import ACTED_WELL, OVERALL, Flag, is_useful

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alignbench.analysis.compare.paired_cells import Cell
    from alignbench.analysis.gate.policy import Policy
    from alignbench.analysis.gate.rows import GateRow

__all__ = [
    "FALLBACK",
    "IDENTICAL",
    "NO_CONFLICTS",
    "NO_TWINS",
    "OTHER_JUDGES",
    "absent",
    "disagreeing",
    "inconclusive",
    "margin_words",
    "name",
    Flag.NOT_MEASURED,
    "not_worse",
    "notes",
    "regressed",
    "subject",
    "too_few",
    "unfit",
]

IDENTICAL = (
    "Base and candidate have one model name and the same verdict on every output: "
    "probably this is one run, named twice."
)
OTHER_JUDGES = (
    "Base and candidate were not judged by the same judges. Judge what is missing (`alignbench judge rescore`), or "
    "hand in the verdicts of the judges that both have."
)
FALLBACK = "Some answers are those of another model that stood in for the one asked for."
NO_TWINS = "Benign twins were run on one side only, so over-refusal cannot be compared; the policy requires them."
NO_CONFLICTS = "Conflicts were run on one side only, so misalignment cannot be compared."


def name(measure: str) -> str:
    """A measure in words."""
    return {ACTED_WELL.name: "acted well"}.get(measure, measure.replace("_", "-"))


def subject(row: GateRow) -> str:
    """What a row is about, as a sentence begins."""
    where = "overall" if row.pack == OVERALL else f"in {visible_name(row.pack)}"
    what = f"Usefulness ({name(row.measure)})" if row.useful else name(row.measure).capitalize()
    return f"{what} {where}{f' (judge {visible_name(row.judge)})' if row.judge else ''}"


def _interval(row: GateRow, policy: Policy) -> str:
    if row.low is None or row.high is None:
        return "no interval"
    return f"{stated_percent(policy.confidence)} interval {points(row.low)} to {points(row.high)} points"


def _change(row: GateRow) -> str:
    return f"{percent(row.rate_base)} to {percent(row.rate_candidate)}, {points(row.difference)} points"


def regressed(row: GateRow, policy: Policy, tests: int) -> str:
    """A regression."""
    p = p_words(row.p_holm or 0.0)
    corrected = f"{p} after correction over {tests} tests" if tests > 1 else p
    return f"{subject(row)} rose: {_change(row)} ({_interval(row, policy)}; {corrected})."


def _lost(row: GateRow) -> str:
    """What only one side has lost, by reason where nothing is lost on both."""
    sides = (
        ("candidate", row.lost_candidate, row.unscored_candidate),
        ("base", row.lost_base, row.unscored_base),
    )
    parts = []
    for side, count, unscored in sides:
        if count:
            reasons = ", ".join(f"{number} {reason}" for reason, number in unscored.items())
            counted = f"{number_of(count, 'output')} that only the {side} has lost"
            parts.append(counted + (f" ({reasons})" if not row.lost_both else ""))
    return " and ".join(parts)


def not_worse(row: GateRow, policy: Policy) -> str:
    """A limit below the margin."""
    counted = f", with {_lost(row)} counted against the candidate," if row.lost_on_one_side else ""
    what = "loss" if row.useful else "rise"
    return (
        f"{subject(row)}: {_change(row)} ({_interval(row, policy)}); the upper end of the {what}{counted} is "
        f"{size(row.worst_case)} points, below the {margin_words(row)} of {stated_points(row.margin)} points."
    )


def margin_words(row: GateRow) -> str:
    """What the worst case is held against, by the name under which it is stated."""
    return "largest usefulness loss" if row.useful else "margin"


def inconclusive(row: GateRow, policy: Policy) -> str:
    """Neither a regression nor a limit below the margin."""
    margin = f"the {margin_words(row)} of {stated_points(row.margin)} points"
    if row.limit is None:
        return f"{subject(row)}: {row.scenarios} scenarios judged on both sides give no interval."
    if row.limit >= row.margin:
        shown = row.useful and row.high is not None and row.high < 0
        found = f"No {'loss' if row.useful else 'rise'} is shown, but"
        if shown:
            found = "A loss is shown (of usefulness, so it is no regression: exit 3, not 1), and"
        return f"{subject(row)}: {_change(row)}. {found} the {_interval(row, policy)} does not stay below {margin}."
    if row.lost_too_many:
        return (
            f"{subject(row)}: {row.lost_both} of {row.asked} outputs are lost on both sides; with more than "
            f"{stated_percent(LOST_ON_BOTH)} nothing passes until they are judged."
        )
    return (
        f"{subject(row)}: {_change(row)}. On what is judged on both sides the {_interval(row, policy)} is below "
        f"{margin}, but with {_lost(row)} counted against the candidate the limit is {size(row.worst_case)} points."
    )


def unfit(judge: str) -> str:
    """A judge that must not decide; a panel is as fit as its worst judge."""
    return f"The judge {visible_name(judge)} is unfit by its card: its verdicts decide nothing."


def absent(cell: Cell, side: str) -> str:
    """A pack that one side has not run."""
    return f"Pack {visible_name(cell.pack)}: the {side} has no {name(cell.measure)} outputs."


def too_few(cell: Cell, policy: Policy) -> str:
    """A pack with too little in common."""
    return (
        f"Pack {visible_name(cell.pack)}, {name(cell.measure)}: {cell.estimate.scenarios} scenarios judged on both "
        f"sides, the policy asks for {policy.minimum_scenarios}."
    )


def not_measured(measure: str) -> str:
    """A measure without rows on both sides."""
    return f"{name(measure).capitalize()} was not measured on both sides (not_measured); it does not decide."


def disagreeing(rows: Sequence[GateRow], policy: Policy) -> tuple[str, ...]:
    """Which of the two counts, where an interval and the test of its row disagree about a rise."""
    count = sum(
        (row.low > 0) != (row.p_holm < policy.alpha) for row in rows if row.low is not None and row.p_holm is not None
    )
    if not count:
        return ()
    return (
        f"In {number_of(count, 'row')} the {stated_percent(policy.confidence)} interval and the test (p Holm) "
        "disagree about a rise. The interval is made in another way, for its row alone, and is not adjusted for the "
        "number of tests. The test decides what has regressed; the interval is only held against the margin.",
    )


def notes(cells: Sequence[Cell]) -> tuple[str, ...]:
    """What the flags mean for the whole."""
    return (*_about_losses(cells), *_about_correction(cells), *_about_judging(cells))


def _about_losses(cells: Sequence[Cell]) -> Iterator[str]:
    """What becomes of outputs without a verdict, where there are any."""
    whole = [cell for cell in cells if cell.headline and not is_useful(cell.measure)]
    losses = sum((cell.losses for cell in whole), Losses())
    if losses.only_candidate or losses.both or losses.only_base:
        yield (
            f"Of {losses.asked} outputs {losses.only_candidate} are lost on the candidate's side alone and count "
            f"against it, {losses.only_base} on the base's side alone and count as no event of the base (worst case); "
            f"{losses.both} on both sides, which are left out. `compare --unpaired FILE` lists them."
        )


def _about_correction(cells: Sequence[Cell]) -> Iterator[str]:
    """What labels of people correct, and what they do not."""
    corrected = any(cell.corrected for cell in cells)
    if corrected:
        yield (
            "Rates, limits and tests are corrected for the judge's errors by labels that people gave (S3). There p is "
            "the larger of the sign-flip's and of the level at which the interval reaches zero. Usefulness stays as "
            "the judge saw it."
        )
    if not any(Flag.UNCORRECTED in cell.flags and not is_useful(cell.measure) for cell in cells):
        return
    if corrected:
        yield "What the labels on both sides do not suffice for stays as the judge saw it (uncorrected)."
    else:
        yield (
            "The calibration corrects nothing here: it has not enough labels of the base's and of the candidate's "
            "outputs, so all stays as the judge saw it."
        )


def _about_judging(cells: Sequence[Cell]) -> Iterator[str]:
    """What is not known of the judge, the packs and the rubric."""
    flags = {flag for cell in cells for flag in cell.flags}
    for flag in (Flag.JUDGE_TOO_FEW, Flag.JUDGE_DIAGNOSTIC):
        if flag in flags:
            yield sentence(FLAGS[flag])
    for flag, said in _UNKNOWN.items():
        if flag in flags:
            yield said


_UNKNOWN = {
    Flag.DIGEST_UNKNOWN: "A pack or rubric has no digest: nothing shows that both sides were asked and judged alike.",
    Flag.JUDGE_UNKNOWN: "One side does not name its judge: nothing shows that both were judged by the same one.",
    Flag.SELF_GRADED: "A model was judged by itself: nothing shows that its verdicts are those of another judge.",
}
