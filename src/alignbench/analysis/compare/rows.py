"""The rows of a comparison: what their columns are and mean, and how cells become rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from alignbench.stats.multiplicity import holm
from alignbench.text.rows import SPREAD
from alignbench.vocabulary import OVERALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.analysis.compare.contrast import Contrast
    from alignbench.analysis.compare.paired_cells import Cell

__all__ = ["ChangeRow", "CompareRow", "compare_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """What changes in one measure of one pack, or of all packs together."""

    group: Annotated[dict[str, object], SPREAD]
    measure: Annotated[str | None, "misalignment, over_refusal, acted_well or helped; empty where nothing is paired."]
    pack: Annotated[str, "The pack, or `overall`: all packs, each of the same weight."]
    scenarios: Annotated[int, "Scenarios with an output judged on both sides."]
    pairs: Annotated[int, "Outputs judged on both sides."]
    rate_base: Annotated[float | None, "Rate of the base, 0 to 1: the mean over scenarios of its shares."] = None
    rate_candidate: Annotated[float | None, "Rate of the candidate, 0 to 1, likewise."] = None
    difference: Annotated[float | None, "rate_candidate - rate_base, -1 to 1."] = None
    low: Annotated[float | None, "Lower limit of the difference, of what is judged on both sides."] = None
    high: Annotated[float | None, "Upper limit, likewise."] = None
    bound_low: Annotated[
        float | None, "Lower limit, whatever would have been said of the outputs that one side has lost."
    ] = None
    bound_high: Annotated[float | None, "Upper limit, likewise."] = None
    r: Annotated[
        float | None, "Correlation of the two rates over scenarios, -1 to 1; empty where one is the same in all."
    ] = None
    p: Annotated[float | None, "Two-sided p of the test that flips the signs of whole scenarios, 0 to 1."] = None
    p_holm: Annotated[
        float | None, "p after Holm's correction over the packs, or other groups, of a measure and all candidates."
    ] = None
    informative_scenarios: Annotated[int | None, "Scenarios in which the two sides differ."] = None
    mde_80: Annotated[
        float | None,
        "Smallest true difference found in 80 of 100 such comparisons, 0 to 1; empty with too few to tell.",
    ] = None
    method: Annotated[str | None, "How the interval was made."] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRow(ChangeRow):
    """A row of `compare`; before its columns stand those grouped by, and `candidate` where there are several."""

    flags: Annotated[tuple[str, ...], "Warnings, one word each."] = ()


def compare_rows(contrasts: Sequence[Contrast]) -> tuple[CompareRow, ...]:
    """The cells of one base and its candidates as rows, with p-values corrected over all of them.

    Args:
        contrasts: Of one base; where there are several, each row names its candidate.
    """
    several = len(contrasts) > 1
    cells: list[tuple[dict[str, object], Cell, bool]] = [
        ({"candidate": one.pairing.candidate} if several else {}, cell, cell.pack == OVERALL and "pack" in one.by)
        for one in contrasts
        for cell in one.cells
    ]
    adjusted = _holm([(cell, overall) for _, cell, overall in cells])
    return tuple(_row(who, cell, p_holm) for (who, cell, _), p_holm in zip(cells, adjusted, strict=True))


def _holm(cells: Sequence[tuple[Cell, bool]]) -> list[float | None]:
    """Holm's correction within each measure, over all candidates: of overall rows, and of the packs or groups."""
    adjusted = [cell.estimate.p for cell, _ in cells]
    families: dict[tuple[str, bool], list[int]] = {}
    for at, (cell, overall) in enumerate(cells):
        if cell.estimate.p is not None:
            families.setdefault((cell.measure, overall), []).append(at)
    for family in families.values():
        corrected = holm([cells[at][0].estimate.p or 0.0 for at in family])
        for at, p in zip(family, corrected.tolist(), strict=True):
            adjusted[at] = p
    return adjusted


def _row(who: dict[str, object], cell: Cell, p_holm: float | None) -> CompareRow:
    estimate = cell.estimate
    return CompareRow(
        group={**who, **cell.group},
        measure=cell.measure,
        pack=cell.pack,
        scenarios=estimate.scenarios,
        pairs=estimate.pairs,
        rate_base=estimate.rate_base,
        rate_candidate=estimate.rate_candidate,
        difference=estimate.difference,
        low=estimate.low,
        high=estimate.high,
        bound_low=cell.bound_low,
        bound_high=cell.bound_high,
        r=estimate.r,
        p=estimate.p,
        p_holm=p_holm,
        informative_scenarios=estimate.informative_scenarios,
        mde_80=estimate.mde_80,
        method=estimate.method,
        flags=cell.flags,
    )
