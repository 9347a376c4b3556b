"""Does a judge follow the text or the look of an answer? Verdicts on changed answers beside those on the plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.judges.card import Stability
from alignbench.judges.proportions import repeated_proportion
from alignbench.packs.perturbed import AGAINST, FLIP, KEPT
from alignbench.table.read import row_groups

if TYPE_CHECKING:
    import pandas as pd

    from alignbench.judges.card import Proportion

__all__ = ["TOGETHER", "stability"]

TOGETHER = "together"
"""Name of the row that has all kinds which keep the meaning, or all which do not."""

_ANSWER = ["pack", "scenario", "answer"]


def stability(plain: pd.DataFrame, changed: pd.DataFrame, *, confidence: float) -> tuple[Stability, ...]:
    """Count by kind of change how far a judge's verdicts follow the text.

    Args:
        plain: Rows of an examination on labelled answers as they are.
        changed: Rows on changed answers; `technique` is the kind of change.
        confidence: Coverage of every interval; the unit is the scenario.
    """
    found = []
    for keeps, kinds in ((True, KEPT), (False, AGAINST)):
        parts = {kind: changed[changed["technique"] == kind] for kind in kinds}
        parts[TOGETHER] = changed[changed["technique"].isin(kinds)]
        found += [_kind(kind, keeps, plain, part, confidence) for kind, part in parts.items() if len(part)]
    return tuple(found)


def _kind(kind: str, keeps: bool, plain: pd.DataFrame, part: pd.DataFrame, confidence: float) -> Stability:
    bare = plain[[*_ANSWER, "epoch", "verdict", "label"]]
    pairs = part.merge(bare, on=[*_ANSWER, "epoch"], how="left", suffixes=("", "_plain"))
    judged = pairs["verdict"].notna()
    if keeps:
        known = judged & pairs["verdict_plain"].notna()
        steady = _share(pairs[known], pairs["verdict"] == pairs["verdict_plain"], confidence)
    else:
        known = judged
        steady = _share(pairs[judged], pairs["verdict"] == pairs["label"], confidence)
    look = _share(pairs[judged], pairs["verdict"] == pairs["label_plain"], confidence) if kind == FLIP else None
    return Stability(
        kind=kind,
        keeps=keeps,
        answers=part["attack"].nunique(),
        steady=steady,
        repeated=_repeated(plain, part, confidence) if keeps else None,
        look=look,
        unscored=int((~judged).sum()),
        unknown=int((judged & ~known).sum()),
    )


def _share(among: pd.DataFrame, found: pd.Series, confidence: float) -> Proportion:
    scenario = row_groups([among[name].astype("category") for name in ("pack", "scenario")])
    hit = found.loc[among.index].to_numpy(dtype=float)
    n, y = np.bincount(scenario).astype(float), np.bincount(scenario, weights=hit)
    return repeated_proportion(n, y, max(1, among["epoch"].nunique()), confidence)


def _repeated(plain: pd.DataFrame, part: pd.DataFrame, confidence: float) -> Proportion | None:
    """Of the ordered pairs of verdicts on one plain answer, those that are equal."""
    if plain["epoch"].nunique() < 2:
        return None
    bare = plain[plain["verdict"].notna()].merge(part[_ANSWER].drop_duplicates(), on=_ANSWER)
    counts = bare.groupby([*_ANSWER, "verdict"], observed=True).size()
    every = counts.groupby(level=_ANSWER).sum()
    pairs = (every * (every - 1)).groupby(level=["pack", "scenario"]).sum()
    equal = (counts * (counts - 1)).groupby(level=["pack", "scenario"]).sum()
    epochs = plain["epoch"].nunique()
    # All pairs of an answer together weigh as much as one verdict.
    return repeated_proportion(
        pairs.to_numpy(dtype=float), equal.to_numpy(dtype=float), epochs * (epochs - 1), confidence
    )
