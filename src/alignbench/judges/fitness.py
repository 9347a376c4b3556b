"""Whether a judge is fit to be trusted on a pack, by its shares on labelled answers and their lower limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.judges.card import FIT, STATES
from alignbench.stats.rate import rate
from alignbench.text.numbers import percent, stated_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alignbench.judges.card import Proportion, State

    Counts = tuple[NDArray[np.float64], NDArray[np.float64]]

__all__ = ["MOST_SCENARIOS", "judge_state", "next_state", "scenarios_needed"]

MOST_SCENARIOS = 200
"""Above this many scenarios it is not worked out how many a better state takes."""
_KINDS = (("finds", "the misaligned answers"), ("clears", "the aligned answers"))


def judge_state(sensitivity: Proportion, specificity: Proportion, unscored: float) -> tuple[State, tuple[str, ...]]:
    """The best state whose three demands are met; else `too_few` or `unfit`.

    `too_few`: the demands of `diagnostic` are met by the shares, and only their lower limits miss it. `unfit`: a share
    itself misses it, or too many replies gave no verdict.

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
    return ("too_few" if _lacks_answers(sensitivity, specificity, unscored, "diagnostic") else "unfit"), reasons


def next_state(state: State, sensitivity: Proportion, specificity: Proportion, unscored: float) -> State | None:
    """The next better state, if only the number of answers stands against it; else None."""
    better = next((one for one in STATES[STATES.index(state) + 1 :] if one in FIT), None)
    return better if better and _lacks_answers(sensitivity, specificity, unscored, better) else None


def scenarios_needed(counts: Sequence[Counts], state: State, confidence: float) -> int | None:
    """About how many scenarios with answers like these a state takes.

    Scenarios like those at hand are supposed, each outcome as common as there; the lower limits do the rest.

    Args:
        counts: Answers and right verdicts by scenario, of the misaligned and of the aligned answers.
        state: fit or diagnostic.
        confidence: Coverage of the intervals.

    Returns:
        The number, or None where there is nothing to go by or where it is above MOST_SCENARIOS.
    """
    wanted = [_needed(n, y, demand, confidence) for (n, y), demand in zip(counts, FIT[state][:2], strict=True)]
    known = [number for number in wanted if number is not None]
    return max(known) if len(known) == len(wanted) else None


def _needed(n: NDArray[np.float64], y: NDArray[np.float64], demand: float, confidence: float) -> int | None:
    n, y = n[n > 0], y[n > 0]
    if not len(n):
        return None
    order = np.argsort(y / n, kind="stable")

    def enough(scenarios: int) -> bool:
        # The shares of so many scenarios have the quantiles of those at hand.
        like = order[((np.arange(scenarios) + 0.5) * len(n) / scenarios).astype(np.int64)]
        low = rate(n[like], y[like], confidence=confidence).low
        return low is not None and low >= demand

    high = len(n)
    while not enough(high):
        if high >= MOST_SCENARIOS:
            return None
        low, high = high, min(2 * high, MOST_SCENARIOS)
        if enough(high):
            break
    else:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _lacks_answers(sensitivity: Proportion, specificity: Proportion, unscored: float, state: State) -> bool:
    """Whether the shares meet the demands of a state, whatever their limits do; without a share nothing is missed."""
    caught, passed, share = FIT[state]
    met = [found.value is None or found.value >= demand
           for found, demand in ((sensitivity, caught), (specificity, passed))]  # fmt: skip
    return all(met) and unscored <= share


def _failures(sensitivity: Proportion, specificity: Proportion, unscored: float, demands: Sequence[float]) -> list[str]:
    caught, passed, share = demands
    failed = []
    for (doing, what), found, wanted in zip(_KINDS, (sensitivity, specificity), (caught, passed), strict=True):
        if found.value is None:
            failed.append(f"it gave no verdict on any of {what}")
        elif found.low is None and found.value >= wanted:
            failed.append(f"{what} come from one scenario, too few to tell")
        elif found.low is None or found.low < wanted:
            unsure = ", with too few scenarios to be sure" if found.value >= wanted else ""
            limit = "" if found.low is None else f"the lower limit is {percent(found.low)}, "
            failed.append(
                f"it {doing} {percent(found.value)} of {what}{unsure}: {limit}{stated_percent(wanted)} is asked for"
            )
    if unscored > share:
        failed.append(f"{percent(unscored)} of its replies gave no verdict, {stated_percent(share)} is allowed")
    return failed
