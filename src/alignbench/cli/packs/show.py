"""alignbench packs show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from alignbench.cli.common import print_lines, print_paragraphs, print_table, print_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alignbench.packs import LabelledAnswer, Pack, Scenario
    from alignbench.packs.schema import Message


@click.command()
@click.argument("target", metavar="PACK[/SCENARIO]")
def command(target: str) -> None:
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
        f"{pack.id}, version {meta.version}, digest {pack.digest[:12]}",
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
