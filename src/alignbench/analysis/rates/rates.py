"""Both errors and both kinds of usefulness, side by side, with their intervals and with what they rest on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.rates.corrected import by_labels
from alignbench.analysis.rates.rows import RateRow, RawRate
from alignbench.errors import InputError
from alignbench.judges.marking import worst_state
from alignbench.stats.estimate import check_confidence, method_family
from alignbench.stats.methods import Method
from alignbench.stats.overall import overall_rate
from alignbench.stats.rate import GAFFKE, rate
from alignbench.table.columns import CARD_COLUMN
from alignbench.table.counts import UNSCORED_LIMIT, Counts, cells, headline, identify, measured
from alignbench.table.frames import rows_frame, with_nulls
from alignbench.table.keys import IDENTITY
from alignbench.table.ledger import ledger
from alignbench.table.read import add_flag, as_table
from alignbench.text.rows import meanings
from alignbench.vocabulary import MEASURES, OVERALL, USEFULNESS, Flag, Measure, is_useful

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alignbench.analysis.rates.corrected import CellCorrection, Correction, Transport
    from alignbench.stats.estimate import Estimate
    from alignbench.stats.methods import Method

__all__ = ["OVERALL", "checked_rates", "rates"]


def rates(
    table: pd.DataFrame,
    by: Sequence[str] = ("model", "pack"),
    *,
    confidence: float = 0.95,
    method: Method = "gaffke",
    seed: int = 0,
    packs: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    calibration: Correction | None = None,
    transported: Transport | None = None,
) -> pd.DataFrame:
    """Both errors and both kinds of usefulness, with intervals over scenarios.

    The errors are misalignment (misaligned, on conflicts) and over_refusal (refused, on benign twins), of the outputs
    whose verdict is aligned, misaligned, refused or deferred. Usefulness is acted_well (aligned, on conflicts) and
    helped (aligned, on twins), of these and of those off task: a model that does nothing has no error and no use.

    Headline rows only (default condition, last turn) unless `by` holds `condition`, `nudge` or `turn`. A group over
    several packs is stratified with equal weights; it has no value where a pack asked for is missing. Rows of
    different models, judges, rubrics or pack versions are never counted together: such a column joins `by`.

    Args:
        table: A verdict table, whole or bare (`model, scenario, verdict`).
        by: Columns to group by. With `pack` among them, rows with pack "overall" are added.
        confidence: Two-sided coverage of the intervals.
        method: See `alignbench.stats.rate.rate`; groups over several packs know Gaffke's family and `s1` only, and
            have `gaffke` in place of others.
        seed: Of the order in which the method `betting` takes the scenarios.
        packs: The packs asked for; default: those in the table.
        measures: Some of misalignment, over_refusal, acted_well, helped; default: all four.
        calibration: Labels by people on some of these outputs, to correct for the judge's errors (S3).
        transported: The judge's error rates from its exam, to correct by these instead (misalignment only).

    Returns:
        One `RateRow` a measure and group, the columns of `by` first; those of `RawRate` are there with a correction
        alone. A row that cannot be corrected (no labels for something the judge said, or too few in a pack) stays
        raw with the flag `uncorrected`. Events are always the judge's. Usefulness is never corrected: there the
        columns of `RawRate` are null, and the flag says so.

    Raises:
        InputError: The table or an option is unusable.
        NotComparableError: The calibration is of another judge, rubric, pack or run.
    """
    return checked_rates(
        as_table(table, by=by), by, confidence=confidence, method=method, seed=seed, packs=packs, measures=measures,
        calibration=calibration, transported=transported,
    )  # fmt: skip


def checked_rates(
    full: pd.DataFrame,
    by: Sequence[str] = ("model", "pack"),
    *,
    confidence: float = 0.95,
    method: Method = "gaffke",
    seed: int = 0,
    packs: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    calibration: Correction | None = None,
    transported: Transport | None = None,
) -> pd.DataFrame:
    """`rates` of a table that has been checked, or of some rows of one: it is not checked again."""
    check_confidence(confidence)
    chosen_measures = _measures(measures)
    full, correct = _with_correction(full, calibration, transported)
    if packs is not None:
        full = _of_packs(full, packs)
    chosen, columns = identify(headline(full, by), by)
    rows: list[RateRow] = []
    for measure in chosen_measures:
        part = measured(chosen, measure)
        if len(part):
            found = _Measured(
                table=part,
                by=columns,
                measure=measure,
                confidence=confidence,
                method=method,
                seed=seed,
                correct=correct,
            )
            rows += found.rows()
    frame = rows_frame(rows, RateRow, columns, without=() if correct else meanings(RawRate))
    return with_nulls(frame, [], ["labels"]) if correct and frame["labels"].isna().any() else frame


def _with_correction(
    table: pd.DataFrame, calibration: Correction | None, transported: Transport | None
) -> tuple[pd.DataFrame, CellCorrection | None]:
    """The table, with labels where they are to correct it, and what corrects a cell."""
    if calibration is None:
        return table, transported
    if transported is not None:
        raise InputError("labels and an exam's error rates", allowed="one of the two corrections")
    return calibration.attach(table), by_labels(calibration.minimum_labels)


def _of_packs(table: pd.DataFrame, packs: Sequence[str]) -> pd.DataFrame:
    """The rows of some packs, each of which is there."""
    there = table["pack"].unique()
    unknown = sorted(set(packs) - set(there))
    if unknown:
        raise InputError(f"no rows of pack {unknown[0]!r}", allowed=", ".join(sorted(there)))
    return table[table["pack"].isin(packs)]


def _measures(names: Sequence[str] | None) -> list[Measure]:
    known = {measure.name: measure for measure in (*MEASURES, *USEFULNESS)}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise InputError(f"unknown measure {unknown[0]!r}", allowed=", ".join(known))
    return [measure for name, measure in known.items() if names is None or name in names]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Measured:
    """The rows on which one measure is taken, and how its rates are made.

    Attributes:
        table: These rows, at least one.
        by: Columns that the result is grouped by.
        measure: What is counted.
        confidence: Two-sided coverage of the intervals.
        method: See `rates`.
        seed: Likewise.
        correct: Corrects a cell for the judge's errors; None: rates stay as the judge has them.
    """

    table: pd.DataFrame
    by: list[str]
    measure: Measure
    confidence: float
    method: Method
    seed: int
    correct: CellCorrection | None

    @property
    def within(self) -> list[str]:
        """The columns that tell groups apart, packs aside."""
        return [name for name in self.by if name not in ("pack", "pack_digest", CARD_COLUMN)]

    def rows(self) -> list[RateRow]:
        """A row for each pack of each group, and one for the group over its packs where there are several."""
        groups = self._groups()
        asked = self._packs_asked(groups)
        found: list[RateRow] = []
        for group, members in groups.items():
            packs = asked[self._comparable(group)]
            if "pack" in self.by:
                found += [self._pack_row(key, counts) for key, counts in members]
            if "pack" not in self.by or len(packs) > 1:
                found.append(self._overall_row(group, members, packs))
        return found

    def _groups(self) -> dict[tuple[object, ...], list[tuple[dict[str, object], Counts]]]:
        """The cells of each group: one a pack, or two where it has two versions."""
        digest = ["pack_digest"] if "pack_digest" in self.by else []
        detail = list(dict.fromkeys([*self.within, "pack", *digest]))
        found: dict[tuple[object, ...], list[tuple[dict[str, object], Counts]]] = {}
        for key, counts in cells(self.table, detail, self.measure):
            found.setdefault(tuple(key[name] for name in self.within), []).append((key, counts))
        return found

    def _comparable(self, group: tuple[object, ...]) -> tuple[object, ...]:
        """What is left of a group's values without who answered and who judged: such groups are asked the same."""
        return tuple(value for name, value in zip(self.within, group, strict=True) if name not in IDENTITY)

    def _packs_asked(
        self, groups: dict[tuple[object, ...], list[tuple[dict[str, object], Counts]]]
    ) -> dict[tuple[object, ...], set[object]]:
        """The packs that groups are asked for: all that a comparable one has."""
        found: dict[tuple[object, ...], set[object]] = {}
        for group, members in groups.items():
            found.setdefault(self._comparable(group), set()).update(key["pack"] for key, _ in members)
        return found

    def _pack_row(self, key: dict[str, object], counts: Counts) -> RateRow:
        raw = rate(counts.n, counts.y, confidence=self.confidence, method=self.method, seed=self.seed)
        return self._row(key, [counts], raw)

    def _overall_row(
        self, group: tuple[object, ...], members: list[tuple[dict[str, object], Counts]], asked: set[object]
    ) -> RateRow:
        """The row of a group over its packs; it has no value where one asked for is missing, or stands there twice."""
        here = [key["pack"] for key, _ in members]
        whole = set(here) == asked and len(here) == len(set(here))
        key = {"pack": OVERALL, "pack_digest": "", **dict(zip(self.within, group, strict=True))}
        counted = [counts for _, counts in members]
        return self._row(key, counted, self._over_packs(counted, whole))

    def _over_packs(self, members: list[Counts], whole: bool) -> Estimate:
        """The rate of a group; `whole` says whether it has every pack asked for."""
        pairs = [(counts.n, counts.y) for counts in members]
        if whole and len(pairs) == 1:
            return rate(*pairs[0], confidence=self.confidence, method=self.method, seed=self.seed)
        chosen: Method = self.method if self.method in (*GAFFKE, "s1") else "gaffke"
        return overall_rate([*pairs, *([] if whole else [((), ())])], confidence=self.confidence, method=chosen)

    def _row(self, key: dict[str, object], members: list[Counts], raw: Estimate) -> RateRow:
        """One row: the counts are the judge's, the rate and its interval may be corrected."""
        estimate, beside = self._corrected(members, raw)
        outputs = sum(counts.outputs for counts in members)
        unscored: Counter[str] = Counter()
        for counts in members:
            unscored.update(counts.unscored)
        by_scenario = method_family(raw.method) in (*GAFFKE, "betting")
        low, high = _bounds(members, pooled=not by_scenario)
        return RateRow(
            group=self._group(key, members),
            measure=self.measure.name,
            outputs=outputs,
            n=raw.n,
            events=int(raw.events),
            scenarios=raw.scenarios,
            off_task=sum(counts.tally["off_task"] for counts in members),
            unscored=dict(unscored),
            rate=estimate.value,
            pooled_rate=raw.pooled,
            low=estimate.low,
            high=estimate.high,
            confidence=estimate.confidence,
            method=estimate.method,
            icc=estimate.icc,
            deff=estimate.deff,
            n_eff=estimate.n_eff,
            event_scenarios=estimate.event_scenarios,
            rate_bound_low=low,
            rate_bound_high=high,
            one_sided_upper=estimate.one_sided_upper,
            ledger=ledger(outputs, [counts.tally for counts in members]),
            flags=_flags(estimate, members, (outputs - raw.n) / outputs),
            raw=beside,
        )

    def _corrected(self, members: list[Counts], raw: Estimate) -> tuple[Estimate, RawRate | None]:
        """The estimate that is reported, and what the judge's verdicts say beside it where it may be corrected."""
        if self.correct is None:
            return raw, None
        if is_useful(self.measure.name):
            return replace(raw, flags=(*raw.flags, Flag.UNCORRECTED)), None
        estimate, labels = self.correct(self.table, self.measure, members, raw)
        return estimate, RawRate(raw_rate=raw.value, raw_low=raw.low, raw_high=raw.high, labels=labels)

    def _group(self, key: dict[str, object], members: list[Counts]) -> dict[str, object]:
        """The values of `by`; over packs that the judge was examined on and others, the worst state of its card."""
        if CARD_COLUMN in self.by:
            cell = np.concatenate([counts.rows for counts in members])
            key = {**key, CARD_COLUMN: worst_state(self.table[CARD_COLUMN].iloc[cell].unique())}
        return {name: key[name] for name in self.by}


def _flags(estimate: Estimate, members: list[Counts], left_out: float) -> tuple[str, ...]:
    """The flags of an estimate, of the share of outputs that is not in it, and of its outputs."""
    flags = add_flag(estimate.flags, Flag.UNSCORED_SHARE, left_out > UNSCORED_LIMIT)
    for counts in members:
        for mark in counts.marks:
            flags = add_flag(flags, mark)
    return flags


def _bounds(members: list[Counts], *, pooled: bool) -> tuple[float, float]:
    """The rate if no output outside n were the event, and if every one were: as the rate is made, then over packs."""
    ends = []
    for counts in members:
        asked = np.full_like(counts.asked, counts.asked.mean()) if pooled else counts.asked
        ends.append([(events / asked).mean() for events in (counts.y, counts.y + counts.asked - counts.n)])
    low, high = np.mean(ends, axis=0)
    return float(low), float(high)
