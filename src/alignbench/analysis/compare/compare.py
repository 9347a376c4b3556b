"""Two models on the same scenarios: differences of errors and of usefulness, their tests, and what they rest on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.analysis.compare.comparisons import compared_sides, described
from alignbench.analysis.compare.paired_cells import Cell, compared_cells
from alignbench.analysis.compare.pairing import checked_sides, pairings
from alignbench.stats.estimate import check_level
from alignbench.stats.multiplicity import holm
from alignbench.vocabulary import MEASURES, OVERALL, USEFULNESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.analysis.rates.corrected import Correction
    from alignbench.stats.methods import DifferenceMethod

__all__ = ["COMPARE_KEYS", "compare", "unpaired"]


COMPARE_KEYS = (
    "measure", "pack", "scenarios", "pairs", "rate_base", "rate_candidate", "difference", "low", "high",
    "bound_low", "bound_high", "r", "p", "p_holm", "informative_scenarios", "mde_80", "method", "flags",
)  # fmt: skip
"""The keys of a row beside those of the grouping."""


def compare(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    *,
    by: Sequence[str] = ("pack",),
    base_name: str | None = None,
    candidate_name: str | None = None,
    packs: Sequence[str] | None = None,
    level: float = 0.95,
    method: DifferenceMethod | None = None,
    seed: int = 0,
    calibration: Correction | None = None,
    inputs: Sequence[str] = (),
) -> pd.DataFrame:
    """Compare a candidate with a base on the outputs that both have: misalignment, over-refusal on the twins, and how
    useful both kinds of answers were (`acted_well`, `helped`).

    Outputs are partners if pack, scenario, twin, condition, epoch and turn agree and both were judged.
    Headline rows only (default condition, last turn) unless `by` holds `condition`, `nudge` or `turn`. Groups
    over several packs are stratified with equal weights and have no value where a pack is missing on one
    side. The two-sided p is that of the sign-flip test over scenarios; `p_holm` corrects it over all candidates and
    packs (or other groups) of one measure; that of overall rows over all candidates.

    `bound_low` and `bound_high` are the limits whatever would have been said of the outputs that one side has lost
    (no verdict, or absent, where the other side has one): the upper limit of an error's rise holds if each output
    that only the candidate has lost is the event, the lower one if each that only the base has lost is; of usefulness
    likewise with outputs that were not useful. The flag `missingness_differs` says that one side was judged less
    often than the other, by a sign-flip test over scenarios at .05.

    Args:
        base: A verdict table, whole or bare (`model, scenario, verdict`).
        candidate: The candidate's table; without it `base` holds both models.
        by: Columns to group by. With `pack` among them, rows with pack "overall" are added; with `split`
            among them, rows "unseen - seen": how much more the candidate changed on unseen families than on
            seen ones, from the two intervals without pairing, and without a test.
        base_name: The base model, where its table holds several.
        candidate_name: The candidate; without it every other model is compared, and the column `candidate`
            added.
        packs: The packs asked for; default: those on either side.
        level: Two-sided coverage of the intervals.
        method: Of the intervals, where it is not the default one; `newcombe_10` or `tango` for packs of one output a
            scenario (overall rows keep the default).
        seed: Of the drawn sign patterns; each row has its own stream, so other rows do not move it.
        calibration: Labels by people on some of these outputs, to correct both rates for the judge's errors
            (S3); rows without labels enough on both sides stay raw, with the flag `uncorrected`.
        inputs: What the tables were read from: base and candidate, or one for both.

    Returns:
        One row a measure and group: the grouping columns, then COMPARE_KEYS. `flags` holds `unpaired=N`, the
        number of keys in no pair, which `unpaired` lists. `attrs` holds the names `base` and `candidates`, the
        counts `unpaired` by reason, and in `compared` lines that say what the sides are.

    Raises:
        InputError: A table or an option is unusable, or a model is compared with itself.
        NotComparableError: Packs, rubrics or judges differ, or nothing is judged on both sides.
    """
    check_level(level)
    sides = checked_sides(base, candidate, packs, calibration)
    found = pairings(sides, by, base_name=base_name, candidate_name=candidate_name)
    measures = (*MEASURES, *USEFULNESS)
    cells = [
        (pairing.candidate, cell)
        for pairing in found
        for cell in compared_cells(pairing, by, level=level, measures=measures, method=method, seed=seed)
    ]
    reasons = Counter(reason for pairing in found for reason in pairing.unpaired()["reason"])
    adjusted = _adjusted([cell for _, cell in cells], by)
    rows = [
        {**({"candidate": name} if len(found) > 1 else {}), **_row(cell, p_holm)}
        for (name, cell), p_holm in zip(cells, adjusted, strict=True)
    ]
    frame = pd.DataFrame(rows)
    frame.attrs = {
        "base": found[0].base,
        "candidates": [pairing.candidate for pairing in found],
        "unpaired": dict(sorted(reasons.items())),
        "compared": described(compared_sides(sides, found[0].base, [pairing.candidate for pairing in found], inputs)),
    }
    return frame


def unpaired(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    *,
    by: Sequence[str] = ("pack",),
    base_name: str | None = None,
    candidate_name: str | None = None,
    packs: Sequence[str] | None = None,
) -> pd.DataFrame:
    """List what `compare`, called in the same way, leaves out: the keys without a judged partner, with the
    reason.

    Returns:
        The columns `candidate`, those of the key, and `reason`: only_in_base, only_in_candidate, or unscored or
        off_task, _in_base, _in_candidate or _in_both.

    Raises:
        InputError: As `compare`.
        NotComparableError: As `compare`.
    """
    sides = checked_sides(base, candidate, packs)
    found = pairings(sides, by, base_name=base_name, candidate_name=candidate_name)
    parts = [pairing.unpaired() for pairing in found]
    for part, pairing in zip(parts, found, strict=True):
        part.insert(0, "candidate", pairing.candidate)
    return pd.concat(parts, ignore_index=True)


def _adjusted(cells: Sequence[Cell], by: Sequence[str]) -> list[float | None]:
    """Holm's correction within each measure, over all candidates: of overall rows, and of the packs or groups."""
    adjusted = [cell.estimate.p for cell in cells]
    families: dict[tuple[str, bool], list[int]] = {}
    for at, cell in enumerate(cells):
        if cell.estimate.p is not None:
            families.setdefault((cell.measure, cell.pack == OVERALL and "pack" in by), []).append(at)
    for family in families.values():
        corrected = holm([cells[at].estimate.p or 0.0 for at in family])
        for at, p in zip(family, corrected.tolist(), strict=True):
            adjusted[at] = p
    return adjusted


def _row(cell: Cell, p_holm: float | None) -> dict[str, object]:
    estimate = cell.estimate
    return {
        **cell.group,
        "measure": cell.measure,
        "pack": cell.pack,
        "scenarios": estimate.scenarios,
        "pairs": estimate.pairs,
        "rate_base": estimate.rate_base,
        "rate_candidate": estimate.rate_candidate,
        "difference": estimate.difference,
        "low": estimate.low,
        "high": estimate.high,
        "bound_low": cell.bound_low,
        "bound_high": cell.bound_high,
        "r": estimate.r,
        "p": estimate.p,
        "p_holm": p_holm,
        "informative_scenarios": estimate.informative_scenarios,
        "mde_80": estimate.mde_80,
        "method": estimate.method,
        "flags": cell.flags,
    }
