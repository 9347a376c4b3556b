"""alignbench priorities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.options import (
    by_option,
    confidence_option,
    format_option,
    input_argument,
    latest_option,
    seed_option,
)
from alignbench.cli.output import emit, json_text, print_table
from alignbench.cli.reading import read
from alignbench.text.flags import explain_flags
from alignbench.text.numbers import interval, number, number_interval, p_value, percent, stated_percent
from alignbench.text.tables import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alignbench.analysis.values.priorities import Priorities

PARTS = ("matrix", "worths", "positions", "diagnostics", "disagreement", "excluded")


@click.command()
@input_argument
@latest_option
@by_option("model")
@click.option(
    "--part", type=click.Choice(["summary", *PARTS]), default="summary", show_default=True,
    help="What is printed; the summary is everything in JSON and the worths in CSV.",
)  # fmt: skip
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...], latest: bool, by: tuple[str, ...], part: str, confidence: float, seed: int, form: str
) -> None:
    """Which of two colliding values the answers serve: win shares, worths, positions.

    Worths are log-odds (Bradley-Terry), centred; in parentheses stand the places each value may hold. Where
    one order does not fit the pairs, none is printed and the matrix (--part matrix) is the result. Refusals
    are no win. A line under each table says what its columns are.
    """
    from alignbench.analysis.values.priorities import priorities

    result = priorities(read(inputs, by, latest=latest), by, confidence=confidence, seed=seed)
    if part != "summary" and form == "table":
        _print(part, result)
    elif part != "summary":
        emit(getattr(result, part), form, table=dict)
    elif form == "json":
        everything = {name: getattr(result, name).to_dict("records") for name in PARTS}
        click.echo(json_text({"confidence": confidence, "seed": seed, **everything}), nl=False)
    elif form == "csv":
        emit(result.worths, form, table=dict)
    else:
        _summary(result)


def _summary(result: Priorities) -> None:
    beside = result.side_by_side()
    # A line for each part of a name: as one line the names of model and judge would be wider than what stands below.
    names = [Lines.of(str(name).split(" ")) for name in beside.columns]
    print_table(
        [{"value": value, **dict(zip(names, row, strict=True))} for value, *row in beside.itertuples()],
        keys=["value"],
        title=f"Worths, with {stated_percent(result.confidence)} intervals and rank sets (seed {result.seed})",
        caption="Worth [interval] (places that the value may hold), then the outputs and scenarios it rests on. "
        "no order: see below why; --part matrix has the win shares of every pair.",
    )
    for name, title in (("diagnostics", "Does one order fit?"), ("excluded", "What became of the outputs")):
        click.echo()
        _print(name, result, title)


def _print(part: str, result: Priorities, title: str | None = None) -> None:
    """One part as a table, or as several where the screen is too narrow."""
    frame: pd.DataFrame = getattr(result, part)
    shown = _rows(part, result.groups)
    rows = [shown({str(name): value for name, value in record.items()}) for record in frame.to_dict("records")]
    if rows and "part" in rows[0] and {str(row["part"]) for row in rows} == {"1"}:
        rows = [{name: value for name, value in row.items() if name != "part"} for row in rows]
    known = (*result.groups, "part", "pack", "scenario", "value", "against")
    keys = [name for name in known if rows and name in rows[0]]
    flags = [flag for row in frame["flags"] for flag in row] if "flags" in frame.columns else []
    caption = "\n".join(filter(None, (_COLUMNS[part], explain_flags(flags))))
    print_table(rows, keys=keys, title=title, caption=caption)


_COLUMNS = {
    "matrix": "share: of outputs that favour the value over the other, ties a half. fitted: the share by the worths; "
    "residual: how far the share is from it, in standard errors. positions apart: mean position (0 to 6) on the value "
    "minus that on the other.",
    "worths": "mean win share: over the opponents of the value. worth: log-odds, centred. Elo: 1000 + "
    "400/ln 10 times it. rank: places that the value may hold. part: worths of two parts are not comparable.",
    "positions": "mean: position of the answers on the value, 0 against it to 6 for it, 3 neutral; then the share of "
    "outputs at each position or above.",
    "diagnostics": "deviance/df and p: does one order of worths fit all pairs? If so, the deviance is about as large "
    "as its degrees of freedom (df), and p, of a larger one, is not small. dispersion: 1 if outputs of a scenario were "
    "independent. residual: in standard errors. circles: triples of values that go round. nudge: pull of a nudge, "
    "log-odds.",
    "disagreement": "D: standard deviation between models of the mean position on a value, the larger of the two "
    "values; without noise: less what a model's own repetitions vary.",
    "excluded": "placed: in the numbers above. no position, no values: the judge or the scenario names none.",
}
"""What the columns are, where they do not say so themselves."""


def _matrix(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "against": row["against"],
        "wins:ties:losses": f"{row['wins']}:{row['ties']}:{row['losses']}",
        "share": percent(row["share"]),
        "interval": interval(row["low"], row["high"]),
        "fitted": percent(row["fitted"]),
        "residual": number(row["residual"], 2, signed=True),
        "positions apart": number(row["difference"], 2, signed=True),
        "apart interval": number_interval(row["difference_low"], row["difference_high"], 2, signed=True),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _worths(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "part": row["part"],
        "value": row["value"],
        "mean win share": percent(row["share"]),
        "interval": interval(row["share_low"], row["share_high"]),
        "worth": number(row["worth"], 2, signed=True) if row["rank"] else "no order",
        "worth interval": number_interval(row["low"], row["high"], 2, signed=True),
        "Elo": number(row["elo"], 0) if row["rank"] else "-",
        "rank": row["rank"] or "-",
        "outputs": row["outputs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _positions(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "mean": number(row["mean"], 2),
        "interval": number_interval(row["low"], row["high"], 2),
        **{f"{step} or more": percent(row[f"at_least_{step}"]) for step in range(1, 7)},
        "outputs": row["outputs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _diagnostics(row: dict[str, Any]) -> dict[str, Any]:
    pair = "" if row["largest_residual_pair"] is None else f" ({row['largest_residual_pair']})"
    nudge = number(row["nudge"], 2, signed=True)
    limits = number_interval(row["nudge_low"], row["nudge_high"], 2, signed=True)
    return {
        **({"part": f"{row['part']} of {row['parts']}"} if row["parts"] > 1 else {"part": "1"}),
        "outputs": row["outputs"],
        "scenarios": row["scenarios"],
        "deviance/df": f"{number(row['deviance'], 1)}/{row['deviance_df']}",
        "dispersion": number(row["dispersion"], 2),
        "p": p_value(row["p"]),
        "largest residual": number(row["largest_residual"], 2, signed=True) + pair,
        "circles": f"{row['circular_triads']} of {row['triads']}",
        "nudge": nudge if nudge == "-" else f"{nudge} {limits}",
        "order": row["order"] or "none",
        "why": row["reason"] or "-",
    }


def _disagreement(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "pack": row["pack"],
        "scenario": row["scenario"],
        "values": f"{row['value_1']} : {row['value_2']}",
        "models": row["models"],
        "D": number(row["disagreement"], 2),
        "without noise": number(row["corrected"], 2),
        "flags": ", ".join(row["flags"]),
    }


def _excluded(row: dict[str, Any]) -> dict[str, Any]:
    reasons = ", ".join(f"{reason} {count}" for reason, count in row["unscored"].items())
    names = ("outputs", "placed", "refused", "deferred", "off_task", "no_position", "no_values")
    return {**{name.replace("_", " "): row[name] for name in names}, "unscored": reasons or "0"}


def _rows(part: str, groups: list[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """How a person sees a row of one part, the grouping columns first."""
    shown: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "matrix": _matrix,
        "worths": _worths,
        "positions": _positions,
        "diagnostics": _diagnostics,
        "disagreement": _disagreement,
        "excluded": _excluded,
    }

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {**{name: record[name] for name in groups if name in record}, **shown[part](record)}

    return row
