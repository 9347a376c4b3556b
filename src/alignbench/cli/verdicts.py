"""alignbench verdicts."""

from __future__ import annotations

import click


@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="LOGS...")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="A .parquet or .csv file in a folder that exists; it appears whole or not at all.",
)
def command(logs: tuple[str, ...], output: str) -> None:
    """Write the verdict table of logs: one row per output and judge.

    LOGS are log folders or log files. Of several passes over one task the last one counts; of several runs each stands
    in the table, with its date. Every other command reads the table in place of the logs.
    """
    from alignbench.cli.output import tell
    from alignbench.files import refuse_overwriting_inputs
    from alignbench.logs import write_verdicts

    refuse_overwriting_inputs([output], logs)

    rows = write_verdicts(logs, output, note=tell)
    click.echo(f"{output}: {rows:,} rows")
