"""alignbench ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.calibration import calibration_option, raw_cells
from alignbench.cli.options import (
    confidence_option,
    format_option,
    input_argument,
    latest_option,
    panel_options,
    seed_option,
    unscored_option,
)
from alignbench.cli.output import emit
from alignbench.cli.reading import combined, read
from alignbench.text.numbers import interval, percent, stated_percent, upper_bound
from alignbench.text.tables import Lines
from alignbench.text.words import visible
from alignbench.vocabulary import MEASURE_NAMES, MISALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alignbench.judges.panel import How
    from alignbench.labels.calibration import Calibration


@click.command()
@input_argument
@latest_option
@click.option(
    "--measure", type=click.Choice(MEASURE_NAMES), default=MISALIGNMENT.name,
    show_default=True, help="The rate that models are ranked by; lowest first.",
)  # fmt: skip
@panel_options
@calibration_option
@unscored_option
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    measure: str,
    panel: How | None,
    cards: tuple[str, ...],
    calibration: Calibration | None,
    confidence: float,
    seed: int,
    form: str,
    **options: Any,
) -> None:
    """Rank sets: the places that each model may hold, all statements together at one confidence.

    Models are ranked together only if judge, rubric and packs agree; "why" says what keeps others apart. With
    --cards what an unfit judge judged is not ranked. With --calibration rates and ranks are corrected for the judge's
    errors, and "raw" is what its verdicts say; models with too few labels are not ranked beside corrected ones.
    """
    from alignbench.analysis.ranks.ranks import ranks
    from alignbench.analysis.ranks.rows import RankRow
    from alignbench.judges.marking import read_cards
    from alignbench.text.rows import meanings

    table = combined(read(inputs, latest=latest), panel, read_cards(cards))
    frame = ranks(table, measure=measure, confidence=confidence, seed=seed, calibration=calibration, **options)
    keys = [name for name in frame.columns if name not in meanings(RankRow)]
    several = frame["group"].nunique() > 1

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {
            **({"group": record["group"]} if several else {}),
            "rank": record["rank"] or "-",
            **{name: record[name] for name in keys},
            measure: percent(record["rate"]),
            f"{stated_percent(confidence)} interval": interval(record["low"], record["high"]),
            **raw_cells(record),
            "events": f"{record['events']}/{record['n']}",
            "scenarios": record["scenarios"],
            "flags": ", ".join(filter(None, [*record["flags"], upper_bound(record["one_sided_upper"])])),
            **({"why": Lines(visible(_why(record) or "-"))} if any(map(_why, frame.to_dict("records"))) else {}),
        }

    caption = (
        "rank: every place that the model may hold; overlapping sets are no order. All sets of a group hold together "
        f"with {stated_percent(confidence)} confidence (seed {seed})."
    )
    emit(frame, form, table=row, caption=caption, keys=keys)


def _why(record: Mapping[Any, Any]) -> str:
    """Why a model has no rank, and what keeps it from the first group."""
    apart = f"not ranked with group 1: {record['apart']}" if record["apart"] else ""
    return "; ".join(filter(None, (record["reason"], apart)))
