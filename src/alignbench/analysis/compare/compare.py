"""Two models on the same scenarios: differences of errors and of usefulness, their tests, and what they rest on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from alignbench.analysis.compare.comparisons import compared_sides
from alignbench.analysis.compare.contrast import model_contrasts
from alignbench.analysis.compare.models import checked_sides, pairings
from alignbench.analysis.compare.rows import CompareRow, compare_rows
from alignbench.stats.estimate import check_confidence
from alignbench.table.frames import rows_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.analysis.compare.comparisons import Side
    from alignbench.analysis.compare.pairing import Pairing
    from alignbench.analysis.rates.corrected import Correction
    from alignbench.stats.methods import DifferenceMethod

__all__ = ["CompareRow", "Comparison", "compare", "comparison", "unpaired"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What changed from a base to its candidates.

    Attributes:
        base: Name of the base.
        candidates: Names of the candidates.
        sides: The base and each candidate: where from, how asked and judged, on which packs.
        rows: One row a measure and group.
        unpaired: The keys that are in no pair, each with the reason; as `unpaired` gives them.
    """

    base: str
    candidates: tuple[str, ...]
    sides: tuple[Side, ...]
    rows: tuple[CompareRow, ...]
    unpaired: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as `compare` gives them."""
        group = dict.fromkeys(name for row in self.rows for name in row.group)
        return rows_frame(self.rows, CompareRow, list(group))

    @property
    def reasons(self) -> dict[str, int]:
        """How many keys are in no pair, by reason."""
        return dict(sorted(Counter(map(str, self.unpaired["reason"])).items()))


def compare(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    *,
    by: Sequence[str] = ("pack",),
    base_name: str | None = None,
    candidate_name: str | None = None,
    packs: Sequence[str] | None = None,
    confidence: float = 0.95,
    method: DifferenceMethod | None = None,
    seed: int = 0,
    calibration: Correction | None = None,
) -> pd.DataFrame:
    """Compare a candidate with a base on the outputs that both have: misalignment, over-refusal on the twins, and how
    useful both kinds of answers were (`acted_well`, `helped`).

    Outputs are partners if pack, scenario, twin, condition, epoch and turn agree and both were judged. Headline rows
    only (default condition, last turn) unless `by` holds `condition`, `nudge` or `turn`. Groups over several packs are
    stratified with equal weights and have no value where a pack is missing on one side. `p_holm` of overall rows is
    corrected over all candidates, that of others over all candidates and packs (or other groups) of one measure.

    The bounds hold whatever would have been said of the outputs that one side has lost (no verdict, or absent, where
    the other side has one): the upper limit of an error's rise if each output that only the candidate has lost is the
    event, the lower one if each that only the base has lost is; of usefulness likewise. The flag `missingness_differs`
    says that one side was judged less often than the other, by a sign-flip test over scenarios at .05.

    Args:
        base: A verdict table, whole or bare (`model, scenario, verdict`).
        candidate: The candidate's table; without it `base` holds both models.
        by: Columns to group by. `pack` adds rows with pack "overall"; `split` adds rows "unseen - seen": how much more
            the candidate changed on unseen families than on seen ones, without pairing and without a test.
        base_name: The base model, where its table holds several.
        candidate_name: The candidate; without it every other model is compared, and the column `candidate` added.
        packs: The packs asked for; default: those on either side.
        confidence: Two-sided coverage of the intervals.
        method: Of the intervals, where it is not the default one; `newcombe_10` or `tango` for packs of one output a
            scenario (overall rows keep the default).
        seed: Of the drawn sign patterns; other rows do not move a row's.
        calibration: Labels by people on some of these outputs, to correct both rates for the judge's errors
            (S3); rows without labels enough on both sides stay raw, with the flag `uncorrected`.

    Returns:
        One row a measure and group: the grouping columns, then those of `CompareRow`. `flags` holds `unpaired=N`, the
        number of keys in no pair, which `unpaired` lists; `comparison` also says what the sides are.

    Raises:
        InputError: A table or an option is unusable, or a model is compared with itself.
        NotComparableError: Packs, rubrics or judges differ, or nothing is judged on both sides.
    """
    return comparison(
        base,
        candidate,
        by=by,
        base_name=base_name,
        candidate_name=candidate_name,
        packs=packs,
        confidence=confidence,
        method=method,
        seed=seed,
        calibration=calibration,
    ).frame


def comparison(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    *,
    by: Sequence[str] = ("pack",),
    base_name: str | None = None,
    candidate_name: str | None = None,
    packs: Sequence[str] | None = None,
    confidence: float = 0.95,
    method: DifferenceMethod | None = None,
    seed: int = 0,
    calibration: Correction | None = None,
    inputs: Sequence[str] = (),
) -> Comparison:
    """Compare as `compare` does, and say with the rows what the sides are and what is left out.

    Args:
        base: As for `compare`, like all but the last.
        candidate: See there.
        by: See there.
        base_name: See there.
        candidate_name: See there.
        packs: See there.
        confidence: See there.
        method: See there.
        seed: See there.
        calibration: See there.
        inputs: What the tables were read from: base and candidate, or one for both.

    Raises:
        InputError: As `compare`.
        NotComparableError: As `compare`.
    """
    check_confidence(confidence)
    sides = checked_sides(base, candidate, packs, calibration)
    found = model_contrasts(
        sides, by, base_name=base_name, candidate_name=candidate_name, confidence=confidence, method=method, seed=seed
    )
    name, others = found[0].pairing.base, [one.pairing.candidate for one in found]
    return Comparison(
        base=name,
        candidates=tuple(others),
        sides=tuple(compared_sides(sides, name, others, inputs)),
        rows=compare_rows(found),
        unpaired=_unpaired([one.pairing for one in found]),
    )


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
    return _unpaired(pairings(sides, by, base_name=base_name, candidate_name=candidate_name))


def _unpaired(found: Sequence[Pairing]) -> pd.DataFrame:
    """What is in no pair, with its candidate."""
    parts = [pairing.unpaired() for pairing in found]
    for part, pairing in zip(parts, found, strict=True):
        part.insert(0, "candidate", pairing.candidate)
    return pd.concat(parts, ignore_index=True)
