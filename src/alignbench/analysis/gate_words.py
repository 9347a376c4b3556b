"""The gate's sentences, for a reader of a pull request who knows no statistics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alignbench.analysis.corrected import UNCORRECTED
from alignbench.analysis.rates import OVERALL
from alignbench.flags import FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alignbench.analysis.gate import GateRow
    from alignbench.analysis.paired_cells import Cell
    from alignbench.policy import Policy

__all__ = [
    "IDENTICAL",
    "NOTED",
    "NO_TWINS",
    "absent",
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
    "unscored",
    "what_would_decide",
]

IDENTICAL = (
    "Base and candidate have one model name and the same verdict on every output: "
    "probably this is one run, named twice."
)
NO_TWINS = "The policy requires benign twins, and they were not run on both sides."

_UNPRACTICAL = 100
"""Advice to run more than this many times the scenarios is no advice."""

_DECISIONS = {
    "not_worse": "{candidate} is not worse than {base}.",
    "regressed": "{candidate} is worse than {base}.",
    "inconclusive": "It is not settled whether {candidate} is worse than {base}.",
    "not_comparable": "{candidate} and {base} cannot be compared.",
}


def headline(decision: str, base: str, candidate: str) -> str:
    """The decision as a sentence."""
    if base == candidate:
        return sentence(_DECISIONS[decision].format(base="the base", candidate=f"the candidate {candidate}"))
    return _DECISIONS[decision].format(base=base, candidate=candidate)


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
    return measure.replace("_", "-")


def _what(row: GateRow) -> str:
    where = "overall" if row.pack == OVERALL else f"in {row.pack}"
    return f"{name(row.measure).capitalize()} {where}{f' (judge {row.judge})' if row.judge else ''}"


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


def not_worse(row: GateRow, policy: Policy) -> str:
    """A limit below the margin."""
    return (
        f"{_what(row)}: {_change(row)}; the upper end of the {_interval(row, policy)} is below the margin of "
        f"{100 * policy.margin:g} points."
    )


def inconclusive(row: GateRow, policy: Policy) -> str:
    """Neither a regression nor a limit below the margin."""
    if row.high is None:
        return f"{_what(row)}: {row.scenarios} scenarios judged on both sides give no interval."
    return (
        f"{_what(row)}: {_change(row)}. No rise is shown, but the {_interval(row, policy)} does not stay "
        f"below the margin of {100 * policy.margin:g} points."
    )


def what_would_decide(row: GateRow, policy: Policy) -> str:
    """How many scenarios would decide, if the observed difference stays as it is."""
    if row.high is None or row.difference is None:
        return f"{_what(row)}: run at least {policy.minimum_scenarios} scenarios of each pack on both sides."
    # Widths and detectable differences shrink with the root of the number of scenarios.
    room, rise = policy.margin - row.difference, row.difference
    to_pass = ((row.high - rise) / room) ** 2 if room > 0 else math.inf
    to_fail = (row.mde_80 / rise) ** 2 if rise > 0 and row.mde_80 is not None else math.inf
    found = (
        f"The two differ in {row.informative_scenarios} of {row.scenarios} scenarios, too few for the test."
        if row.mde_80 is None
        else f"Alone, these {row.scenarios} would show a true rise of {100 * row.mde_80:.1f} points 80 times in 100."
    )
    if to_pass <= to_fail:
        text = f"if the change stays at {points(rise)} points, {_more(row, to_pass)} would bring it to a pass"
    else:
        text = (
            f"if the rise of {100 * rise:.1f} points is real, {_more(row, to_fail)} would probably show it "
            "as a regression; only a smaller one could pass"
        )
    return f"{_what(row)}: {text}. {found}"


def _more(row: GateRow, times: float) -> str:
    """So many times the scenarios, in words."""
    if times > _UNPRACTICAL:
        return f"more than {_UNPRACTICAL * row.scenarios} scenarios"
    total = max(math.ceil(row.scenarios * times), row.scenarios + 1)
    return f"about {total} scenarios in all ({total - row.scenarios} more)"


def unfit(judge: str) -> str:
    """A judge that must not decide; a panel is as fit as its worst judge."""
    return f"The judge {judge} is unfit by its card: its verdicts decide nothing."


def absent(cell: Cell, side: str) -> str:
    """A pack that one side has not run."""
    return f"Pack {cell.pack}: the {side} has no {name(cell.measure)} outputs."


def too_few(cell: Cell, policy: Policy) -> str:
    """A pack with too little in common."""
    return (
        f"Pack {cell.pack}, {name(cell.measure)}: {cell.estimate.scenarios} scenarios judged on both sides, "
        f"the policy asks for {policy.minimum_scenarios}."
    )


def unscored(cell: Cell, side: str, share: float, policy: Policy) -> str:
    """A pack with too much that has no verdict."""
    return (
        f"Pack {cell.pack}, {name(cell.measure)}: {percent(share)} of the {side}'s outputs are off task or "
        f"without a verdict, the policy allows {percent(policy.largest_unscored_share)}."
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


NOTED = (
    UNCORRECTED,
    "judge_unfit",
    "judge_too_few",
    "judge_diagnostic",
    "digest_unknown",
    "judge_unknown",
    "other_judges",
    "unpaired",
    "not_measured",
)
"""Flags that the notes explain."""


def notes(cells: Sequence[Cell]) -> tuple[str, ...]:
    """What the flags mean for the whole."""
    return tuple(_notes(cells))


def _notes(cells: Sequence[Cell]) -> Iterator[str]:
    flags = {flag for cell in cells for flag in cell.flags}
    lost = sum(stratum.unpaired for cell in cells if cell.headline for stratum in cell.strata)
    if lost:
        yield f"{lost} outputs have no judged partner on the other side: left out, and listed by `compare`."
    if any(cell.estimate.method.startswith("s3") for cell in cells):
        yield (
            "Rates, limits and tests are corrected for the judge's errors by labels that people gave (S3). There p is "
            "the larger of the sign-flip's and of the level at which the interval reaches zero."
        )
    if UNCORRECTED in flags:
        yield "What the labels on both sides do not suffice for stays as the judge saw it (uncorrected)."
    for flag in ("judge_too_few", "judge_diagnostic"):
        if flag in flags:
            yield sentence(FLAGS[flag])
    if "digest_unknown" in flags:
        yield "A pack or rubric has no digest: nothing shows that both sides were asked and judged alike."
    if "judge_unknown" in flags:
        yield "One side does not name its judge: nothing shows that both were judged by the same one."
    if "other_judges" in flags:
        yield "Verdicts of judges who have not judged both models are left out."
