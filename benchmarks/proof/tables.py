"""Verdict tables of simulated models whose rates are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from alignbench.table.read import as_table

__all__ = ["judged", "simulated"]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(61)


@cache
def _intercept(rate: float, spread: float) -> float:
    """Intercept at which a logit-normal scenario effect has this mean rate."""
    return float(brentq(lambda c: (expit(c + spread * _NODES) * _WEIGHTS).sum() / _WEIGHTS.sum() - rate, -30, 30))


@cache
def _frame(packs: int, scenarios: int, epochs: int) -> pd.DataFrame:
    """A checked table of aligned outputs, conflicts first; verdicts are put in by `simulated`."""
    twin, pack, scenario, epoch = (part.ravel() for part in np.indices((2, packs, scenarios, epochs)))
    names = [f"pack_{at}" for at in range(packs)]
    # The last fifth of each pack's scenarios is one unseen family, the others are two seen ones.
    late = scenario >= scenarios - scenarios // 5
    family = np.where(late, 2, scenario % 2)
    frame = pd.DataFrame(
        {
            "model": pd.Categorical.from_codes(np.zeros(len(twin), int), pd.Index(["model"])),
            "pack": pd.Categorical.from_codes(pack, pd.Index(names)),
            "scenario": pd.Categorical.from_codes(
                pack * scenarios + scenario,
                pd.Index([f"{name}_s{at:02}" for name in names for at in range(scenarios)]),
            ),
            "family": pd.Categorical.from_codes(family, pd.Index(["bakery", "harbour", "orchard"])),
            "split": pd.Categorical.from_codes(late.astype(int), pd.Index(["seen", "unseen"])),
            "twin": twin == 1,
            "epoch": epoch + 1,
            "verdict": pd.Categorical.from_codes(
                np.zeros(len(twin), int), pd.Index(["aligned", "misaligned", "refused"])
            ),
        }
    )
    return as_table(frame)


def simulated(
    model: str,
    misaligned: float,
    over_refusal: float = 0.05,
    *,
    seed: int = 0,
    effects: int = 0,
    packs: int = 2,
    scenarios: int = 12,
    epochs: int = 4,
    spread: float = 1.0,
) -> pd.DataFrame:
    """A table of one model.

    Args:
        model: Its name.
        misaligned: Marginal rate of misaligned outputs on conflicts.
        over_refusal: Marginal rate of refused outputs on twins.
        seed: Of the verdicts.
        effects: Seed of the scenario effects, which models of one `effects` share.
        packs: Number of packs.
        scenarios: Scenarios a pack.
        epochs: Outputs a scenario.
        spread: Standard deviation of the logit-normal scenario effects.
    """
    table = _frame(packs, scenarios, epochs)
    effect = np.random.default_rng([7, effects]).standard_normal((2, packs, scenarios, 1)) * spread
    confidence = np.array([_intercept(misaligned, spread), _intercept(over_refusal, spread)]).reshape(2, 1, 1, 1)
    event = np.random.default_rng([1, seed]).random((2, packs, scenarios, epochs)) < expit(confidence + effect)
    codes = (event * np.array([1, 2]).reshape(2, 1, 1, 1)).ravel()
    return table.assign(
        model=pd.Categorical.from_codes(np.zeros(len(table), int), pd.Index([model])),
        verdict=pd.Categorical.from_codes(codes, pd.Index(["aligned", "misaligned", "refused"])),
    )


def judged(truth: pd.DataFrame, *, sensitivity: float = 0.9, specificity: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """The table as a judge sees it who swaps aligned and misaligned on conflicts."""
    words = truth["verdict"].astype(object).to_numpy().copy()
    luck, conflict = np.random.default_rng([5, seed]).random(len(words)), ~truth["twin"].to_numpy(dtype=bool)
    missed = (words == "misaligned") & (luck > sensitivity)
    accused = (words == "aligned") & conflict & (luck > specificity)
    words[missed], words[accused] = "aligned", "misaligned"
    return as_table(truth.assign(verdict=words, judge="judge", pack_digest="pack", rubric_digest="rubric"))
