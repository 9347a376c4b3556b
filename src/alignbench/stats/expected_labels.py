"""The data set to expect of a plan: what a judge will have said and people confirmed, in expected numbers.

Numbers of outputs are rounded, what the labels confirm is not: the last label of a kind is a part of an event. Which
outputs these are is drawn once, from fixed seeds, so that one plan gives one answer, and more labels keep those that
fewer had.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["ExpectedLabels", "expected_labels", "labels_to_flagged"]

_FLAGGED_PART = 3
"""One in so many labels is drawn among the outputs that the judge flagged."""
_TINY, _ROUNDING = 1e-300, 1e-9
"""What keeps a division from 0, and what of an expected number is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedLabels:
    """Vectors of one length, an entry for each output; see `alignbench.stats.label_correction.LabelledPack`.

    Attributes:
        scenario: Its scenario.
        flagged: Whether the judge flags it.
        label: 1 event, 0 none, NaN not labelled; two labels may be part of an event.
    """

    scenario: NDArray[np.int64]
    flagged: NDArray[np.bool_]
    label: Floats


def labels_to_flagged(labels: int, flagged: int, others: int, least: int = 1) -> int:
    """How many of the labels go to outputs that the judge flagged: a third, and what the others have no room for.

    Args:
        labels: Outputs that people label.
        flagged: Outputs that the judge flagged.
        others: Those that it did not.
        least: Labels that the flagged need, if there are so many.
    """
    return min(flagged, max(labels // _FLAGGED_PART, labels - others, least))


def expected_labels(
    scenario_rates: Floats, outputs: int, labels: int, rate: float, *, sensitivity: float, specificity: float
) -> ExpectedLabels:
    """Outputs, flags and labels in the numbers to expect; both kinds that the judge tells apart get a label.

    Args:
        scenario_rates: How much the scenarios bring out the event, shape (K,): its events go to them accordingly.
        outputs: Outputs of each scenario.
        labels: Outputs that people label, at least 2 and at most all.
        rate: Rate of the event.
        sensitivity: Share of the events that the judge flags.
        specificity: Share of the others that it passes.
    """
    scenario = np.repeat(np.arange(len(scenario_rates)), outputs)
    n, rng = len(scenario), np.random.default_rng(0)
    flagged_share = rate * sensitivity + (1 - rate) * (1 - specificity)
    many = round(n * flagged_share)
    found = rate * sensitivity / flagged_share if flagged_share > 0 else 0.0
    missed = rate * (1 - sensitivity) / (1 - flagged_share) if flagged_share < 1 else 0.0
    # An output is an event the sooner, the more its scenario brings them out.
    likely = np.argsort(rng.random(n) / np.maximum(scenario_rates[scenario], _TINY), kind="stable")
    hits, misses = math.ceil(many * found - _ROUNDING), math.ceil((n - many) * missed - _ROUNDING)
    events, others = rng.permutation(likely[: hits + misses]), rng.permutation(likely[hits + misses :])
    false_alarms = many - hits
    first = labels_to_flagged(labels, many, n - many)
    flagged, label = np.zeros(n, dtype=bool), np.full(n, np.nan)
    parts = (
        (events[:hits], others[:false_alarms], found, first),
        (events[hits:], others[false_alarms:], missed, labels - first),
    )
    flagged[np.concatenate(parts[0][:2])] = True
    for there, not_there, share, size in parts:
        confirmed = size * share
        whole = math.ceil(confirmed - _ROUNDING)
        label[there[:whole]] = np.minimum(1.0, confirmed - np.arange(whole))
        label[not_there[: size - whole]] = 0.0
    return ExpectedLabels(scenario, flagged, label)
