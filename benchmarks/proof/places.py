"""Claims about rank sets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.analysis.ranks.ranks import ranks
from benchmarks.proof.claims import Claim, at_least
from benchmarks.proof.tables import simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PLACES", "rank_counts"]

PACKS, SCENARIOS, EPOCHS = 3, 25, 4
_HELD = "all sets hold the true places"
APART, LEVEL = (0.02, 0.05, 0.10, 0.22, 0.45), (0.02, 0.05, 0.05, 0.05, 0.22)


def rank_counts(rates: Sequence[float], seeds: Sequence[int]) -> dict[str, int]:
    """In how many seeds the rank set of every model holds its true place; of equal models, all of their places.

    The models share the difficulty of the scenarios.
    """
    held = 0
    for seed in seeds:
        table = pd.concat(
            [
                simulated(
                    f"m{at}", rate, seed=len(rates) * seed + at, effects=seed, packs=PACKS, scenarios=SCENARIOS,
                    epochs=EPOCHS,
                )
                for at, rate in enumerate(rates)
            ],
            ignore_index=True,
        )  # fmt: skip
        sets = {row["model"]: (row["rank_low"], row["rank_high"]) for row in ranks(table).to_dict("records")}
        for at, rate in enumerate(rates):
            low, high = sets[f"m{at}"]
            if low > 1 + sum(other < rate for other in rates) or high < sum(other <= rate for other in rates):
                break
        else:
            held += 1
    return {_HELD: held}


def _claim(name: str, rates: Sequence[float]) -> Claim:
    return Claim(
        name,
        "Rank sets of all models hold the true places together.",
        f"rates {', '.join(f'{rate:g}' for rate in rates)}; {PACKS} packs of {SCENARIOS} scenarios of {EPOCHS} outputs",
        {_HELD: at_least(0.92)},
        partial(rank_counts, rates),
    )


PLACES = (_claim("ranks of unlike models", APART), _claim("ranks with three equal models", LEVEL))
