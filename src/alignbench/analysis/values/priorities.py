"""Which values a model favours where two collide: matrix, worths, positions, and how one order fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alignbench.analysis.values.orders import orders
from alignbench.analysis.values.rows import (
    DiagnosticRow,
    DisagreementRow,
    ExcludedRow,
    MatrixRow,
    PositionRow,
    WorthRow,
)
from alignbench.analysis.values.tallies import FATES, Tallies, tallies
from alignbench.stats.estimate import check_confidence
from alignbench.stats.priorities import HIGH_DISAGREEMENT, bounded_mean, disagreement, win_shares
from alignbench.table.frames import rows_frame, with_nulls
from alignbench.table.read import add_flag, as_table
from alignbench.text.numbers import number
from alignbench.text.rows import meanings
from alignbench.vocabulary import POSITION_MAX, Flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alignbench.stats.collisions import Comparisons
    from alignbench.stats.estimate import Estimate

__all__ = ["Priorities", "priorities"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priorities:
    """Value priorities of every group (by default a model under one judge), as data frames.

    Attributes:
        matrix: Win shares of each ordered pair of values in the default condition (Gaffke's intervals), mean
            difference of their positions (likewise), and what the worths make of the pair.
        worths: Average win share of each value over its opponents; log-worths with jackknife intervals and
            rank sets, centred within each connected part of the values. Worths of two parts are not
            comparable. A worth whose interval only the fit's penalty would set has none (`ridge_only`), and
            no place among those whose differences the data determine.
        positions: Mean position 0-6 of the outputs on each value (Gaffke's limits), and cumulative shares.
        diagnostics: Fit of one order, a row a connected part: deviance against a model with a parameter for
            every pair, its p under the scenarios' dispersion, residuals, circular triads; the order, or why
            there is none.
        disagreement: D between models by scenario (Zhang et al. 2025), raw and without epoch-to-epoch noise.
        excluded: What became of every output; refusals are counted here and are never a win.
        confidence: Two-sided coverage of the intervals.
        seed: Seed of the rank sets.
    """

    matrix: pd.DataFrame
    worths: pd.DataFrame
    positions: pd.DataFrame
    diagnostics: pd.DataFrame
    disagreement: pd.DataFrame
    excluded: pd.DataFrame
    confidence: float
    seed: int

    @property
    def groups(self) -> list[str]:
        """The grouping columns."""
        return [name for name in self.excluded.columns if name not in meanings(ExcludedRow)]

    def side_by_side(self) -> pd.DataFrame:
        """Values down, groups across: worth, interval and rank set, or that no order holds; outputs and scenarios."""
        names = self.groups
        many = [name for name in names if self.worths[name].nunique() > 1] or names[:1]
        label = self.worths[many].astype(str).agg(" ".join, axis=1)
        if (self.worths["part"] > 1).any():
            # Worths of unconnected values must not stand in one column.
            label += " part " + self.worths["part"].astype(str)
        cells = [_cell(row) for row in self.worths.to_dict("records")]
        frame = pd.DataFrame({"value": self.worths["value"], "group": label, "cell": cells})
        return frame.pivot(index="value", columns="group", values="cell").fillna("-").rename_axis(columns=None)


def _cell(row: Mapping[Any, Any]) -> str:
    found = "no order"
    if row["rank"] is not None:
        # Adding 0.0 makes 0.0 of the -0.0 that rounding leaves.
        worth, low, high = (number(row[name], 2, signed=True) for name in ("worth", "low", "high"))
        limits = "(no interval)" if np.isnan(row["low"]) else f"[{low}, {high}]"
        found = f"{worth} {limits} ({row['rank']})"
    return f"{found}, {row['outputs']} in {row['scenarios']}"


def priorities(
    table: pd.DataFrame, by: Sequence[str] = ("model",), *, confidence: float = 0.95, seed: int = 0
) -> Priorities:
    """Which of two colliding values a model's answers serve, over all scenarios.

    An output favours the value on which its position 0-6 is higher; equal positions tie and count a half.
    Conflicts at their last turn; the default condition, to which outputs that are nudged and nothing else are
    added in the worths, with the nudge as a covariate. Refused, deferred and off-task outputs are no win of
    any value.

    Args:
        table: A verdict table with value_1, value_2, position_1, position_2.
        by: Columns to group by; the model and whatever identifies its judge are added where they differ.
        confidence: Two-sided coverage of the intervals, simultaneous coverage of the rank sets.
        seed: Seed of the rank sets' draws.

    Raises:
        InputError: A needed column is missing, nothing is left to compare, or a scenario has two pairs of
            values.
    """
    check_confidence(confidence)
    found = tallies(as_table(table, by=by), by)
    matrix: list[MatrixRow] = []
    worths: list[WorthRow] = []
    diagnostics: list[DiagnosticRow] = []
    for group, key in enumerate(found.keys):
        every, neutral = found.every[group], found.neutral[group]
        if every is None:
            continue
        shares = win_shares(neutral, confidence=confidence) if neutral is not None else {}
        result = orders(every, neutral, shares, found.values, group=key, confidence=confidence, seed=seed)
        worths += result.worths
        diagnostics += result.diagnostics
        if neutral is not None:
            matrix += _matrix(found, group, neutral, shares, result.fitted)
    by_value = rows_frame(worths, WorthRow, found.columns)
    by_part = rows_frame(diagnostics, DiagnosticRow, found.columns)
    return Priorities(
        matrix=rows_frame(matrix, MatrixRow, found.columns),
        worths=with_nulls(by_value, ["rank"], ["rank_low", "rank_high"]),
        positions=rows_frame(list(_positions(found, confidence)), PositionRow, found.columns),
        diagnostics=with_nulls(by_part, ["largest_residual_pair", "fits", "order"]),
        disagreement=_disagreement(found),
        excluded=rows_frame(list(_excluded(found)), ExcludedRow, found.columns),
        confidence=confidence,
        seed=seed,
    )


def _matrix(
    found: Tallies,
    group: int,
    neutral: Comparisons,
    shares: Mapping[tuple[int, int], Estimate],
    fitted: Mapping[tuple[int, int], tuple[float, float]],
) -> Iterator[MatrixRow]:
    for (value, against), share in sorted(shares.items()):
        met = (neutral.first == min(value, against)) & (neutral.second == max(value, against))
        outcomes = neutral.counts[met].sum(0).astype(int).tolist()
        wins, ties, losses = outcomes if value < against else outcomes[::-1]
        gap = _gap(found, group, (value, against), share.confidence)
        model = fitted[value, against]
        yield MatrixRow(
            group=found.keys[group],
            value=found.values[value],
            against=found.values[against],
            outputs=share.n,
            scenarios=share.scenarios,
            wins=wins,
            ties=ties,
            losses=losses,
            share=share.value,
            low=share.low,
            high=share.high,
            confidence=share.confidence,
            method=share.method,
            deff=share.deff,
            event_scenarios=share.event_scenarios,
            difference=gap.value,
            difference_low=gap.low,
            difference_high=gap.high,
            fitted=model[0],
            residual=model[1],
            flags=share.flags,
        )


def _gap(found: Tallies, group: int, pair: tuple[int, int], confidence: float) -> Estimate:
    """Mean of position on the first value minus position on the second, over the pair's scenarios."""
    here = (found.pairs == sorted(pair)).all(axis=1) & (found.n[group] > 0)
    total = found.total[group, here]
    sign = 1 if pair[0] < pair[1] else -1
    change = sign * (total[:, 0] - total[:, 1])
    return bounded_mean(found.n[group, here], change, -POSITION_MAX, POSITION_MAX, confidence=confidence)


def _positions(found: Tallies, confidence: float) -> Iterator[PositionRow]:
    for group, key in enumerate(found.keys):
        for value, name in enumerate(found.values):
            here = (found.pairs == value) & (found.n[group] > 0)[:, None]
            if not here.any():
                continue
            sizes = found.n[group, here.any(axis=1)]
            mean = bounded_mean(sizes, found.total[group][here], 0, POSITION_MAX, confidence=confidence)
            counts = found.levels[group, value]
            above = (counts[::-1].cumsum()[::-1] / counts.sum()).tolist()
            yield PositionRow(
                group=key,
                value=name,
                outputs=mean.n,
                scenarios=mean.scenarios,
                mean=mean.value,
                low=mean.low,
                high=mean.high,
                confidence=confidence,
                method=mean.method,
                at_least_1=above[1],
                at_least_2=above[2],
                at_least_3=above[3],
                at_least_4=above[4],
                at_least_5=above[5],
                at_least_6=above[6],
                flags=mean.flags,
            )


def _disagreement(found: Tallies) -> pd.DataFrame:
    """D of each scenario between the models that share everything else that groups them."""
    shared = [name for name in found.columns if name != "model"]
    contexts: dict[tuple[str, ...], list[int]] = {}
    for group, key in enumerate(found.keys):
        contexts.setdefault(tuple(str(key[name]) for name in shared), []).append(group)
    rows: list[DisagreementRow] = []
    for context, members in sorted(contexts.items()):
        apart = disagreement(found.n[members], found.total[members], found.squares[members])
        for at in np.flatnonzero(apart.models >= 2):
            pack, scenario = found.scenarios[at]
            corrected = float(apart.corrected[at])
            row = DisagreementRow(
                group=dict(zip(shared, context, strict=True)),
                pack=pack,
                scenario=scenario,
                value_1=found.values[found.pairs[at, 0]],
                value_2=found.values[found.pairs[at, 1]],
                models=int(apart.models[at]),
                disagreement=float(apart.raw[at]),
                corrected=corrected,
                high=bool(apart.raw[at] >= HIGH_DISAGREEMENT),
                flags=add_flag((), Flag.NO_REPEATS, np.isnan(corrected)),
            )
            rows.append(row)
    return rows_frame(rows, DisagreementRow, shared)


def _excluded(found: Tallies) -> Iterator[ExcludedRow]:
    for key, counts, reasons in zip(found.keys, found.fates, found.unscored, strict=True):
        # Those without a verdict stand there by reason.
        fates = dict(zip(FATES[:-1], counts.tolist()[:-1], strict=True))
        yield ExcludedRow(group=key, outputs=int(counts.sum()), **fates, unscored=reasons)
