"""Worths of values for each group, and whether one order may be printed at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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

__all__ = ["DIAGNOSTIC_KEYS", "WORTH_KEYS", "Orders", "orders"]

MISFIT_P = 0.05
"""Below this p of the deviance no single order is printed."""

WORTH_KEYS = (
    "part", "value", "outputs", "scenarios", "share", "share_low", "share_high", "worth", "low", "high", "se",
    "df", "level", "elo", "rank", "rank_low", "rank_high", "method", "flags",
)  # fmt: skip
"""Keys of the worths beside the grouping columns. `share` is the average win share over opponents."""

DIAGNOSTIC_KEYS = (
    "part", "parts", "values", "outputs", "scenarios", "pairs", "nudge", "nudge_low", "nudge_high", "tie",
    "deviance", "deviance_df", "dispersion", "p", "largest_residual", "largest_residual_pair", "triads",
    "circular_triads", "clear_circular_triads", "fits", "order", "reason", "flags",
)  # fmt: skip
"""Keys of the diagnostics beside the grouping columns, a row for each connected part of the values."""

_REASONS = {
    Flag.SEPARATED: "some value always or never wins, so its worth has no finite estimate",
    Flag.ONE_SCENARIO_BRIDGE: "a link between values rests on one scenario",
    Flag.RIDGE_ONLY: "without one scenario some value always or never wins",
}


@dataclass(frozen=True, slots=True)
class Orders:
    """Worths and diagnostics of one group.

    Attributes:
        worths: A row a value, with WORTH_KEYS.
        diagnostics: A row a connected part, with DIAGNOSTIC_KEYS.
        fitted: For each ordered pair of values: the win share by the model, and the standardised residual.
    """

    worths: list[dict[str, object]]
    diagnostics: list[dict[str, object]]
    fitted: dict[tuple[int, int], tuple[float, float]]


def orders(
    every: Comparisons,
    neutral: Comparisons | None,
    shares: Mapping[tuple[int, int], Estimate],
    names: Sequence[str],
    *,
    level: float,
    seed: int,
) -> Orders:
    """Fit worths to each connected part of the values that a group met.

    Args:
        every: All comparisons, nudged ones included.
        neutral: Those of the default condition.
        shares: Win shares of the default condition.
        names: Names of the values.
        level: Two-sided coverage of intervals, simultaneous coverage of rank sets.
        seed: Seed of the rank sets' draws.
    """
    labels = components(every)
    present = np.unique(np.concatenate([every.first, every.second]))
    parts = [present[labels[present] == label] for label in np.unique(labels[present])]
    found = Orders([], [], {})
    for number, members in enumerate(parts, start=1):
        data = part(every, members)
        worths = bradley_terry(data, level=level)
        quality = fit(data, worths)
        triads = _triads(shares, members)
        known = worths.ordered()
        why = _why_not(worths, quality, triads[2])
        sets = None if why else _sets(worths, known, level, seed)
        values = [names[value] for value in members]
        place = {"part": number, "parts": len(parts)}
        note = [f"the values fall into {len(parts)} parts that no scenario joins"] if len(parts) > 1 else []
        if sets and len(known) < len(values):
            left_out = ", ".join(value for at, value in enumerate(values) if at not in known)
            note.append(f"not in the order: {left_out} ({_REASONS[Flag.RIDGE_ONLY]})")
        found.diagnostics.append(
            {
                **place,
                **_diagnostics(data, worths, quality, values, triads),
                "order": _order(worths, sets, known, values) if sets else None,
                "reason": "; ".join([*why, *note]),
            }
        )
        average = [_average(neutral, int(value), level) for value in members]
        found.worths.extend(_worths(data, worths, sets, values, average, number))
        for i, j, residual in zip(quality.first, quality.second, quality.residual, strict=True):
            pair, share = (int(members[i]), int(members[j])), worths.share(int(i), int(j))
            found.fitted[pair], found.fitted[pair[::-1]] = (
                (share, float(residual)),
                (1 - share, -float(residual)),
            )
    return found


def _average(neutral: Comparisons | None, value: int, level: float) -> Estimate | None:
    if neutral is None or not ((neutral.first == value) | (neutral.second == value)).any():
        return None
    return mean_share(neutral, value, level=level)


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


def _sets(worths: BradleyTerry, known: NDArray[np.int64], level: float, seed: int) -> RankSets:
    """The places of the values that have an interval, among each other."""
    rng = np.random.default_rng(seed)
    covariance = worths.covariance[np.ix_(known, known)]
    return max_t_rank_sets(worths.worth[known], covariance, level=level, rng=rng, df=worths.df)


def _order(worths: BradleyTerry, sets: RankSets, known: NDArray[np.int64], values: Sequence[str]) -> str:
    """The values from the highest worth down, each with its rank set."""
    places = [rank_text(int(low), int(high)) for low, high in zip(sets.low, sets.high, strict=True)]
    order = np.argsort(-worths.worth[known], kind="stable")
    return ", ".join(f"{values[known[at]]} ({places[at]})" for at in order)


def _diagnostics(
    data: Comparisons, worths: BradleyTerry, quality: Fit, values: Sequence[str], triads: tuple[int, int, int]
) -> dict[str, object]:
    nudge, nudge_low, nudge_high = worths.nudge or (None, None, None)
    size = np.where(np.isnan(quality.residual), -1, np.abs(quality.residual))
    worst = int(size.argmax())
    pair = f"{values[quality.first[worst]]} : {values[quality.second[worst]]}"
    tested = quality.p is not None
    return {
        "values": tuple(values),
        "outputs": int(data.counts.sum()),
        "scenarios": data.scenarios,
        "pairs": len(quality.first),
        "nudge": nudge,
        "nudge_low": nudge_low,
        "nudge_high": nudge_high,
        "tie": worths.tie,
        "deviance": quality.deviance,
        "deviance_df": quality.df,
        "dispersion": quality.dispersion,
        "p": quality.p,
        "largest_residual": float(quality.residual[worst]) if size[worst] >= 0 else None,
        "largest_residual_pair": pair if size[worst] >= 0 else None,
        "triads": triads[0],
        "circular_triads": triads[1],
        "clear_circular_triads": triads[2],
        "fits": bool(quality.p >= MISFIT_P and not triads[2]) if tested and quality.p is not None else None,
        "flags": worths.flags,
    }


def _worths(
    data: Comparisons,
    worths: BradleyTerry,
    sets: RankSets | None,
    values: Sequence[str],
    average: Sequence[Estimate | None],
    number: int,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    ranked = worths.ordered().tolist()
    for at, value in enumerate(values):
        own = (data.first == at) | (data.second == at)
        share = average[at]
        place = ranked.index(at) if sets and at in ranked else None
        low, high = (None, None) if sets is None or place is None else (int(sets.low[place]), int(sets.high[place]))
        rows.append(
            {
                "part": number,
                "value": value,
                "outputs": int(data.counts[own].sum()),
                "scenarios": len(np.unique(data.scenario[own])),
                "share": share.value if share else None,
                "share_low": share.low if share else None,
                "share_high": share.high if share else None,
                "worth": float(worths.worth[at]),
                "low": float(worths.low[at]),
                "high": float(worths.high[at]),
                "se": float(np.sqrt(worths.covariance[at, at])) if not np.isnan(worths.low[at]) else float("nan"),
                "df": worths.df,
                "level": worths.level,
                "elo": 1000 + 400 / np.log(10) * float(worths.worth[at]),
                "rank": rank_text(low, high) if low is not None and high is not None else None,
                "rank_low": low,
                "rank_high": high,
                "method": "bradley_terry_davidson" if worths.model.ties else "bradley_terry",
                "flags": tuple(
                    flag
                    for flag in worths.flags
                    if flag != Flag.RIDGE_ONLY or at not in ranked or np.isnan(worths.low[at])
                ),
            }
        )
    return rows
