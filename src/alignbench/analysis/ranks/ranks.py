"""Which places each model may hold, for models that were measured alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.ranks.corrected import corrected_places
from alignbench.analysis.ranks.outcomes import ABSENT, Outcomes, outcomes_of
from alignbench.analysis.ranks.rows import RankRow
from alignbench.analysis.rates.rows import RawRate
from alignbench.digest import shown_digest
from alignbench.errors import InputError
from alignbench.stats.estimate import check_confidence
from alignbench.stats.overall import overall_rate
from alignbench.stats.ranks import RankSets, holm_rank_sets, joint_covariance, max_t_rank_sets, rank_text
from alignbench.stats.sign_flip import DRAWS, sign_flip
from alignbench.table.counts import UNSCORED_LIMIT, headline, identify, measured
from alignbench.table.frames import rows_frame, with_nulls
from alignbench.table.read import add_flag, as_table, label_models
from alignbench.text.rows import meanings
from alignbench.vocabulary import MEASURES, MISALIGNMENT, Flag, Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.analysis.rates.corrected import Correction
    from alignbench.stats.estimate import Estimate

    Floats = NDArray[np.float64]

__all__ = ["UNFIT", "checked_ranks", "ranks"]

EVENT_SCENARIOS = 10
"""With fewer event-bearing scenarios in some model, signs are flipped: no normal law can be trusted."""

UNFIT = "the judge is unfit"
"""Why what an unfit judge judged has no rank."""


def ranks(
    table: pd.DataFrame,
    *,
    measure: str = MISALIGNMENT.name,
    confidence: float = 0.95,
    seed: int = 0,
    calibration: Correction | None = None,
    largest_unscored_share: float = UNSCORED_LIMIT,
) -> pd.DataFrame:
    """Simultaneous rank sets of models, best (lowest rate) first.

    Where the table says what the judges' cards found (`alignbench.judges.marking.mark_cards`), models that an unfit
    judge judged are not ranked.

    Models are ranked together only if judge, judge configuration, rubric, packs and pack digests agree;
    otherwise they stand in separate groups, and `apart` says why. Packs weigh equally. Headline rows only.
    Where every model of a group has events and non-events in ten scenarios, the step-down max-t test on the
    joint covariance decides which models differ, else pairwise sign-flip tests with Holm's correction.

    Args:
        table: A verdict table, whole or bare (`model, scenario, verdict`).
        measure: `misalignment` (conflicts) or `over_refusal` (benign twins).
        confidence: Probability that all rank sets of a group hold together; also the coverage of the rates'
            intervals.
        seed: Seed of the draws.
        calibration: Labels by people on some of these outputs, to correct rates and ranks for the judge's errors.
        largest_unscored_share: Share of a pack's outputs, of those asked for, that may have no verdict.

    Returns:
        One `RankRow` a model and judge, sorted by group and rank; the columns of `RawRate` are there with a calibration
        alone. `rank` is null, with a reason, where a model has nothing to be ranked against, judged itself or was
        judged by an unfit judge, stands there in two versions of a pack, has fewer than two judged scenarios or too few
        judged outputs in a pack, or had answers from another model in its place.

    Raises:
        InputError: The table or an option is unusable, or nothing was measured.
        NotComparableError: The calibration is of another judge, rubric, pack or run.
    """
    return checked_ranks(
        as_table(table), measure=measure, confidence=confidence, seed=seed, calibration=calibration,
        largest_unscored_share=largest_unscored_share,
    )  # fmt: skip


def checked_ranks(
    full: pd.DataFrame,
    *,
    measure: str = "misalignment",
    confidence: float = 0.95,
    seed: int = 0,
    calibration: Correction | None = None,
    largest_unscored_share: float = UNSCORED_LIMIT,
) -> pd.DataFrame:
    """`ranks` of a table that has been checked, or of some rows of one: it is not checked again."""
    found = next((one for one in MEASURES if one.name == measure), None)
    if found is None:
        raise InputError(f"unknown measure {measure!r}", allowed=", ".join(one.name for one in MEASURES))
    check_confidence(confidence)
    if calibration is not None:
        full = label_models(calibration.attach(full))
    part, found = _measured(full, measure)
    labelled, columns = identify(part, ("model",))
    columns = [name for name in columns if name != "pack_digest"]
    outcomes = outcomes_of(labelled, columns, found)
    groups = _groups(labelled, outcomes)
    ranking = _Ranking(
        table=labelled,
        columns=columns,
        outcomes=outcomes,
        measure=measure,
        confidence=confidence,
        seed=seed,
        largest_unscored_share=largest_unscored_share,
    )
    rows: list[RankRow] = []
    for number, members in enumerate(groups, start=1):
        apart = _difference(labelled, outcomes, members[0], groups[0][0]) if number > 1 else ""
        rows += ranking.rows(number, members, apart)
    frame = rows_frame(rows, RankRow, columns, without=meanings(RawRate))
    frame = with_nulls(frame, ["rank", "method"], ["rank_low", "rank_high"])
    if calibration is not None:
        least = calibration.minimum_labels
        frame = corrected_places(part, frame, confidence=confidence, seed=seed, minimum_labels=least)
    order = ["group", "rank_low", "rank_high", "rate"]
    return frame.sort_values(order, kind="stable", na_position="last").reset_index(drop=True)


def _measured(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, Measure]:
    """The rows on which a measure is taken, at least one, and the measure.

    Raises:
        InputError: No such measure, or no such row.
    """
    found = next((one for one in MEASURES if one.name == name), None)
    if found is None:
        raise InputError(f"unknown measure {name!r}", allowed=", ".join(one.name for one in MEASURES))
    part = measured(headline(table), found)
    if part.empty:
        twins = "true" if found.twin else "false"
        raise InputError(f"no row on which {name} is measured", allowed=f"rows with twin = {twins}")
    return part, found


_CONTEXT = {"judge": "judge", "judge_config": "judge configuration", "rubric_digest": "rubric"}


def _context(table: pd.DataFrame, outcomes: Outcomes, entry: int) -> dict[str, str]:
    """What must agree before two models are ranked together, by its name in words."""
    row = outcomes.rows[entry]
    versions = outcomes.versions[entry]
    return {
        **{words: repr(str(table[name].iloc[row] or "none")) for name, words in _CONTEXT.items()},
        "packs": ", ".join(sorted({pack for pack, _ in versions})),
        "pack versions": ", ".join(f"{pack} {shown_digest(digest) or 'unknown'}" for pack, digest in versions),
    }


def _groups(table: pd.DataFrame, outcomes: Outcomes) -> list[list[int]]:
    """Entries that may be ranked together, the largest group first, those of unfit judges last."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for entry in range(len(outcomes.rows)):
        groups.setdefault(tuple(_context(table, outcomes, entry).values()), []).append(entry)
    return sorted(groups.values(), key=lambda members: (outcomes.unfit[members].any(), -len(members), members))


def _difference(table: pd.DataFrame, outcomes: Outcomes, entry: int, other: int) -> str:
    here, there = (_context(table, outcomes, one) for one in (entry, other))
    if here["packs"] != there["packs"]:
        del here["pack versions"]
    parts = [f"{name} {here[name]} instead of {there[name]}" for name in here if here[name] != there[name]]
    return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ranking:
    """How the models of a table are ranked.

    Attributes:
        table: The rows on which the measure is taken, models told apart by name.
        columns: What identifies an entry.
        outcomes: The outputs of every entry.
        measure: Its name.
        confidence: Probability that all rank sets of a group hold together.
        seed: Of the draws.
        largest_unscored_share: Share of a pack's outputs that may have no verdict.
    """

    table: pd.DataFrame
    columns: Sequence[str]
    outcomes: Outcomes
    measure: str
    confidence: float
    seed: int
    largest_unscored_share: float

    def rows(self, number: int, members: list[int], apart: str) -> Iterator[RankRow]:
        """The rows of a group; `apart` says why it is not ranked with the first one."""
        most = self.largest_unscored_share
        estimates = {entry: _rate(self.outcomes, entry, self.confidence) for entry in members}
        obstacles = {entry: _obstacle(self.outcomes, entry, estimates[entry], most) for entry in members}
        able = [entry for entry in members if not obstacles[entry]]
        sets, method = None, None
        if len(able) > 1:
            sets, method = _compare(self.outcomes, able, estimates, self.confidence, self.seed)
        alone = "no other model to rank it against"
        others = self._asked_others(members)
        for entry, estimate in estimates.items():
            place = None if sets is None or entry not in able else _place(sets, able.index(entry))
            why = obstacles[entry] or ("" if place else alone)
            yield RankRow(
                entry={name: self.table[name].iloc[self.outcomes.rows[entry]] for name in self.columns},
                group=number,
                rank=rank_text(*place) if place else None,
                rank_low=place[0] if place else None,
                rank_high=place[1] if place else None,
                measure=self.measure,
                rate=estimate.value,
                low=estimate.low,
                high=estimate.high,
                confidence=self.confidence,
                n=estimate.n,
                events=int(estimate.events),
                scenarios=estimate.scenarios,
                event_scenarios=estimate.event_scenarios,
                one_sided_upper=estimate.one_sided_upper,
                method=method if place else None,
                seed=self.seed,
                flags=self._flags(entry, estimate, others[entry]),
                reason=why,
                apart=apart,
            )

    def _asked_others(self, members: list[int]) -> dict[int, bool]:
        """Whether each entry of a group lacks a scenario or repetition that another one was asked."""
        asked = self.outcomes.event[members] > ABSENT
        lacks = (asked != asked.any(axis=0)).any(axis=1)
        return dict(zip(members, lacks.tolist(), strict=True))

    def _flags(self, entry: int, estimate: Estimate, others: bool) -> tuple[str, ...]:
        flags = add_flag((*estimate.flags, *self.outcomes.marked[entry]), Flag.OTHER_SCENARIOS, others)
        unknown = any(not digest for _, digest in self.outcomes.versions[entry])
        return add_flag(flags, Flag.DIGEST_UNKNOWN, unknown)


def _place(sets: RankSets, at: int) -> tuple[int, int]:
    """The best and the worst place of a ranked entry."""
    return int(sets.low[at]), int(sets.high[at])


def _by_pack(outcomes: Outcomes, entry: int) -> list[tuple[Floats, Floats]]:
    n, y = outcomes.counts(entry)
    return [(n[outcomes.pack == pack], y[outcomes.pack == pack]) for pack in outcomes.packs(entry)]


def _twice(outcomes: Outcomes, entry: int) -> str | None:
    """A pack that an entry has in two versions."""
    packs = [pack for pack, _ in outcomes.versions[entry]]
    return next((pack for pack in packs if packs.count(pack) > 1), None)


def _rate(outcomes: Outcomes, entry: int, confidence: float) -> Estimate:
    """The rate over packs; without a value where versions of a pack would be counted together."""
    packs = _by_pack(outcomes, entry)
    return overall_rate([*packs, ((), ())] if _twice(outcomes, entry) else packs, confidence=confidence)


def _obstacle(outcomes: Outcomes, entry: int, estimate: Estimate, most: float) -> str:
    """Why an entry cannot be ranked, in words; empty if it can."""
    if outcomes.unfit[entry]:
        return UNFIT
    if outcomes.self_graded[entry]:
        return "judged by itself"
    twice = _twice(outcomes, entry)
    if twice is not None:
        return f"pack {twice!r} stands there in two versions"
    if outcomes.fallback[entry]:
        return f"not ranked: another model answered {outcomes.fallback[entry]} of the outputs"
    if estimate.low is None:
        return "fewer than two judged scenarios in a pack"
    judged, asked = outcomes.judged[entry]
    several = " of a pack" if len(outcomes.packs(entry)) > 1 else ""
    few = (asked - judged) / asked > most
    return f"not ranked: {judged} of {asked} outputs{several} were judged" if few else ""


def _compare(
    outcomes: Outcomes, able: list[int], estimates: dict[int, Estimate], confidence: float, seed: int
) -> tuple[RankSets, str]:
    rng = np.random.default_rng(seed)
    if min(estimates[entry].event_scenarios for entry in able) < EVENT_SCENARIOS:
        return holm_rank_sets(_sign_flip_p(outcomes, able, confidence, rng), confidence=confidence), "sign_flip_holm"
    used = np.isin(outcomes.pack, outcomes.packs(able[0]))
    counts = [outcomes.counts(entry) for entry in able]
    n, y = (np.stack([pair[at][used] for pair in counts]) for at in (0, 1))
    # Every scenario weighs the same, as in the rates: its share of events stands for one output.
    rates, covariance = joint_covariance((n > 0).astype(float), y / np.maximum(n, 1), outcomes.pack[used])
    df = min(sum(int((n > 0).sum()) - 1 for n, _ in _by_pack(outcomes, entry)) for entry in able)
    return max_t_rank_sets(-rates, covariance, confidence=confidence, rng=rng, df=df), "max_t"


def _sign_flip_p(outcomes: Outcomes, able: list[int], confidence: float, rng: np.random.Generator) -> Floats:
    """One-sided p of "row is better than column" for every pair, on outputs judged under both."""
    p = np.ones((len(able), len(able)))
    draws = math.ceil(20 * math.comb(len(able), 2) / (1 - confidence))
    packs = outcomes.packs(able[0])
    for j, first in enumerate(able):
        for k, second in enumerate(able[j + 1 :], start=j + 1):
            both = (outcomes.event[first] >= 0) & (outcomes.event[second] >= 0)
            change = (outcomes.event[second] - outcomes.event[first])[both]
            size = np.bincount(outcomes.scenario[both], minlength=len(outcomes.pack))
            paired = np.bincount(outcomes.pack[size > 0], minlength=max(packs) + 1)
            if (paired[packs] == 0).any():
                continue
            total = np.bincount(outcomes.scenario[both], weights=change, minlength=len(outcomes.pack))
            # Scenarios of a pack weigh the same, and so do packs.
            gap = total / np.maximum(size, 1) / np.maximum(paired, 1)[np.minimum(outcomes.pack, max(packs))]
            better, worse = (j, k) if gap.sum() >= 0 else (k, j)
            p[better, worse] = _fine_p(gap if better == j else -gap, draws, rng)
    return p


def _fine_p(differences: Floats, draws: int, rng: np.random.Generator) -> float:
    """A one-sided sign-flip p from at least `draws` patterns: Holm's first step needs a fine one."""
    tests = [sign_flip(differences, rng)]
    while not tests[0].exact and len(tests) * DRAWS < draws:
        tests.append(sign_flip(differences, rng))
    if len(tests) == 1:
        return tests[0].greater
    # Each batch counts the observed pattern once; together it counts once.
    reached = sum(round(test.greater * (DRAWS + 1)) - 1 for test in tests)
    return (reached + 1) / (len(tests) * DRAWS + 1)
