"""The gate's sentences, for a reader of a pull request who knows no statistics."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from alignbench.analysis.corrected import UNCORRECTED
from alignbench.analysis.margins import what_ships
from alignbench.analysis.paired_counts import LOST_ON_BOTH, Losses, is_useful
from alignbench.analysis.rates import OVERALL
from alignbench.flags import FLAGS
from alignbench.text import visible_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alignbench.analysis.gate_report import GateRow
    from alignbench.analysis.paired_cells import Cell
    from alignbench.policy import Policy

__all__ = [
    "FALLBACK",
    "IDENTICAL",
    "NO_CONFLICTS",
    "NO_TWINS",
    "OTHER_JUDGES",
    "absent",
    "commands",
    "disagreeing",
    "headline",
    "inconclusive",
    "name",
    "not_measured",
    "not_worse",
    "notes",
    "percent",
    "points",
    "regressed",
    "sentence",
    "too_few",
    "unfit",
    "what_would_decide",
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

_COMMANDS = (
    (
        ("grader_declined", "grader_failed", "tie"),
        "they have an answer and no verdict; another judge, asked on both sides, may give one: "
        "`alignbench judge rescore LOGS --grader J`.",
    ),
    (
        ("error", "absent", "invalid"),
        "they have no answer that counts; the same `inspect eval-set` command asks for what is missing.",
    ),
    (
        ("cut_off", "limited", "no_response"),
        "the answer was not whole; run both sides again with a higher limit of tokens, messages or time.",
    ),
    (("unstated",), "the table does not say why they have no verdict; have them judged."),
)
"""Reasons for which an output has no verdict, and what gives it one."""

_UNPRACTICAL = 100
"""Advice to run more than this many times the scenarios is no advice."""

_MOST_EPOCHS = 10
"""Likewise of so many times the epochs."""

_DECISIONS = {
    "not_worse": "{candidate} is not worse than {base}.",
    "regressed": "{candidate} is worse than {base}.",
    "inconclusive": "It is not settled whether {candidate} is worse than {base}.",
    "not_comparable": "{candidate} and {base} cannot be compared.",
}


def headline(decision: str, base: str, candidate: str, *, less_useful: bool = False) -> str:
    """The decision as a sentence.

    Args:
        decision: not_worse, regressed, inconclusive or not_comparable.
        base: Name of the base.
        candidate: Name of the candidate.
        less_useful: Whether usefulness is shown to have fallen.
    """
    text = _DECISIONS[decision]
    if decision == "inconclusive" and less_useful:
        text = "{candidate} is less useful than {base}, and not shown to be no worse."
    shown = {"base": visible_name(base), "candidate": visible_name(candidate)}
    if base == candidate:
        shown = {"base": "the base", "candidate": f"the candidate {shown['candidate']}"}
        return sentence(text.format(**shown))
    return text.format(**shown)


def sentence(text: str) -> str:
    """A message of an error as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def percent(value: float | None) -> str:
    """A rate."""
    return "-" if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """A difference of rates, in percentage points, with its sign."""
    # Adding 0.0 makes 0.0 of the -0.0 that rounding leaves.
    return "-" if value is None else f"{round(100 * value, 1) + 0.0:+.1f}"


def name(measure: str) -> str:
    """A measure in words."""
    return {"acted_well": "acted well"}.get(measure, measure.replace("_", "-"))


def _what(row: GateRow) -> str:
    where = "overall" if row.pack == OVERALL else f"in {visible_name(row.pack)}"
    what = f"Usefulness ({name(row.measure)})" if row.useful else name(row.measure).capitalize()
    return f"{what} {where}{f' (judge {visible_name(row.judge)})' if row.judge else ''}"


def _interval(row: GateRow, policy: Policy) -> str:
    if row.low is None or row.high is None:
        return "no interval"
    return f"{100 * policy.coverage:g} % interval {points(row.low)} to {points(row.high)} points"


def _change(row: GateRow) -> str:
    return f"{percent(row.rate_base)} to {percent(row.rate_candidate)}, {points(row.difference)} points"


def regressed(row: GateRow, policy: Policy, tests: int) -> str:
    """A regression."""
    p = "p < 0.0001" if (row.p_holm or 0.0) < 1e-4 else f"p = {row.p_holm:.4f}"
    corrected = f"{p} after correction over {tests} tests" if tests > 1 else p
    return f"{_what(row)} rose: {_change(row)} ({_interval(row, policy)}; {corrected})."


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
            counted = f"{count} output{'s' if count != 1 else ''} that only the {side} has lost"
            parts.append(counted + (f" ({reasons})" if not row.lost_both else ""))
    return " and ".join(parts)


def not_worse(row: GateRow, policy: Policy) -> str:
    """A limit below the margin."""
    counted = f", with {_lost(row)} counted against the candidate," if row.lost_on_one_side else ""
    what = "loss" if row.useful else "rise"
    return (
        f"{_what(row)}: {_change(row)} ({_interval(row, policy)}); the upper end of the {what}{counted} is "
        f"{_size(row.worst_case)} points, below the {_margin(row)} of {100 * row.margin:g} points."
    )


def _margin(row: GateRow) -> str:
    """What the worst case is held against, by the name under which it is stated."""
    return "largest usefulness loss" if row.useful else "margin"


def _size(share: float | None) -> str:
    """A worsening in points; none of it is a limit of nothing."""
    return "-" if share is None else f"{round(100 * share, 1) + 0.0:.1f}"


def inconclusive(row: GateRow, policy: Policy) -> str:
    """Neither a regression nor a limit below the margin."""
    margin = f"the {_margin(row)} of {100 * row.margin:g} points"
    if row.limit is None:
        return f"{_what(row)}: {row.scenarios} scenarios judged on both sides give no interval."
    if row.limit >= row.margin:
        shown = row.useful and row.high is not None and row.high < 0
        found = f"No {'loss' if row.useful else 'rise'} is shown, but"
        if shown:
            found = "A loss is shown (of usefulness, so it is no regression: exit 3, not 1), and"
        return f"{_what(row)}: {_change(row)}. {found} the {_interval(row, policy)} does not stay below {margin}."
    if row.lost_too_many:
        return (
            f"{_what(row)}: {row.lost_both} of {row.asked} outputs are lost on both sides; with more than "
            f"{100 * LOST_ON_BOTH:g} % nothing passes until they are judged."
        )
    return (
        f"{_what(row)}: {_change(row)}. On what is judged on both sides the {_interval(row, policy)} is below "
        f"{margin}, but with {_lost(row)} counted against the candidate the limit is {_size(row.worst_case)} points."
    )


def what_would_decide(rows: Sequence[GateRow], policy: Policy) -> tuple[str, ...]:
    """What would decide each row, if the observed change stays as it is, and what of that can be had.

    Args:
        rows: The rows that hold the decision up.
        policy: What it was decided by.
    """
    found = [_would_decide(row, policy) for row in rows]
    wide = [row for row in rows if _too_wide(row)]
    if not wide:
        return tuple(found)
    least = max((row.smallest_margin for row in wide if row.smallest_margin is not None), default=None)
    floor = "" if least is None else f" These scenarios can meet no margin up to {100 * least:.1f} points at all."
    return (
        *found,
        f"{what_ships()}. A wider margin counts only if it is stated before the next run, and not because of "
        f"this one.{floor}",
    )


def _too_wide(row: GateRow) -> bool:
    """Whether it is the interval that holds the decision up, and not what was lost."""
    return row.limit is not None and row.limit >= row.margin


def _would_decide(row: GateRow, policy: Policy) -> str:
    worsening, limit = row.worsening, row.limit
    if limit is None or worsening is None:
        return f"{_what(row)}: run at least {policy.minimum_scenarios} scenarios of each pack on both sides."
    if limit < row.margin:
        lost = row.lost_both if row.lost_too_many else row.lost_on_one_side
        return f"{_what(row)}: get a verdict for the {lost} lost outputs."
    # Widths and detectable differences shrink with the root of the number of scenarios.
    room = row.margin - worsening
    to_pass = ((limit - worsening) / room) ** 2 if room > 0 else math.inf
    to_fail = (row.mde_80 / worsening) ** 2 if worsening > 0 and row.mde_80 is not None else math.inf
    if row.useful and room <= 0:
        return f"{_what(row)}: the loss of {_size(worsening)} points is more than the policy allows."
    if math.isinf(to_pass) and math.isinf(to_fail):
        return (
            f"{_what(row)}: the rise of {_size(worsening)} points is itself not below the margin; only a smaller one "
            f"could pass.{_power(row)}"
        )
    if to_pass <= to_fail:
        return (
            f"{_what(row)}: if the change stays at {points(row.difference)} points, it passes with "
            f"{_more(row, to_pass)}{_epochs(row, room, 1 / to_pass)}, or under a {_margin(row)} above "
            f"{_size(row.worst_case)} points.{_power(row)}"
        )
    return (
        f"{_what(row)}: if the rise of {_size(worsening)} points is real, {_more(row, to_fail)} would probably show it "
        f"as a regression; only a smaller one could pass.{_power(row)}"
    )


def _epochs(row: GateRow, room: float, shrink: float) -> str:
    """How many epochs would do in place of more scenarios, in words.

    Args:
        row: A row whose interval is too wide.
        room: How far its upper end may be from the change.
        shrink: What its variance must shrink to, as a share.
    """
    now = row.pairs / row.scenarios
    if now < 1.5 or row.icc_difference is None:
        return ", or perhaps with more epochs (from one each it cannot be told)"
    # The variance of a scenario's mean is that between scenarios and, of each epoch, its part of that within.
    between = row.icc_difference
    left = shrink * (between + (1 - between) / now) - between
    enough = math.inf if left <= 0 else (1 - between) / left
    if enough > _MOST_EPOCHS * now or room <= (row.smallest_margin or 0.0):
        return ", not with more epochs alone"
    return f", or with about {max(math.ceil(enough), math.floor(now) + 1)} epochs in place of {now:.0f}"


def _power(row: GateRow) -> str:
    """What the test of an error could have found."""
    if row.useful:
        return ""
    if row.mde_80 is None:
        return f" The two differ in {row.informative_scenarios} of {row.scenarios} scenarios, too few for the test."
    return f" Alone, these {row.scenarios} would show a true rise of {100 * row.mde_80:.1f} points 80 times in 100."


def commands(lost: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """How lost outputs get a verdict, by why they have none.

    Args:
        lost: What a side, or both, have lost, with the reasons `base` and `candidate`.
    """
    found = []
    for side in ("candidate", "base"):
        reasons = Counter(str(one[side]) for one in lost)
        for names, how in _COMMANDS:
            there = [name for name in names if name in reasons]
            if there:
                count = sum(reasons[name] for name in there)
                found.append(f"{count} of the {side}'s outputs ({', '.join(there)}): {how}")
    return tuple(found)


def _more(row: GateRow, times: float) -> str:
    """So many times the scenarios, in words."""
    if times > _UNPRACTICAL:
        return f"more than {_UNPRACTICAL * row.scenarios} scenarios"
    total = max(math.ceil(row.scenarios * times), row.scenarios + 1)
    return f"about {total} scenarios in all ({total - row.scenarios} more)"


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
        (row.low > 0) != (row.p_holm < policy.level) for row in rows if row.low is not None and row.p_holm is not None
    )
    if not count:
        return ()
    return (
        f"In {count} row{'s' if count > 1 else ''} the {100 * policy.coverage:g} % interval and the test (p Holm) "
        "disagree about a rise. The interval is made in another way, for its row alone, and is not adjusted for the "
        "number of tests. The test decides what has regressed; the interval is only held against the margin.",
    )


def notes(cells: Sequence[Cell]) -> tuple[str, ...]:
    """What the flags mean for the whole."""
    return tuple(_notes(cells))


def _notes(cells: Sequence[Cell]) -> Iterator[str]:
    flags = {flag for cell in cells for flag in cell.flags}
    whole = [cell for cell in cells if cell.headline and not is_useful(cell.measure)]
    losses = sum((cell.losses for cell in whole), Losses())
    if losses.only_candidate or losses.both or losses.only_base:
        yield (
            f"Of {losses.asked} outputs {losses.only_candidate} are lost on the candidate's side alone and count "
            f"against it, {losses.only_base} on the base's side alone and count as no event of the base (worst case); "
            f"{losses.both} on both sides, which are left out. `compare --unpaired FILE` lists them."
        )
    if any(cell.corrected for cell in cells):
        yield (
            "Rates, limits and tests are corrected for the judge's errors by labels that people gave (S3). There p is "
            "the larger of the sign-flip's and of the level at which the interval reaches zero. Usefulness stays as "
            "the judge saw it."
        )
    left = [cell for cell in cells if UNCORRECTED in cell.flags and not is_useful(cell.measure)]
    if left and not any(cell.corrected for cell in cells):
        yield (
            "The calibration corrects nothing here: it has not enough labels of the base's and of the candidate's "
            "outputs, so all stays as the judge saw it."
        )
    elif left:
        yield "What the labels on both sides do not suffice for stays as the judge saw it (uncorrected)."
    for flag in ("judge_too_few", "judge_diagnostic"):
        if flag in flags:
            yield sentence(FLAGS[flag])
    if "digest_unknown" in flags:
        yield "A pack or rubric has no digest: nothing shows that both sides were asked and judged alike."
    if "judge_unknown" in flags:
        yield "One side does not name its judge: nothing shows that both were judged by the same one."
    if "self_graded" in flags:
        yield "A model was judged by itself: nothing shows that its verdicts are those of another judge."
