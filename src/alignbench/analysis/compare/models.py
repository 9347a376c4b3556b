"""Which model is set against which: the checked tables of a comparison, its base and its candidates."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from alignbench.analysis.compare.pairing import Pairing, pair
from alignbench.errors import InputError
from alignbench.table.counts import headline
from alignbench.table.read import as_table, label_models, require_columns
from alignbench.vocabulary import FEW_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from alignbench.analysis.rates.corrected import Correction

__all__ = ["ModelRows", "Sides", "checked_sides", "model_names", "model_rows", "pairings"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """Checked tables.

    Attributes:
        base: The table with the base's rows.
        candidate: The candidate's table; None where `base` holds both models.
        minimum_labels: Labels that a pack needs for its rate to be corrected.
    """

    base: pd.DataFrame
    candidate: pd.DataFrame | None = None
    minimum_labels: int = FEW_LABELS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelRows:
    """The rows of a base model and of one candidate.

    Attributes:
        names: The two models.
        base: The headline rows of the base.
        candidate: Those of the candidate.
    """

    names: tuple[str, str]
    base: pd.DataFrame
    candidate: pd.DataFrame


def checked_sides(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    packs: Sequence[str] | None = None,
    calibration: Correction | None = None,
) -> Sides:
    """Check the tables of a comparison.

    Args:
        base: A verdict table with the base's rows; also with the candidate's, if `candidate` is None.
        candidate: A verdict table with the candidate's rows.
        packs: The packs asked for; default: those on either side.
        calibration: Labels by people on some of these outputs; they join the tables.

    Raises:
        InputError: A table cannot be used, or lacks a pack.
        NotComparableError: The calibration is of another judge, rubric, pack or run.
    """
    return Sides(
        base=_checked(base, packs, "base", calibration),
        candidate=None if candidate is None else _checked(candidate, packs, "candidate", calibration),
        minimum_labels=FEW_LABELS if calibration is None else calibration.minimum_labels,
    )


def _checked(
    table: pd.DataFrame, packs: Sequence[str] | None, side: str, calibration: Correction | None
) -> pd.DataFrame:
    checked = as_table(table, source=side)
    checked = label_models(checked if calibration is None else calibration.attach(checked))
    if packs is None:
        return checked
    there = sorted(map(str, checked["pack"].unique()))
    unknown = sorted(set(packs) - set(there))
    if unknown:
        raise InputError(f"{side} has no rows of pack {unknown[0]!r}", allowed=", ".join(there))
    return checked[checked["pack"].isin(packs)]


def model_names(sides: Sides, base_name: str | None, candidate_name: str | None) -> tuple[str, list[str]]:
    """The base and its candidates.

    Args:
        sides: The checked tables.
        base_name: The base model; may be left out where its table holds one model and the candidate has its
            own.
        candidate_name: The candidate; without it every (other) model is one.

    Raises:
        InputError: A name without rows, no clear base, or nothing to compare it with.
    """
    one_table = sides.candidate is None
    here = sorted(map(str, sides.base["model"].unique()))
    there = here if sides.candidate is None else sorted(map(str, sides.candidate["model"].unique()))
    for name, models, side in ((base_name, here, "base"), (candidate_name, there, "candidate")):
        if name is not None and name not in models:
            raise InputError(f"no rows of the {side} model {name!r}", allowed=", ".join(models))
    if one_table and (len(here) == 1 or candidate_name == base_name is not None):
        name = base_name or here[0]
        raise InputError(f"model {name!r} would be compared with itself", allowed="two models, or two tables")
    if base_name is None and (one_table or len(here) > 1):
        raise InputError(f"which of {len(here)} models is the base?", allowed=f"--base {' | '.join(map(quote, here))}")
    chosen = here[0] if base_name is None else base_name
    if candidate_name is not None:
        return chosen, [candidate_name]
    return chosen, [name for name in there if not one_table or name != chosen]


def model_rows(
    sides: Sides, by: Sequence[str] = (), *, base_name: str | None = None, candidate_name: str | None = None
) -> Iterator[ModelRows]:
    """The rows of a base model beside those of one candidate, or of each of several.

    Args:
        sides: The checked tables.
        by: Columns that the comparison will be grouped by; they decide which rows are headline rows.
        base_name: See `model_names`.
        candidate_name: See `model_names`.

    Yields:
        One item a candidate, in the order of their names.

    Raises:
        InputError: The names or columns cannot be used, or a model is compared with itself.
    """
    base, candidates = model_names(sides, base_name, candidate_name)
    for side in (sides.base, sides.candidate):
        if side is not None:
            require_columns(side, by, f"--by {','.join(by)}")
    here = headline(sides.base, by)
    there = here if sides.candidate is None else headline(sides.candidate, by)
    base_rows = here[(here["model"] == base).to_numpy()]
    for name in candidates:
        yield ModelRows(names=(base, name), base=base_rows, candidate=there[(there["model"] == name).to_numpy()])


def pairings(
    sides: Sides, by: Sequence[str] = (), *, base_name: str | None = None, candidate_name: str | None = None
) -> list[Pairing]:
    """Pair the outputs of a base model with those of one candidate, or of each of several.

    Args:
        sides: The checked tables.
        by: See `model_rows`.
        base_name: See `model_names`.
        candidate_name: See `model_names`.

    Returns:
        One pairing a candidate, sorted by name.

    Raises:
        InputError: The names or columns cannot be used, or a model is compared with itself.
        NotComparableError: Packs, rubrics or judges differ, or no output of the two has the same key.
    """
    found = model_rows(sides, by, base_name=base_name, candidate_name=candidate_name)
    return [
        pair(rows.base, rows.candidate, names=rows.names, by=by, minimum_labels=sides.minimum_labels) for rows in found
    ]
