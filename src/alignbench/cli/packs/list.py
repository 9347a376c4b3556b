"""alignbench packs list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import emit, format_option

if TYPE_CHECKING:
    from alignbench.packs import Pack


@click.command()
@click.argument("names", nargs=-1, metavar="[PACK]...")
@format_option
def command(names: tuple[str, ...], form: str) -> None:
    """List packs with their size, version and digest.

    Without PACK, those that come with alignbench. The digest covers everything that reaches the model under
    test or the judge: results compare only where it is the same.
    """
    import pandas as pd

    from alignbench.packs import load_pack, shipped_packs

    frame = pd.DataFrame([_summary(load_pack(name)) for name in names or shipped_packs()])

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {name.replace("_", " "): value for name, value in record.items()} | {"digest": record["digest"][:12]}

    emit(frame, form, table=row)


def _summary(pack: Pack) -> dict[str, Any]:
    scenarios = pack.scenarios.values()
    return {
        "id": pack.id,
        "title": pack.meta.title,
        "version": pack.meta.version,
        "scenarios": len(scenarios),
        "families": len({scenario.family for scenario in scenarios}),
        "unseen_scenarios": sum(scenario.split == "unseen" for scenario in scenarios),
        "labelled_answers": len(pack.labels),
        "digest": pack.digest,
    }
