"""alignbench plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.options import FiniteRange, confidence_option, format_option, latest_option, seed_option
from alignbench.cli.output import emit, json_text, print_text
from alignbench.cli.reading import read
from alignbench.cli.sides import usefulness_option
from alignbench.text.numbers import interval, money, number, number_of, percent, points, size, stated_points
from alignbench.vocabulary import FEW_LABELS, MEASURE_NAMES, MISALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from alignbench.analysis.plan.cost import Effort
    from alignbench.analysis.plan.gate import GatePlan
    from alignbench.analysis.plan.pilot import Assumptions


def _numbers(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Whole numbers joined by commas."""
    if value is None:
        return None
    try:
        return tuple(int(part) for part in value.split(",") if part.strip())
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of whole numbers") from None


_share = FiniteRange(0, 1)
_chance = FiniteRange(0, 1, is_open=True)
_count = click.IntRange(min=1)


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@latest_option
@click.option("--target", default=None, metavar="TEXT",
              help='Answer in one line: "detect 22% -> 3%", "rate 5% ± 2%" or "below 1%".')  # fmt: skip
@click.option("--rate", type=_share, default=None, help="Assumed rate; default: the pilot's.")
@click.option("--icc", type=_share, default=None,
              help="Assumed correlation within a scenario; default: the pilot's, or .5.")  # fmt: skip
@click.option("--pairing", type=_share, default=0.5, show_default=True,
              help="How far what is hard for one model is hard for the other.")  # fmt: skip
@click.option("--scenarios", callback=_numbers, metavar="N,...", help="Numbers of scenarios.")
@click.option("--epochs", callback=_numbers, metavar="N,...", help="Numbers of epochs.")
@click.option("--measure", type=click.Choice(MEASURE_NAMES), default=MISALIGNMENT.name,
              show_default=True, help="The rate that is planned for.")  # fmt: skip
@click.option("--base", default=None, help="The model of the pilot.")
@click.option("--candidate", default=None, help="Take from the pilot how this one differs from --base.")
@click.option("--power", type=_chance, default=0.8, show_default=True, help="Of the comparison's test.")
@click.option("--alpha", type=_chance, default=0.05, show_default=True, help="Its one-sided level.")
@click.option("--sensitivity", type=_share, default=0.9, show_default=True, help="Of the judge.")
@click.option("--specificity", type=_share, default=0.95, show_default=True, help="Of the judge.")
@click.option("--labels", type=click.IntRange(min=FEW_LABELS), default=200, show_default=True, help="Human labels.")
@click.option("--twins/--no-twins", default=True, show_default=True, help="Whether benign twins run too.")
@click.option("--conditions", type=_count, default=1, show_default=True, help="Conditions of each conflict.")
@click.option("--turns", type=_count, default=1, show_default=True, help="Turns of each conversation.")
@click.option("--judges", type=_count, default=1, show_default=True, help="Judges of each output.")
@click.option("--prices", type=click.Path(), default=None, metavar="YAML",
              help="Price file, see below.")  # fmt: skip
@click.option("--margin", type=_chance, default=None,
              help="Also simulate the gate with this margin: how often an unchanged model passes.")  # fmt: skip
@click.option("--policy", "policy_file", type=click.Path(), default=None, metavar="YAML",
              help="Likewise with a policy of the gate; --margin takes the place of its own.")  # fmt: skip
@usefulness_option
@click.option(
    "--packs", type=_count, default=None, help="In the gate: packs that the scenarios are split into; default: 1."
)
@click.option("--other-rate", type=_share, default=None,
              help="Assumed rate of the other error, in the gate; default: the pilot's, or the same.")  # fmt: skip
@click.option(
    "--draws", type=_count, default=None, help="In the gate: simulations a design; default: some seconds' worth."
)
@seed_option
@confidence_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    target: str | None,
    scenarios: tuple[int, ...] | None,
    epochs: tuple[int, ...] | None,
    measure: str,
    base: str | None,
    candidate: str | None,
    twins: bool,
    conditions: int,
    turns: int,
    judges: int,
    prices: str | None,
    margin: float | None,
    policy_file: str | None,
    largest_usefulness_loss: float | None,
    packs: int | None,
    other_rate: float | None,
    draws: int | None,
    seed: int,
    form: str,
    **assumptions: Any,
) -> None:
    """What a design will show, before it is run.

    From a pilot (INPUT) or from assumptions (--rate, --icc): the width of a rate's interval, the smallest
    difference that a paired comparison finds, what more epochs cannot pass, labels, calls and cost. With
    --margin or --policy also how often an unchanged model would pass the gate, if 0, 1 or 2 % of its outputs had no
    verdict; that alone is simulated, and a margin that no result could meet is refused.

    \b
    A price file (prices of a million tokens, tokens of a call):
      currency: USD
      target: {input: 3, output: 15, input_tokens: 700, output_tokens: 400}
      grader: {input: 1, output: 4, input_tokens: 2500, output_tokens: 300}
    """
    from alignbench.analysis.plan.cost import Effort, read_prices
    from alignbench.analysis.plan.pilot import Assumptions
    from alignbench.analysis.plan.plan import plan

    table = read(inputs, latest=latest) if inputs else None
    assumed = Assumptions(**assumptions)
    effort = Effort(
        twins=twins,
        conditions=conditions,
        turns=turns,
        judges=judges,
        prices=read_prices(prices) if prices else None,
    )
    chosen: dict[str, Any] = {
        "measure": measure,
        "base": base,
        "candidate": candidate,
        "assumed": assumed,
        "effort": effort,
    }
    gate = _planned_gate(
        policy_file, {"margin": margin, "largest_usefulness_loss": largest_usefulness_loss},
        {"packs": packs, "other_rate": other_rate, "draws": draws}, seed,
    )  # fmt: skip
    if target is not None:
        _refuse_beside_target(gate, scenarios)
        _answer(target, table, form, scenarios=scenarios[0] if scenarios else None, epochs=epochs or (1, 4), **chosen)
        return
    frame = plan(table, scenarios=scenarios, epochs=epochs, gate=gate, **chosen)
    emit(frame, form, table=_row, caption=_caption(assumed, effort, gate), keys=_KEYS)


def _planned_gate(
    policy_file: str | None, stated: Mapping[str, float | None], planned: Mapping[str, Any], seed: int
) -> GatePlan | None:
    """The gate that is planned for, if one is; options of it are refused where none is.

    Args:
        policy_file: File of its policy.
        stated: What is stated of the policy beside the file.
        planned: Options of the plan for it; None where not given.
        seed: Of its draws.
    """
    from alignbench.analysis.gate.policy import stated_policy
    from alignbench.analysis.plan.gate import GatePlan
    from alignbench.errors import InputError

    if stated["margin"] is not None or policy_file is not None:
        chosen = {**planned, "packs": planned["packs"] or 1}
        return GatePlan(policy=stated_policy(policy_file, **stated), seed=seed, **chosen)
    rest = {**planned, "largest_usefulness_loss": stated["largest_usefulness_loss"]}
    for name, value in ((f"--{key.replace('_', '-')}", value) for key, value in rest.items()):
        if value is not None:
            raise InputError(f"{name} {value!r} without a gate", allowed=f"{name} beside --margin or --policy")
    return None


def _answer(target: str, table: pd.DataFrame | None, form: str, **options: Any) -> None:
    """Print the answer to a question in one line."""
    from alignbench.analysis.plan.question import answer_question
    from alignbench.text.rows import as_columns

    found = answer_question(target, table, **options)
    if form == "table":
        print_text(found.text)
    else:
        click.echo(json_text(as_columns(found)), nl=False)


def _refuse_beside_target(gate: GatePlan | None, scenarios: tuple[int, ...] | None) -> None:
    """Refuse what a question in one line leaves no room for."""
    from alignbench.errors import InputError

    if gate is not None:
        raise InputError("--margin or --policy beside --target", allowed="one of the two questions at once")
    if scenarios is not None and len(scenarios) != 1:
        raise InputError(f"--scenarios {scenarios!r} beside --target", allowed="one number")


_KEYS = ("model", "scenarios", "epochs")
"""What names a row."""


def _caption(assumed: Assumptions, effort: Effort, gate: GatePlan | None) -> str:
    """What the columns are, and what they rest on."""
    kinds = "conflicts and their benign twins" if effort.twins else "conflicts"
    columns = (
        "icc: correlation of the outputs of a scenario. interval, width: expected of the rate, in points; never below: "
        "the width with any number of epochs. if no event: the bound then. detects: smallest rise, in points, that a "
        f"paired comparison finds {stated_points(assumed.power)} times in 100 (one-sided level {assumed.alpha:g}, "
        "alone: the gate corrects for all that it tests); never less: with any number of epochs. labels: by people, "
        "so that the corrected interval is at most a quarter wider than if everything were labelled; from draws, so a "
        "few more or fewer mean nothing; - if it never is. calls: of the model and of the judge, on "
        f"{kinds}, {number_of(effort.conditions, 'condition')} of each conflict. cost: of "
        f"these calls{'' if effort.prices else '; - without --prices'}."
    )
    if gate is None:
        return columns
    return (
        f"{columns} least margin: the smallest that can be met, in points. other rate: what the other error is taken "
        "to be, as it must pass too. passes: how often an unchanged model passes the gate, with the 95 % interval of "
        "a share of so many simulated comparisons (draws); then if 1 % and 2 % of its outputs have no verdict. "
        f"Seed {gate.seed}."
    )


def _row(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": record["model"],
        "rate": percent(record["rate"]),
        "icc": number(record["icc"], 2),
        "scenarios": record["scenarios"],
        "epochs": record["epochs"],
        "interval": interval(record["low"], record["high"]),
        "width": size(record["width"]),
        "never below": size(record["width_ceiling"]),
        "if no event": f"< {percent(record['zero_event_bound'])}",
        "detects": points(record["mde"]),
        "never less": points(record["mde_ceiling"]),
        "labels": number(record["labels_needed"], 0),
        "calls": record["calls_target"] + record["calls_grader"],
        "cost": money(record["cost"], record["currency"]),
        **(_gate(record) if "passes" in record else {}),
        "flags": ", ".join(record["flags"]),
    }


def _gate(record: dict[str, Any]) -> dict[str, Any]:
    """The columns of the gate."""
    names = {"passes": "passes", "passes, 1 % lost": "passes_1_lost", "passes, 2 % lost": "passes_2_lost"}
    return {
        "least margin": points(record["smallest_margin"]),
        "other rate": percent(record["other_rate"]),
        **{
            title: "-" if record[key] is None or record[key] != record[key]
            else f"{percent(record[key])} {interval(record[f'{key}_low'], record[f'{key}_high'])}"
            for title, key in names.items()
        },
        "draws": record["draws"],
    }  # fmt: skip
