"""Two sets of outputs set against each other: partner by partner, with what changes from the one to the other.

Whatever is compared is compared by this: two models, two judges of the same outputs, two levels of a circumstance, the
days before and after a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignbench.analysis.compare.models import Sides, model_rows
from alignbench.analysis.compare.paired_cells import Cell, compared_cells
from alignbench.analysis.compare.pairing import PARTNERS, Pairing, pair
from alignbench.table.keys import MODEL
from alignbench.vocabulary import FEW_LABELS, MEASURES, USEFULNESS, Measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alignbench.stats.methods import DifferenceMethod

__all__ = ["EVERY_MEASURE", "Contrast", "contrast", "model_contrasts"]

EVERY_MEASURE = (*MEASURES, *USEFULNESS)
"""The two errors, and how useful both kinds of answers were."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contrast:
    """Two sets of outputs and what changes from the one to the other.

    Attributes:
        pairing: The outputs, partner by partner: who has lost what, and who judged.
        cells: The comparisons, by measure, group and pack, each with its interval, test and bounds.
        by: The columns grouped by.
    """

    pairing: Pairing
    cells: tuple[Cell, ...]
    by: tuple[str, ...]


def contrast(
    base: pd.DataFrame,
    candidate: pd.DataFrame,
    *,
    names: tuple[str, str],
    partners: Sequence[str] = PARTNERS,
    differs: Sequence[str] = MODEL,
    by: Sequence[str] = ("pack",),
    measures: Sequence[Measure] = EVERY_MEASURE,
    confidence: float = 0.95,
    method: DifferenceMethod | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    minimum_labels: int = FEW_LABELS,
) -> Contrast:
    """Set two sets of outputs against each other.

    All rows that are handed over count: whoever wants headline rows alone takes them before. Watched against unwatched,
    with the tools in a column `tools`, would be

        contrast(table[table["tools"] == "none"], table[table["tools"] == "all"], names=("no tools", "tools"),
                 partners=("model", *PARTNERS), differs=("tools",))

    Args:
        base: Rows of a checked verdict table (`alignbench.table.read.as_table`).
        candidate: Further rows, of the same table or another one.
        names: What base and candidate are called.
        partners: Columns in which two outputs must agree to be partners; outputs of one scenario that differ in them
            are its repetitions. Where several judges have judged both sides, the judge joins them.
        differs: Columns in which the sides differ on purpose. Unless they name `judge`, `pack_digest` or
            `rubric_digest`, both sides must have that in common.
        by: Columns to group by, with or without `pack`.
        measures: What is compared.
        confidence: Two-sided coverage of the intervals.
        method: Of the intervals, where it is not the default one.
        alpha: Level of the one-sided test that the detectable difference is about.
        seed: Of the drawn sign patterns; each cell has its own stream, so other cells do not move it.
        minimum_labels: Labels that a pack needs on both sides for its rates to be corrected.

    Raises:
        InputError: A column is missing or says different things of two partners, the partners do not tell the outputs
            of one side apart, both sides are the same samples under one name, or an option is unusable.
        NotComparableError: Packs, rubrics or judges differ, or no two partners are judged.
    """
    pairing = pair(
        base, candidate, names=names, partners=partners, differs=differs, by=by, minimum_labels=minimum_labels
    )
    cells = compared_cells(pairing, by, confidence=confidence, measures=measures, method=method, alpha=alpha, seed=seed)
    return Contrast(pairing=pairing, cells=tuple(cells), by=tuple(by))


def model_contrasts(
    sides: Sides,
    by: Sequence[str] = ("pack",),
    *,
    base_name: str | None = None,
    candidate_name: str | None = None,
    measures: Sequence[Measure] = EVERY_MEASURE,
    confidence: float = 0.95,
    method: DifferenceMethod | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> list[Contrast]:
    """Set a base model against one candidate, or against each of several.

    Args:
        sides: The checked tables.
        by: Columns to group by; headline rows alone count, unless they name `condition`, `nudge` or `turn`.
        base_name: See `alignbench.analysis.compare.models.model_names`.
        candidate_name: Likewise.
        measures: What is compared.
        confidence: Two-sided coverage of the intervals.
        method: Of the intervals, where it is not the default one.
        alpha: Level of the one-sided test that the detectable difference is about.
        seed: Of the drawn sign patterns.

    Returns:
        One contrast a candidate, sorted by name.

    Raises:
        InputError: As `contrast`, or the names cannot be used.
        NotComparableError: As `contrast`.
    """
    return [
        contrast(
            rows.base,
            rows.candidate,
            names=rows.names,
            by=by,
            measures=measures,
            confidence=confidence,
            method=method,
            alpha=alpha,
            seed=seed,
            minimum_labels=sides.minimum_labels,
        )
        for rows in model_rows(sides, by, base_name=base_name, candidate_name=candidate_name)
    ]
