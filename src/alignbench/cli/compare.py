"""alignbench compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from alignbench.cli.calibration import calibration_option
from alignbench.cli.options import (
    by_option,
    confidence_option,
    format_option,
    latest_option,
    panel_options,
    seed_option,
)
from alignbench.cli.output import emit
from alignbench.cli.sides import name_options, read_sides, sides_argument
from alignbench.stats.methods import DifferenceMethod
from alignbench.text.numbers import number, number_of, p_value, percent, points, points_interval, stated_percent

if TYPE_CHECKING:
    import pandas as pd

    from alignbench.analysis.compare.compare import Comparison
    from alignbench.judges.panel import How


@click.command()
@sides_argument
@name_options
@latest_option
@by_option("pack")
@click.option("--packs", metavar="PACK,...", help="The packs asked for; default: those of either side.")
@click.option(
    "--method", type=click.Choice(get_args(DifferenceMethod)), default=None,
    help="Another interval than the default one; newcombe_10 and tango are for one output a scenario.",
)  # fmt: skip
@click.option("--unpaired", "listed", metavar="FILE",
              help="Write the outputs without a partner to this CSV file, in a folder that exists.")  # fmt: skip
@panel_options
@calibration_option
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    packs: str | None,
    listed: str | None,
    panel: How | None,
    cards: tuple[str, ...],
    form: str,
    seed: int,
    **options: Any,
) -> None:
    """What changed from BASE to CANDIDATE: misalignment on conflicts, over-refusal on their benign twins, and how
    many answers of each were useful (acted_well, helped).

    Outputs of one scenario, condition, epoch and turn are partners. One INPUT with both models needs --base
    NAME; without --candidate every other model is compared. --by split adds how much more the candidate
    changed on unseen families than on seen ones. Differences are in percentage points. What is shown to differ is
    decided by the test (p Holm), not by the interval, which speaks of its row alone.
    """
    from alignbench.analysis.compare.compare import comparison
    from alignbench.analysis.compare.rows import CompareRow
    from alignbench.documents.csv_files import frame_csv
    from alignbench.files import refuse_overwriting_inputs, write_text
    from alignbench.text.rows import meanings

    labels = options["calibration"]
    refuse_overwriting_inputs([listed], [*inputs, *cards, None if labels is None else labels.source])
    chosen: dict[str, Any] = {
        **options,
        "packs": [name.strip() for name in packs.split(",")] if packs else None,
    }
    found = comparison(*read_sides(inputs, panel, cards, latest=latest), **chosen, seed=seed, inputs=inputs)
    if listed:
        write_text(listed, frame_csv(found.unpaired))
    frame, columns = found.frame, meanings(CompareRow)
    keys = [name for name in frame.columns if name not in columns]

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {
            # The rates have the headings base and candidate.
            **{"model" if name == "candidate" else name: record[name] for name in keys},
            "measure": record["measure"],
            "pack": record["pack"],
            "base": percent(record["rate_base"]),
            "candidate": percent(record["rate_candidate"]),
            "change": points(record["difference"]),
            f"{stated_percent(options['confidence'])} interval": points_interval(record["low"], record["high"]),
            "bounds": points_interval(record["bound_low"], record["bound_high"]),
            "r": number(record["r"], 2),
            "p": p_value(record["p"]),
            "p Holm": p_value(record["p_holm"]),
            "pairs": record["pairs"],
            "scenarios": record["scenarios"],
            "informative": record["informative_scenarios"],
            "detectable": points(record["mde_80"]),
            "flags": ", ".join(record["flags"]),
        }

    title = f"{found.base} -> {', '.join(found.candidates)}"
    emit(frame, form, table=row, title=title, caption=_caption(found, options["confidence"], seed))


_COLUMNS = (
    "change, interval, detectable: percentage points, on what is judged on both sides. bounds: the limits whatever "
    "would have been said of outputs that one side has lost. r: how far the two rates go together over scenarios; - if "
    "one of them is the same in all. p: two-sided, by flipping signs of whole scenarios; p Holm: adjusted for the "
    "packs, or other groups, of one measure{candidates}. informative: scenarios in which the two differ. detectable: a "
    "true rise found in 80 of 100 such comparisons; - if the two differ in too few scenarios to tell."
)


def _caption(found: Comparison, confidence: float, seed: int) -> str:
    from alignbench.analysis.compare.comparisons import described

    listed = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in found.reasons.items())
    partners = (
        f"Without a partner, and left out: {listed} (--unpaired FILE lists them)."
        if listed
        else "Every output has a partner."
    )
    several = len(found.candidates)
    columns = _COLUMNS.format(candidates=f" and for all {several} candidates" if several > 1 else "")
    about = (line[:1].upper() + line[1:] for line in described(found.sides))
    return "\n".join(filter(None, (*about, columns, _apart(found.frame, confidence), f"{partners} Seed {seed}.")))


def _apart(frame: pd.DataFrame, confidence: float) -> str:
    """Which of the two counts, where an interval and the test of its row disagree; else empty."""
    tested = frame[frame["p_holm"].notna() & frame["low"].notna() & frame["high"].notna()]
    clear = (tested["low"] > 0) | (tested["high"] < 0)
    alpha = round(1 - confidence, 12)
    rows = int((clear != (tested["p_holm"] < alpha)).sum())
    if not rows:
        return ""
    return (
        f"In {number_of(rows, 'row')} the interval and p Holm disagree about whether there is a change. "
        "The interval is made in another way, for its row alone, and is not adjusted for the number of tests. "
        f"The test decides: shown is what has p Holm < {alpha:g}."
    )
