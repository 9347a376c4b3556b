"""Worths of values for each group, and whether one order may be printed at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.values.rows import DiagnosticRow, WorthRow
from alignbench.stats.bradley_terry import bradley_terry
from alignbench.stats.collisions import components, part
from alignbench.stats.priorities import circular_triads, fit, mean_share
from alignbench.stats.ranks import max_t_rank_sets, rank_text
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alignbench.stats.bradley_terry import BradleyTerry
    from alignbench.stats.collisions import Comparisons
    from alignbench.stats.estimate import Estimate
    from alignbench.stats.priorities import Fit
    from alignbench.stats.ranks import RankSets

__all__ = ["Orders", "orders"]

MISFIT_P = 0.05
"""Below this p of the deviance no single order is printed."""

_REASONS = {
    Flag.SEPARATED: "some value always or never wins, so its worth has no finite estimate",
    Flag.ONE_SCENARIO_BRIDGE: "a link between values rests on one scenario",
    Flag.RIDGE_ONLY: "without one scenario some value always or never wins",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Worths and diagnostics of one group.

    Attributes:
        worths: A row a value.
        diagnostics: A row a connected part.
        fitted: For each ordered pair of values: the win share by the model, and the standardised residual.
    """

    worths: list[WorthRow]
    diagnostics: list[DiagnosticRow]
    fitted: dict[tuple[int, int], tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """A connected part of the values that a group met, with the worths that were fitted to it.

    Attributes:
        group: The values of the grouping columns.
        number: Counted from 1.
        parts: How many there are.
        members: Numbers of its values among all.
        names: Their names.
        data: The comparisons among them.
        worths: What was fitted.
        quality: How well one order fits.
        triads: Complete triples, circular ones, and circular ones of which every share is clear of a half.
        reasons: Why there is no order, in words; empty where there is one.
        known: The values that have a place in it.
        sets: Their places; None without an order.
    """

    group: dict[str, object]
    number: int
    parts: int
    members: NDArray[np.int64]
    names: list[str]
    data: Comparisons
    worths: BradleyTerry
    quality: Fit
    triads: tuple[int, int, int]
    reasons: list[str]
    known: NDArray[np.int64]
    sets: RankSets | None


def orders(
    every: Comparisons,
    neutral: Comparisons | None,
    shares: Mapping[tuple[int, int], Estimate],
    names: Sequence[str],
    *,
    group: dict[str, object],
    confidence: float,
    seed: int,
) -> Orders:
    """Fit worths to each connected part of the values that a group met.

    Args:
        every: All comparisons, nudged ones included.
        neutral: Those of the default condition.
        shares: Win shares of the default condition.
        names: Names of the values.
        group: The values of the grouping columns, for the rows.
        confidence: Two-sided coverage of intervals, simultaneous coverage of rank sets.
        seed: Seed of the rank sets' draws.
    """
    labels = components(every)
    present = np.unique(np.concatenate([every.first, every.second]))
    joined = [present[labels[present] == label] for label in np.unique(labels[present])]
    found = Orders(worths=[], diagnostics=[], fitted={})
    for number, members in enumerate(joined, start=1):
        data = part(every, members)
        worths = bradley_terry(data, confidence=confidence)
        quality = fit(data, worths)
        triads = _triads(shares, members)
        known = worths.ordered()
        reasons = _why_not(worths, quality, triads[2])
        fitted = _Part(
            group=group,
            number=number,
            parts=len(joined),
            members=members,
            names=[names[value] for value in members],
            data=data,
            worths=worths,
            quality=quality,
            triads=triads,
            reasons=reasons,
            known=known,
            sets=None if reasons else _sets(worths, known, confidence, seed),
        )
        found.diagnostics.append(_diagnostics(fitted))
        found.worths.extend(
            _worth(fitted, at, _average(neutral, int(value), confidence)) for at, value in enumerate(members)
        )
        found.fitted.update(_fitted(fitted))
    return found


def _fitted(one: _Part) -> dict[tuple[int, int], tuple[float, float]]:
    """The win share by the model and the residual of each ordered pair of a part."""
    found: dict[tuple[int, int], tuple[float, float]] = {}
    quality = one.quality
    for i, j, residual in zip(quality.first, quality.second, quality.residual, strict=True):
        value, against = int(one.members[i]), int(one.members[j])
        share = one.worths.share(int(i), int(j))
        found[value, against] = share, float(residual)
        found[against, value] = 1 - share, -float(residual)
    return found


def _average(neutral: Comparisons | None, value: int, confidence: float) -> Estimate | None:
    if neutral is None or not ((neutral.first == value) | (neutral.second == value)).any():
        return None
    return mean_share(neutral, value, confidence=confidence)


def _triads(shares: Mapping[tuple[int, int], Estimate], members: NDArray[np.int64]) -> tuple[int, int, int]:
    """Complete triples, circular ones, and circular ones of which every share is clear of a half."""
    size = len(members)
    ahead, clear, met = (np.zeros((size, size), dtype=bool) for _ in range(3))
    for i, value in enumerate(members):
        for j, against in enumerate(members):
            share = shares.get((int(value), int(against)))
            if share is not None and share.value is not None:
                met[i, j], ahead[i, j] = True, share.value > 0.5
                clear[i, j] = share.low is not None and share.low > 0.5
    circular, triads = circular_triads(ahead, met)
    return triads, circular, circular_triads(clear, met)[0]


def _why_not(worths: BradleyTerry, quality: Fit, clear_circles: int) -> list[str]:
    """Reasons for printing no order, in words."""
    some = len(worths.ordered()) > 1
    why = [words for flag, words in _REASONS.items() if flag in worths.flags and not (some and flag == Flag.RIDGE_ONLY)]
    if worths.df < 1:
        why.append(f"{worths.scenarios} scenarios are too few for {len(worths.worth)} values")
    if quality.p is not None and quality.p < MISFIT_P:
        why.append(f"one order does not fit the pairs (p = {quality.p:.2g}): the matrix is the result")
    if clear_circles:
        why.append("values go round in a circle: the matrix is the result")
    return why


def _sets(worths: BradleyTerry, known: NDArray[np.int64], confidence: float, seed: int) -> RankSets:
    """The places of the values that have an interval, among each other."""
    rng = np.random.default_rng(seed)
    covariance = worths.covariance[np.ix_(known, known)]
    return max_t_rank_sets(worths.worth[known], covariance, confidence=confidence, rng=rng, df=worths.df)


def _order(one: _Part, sets: RankSets) -> str:
    """The values from the highest worth down, each with its rank set."""
    places = [rank_text(int(low), int(high)) for low, high in zip(sets.low, sets.high, strict=True)]
    order = np.argsort(-one.worths.worth[one.known], kind="stable")
    return ", ".join(f"{one.names[one.known[at]]} ({places[at]})" for at in order)


def _reason(one: _Part) -> str:
    """Why a part has no order, or what its order leaves out."""
    said = list(one.reasons)
    if one.parts > 1:
        said.append(f"the values fall into {one.parts} parts that no scenario joins")
    if one.sets is not None and len(one.known) < len(one.names):
        left_out = ", ".join(name for at, name in enumerate(one.names) if at not in one.known)
        said.append(f"not in the order: {left_out} ({_REASONS[Flag.RIDGE_ONLY]})")
    return "; ".join(said)


def _diagnostics(one: _Part) -> DiagnosticRow:
    worths, quality = one.worths, one.quality
    nudge, nudge_low, nudge_high = worths.nudge or (None, None, None)
    size = np.where(np.isnan(quality.residual), -1, np.abs(quality.residual))
    worst = int(size.argmax())
    pair = f"{one.names[quality.first[worst]]} : {one.names[quality.second[worst]]}"
    triads, circular, clear = one.triads
    return DiagnosticRow(
        group=one.group,
        part=one.number,
        parts=one.parts,
        values=tuple(one.names),
        outputs=int(one.data.counts.sum()),
        scenarios=one.data.scenarios,
        pairs=len(quality.first),
        nudge=nudge,
        nudge_low=nudge_low,
        nudge_high=nudge_high,
        tie=worths.tie,
        deviance=quality.deviance,
        deviance_df=quality.df,
        dispersion=quality.dispersion,
        p=quality.p,
        largest_residual=float(quality.residual[worst]) if size[worst] >= 0 else None,
        largest_residual_pair=pair if size[worst] >= 0 else None,
        triads=triads,
        circular_triads=circular,
        clear_circular_triads=clear,
        fits=None if quality.p is None else bool(quality.p >= MISFIT_P and not clear),
        order=None if one.sets is None else _order(one, one.sets),
        reason=_reason(one),
        flags=worths.flags,
    )


def _worth(one: _Part, at: int, share: Estimate | None) -> WorthRow:
    """The row of one value of a part.

    Args:
        one: The part.
        at: Place of the value in it.
        share: Its mean win share; None without an output in the default condition.
    """
    worths = one.worths
    own = (one.data.first == at) | (one.data.second == at)
    bounded = not np.isnan(worths.low[at])
    low, high = _places(one, at)
    return WorthRow(
        group=one.group,
        part=one.number,
        value=one.names[at],
        outputs=int(one.data.counts[own].sum()),
        scenarios=len(np.unique(one.data.scenario[own])),
        share=share.value if share else None,
        share_low=share.low if share else None,
        share_high=share.high if share else None,
        worth=float(worths.worth[at]),
        low=float(worths.low[at]),
        high=float(worths.high[at]),
        se=float(np.sqrt(worths.covariance[at, at])) if bounded else float("nan"),
        df=worths.df,
        confidence=worths.confidence,
        elo=1000 + 400 / np.log(10) * float(worths.worth[at]),
        rank=rank_text(low, high) if low is not None and high is not None else None,
        rank_low=low,
        rank_high=high,
        method="bradley_terry_davidson" if worths.model.ties else "bradley_terry",
        # That the penalty alone sets some interval is not said of a value whose interval it does not set.
        flags=tuple(flag for flag in worths.flags if flag != Flag.RIDGE_ONLY or at not in one.known or not bounded),
    )


def _places(one: _Part, at: int) -> tuple[int | None, int | None]:
    """The best and the worst place that a value may hold; None where it has none."""
    if one.sets is None or at not in one.known:
        return None, None
    place = one.known.tolist().index(at)
    return int(one.sets.low[place]), int(one.sets.high[place])
