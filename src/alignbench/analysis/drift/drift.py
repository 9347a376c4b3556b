"""Do answers drift between circumstances? The same scenarios under two levels of an axis, paired."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from alignbench.analysis.compare.compare import COMPARE_KEYS, compare
from alignbench.analysis.drift.levels import Axis, axis_levels
from alignbench.analysis.drift.outputs import (
    DIVERGENCE_KEYS,
    ORDER_KEYS,
    POSITION_KEYS,
    WORTH_KEYS,
    paired,
    positions,
    verdicts,
    worths,
)
from alignbench.analysis.drift.turns import CURVE_KEYS, FLIP_KEYS, turns
from alignbench.digest import short_digest
from alignbench.stats.estimate import check_level
from alignbench.table.counts import identify
from alignbench.table.frames import sorted_groups
from alignbench.table.read import as_table
from alignbench.vocabulary import JUDGED, OVERALL, Flag

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PARTS", "RATE_KEYS", "Drift", "drift"]

RATE_KEYS = (*COMPARE_KEYS[:-1], "p_bh", "flags")
"""Keys of the rates: those of `compare`, with the level `from` as base and the level `to` as candidate."""


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """What changes between the default level of an axis and each other one, as data frames.

    All frames but the last two hold a row for each model (and whatever identifies its judge) and each pair
    of levels, `from` the default `to` another.

    Attributes:
        axis: The axis.
        rates: Misalignment and over-refusal: mid-P Gaffke intervals, sign-flip p, Holm over packs, Benjamini-Hochberg
            over models and levels (`p_bh`, of the overall rows).
        positions: Shift of the 0-6 position on each value: signed, absolute with its noise, share crossing
            neutral.
        divergence: Total variation and Jensen-Shannon divergence of verdicts and positions with their null.
        worths: Change of the log-worth of each value (jackknife over the shared scenarios).
        orders: Rank correlations of the values' order.
        survival: Where conversations have turns: share that holds its stance through each turn, by level.
        flips: Turn of flip, turns held, number of flips, by level.
        level: Two-sided coverage.
        seed: Of every random draw.
    """

    axis: str
    rates: pd.DataFrame
    positions: pd.DataFrame
    divergence: pd.DataFrame
    worths: pd.DataFrame
    orders: pd.DataFrame
    survival: pd.DataFrame
    flips: pd.DataFrame
    level: float
    seed: int


PARTS = tuple(field.name for field in fields(Drift) if field.name not in ("axis", "level", "seed"))
"""Names of the frames."""


def drift(table: pd.DataFrame, axis: str = "condition", *, level: float = 0.95, seed: int = 0) -> Drift:
    """Compare each level of an axis with its default, on the same scenarios.

    Outputs are partners if pack, scenario, twin and epoch agree; last turns, unless the axis is the turn
    itself.

    Args:
        table: A verdict table.
        axis: `condition` (each condition against the default one), `nudge`, `turn` (each turn against the
            first), or an axis that conditions name, such as `monitoring` (then the other axes stand at
            their defaults).
        level: Two-sided coverage of the intervals.
        seed: Seed of every random draw; each row has its own stream.

    Raises:
        InputError: The table does not vary along the axis, or an option is unusable.
        NotComparableError: A pack or rubric differs between the levels.
    """
    check_level(level)
    labelled, columns = identify(as_table(table), ())
    columns = [name for name in columns if name != "pack_digest"]
    group, rows = sorted_groups(labelled, columns)
    parts: dict[str, list[dict[str, object]]] = {name: [] for name in PARTS}
    found = axis_levels(labelled, axis)
    for number, row in enumerate(rows):
        key = {name: labelled[name].iloc[row] for name in columns}
        members = labelled.index[group == number]
        own = Axis(axis, found.base, _only(found.levels, members), _only(found.conversations, members))
        for name, made in _one(own, level, seed, str(list(key.values()))).items():
            parts[name] += [{**key, **one} for one in made]
    keys = {
        "rates": RATE_KEYS, "positions": POSITION_KEYS, "divergence": DIVERGENCE_KEYS, "worths": WORTH_KEYS,
        "orders": ORDER_KEYS, "survival": CURVE_KEYS, "flips": FLIP_KEYS,
    }  # fmt: skip
    frames = {}
    for name, made in parts.items():
        levels = ("at",) if name in ("survival", "flips") else ("from", "to")
        frames[name] = pd.DataFrame(made, columns=[*columns, *levels, *keys[name]])
    frames["rates"] = _adjusted(frames["rates"])
    return Drift(axis=axis, level=level, seed=seed, **frames)


def _only(levels: dict[str, pd.DataFrame], members: pd.Index) -> dict[str, pd.DataFrame]:
    """The rows of one model in each level; levels without any are left out."""
    own = {name: rows[rows.index.isin(members)] for name, rows in levels.items()}
    return {name: rows for name, rows in own.items() if len(rows)}


def _one(axis: Axis, level: float, seed: int, name: str) -> dict[str, list[dict[str, object]]]:
    """All parts of one model."""

    def stream(*words: str) -> np.random.Generator:
        return np.random.default_rng([seed, int(short_digest([name, axis.name, *words]), 16)])

    parts: dict[str, list[dict[str, object]]] = {part: [] for part in PARTS}
    curve, flips = turns(axis.conversations, level, stream)
    parts["survival"], parts["flips"] = curve, flips
    base = axis.levels.get(axis.base)
    if base is None:
        return parts
    for other, rows in axis.levels.items():
        if other == axis.base:
            continue
        for part, made in _pair(base, rows, level, seed, lambda *words, to=other: stream(to, *words)).items():
            parts[part] += [{"from": axis.base, "to": other, **one} for one in made]
    return parts


def _pair(
    base: pd.DataFrame,
    other: pd.DataFrame,
    level: float,
    seed: int,
    stream: Callable[..., np.random.Generator],
) -> dict[str, list[dict[str, object]]]:
    """What changes from one level to another."""
    pairs = paired(base, other)
    changes, order = worths(pairs, base, level)
    shifts, distances = positions(pairs, level, stream)
    return {
        "rates": _rates(pairs, base, other, level, seed),
        "positions": shifts,
        "divergence": [*verdicts(pairs, stream), *distances],
        "worths": changes,
        "orders": order,
    }


def _rates(
    pairs: pd.DataFrame, base: pd.DataFrame, other: pd.DataFrame, level: float, seed: int
) -> list[dict[str, object]]:
    judged = pairs["verdict"].isin(JUDGED) & pairs["verdict_to"].isin(JUDGED)
    if not judged.any():
        nothing: dict[str, object] = dict.fromkeys(RATE_KEYS)
        return [{**nothing, "pack": OVERALL, "scenarios": 0, "pairs": 0, "flags": (Flag.NO_PAIRS,)}]
    # A nudge does not reach twins: the measure of a kind that one level lacks is left out.
    kinds = list(set(base["twin"]) & set(other["twin"]))
    sides = []
    for rows, name in ((base, "from"), (other, "to")):
        kept = rows[rows["twin"].isin(kinds)]
        sides.append(kept.assign(model=name, model_args=""))
    # pandas types the keys as Hashable; columns are named by text.
    return list(compare(*sides, by=("pack",), level=level, seed=seed).to_dict("records"))  # type: ignore[arg-type]


def _adjusted(frame: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg over the rows that speak of all packs, for each measure."""
    adjusted = pd.Series(np.nan, index=frame.index)
    names = list(frame.columns)
    group = names[: names.index("to") + 1]
    single = ~frame.duplicated([*group, "measure"], keep=False) if len(frame) else pd.Series(dtype=bool)
    overall = frame["p"].notna() & ((frame["pack"] == OVERALL) | single)
    for _, rows in frame[overall].groupby("measure"):
        adjusted[rows.index] = multipletests(rows["p"].astype(float), method="fdr_bh")[1]
    return frame.assign(p_bh=adjusted)
