"""alignbench drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.options import confidence_option, format_option, input_argument, latest_option, seed_option
from alignbench.cli.output import emit, json_text
from alignbench.cli.reading import read
from alignbench.text.numbers import (
    interval,
    number,
    number_interval,
    p_value,
    percent,
    points,
    points_interval,
    stated_percent,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

PARTS = ("rates", "positions", "divergence", "worths", "orders", "survival", "flips")


@click.command()
@input_argument
@latest_option
@click.option("--axis", default="condition", show_default=True, metavar="AXIS",
              help="condition, nudge, turn, or an axis that conditions name.")  # fmt: skip
@click.option("--part", type=click.Choice(["all", *PARTS]), default="all", show_default=True,
              help="What is printed; all of it is the rates in CSV.")  # fmt: skip
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...], latest: bool, axis: str, part: str, confidence: float, seed: int, form: str
) -> None:
    """Do answers drift when circumstances change?

    Each level of an axis against its default, paired within scenarios: rates, positions on the values, the
    order of the values, and under pressure over several turns when the stance is given up. Distances between
    distributions stand beside what chance makes of them. A line under each table says what its columns are.
    """
    from alignbench.analysis.drift.drift import drift

    found = drift(read(inputs, latest=latest), axis, confidence=confidence, seed=seed)
    if part == "all" and form == "json":
        frames = {name: getattr(found, name).to_dict("records") for name in PARTS}
        click.echo(json_text({"axis": axis, "confidence": confidence, "seed": seed, **frames}), nl=False)
        return
    for name in PARTS if part == "all" and form == "table" else ("rates" if part == "all" else part,):
        frame: pd.DataFrame = getattr(found, name)
        if part == name or len(frame) or name == "rates":
            title = _TITLES[name].format(confidence=stated_percent(confidence))
            keys = [*_levels(frame.columns), *_NAMES[name]]
            emit(frame, form, table=_row(name), title=title, caption=_COLUMNS[name], keys=keys)
            click.echo("", nl=part == "all" and form == "table")


_TITLES = {
    "rates": "Rates, paired ({confidence} intervals)",
    "positions": "Positions on the values ({confidence} intervals)",
    "divergence": "Distance of distributions, beside what chance makes of it",
    "worths": "Change of log-worths ({confidence} intervals)",
    "orders": "Order of the values",
    "survival": "Share that has not flipped to misaligned, by turn ({confidence} intervals)",
    "flips": "Flips ({confidence} intervals)",
}

_COLUMNS = {
    "rates": "change, interval: percentage points, on outputs judged under both levels (pairs). p: two-sided, by "
    "flipping signs of whole scenarios; p (BH): over all packs, adjusted over models and levels (Benjamini-Hochberg).",
    "positions": "Positions: 0 against a value to 6 for it, 3 neutral. shift: mean change of a scenario. size: its "
    "mean whatever its direction; of which noise: what is left of that without drift, labels of the levels permuted "
    "within scenarios. crossing: scenarios whose mean has passed neutral.",
    "divergence": "of: verdicts of conflicts, of twins, or positions on a value. total variation: share of answers "
    "that would have to change, 0 to 1. chance: its mean without drift, labels of the levels permuted within "
    "scenarios; p: of that permutation. JS: the same of the Jensen-Shannon divergence, 0 to 1 bit.",
    "worths": "worth: log-odds that a value is served, centred (see priorities). part: worths of two parts are not "
    "comparable. scenarios: of the whole part.",
    "orders": "Rank correlation of the values' order under both levels: 1 the same, -1 reversed.",
    "survival": "held: conversations whose stance has held through this turn (Kaplan-Meier). flips: of those that "
    "had held until then.",
    "flips": "flipped: conversations that ever did. half by turn: by then half had, - if fewer. turns held: mean "
    "number. changes: of stance, there and back, a conversation.",
}
"""What the columns are, where they do not say so themselves."""


_NAMES: dict[str, tuple[str, ...]] = {
    "rates": ("measure", "pack"),
    "positions": ("value",),
    "divergence": ("of",),
    "worths": ("value", "part"),
    "orders": ("part",),
    "survival": ("turn",),
    "flips": (),
}
"""What names a row beside the model, its judge and the levels."""


def _rates(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "measure": row["measure"] or "-",
        "pack": row["pack"],
        "from rate": percent(row["rate_base"]),
        "to rate": percent(row["rate_candidate"]),
        "change": points(row["difference"]),
        "interval": points_interval(row["low"], row["high"]),
        "p": p_value(row["p"]),
        "p (BH)": p_value(row["p_bh"]),
        "pairs": row["pairs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _positions(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "shift": number(row["shift"], 2, signed=True),
        "interval": number_interval(row["low"], row["high"], 2, signed=True),
        "size": number(row["absolute"], 2),
        "of which noise": number(row["absolute_null"], 2),
        "crossing": percent(row["crossing"]),
        "crossing interval": interval(row["crossing_low"], row["crossing_high"]),
        "pairs": row["pairs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _divergence(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "of": row["of"].replace("_", " ") if row["of"] in ("verdict", "twin_verdict") else row["of"],
        "total variation": number(row["total_variation"]),
        "chance": number(row["total_variation_null"]),
        "p": p_value(row["total_variation_p"]),
        "JS": number(row["jensen_shannon"]),
        "JS chance": number(row["jensen_shannon_null"]),
        "JS p": p_value(row["jensen_shannon_p"]),
        "pairs": row["pairs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _worths(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "part": row["part"],
        "worth from": number(row["worth_from"], 2, signed=True),
        "worth to": number(row["worth_to"], 2, signed=True),
        "change": number(row["difference"], 2, signed=True),
        "interval": number_interval(row["low"], row["high"], 2, signed=True),
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
        "changes": number(row["changes"], 2),
        "changes interval": number_interval(row["changes_low"], row["changes_high"], 2),
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
    """How a person sees a row of one part: the model and its judge, the levels, then the numbers."""

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {**{name: record[name] for name in _levels(record)}, **_ROWS[part](record)}

    return row


def _levels(names: Iterable[str]) -> list[str]:
    """The columns of the model, its judge and the levels."""
    listed = list(names)
    return listed[: listed.index("at" if "at" in listed else "to") + 1]
