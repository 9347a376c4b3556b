"""alignbench judge calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.options import confidence_option, format_option, latest_option, panel_options, seed_option
from alignbench.cli.output import echo_csv, json_text, print_table, print_text
from alignbench.cli.reading import combined, read
from alignbench.stats.estimate import is_corrected_method
from alignbench.text.flags import explain_flags
from alignbench.text.numbers import interval, number, number_interval, percent, stated_percent
from alignbench.vocabulary import OVERALL, Flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from alignbench.analysis.rates.calibrate import Calibrated
    from alignbench.judges.panel import How

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHOWN = ("observed_agreement", "positive_agreement", "gwet_ac1", "krippendorff_alpha")


@click.command()
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.argument("labels", type=_FILE)
@latest_option
@click.option("--labels", "more", type=_FILE, multiple=True, help="Labels of another labeller; may be given again.")
@click.option("-o", "--output", type=_FILE, help="Write calibration.json here, for --calibration of other commands.")
@click.option("--judge", metavar="NAME", help="The judge, where INPUT holds several and the labels do not name it.")
@panel_options
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    labels: Path,
    more: tuple[Path, ...],
    output: Path | None,
    judge: str | None,
    panel: How | None,
    cards: tuple[str, ...],
    confidence: float,
    seed: int,
    form: str,
) -> None:
    """Correct rates by what people said of some outputs: raw and corrected side by side.

    LABELS is a CSV of judge sample, labelled; capitals and blanks do not matter. An output with several labellers
    counts as the event by the share of them who call it that, and the interval includes that another labeller may see
    more or fewer; off_task is no event. The table tells, of the labelled outputs that the judge flagged and of those
    that it did not, how many most people call the event, how many are tied, and how many are none: the six add up to
    the labelled outputs. It has the rows with
    labels only; every other rate stays as it is. Below 50 labels in a pack (few_labels) no rate is corrected.
    Between people the agreement is the ceiling for any judge.

    With --panel the counts of votes are the strata, and the result is for the same panel only.
    """
    from alignbench.analysis.rates.calibrate import calibrate
    from alignbench.files import refuse_overwriting_inputs, refuse_replacing_other_files
    from alignbench.judges.marking import read_cards
    from alignbench.labels.calibration import CALIBRATION_MARK
    from alignbench.labels.read import read_labels

    if not inputs:
        further = ", of which --labels adds those of another labeller" if more else ""
        raise click.UsageError(f"{str(labels)!r} alone: INPUT... are the verdicts, and LABELS are the labels{further}.")
    if output is not None:
        refuse_overwriting_inputs([output], [*inputs, labels, *more, *cards])
        refuse_replacing_other_files(output, CALIBRATION_MARK, "calibration")
    table = combined(read(inputs, latest=latest), panel, read_cards(cards))
    found = calibrate(table, read_labels([labels, *more]), judge=judge, confidence=confidence, seed=seed)
    if output is not None:
        found.save(output)
    if form == "json":
        both = {name: getattr(found, name).to_dict("records") for name in ("rates", "agreement")}
        click.echo(json_text(both), nl=False)
        return
    if form == "csv":
        echo_csv(found.rates)
        return
    coverage = stated_percent(confidence)
    meaning = explain_flags(flag for flags in found.rates["flags"] for flag in flags)
    caption = "\n".join(filter(None, (_COLUMNS, meaning)))
    print_table([_rate_row(row, coverage) for row in found.rates.to_dict("records")], caption=caption)
    for line in _left_out(found):
        print_text(line)
    rows = found.agreement[found.agreement["coefficient"].isin(_SHOWN)].to_dict("records")
    if rows:
        shown = [_agreement_row(row, coverage) for row in rows]
        click.echo()
        print_table(shown, title="Agreement on the labelled outputs", caption=_drawn(found.rates))
    if output is not None:
        click.echo(f"wrote {output}")


_COLUMNS = (
    "flagged, others: labelled outputs that the judge called the event, and the rest; of these, those that most of "
    "their labellers call the event, ties, and none. A split output counts by the share of its labellers."
)


def _drawn(rates: pd.DataFrame) -> str:
    """What the agreement is about: every judged output, or a sample by what the judge said."""

    packs = rates[rates["pack"] != OVERALL]
    labels, outputs, flagged, every = (int(packs[one].sum()) for one in ("labels", "n", "flagged_labelled", "events"))
    about = "Every judged output of these rows is labelled"
    if labels < outputs:
        about = (
            f"The judge flagged {flagged} of the {labels} labelled outputs, and {every} of all {outputs} judged ones: "
            "its agreement with people is that on the labelled ones, not over all outputs"
        )
    return f"{about}. As in the corrected rates, a label off_task is no event."


def _left_out(found: Calibrated) -> Iterator[str]:
    """What the table of rates does not show."""
    if found.unlabelled:
        rows = "One more row" if found.unlabelled == 1 else f"{found.unlabelled} more rows"
        yield f"{rows} of model, pack and measure without a label keep their raw rates (alignbench rates)."
    if found.earlier_turns:
        yield (
            f"{found.earlier_turns} labelled outputs are earlier turns of a conversation, and in no row here: they "
            "correct rates --by turn."
        )


def _sum(row: dict[Any, Any], side: str) -> str:
    """The labels on one side of the judge's verdict as a sum: event, tied, none."""
    confirmed, tied, every = (row[f"{side}_{name}"] for name in ("confirmed", "tied", "labelled"))
    return f"{confirmed} + {tied} + {every - confirmed - tied}"


def _rate_row(row: dict[Any, Any], coverage: str) -> dict[str, Any]:
    return {
        "model": row["model"],
        "pack": row["pack"],
        **({"condition": row["condition"]} if "condition" in row else {}),
        "measure": row["measure"],
        "raw": percent(row["raw_rate"]),
        f"raw {coverage}": interval(row["raw_low"], row["raw_high"]),
        "corrected": _corrected(row),
        f"corrected {coverage}": interval(row["low"], row["high"]) if is_corrected_method(row["method"]) else "-",
        "judged outputs": row["n"],
        "labelled": row["labels"],
        "flagged: event + tie + none": _sum(row, "flagged"),
        "others: event + tie + none": _sum(row, "other"),
        "flags": ", ".join(row["flags"]),
    }


def _corrected(row: dict[Any, Any]) -> str:
    """The corrected rate; where there is none for want of labels, that."""
    if is_corrected_method(row["method"]):
        return percent(row["rate"])
    return f"too few labels ({row['labels']})" if Flag.FEW_LABELS in row["flags"] else "-"


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
