"""alignbench agreement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from alignbench.cli.options import (
    by_option,
    confidence_option,
    format_option,
    input_argument,
    latest_option,
    seed_option,
)
from alignbench.cli.output import emit, tell
from alignbench.cli.reading import read
from alignbench.stats.methods import Scale
from alignbench.text.numbers import number, number_interval, stated_percent
from alignbench.vocabulary import MISALIGNMENT

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@input_argument
@latest_option
@click.option("--labels", type=click.Path(dir_okay=False, path_type=Path), multiple=True, metavar="CSV",
              help="Labels by people, a CSV as for judge calibrate; may be given again.")  # fmt: skip
@click.option("--on", default=MISALIGNMENT.name, show_default=True, metavar="FIELD",
              help="misalignment, over_refusal, verdict, severity, position_1 or position_2.")  # fmt: skip
@click.option("--scale", type=click.Choice(get_args(Scale)), default=None,
              help="Default: ordinal for severity and positions, else nominal.")  # fmt: skip
@click.option("--reference", default=None, metavar="RATER",
              help="The truth for sensitivity and the like; default: the only labeller.")  # fmt: skip
@click.option("--confusion", "show_confusion", is_flag=True, help="Print who said what instead.")
@by_option("")
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    labels: tuple[Path, ...],
    on: str,
    scale: Scale | None,
    reference: str | None,
    show_confusion: bool,
    by: tuple[str, ...],
    confidence: float,
    seed: int,
    form: str,
) -> None:
    """Do several judges, or judges and people, say the same?

    INPUT holds several judges of the same outputs, or --labels stands beside one judge; or INPUT is a CSV
    with the columns unit, rater, label (and scenario). Intervals resample scenarios. Agreement between judges
    is not validity.

    A file of --labels is a sheet of judge sample, or has its columns: label, labeller, and those that name an output
    (scenario, model, epoch, ...). With --on severity, position_1 or position_2 the labels stand in a column of that
    name.
    """
    from alignbench.analysis.agreement.agreement import agreement, confusion
    from alignbench.labels.match import GRADES
    from alignbench.labels.read import read_labels

    data = _read(inputs, by, latest=latest)
    truth = read_labels(labels, field=on if on in GRADES else "label") if labels else None
    if show_confusion:
        emit(confusion(data, on=on, labels=truth, by=by), form, table=lambda record: record)
        return
    frame = agreement(
        data, on=on, labels=truth, reference=reference, by=by, scale=scale, confidence=confidence, seed=seed, note=tell
    )

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {
            **{name: record[name] for name in by},
            "raters": " : ".join(record["raters"]),
            "coefficient": record["coefficient"],
            "value": number(record["value"]),
            f"{stated_percent(confidence)} interval": number_interval(record["low"], record["high"]),
            "disagree": f"{record['disagreements']}/{record['units']}",
            "scenarios": record["scenarios"],
            "flags": ", ".join(record["flags"]),
        }

    emit(frame, form, table=row)


def _read(inputs: tuple[str, ...], by: tuple[str, ...], *, latest: bool) -> pd.DataFrame:
    """A verdict table, or one CSV in long form."""
    from alignbench.documents.csv_files import csv_problem, read_csv
    from alignbench.errors import InputError

    if len(inputs) == 1 and inputs[0].endswith(".csv") and Path(inputs[0]).is_file():
        try:
            # Categories that are numbers stay numbers.
            frame = read_csv(Path(inputs[0]), dtype=None, keep_default_na=True)
        except (OSError, ValueError) as error:
            raise InputError(f"this is no table: {csv_problem(error)}", file=inputs[0]) from error
        if {"unit", "rater", "label"} <= set(frame.columns):
            return frame
    return read(inputs, by, latest=latest)
