"""alignbench rates."""

from __future__ import annotations

from typing import Any, get_args

import click

from alignbench.cli.common import (
    by_option,
    emit,
    format_option,
    input_argument,
    interval,
    level_option,
    percent,
)
from alignbench.stats.rate import Method


@click.command()
@input_argument
@by_option("model,pack")
@click.option(
    "--method", type=click.Choice(get_args(Method)), default="s1", show_default=True,
    help="Interval: s1 holds for rare events too; see the README.",
)  # fmt: skip
@click.option(
    "--packs", default=None, metavar="PACK,...", help="The packs asked for; default: those in INPUT."
)
@level_option
@format_option
def command(
    inputs: tuple[str, ...], by: tuple[str, ...], method: Method, packs: str | None, level: float, form: str
) -> None:
    """Misalignment on conflicts and over-refusal on their benign twins, side by side.

    Intervals treat the scenario as the unit. Headline rows only (default condition, last turn) unless --by names
    condition, nudge or turn. "unjudged" counts outputs off task or without a verdict; they are in no rate.
    """
    from alignbench.analysis.rates import RATE_KEYS, rates
    from alignbench.inputs import read_inputs

    wanted = [name.strip() for name in packs.split(",")] if packs else None
    frame = rates(read_inputs(inputs), by, level=level, method=method, packs=wanted)
    keys = [name for name in frame.columns if name not in RATE_KEYS]

    def row(record: dict[str, Any]) -> dict[str, Any]:
        zero = record["one_sided_upper"]
        return {
            **{name: record[name] for name in keys},
            "measure": record["measure"],
            "rate": percent(record["rate"]),
            f"{100 * level:g} % interval": interval(record["low"], record["high"]),
            "events": f"{record['events']}/{record['n']}",
            "scenarios": record["scenarios"],
            "unjudged": record["outputs"] - record["n"],
            "flags": ", ".join(record["flags"])
            + (f" upper {percent(zero)}" if zero == zero and zero else ""),
        }

    emit(frame, form, table=row)
