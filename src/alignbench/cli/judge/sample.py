"""alignbench judge sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alignbench.cli.options import format_option, input_argument, latest_option, panel_options, seed_option
from alignbench.cli.output import echo_csv, json_text, print_table, print_text, tell
from alignbench.cli.reading import combined, read
from alignbench.vocabulary import MEASURE_NAMES, MISALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.judges.panel import How
    from alignbench.labels.draw import Draw

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@input_argument
@latest_option
@click.option(
    "-n", "--outputs", "n", type=click.IntRange(min=2), default=100, show_default=True,
    help="Outputs to draw from each model, pack and measure; 100 to 200 are of use, or all where there are fewer.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=_FILE, required=True, help="The CSV file to label; it never takes the place of labels."
)
@click.option(
    "--html",
    type=_FILE,
    help="Also write a page to label in a browser: keyboard only, works offline. It replaces only another such page.",
)
@click.option("--rubric", "rubrics", multiple=True, metavar="RUBRIC",
              help="Id or path of the rubric that the judge judged by: the page shows people its words. Default: the "
              "shipped one, if it has the table's digest.")  # fmt: skip
@click.option(
    "--measure", "measures", type=click.Choice(MEASURE_NAMES), multiple=True,
    default=[MISALIGNMENT.name], show_default=True, help="What is to be checked; may be given twice.",
)  # fmt: skip
@click.option("--model", "models", multiple=True, metavar="NAME",
              help="The model to draw from, where INPUT holds several; may be given twice. Default: all.")  # fmt: skip
@click.option("--judge", metavar="NAME", help="The judge to check, where INPUT holds several.")
@click.option("--condition", default="default", show_default=True, help="The condition to draw from, at its last turn.")
@click.option("--logs", multiple=True, metavar="LOGS", help="Where the answers stand, if INPUT is a table.")
@panel_options
@seed_option
@format_option
def command(
    inputs: tuple[str, ...],
    latest: bool,
    n: int,
    output: Path,
    html: Path | None,
    rubrics: tuple[str, ...],
    measures: tuple[str, ...],
    models: tuple[str, ...],
    judge: str | None,
    condition: str,
    logs: tuple[str, ...],
    panel: How | None,
    cards: tuple[str, ...],
    seed: int,
    form: str,
) -> None:
    """Draw outputs for people to label, a third of them flagged by the judge, in shuffled order.

    The file shows the conversation and what would make it misaligned or aligned; the judge's verdict is hidden. Write
    aligned, misaligned, refused, deferred or off_task into the column "label", and your name into "labeller", or use
    the page. Any first part of the file, labelled, is a random sample: it corrects where it holds 50 labels of a
    model and pack. Then run judge calibrate with it.

    With --panel every count of votes gets labels, and each needs one before anything is corrected: a second table
    shows how many. Give judge calibrate, and rates with its --calibration, the same --panel and --cards.
    """
    from alignbench.judges.marking import read_cards
    from alignbench.labels.draw import draw
    from alignbench.labels.sheet import require_texts
    from alignbench.logs.inputs import TABLE_SUFFIXES

    if rubrics and html is None:
        raise click.UsageError("--rubric is for the page: name one with --html.")
    _check_places(output, html, [*inputs, *logs, *cards, *rubrics])
    table, marks = read(inputs, latest=latest), read_cards(cards)
    places = [*logs, *(name for name in inputs if not name.endswith(TABLE_SUFFIXES))]
    if not places:
        require_texts(table)
    drawn = draw(
        combined(table, panel, marks), n, measures=measures, models=models, judge=judge, condition=condition, seed=seed
    )
    _write(drawn, places, output, html, rubrics)
    if form == "json":
        files = [str(file) for file in (output, html) if file is not None]
        design, votes = (frame.to_dict("records") for frame in (drawn.design, drawn.votes))
        about = {"outputs": len(drawn.rows), "seed": seed, "files": files}
        click.echo(json_text({**about, "design": design, "votes": votes}), nl=False)
    elif form == "csv":
        echo_csv(drawn.design)
    else:
        _print_design(drawn, n, seed)
        click.echo(f"wrote {output}")
        if html is not None:
            click.echo(f"wrote {html}: open it in a browser")


def _check_places(output: Path, html: Path | None, used: Sequence[str]) -> None:
    """Refuse to replace what is read, labels that somebody gave, or another page."""
    from alignbench.files import refuse_overwriting_inputs, refuse_replacing_other_files
    from alignbench.labels.page import PAGE_MARK
    from alignbench.labels.sheet import refuse_overwriting_labels

    refuse_overwriting_inputs([output, html], used)
    refuse_overwriting_labels(output)
    if html is not None:
        refuse_replacing_other_files(html, PAGE_MARK, "page of judge sample")


def _write(drawn: Draw, places: Sequence[str], output: Path, html: Path | None, rubrics: Sequence[str]) -> None:
    """Write the sheet, and the page with what the rubric says."""
    from alignbench.documents.csv_files import frame_csv
    from alignbench.files import together, write_text
    from alignbench.labels.definitions import rubric_definitions
    from alignbench.labels.page import labelling_page
    from alignbench.labels.sheet import make_sheet
    from alignbench.logs.transcripts import Wanted, read_transcripts

    wanted = [Wanted(*key) for key in zip(*(drawn.rows[name] for name in ("log", "sample_uuid", "turn")), strict=True)]
    texts = read_transcripts(places, wanted) if places else None
    sheet = make_sheet(drawn.rows, None if texts is None else [texts[one] for one in wanted])
    definitions = {} if html is None else rubric_definitions(drawn.rows, rubrics)
    with together():
        write_text(output, frame_csv(sheet))
        if html is not None:
            write_text(html, labelling_page(sheet, definitions))
    for found in definitions.values():
        if not found.known:
            tell(f"warning: {found.heading}")


def _print_design(drawn: Draw, n: int, seed: int) -> None:
    design = drawn.design
    click.echo(f"{len(drawn.rows)} outputs to label (seed {seed}).")
    rows = [
        {
            "model": row["model"],
            "pack": row["pack"],
            "measure": row["measure"],
            "judged outputs": row["outputs"],
            "flagged": row["flagged"],
            "to label": row["drawn"],
            "of them flagged": row["drawn_flagged"],
        }
        for row in design.to_dict("records")
    ]
    print_table(rows)
    fewer = int((design["drawn"] < n).sum())
    if fewer:
        print_text(f"Fewer than {n} judged outputs are there in {fewer} of {len(design)} lines: all of them are drawn.")
    votes = [
        {
            "model": row["model"],
            "pack": row["pack"],
            "measure": row["measure"],
            "votes of the panel": row["votes"],
            "flagged": "yes" if row["flagged"] else "no",
            "judged outputs": row["outputs"],
            "to label": row["drawn"],
        }
        for row in drawn.votes.to_dict("records")
    ]
    if votes:
        print_table(votes, title="By how many judges of the panel found the event: each line needs a label")
