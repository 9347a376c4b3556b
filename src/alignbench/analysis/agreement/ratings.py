"""Ratings in one form, whoever gave them: judges in a verdict table, labels in a file, raters in columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from alignbench.errors import InputError
from alignbench.labels.match import GRADES, checked_labels, find_outputs, refuse_doubles
from alignbench.stats.agreement import MISSING
from alignbench.stats.methods import Scale
from alignbench.table.columns import columns_there, refuse_misspelt
from alignbench.table.keys import RUN_COLUMNS, output_columns
from alignbench.table.read import as_table, row_groups
from alignbench.text.judge_names import judge_names
from alignbench.vocabulary import JUDGED, MEASURES, MISALIGNED, MISALIGNMENT, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FIELDS", "Ratings", "read_ratings"]

_EVENTS = {measure.name: measure for measure in MEASURES}

FIELDS = (*_EVENTS, "verdict", *GRADES)
"""What of a verdict table raters can be compared on."""

_OUTPUT = output_columns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Category codes by unit and rater.

    Attributes:
        codes: Shape (units, raters); MISSING where a rater gave nothing.
        scenario: The scenario of each unit, as a number.
        raters: Their names.
        categories: The categories in their order.
        scale: How far apart categories are.
        positive: The category that is the event, if there is one.
        keys: One row a unit with the columns that it may be grouped by.
        labellers: Which of the raters come from a label file.
        unmatched: Rows of the label file that fit no output.
    """

    codes: NDArray[np.int64]
    scenario: NDArray[np.int64]
    raters: tuple[str, ...]
    categories: tuple[object, ...]
    scale: Scale
    positive: object | None
    keys: pd.DataFrame
    labellers: tuple[str, ...] = ()
    unmatched: int = 0

    @property
    def values(self) -> NDArray[np.float64]:
        """The categories as numbers: themselves if they are numbers, else their places."""
        numeric = all(isinstance(c, int | float | np.number) and not isinstance(c, bool) for c in self.categories)
        return np.asarray(self.categories if numeric else np.arange(len(self.categories)), dtype=float)


def read_ratings(
    data: pd.DataFrame,
    *,
    on: str = MISALIGNMENT.name,
    labels: pd.DataFrame | None = None,
    raters: Sequence[str] | None = None,
    scale: Scale | None = None,
    categories: Sequence[object] | None = None,
    positive: object | None = None,
    by: Sequence[str] = (),
) -> Ratings:
    """Bring ratings of any of the three kinds into one form; see `alignbench.analysis.agreement.agreement.agreement`.

    Raises:
        InputError: Unusable columns, labels or options, or fewer than two raters.
    """
    if scale is not None and scale not in get_args(Scale):
        raise InputError(f"unknown scale {scale!r}", allowed=", ".join(get_args(Scale)))
    if raters is None and {"model", "scenario", "verdict"} <= set(data.columns):
        found = _from_table(as_table(data, by=by), on, labels, output_columns(by))
    elif labels is not None:
        raise InputError("labels need a verdict table", allowed="columns model, scenario, verdict")
    else:
        needed = ("unit", "rater", "label") if raters is None else ()
        refuse_misspelt([name for name in data.columns if name not in (raters or ())], (*needed, "scenario", "pack"))
        long = _from_columns(data, raters) if raters is not None else data
        found = _from_long(long, scale or "nominal", categories, positive)
    if len(found.raters) < 2:
        names = ", ".join(map(repr, found.raters)) or "nobody"
        raise InputError(
            f"agreement needs two raters, and only {names} rated",
            allowed="a table with several judges, labels beside it, or several raters",
        )
    return found if scale is None else replace(found, scale=scale)


def _from_columns(data: pd.DataFrame, raters: Sequence[str]) -> pd.DataFrame:
    """Wide to long: each column of `raters` is one rater, each row a unit."""
    unknown = [name for name in raters if name not in data.columns]
    if unknown or len(set(raters)) != len(raters):
        columns = ", ".join(map(str, data.columns))
        raise InputError(f"raters {list(raters)!r}", allowed=f"different columns of {columns}")
    kept = [name for name in data.columns if name not in (*raters, "unit", "rater", "label")]
    parts = [data[kept].assign(unit=np.arange(len(data)), rater=str(name), label=data[name]) for name in raters]
    return pd.concat([part.astype({"label": object}) for part in parts], ignore_index=True)


def _from_long(
    data: pd.DataFrame, scale: Scale, categories: Sequence[object] | None, positive: object | None
) -> Ratings:
    missing = [name for name in ("unit", "rater", "label") if name not in data.columns]
    if missing:
        raise InputError(f"missing column {', '.join(map(repr, missing))}: {columns_there(data.columns)}",
                         allowed="unit, rater, label; or raters=[...]; or a verdict table")  # fmt: skip
    frame = data[data["label"].notna()].reset_index(drop=True)
    for name in ("unit", "rater", *(["scenario"] if "scenario" in frame.columns else [])):
        if frame[name].isna().any():
            raise InputError(f"column {name!r} is empty in a row with a label", allowed="a value in each row")
    order = _categories(frame["label"], scale, categories)
    if positive is not None and positive not in order:
        raise InputError(f"positive category {positive!r}", allowed=", ".join(map(repr, order)))
    return replace(_matrix(frame, order), scale=scale, positive=positive)


def _categories(label: pd.Series, scale: Scale, categories: Sequence[object] | None) -> tuple[object, ...]:
    """The categories in their order: as stated, or as seen."""
    seen = list(dict.fromkeys(value.item() if isinstance(value, np.generic) else value for value in label))
    if categories is not None:
        strange = [value for value in seen if value not in categories]
        if strange:
            raise InputError(f"label {strange[0]!r}", allowed=", ".join(map(repr, categories)))
        seen = list(dict.fromkeys(categories))
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in seen)
    if numeric:
        return tuple(sorted(seen, key=float))
    if scale == "interval" or (scale == "ordinal" and categories is None):
        needed = "numbers" if scale == "interval" else "numbers, or categories in their order"
        raise InputError(f"labels such as {seen[0]!r} on the {scale} scale", allowed=needed)
    return tuple(seen if categories is not None else sorted(seen, key=str))


def _matrix(frame: pd.DataFrame, order: tuple[object, ...]) -> Ratings:
    """Long form to a matrix of codes; a rater says one thing of a unit."""
    units, unit = np.unique(row_groups([frame["unit"].astype("category")]), return_inverse=True)
    names = sorted(map(str, frame["rater"].unique()))
    rater = pd.Categorical(frame["rater"].astype(str), categories=names).codes.astype(np.int64)
    cell = unit * max(len(names), 1) + rater
    if len(np.unique(cell)) < len(cell):
        at = int(np.flatnonzero(pd.Series(cell).duplicated())[0])
        what = next(name for name in ("scenario", "unit") if name in frame.columns)
        raise InputError(
            f"{names[rater[at]]!r} labelled one unit twice ({what} {str(frame[what].iloc[at])!r})",
            allowed="one label a unit and rater",
        )
    codes = np.full((len(units), len(names)), MISSING, dtype=np.int64)
    place = {value: at for at, value in enumerate(order)}
    codes[unit, rater] = frame["label"].map(place).to_numpy(dtype=np.int64)
    first = np.zeros(len(units), dtype=np.int64)
    first[unit[::-1]] = np.arange(len(frame))[::-1]
    keys = frame.drop(columns=["unit", "rater", "label"]).iloc[first].reset_index(drop=True)
    clusters = [name for name in ("pack", "scenario") if name in keys.columns and "scenario" in keys.columns]
    scenario = np.arange(len(units), dtype=np.int64)
    if clusters:
        scenario = row_groups([keys[name].astype("category") for name in clusters])
    return Ratings(
        codes=codes, scenario=scenario, raters=tuple(names), categories=order, scale="nominal", positive=None, keys=keys
    )


def _from_table(table: pd.DataFrame, on: str, labels: pd.DataFrame | None, output: Sequence[str]) -> Ratings:
    if on not in FIELDS:
        raise InputError(f"cannot compare raters on {on!r}", allowed=", ".join(FIELDS))
    unit = row_groups([table[name] for name in output])
    keys = [
        name for name in table.columns if name in (*_OUTPUT, "sample_uuid", *RUN_COLUMNS, "family", "split", "nudge")
    ]
    frame = table[keys].assign(unit=unit, rater=_judge_names(table), label=_labels_on(table, on, None))
    labellers: tuple[str, ...] = ()
    unmatched = 0
    if labels is not None:
        given, unmatched = _labels_beside(frame, labels, on)
        labellers = tuple(sorted(set(given["rater"])))
        clash = set(labellers) & set(frame["rater"])
        if clash:
            raise InputError(f"a labeller and a judge are both called {min(clash)!r}", allowed="different names")
        frame = pd.concat([frame.astype(object), given.astype(object)], ignore_index=True)
    frame = frame[frame["label"].notna()].reset_index(drop=True)
    if frame.empty:
        raise InputError(f"nobody rated {on}", allowed="rows with a verdict")
    measure = _EVENTS.get(on)
    order: tuple[object, ...]
    if measure is not None:
        order, positive = ("other", measure.event), measure.event
    elif on == "verdict":
        order, positive = VERDICTS, MISALIGNED
    else:
        order, positive = tuple(range(GRADES[on] + 1)), None
    return replace(
        _matrix(frame, order),
        scale="ordinal" if on in GRADES else "nominal",
        positive=positive,
        labellers=labellers,
        unmatched=unmatched,
    )


def _judge_names(table: pd.DataFrame) -> pd.Series:
    """The judge's name, with its configuration where one name judged in several."""
    rows = list(zip(table["judge"].astype(str), table["judge_config"].astype(str), strict=True))
    judges = list(dict.fromkeys(rows))
    names = dict(zip(judges, judge_names(judges), strict=True))
    return pd.Series([names[judge] for judge in rows], index=table.index, dtype=object)


def _labels_on(table: pd.DataFrame, on: str, twin: NDArray[np.bool_] | None) -> pd.Series:
    """What the rows say on a field; null where they say nothing, or where the field is not measured."""
    if on in GRADES:
        grade = pd.to_numeric(table[on], errors="coerce")
        return grade.astype(object).where(grade.notna(), None)
    verdict = table["verdict"].astype(object)
    measure = _EVENTS.get(on)
    if measure is None:
        return verdict
    kind = table["twin"].to_numpy(dtype=bool) if twin is None else twin
    said = verdict.isin(JUDGED).to_numpy() & (kind == measure.twin)
    label = pd.Series(np.where(verdict == measure.event, measure.event, "other"), index=table.index, dtype=object)
    return label.where(said, None)


def _labels_beside(frame: pd.DataFrame, labels: pd.DataFrame, on: str) -> tuple[pd.DataFrame, int]:
    """The labels as ratings of the outputs they are about; and how many fit none."""
    field = on if on in GRADES else "verdict"
    # A sheet's labels are verdict words; what `read_labels` has read stands under `label` whatever it grades.
    order = ("label", field) if field == "verdict" else (field, "label")
    column = next((name for name in order if name in labels.columns), None)
    if column is None:
        raise InputError(
            f"the labels have the columns {', '.join(map(str, labels.columns))}",
            allowed=f"one called {' or '.join(order)}",
        )
    said = checked_labels(labels, column, on)
    units = frame.drop_duplicates("unit")
    found = find_outputs(labels, units, _OUTPUT)
    fitting = found.output >= 0
    if not fitting.any():
        raise InputError("no label fits an output of the table", allowed=f"equal values of {', '.join(found.keys)}")
    who = next((name for name in ("labeller", "rater") if name in labels.columns), None)
    rater = labels[who].astype(str) if who else pd.Series("labels", index=labels.index)
    refuse_doubles(labels, np.where(said != "", found.output, -1), rater)
    matched = units.iloc[found.output[fitting]].reset_index(drop=True)
    chosen = pd.DataFrame({field: said.where(said != "", None), "rater": rater})[fitting].reset_index(drop=True)
    label = _labels_on(chosen, on, matched["twin"].to_numpy(dtype=bool))
    return matched.assign(rater=chosen["rater"], label=label), int((~fitting).sum())
