"""How long a stance holds under pressure: discrete-time Kaplan-Meier over scenarios.

Conversations of one scenario are not independent, so whole scenarios are resampled. A conversation is
followed to its first flip, or to its last turn with a verdict (then it is censored).

References:
    Kaplan & Meier 1958; Hong et al. 2025, arXiv 2505.23840 (SYCON-Bench: turn of flip, number of flips);
    Efron 1981 (bootstrap of censored data).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError
from alignbench.stats.estimate import Estimate
from alignbench.stats.priorities import bounded_mean
from alignbench.stats.rate import FEW_SCENARIOS, check_counts, rate
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Stances", "Survival", "stances", "survival"]

UNDEFINED_LIMIT = 0.05
"""With more than this share of bootstrap draws undefined there is no interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Stances:
    """Conversations, each followed to its flip or its end; vectors of one length.

    Attributes:
        followed: Turns that are known of the stance: up to the flip, or up to censoring; 0 where the first
            turn has no verdict.
        flipped: Whether the last of these is a flip.
        flips: Changes of the stance, there and back, from one turn with a verdict to the next.
    """

    followed: Integers
    flipped: NDArray[np.bool_]
    flips: Integers


@dataclass(frozen=True, slots=True)
class Survival:
    """Survival of a stance by turn.

    Attributes:
        curve: For each turn t the share of conversations that hold their stance through it; `n` is at risk,
            `events` are the flips of this turn, `scenarios` those at risk. No value after nobody is left at
            risk.
        median_turn: First turn by which half have flipped; None where fewer do.
        held: Mean number of turns held, out of the turns that were followed (restricted mean).
        flips: Mean number of changes of stance a conversation.
    """

    curve: tuple[Estimate, ...]
    median_turn: int | None
    held: Estimate
    flips: Estimate


def stances(stance: ArrayLike) -> Stances:
    """Follow conversations turn by turn.

    Args:
        stance: 1 where the stance is held, 0 where it is given up, -1 where there is no verdict; shape
            (conversations, turns). What follows the first missing verdict is used for the number of flips
            only.

    Raises:
        InputError: Other numbers, or no turn.
    """
    held = np.asarray(stance, dtype=np.int64)
    if held.ndim != 2 or not held.size or not np.isin(held, (-1, 0, 1)).all():
        raise InputError(f"stances of shape {held.shape}", allowed="(conversations, turns) of -1, 0, 1")
    turns = held.shape[1]
    ends = held != 1
    first = np.where(ends.any(1), ends.argmax(1), turns)
    flipped = (first < turns) & (held[np.arange(len(held)), np.minimum(first, turns - 1)] == 0)
    # Missing turns take the stance before them (at the start: after them), so that they add no change.
    at = np.maximum.accumulate(np.where(held >= 0, np.arange(turns), -1), axis=1)
    at = np.where(at >= 0, at, (held >= 0).argmax(1)[:, None])
    changes = np.diff(np.take_along_axis(held, at, axis=1), axis=1) != 0
    return Stances(first + flipped, flipped, changes.sum(1))


def survival(
    found: Stances,
    scenario: ArrayLike,
    turns: int,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    draws: int = 2000,
) -> Survival:
    """Kaplan-Meier curve over turns with a bootstrap over scenarios.

    Args:
        found: Conversations.
        scenario: The scenario of each, whole numbers, same length.
        turns: Turns that the curve covers, at least 1.
        rng: Draws the bootstrap.
        confidence: Two-sided coverage.
        draws: Bootstrap draws, at least 100.

    Returns:
        Percentile intervals; where the bootstrap cannot vary (nobody, or everybody, has flipped) Gaffke's
        interval of the conversations at risk stands there, `method` says so. Fewer than ten scenarios with
        a flip are flagged.

    Raises:
        InputError: Unusable options, or vectors of other lengths.
    """
    place = np.asarray(scenario)
    check_counts([1], [1], confidence)
    if place.shape != found.followed.shape or not len(place):
        raise InputError(f"scenario has shape {place.shape}", allowed=f"{found.followed.shape}, not empty")
    if turns < 1 or draws < 100:
        raise InputError(f"turns {turns!r}, draws {draws!r}", allowed="turns from 1, draws from 100")
    names, group = np.unique(place, return_inverse=True)
    known = found.followed > 0
    risk, flips = np.zeros((2, len(names), turns))
    for turn in range(turns):
        np.add.at(risk[:, turn], group[known & (found.followed > turn)], 1)
        np.add.at(flips[:, turn], group[found.flipped & (found.followed == turn + 1)], 1)
    curve = _curve(risk.sum(0), flips.sum(0))
    picks = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws).astype(float)
    drawn = _curve(picks @ risk, picks @ flips)
    points = tuple(_point(curve[t], drawn[:, t], risk[:, t], flips[:, : t + 1], confidence) for t in range(turns))
    halved = np.flatnonzero(curve <= 0.5)
    conversations = np.bincount(group)
    changes = np.bincount(group, weights=found.flips)
    return Survival(
        curve=points,
        median_turn=int(halved[0]) + 1 if len(halved) else None,
        held=_held(curve, drawn, points, int(known.sum()), int(found.flipped.sum()), confidence),
        flips=bounded_mean(conversations, changes, 0, max(1, turns - 1), confidence=confidence),
    )


def _curve(risk: Floats, flips: Floats) -> Floats:
    """Product of 1 - flips / at risk over the last axis; NaN from where nobody is at risk."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.cumprod(1 - flips / np.where(risk > 0, risk, np.nan), axis=-1))


def _point(value: float, drawn: Floats, risk: Floats, flips: Floats, confidence: float) -> Estimate:
    """One turn of the curve: at risk by scenario in this turn, flips by scenario in it and earlier ones."""
    scenarios = int((risk > 0).sum())
    event_scenarios = int((flips.sum(1) > 0).sum())
    found = partial(
        Estimate,
        confidence=confidence,
        n=int(risk.sum()),
        scenarios=scenarios,
        events=float(flips[:, -1].sum()),
        event_scenarios=event_scenarios,
    )
    flags = (Flag.FEW_SCENARIOS,) if scenarios < FEW_SCENARIOS else ()
    if not np.isfinite(value):
        return found(value=None, low=None, high=None, method="kaplan_meier", flags=(Flag.NOBODY_AT_RISK,))
    if scenarios < 2:
        return found(value=value, low=None, high=None, method="kaplan_meier", flags=(*flags, Flag.ONE_SCENARIO))
    if value in (0.0, 1.0):
        extreme = rate(risk, risk * value, confidence=confidence)
        return found(value=value, low=extreme.low, high=extreme.high, method=extreme.method, flags=flags)
    low, high = _percentiles(value, drawn, confidence)
    if low is None:
        flags = (*flags, Flag.UNDEFINED_DRAWS)
    elif event_scenarios < FEW_SCENARIOS:
        flags = (*flags, Flag.FEW_EVENT_SCENARIOS)
    return found(value=value, low=low, high=high, method="kaplan_meier", flags=flags)


def _percentiles(value: float, drawn: Floats, confidence: float) -> tuple[float | None, float | None]:
    """Percentile interval around a value; None where too many draws are undefined, or none differs."""
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < (1 - UNDEFINED_LIMIT) * len(drawn):
        return None, None
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    if high - low < 1e-12:
        return None, None
    return min(float(low), value), max(float(high), value)


def _held(
    curve: Floats, drawn: Floats, points: tuple[Estimate, ...], n: int, flips: int, confidence: float
) -> Estimate:
    """Turns held: the sum of the curve over the turns at which somebody is at risk."""
    last = int(np.isfinite(curve).sum())
    scenarios = max((point.scenarios for point in points), default=0)
    event_scenarios = max((point.event_scenarios for point in points), default=0)
    found = partial(
        Estimate, confidence=confidence, n=n, scenarios=scenarios, events=float(flips), event_scenarios=event_scenarios
    )
    flags = (Flag.FEW_SCENARIOS,) if scenarios < FEW_SCENARIOS else ()
    if last == 0:
        return found(value=None, low=None, high=None, method="kaplan_meier", flags=(Flag.NOBODY_AT_RISK,))
    value = float(curve[:last].sum())
    low, high = _percentiles(value, drawn[:, :last].sum(1), confidence)
    if low is None and all(point.low is not None and point.high is not None for point in points[:last]):
        # Nothing varies: the limits of the turns, taken together, bound the sum.
        low = sum(point.low for point in points[:last] if point.low is not None)
        high = sum(point.high for point in points[:last] if point.high is not None)
        return found(value=value, low=low, high=high, method="sum_of_turns", flags=flags)
    if low is not None and event_scenarios < FEW_SCENARIOS:
        flags = (*flags, Flag.FEW_EVENT_SCENARIOS)
    if low is None:
        flags = (*flags, Flag.ONE_SCENARIO if scenarios < 2 else Flag.UNDEFINED_DRAWS)
    return found(value=value, low=low, high=high, method="kaplan_meier", flags=flags)
