"""alignbench packs validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import json_text, print_text

if TYPE_CHECKING:
    from alignbench.documents.source import Fault


@click.command()
@click.argument("names", nargs=-1, metavar="[PACK]...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="How the faults are printed.",
)  # fmt: skip
@click.pass_context
def command(context: click.Context, names: tuple[str, ...], form: str) -> None:
    """Check packs; name every fault with file, line, id.

    Without PACK, those that come with alignbench. All faults that can be seen are named in one run. Errors: unknown
    or missing fields, duplicate ids, a missing twin, nudge or canary, near-duplicate prompts, a family that is both
    seen and unseen, too few labelled answers, labels for unknown scenarios, values that do not connect with the
    others. A warning asks for a look: for example at a prompt that names the value it is about, or at a pack
    without labelled answers.

    The exit code is 1 if there is an error, 0 if there are warnings only or nothing, 2 if PACK is no pack.
    """
    from alignbench.packs import shipped_packs
    from alignbench.packs.check import check_packs
    from alignbench.packs.load import locate, read_pack

    folders = dict.fromkeys(locate(name) for name in names or shipped_packs())
    faults, _ = check_packs([read_pack(folder) for folder in folders])
    errors = sum(fault.kind == "error" for fault in faults)
    warnings = len(faults) - errors
    if form == "json":
        report = {"packs": list(map(str, folders)), "errors": errors, "warnings": warnings}
        click.echo(json_text({**report, "faults": list(map(_record, faults))}), nl=False)
    else:
        for fault in faults:
            print_text(str(fault))
        click.echo(f"{_count(len(folders), 'pack')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    context.exit(1 if errors else 0)


def _record(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.line or None,
        "id": fault.item,
        "kind": fault.kind,
        "message": fault.message,
    }


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
