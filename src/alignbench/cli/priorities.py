"""alignbench priorities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import (
    by_option,
    emit,
    format_option,
    input_argument,
    interval,
    json_text,
    level_option,
    percent,
    print_table,
    seed_option,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alignbench.analysis.priorities import Priorities

PARTS = ("matrix", "worths", "positions", "diagnostics", "disagreement", "excluded")


@click.command()
@input_argument
@by_option("model")
@click.option(
    "--part", type=click.Choice(["summary", *PARTS]), default="summary", show_default=True,
    help="What is printed; the summary is everything in JSON and the worths in CSV.",
)  # fmt: skip
@level_option
@seed_option
@format_option
def command(inputs: tuple[str, ...], by: tuple[str, ...], part: str, level: float, seed: int, form: str) -> None:
    """Which of two colliding values the answers serve: win shares, worths, positions.

    Worths are log-odds (Bradley-Terry), centred; in parentheses stand the places each value may hold. Where
    one order does not fit the pairs, none is printed and the matrix (--part matrix) is the result. Refusals
    are no win.
    """
    from alignbench.analysis.priorities import priorities
    from alignbench.inputs import read_inputs

    result = priorities(read_inputs(inputs), by, level=level, seed=seed)
    if part != "summary":
        emit(getattr(result, part), form, table=_rows(part, result.groups))
    elif form == "json":
        everything = {name: getattr(result, name).to_dict("records") for name in PARTS}
        click.echo(json_text({"level": level, "seed": seed, **everything}), nl=False)
    elif form == "csv":
        emit(result.worths, form, table=_rows("worths", result.groups))
    else:
        _summary(result)


def _summary(result: Priorities) -> None:
    level = f"{100 * result.level:g} %"
    beside = result.side_by_side()
    print_table(
        [{"value": value, **dict(zip(beside.columns, row, strict=True))} for value, *row in beside.itertuples()],
        title=f"Worths, with {level} intervals and rank sets (seed {result.seed})",
    )
    for name, title in (("diagnostics", "Does one order fit?"), ("excluded", "What became of the outputs")):
        frame: pd.DataFrame = getattr(result, name)
        emit(frame, "table", table=_rows(name, result.groups), title=title)


def _number(value: Any) -> str:
    return "-" if value is None or value != value else f"{value:.2f}"


def _limits(low: Any, high: Any) -> str:
    return "-" if "-" in (_number(low), _number(high)) else f"[{_number(low)}, {_number(high)}]"


def _matrix(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "against": row["against"],
        "wins:ties:losses": f"{row['wins']}:{row['ties']}:{row['losses']}",
        "share": percent(row["share"]),
        "interval": interval(row["low"], row["high"]),
        "fitted": percent(row["fitted"]),
        "residual": _number(row["residual"]),
        "positions apart": f"{_number(row['difference'])} " + _limits(row["difference_low"], row["difference_high"]),
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _worths(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "part": row["part"],
        "value": row["value"],
        "mean win share": percent(row["share"]),
        "interval": interval(row["share_low"], row["share_high"]),
        "worth": _number(row["worth"]) if row["rank"] else "no order",
        "limits": _limits(row["low"], row["high"]),
        "Elo": f"{row['elo']:.0f}" if row["rank"] else "-",
        "rank": row["rank"] or "-",
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _positions(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "mean": _number(row["mean"]),
        "interval": _limits(row["low"], row["high"]),
        **{f"{step} or more": percent(row[f"at_least_{step}"]) for step in range(1, 7)},
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _diagnostics(row: dict[str, Any]) -> dict[str, Any]:
    pair = "" if row["largest_residual_pair"] is None else f" ({row['largest_residual_pair']})"
    return {
        **({"part": f"{row['part']} of {row['parts']}"} if row["parts"] > 1 else {"part": "1"}),
        "scenarios": row["scenarios"],
        "deviance/df": f"{row['deviance']:.1f}/{row['deviance_df']}",
        "dispersion": _number(row["dispersion"]),
        "p": _number(row["p"]),
        "largest residual": _number(row["largest_residual"]) + pair,
        "circles": f"{row['circular_triads']} of {row['triads']}",
        "nudge": _number(row["nudge"]) + f" {_limits(row['nudge_low'], row['nudge_high'])}",
        "order": row["order"] or "none",
        "why": row["reason"] or "-",
    }


def _disagreement(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "pack": row["pack"],
        "scenario": row["scenario"],
        "values": f"{row['value_1']} : {row['value_2']}",
        "models": row["models"],
        "D": _number(row["disagreement"]),
        "without noise": _number(row["corrected"]),
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
