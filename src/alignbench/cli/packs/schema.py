"""alignbench packs schema."""

from __future__ import annotations

import click

from alignbench.cli.common import json_text
from alignbench.packs.schema import FILES


@click.command()
@click.argument("name", type=click.Choice(list(FILES)), required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema of the files of a pack.

    \b
      pack        pack.yaml
      scenario    one file of scenarios/
      conditions  conditions.yaml
      values      values.yaml
      labelled    one file of labelled/

    Without a name, all of them by name. Editors use a schema to complete and check a file as it is typed;
    `alignbench packs validate` checks more than a schema can say.
    """
    schemas = {
        kind: {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
        for kind, model in FILES.items()
    }
    click.echo(json_text(schemas[name] if name else schemas), nl=False)
