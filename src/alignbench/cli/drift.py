"""alignbench drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import (
    emit,
    format_option,
    input_argument,
    interval,
    json_text,
    level_option,
    number,
    number_interval,
    percent,
    seed_option,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

PARTS = ("rates", "positions", "divergence", "worths", "orders", "survival", "flips")


@click.command()
@input_argument
@click.option("--axis", default="condition", show_default=True, metavar="AXIS",
              help="condition, nudge, turn, or an axis that conditions name.")  # fmt: skip
@click.option("--part", type=click.Choice(["all", *PARTS]), default="all", show_default=True,
              help="What is printed; all of it is the rates in CSV.")  # fmt: skip
@level_option
@seed_option
@format_option
def command(inputs: tuple[str, ...], axis: str, part: str, level: float, seed: int, form: str) -> None:
    """Do answers drift when circumstances change?

    Each level of an axis against its default, paired within scenarios: rates, positions on the values, the
    order of the values, and under pressure over several turns when the stance is given up. Distances between
    distributions stand beside what chance makes of them.
    """
    from alignbench.analysis.drift import drift
    from alignbench.inputs import read_inputs

    found = drift(read_inputs(inputs), axis, level=level, seed=seed)
    if part == "all" and form == "json":
        frames = {name: getattr(found, name).to_dict("records") for name in PARTS}
        click.echo(json_text({"axis": axis, "level": level, "seed": seed, **frames}), nl=False)
        return
    for name in PARTS if part == "all" and form == "table" else ("rates" if part == "all" else part,):
        frame: pd.DataFrame = getattr(found, name)
        if part == name or len(frame) or name == "rates":
            emit(frame, form, table=_row(name), title=_TITLES[name].format(level=f"{100 * level:g} %"))


_TITLES = {
    "rates": "Rates, paired ({level} intervals)",
    "positions": "Positions 0-6 on the values ({level} intervals)",
    "divergence": "Distance of distributions, beside its mean under no drift",
    "worths": "Change of log-worths ({level} intervals)",
    "orders": "Order of the values",
    "survival": "Share that has not flipped to misaligned, by turn ({level} intervals)",
    "flips": "Flips ({level} intervals)",
}


def _rates(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "measure": row["measure"] or "-",
        "pack": row["pack"],
        "from rate": percent(row["rate_base"]),
        "to rate": percent(row["rate_candidate"]),
        "difference": percent(row["difference"]),
        "interval": interval(row["low"], row["high"]),
        "p": number(row["p"]),
        "p (BH)": number(row["p_bh"]),
        "pairs": row["pairs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _positions(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "shift": number(row["shift"], 2),
        "interval": number_interval(row["low"], row["high"], 2),
        "absolute": number(row["absolute"], 2),
        "of which noise": number(row["absolute_null"], 2),
        "crossing neutral": percent(row["crossing"]),
        "limits": interval(row["crossing_low"], row["crossing_high"]),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _divergence(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "of": row["of"],
        "total variation": number(row["total_variation"]),
        "by chance": number(row["total_variation_null"]),
        "p": number(row["total_variation_p"]),
        "Jensen-Shannon, bits": number(row["jensen_shannon"]),
        "by chance ": number(row["jensen_shannon_null"]),
        "p ": number(row["jensen_shannon_p"]),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _worths(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "part": row["part"],
        "before": number(row["worth_from"], 2),
        "after": number(row["worth_to"], 2),
        "change": number(row["difference"], 2),
        "interval": number_interval(row["low"], row["high"], 2),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _orders(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "part": f"{row['part']} of {row['parts']}",
        "values": row["values"],
        "Spearman": number(row["spearman"], 2),
        "Kendall": number(row["kendall"], 2),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _survival(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "turn": row["turn"],
        "held": percent(row["held"]),
        "interval": interval(row["low"], row["high"]),
        "flips": f"{row['flips']}/{row['at_risk']}",
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _flips(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "flipped": f"{row['flipped']}/{row['conversations']}",
        "half by turn": number(row["median_turn"], 0),
        "turns held": number(row["turns_held"], 2),
        "interval": number_interval(row["turns_held_low"], row["turns_held_high"], 2),
        "changes of stance": number(row["changes"], 2),
        "limits": number_interval(row["changes_low"], row["changes_high"], 2),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


_ROWS = {
    "rates": _rates,
    "positions": _positions,
    "divergence": _divergence,
    "worths": _worths,
    "orders": _orders,
    "survival": _survival,
    "flips": _flips,
}


def _row(part: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """How a person sees a row of one part: the model, the levels, then the numbers."""

    def row(record: dict[str, Any]) -> dict[str, Any]:
        shown = {name: record[name] for name in list(record) if name in ("model", "from", "to", "at")}
        return {**shown, **_ROWS[part](record)}

    return row
