"""The comparisons of a pairing: for each measure and group the packs, and all packs together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.compare.paired_counts import Losses, Stratum, strata
from alignbench.analysis.rates.corrected import LabelledPairs, lacking, paired_difference
from alignbench.digest import short_digest
from alignbench.stats.difference import Difference, PairCounts, difference, difference_in_differences
from alignbench.stats.methods import DifferenceMethod
from alignbench.stats.sign_flip import sign_flip
from alignbench.table.counts import UNSCORED_LIMIT
from alignbench.vocabulary import FEW_LABELS, MEASURES, OVERALL, Flag, Measure, counted_flag, flag_word, is_useful

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alignbench.analysis.compare.pairing import Pairing
    from alignbench.stats.methods import DifferenceMethod

__all__ = ["UNSEEN_LESS_SEEN", "Cell", "Stratum", "cell_stream", "compared_cells", "estimates"]

UNSEEN_LESS_SEEN = "unseen - seen"
"""What stands in the column `split` where the changes of both halves are set against each other."""

_DEFAULT: DifferenceMethod = "gaffke_midp"
"""Method of the intervals, where no other is asked for or fits."""
_ONE_OUTPUT = ("newcombe_10", "tango")
"""Methods for one pack of one output a scenario."""
_MISSINGNESS_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
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
    confidence: float,
    measures: Sequence[Measure] = MEASURES,
    method: DifferenceMethod | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> list[Cell]:
    """Every comparison of a pairing, in a fixed order: by measure, by group, packs before their overall row.

    Args:
        pairing: Two sets of outputs.
        by: Columns to group by, with or without `pack`.
        confidence: Two-sided coverage of the intervals.
        measures: What is compared.
        method: Of the intervals, where it is not the default one.
        alpha: Level of the one-sided test that the detectable difference is about.
        seed: Of the drawn sign patterns.
    """
    within = list(dict.fromkeys((*pairing.judges, *(name for name in by if name != "pack"))))
    cells: list[Cell] = []
    settings = _Settings(confidence=confidence, alpha=alpha, method=method, seed=seed)
    for measure in measures:
        made = [
            _cell(pairing, measure, dict(zip(within, values, strict=True)), part, settings)
            for values, members in _groups(pairing, measure, within)
            for part in _parts(members, by_pack="pack" in by)
        ]
        cells += [*made, *(_unseen_less_seen(made) if "split" in within else ())]
    return cells


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """How cells are estimated; see `compared_cells`."""

    confidence: float
    alpha: float
    method: DifferenceMethod | None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One or all packs of a group.

    Attributes:
        pack: The pack, or "overall".
        strata: The packs that it consists of.
        headline: Whether it speaks of all packs.
    """

    pack: str
    strata: tuple[Stratum, ...]
    headline: bool


def _cell(pairing: Pairing, measure: Measure, group: dict[str, object], part: _Part, settings: _Settings) -> Cell:
    """The estimates of one comparison."""
    fits = len(part.strata) == 1 or settings.method not in _ONE_OUTPUT
    rng = cell_stream(settings.seed, measure.name, part.pack, list(group.values()))
    found, worst, best = estimates(
        part.strata,
        rng,
        labelled=pairing.labelled,
        minimum_labels=pairing.minimum_labels,
        confidence=settings.confidence,
        alpha=settings.alpha,
        method=settings.method if settings.method is not None and fits else _DEFAULT,
    )
    flags = (*found.flags, *_flags(pairing, part.strata, rng))
    return Cell(
        measure=measure.name,
        pack=part.pack,
        group=group,
        strata=part.strata,
        estimate=found,
        worst=worst,
        best=best,
        flags=flags,
        headline=part.headline,
    )


def _groups(
    pairing: Pairing, measure: Measure, within: Sequence[str]
) -> Iterator[tuple[tuple[object, ...], list[Stratum]]]:
    """The packs of each group, with the values of the columns `within`."""
    groups: dict[tuple[object, ...], list[Stratum]] = {}
    for values, stratum in strata(pairing, measure, within):
        groups.setdefault(values, []).append(stratum)
    yield from groups.items()


def _parts(members: Sequence[Stratum], *, by_pack: bool) -> Iterator[_Part]:
    """The rows that a group has: each pack, then all of them."""
    several = len(members) > 1
    if by_pack:
        for stratum in members:
            yield _Part(pack=stratum.pack, strata=(stratum,), headline=not several)
    if several or not by_pack:
        yield _Part(pack=OVERALL if several else members[0].pack, strata=tuple(members), headline=True)


def estimates(
    members: Sequence[Stratum],
    rng: np.random.Generator,
    *,
    labelled: bool = False,
    minimum_labels: int = FEW_LABELS,
    confidence: float,
    alpha: float,
    method: DifferenceMethod = _DEFAULT,
) -> tuple[Difference, Difference, Difference]:
    """The difference of a comparison on what is judged, in the worst case, and in the best.

    Args:
        members: The packs.
        rng: For the sign-flip test.
        labelled: Whether people were asked about some outputs.
        minimum_labels: Labels that a pack needs on each side for its rates to be corrected.
        confidence: Two-sided coverage of the intervals.
        alpha: Level of the one-sided test that the detectable difference is about.
        method: Of the intervals, where labels do not correct them.
    """
    labels = [stratum.labels for stratum in members if stratum.labels is not None]
    # What one side alone has judged needs labels too, or the worst case could not be corrected.
    bounded = [one for kind in ("worst", "best") for one in _bound_labels(members, kind)]
    lacks = lacking([*labels, *bounded], minimum_labels)
    if len(labels) == len(members) and not lacks:
        found = paired_difference(labels, rng=rng, confidence=confidence, alpha=alpha)

        def corrected(kind: str) -> Difference:
            return paired_difference(_bound_labels(members, kind), rng=_unread(), confidence=confidence, alpha=alpha)

        return found, *_bounds(members, found, corrected)
    raw = difference([one.counts for one in members], rng=rng, confidence=confidence, method=method, alpha=alpha)
    # Labels speak of the two errors: usefulness stays as the judge saw it, and says so.
    found = replace(raw, flags=(*raw.flags, *lacks, *([Flag.UNCORRECTED] if labelled else [])))

    def judged(kind: str) -> Difference:
        packs: list[PairCounts] = [getattr(one, kind) for one in members]
        return difference(packs, rng=_unread(), confidence=confidence, method=method, alpha=alpha)

    return found, *_bounds(members, found, judged)


def _bounds(
    members: Sequence[Stratum], found: Difference, made: Callable[[str], Difference]
) -> tuple[Difference, Difference]:
    """The worst and the best case, where a side has lost something; else what is judged is both."""
    worst, best = (made(kind) if _has_lost(members, kind) else found for kind in ("worst", "best"))
    return worst, best


def _has_lost(members: Sequence[Stratum], kind: str) -> bool:
    """Whether the worst case, or the best, counts outputs beside the pairs."""
    return any(getattr(one, kind).n.sum() > one.counts.n.sum() for one in members)


def _bound_labels(members: Sequence[Stratum], kind: str) -> list[LabelledPairs]:
    """The labels of the worst case, or of the best, where it counts outputs beside the pairs."""
    if not _has_lost(members, kind):
        return []
    return [labels for one in members if (labels := getattr(one, f"{kind}_labels")) is not None]


def _unread() -> np.random.Generator:
    """Draws of a test that nobody reads: they must not move those of the test that is read."""
    return np.random.default_rng(0)


def _flags(pairing: Pairing, members: Sequence[Stratum], rng: np.random.Generator) -> tuple[str, ...]:
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


def _missingness_differs(members: Sequence[Stratum], rng: np.random.Generator) -> bool:
    """Whether one side was judged less often than the other, by flipping signs of whole scenarios."""
    more = np.concatenate([stratum.judged_more / max(stratum.losses.asked, 1) for stratum in members])
    return bool(more.any()) and sign_flip(more, rng).two_sided < _MISSINGNESS_LEVEL


def _unseen_less_seen(cells: list[Cell]) -> Iterator[Cell]:
    """For each group with seen and unseen families, how much more changed on the unseen ones."""
    by_rest: dict[tuple[object, ...], dict[object, Cell]] = {}
    for cell in cells:
        rest = (cell.pack, *(value for name, value in cell.group.items() if name != "split"))
        by_rest.setdefault(rest, {})[cell.group["split"]] = cell
    for halves in by_rest.values():
        if set(halves) != {"seen", "unseen"}:
            continue
        seen, unseen = halves["seen"], halves["unseen"]
        own_flags = [
            counted_flag(Flag.FAMILIES_SEEN, _families(seen) or "unknown"),
            counted_flag(Flag.FAMILIES_UNSEEN, _families(unseen) or "unknown"),
        ]
        if [stratum.pack for stratum in seen.strata] != [stratum.pack for stratum in unseen.strata]:
            own_flags.append(Flag.PACKS_DIFFER)
        flags = (*own_flags, *(flag for flag in dict.fromkeys((*seen.flags, *unseen.flags)) if flag == flag_word(flag)))
        yield Cell(
            measure=seen.measure,
            pack=seen.pack,
            group={**seen.group, "split": UNSEEN_LESS_SEEN},
            strata=(*seen.strata, *unseen.strata),
            estimate=difference_in_differences(seen.estimate, unseen.estimate),
            worst=difference_in_differences(seen.best, unseen.worst),
            best=difference_in_differences(seen.worst, unseen.best),
            flags=flags,
            headline=seen.headline,
        )


def _families(cell: Cell) -> int:
    """Families of a cell; two packs may use one name for theirs."""
    return sum(len(stratum.families) for stratum in cell.strata)
