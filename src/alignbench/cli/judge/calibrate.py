"""alignbench judge calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import (
    combined,
    csv_text,
    format_option,
    input_argument,
    interval,
    json_text,
    level_option,
    number,
    number_interval,
    panel_options,
    percent,
    print_table,
    seed_option,
)

if TYPE_CHECKING:
    from alignbench.analysis.panel import How

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHOWN = ("observed_agreement", "positive_agreement", "gwet_ac1", "krippendorff_alpha")


@click.command()
@input_argument
@click.argument("labels", type=_FILE)
@click.option("--labels", "more", type=_FILE, multiple=True, help="Labels of another labeller; may be given again.")
@click.option("-o", "--output", type=_FILE, help="Write calibration.json here, for --calibration of other commands.")
@click.option("--judge", metavar="NAME", help="The judge, where INPUT holds several and the labels do not name it.")
@panel_options
@level_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...],
    labels: Path,
    more: tuple[Path, ...],
    output: Path | None,
    judge: str | None,
    panel: How | None,
    cards: tuple[str, ...],
    level: float,
    seed: int,
    form: str,
) -> None:
    """Correct rates by what people said of some outputs: raw and corrected side by side.

    LABELS is a CSV of judge sample, labelled. With several labellers their majority counts, and their agreement is
    the ceiling for any judge. "confirmed" counts, of the labelled outputs that the judge flagged (or did not), those
    that people call the event. Below 50 labels (few_labels) other commands keep the raw rate. With --panel the
    counts of votes are the strata, and the result is for the same panel only.
    """
    from alignbench.inputs import read_inputs
    from alignbench.judging.calibrate import calibrate
    from alignbench.judging.cards import read_cards
    from alignbench.judging.labels import read_labels

    table = combined(read_inputs(inputs), panel, read_cards(cards))
    found = calibrate(table, read_labels([labels, *more]), judge=judge, level=level, seed=seed)
    if output is not None:
        found.save(output)
    if form == "json":
        both = {name: getattr(found, name).to_dict("records") for name in ("rates", "agreement")}
        click.echo(json_text(both), nl=False)
        return
    if form == "csv":
        click.echo(csv_text(found.rates), nl=False)
        return
    coverage = f"{100 * level:g} %"
    print_table([_rate_row(row, coverage) for row in found.rates.to_dict("records")])
    rows = found.agreement[found.agreement["coefficient"].isin(_SHOWN)].to_dict("records")
    if rows:
        print_table([_agreement_row(row, coverage) for row in rows], title="Agreement on the labelled outputs")
    if output is not None:
        click.echo(f"wrote {output}")


def _rate_row(row: dict[Any, Any], coverage: str) -> dict[str, Any]:
    return {
        "model": row["model"],
        "pack": row["pack"],
        "measure": row["measure"],
        "raw": percent(row["raw_rate"]),
        f"raw {coverage}": interval(row["raw_low"], row["raw_high"]),
        "corrected": percent(row["rate"]) if row["method"].startswith("s3") else "-",
        f"corrected {coverage}": interval(row["low"], row["high"]) if row["method"].startswith("s3") else "-",
        "labels": row["labels"],
        "flagged confirmed": f"{row['flagged_confirmed']}/{row['flagged_labelled']}",
        "others confirmed": f"{row['other_confirmed']}/{row['other_labelled']}",
        "outputs": row["n"],
        "flags": ", ".join(row["flags"]),
    }


def _agreement_row(row: dict[Any, Any], coverage: str) -> dict[str, Any]:
    return {
        "measure": row["measure"],
        "between": {"people": "people (ceiling)", "judge": "judge and person"}[row["kind"]],
        "raters": " : ".join(row["raters"]),
        "coefficient": row["coefficient"],
        "value": number(row["value"]),
        f"{coverage} interval": number_interval(row["low"], row["high"]),
        "disagree": f"{row['disagreements']}/{row['units']}",
        "flags": ", ".join(row["flags"]),
    }
