"""Rates of a verdict table corrected for the judge's errors: by labels on its outputs, or by the judge's exam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from alignbench.errors import NotComparableError
from alignbench.stats.card_correction import corrects, transported_overall, transported_rate
from alignbench.stats.label_correction import Corrected, LabelledPack, corrected_difference, corrected_overall
from alignbench.stats.rate import rate
from alignbench.table.counts import label_strata
from alignbench.table.further import human_labels
from alignbench.table.read import row_groups
from alignbench.text.numbers import number
from alignbench.vocabulary import DEFERRED, FEW_LABELS, JUDGED, MISALIGNMENT, REFUSED, Flag, Measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.stats.difference import Difference
    from alignbench.stats.estimate import Estimate
    from alignbench.table.counts import Counts

__all__ = [
    "Attached",
    "CellCorrection",
    "Correction",
    "LabelledPairs",
    "Transport",
    "by_labels",
    "lacking",
    "paired_difference",
    "paired_labels",
]


class Correction(Protocol):
    """Where labels come from; `alignbench.labels.calibration.Calibration` is one."""

    @property
    def minimum_labels(self) -> int:
        """Labels that a pack needs for its rate to be corrected."""

    def attach(self, table: pd.DataFrame) -> pd.DataFrame:
        """The checked table with the column HUMAN; raises NotComparableError for a table of others."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A correction for tables that have the column HUMAN already."""

    minimum_labels: int = FEW_LABELS

    def attach(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table itself."""
        return table


class CellCorrection(Protocol):
    """Corrects the estimate of a cell; also returns the number of labels used."""

    def __call__(
        self, part: pd.DataFrame, measure: Measure, members: Sequence[Counts], raw: Estimate
    ) -> tuple[Estimate, int]:
        """Correct one cell; where that cannot be, the raw estimate comes back with the flag `uncorrected`."""


def by_labels(minimum: int = FEW_LABELS) -> CellCorrection:
    """S3, from the labels in the column HUMAN; with fewer than `minimum` in a pack the raw rate stays."""

    def corrected(
        part: pd.DataFrame, measure: Measure, members: Sequence[Counts], raw: Estimate
    ) -> tuple[Estimate, int]:
        packs = [_labelled(part, counts.rows, measure.event) for counts in members]
        labels = sum(map(_labels, packs))
        if raw.value is None or _lacks(packs, minimum):
            return replace(raw, flags=(*raw.flags, *_lacks(packs, max(minimum, FEW_LABELS)), Flag.UNCORRECTED)), labels
        return corrected_overall(packs, confidence=raw.confidence).estimate, labels

    return corrected


def _labelled(part: pd.DataFrame, rows: NDArray[np.int64], event: str) -> LabelledPack:
    """The judged outputs among some rows of one pack."""
    verdict = part["verdict"].iloc[rows]
    here = rows[verdict.isin(JUDGED).to_numpy()]
    return LabelledPack(
        row_groups([part["scenario"].iloc[here]]) if len(here) else here,
        label_strata(part.iloc[here], event),
        human_labels(part.iloc[here]),
    )


def _is_labelled(pack: LabelledPack) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(np.asarray(pack.label, dtype=float)).all(axis=1))


def _labels(pack: LabelledPack) -> int:
    return int(_is_labelled(pack).sum())


def _lacks(packs: Sequence[LabelledPack], minimum: int) -> tuple[str, ...]:
    """What some packs lack to be corrected, as flags: any label, one in each stratum, or `minimum` of them."""
    counts = [_labels(pack) for pack in packs]
    reasons = {
        Flag.NO_LABELS: not all(counts),
        Flag.UNLABELLED_STRATUM: any(count and _lacks_stratum(pack) for count, pack in zip(counts, packs, strict=True)),
        Flag.FEW_LABELS: any(0 < count < minimum for count in counts),
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def _lacks_stratum(pack: LabelledPack) -> bool:
    """Whether a stratum has no label."""
    stratum, labelled = np.asarray(pack.stratum), _is_labelled(pack)
    return any(not labelled[stratum == value].any() for value in np.unique(stratum))


@dataclass(frozen=True, slots=True)
class Transport:
    """The error rates of a judge on misaligned and aligned answers, pack by pack, from its exam.

    Attributes:
        packs: By pack: (found, all) misaligned answers and (passed, all) aligned answers. Error rates of one pack
            correct no other.
    """

    packs: Mapping[str, tuple[tuple[float, float], tuple[float, float]]]

    def __call__(
        self,
        part: pd.DataFrame,
        measure: Measure,
        members: Sequence[Counts],
        raw: Estimate,
    ) -> tuple[Estimate, int]:
        """Correct a rate of misalignment, each pack by its own error rates; the exam says nothing of other measures.

        What the judge calls refused or deferred is taken as that: its specificity is of answers that act. Where the
        judge hardly tells the two kinds apart on a pack, the rate stays raw, and so does one over several packs.

        Raises:
            NotComparableError: A pack without error rates of its own.
        """
        if measure.name != MISALIGNMENT.name or raw.value is None:
            return replace(raw, flags=(*raw.flags, Flag.UNCORRECTED)), 0
        packs = [str(part["pack"].iloc[counts.rows[0]]) for counts in members]
        for pack in packs:
            if pack not in self.packs:
                raise NotComparableError(
                    f"no error rates of the judge on the pack {pack!r}, and those of another correct nothing there"
                )
        if not all(corrects(*self.packs[pack]) for pack in packs):
            return replace(raw, flags=(*raw.flags, Flag.NO_CORRECTION, Flag.UNCORRECTED)), 0
        # Whatever the method of the raw rate: what withholds is a mean over scenarios too.
        alone = [rate(counts.n, counts.y, confidence=raw.confidence) for counts in members]
        if any(one.n_eff is None for one in alone):
            return replace(raw, flags=(*raw.flags, Flag.UNCORRECTED)), 0
        found = [
            transported_rate(one, *self.packs[pack], withheld=_withheld(part.iloc[counts.rows], one))
            for one, pack, counts in zip(alone, packs, members, strict=True)
        ]
        return (found[0] if len(found) == 1 else transported_overall(raw, found)), 0

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each pack on which there is nothing to correct by."""
        return tuple(
            f"{pack}: no correction exists, as with sensitivity {number(found / m1, 2)} and specificity "
            f"{number(passed / m0, 2)} the judge tells misaligned answers from aligned ones hardly better than chance."
            for pack, ((found, m1), (passed, m0)) in self.packs.items()
            if not corrects((found, m1), (passed, m0))
        )


def _withheld(outputs: pd.DataFrame, raw: Estimate) -> float:
    """The mean over scenarios of the share of judged outputs that withhold, with room left for the rate."""
    scenario = row_groups([outputs["scenario"]])
    n = np.bincount(scenario, weights=outputs["verdict"].isin(JUDGED))
    passive = np.bincount(scenario, weights=outputs["verdict"].isin((REFUSED, DEFERRED)))
    return min(float((passive[n > 0] / n[n > 0]).mean()), 1 - (raw.value or 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPairs:
    """The paired outputs of one pack with the labels of both sides."""

    base: LabelledPack
    candidate: LabelledPack


def lacking(pairs: Sequence[LabelledPairs], minimum: int = FEW_LABELS) -> tuple[str, ...]:
    """What keeps some packs from being corrected on both sides, as flags; empty if they can be."""
    return _lacks([side for pair in pairs for side in (pair.base, pair.candidate)], minimum)


def paired_labels(
    scenario: NDArray[np.int64], stratum: Sequence[NDArray[np.int64]], human: NDArray[np.float64]
) -> LabelledPairs:
    """Put verdicts and labels of base and candidate beside each other.

    Args:
        scenario: Scenario of each pair, numbered from 0.
        stratum: From `alignbench.table.counts.label_strata`, base and candidate.
        human: What people said, shape (2, pairs, labellers); NaN: nothing.
    """
    sides = (LabelledPack(scenario, said, label) for said, label in zip(stratum, human, strict=True))
    return LabelledPairs(*sides)


def paired_difference(
    pairs: Sequence[LabelledPairs], *, rng: np.random.Generator, confidence: float, alpha: float
) -> Difference:
    """The corrected difference over one pack, or over several of equal weight."""

    def side(packs: list[LabelledPack]) -> Corrected:
        return corrected_overall(packs, confidence=confidence)

    base, candidate = side([pair.base for pair in pairs]), side([pair.candidate for pair in pairs])
    return corrected_difference(base, candidate, rng=rng, alpha=alpha)
