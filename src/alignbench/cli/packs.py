"""alignbench packs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.options import format_option
from alignbench.cli.output import emit, json_text, print_lines, print_paragraphs, print_table, print_text
from alignbench.digest import shown_digest
from alignbench.packs.schema import FILES
from alignbench.text.numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alignbench.documents.source import Fault
    from alignbench.packs import LabelledAnswer, Pack, Scenario
    from alignbench.packs.schema import Message


@click.group()
def command() -> None:
    """Look at scenario packs, and check your own.

    PACK is one that comes with alignbench (`alignbench packs list`), or the path of your own: a folder with

    \b
      pack.yaml        id, value pair, and the standard: what counts as misaligned
      scenarios/       one YAML file for each situation: three prompts, criteria, a benign twin
      labelled.jsonl   optional: answers whose verdict is known, to examine a judge with
      values.yaml      optional: values beyond the common ones
      conditions.yaml  optional: further axes, such as who reads along
      CARD.md          optional: what the pack measures and what it does not

    To make one, copy the folder of a shipped pack (`show PACK` says where it is) and rename it: the pack's id
    is the folder's name. The labelled answers of shipped packs stand apart, in scorers/labelled (`validate`
    says where that is): copy PACK.jsonl to labelled.jsonl in yours, new id in its first line. Give the pack a canary
    of its own, alignbench: and a new UUID; it stands in every file and shows when the texts have leaked into
    training data. Run `validate PATH` until it finds nothing, then:

    \b
      inspect eval alignbench/pack -T path=DIR --model M --model-role grader=J
    """


@command.command("list")
@click.argument("names", nargs=-1, metavar="[PACK]...")
@format_option
def list_packs(names: tuple[str, ...], form: str) -> None:
    """List packs with their size, version and digest.

    Without PACK, those that come with alignbench. The digest covers everything that reaches the model under
    test or the judge: results compare only where it is the same.
    """
    import pandas as pd

    from alignbench.packs import load_pack, shipped_packs

    frame = pd.DataFrame([_summary(load_pack(name)) for name in names or shipped_packs()])

    def row(record: dict[str, Any]) -> dict[str, Any]:
        return {name.replace("_", " "): value for name, value in record.items()} | {
            "digest": shown_digest(record["digest"])
        }

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


@command.command()
@click.argument("target", metavar="PACK[/SCENARIO]")
def show(target: str) -> None:
    """Print a pack, or one of its scenarios, for reading.

    A pack: its standard, values, families, scenarios and conditions. A scenario: what is asked, in three
    nudges and as a benign twin, what counts as misaligned and aligned, and the labelled answers with their
    verdicts.
    """
    pack, scenario = _find(target)
    if scenario is None:
        _show_pack(pack)
    else:
        _show_scenario(pack, scenario)


def _find(target: str) -> tuple[Pack, Scenario | None]:
    from alignbench.errors import InputError
    from alignbench.packs import load_pack

    target = target.rstrip("/") or target
    name, _, scenario = target.rpartition("/")
    if _is_pack(target) or not name or not _is_pack(name):
        return load_pack(target), None
    pack = load_pack(name)
    if scenario not in pack.scenarios:
        message = f"no scenario {scenario!r} in the pack {pack.id!r}"
        raise InputError(message, allowed=", ".join(pack.scenarios))
    return pack, pack.scenarios[scenario]


def _is_pack(name: str) -> bool:
    from alignbench.errors import InputError
    from alignbench.packs.load import locate

    try:
        locate(name)
    except InputError:
        return False
    return True


def _print(heading: str, text: str) -> None:
    """Print a heading and, under it and indented, a text in lines that fit."""
    print_text(heading)
    print_paragraphs(text, edge="  ")
    click.echo()


def _show_pack(pack: Pack) -> None:
    meta, scenarios = pack.meta, pack.scenarios.values()
    facts = (
        f"{pack.id}, version {meta.version}, digest {shown_digest(pack.digest)}",
        f"{meta.licence}; {', '.join(meta.authors)}",
        str(pack.folder),
    )
    _print(meta.title, "\n".join(facts))
    _print("Misaligned", _flowing(meta.standard.misaligned))
    _print("Aligned", _flowing(meta.standard.aligned))
    pairs = [pack.pair(scenario) for scenario in scenarios]
    counts = Counter(value for pair in pairs for value in pair)
    print_table(
        [{"value": value.title, "scenarios": count, "meaning": value.meaning} for value, count in counts.most_common()],
        title="Values",
    )
    families = Counter((scenario.family, scenario.split) for scenario in scenarios)
    print_table(
        [{"family": family, "split": split, "scenarios": count} for (family, split), count in sorted(families.items())],
        title="Families",
    )
    answers = Counter(answer.scenario for answer in pack.labels)
    print_table(
        [
            {
                "scenario": scenario.id,
                "family": scenario.family,
                "values": ", ".join(value.id for value in pack.pair(scenario)),
                "answers": answers[scenario.id],
                "title": scenario.title,
            }
            for scenario in scenarios
        ],
        title="Scenarios",
    )
    print_table(
        [
            {"axis": axis.id, "levels": ", ".join(level.id for level in axis.levels), "title": axis.title}
            for axis in pack.axes
        ],
        title="Conditions beside the nudges",
    )
    _print("Provenance", _flowing(meta.provenance))


def _flowing(text: str) -> str:
    """Prose without the line ends of its file, a paragraph a line; what a model reads is printed as it stands."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _show_scenario(pack: Pack, scenario: Scenario) -> None:
    twin = scenario.twin
    first, second = pack.pair(scenario)
    facts = (
        f"{pack.id}/{scenario.id}, family {scenario.family} ({scenario.split})",
        f"value 1: {first.title}. {first.meaning}",
        f"value 2: {second.title}. {second.meaning}",
        f"source: {scenario.source.origin}, {scenario.source.author}. {scenario.source.note}",
    )
    _print(scenario.title, "\n".join(facts))
    _print_before(scenario.system, scenario.earlier_turns)
    _print("Prompt, neutral", scenario.prompts.neutral)
    _print(f"Prompt, leaning to value 1 ({first.id})", scenario.prompts.to_value_1)
    _print(f"Prompt, leaning to value 2 ({second.id})", scenario.prompts.to_value_2)
    _print("Misaligned if", scenario.misaligned_if)
    _print("Aligned if", scenario.aligned_if)
    _print_before(twin.system, twin.earlier_turns or [], "Twin: ")
    _print("Twin: prompt", twin.prompt)
    _print("Twin: aligned if", twin.aligned_if)
    _print("Twin: what removes the conflict", twin.note)
    for is_twin, what in ((False, "the conflict"), (True, "the twin")):
        answers = pack.answers(scenario.id, twin=is_twin)
        if answers:
            print_lines([f"── Labelled answers to {what} ──", ""])
        for answer in answers:
            _print(_verdict(answer), answer.text)


def _print_before(system: str | None, turns: Iterable[Message], whose: str = "") -> None:
    if system:
        _print(f"{whose}system prompt".capitalize(), system)
    for turn in turns:
        _print(f"{whose}earlier turn, {turn.role}".capitalize(), turn.content)


def _verdict(answer: LabelledAnswer) -> str:
    parts: list[str] = [answer.verdict]
    if answer.severity:
        parts.append(f"severity {answer.severity}")
    if answer.refusal_type:
        parts.append(answer.refusal_type)
    if answer.position_1 is not None:
        parts.append(f"positions {answer.position_1} and {answer.position_2}")
    if answer.condition != "default":
        parts.append(f"in {answer.condition}")
    if answer.turn is not None:
        parts.append(f"turn {answer.turn}")
    second = f", second label {answer.second_label}" if answer.second_label else ""
    return f"{answer.id}: {', '.join(parts)} (label by {answer.labeller}{second})"


@command.command()
@click.argument("names", nargs=-1, metavar="[PACK]...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="How the faults are printed.",
)  # fmt: skip
@click.pass_context
def validate(context: click.Context, names: tuple[str, ...], form: str) -> None:
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
        click.echo(f"{number_of(len(folders), 'pack')}: {number_of(errors, 'error')}, {number_of(warnings, 'warning')}")
    context.exit(1 if errors else 0)


def _record(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.line or None,
        "id": fault.item,
        "kind": fault.kind,
        "message": fault.message,
    }


@command.command()
@click.argument("name", type=click.Choice(list(FILES)), required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of the files of a pack.

    \b
      pack        pack.yaml
      scenario    one file of scenarios/
      conditions  conditions.yaml
      values      values.yaml
      label       one line of labelled.jsonl (the first line holds {"canary": ..., "pack": ...})

    Without a name, all of them by name. Editors use a schema to complete and check a file as it is typed;
    `alignbench packs validate` checks more than a schema can say.
    """
    schemas = {
        kind: {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
        for kind, model in FILES.items()
    }
    click.echo(json_text(schemas[name] if name else schemas), nl=False)
