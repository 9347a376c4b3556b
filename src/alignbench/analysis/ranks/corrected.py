"""Rank sets of models whose rates are corrected for the judge's errors."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.compare.contrast import model_contrasts
from alignbench.analysis.compare.models import Sides
from alignbench.analysis.rates.corrected import Attached
from alignbench.analysis.rates.rates import checked_rates
from alignbench.errors import NotComparableError
from alignbench.stats.estimate import S3_RANKS, is_corrected_method
from alignbench.stats.ranks import holm_rank_sets, rank_text
from alignbench.vocabulary import FEW_LABELS, MEASURES

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

__all__ = ["corrected_places"]

TOO_FEW = "not ranked: its labels do not suffice to correct its rate"
ALONE = "not ranked: no other model has labels enough to correct its rate"


def corrected_places(
    rows: pd.DataFrame, places: pd.DataFrame, *, confidence: float, seed: int, minimum_labels: int = FEW_LABELS
) -> pd.DataFrame:
    """Rank models by their corrected rates, in the groups that `ranks` made.

    Each pair is tested on its paired pseudo-outcomes (sign-flip of scenarios) with Holm's correction over all pairs
    of a group. A corrected and a raw rate are never ranked together: models without labels enough have no rank
    where another one has them. A group without any labels enough keeps its ranks by the judge's verdicts.

    Args:
        rows: Headline rows with the columns of labels, models told apart by name.
        places: From `alignbench.analysis.ranks.ranks.ranks`, for one measure.
        confidence: Probability that all rank sets of a group hold together.
        seed: Of the drawn sign patterns.
        minimum_labels: Labels that a pack needs for its rate to be corrected.

    Returns:
        `places` with the rates and their intervals, `rank`, `rank_low`, `rank_high`, `method`, `flags` and `reason`
        as the corrected rates have them, and with the columns of `RawRate`.
    """
    keys = [name for name in ("model", "judge", "judge_config", "rubric_digest") if name in places.columns]
    entries = pd.MultiIndex.from_frame(rows[keys].astype(str))
    flags: dict[Hashable, tuple[str, ...]] = dict(places["flags"].items())
    found = places.assign(raw_rate=places["rate"], raw_low=places["low"], raw_high=places["high"], labels=0)
    for _, members in places.groupby("group", sort=True):
        part = rows[entries.isin(pd.MultiIndex.from_frame(members[keys].astype(str)))]
        whole = _whole(part, members, confidence, minimum_labels)
        for name in ("rate", "low", "high", "labels"):
            found.loc[list(whole), name] = [made[name] for made in whole.values()]
        for at, made in whole.items():
            flags[at] = tuple(dict.fromkeys((*flags[at], *made["flags"])))
        able = members[members["rank"].notna()]
        corrected = np.array([at in whole and is_corrected_method(whole[at]["method"]) for at in able.index], bool)
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
        p = _tests(part, models, str(able["measure"].iloc[0]), confidence, seed, minimum_labels)
        sets = holm_rank_sets(p, confidence=confidence)
        found.loc[there, "rank_low"], found.loc[there, "rank_high"] = sets.low, sets.high
        found.loc[there, "rank"] = [rank_text(*pair) for pair in zip(sets.low, sets.high, strict=True)]
        found.loc[there, "method"] = S3_RANKS
    return found.assign(flags=pd.Series(flags, dtype=object))


def _whole(
    rows: pd.DataFrame, members: pd.DataFrame, confidence: float, minimum_labels: int
) -> dict[Hashable, pd.Series]:
    """The rate of each member of a group over all packs, corrected where it can be, by the member's place."""
    measure = str(members["measure"].iloc[0])
    frame = checked_rates(
        rows, ("model",), confidence=confidence, measures=[measure], calibration=Attached(minimum_labels)
    )
    made = {str(row["model"]): row for _, row in frame[~frame["model"].astype(str).duplicated(keep=False)].iterrows()}
    return {at: made[str(name)] for at, name in members["model"].items() if str(name) in made}


def _tests(
    rows: pd.DataFrame, models: Sequence[str], measure: str, confidence: float, seed: int, minimum_labels: int
) -> NDArray[np.float64]:
    """One-sided p of "row is better than column" for every pair; 1 where their paired outputs lack labels."""
    p = np.ones((len(models), len(models)))
    for (j, base), (k, candidate) in permutations(enumerate(models), 2):
        pair = rows[rows["model"].isin([base, candidate])]
        sides = Sides(base=pair, minimum_labels=minimum_labels)
        try:
            (found,) = model_contrasts(
                sides, base_name=base, candidate_name=candidate, measures=MEASURES, confidence=confidence, seed=seed
            )
        except NotComparableError:
            continue
        whole = next((cell.estimate for cell in found.cells if cell.headline and cell.measure == measure), None)
        if whole is not None and whole.corrected and whole.p_greater is not None:
            p[j, k] = whole.p_greater
    return p
