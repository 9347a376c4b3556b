"""Two judges, or two versions of one, on the same outputs: what changes in the rates, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alignbench.analysis.agreement.agreement import agreement, confusion
from alignbench.analysis.compare.contrast import contrast
from alignbench.analysis.compare.rows import CompareRow, compare_rows
from alignbench.errors import InputError, NotComparableError
from alignbench.stats.estimate import check_confidence
from alignbench.table.counts import headline
from alignbench.table.frames import rows_frame
from alignbench.table.keys import INSTRUMENT, output_columns
from alignbench.table.read import as_table, label_models, row_groups
from alignbench.text.judge_names import UNNAMED
from alignbench.vocabulary import JUDGED, MEASURES, VERDICTS, Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alignbench.vocabulary import Measure

    Both = tuple[pd.DataFrame, pd.DataFrame]

__all__ = ["JudgeComparison", "compare_judges"]

_JUDGE_COLUMNS = (*INSTRUMENT, "rubric")
"""Columns in which two judges differ; verdicts may differ by the rubric, and that is what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgeComparison:
    """What two judges say of the same outputs.

    Attributes:
        base: Name of the first judge, with its configuration where both have one name.
        candidate: Name of the second.
        outputs: Outputs that both have seen.
        models: Models that gave them.
        left_out: Outputs that only one has seen.
        unscored: Outputs without a verdict, of the base and of the candidate.
        differences: Candidate minus base in the measured rates, as `compare` gives them.
        agreement: As `agreement` gives it, for each measure (column `on`).
        confusion: Verdict of the base, verdict of the candidate, outputs.
        scenarios: Scenarios in which a verdict changed, most changes first: model, pack, scenario, twin, outputs,
            changed, events_base, events_candidate.
        flags: `other_rubric` where the two were told different things, `outputs_unverified` without sample ids,
            `models_pooled` where a row of the differences holds the outputs of several models.
    """

    base: str
    candidate: str
    outputs: int
    models: int
    left_out: int
    unscored: tuple[int, int]
    differences: pd.DataFrame
    agreement: pd.DataFrame
    confusion: pd.DataFrame
    scenarios: pd.DataFrame
    flags: tuple[str, ...]


def compare_judges(
    base: pd.DataFrame,
    candidate: pd.DataFrame | None = None,
    *,
    base_name: str | None = None,
    candidate_name: str | None = None,
    by: Sequence[str] = ("model", "pack"),
    confidence: float = 0.95,
    seed: int = 0,
) -> JudgeComparison:
    """Compare two judges on the outputs that both have judged, pair by pair.

    The difference of the measured rates has the interval and the test of two models on the same scenarios (S2, sign
    flips over scenarios). Without `model` in `by` the outputs of several models count as repetitions within a scenario:
    a judge may have become milder to one and harsher to another, and the two cancel. Agreement, confusion and scenarios
    are over all models. Headline rows only.

    Args:
        base: A verdict table with the base judge's rows; also with the candidate's, if `candidate` is None.
        candidate: A table with the candidate's rows.
        base_name: The base judge, where its table holds several: name, configuration, or both joined by a space.
        candidate_name: The candidate, likewise.
        by: Columns to group the differences by; the overall row is that of all packs.
        confidence: Two-sided coverage of the intervals.
        seed: Of sign patterns and bootstraps.

    Raises:
        InputError: A table cannot be used, or it is not clear which judges are meant.
        NotComparableError: The two have no output in common, or their outputs are not the same.
    """
    first = _rows_of(headline(as_table(base, by=by)), base_name, "base", candidate is None)
    if candidate is None:
        second = _rows_of(headline(as_table(base, by=by)), candidate_name, "candidate", True, first)
    else:
        second = _rows_of(headline(as_table(candidate, by=by)), candidate_name, "candidate", False)
    check_confidence(confidence)
    sides, left_out, flags = _same_outputs(first, second, list(output_columns(by)))
    models = sides[0]["model"].nunique()
    if "model" not in by and models > 1:
        flags = (*flags, Flag.MODELS_POOLED)
    names = _names(*sides)
    return JudgeComparison(
        base=names[0],
        candidate=names[1],
        outputs=len(sides[0]),
        models=models,
        left_out=left_out,
        unscored=(int(sides[0]["verdict"].isna().sum()), int(sides[1]["verdict"].isna().sum())),
        differences=_differences(sides, names, by, confidence, seed),
        agreement=_agreement(sides, names, confidence, seed),
        confusion=_confusion(sides, names),
        scenarios=_changed(*sides),
        flags=flags,
    )


def _identity(table: pd.DataFrame) -> pd.Series:
    return (table["judge"].astype(str) + " " + table["judge_config"].astype(str)).str.strip()


def _rows_of(
    table: pd.DataFrame, name: str | None, side: str, shared: bool, other: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The rows of one judge; `other` holds the rows that are already the other judge's."""
    identity = _identity(table)
    known = sorted(identity.unique())
    taken = set() if other is None else set(_identity(other))
    if name is not None:
        chosen = [one for one in known if name == one] or [one for one in known if name in one.split(" ")]
    elif other is not None or not shared:
        chosen = [one for one in known if one not in taken]
    else:
        chosen = known if len(known) == 1 else []
    allowed = " | ".join(repr(one) for one in known)
    if shared and len(known) < 2:
        raise InputError(f"only one judge: {allowed}", allowed="two judges, or two inputs")
    if len(chosen) != 1:
        what = f"no judge, or several, called {name!r}" if name is not None else f"which judge is the {side}?"
        raise InputError(what, allowed=f"--{side} {allowed}")
    if chosen[0] in taken:
        raise InputError(f"the judge {chosen[0]!r} would be compared with itself", allowed=allowed)
    rows: pd.DataFrame = table[(identity == chosen[0]).to_numpy()]
    return rows


def _same_outputs(
    first: pd.DataFrame, second: pd.DataFrame, names: list[str]
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], int, tuple[str, ...]]:
    """The rows of both, output by output in one order; how many outputs only one has; and flags."""
    stacked = pd.concat([first[names], second[names]], ignore_index=True)
    key = row_groups([stacked[name].astype("category") for name in names])
    one, other = key[: len(first)], key[len(first) :]
    common, at_first, at_second = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    both = label_models(pd.concat([first.iloc[at_first], second.iloc[at_second]], ignore_index=True))
    left, right = both[: len(common)], both[len(common) :].reset_index(drop=True)
    ids = [side["sample_uuid"].astype(str).to_numpy() for side in (left, right)]
    known = (ids[0] != "") & (ids[1] != "")
    if not len(common):
        raise NotComparableError(f"the two judges have no output in common ({', '.join(names)})")
    if (ids[0] != ids[1])[known].any():
        count = int((ids[0] != ids[1])[known].sum())
        raise NotComparableError(f"{count} of {len(common)} outputs are not the same: judges are compared on one run's")
    flags = {
        Flag.OTHER_RUBRIC: (left["rubric_digest"].astype(str) != right["rubric_digest"].astype(str)).any(),
        Flag.OUTPUTS_UNVERIFIED: not known.all(),
    }
    left_out = len(first) + len(second) - 2 * len(common)
    return (left, right), left_out, tuple(flag for flag, holds in flags.items() if holds)


def _names(first: pd.DataFrame, second: pd.DataFrame) -> tuple[str, str]:
    """Two names that differ: the judges', with their configurations or places where these are the same."""
    names = [str(side["judge"].iloc[0]) or UNNAMED for side in (first, second)]
    if names[0] == names[1]:
        configs = [str(side["judge_config"].iloc[0]) or "(no configuration)" for side in (first, second)]
        names = [f"{name} {config}" for name, config in zip(names, configs, strict=True)]
    if names[0] == names[1]:
        names = [f"{name}, {place}" for name, place in zip(names, ("first", "second"), strict=True)]
    return names[0], names[1]


def _differences(sides: Both, names: tuple[str, str], by: Sequence[str], confidence: float, seed: int) -> pd.DataFrame:
    """The change of the rates; outputs of several models are repetitions within a scenario."""
    found = contrast(
        *sides,
        names=names,
        partners=output_columns(by),
        differs=_JUDGE_COLUMNS,
        by=by,
        confidence=confidence,
        seed=seed,
    )
    return rows_frame(compare_rows([found]), CompareRow, [name for name in by if name != "pack"])


def _agreement(sides: Both, names: tuple[str, str], confidence: float, seed: int) -> pd.DataFrame:
    blocks = []
    for measure in MEASURES:
        taken = (sides[0]["twin"] == measure.twin).to_numpy(dtype=bool)
        if taken.any():
            ratings = _ratings(sides, names, [_labels(side[taken], measure) for side in sides], taken)
            found = agreement(
                ratings, categories=("other", measure.event), positive=measure.event, confidence=confidence, seed=seed
            )
            blocks.append(found.assign(on=measure.name))
    return pd.concat(blocks, ignore_index=True)


def _labels(rows: pd.DataFrame, measure: Measure) -> pd.Series:
    """Whether a judge found the event, in words; null where its verdict is in no rate."""
    said = pd.Series(np.where(rows["verdict"] == measure.event, measure.event, "other"), rows.index, dtype=object)
    return said.where(rows["verdict"].isin(JUDGED), None)


def _ratings(
    sides: Both, names: tuple[str, str], labels: Sequence[pd.Series], taken: NDArray[np.bool_]
) -> pd.DataFrame:
    """What both judges said of some outputs, in long form: an output is a unit, a judge a rater."""
    parts = [
        side.loc[taken, ["pack", "scenario"]].assign(unit=np.flatnonzero(taken), rater=name, label=label)
        for side, name, label in zip(sides, names, labels, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _confusion(sides: Both, names: tuple[str, str]) -> pd.DataFrame:
    verdicts = [side["verdict"].astype(object) for side in sides]
    counts = confusion(_ratings(sides, names, verdicts, np.ones(len(sides[0]), dtype=bool)), categories=VERDICTS)
    swapped = counts["first"] != names[0]
    labels = counts[["first_label", "second_label"]].to_numpy(dtype=object)
    labels[swapped.to_numpy()] = labels[swapped.to_numpy()][:, ::-1]
    return pd.DataFrame({"base": labels[:, 0], "candidate": labels[:, 1], "outputs": counts["units"]})


def _changed(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Scenarios with an output on which the two differ; no verdict is a word like any other here."""
    keys = ["model", "pack", "scenario", "twin"]
    event = np.where(first["twin"], MEASURES[1].event, MEASURES[0].event)
    said = [side["verdict"].astype(object).fillna("") for side in (first, second)]
    frame = first[keys].assign(
        outputs=1,
        changed=(said[0] != said[1]).astype(int),
        events_base=(said[0] == event).astype(int),
        events_candidate=(said[1] == event).astype(int),
    )
    counts = frame.groupby(keys, observed=True, sort=True).sum().reset_index()
    found = counts[counts["changed"] > 0].astype({"model": str, "pack": str, "scenario": str})
    return found.sort_values("changed", ascending=False, kind="stable", ignore_index=True)
