"""alignbench packs new."""

from __future__ import annotations

import shlex

import click

from alignbench.cli.common import print_text


@click.command()
@click.argument("folder", metavar="DIR")
@click.option(
    "--from", "source", metavar="PACK", required=True,
    help="The pack to copy: one that comes with alignbench, or the path of your own.",
)  # fmt: skip
def command(folder: str, source: str) -> None:
    """Begin a pack of your own with a copy of another.

    DIR is a new folder, or an empty one, and its last part becomes the pack's id. Scenarios, conditions and labelled
    answers are copied as they are; the copy has a new canary in every file and begins at version 1-A. In pack.yaml and
    in every scenario it says which pack it was copied from. Then make it yours: title, authors, provenance and texts.
    """
    from alignbench.packs.load import load_pack
    from alignbench.packs.new import new_pack

    pack, copied = new_pack(source, folder), load_pack(source)
    print_text(
        f"{pack.id}: {len(pack.scenarios)} scenarios, {len(pack.labels)} labelled answers, copied from "
        f"{copied.id}, version {copied.meta.version}."
    )
    place = shlex.quote(folder)
    click.echo(f"wrote {folder}\n\nNext: change title, authors and provenance in pack.yaml, then the texts.")
    click.echo(f"  alignbench packs validate {place}")
    click.echo(f"  inspect eval alignbench/pack -T path={place} --model M --model-role grader=J")
