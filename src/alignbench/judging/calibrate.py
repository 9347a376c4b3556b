"""From labels to corrected rates: both side by side, and whether people agree among themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from alignbench.analysis.agreement import AGREEMENT_KEYS, agreement
from alignbench.analysis.cells import MEASURES, measured, vote_counts
from alignbench.analysis.rates import OVERALL, rates
from alignbench.judging.calibration import Calibration, Label, PackVersion
from alignbench.judging.labels import match_labels
from alignbench.judging.sampling import one_judge
from alignbench.table import KEY_COLUMNS, as_table, label_models
from alignbench.verdicts import JUDGED

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AGREEMENT_COLUMNS", "CALIBRATION_COLUMNS", "Calibrated", "calibrate"]

CALIBRATION_COLUMNS = (
    "raw_rate", "raw_low", "raw_high", "rate", "low", "high", "level", "method", "labels", "flagged_labelled",
    "flagged_confirmed", "other_labelled", "other_confirmed", "labels_off_task", "outputs", "n", "events", "scenarios",
    "flags",
)  # fmt: skip
"""The keys of a row beside model, pack and measure; `rate` is the corrected one where there are labels."""
AGREEMENT_COLUMNS = ("measure", "kind", *AGREEMENT_KEYS)


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What labels show.

    Attributes:
        calibration: The labels, bound to the judge, ready to correct other analyses of the table.
        rates: Raw and corrected rates side by side, one row a model, pack and measure.
        agreement: Judge against people, and people among each other (the ceiling), with AGREEMENT_COLUMNS.
    """

    calibration: Calibration
    rates: pd.DataFrame
    agreement: pd.DataFrame

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
    table: pd.DataFrame, labels: pd.DataFrame, *, judge: str | None = None, level: float = 0.95, seed: int = 0
) -> Calibrated:
    """Correct the rates of a table by what people said of some of its outputs (S3).

    The labels are taken to be a random sample of what the judge flagged, and of what it did not, in each model
    and pack, and in the table of a panel of each count of votes: `judge sample` draws them so. Where people
    disagree, their majority counts, and half an event where they split evenly. `off_task` counts as no event.

    Args:
        table: A verdict table, whole or bare.
        labels: From `alignbench.judging.labels.read_labels`.
        judge: The judge, where the table holds several and the labels do not name it.
        level: Two-sided coverage.
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
    frame = rates(mine, level=level, calibration=replace(calibration, minimum_labels=1))
    counts = _counts(label_models(mine), matched)
    frame = frame.merge(counts, on=["model", "pack", "measure"], how="left").fillna(dict.fromkeys(_COUNTS, 0))
    keys = [name for name in frame.columns[: list(frame.columns).index("measure") + 1] if name != "measure"]
    columns = [*keys, "measure", *CALIBRATION_COLUMNS]
    frame = frame.astype(dict.fromkeys(_COUNTS, int))[columns]
    return Calibrated(calibration, frame, _agreements(labelled, matched, level, seed))


_COUNTS = ("flagged_labelled", "flagged_confirmed", "other_labelled", "other_confirmed", "labels_off_task")


_TEXT = ("model", "model_args", "pack", "scenario", "condition", "sample_uuid", "verdict")


def _bound(table: pd.DataFrame, matched: pd.DataFrame) -> Calibration:
    """The labels with what ties them to their outputs."""
    rows = table.loc[matched["row"].unique()]
    said: dict[Any, dict[str, str]] = {}
    for row, who, label in zip(matched["row"], matched["labeller"], matched["label"], strict=True):
        said.setdefault(row, {})[str(who)] = str(label)
    counts = vote_counts(rows)
    votes = [None] * len(rows) if counts is None else counts.tolist()
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


def _counts(table: pd.DataFrame, matched: pd.DataFrame) -> pd.DataFrame:
    """How many labels stand behind each rate, and how many of them confirm the event."""
    outputs = table.loc[matched["row"], ["model", "pack", "twin", "verdict"]].reset_index(drop=True)
    outputs = outputs.assign(row=matched["row"].to_numpy(), label=matched["label"].to_numpy())
    parts = []
    for measure in MEASURES:
        here = outputs[outputs["twin"].to_numpy(dtype=bool) == measure.twin]
        events = (here["label"] == measure.event).astype(float).groupby(here["row"]).mean()
        once = here.drop_duplicates("row").set_index("row")
        flagged, confirmed = once["verdict"] == measure.event, (events > 0.5).reindex(once.index)
        once = once.assign(
            measure=measure.name,
            flagged_labelled=flagged,
            flagged_confirmed=flagged & confirmed,
            other_labelled=~flagged,
            other_confirmed=~flagged & confirmed,
            labels_off_task=(here["label"] == "off_task").groupby(here["row"]).any().reindex(once.index),
        )
        parts.append(once.astype({"model": str, "pack": str}))
    keys = ["model", "pack", "measure"]
    every = pd.concat(parts)
    both = pd.concat([every, every.assign(pack=OVERALL)])
    counts: pd.DataFrame = both[[*keys, *_COUNTS]].groupby(keys, as_index=False).sum()
    return counts


def _agreements(labelled: pd.DataFrame, matched: pd.DataFrame, level: float, seed: int) -> pd.DataFrame:
    """Every pair of raters on the labelled outputs, by measure."""
    keys = [name for name in KEY_COLUMNS if name not in ("judge", "judge_config")]
    given = labelled.loc[matched["row"], keys].reset_index(drop=True)
    given = given.assign(verdict=matched["label"].to_numpy(), labeller=matched["labeller"].to_numpy())
    people = set(given["labeller"])
    parts = []
    for measure in MEASURES:
        part = measured(labelled, measure)
        own = measured(given, measure)
        if part.empty or not own["verdict"].isin(JUDGED).any():
            continue
        frame = agreement(part, on=measure.name, labels=own, level=level, seed=seed)
        frame = frame[[len(pair) == 2 for pair in frame["raters"]]]
        kind = ["people" if set(pair) <= people else "judge" for pair in frame["raters"]]
        parts.append(frame.assign(measure=measure.name, kind=kind)[list(AGREEMENT_COLUMNS)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(AGREEMENT_COLUMNS))
