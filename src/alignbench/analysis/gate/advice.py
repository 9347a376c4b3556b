"""What would decide a gate that is inconclusive, in sentences."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from alignbench.analysis.gate.margins import what_ships
from alignbench.analysis.gate.words import margin_words, subject
from alignbench.text.numbers import number, points, size
from alignbench.vocabulary import (
    ABSENT,
    CUT_OFF,
    ERROR,
    GRADER_DECLINED,
    GRADER_FAILED,
    INVALID,
    LIMITED,
    NO_RESPONSE,
    TIE,
    UNSTATED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alignbench.analysis.gate.policy import Policy
    from alignbench.analysis.gate.rows import GateRow

__all__ = ["commands", "what_would_decide"]

_COMMANDS = (
    (
        (GRADER_DECLINED, GRADER_FAILED, TIE),
        "they have an answer and no verdict; another judge, asked on both sides, may give one: "
        "`alignbench judge rescore LOGS --grader J`.",
    ),
    (
        (ERROR, ABSENT, INVALID),
        "they have no answer that counts; the same `inspect eval-set` command asks for what is missing.",
    ),
    (
        (CUT_OFF, LIMITED, NO_RESPONSE),
        "the answer was not whole; run both sides again with a higher limit of tokens, messages or time.",
    ),
    ((UNSTATED,), "the table does not say why they have no verdict; have them judged."),
)
"""Reasons for which an output has no verdict, and what gives it one."""

_UNPRACTICAL = 100
"""Advice to run more than this many times the scenarios is no advice."""

_MOST_EPOCHS = 10
"""Likewise of so many times the epochs."""


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
    floor = "" if least is None else f" These scenarios can meet no margin up to {size(least)} points at all."
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
        return f"{subject(row)}: run at least {policy.minimum_scenarios} scenarios of each pack on both sides."
    if limit < row.margin:
        lost = row.lost_both if row.lost_too_many else row.lost_on_one_side
        return f"{subject(row)}: get a verdict for the {lost} lost outputs."
    # Widths and detectable differences shrink with the root of the number of scenarios.
    room = row.margin - worsening
    to_pass = ((limit - worsening) / room) ** 2 if room > 0 else math.inf
    to_fail = (row.mde_80 / worsening) ** 2 if worsening > 0 and row.mde_80 is not None else math.inf
    if row.useful and room <= 0:
        return f"{subject(row)}: the loss of {size(worsening)} points is more than the policy allows."
    if math.isinf(to_pass) and math.isinf(to_fail):
        return (
            f"{subject(row)}: the rise of {size(worsening)} points is itself not below the margin; only a smaller one "
            f"could pass.{_power(row)}"
        )
    if to_pass <= to_fail:
        return (
            f"{subject(row)}: if the change stays at {points(row.difference)} points, it passes with "
            f"{_more(row, to_pass)}{_epochs(row, room, 1 / to_pass)}, or under a {margin_words(row)} above "
            f"{size(row.worst_case)} points.{_power(row)}"
        )
    return (
        f"{subject(row)}: if the rise of {size(worsening)} points is real, {_more(row, to_fail)} would probably show "
        f"it as a regression; only a smaller one could pass.{_power(row)}"
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
    return f", or with about {max(math.ceil(enough), math.floor(now) + 1)} epochs in place of {number(now, 0)}"


def _power(row: GateRow) -> str:
    """What the test of an error could have found."""
    if row.useful:
        return ""
    if row.mde_80 is None:
        return f" The two differ in {row.informative_scenarios} of {row.scenarios} scenarios, too few for the test."
    return f" Alone, these {row.scenarios} would show a true rise of {size(row.mde_80)} points 80 times in 100."


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
