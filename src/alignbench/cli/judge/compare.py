"""alignbench judge compare."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.options import by_option, confidence_option, format_option, latest_option, seed_option
from alignbench.cli.output import echo_csv, emit, json_text, print_table, print_text
from alignbench.cli.sides import read_sides
from alignbench.text.flags import FLAGS
from alignbench.text.numbers import number, number_interval, p_value, percent, points, points_interval, stated_percent

if TYPE_CHECKING:
    import pandas as pd

    from alignbench.analysis.compare.two_judges import JudgeComparison

SHOWN = 20
"""Changed scenarios on the terminal; JSON has them all."""
_COEFFICIENTS = ("observed_agreement", "positive_agreement", "gwet_ac1", "krippendorff_alpha")


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="A [B]")
@click.option("--base", "base_name", metavar="JUDGE", help="The first judge, where an input holds several.")
@click.option("--candidate", "candidate_name", metavar="JUDGE", help="The second judge, likewise.")
@latest_option
@by_option("model,pack")
@confidence_option
@seed_option
@format_option
def command(
    inputs: tuple[str, ...], latest: bool, by: tuple[str, ...], form: str, seed: int, confidence: float, **options: Any
) -> None:
    """Two judges, or two versions of one, on the same outputs: what changes?

    A holds both judges (after judge rescore), or A one and B the other. Shown are the change of the measured rates, in
    percentage points with intervals over scenarios, who said what, agreement, and the scenarios whose verdicts changed.
    JUDGE is a name, or the digest of a configuration where both have one name. Rows are by model: a judge may have
    become milder to one and harsher to another, which --by pack, with all models in one row, would hide. Agreement is
    not validity: judges fail together.
    """
    from alignbench.analysis.compare.two_judges import compare_judges

    found = compare_judges(
        *read_sides(inputs, by=by, latest=latest), by=by, seed=seed, confidence=confidence, **options
    )
    if form == "json":
        frames = {name: getattr(found, name) for name in ("differences", "agreement", "confusion", "scenarios")}
        names = ("base", "candidate", "outputs", "models", "left_out", "unscored", "flags")
        facts = {name: getattr(found, name) for name in names}
        click.echo(json_text({**facts, **{name: frame.to_dict("records") for name, frame in frames.items()}}), nl=False)
    elif form == "csv":
        echo_csv(found.differences)
    else:
        _print(found, stated_percent(confidence))


def _print(found: JudgeComparison, coverage: str) -> None:
    print_text(
        f"{found.base} -> {found.candidate}: {found.outputs} outputs seen by both, {found.left_out} by one only; "
        f"without a verdict {found.unscored[0]} -> {found.unscored[1]}"
    )
    for flag in found.flags:
        print_text(f"warning: {FLAGS[flag]}")
    click.echo()
    columns = "change, interval: percentage points. p: two-sided, by flipping signs of whole scenarios."
    emit(found.differences, "table", table=partial(_difference, coverage), title="Measured rates", caption=columns)
    click.echo()
    over = "" if found.models == 1 else f", {found.models} models together"
    chosen = found.agreement[found.agreement["coefficient"].isin(_COEFFICIENTS)]
    emit(chosen, "table", table=partial(_coefficient, coverage), title=f"Agreement{over}")
    click.echo()
    print_table(_records(found.confusion[found.confusion["outputs"] > 0]), title=f"Who said what{over}")
    if len(found.scenarios):
        more = len(found.scenarios) - SHOWN
        print_table(
            _records(found.scenarios.head(SHOWN)),
            title="Scenarios with changed verdicts",
            caption=f"and {more} more (--format json has them all)" if more > 0 else None,
        )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _difference(coverage: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("model",) if name in row},
        "measure": row["measure"],
        "pack": row["pack"],
        "base": percent(row["rate_base"]),
        "candidate": percent(row["rate_candidate"]),
        "change": points(row["difference"]),
        f"{coverage} interval": points_interval(row["low"], row["high"]),
        "p": p_value(row["p"]),
        "pairs": row["pairs"],
        "scenarios": row["scenarios"],
        "flags": ", ".join(row["flags"]),
    }


def _coefficient(coverage: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "on": row["on"],
        "coefficient": row["coefficient"],
        "value": number(row["value"]),
        f"{coverage} interval": number_interval(row["low"], row["high"]),
        "disagree": f"{row['disagreements']}/{row['units']}",
        "flags": ", ".join(row["flags"]),
    }
