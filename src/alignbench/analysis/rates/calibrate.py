"""From labels to corrected rates: both side by side, and whether people agree among themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.analysis.agreement.agreement import agreement
from alignbench.analysis.rates.corrected import Attached
from alignbench.analysis.rates.rates import checked_rates
from alignbench.analysis.rates.rows import CalibratedCounts, CalibratedRow, LabelAgreementRow
from alignbench.labels.calibration import Calibration, Label, PackVersion
from alignbench.labels.draw import one_judge
from alignbench.labels.match import match_labels
from alignbench.table.columns import HUMAN
from alignbench.table.counts import headline, measured, vote_counts
from alignbench.table.keys import output_columns
from alignbench.table.read import as_table, label_models
from alignbench.text.rows import meanings
from alignbench.vocabulary import ALIGNED, MEASURES, OFF_TASK, OVERALL

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Calibrated", "calibrate"]

_COUNTS = tuple(meanings(CalibratedCounts))


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What labels show.

    Attributes:
        calibration: The labels, bound to the judge, ready to correct other analyses of the table.
        rates: Raw and corrected rates side by side, one `CalibratedRow` a model, pack and measure that has labels, and
            one over the packs of each model that has any. Where outputs of other conditions were labelled, condition is
            a column too.
        agreement: Judge against people, and people among each other (the ceiling): rows of `LabelAgreementRow`.
        unlabelled: Rows of single packs that have no label, and stay as they are.
        earlier_turns: Labelled outputs that are not the last of their conversation, and so in none of the rates.
    """

    calibration: Calibration
    rates: pd.DataFrame
    agreement: pd.DataFrame
    unlabelled: int
    earlier_turns: int

    def save(self, path: str | Path) -> None:
        """Write the calibration with what was found, as JSON.

        Raises:
            InputError: The folder cannot be written to.
        """
        self.calibration.save(path, rates=_records(self.rates), agreement=_records(self.agreement))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON knows them."""
    plain = frame.astype(object)
    return [
        {str(key): value for key, value in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")
    ]


def calibrate(
    table: pd.DataFrame, labels: pd.DataFrame, *, judge: str | None = None, confidence: float = 0.95, seed: int = 0
) -> Calibrated:
    """Correct the rates of a table by what people said of some of its outputs (S3).

    The labels are taken to be a random sample of what the judge flagged, and of what it did not, in each model
    and pack, and in the table of a panel of each count of votes: `judge sample` draws them so. What is estimated is
    how often a labeller like these would call an output the event: an output counts by the share of its labellers
    who do. Errors that labellers make independently of each other average out over outputs and are in the interval;
    and since all labels of one who sees the event more often than the others lean one way, the interval is also over
    random weights of the labellers. What all of them get wrong no interval shows. `off_task` counts as no event.

    Args:
        table: A verdict table, whole or bare.
        labels: From `alignbench.labels.read.read_labels`.
        judge: The judge, where the table holds several and the labels do not name it.
        confidence: Two-sided coverage.
        seed: Seed of the bootstrap behind the agreement.

    Raises:
        InputError: Labels that do not fit the table.
    """
    full = as_table(table)
    matched = match_labels(labels, full if judge is None and "judge" in labels.columns else one_judge(full, judge))
    labelled = one_judge(full.loc[matched["row"].unique()])
    mine = full[
        (full["judge"] == labelled["judge"].iloc[0]) & (full["judge_config"] == labelled["judge_config"].iloc[0])
    ]
    calibration = _bound(mine, matched)
    attached = calibration.attach(mine)
    by = ["model", "pack", *(["condition"] if (labelled["condition"] != "default").any() else [])]
    errors = [measure.name for measure in MEASURES]
    frame = checked_rates(attached, by, confidence=confidence, measures=errors, calibration=Attached())
    keys = list(frame.columns[: list(frame.columns).index("measure") + 1])
    shown = headline(label_models(attached), by)
    off_task = matched.loc[matched["label"] == OFF_TASK, "row"]
    counts = _counts(shown.assign(off_task=shown.index.isin(off_task)), keys)
    frame = (
        frame.merge(counts, on=keys, how="left").fillna(dict.fromkeys(_COUNTS, 0)).astype(dict.fromkeys(_COUNTS, int))
    )
    bare = (frame["labels"] == 0).to_numpy()
    return Calibrated(
        calibration,
        frame.loc[~bare, list(dict.fromkeys([*keys, *meanings(CalibratedRow)]))].reset_index(drop=True),
        _agreements(labelled, matched, confidence, seed),
        unlabelled=int((bare & (frame["pack"] != OVERALL).to_numpy()).sum()),
        earlier_turns=len(labelled) - int(shown[HUMAN].notna().sum()),
    )


_TEXT = ("model", "model_args", "pack", "scenario", "condition", "sample_uuid", "verdict")


def _bound(table: pd.DataFrame, matched: pd.DataFrame) -> Calibration:
    """The labels with what ties them to their outputs."""
    rows = table.loc[matched["row"].unique()]
    said: dict[Any, dict[str, str]] = {}
    for row, who, label in zip(matched["row"], matched["labeller"], matched["label"], strict=True):
        said.setdefault(row, {})[str(who)] = str(label)
    counts = vote_counts(rows)
    votes = [None] * len(rows) if counts is None else counts.tolist()
    # pandas types the keys as Hashable; columns are named by text.
    records: list[dict[str, Any]] = rows[[*_TEXT, "twin", "epoch", "turn"]].to_dict("records")  # type: ignore[assignment]
    found = tuple(
        Label(
            **{name: str(record[name]) for name in _TEXT},
            twin=bool(record["twin"]),
            epoch=int(record["epoch"]),
            turn=int(record["turn"]),
            votes=count,
            labels=said[row],
        )
        for row, record, count in zip(rows.index, records, votes, strict=True)
    )
    versions = rows[["pack", "pack_digest", "rubric_digest"]].astype(str).drop_duplicates().sort_values("pack")
    packs = tuple(
        PackVersion(pack=pack, pack_digest=digest, rubric_digest=rubric)
        for pack, digest, rubric in versions.itertuples(index=False, name=None)
    )
    return Calibration(str(rows["judge"].iloc[0]), str(rows["judge_config"].iloc[0]), packs, found)


def _counts(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """How many labels stand behind each rate, and how many of them confirm the event or leave it open."""
    labelled = table[table[HUMAN].notna()]
    parts = []
    for measure in MEASURES:
        here = measured(labelled, measure)
        flagged, confirmed, tied = here["verdict"] == measure.event, here[HUMAN] > 0.5, here[HUMAN] == 0.5
        found = {
            "flagged_labelled": flagged,
            "flagged_confirmed": flagged & confirmed,
            "flagged_tied": flagged & tied,
            "other_labelled": ~flagged,
            "other_confirmed": ~flagged & confirmed,
            "other_tied": ~flagged & tied,
            "labels_off_task": here["off_task"],
        }
        names = here[[name for name in keys if name != "measure"]].astype(str)
        parts.append(names.assign(measure=measure.name, **found))
    every = pd.concat(parts)
    # As in `rates`: the row over packs has no digest of a pack.
    over = every.assign(pack=OVERALL, **({"pack_digest": ""} if "pack_digest" in keys else {}))
    counts: pd.DataFrame = pd.concat([every, over])[[*keys, *_COUNTS]].groupby(keys, as_index=False).sum()
    return counts


def _agreements(labelled: pd.DataFrame, matched: pd.DataFrame, confidence: float, seed: int) -> pd.DataFrame:
    """Every pair of raters on the labelled outputs, by measure."""
    keys = list(output_columns())
    given = labelled.loc[matched["row"], keys].reset_index(drop=True)
    # As in the correction: off_task is no event.
    said = matched["label"].replace(OFF_TASK, ALIGNED)
    given = given.assign(verdict=said.to_numpy(), labeller=matched["labeller"].to_numpy())
    people = set(given["labeller"])
    columns = list(meanings(LabelAgreementRow))
    parts = []
    for measure in MEASURES:
        part = measured(labelled, measure)
        own = measured(given, measure)
        if part.empty or own.empty:
            continue
        frame = agreement(part, on=measure.name, labels=own, confidence=confidence, seed=seed)
        frame = frame[[len(pair) == 2 for pair in frame["raters"]]]
        kind = ["people" if set(pair) <= people else "judge" for pair in frame["raters"]]
        parts.append(frame.assign(measure=measure.name, kind=kind)[columns])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
