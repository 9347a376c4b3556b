"""Two models on the same scenarios: differences of the two rates, their tests, and what they rest on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.analysis.paired_cells import Cell, compared_cells
from alignbench.analysis.pairs import checked_sides, pairings
from alignbench.analysis.rates import OVERALL
from alignbench.stats.estimate import check_level
from alignbench.stats.multiplicity import holm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alignbench.analysis.corrected import Correction
    from alignbench.stats.difference import DifferenceMethod

__all__ = ["COMPARE_KEYS", "compare", "unpaired"]


COMPARE_KEYS = (
    "measure", "pack", "scenarios", "pairs", "rate_base", "rate_candidate", "difference", "low", "high", "r",
    "p", "p_holm", "informative_scenarios", "mde_80", "method", "flags",
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
    method: DifferenceMethod = "s2",
    seed: int = 0,
    calibration: Correction | None = None,
) -> pd.DataFrame:
    """Compare a candidate with a base on the outputs that both have: misalignment, and over-refusal on the
    twins.

    Outputs are partners if pack, scenario, twin, condition, epoch and turn agree and both were judged.
    Headline rows only (default condition, last turn) unless `by` holds `condition`, `nudge` or `turn`. Groups
    over several packs are stratified with equal weights and have no value where a pack is missing on one
    side. The two-sided p is that of the sign-flip test over scenarios; `p_holm` corrects it over the packs
    (or other groups) of one measure.

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
        method: `s2`; `newcombe_10` or `tango` for packs of one output a scenario (overall rows know `s2`
            only).
        seed: Of the drawn sign patterns; each row has its own stream, so other rows do not move it.
        calibration: Labels by people on some of these outputs, to correct both rates for the judge's errors
            (S3); rows without labels enough on both sides stay raw, with the flag `uncorrected`.

    Returns:
        One row a measure and group: the grouping columns, then COMPARE_KEYS. `flags` holds `unpaired=N`, the
        number of keys in no pair, which `unpaired` lists. `attrs` holds the names `base` and `candidates` and
        the counts `unpaired` by reason.

    Raises:
        InputError: A table or an option is unusable, or a model is compared with itself.
        NotComparableError: Packs, rubrics or judges differ, or nothing is judged on both sides.
    """
    check_level(level)
    sides = checked_sides(base, candidate, packs, calibration)
    found = pairings(sides, by, base_name=base_name, candidate_name=candidate_name)
    rows = []
    reasons: Counter[str] = Counter()
    for pairing in found:
        reasons.update(pairing.unpaired()["reason"])
        cells = compared_cells(pairing, by, level=level, method=method, seed=seed)
        name = {"candidate": pairing.candidate} if len(found) > 1 else {}
        rows += [{**name, **row} for row in _rows(cells, by)]
    frame = pd.DataFrame(rows)
    frame.attrs = {
        "base": found[0].base,
        "candidates": [pairing.candidate for pairing in found],
        "unpaired": dict(sorted(reasons.items())),
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
        The columns `candidate`, those of the key, and `reason`: only_in_base, only_in_candidate,
        unscored_in_base, unscored_in_candidate, unscored_in_both.

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


def _rows(cells: list[Cell], by: Sequence[str]) -> Iterator[dict[str, object]]:
    """Cells as rows; Holm's correction runs over the packs, or over the groups where packs are not apart."""
    adjusted: dict[int, float] = {}
    for measure in dict.fromkeys(cell.measure for cell in cells):
        family = {
            at: cell.estimate.p
            for at, cell in enumerate(cells)
            if cell.measure == measure and cell.estimate.p is not None and not (cell.pack == OVERALL and "pack" in by)
        }
        adjusted.update(zip(family, holm(list(family.values())).tolist(), strict=True))
    for at, cell in enumerate(cells):
        estimate = cell.estimate
        yield {
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
            "r": estimate.r,
            "p": estimate.p,
            "p_holm": adjusted.get(at, estimate.p),
            "informative_scenarios": estimate.informative_scenarios,
            "mde_80": estimate.mde_80,
            "method": estimate.method,
            "flags": cell.flags,
        }
