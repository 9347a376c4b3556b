"""alignbench rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from alignbench.cli.calibration import calibration_option, raw_cells, transported_option
from alignbench.cli.options import (
    by_option,
    confidence_option,
    format_option,
    input_argument,
    latest_option,
    panel_options,
)
from alignbench.cli.output import emit, print_table, print_text, tell
from alignbench.cli.reading import combined, read
from alignbench.stats.methods import Method
from alignbench.text.flags import explain_flags
from alignbench.text.numbers import percent, rate_and_interval, stated_percent, upper_bound
from alignbench.vocabulary import MISALIGNMENT, OVER_REFUSAL

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from alignbench.judges.panel import How
    from alignbench.labels.calibration import Calibration


@click.command()
@input_argument
@latest_option
@by_option("model,pack")
@click.option(
    "--method", type=click.Choice(get_args(Method)), default="gaffke", show_default=True,
    help="Interval; gaffke assumes nothing about how scenarios differ, see the README.",
)  # fmt: skip
@click.option("--packs", default=None, metavar="PACK,...", help="The packs asked for; default: those in INPUT.")
@panel_options
@calibration_option
@transported_option
@click.option("--ledger", is_flag=True, help="Print what became of every output asked for, in place of the rates.")
@confidence_option
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the order of scenarios, for --method betting.")
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    by: tuple[str, ...],
    method: Method,
    packs: str | None,
    panel: How | None,
    cards: tuple[str, ...],
    calibration: Calibration | None,
    transported: str | None,
    ledger: bool,
    confidence: float,
    seed: int,
    form: str,
) -> None:
    """The two errors and the two kinds of usefulness, side by side.

    misalignment: misaligned, on conflicts; over_refusal: refused, on their benign twins; acted_well and helped:
    aligned, on conflicts and on twins. Intervals treat the scenario as the unit. Headline rows only (default
    condition, last turn) unless --by names condition, nudge or turn; --by model,pack,run sets runs that answer the same
    side by side, each with its date. --ledger says how many outputs were asked for,
    answered and judged, and why the others were not. With --cards each row says whether its judge was found fit. With
    --calibration both error rates are corrected for what the judge gets wrong, and "raw" and "events" are what its
    verdicts say; uncorrected: the raw rate stays.
    """
    from alignbench.analysis.rates.rates import rates
    from alignbench.analysis.rates.rows import RateRow
    from alignbench.analysis.rates.transported import load_transport
    from alignbench.judges.marking import read_cards
    from alignbench.table.columns import CARD_COLUMN
    from alignbench.text.rows import meanings

    wanted = [name.strip() for name in packs.split(",")] if packs else None
    table = combined(read(inputs, by, latest=latest), panel, read_cards(cards), by)
    by = (*by, CARD_COLUMN) if cards else by
    guess = load_transport(transported, table) if transported else None
    for note in guess.notes if guess else ():
        print_text(note, err=True)
    chosen: dict[str, Any] = {"confidence": confidence, "method": method, "seed": seed, "packs": wanted}
    frame = rates(table, by, **chosen, calibration=calibration, transported=guess)
    keys = [name for name in frame.columns if name not in meanings(RateRow)]
    if calibration is not None and not frame["labels"].fillna(0).any():
        tell(f"warning: {calibration.source} has no label of these outputs: nothing is corrected")
    if ledger:
        _ledger(frame[[*keys, "measure", *_ledger_columns(), "flags"]], keys, form)
        return
    if form != "table":
        emit(frame, form, table=dict)
        return
    _print(_by_group(frame, keys), keys, _row(frame, confidence), _caption(frame, stated_percent(confidence)))


def _print(frame: pd.DataFrame, keys: list[str], row: Callable[[dict[str, Any]], dict[str, Any]], caption: str) -> None:
    """Print rows with what names their group before them, and below them what the flags mean that occur."""
    rows = [
        {**{name: record[name] for name in keys}, **row({str(name): value for name, value in record.items()})}
        for record in frame.to_dict("records")
    ]
    said = explain_flags(flag for flags in frame["flags"] for flag in flags)
    names = [*keys, "measure" if "measure" in rows[0] else "of"] if rows else None
    print_table(rows, caption="\n".join(filter(None, (caption, said))), keys=names, once=True)


def _by_group(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The measures of a group below each other."""
    group = frame.groupby(keys, sort=False, dropna=False, observed=True).ngroup()
    return frame.iloc[group.argsort(kind="stable")].reset_index(drop=True)


def _row(frame: pd.DataFrame, confidence: float) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """How a person sees a row; a column that says nothing in any of them is left out."""
    whole = (frame["judged"] == frame["asked"]).all()
    silent = not any(map(upper_bound, frame["one_sided_upper"])) and not frame["flags"].map(len).any()

    def row(record: dict[str, Any]) -> dict[str, Any]:
        notes = [*record["flags"], *filter(None, [upper_bound(record["one_sided_upper"])])]
        return {
            "measure": record["measure"],
            f"% [{stated_percent(confidence)} interval]": rate_and_interval(
                record["rate"], record["low"], record["high"]
            ),
            **raw_cells(record),
            "events": f"{record['events']}/{record['n']} in {record['scenarios']}",
            **({} if whole else {"judged": f"{record['judged']}/{record['asked']}"}),
            **({} if silent else {"flags": ", ".join(notes)}),
        }

    return row


def _ledger_columns() -> list[str]:
    """The columns of the ledger, with the outputs off task beside those that were judged."""
    from alignbench.table.ledger import Ledger
    from alignbench.text.rows import meanings

    columns = list(meanings(Ledger))
    columns.insert(columns.index("coverage") + 1, "off_task")
    return columns


def _ledger(frame: pd.DataFrame, keys: list[str], form: str) -> None:
    """Print the ledger; as a table a line for the conflicts and one for the twins of a group, without empty columns."""
    if form != "table":
        emit(frame, form, table=dict)
        return
    kinds = {MISALIGNMENT.name: "conflicts", OVER_REFUSAL.name: "twins"}
    shown = _by_group(frame[frame["measure"].isin(list(kinds))], keys)
    counts = [name for name in frame.columns if name not in (*keys, "measure", "flags")]
    kept = [name for name in counts if name in _ALWAYS or shown[name].any()]
    silent = not shown["flags"].map(len).any()

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {
            "of": kinds[record["measure"]],
            **{name: percent(record[name]) if name == "coverage" else record[name] for name in kept},
            **({} if silent else {"flags": ", ".join(record["flags"])}),
        }

    _print(shown, keys, row, _LEDGER)


_ALWAYS = ("asked", "answered", "judged", "coverage")
_LEDGER = (
    "asked = judged + the reasons; answered: asked, less absent, error, no_response and limited; coverage: judged of "
    "asked. off_task and filtered (the provider withheld the answer, which counts as refused) are among the judged."
)


def _caption(frame: pd.DataFrame, confidence: str) -> str:
    lines = [
        "events: misaligned, refused or (acted_well, helped) aligned answers, of those that count, in how many "
        "scenarios; an answer off task counts as not useful and in no error."
    ]
    if (frame["judged"] < frame["asked"]).any():
        lines.append("judged: outputs with a verdict, of those asked for; --ledger has the reasons of the rest.")
    if frame["one_sided_upper"].notna().any():
        lines.append(
            f"no event, at most: the one-sided {confidence} bound, which holds however alike the answers to one "
            "scenario are."
        )
    return "\n".join(lines)
