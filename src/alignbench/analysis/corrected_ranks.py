"""Rank sets of models whose rates are corrected for the judge's errors."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.corrected import Attached
from alignbench.analysis.paired_cells import compared_cells
from alignbench.analysis.pairs import Sides, pairings
from alignbench.analysis.rates import rates
from alignbench.errors import NotComparableError
from alignbench.stats.ranks import holm_rank_sets, rank_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["corrected_places"]

TOO_FEW = "not ranked: its labels do not suffice to correct its rate"
ALONE = "not ranked: no other model has labels enough to correct its rate"


def corrected_places(rows: pd.DataFrame, places: pd.DataFrame, *, level: float, seed: int) -> pd.DataFrame:
    """Rank models by their corrected rates, in the groups that `ranks` made.

    Each pair is tested on its paired pseudo-outcomes (sign-flip of scenarios) with Holm's correction over all pairs
    of a group. A corrected and a raw rate are never ranked together: models without labels enough have no rank
    where another one has them. A group without any labels enough keeps its ranks by the judge's verdicts.

    Args:
        rows: Headline rows with the column HUMAN, models told apart by name.
        places: From `alignbench.analysis.ranks.ranks`, for one measure.
        level: Probability that all rank sets of a group hold together.
        seed: Of the drawn sign patterns.

    Returns:
        `places` with `rank`, `rank_low`, `rank_high`, `method` and `reason` as the corrected rates have them.
    """
    keys = [name for name in ("model", "judge", "judge_config", "rubric_digest") if name in places.columns]
    entries = pd.MultiIndex.from_frame(rows[keys].astype(str))
    found = places.copy()
    for _, members in places.groupby("group", sort=True):
        able = members[members["rank"].notna()]
        part = rows[entries.isin(pd.MultiIndex.from_frame(able[keys].astype(str)))]
        corrected = _corrected(part, able)
        if not corrected.any():
            continue
        there, rest = able.index[corrected], able.index[~corrected]
        found.loc[able.index, ["rank", "method"]] = None
        found.loc[able.index, ["rank_low", "rank_high"]] = pd.NA
        found.loc[rest, "reason"] = TOO_FEW
        if len(there) < 2:
            found.loc[there, "reason"] = ALONE
            continue
        models = [str(name) for name in able.loc[there, "model"]]
        sets = holm_rank_sets(_tests(part, models, str(able["measure"].iloc[0]), level, seed), level=level)
        found.loc[there, "rank_low"], found.loc[there, "rank_high"] = sets.low, sets.high
        found.loc[there, "rank"] = [rank_text(*pair) for pair in zip(sets.low, sets.high, strict=True)]
        found.loc[there, "method"] = "s3_sign_flip_holm"
    return found


def _corrected(rows: pd.DataFrame, members: pd.DataFrame) -> NDArray[np.bool_]:
    """Which members of a group have a corrected rate over all packs."""
    if members.empty:
        return np.zeros(0, dtype=bool)
    whole = rates(rows, ("model",), calibration=Attached())
    whole = whole[whole["measure"] == members["measure"].iloc[0]]
    made = dict(zip(whole["model"].astype(str), whole["method"].str.startswith("s3"), strict=True))
    return np.array([bool(made.get(str(name), False)) for name in members["model"]])


def _tests(rows: pd.DataFrame, models: Sequence[str], measure: str, level: float, seed: int) -> NDArray[np.float64]:
    """One-sided p of "row is better than column" for every pair; 1 where their paired outputs lack labels."""
    p = np.ones((len(models), len(models)))
    for (j, base), (k, candidate) in permutations(enumerate(models), 2):
        pair = rows[rows["model"].isin([base, candidate])]
        try:
            (pairing,) = pairings(Sides(pair, None), ("pack",), base_name=base, candidate_name=candidate)
        except NotComparableError:
            continue
        cells = compared_cells(pairing, ("pack",), level=level, seed=seed)
        whole = next((cell.estimate for cell in cells if cell.headline and cell.measure == measure), None)
        if whole is not None and whole.method.startswith("s3") and whole.p_greater is not None:
            p[j, k] = whole.p_greater
    return p
