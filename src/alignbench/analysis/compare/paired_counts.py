"""The outputs of a pairing, counted by pack and scenario: judged on both sides, or lost on one of them or on both.

An output is lost where it has no verdict: unscored for any reason, or absent while the other side has it. An answer off
task is not lost, it has a verdict; it is no event of an error, and it is not useful. The difference itself is of what
is judged on both sides; its bounds hold whatever would have been said of the rest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.rates.corrected import LabelledPairs, paired_labels
from alignbench.stats.difference import PairCounts
from alignbench.table.counts import VOTES, label_strata
from alignbench.table.frames import plain_value
from alignbench.table.human import human_columns, human_labels
from alignbench.table.read import row_groups
from alignbench.vocabulary import ABSENT, JUDGED, OFF_TASK, Measure, is_useful

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.analysis.compare.pairing import Pairing

    Truths = NDArray[np.bool_]
    Rows = NDArray[np.int64]

__all__ = ["LOST_ON_BOTH", "Losses", "Stratum", "strata"]

LOST_ON_BOTH = 0.01
"""Above this share of outputs lost on both sides nothing passes: no bound speaks of them."""

KNOWN = 2**20
"""Stratum of outputs whose event is set and not judged, when labels correct the others; above any count of votes."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What has no verdict, of the outputs that stand on either side.

    Attributes:
        asked: Outputs (keys) on either side.
        base: Outputs without a verdict on the base's side, by reason.
        candidate: The same on the candidate's side.
        only_base: Outputs that only the base has lost.
        only_candidate: Outputs that only the candidate has lost.
        both: Outputs lost on both sides.
        off_task_base: Answers of the base that do not address the request.
        off_task_candidate: The candidate's.
    """

    asked: int = 0
    base: dict[str, int] = field(default_factory=dict)
    candidate: dict[str, int] = field(default_factory=dict)
    only_base: int = 0
    only_candidate: int = 0
    both: int = 0
    off_task_base: int = 0
    off_task_candidate: int = 0

    @property
    def too_many_on_both(self) -> bool:
        """Whether more is lost on both sides than a pass may leave open."""
        return self.both > LOST_ON_BOTH * self.asked

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            asked=self.asked + other.asked,
            base=dict(sorted((Counter(self.base) + Counter(other.base)).items())),
            candidate=dict(sorted((Counter(self.candidate) + Counter(other.candidate)).items())),
            only_base=self.only_base + other.only_base,
            only_candidate=self.only_candidate + other.only_candidate,
            both=self.both + other.both,
            off_task_base=self.off_task_base + other.off_task_base,
            off_task_candidate=self.off_task_candidate + other.off_task_candidate,
        )


@dataclass(frozen=True, slots=True)
class Stratum:
    """The outputs of one pack and group, counted by scenario.

    Attributes:
        pack: The pack.
        counts: Its pairs: judged on both sides.
        worst: Its pairs and all that one side alone has a verdict on, the other side's set so that the candidate is as
            bad as can be: what the candidate lacks is the event, what the base lacks is not.
        best: The same the other way round.
        losses: What has no verdict.
        judged_more: Outputs judged of the candidate less those of the base, by scenario.
        unjudged_share_base: Share of what was asked that is off task, without a verdict or absent on the base's side;
            None where it has no output.
        unjudged_share_candidate: The candidate's, likewise.
        unpaired: Keys that are in no pair.
        families: Families with a pair; empty names are left out.
        labels: The labels of its pairs, where people gave some.
        worst_labels: The labels of `worst`.
        best_labels: The labels of `best`.
    """

    pack: str
    counts: PairCounts
    worst: PairCounts
    best: PairCounts
    losses: Losses
    judged_more: NDArray[np.float64]
    unjudged_share_base: float | None
    unjudged_share_candidate: float | None
    unpaired: int
    families: frozenset[str] = frozenset()
    labels: LabelledPairs | None = None
    worst_labels: LabelledPairs | None = None
    best_labels: LabelledPairs | None = None


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of some keys, an array each.

    Attributes:
        rows: Row of the table; -1 where the side has none.
        given: Whether there is a verdict.
        counted: Whether the verdict is in the n of the measure.
        event: Whether it is the event.
        off_task: Whether it does not address the request.
    """

    rows: Rows
    given: Truths
    counted: Truths
    event: Truths
    off_task: Truths

    def at(self, places: Rows) -> _Side:
        return _Side(*(getattr(self, name)[places] for name in self.__slots__))


def strata(
    pairing: Pairing, measure: Measure, within: Sequence[str] = ()
) -> Iterator[tuple[tuple[object, ...], Stratum]]:
    """Count one measure: for each combination of the columns `within` its packs, in sorted order.

    Args:
        pairing: The outputs of two models.
        measure: An error, or a measure of usefulness.
        within: Columns of the pairing's table.

    Yields:
        The values of `within`, and the counts of one pack.
    """
    any_row = pairing.any_row
    chosen = np.flatnonzero((pairing.table["twin"].to_numpy(dtype=bool) == measure.twin)[any_row])
    if not len(chosen):
        return
    columns = list(dict.fromkeys((*within, "pack", "scenario", "family")))
    keys = pairing.table[columns].iloc[any_row[chosen]].reset_index(drop=True)
    base, candidate = _sides(pairing, chosen, measure)
    # Labels of people speak of the two errors.
    human = None if is_useful(measure.name) else _human(pairing, chosen)
    found = []
    for at in _split(row_groups([keys[name] for name in (*within, "pack")])):
        said = None if human is None else human[:, at]
        stratum = _stratum(pairing, measure, keys.iloc[at], (base.at(at), candidate.at(at)), said)
        found.append((tuple(plain_value(keys[name].iloc[at[0]]) for name in within), stratum))
    yield from sorted(found, key=lambda item: (*map(str, item[0]), item[1].pack))


def _stratum(
    pairing: Pairing,
    measure: Measure,
    keys: pd.DataFrame,
    sides: tuple[_Side, _Side],
    human: NDArray[np.float64] | None,
) -> Stratum:
    """The counts of the keys of one pack and group."""
    scenario = np.asarray(keys["scenario"].cat.codes, dtype=np.int64)
    pairs, useful = sides[0].counted & sides[1].counted, is_useful(measure.name)
    lost = sides[1].given & ~sides[0].given, sides[0].given & ~sides[1].given
    judged = pairs, (sides[0].event, sides[1].event)
    worst, best = _against(sides, 1, useful=useful), _against(sides, 0, useful=useful)

    def labels(kind: tuple[Truths, tuple[Truths, Truths]]) -> LabelledPairs | None:
        chosen, events = kind
        return None if human is None else _labels(pairing, (scenario, sides, events), human, chosen, measure.event)

    # Without any label nothing is corrected, and the bounds need none.
    labelled = human is not None and not np.isnan(human).all()
    return Stratum(
        pack=str(keys["pack"].iloc[0]),
        counts=_counts(scenario, *judged),
        worst=_counts(scenario, *worst),
        best=_counts(scenario, *best),
        losses=_losses(sides, lost, pairing.table["unscored_reason"]),
        judged_more=_judged_more(scenario, sides),
        unjudged_share_base=_missing_share(sides[0]),
        unjudged_share_candidate=_missing_share(sides[1]),
        unpaired=int((~pairs).sum()),
        families=frozenset(map(str, keys["family"][pairs].unique())) - {""},
        labels=labels(judged),
        worst_labels=labels(worst) if labelled else None,
        best_labels=labels(best) if labelled else None,
    )


def _sides(pairing: Pairing, chosen: Rows, measure: Measure) -> tuple[_Side, _Side]:
    verdict = pairing.table["verdict"]
    given, counted = verdict.notna().to_numpy(), verdict.isin(measure.counted).to_numpy()
    event, off_task = ((verdict == name).to_numpy(dtype=bool) for name in (measure.event, OFF_TASK))

    def side(rows: Rows) -> _Side:
        rows, there = rows[chosen], rows[chosen] >= 0
        return _Side(rows, *(truth[rows] & there for truth in (given, counted, event, off_task)))

    return side(pairing.base_row), side(pairing.candidate_row)


def _against(sides: tuple[_Side, _Side], loser: int, *, useful: bool) -> tuple[Truths, tuple[Truths, Truths]]:
    """All that either side has a verdict on, and the events, with what is missing set against one side.

    What that side has lost is the event of an error, and not useful; what the other has lost is no event, and useful.
    An answer off task is known to be no event of an error, and not useful.
    """
    own, other = sides[loser], sides[1 - loser]
    chosen = (own.counted & other.counted) | (other.given & ~own.given) | (own.counted & ~other.counted)
    events = [own.event if useful else own.event | ~own.given, other.event | ~other.given if useful else other.event]
    return chosen, (events[0], events[1]) if loser == 0 else (events[1], events[0])


def _counts(scenario: Rows, chosen: Truths, events: tuple[Truths, Truths]) -> PairCounts:
    _, place = np.unique(scenario[chosen], return_inverse=True)
    one, other = (event[chosen] for event in events)
    parts = (np.ones(len(place)), one, other, one != other)
    return PairCounts(*(np.bincount(place, part).astype(float) for part in parts))


def _losses(sides: tuple[_Side, _Side], lost: tuple[Truths, Truths], reason: pd.Series) -> Losses:
    base, candidate = sides
    return Losses(
        asked=len(base.rows),
        base=_reasons(base, reason),
        candidate=_reasons(candidate, reason),
        only_base=int(lost[0].sum()),
        only_candidate=int(lost[1].sum()),
        both=int((~base.given & ~candidate.given).sum()),
        off_task_base=int(base.off_task.sum()),
        off_task_candidate=int(candidate.off_task.sum()),
    )


def _reasons(side: _Side, reason: pd.Series) -> dict[str, int]:
    """How many outputs have no verdict on this side, by reason."""
    rows = side.rows[~side.given]
    named = Counter(map(str, reason.iloc[rows[rows >= 0]]))
    named[ABSENT] += int((rows < 0).sum())
    return {why: count for why, count in sorted(named.items()) if count}


def _judged_more(scenario: Rows, sides: tuple[_Side, _Side]) -> NDArray[np.float64]:
    _, place = np.unique(scenario, return_inverse=True)
    more = sides[1].given.astype(float) - sides[0].given
    return np.asarray(np.bincount(place, more), dtype=np.float64)


def _missing_share(side: _Side) -> float | None:
    """Share of what stands on either side that is off task or has no verdict here; None where this side has nothing."""
    return float(1 - (side.given & ~side.off_task).mean()) if (side.rows >= 0).any() else None


def _human(pairing: Pairing, chosen: Rows) -> NDArray[np.float64] | None:
    """What people said of the base's outputs and of the candidate's, shape (2, keys, labellers); None: not asked."""
    if not human_columns(pairing.table):
        return None
    rows = np.stack([pairing.base_row[chosen], pairing.candidate_row[chosen]])
    return np.where(rows[..., None] >= 0, human_labels(pairing.table)[rows], np.nan)


def _labels(
    pairing: Pairing,
    counted: tuple[Rows, tuple[_Side, _Side], tuple[Truths, Truths]],
    human: NDArray[np.float64],
    kind: Truths,
    event: str,
) -> LabelledPairs:
    """The labels of some keys beside what the judge, or each judge of a panel, said.

    What is lost, or off task beside it, was not judged: it counts as a stratum of its own, labelled as it is set.
    """
    scenario, sides, events = counted
    said = pairing.table[[name for name in ("verdict", VOTES) if name in pairing.table.columns]]
    stratum, label = [], []
    for side, set_event, known in zip(sides, events, human, strict=True):
        judged = np.isin(pairing.table["verdict"].iloc[side.rows[kind]].to_numpy(dtype=object), JUDGED)
        judged &= side.rows[kind] >= 0
        own = np.full(int(kind.sum()), KNOWN, dtype=np.int64)
        own[judged] = label_strata(said.iloc[side.rows[kind][judged]], event)
        stratum.append(own)
        label.append(np.where(judged[:, None], known[kind], set_event[kind].astype(float)[:, None]))
    _, place = np.unique(scenario[kind], return_inverse=True)
    return paired_labels(place, stratum, np.stack(label))


def _split(group: Rows) -> list[Rows]:
    """Row numbers by group."""
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
