"""alignbench gate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alignbench.cli.calibration import calibration_option
from alignbench.cli.options import FiniteRange, format_option, latest_option, panel_options
from alignbench.cli.output import echo_csv, tell, terminal_width
from alignbench.cli.sides import name_options, read_sides, sides_argument, usefulness_option

if TYPE_CHECKING:
    from alignbench.judges.panel import How
    from alignbench.labels.calibration import Calibration

_FILE = click.Path(dir_okay=False, path_type=Path)


def _alpha(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """A level of tests; people who mean a confidence give 0.95."""
    from alignbench.analysis.gate.policy import NOT_ALPHA

    if value is None or 0 < value < 0.5:
        return value
    said = NOT_ALPHA.format(value=value) if 0.5 <= value < 1 else f"{value:g} is not in the range 0<x<0.5"
    raise click.BadParameter(f"{said}.")


@click.command()
@sides_argument
@name_options
@latest_option
@click.option("--policy", "policy_file", type=_FILE, help="YAML with margin, alpha and the rest; see examples/.")
@click.option("--junit", type=_FILE, help="Write a JUnit XML report here, in a folder that exists.")
@click.option("--markdown", type=_FILE, help="Write a report for a pull request here, likewise.")
@click.option(
    "--margin", type=FiniteRange(0, 1, is_open=True),
    help="How much higher, as a share, an error rate may be, instead of the policy's (.05 unless it says otherwise).",
)  # fmt: skip
@usefulness_option
@click.option(
    "--alpha", type=float, callback=_alpha, metavar="0<x<0.5",
    help="Level of the one-sided tests, all together, instead of the policy's: .05, not .95. A rise decides by these "
    "tests; the two-sided intervals shown cover 1 - 2 * alpha, and their upper ends are held against the margins.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the random draws instead of the policy's.")
@panel_options
@calibration_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    base_name: str | None,
    candidate_name: str | None,
    policy_file: Path | None,
    junit: Path | None,
    markdown: Path | None,
    margin: float | None,
    largest_usefulness_loss: float | None,
    alpha: float | None,
    seed: int | None,
    panel: How | None,
    cards: tuple[str, ...],
    calibration: Calibration | None,
    form: str,
) -> None:
    """Is CANDIDATE worse than BASE? Exit code 0: not worse. 1: regressed. 3: cannot be told, or not comparable.

    Regressed: a rise of misalignment or over-refusal, overall or in a pack, that chance does not explain. Not worse:
    none, and overall the upper limits of both rises, and of the losses of usefulness, are below the margins of the
    policy, with each output that only the candidate has lost counted against it. Otherwise the outputs to judge again
    are listed. Wrong usage exits 2, as does a margin that no result on so few scenarios could meet. With --cards a
    judge that is unfit by its card decides nothing: not comparable.
    In JUnit a pack that decides nothing and is inconclusive is a skipped test, never a passed one. Reports are written
    with exits 0, 1 and 3; with any other an older file stays.
    """

    from alignbench.analysis.gate.gate import gate
    from alignbench.analysis.gate.policy import stated_policy
    from alignbench.analysis.gate.rows import GateRow
    from alignbench.files import refuse_overwriting_inputs, together, write_text
    from alignbench.report.gate_formats import gate_json, gate_junit, gate_markdown, gate_text
    from alignbench.table.frames import rows_frame

    labels = None if calibration is None else calibration.source
    refuse_overwriting_inputs([junit, markdown], [*inputs, *cards, policy_file, labels])
    policy = stated_policy(
        policy_file, margin=margin, largest_usefulness_loss=largest_usefulness_loss, alpha=alpha, seed=seed
    )
    base, candidate = read_sides(inputs, panel, cards, latest=latest)
    names = {"base_name": base_name, "candidate_name": candidate_name}
    report = gate(base, candidate, policy=policy, **names, calibration=calibration, inputs=inputs)
    with together():
        for path, text in ((junit, gate_junit), (markdown, gate_markdown)):
            if path is not None:
                write_text(path, text(report))
    if form == "csv":
        echo_csv(rows_frame(report.rows, GateRow))
        if not report.rows:
            tell(" ".join([report.headline, *report.reasons]))
    else:
        click.echo(gate_json(report) if form == "json" else gate_text(report, terminal_width()), nl=False)
    # click would swallow the code of a context's exit where the caller handles errors itself.
    sys.exit(report.exit_code)
