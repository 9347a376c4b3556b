"""Votes to one verdict: arrays in, codes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.verdicts import VERDICTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

__all__ = ["majority", "weighted"]

UNDECIDED = -1


def _counts(verdict: Codes) -> Codes:
    """Votes for each verdict, shape (outputs, len(VERDICTS))."""
    return np.stack([(verdict == at).sum(axis=1) for at in range(len(VERDICTS))], axis=1)


def majority(verdict: Codes) -> Codes:
    """The verdict that more than half of those who gave one agree on.

    Args:
        verdict: Codes of VERDICTS, shape (outputs, judges); -1 where a judge gave none.

    Returns:
        The winner's code, shape (outputs,); -1 where there is none.
    """
    counts = _counts(verdict)
    winner = counts.argmax(axis=1)
    return np.where(2 * counts.max(axis=1) > counts.sum(axis=1), winner, UNDECIDED)


def weighted(verdict: Codes, event: Codes, kind: NDArray[np.bool_], weights: NDArray[np.float64]) -> Codes:
    """Decide by log likelihood ratios whether an output is the event, then count the other verdicts.

    Args:
        verdict: As for `majority`.
        event: Code of the verdict that is the event for each output, shape (outputs,).
        kind: Which of the two sets of weights an output takes, shape (outputs,).
        weights: Log likelihood ratio of a vote for the event (positive) and of one against it (negative), shape
            (2, judges, 2).

    Returns:
        The winner's code; -1 where the sum is zero, or no other verdict has the most votes.
    """
    cast, hit = verdict >= 0, verdict == event[:, None]
    chosen = weights[kind.astype(np.int64)]
    total = np.where(hit, chosen[..., 0], np.where(cast, chosen[..., 1], 0.0)).sum(axis=1)
    counts = _counts(np.where(hit, UNDECIDED, verdict))
    most = counts.max(axis=1)
    clear = (counts == most[:, None]).sum(axis=1) == 1
    other = np.where((most > 0) & clear, counts.argmax(axis=1), UNDECIDED)
    # Equal weights for and against cancel to a rounding error, which decides nothing.
    decided = np.abs(total) > 1e-9
    return np.where(decided, np.where(total > 0, event, other), UNDECIDED)
