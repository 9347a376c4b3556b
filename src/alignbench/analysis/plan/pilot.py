"""What is known before the run: from a pilot table, from assumptions, or from both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.analysis.compare.contrast import model_contrasts
from alignbench.analysis.compare.models import checked_sides
from alignbench.analysis.rates.rates import checked_rates
from alignbench.analysis.rates.rows import RateRow
from alignbench.errors import InputError
from alignbench.stats import planning
from alignbench.stats.rate import PRIOR_ICC, PRIOR_WEIGHT
from alignbench.table.read import as_table
from alignbench.text.rows import meanings
from alignbench.vocabulary import FEW_LABELS, MEASURES, MISALIGNMENT, OVERALL, Flag

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from alignbench.stats.planning import Pairing, Population

__all__ = ["Assumptions", "Pilot", "pilots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is taken for granted where no pilot says otherwise.

    Attributes:
        rate: Rate of the event; None: from the pilot.
        icc: Intra-scenario correlation; None: from the pilot, or .5.
        pairing: How far what is hard for one model is hard for the other, 0 to 1; unused where a pilot
            holds both.
        alpha: One-sided level of the comparison's test.
        power: Its power.
        sensitivity: The judge's.
        specificity: The judge's.
        labels: Human labels a model and pack.
        confidence: Two-sided coverage.
    """

    rate: float | None = None
    icc: float | None = None
    pairing: float = 0.5
    alpha: float = 0.05
    power: float = 0.8
    sensitivity: float = 0.9
    specificity: float = 0.95
    labels: int = 200
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: Names the one that is out of range.
        """
        for name in ("rate", "icc", "pairing", "sensitivity", "specificity"):
            if getattr(self, name) is not None:
                planning.check_share(name, getattr(self, name))
        for name in ("alpha", "power", "confidence"):
            planning.check_share(name, getattr(self, name), inside=True)
        if self.labels < FEW_LABELS:
            raise InputError(f"labels {self.labels!r}", allowed=f"{FEW_LABELS} or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """What is known of one model before the run.

    Attributes:
        key: What identifies the model in the result.
        population: Rate and icc to plan with.
        scenarios: Scenarios of the pilot; None without one.
        epochs: Outputs a scenario of the pilot; None without one.
        pairs: How it differs from the model it will be compared with.
        flags: Warnings in one word each.
    """

    key: dict[str, object]
    population: Population
    scenarios: int | None
    epochs: int | None
    pairs: Pairing
    flags: tuple[str, ...] = ()


def pilots(
    table: pd.DataFrame | None,
    assumed: Assumptions,
    *,
    measure: str = MISALIGNMENT.name,
    base: str | None = None,
    candidate: str | None = None,
) -> list[Pilot]:
    """What is known of each model: from a pilot table, from assumptions, or from both (assumptions win).

    Args:
        table: A verdict table, whole or bare; None to plan from assumptions alone.
        assumed: See `Assumptions`.
        measure: misalignment or over_refusal.
        base: Plan for this model of the table only.
        candidate: With `base`: take from the table how the two differ.

    Raises:
        InputError: No such measure or model, or neither a table nor a rate.
    """
    if measure not in {known.name for known in MEASURES}:
        raise InputError(f"unknown measure {measure!r}", allowed=", ".join(known.name for known in MEASURES))
    if candidate is not None and base is None:
        raise InputError("a candidate needs a base", allowed="both of them, or neither")
    if table is None:
        if base is not None:
            raise InputError(f"no table that holds the model {base!r}", allowed="a pilot table")
        if assumed.rate is None:
            raise InputError("nothing to plan from", allowed="a pilot table, or a rate (--rate)")
        population = planning.Population(assumed.rate, PRIOR_ICC if assumed.icc is None else assumed.icc)
        pairs = _assumed_pairs(population, assumed)
        return [Pilot(key={"model": "assumed"}, population=population, scenarios=None, epochs=None, pairs=pairs)]
    full = as_table(table)
    measured = _pilot_rates(full, measure, assumed.confidence)
    found = [_pilot(key, record, assumed) for key, record in measured if base in (None, key["model"])]
    if not found:
        raise InputError(f"no rows of the model {base!r}", allowed=", ".join(sorted(map(str, full["model"].unique()))))
    return found if base is None or candidate is None else _with_pairs(full, found, measure, base, candidate)


def _pilot_rates(
    full: pd.DataFrame, measure: str, confidence: float
) -> list[tuple[dict[str, object], dict[Hashable, Any]]]:
    """The rate of each model, over all packs where there are several: what identifies the model, and its row."""
    frame = checked_rates(full, confidence=confidence)
    keys = [str(name) for name in frame.columns if name not in (*meanings(RateRow), "pack", "pack_digest")]
    frame = frame[frame["measure"] == measure]
    if frame.empty:
        raise InputError(f"the table has no rows on which {measure} is measured", allowed="a table with such rows")
    several = set(frame.loc[frame["pack"] == OVERALL, keys].itertuples(index=False, name=None))
    return [
        ({name: record[name] for name in keys}, record)
        for record in frame.to_dict("records")
        if record["pack"] == OVERALL or tuple(record[name] for name in keys) not in several
    ]


def _pilot(key: dict[str, object], record: Mapping[Hashable, Any], assumed: Assumptions) -> Pilot:
    value, n, n_eff = (_number(record[name]) for name in ("rate", "n", "n_eff"))
    scenarios, events = int(_number(record["scenarios"]) or 0), _number(record["event_scenarios"]) or 0.0
    if value is None or not n:
        raise InputError(
            f"the pilot has no rate of {key['model']!r}: nothing was judged, or a pack is missing",
            allowed="another model (--base), or --rate without a pilot",
        )
    flags: tuple[str, ...] = (Flag.FEW_SCENARIOS,) if Flag.FEW_SCENARIOS in record["flags"] else ()
    if value in (0.0, 1.0) and assumed.rate is None:
        # Planning with a rate of 0 would promise that nothing is ever seen: half an event, as Jeffreys.
        size = n_eff or n
        value, flags = (value * size + 0.5) / (size + 1), (*flags, Flag.NO_EVENTS_IN_PILOT)
    seen = _number(record["icc"])
    # As in S1: what few event-bearing scenarios say of the correlation is mixed with its prior.
    shrunk = PRIOR_ICC if seen is None else (seen * events + PRIOR_ICC * PRIOR_WEIGHT) / (events + PRIOR_WEIGHT)
    population = planning.Population(
        value if assumed.rate is None else assumed.rate, shrunk if assumed.icc is None else assumed.icc
    )
    epochs = max(1, round(n / scenarios))
    return Pilot(
        key=key,
        population=population,
        scenarios=scenarios,
        epochs=epochs,
        pairs=_assumed_pairs(population, assumed),
        flags=flags,
    )


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _assumed_pairs(population: Population, assumed: Assumptions) -> Pairing:
    """Two models of one rate: what a comparison meets where nothing has changed."""
    return planning.pairing(population, population, assumed.pairing)


def _with_pairs(full: pd.DataFrame, found: list[Pilot], measure: str, base: str, candidate: str) -> list[Pilot]:
    (compared,) = model_contrasts(checked_sides(full), base_name=base, candidate_name=candidate, measures=MEASURES)
    estimate = next((cell.estimate for cell in compared.cells if cell.headline and cell.measure == measure), None)
    if estimate is None or not estimate.discordant or estimate.icc_difference is None:
        return [replace(pilot, flags=(*pilot.flags, Flag.NO_DISCORDANT_PAIRS)) for pilot in found]
    pairs = planning.Pairing(estimate.discordant, estimate.icc_difference)
    return [replace(pilot, pairs=pairs) for pilot in found]
