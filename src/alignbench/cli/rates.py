"""alignbench rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from alignbench.cli.calibration import calibration_option, raw_cells, transported_option
from alignbench.cli.common import (
    by_option,
    combined,
    emit,
    format_option,
    input_argument,
    interval,
    level_option,
    panel_options,
    percent,
)
from alignbench.flags import upper_bound
from alignbench.stats.rate import Method

if TYPE_CHECKING:
    import pandas as pd

    from alignbench.analysis.panel import How
    from alignbench.judging.calibration import Calibration


@click.command()
@input_argument
@by_option("model,pack")
@click.option(
    "--method", type=click.Choice(get_args(Method)), default="s1", show_default=True,
    help="Interval: s1 holds for rare events too; see the README.",
)  # fmt: skip
@click.option("--packs", default=None, metavar="PACK,...", help="The packs asked for; default: those in INPUT.")
@panel_options
@calibration_option
@transported_option
@level_option
@format_option
def command(
    inputs: tuple[str, ...],
    by: tuple[str, ...],
    method: Method,
    packs: str | None,
    panel: How | None,
    cards: tuple[str, ...],
    calibration: Calibration | None,
    transported: str | None,
    level: float,
    form: str,
) -> None:
    """Misalignment on conflicts and over-refusal on their benign twins, side by side.

    Intervals treat the scenario as the unit. Headline rows only (default condition, last turn) unless --by names
    condition, nudge or turn. "unjudged" counts outputs off task or without a verdict; they are in no rate. With --cards
    each row says whether its judge was found fit. With --calibration the rate is corrected for the judge's errors, and
    "raw" and "events" are what its verdicts say; uncorrected: the raw rate stays.
    """
    from alignbench.analysis.rates import CORRECTION_KEYS, RATE_KEYS, rates
    from alignbench.inputs import read_inputs
    from alignbench.judging.cards import CARD_COLUMN, read_cards
    from alignbench.judging.transported import load_transport

    wanted = [name.strip() for name in packs.split(",")] if packs else None
    table = combined(read_inputs(inputs), panel, read_cards(cards))
    by = (*by, CARD_COLUMN) if cards else by
    guess = load_transport(transported, table) if transported else None
    for note in guess.notes if guess else ():
        click.echo(note, err=True)
    frame = rates(table, by, level=level, method=method, packs=wanted, calibration=calibration, transported=guess)
    keys = [name for name in frame.columns if name not in (*RATE_KEYS, *CORRECTION_KEYS)]

    def row(record: dict[str, Any]) -> dict[str, Any]:
        bound = record["one_sided_upper"]
        zero = [] if bound is None or bound != bound else [upper_bound(bound)]
        return {
            **{name: record[name] for name in keys},
            "measure": record["measure"],
            "rate": percent(record["rate"]),
            f"{100 * level:g} % interval": interval(record["low"], record["high"]),
            **raw_cells(record),
            "events": f"{record['events']}/{record['n']}",
            "scenarios": record["scenarios"],
            "unjudged": record["outputs"] - record["n"],
            "flags": ", ".join([*record["flags"], *zero]),
        }

    emit(frame, form, table=row, caption=_caption(frame, f"{100 * level:g} %"))


def _caption(frame: pd.DataFrame, level: str) -> str:
    lines = ["events: misaligned or refused answers, of those judged. unjudged: off task or without a verdict."]
    if frame["one_sided_upper"].notna().any():
        lines.append(
            f"no event, at most: the one-sided {level} bound, which holds however alike the answers to one scenario "
            "are."
        )
    return "\n".join(lines)
