"""The comparisons of a pairing: for each measure and group the packs, and all packs together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alignbench.analysis.compare.paired_counts import Losses, Stratum, strata
from alignbench.analysis.rates.corrected import LabelledPairs, lacking, paired_difference
from alignbench.digest import short_digest
from alignbench.stats.difference import Difference, PairCounts, contrast, difference
from alignbench.stats.label_correction import FEW_LABELS
from alignbench.stats.sign_flip import sign_flip
from alignbench.table.counts import UNSCORED_LIMIT
from alignbench.vocabulary import MEASURES, OVERALL, Flag, Measure, counted_flag, flag_word, is_useful

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alignbench.analysis.compare.pairing import Pairing
    from alignbench.stats.methods import DifferenceMethod

__all__ = ["CONTRAST", "Cell", "Stratum", "cell_stream", "compared_cells", "estimates"]

CONTRAST = "unseen - seen"
"""What stands in the column `split` of the contrast of changes."""

_ONE_OUTPUT = ("newcombe_10", "tango")
"""Methods for one pack of one output a scenario."""
_MISSINGNESS_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Cell:
    """One comparison: a measure, a group, and a pack or all of them.

    Attributes:
        measure: misalignment, over_refusal, acted_well or helped.
        pack: The pack, or "overall".
        group: The values of the grouping columns beside the pack.
        strata: The packs that it consists of.
        estimate: The difference, its interval and test, on what is judged on both sides.
        worst: The same with every output that only one side has lost set against the candidate: one of its own is the
            event of an error, and not useful; one of the base is no event, and useful.
        best: The same, set against the base.
        flags: Warnings in one word each, the estimate's included.
        headline: Whether it speaks of all packs asked for (with one pack, of that one).
    """

    measure: str
    pack: str
    group: dict[str, object]
    strata: tuple[Stratum, ...]
    estimate: Difference
    worst: Difference
    best: Difference
    flags: tuple[str, ...]
    headline: bool

    @property
    def corrected(self) -> bool:
        """Whether labels of people correct it."""
        return self.estimate.corrected

    @property
    def losses(self) -> Losses:
        """What has no verdict."""
        return sum((stratum.losses for stratum in self.strata), Losses())

    @property
    def bound_low(self) -> float | None:
        """Lower limit, whatever would have been said of what one side has lost."""
        limits = self.estimate.low, (self.worst if is_useful(self.measure) else self.best).low
        return None if limits[0] is None or limits[1] is None else min(limits[0], limits[1])

    @property
    def bound_high(self) -> float | None:
        """Upper limit, likewise."""
        limits = self.estimate.high, (self.best if is_useful(self.measure) else self.worst).high
        return None if limits[0] is None or limits[1] is None else max(limits[0], limits[1])


def cell_stream(seed: int, measure: str, pack: str, values: Sequence[object] = ()) -> np.random.Generator:
    """The random stream of one comparison: other comparisons do not move it.

    Args:
        seed: Of the drawn sign patterns.
        measure: The measure.
        pack: The pack, or "overall".
        values: Those of the grouping columns beside the pack.
    """
    return np.random.default_rng([seed, int(short_digest([measure, pack, *map(str, values)]), 16)])


def compared_cells(
    pairing: Pairing,
    by: Sequence[str],
    *,
    level: float,
    measures: Sequence[Measure] = MEASURES,
    method: DifferenceMethod | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> list[Cell]:
    """Every comparison of a pairing, in a fixed order: by measure, by group, packs before their overall row.

    Args:
        pairing: The outputs of two models.
        by: Columns to group by, with or without `pack`.
        level: Two-sided coverage of the intervals.
        measures: What is compared.
        method: Of the intervals, where it is not the default one.
        alpha: Level of the one-sided test that the detectable difference is about.
        seed: Of the drawn sign patterns.
    """
    within = list(dict.fromkeys((*pairing.judges, *(name for name in by if name != "pack"))))
    cells: list[Cell] = []

    def add(measure: str, pack: str, group: dict[str, object], chosen: list[Stratum], headline: bool) -> None:
        options: dict[str, Any] = {"level": level, "alpha": alpha}
        if method is not None and (len(chosen) == 1 or method not in _ONE_OUTPUT):
            options["method"] = method
        rng = cell_stream(seed, measure, pack, list(group.values()))
        # Labels speak of the two errors: usefulness stays as the judge saw it, and says so.
        labels: dict[str, Any] = {"labelled": pairing.labelled, "minimum_labels": pairing.minimum_labels}
        found = estimates(chosen, rng, **labels, **options)
        flags = (*found[0].flags, *_flags(pairing, chosen, rng))
        cells.append(Cell(measure, pack, group, tuple(chosen), *found, flags, headline))

    for measure in measures:
        groups: dict[tuple[object, ...], list[Stratum]] = {}
        for values, stratum in strata(pairing, measure, within):
            groups.setdefault(values, []).append(stratum)
        for values, members in groups.items():
            group = dict(zip(within, values, strict=True))
            several = len(members) > 1
            if "pack" in by:
                for stratum in members:
                    add(measure.name, stratum.pack, group, [stratum], not several)
            if several or "pack" not in by:
                add(measure.name, OVERALL if several else members[0].pack, group, members, True)
        if "split" in within:
            cells += _contrasts([cell for cell in cells if cell.measure == measure.name])
    return cells


_KINDS = ("worst", "best")


def estimates(
    members: Sequence[Stratum],
    rng: np.random.Generator,
    *,
    labelled: bool = False,
    minimum_labels: int = FEW_LABELS,
    **options: Any,
) -> tuple[Difference, Difference, Difference]:
    """The difference of a comparison on what is judged, in the worst case, and in the best.

    Args:
        members: The packs.
        rng: For the sign-flip test.
        labelled: Whether people were asked about some outputs.
        minimum_labels: Labels that a pack needs on each side for its rates to be corrected.
        options: `level`, `alpha` and perhaps `method` of `alignbench.stats.difference.difference`.
    """
    further = {kind: any(getattr(one, kind).n.sum() > one.counts.n.sum() for one in members) for kind in _KINDS}
    labels = [stratum.labels for stratum in members if stratum.labels is not None]
    # What one side alone has judged needs labels too, or the worst case could not be corrected.
    wanted = [getattr(one, f"{kind}_labels") for kind in _KINDS if further[kind] for one in members]
    lacks = lacking([*labels, *(one for one in wanted if one is not None)], minimum_labels)
    if len(labels) == len(members) and not lacks:
        found = paired_difference(labels, rng=rng, level=options["level"], alpha=options["alpha"])
        worst, best = (
            _corrected([labels for labels in kind if labels is not None], options) if more else found
            for more, kind in (
                (further["worst"], [stratum.worst_labels for stratum in members]),
                (further["best"], [stratum.best_labels for stratum in members]),
            )
        )
        return found, worst, best
    raw = difference([one.counts for one in members], rng=rng, **options)
    found = replace(raw, flags=(*raw.flags, *lacks, *([Flag.UNCORRECTED] if labelled else [])))
    worst, best = (
        _raw([getattr(one, kind) for one in members], options) if further[kind] else found for kind in _KINDS
    )
    return found, worst, best


def _raw(packs: list[PairCounts], options: dict[str, Any]) -> Difference:
    """An interval whose test nobody reads: its draws must not move those of the test that is read."""
    return difference(packs, rng=np.random.default_rng(0), **options)


def _corrected(labels: list[LabelledPairs], options: dict[str, Any]) -> Difference:
    """The same, corrected by labels."""
    return paired_difference(labels, rng=np.random.default_rng(0), level=options["level"], alpha=options["alpha"])


def _flags(pairing: Pairing, members: list[Stratum], rng: np.random.Generator) -> tuple[str, ...]:
    shares = [
        share
        for one in members
        for share in (one.unjudged_share_base, one.unjudged_share_candidate)
        if share is not None
    ]
    lost = sum(stratum.unpaired for stratum in members)
    flags = {
        counted_flag(Flag.UNPAIRED, lost): lost > 0,
        Flag.UNSCORED_SHARE: max(shares, default=0.0) > UNSCORED_LIMIT,
        Flag.MISSINGNESS_DIFFERS: _missingness_differs(members, rng),
        Flag.DIGEST_UNKNOWN: any(stratum.pack in pairing.unknown_packs for stratum in members),
    }
    return (*(flag for flag, holds in flags.items() if holds), *pairing.flags)


def _missingness_differs(members: list[Stratum], rng: np.random.Generator) -> bool:
    """Whether one side was judged less often than the other, by flipping signs of whole scenarios."""
    more = np.concatenate([stratum.judged_more / max(stratum.losses.asked, 1) for stratum in members])
    return bool(more.any()) and sign_flip(more, rng).two_sided < _MISSINGNESS_LEVEL


def _contrasts(cells: list[Cell]) -> Iterator[Cell]:
    """For each group with seen and unseen families, the contrast of the two changes."""
    by_rest: dict[tuple[object, ...], dict[object, Cell]] = {}
    for cell in cells:
        rest = (cell.pack, *(value for name, value in cell.group.items() if name != "split"))
        by_rest.setdefault(rest, {})[cell.group["split"]] = cell
    for halves in by_rest.values():
        if set(halves) != {"seen", "unseen"}:
            continue
        seen, unseen = halves["seen"], halves["unseen"]
        own_flags = [
            counted_flag(Flag.FAMILIES_SEEN if name == "seen" else Flag.FAMILIES_UNSEEN, _families(half) or "unknown")
            for name, half in sorted(halves.items())
        ]
        if [stratum.pack for stratum in seen.strata] != [stratum.pack for stratum in unseen.strata]:
            own_flags.append(Flag.PACKS_DIFFER)
        flags = (*own_flags, *(flag for flag in dict.fromkeys((*seen.flags, *unseen.flags)) if flag == flag_word(flag)))
        yield Cell(
            seen.measure,
            seen.pack,
            {**seen.group, "split": CONTRAST},
            (*seen.strata, *unseen.strata),
            contrast(seen.estimate, unseen.estimate),
            contrast(seen.best, unseen.worst),
            contrast(seen.worst, unseen.best),
            flags,
            seen.headline,
        )


def _families(cell: Cell) -> int:
    """Families of a cell; two packs may use one name for theirs."""
    return sum(len(stratum.families) for stratum in cell.strata)
