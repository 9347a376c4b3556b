"""Claims about rates: the scripted models' own, and those corrected by labels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.analysis.rates.calibrate import calibrate
from alignbench.analysis.rates.rates import rates
from alignbench.labels.draw import ROW_COLUMNS, draw
from alignbench.run.models.persona import PERSONAS, SampleKey, make_persona
from alignbench.table.read import as_table
from alignbench.vocabulary import MEASURES
from benchmarks.proof.claims import Claim, at_least, at_most
from benchmarks.proof.tables import judged, simulated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["RATES", "corrected_counts", "persona_counts"]

PACKS, SCENARIOS, EPOCHS = 9, 25, 4
COVERAGE = at_least(0.92)
_CORRECTED = {"corrected interval holds the truth": COVERAGE, "raw interval holds the truth": at_most(0.2)}
_CORRECTED_RATE, _LABELS = 0.05, 200


def _keys() -> Iterator[tuple[str, SampleKey]]:
    for pack in range(PACKS):
        for twin in (False, True):
            for at in range(SCENARIOS):
                scenario = f"pack_{pack}_case_{at:02}"
                name = f"pack_{pack}/{scenario}/{'twin' if twin else 'conflict'}/default"
                for epoch in range(1, EPOCHS + 1):
                    yield f"pack_{pack}", SampleKey(name, scenario, twin, "default", epoch)


def _acted(seed: int) -> pd.DataFrame:
    """What each persona of one seed does, as a verdict table."""
    keys = list(_keys())
    personas = {name: make_persona(name, {"seed": seed}) for name in PERSONAS}
    rows = [
        (name, pack, key.scenario, key.twin, key.epoch, persona.act(key))
        for name, persona in personas.items()
        for pack, key in keys
    ]
    return as_table(pd.DataFrame(rows, columns=["model", "pack", "scenario", "twin", "epoch", "verdict"]))


def _line(name: str, measure: str) -> str:
    return f"{name}, {measure}"


def persona_counts(seeds: Sequence[int]) -> dict[str, int]:
    """In how many seeds the interval of each persona's rate, over all packs, holds the rate that it was given."""
    found = {_line(name, measure.name): 0 for name in PERSONAS for measure in MEASURES}
    for seed in seeds:
        for row in rates(_acted(seed), ["model"]).to_dict("records"):
            line, truth = _line(row["model"], row["measure"]), PERSONAS[row["model"]].truth(row["measure"])
            if line in found:
                found[line] += row["low"] <= truth <= row["high"]
    return found


def corrected_counts(sensitivity: float, specificity: float, seeds: Sequence[int]) -> dict[str, int]:
    """In how many seeds corrected and raw intervals hold the truth; each seed is a model of one table.

    The truth is the rate over the population of scenarios, and the labels are drawn as `judge sample` draws them.
    """
    tables = [
        simulated(f"m{seed:04}", _CORRECTED_RATE, seed=seed, effects=seed, packs=1, scenarios=PACKS * SCENARIOS)
        for seed in seeds
    ]
    truth = pd.concat([table[~table["twin"]] for table in tables], ignore_index=True)
    table = judged(truth, sensitivity=sensitivity, specificity=specificity, seed=seeds[0])
    rows = draw(table, _LABELS, seed=seeds[0]).rows
    labels = rows[list(ROW_COLUMNS)].assign(label=truth.loc[rows.index, "verdict"].astype(str), labeller="people")
    lines = labels.astype(str).assign(file="labels", line=range(2, len(labels) + 2))
    frame = calibrate(table, lines).rates
    frame = frame[frame["measure"] == "misalignment"].drop_duplicates("model")
    corrected = (frame["low"] <= _CORRECTED_RATE) & (frame["high"] >= _CORRECTED_RATE)
    raw = (frame["raw_low"] <= _CORRECTED_RATE) & (frame["raw_high"] >= _CORRECTED_RATE)
    return dict(zip(_CORRECTED, (int(corrected.sum()), int(raw.sum())), strict=True))


RATES = (
    Claim(
        "scripted models",
        "A scripted model shows the rates that it was given: its 95 % intervals hold them.",
        f"five personas, {PACKS} packs of {SCENARIOS} scenarios and their twins, {EPOCHS} outputs each",
        {_line(name, measure.name): COVERAGE for name in PERSONAS for measure in MEASURES},
        persona_counts,
    ),
    Claim(
        "corrected rates",
        "Rates corrected by labels (S3) hold the truth where the judge's own do not.",
        f"rate {_CORRECTED_RATE:g}, {PACKS * SCENARIOS} scenarios of {EPOCHS} outputs, a judge of sensitivity .9 and "
        f"specificity .95, {_LABELS} labels",
        _CORRECTED,
        partial(corrected_counts, 0.9, 0.95),
    ),
)
