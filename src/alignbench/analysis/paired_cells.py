"""The comparisons of a pairing: for each measure and group the packs, and all packs together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.cells import MEASURES, UNSCORED_LIMIT, VOTES, Measure, label_strata
from alignbench.analysis.corrected import (
    UNCORRECTED,
    LabelledPairs,
    human_columns,
    human_labels,
    lacking,
    paired_difference,
    paired_labels,
)
from alignbench.analysis.rates import OVERALL
from alignbench.digest import short_digest
from alignbench.stats.difference import Difference, DifferenceMethod, PairCounts, contrast, difference
from alignbench.table import row_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from alignbench.analysis.pairs import Pairing

__all__ = ["CONTRAST", "Cell", "Stratum", "compared_cells"]

CONTRAST = "unseen - seen"
"""What stands in the column `split` of the contrast of changes."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """The pairs of one pack and group, counted by scenario.

    Attributes:
        pack: The pack.
        counts: Its pairs.
        unscored_base: Share of the base's outputs that are off task or have no verdict; None without outputs.
        unscored_candidate: The candidate's, likewise.
        unpaired: Keys that are in no pair.
        families: Families with a pair; empty names are left out.
        labels: The labels of its pairs, where people gave some.
    """

    pack: str
    counts: PairCounts
    unscored_base: float | None
    unscored_candidate: float | None
    unpaired: int
    families: frozenset[str]
    labels: LabelledPairs | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One comparison: a measure, a group, and a pack or all of them.

    Attributes:
        measure: misalignment or over_refusal.
        pack: The pack, or "overall".
        group: The values of the grouping columns beside the pack.
        strata: The packs that it consists of.
        estimate: The difference, its interval and test.
        flags: Warnings in one word each, the estimate's included.
        headline: Whether it speaks of all packs asked for (with one pack, of that one).
    """

    measure: str
    pack: str
    group: dict[str, object]
    strata: tuple[Stratum, ...]
    estimate: Difference
    flags: tuple[str, ...]
    headline: bool


def compared_cells(
    pairing: Pairing,
    by: Sequence[str],
    *,
    level: float,
    method: DifferenceMethod = "s2",
    alpha: float = 0.05,
    seed: int = 0,
) -> list[Cell]:
    """Every comparison of a pairing, in a fixed order: by measure, by group, packs before their overall row.

    Args:
        pairing: The outputs of two models.
        by: Columns to group by, with or without `pack`.
        level: Two-sided coverage of the intervals.
        method: Of the intervals within a pack.
        alpha: Level of the one-sided test that the detectable difference is about.
        seed: Of the drawn sign patterns.
    """
    within = list(dict.fromkeys((*pairing.judges, *(name for name in by if name != "pack"))))
    cells: list[Cell] = []

    def add(measure: str, pack: str, group: dict[str, object], strata: list[Stratum], headline: bool) -> None:
        key = short_digest([measure, pack, *(str(value) for value in group.values())])
        rng = np.random.default_rng([seed, int(key, 16)])
        chosen = method if len(strata) == 1 else "s2"
        least = pairing.minimum_labels
        estimate = _estimate(strata, rng, level=level, method=chosen, alpha=alpha, minimum_labels=least)
        flags = (*estimate.flags, *_flags(pairing, strata))
        cells.append(Cell(measure, pack, group, tuple(strata), estimate, flags, headline))

    for measure in MEASURES:
        groups: dict[tuple[object, ...], list[Stratum]] = {}
        for values, stratum in _strata(pairing, measure, within):
            groups.setdefault(values, []).append(stratum)
        for values, strata in groups.items():
            group = dict(zip(within, values, strict=True))
            several = len(strata) > 1
            if "pack" in by:
                for stratum in strata:
                    add(measure.name, stratum.pack, group, [stratum], not several)
            if several or "pack" not in by:
                add(measure.name, OVERALL if several else strata[0].pack, group, strata, True)
        if "split" in within:
            cells += _contrasts([cell for cell in cells if cell.measure == measure.name])
    return cells


def _estimate(
    strata: list[Stratum],
    rng: np.random.Generator,
    *,
    level: float,
    method: DifferenceMethod,
    alpha: float,
    minimum_labels: int,
) -> Difference:
    """The one difference of a comparison: corrected where every pack has labels enough on both sides, else raw."""
    labels = [stratum.labels for stratum in strata if stratum.labels is not None]
    lacks = lacking(labels, minimum_labels)
    if len(labels) == len(strata) and not lacks:
        return paired_difference(labels, rng=rng, level=level, alpha=alpha)
    raw = difference([one.counts for one in strata], rng=rng, level=level, method=method, alpha=alpha)
    return replace(raw, flags=(*raw.flags, *lacks, *([UNCORRECTED] if labels else [])))


def _strata(pairing: Pairing, measure: Measure, within: list[str]) -> Iterator[tuple[tuple[object, ...], Stratum]]:
    """The strata of one measure: for each combination of `within` its packs, in sorted order."""
    any_row = pairing.any_row
    chosen = np.flatnonzero((pairing.table["twin"].to_numpy(dtype=bool) == measure.twin)[any_row])
    if not len(chosen):
        return
    columns = list(dict.fromkeys((*within, "pack", "scenario", "family")))
    keys = pairing.table[columns].iloc[any_row[chosen]].reset_index(drop=True)
    is_event = (pairing.table["verdict"] == measure.event).to_numpy(dtype=bool)
    base, candidate = (is_event[rows[chosen]] for rows in (pairing.base_row, pairing.candidate_row))
    judged_base, judged_candidate = (side[chosen] for side in pairing.judged())
    there_base, there_candidate = pairing.base_row[chosen] >= 0, pairing.candidate_row[chosen] >= 0
    group = row_groups([keys[name] for name in (*within, "pack")])
    human = _human(pairing, chosen)
    found = []
    for at in _split(group):
        pairs = at[judged_base[at] & judged_candidate[at]]
        _, scenario = np.unique(keys["scenario"].cat.codes.to_numpy()[pairs], return_inverse=True)
        counted = (np.ones(len(pairs)), base[pairs], candidate[pairs], base[pairs] != candidate[pairs])
        stratum = Stratum(
            pack=str(keys["pack"].iloc[at[0]]),
            counts=PairCounts(*(np.bincount(scenario, part).astype(float) for part in counted)),
            unscored_base=_missing_share(judged_base[at][there_base[at]]),
            unscored_candidate=_missing_share(judged_candidate[at][there_candidate[at]]),
            unpaired=len(at) - len(pairs),
            families=frozenset(map(str, keys["family"].iloc[pairs].unique())) - {""},
            labels=None if human is None else _labels(pairing, chosen[pairs], scenario, human[:, pairs], measure.event),
        )
        found.append((tuple(_plain(keys[name].iloc[at[0]]) for name in within), stratum))
    yield from sorted(found, key=lambda item: (*map(str, item[0]), item[1].pack))


def _human(pairing: Pairing, chosen: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """What people said of the base's outputs and of the candidate's, shape (2, keys, labellers); None: not asked."""
    if not human_columns(pairing.table):
        return None
    said = human_labels(pairing.table)
    return np.stack([said[rows[chosen]] for rows in (pairing.base_row, pairing.candidate_row)])


def _labels(
    pairing: Pairing, keys: NDArray[np.int64], scenario: NDArray[np.int64], human: NDArray[np.float64], event: str
) -> LabelledPairs:
    """The labels of some keys beside what the judge, or each judge of a panel, said."""
    said = pairing.table[[name for name in ("verdict", VOTES) if name in pairing.table.columns]]
    sides = [label_strata(said.iloc[rows[keys]], event) for rows in (pairing.base_row, pairing.candidate_row)]
    return paired_labels(scenario, sides, human)


def _split(group: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Row numbers by group."""
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def _missing_share(judged: NDArray[np.bool_]) -> float | None:
    return float(1 - judged.mean()) if len(judged) else None


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _flags(pairing: Pairing, strata: list[Stratum]) -> tuple[str, ...]:
    shares = [share for one in strata for share in (one.unscored_base, one.unscored_candidate) if share is not None]
    lost = sum(stratum.unpaired for stratum in strata)
    flags = {
        f"unpaired={lost}": lost > 0,
        "unscored_share": max(shares, default=0.0) > UNSCORED_LIMIT,
        "digest_unknown": any(stratum.pack in pairing.unknown_packs for stratum in strata),
    }
    return (*(flag for flag, holds in flags.items() if holds), *pairing.flags)


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
        own = [f"families_{name}={_families(half) or 'unknown'}" for name, half in sorted(halves.items())]
        if [stratum.pack for stratum in seen.strata] != [stratum.pack for stratum in unseen.strata]:
            own.append("packs_differ")
        flags = (*own, *(flag for flag in dict.fromkeys((*seen.flags, *unseen.flags)) if "=" not in flag))
        yield Cell(
            seen.measure,
            seen.pack,
            {**seen.group, "split": CONTRAST},
            (*seen.strata, *unseen.strata),
            contrast(seen.estimate, unseen.estimate),
            flags,
            seen.headline,
        )


def _families(cell: Cell) -> int:
    """Families of a cell; two packs may use one name for theirs."""
    return sum(len(stratum.families) for stratum in cell.strata)
