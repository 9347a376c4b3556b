"""What a pack must be beyond well-formed files: prompts that differ, whole families, labels that fit."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alignbench.documents.source import Fault
from alignbench.errors import InputError
from alignbench.packs.conditions import expand
from alignbench.packs.load import Pack, Reading, label_folder, locate, read_pack, shipped_packs
from alignbench.text.numbers import percent, stated_percent
from alignbench.vocabulary import ALIGNED, MISALIGNED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alignbench.packs.labels import LabelFile
    from alignbench.packs.schema import LabelledAnswer, Scenario

__all__ = ["check_packs", "validate_packs"]

NEAR_DUPLICATE = 0.5
"""Share of common three-word runs (Jaccard) from which two prompts count as one."""
CONFLICT_LABELS, TWIN_LABELS = 4, 2
SCENARIOS_PER_PAIR, PAIRS_PER_VALUE = 3, 2
UNLABELLED = (
    "no labelled answers: neither judge exam nor a persona can use this pack (allowed: a file SCENARIO.yaml for each "
    "scenario in this folder; `alignbench packs new` copies a pack with its own)"
)


def validate_packs(names: Sequence[str | Path] = ()) -> tuple[list[Fault], list[Pack]]:
    """Check packs, all faults in one run.

    Args:
        names: Ids of shipped packs, or paths; default: every shipped pack.

    Returns:
        The faults by file and line, and the packs that have no errors of their own.

    Raises:
        InputError: A name that is no pack.
    """
    folders = dict.fromkeys(locate(name) for name in names or shipped_packs())
    return check_packs([read_pack(folder) for folder in folders])


def check_packs(readings: Sequence[Reading]) -> tuple[list[Fault], list[Pack]]:
    """Check packs that have been read; the value graph is checked together with that of the shipped packs."""
    faults: list[Fault] = []
    for reading in readings:
        faults += reading.faults
        faults += _prompt_faults(reading)
        faults += _family_faults(reading)
        faults += _label_faults(reading)
        faults += _canary_faults(reading)
    faults += _graph_faults(readings)
    return sorted(set(faults)), [reading.pack for reading in readings if reading.pack is not None]


def _prompts(scenario: Scenario) -> dict[str, str]:
    prompts = scenario.prompts
    return {
        "prompts.neutral": prompts.neutral,
        "prompts.to_value_1": prompts.to_value_1,
        "prompts.to_value_2": prompts.to_value_2,
        "twin.prompt": scenario.twin.prompt,
    }


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _words(text)
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset([tuple(words)])


def _prompt_faults(reading: Reading) -> Iterator[Fault]:
    names = _value_names(reading)
    for name, scenario in reading.scenarios.items():
        document = reading.places[name]
        seen: dict[tuple[str, ...], str] = {}
        for place, prompt in _prompts(scenario).items():
            line = document.line(tuple(place.split(".")))
            other = seen.setdefault(tuple(_words(prompt)), place)
            if other != place:
                yield Fault(str(document.path), line, name, f"{place} is the same text as {other}")
            for words in sorted(names & _phrases(prompt, names)):
                message = f"{place} holds {' '.join(words)!r}, a value's name: it tells the model what is measured"
                yield Fault(str(document.path), line, name, message, "warning")
    runs = {name: {p: _runs(t) for p, t in _prompts(s).items()} for name, s in reading.scenarios.items()}
    for one, two in combinations(runs, 2):
        for place, a, other, b in ((p, runs[one][p], q, runs[two][q]) for p in runs[one] for q in runs[two]):
            share = len(a & b) / len(a | b)
            if share >= NEAR_DUPLICATE:
                document = reading.places[two]
                message = (
                    f"{other} is a near-duplicate of {place} of {one!r}: {percent(share, 0)} of their three-word "
                    f"runs are the same (allowed: below {stated_percent(NEAR_DUPLICATE)})"
                )
                yield Fault(str(document.path), document.line(tuple(other.split("."))), two, message)
                break


def _value_names(reading: Reading) -> set[tuple[str, ...]]:
    """The words by which a prompt would name a value: its id and its title."""
    texts = (text for value in reading.values.values() for text in (value.id.replace("_", " "), value.title))
    return {tuple(_words(text)) for text in texts} - {()}


def _phrases(text: str, like: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Every run of words of a text that is as long as one of the phrases looked for."""
    words = _words(text)
    lengths = {len(phrase) for phrase in like}
    return {tuple(words[at : at + length]) for length in lengths for at in range(len(words) - length + 1)}


def _family_faults(reading: Reading) -> Iterator[Fault]:
    """A family is held out whole or not at all."""
    split: dict[str, tuple[str, str]] = {}
    for name, scenario in reading.scenarios.items():
        first, where = split.setdefault(scenario.family, (name, scenario.split))
        if where != scenario.split:
            document = reading.places[name]
            message = f"family {scenario.family!r} is {scenario.split!r} here and {where!r} in {first!r}"
            yield Fault(str(document.path), document.line(("split",)), name, message)


def _label_faults(reading: Reading) -> Iterator[Fault]:
    folder = label_folder(reading.folder)
    if not reading.labels:
        # A pack without scenarios, and labels in another form, have been named already.
        if reading.places and not any(Path(fault.file).stem == folder.name for fault in reading.faults):
            yield Fault(str(folder), 0, reading.folder.name, UNLABELLED, "warning")
        return
    for file in reading.labels:
        if file.scenario in reading.places:
            yield from _answer_faults(reading, file)
        else:
            document, known = file.document, ", ".join(sorted(reading.places))
            message = f"labels for unknown scenario {file.scenario!r} (allowed: {known})"
            yield Fault(str(document.path), document.line(("scenario",)), file.scenario, message)
    # What has a fault of its own may lack answers for that reason.
    faulty = {fault.file for fault in reading.faults}
    files = {file.scenario: file for file in reading.labels}
    for name in reading.scenarios:
        found = files.get(name)
        path, answers = (found.document.path, found.answers) if found else (folder / f"{name}.yaml", ())
        if str(path) not in faulty:
            for message in _lacking_labels([answer for answer, _ in answers]):
                yield Fault(str(path), answers[-1][1] if answers else 0, name, message)


def _answer_faults(reading: Reading, file: LabelFile) -> Iterator[Fault]:
    path, texts = str(file.document.path), dict[str, str]()
    for answer, line in file.answers:
        first = texts.setdefault(" ".join(answer.text.split()), answer.id)
        if first != answer.id:
            yield Fault(path, line, answer.id, f"the same text as {first!r}: a text has one label")
        problem = _place_problem(reading, answer)
        if problem:
            yield Fault(path, line, answer.id, problem)


def _canary_faults(reading: Reading) -> Iterator[Fault]:
    """A copy of a shipped pack needs a canary of its own: with ours a leak would be told of the wrong pack."""
    if reading.meta is None or reading.meta_place is None or reading.folder in map(locate, shipped_packs()):
        return
    for name in shipped_packs():
        meta = _shipped(name).meta
        if meta is not None and meta.canary == reading.meta.canary:
            place = reading.meta_place
            wanted = "one of its own in every file, alignbench: and a new UUID"
            message = f"the canary of the shipped pack {name!r} (allowed: {wanted})"
            yield Fault(str(place.path), place.line(("canary",)), reading.folder.name, message, "warning")


def _lacking_labels(answers: Sequence[LabelledAnswer]) -> Iterator[str]:
    if not answers:
        yield f"no labelled answers (allowed: at least {CONFLICT_LABELS} to the conflict and {TWIN_LABELS} to the twin)"
        return
    for what, twin, least, needed in (
        ("conflict", False, CONFLICT_LABELS, {ALIGNED, MISALIGNED, REFUSED}),
        ("twin", True, TWIN_LABELS, {ALIGNED, REFUSED}),
    ):
        found = [answer.verdict for answer in answers if answer.twin == twin]
        if len(found) < least:
            yield f"{len(found)} labelled answers to the {what} (allowed: at least {least})"
        elif not needed <= set(found):
            lacking = ", ".join(sorted(needed - set(found)))
            yield f"no labelled answer to the {what} with the verdict {lacking}"


def _place_problem(reading: Reading, answer: LabelledAnswer) -> str | None:
    """Say why a label's condition or turn does not exist."""
    try:
        (condition,) = expand(reading.axes, answer.condition)
    except InputError as error:
        return str(error)
    except ValueError:
        return f"condition {answer.condition!r} is several (allowed: one, as axis=level)"
    if condition.name != answer.condition:
        return f"condition {answer.condition!r} (allowed: its canonical name {condition.name!r})"
    turns = 1 + len(condition.follow_ups)
    if answer.turn is not None and answer.turn > turns:
        return f"turn {answer.turn} in condition {condition.name!r} (allowed: 1 to {turns})"
    return None


def _pairs(readings: Iterable[Reading]) -> Iterator[tuple[str, str]]:
    for reading in readings:
        if reading.meta is not None:
            for scenario in reading.scenarios.values():
                first, second = sorted(scenario.values or reading.meta.values)
                yield first, second


@cache
def _shipped(name: str) -> Reading:
    """A shipped pack, read once: it does not change under us."""
    return read_pack(locate(name))


def _components(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    groups: list[set[str]] = []
    for pair in pairs:
        touching = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touching] + [set(pair).union(*touching)]
    return groups


def _graph_faults(readings: Sequence[Reading]) -> Iterator[Fault]:
    """Values have one order only if their pairs connect; a user's pack connects through the shipped ones."""
    folders = {reading.folder for reading in readings}
    others = [name for name in shipped_packs() if locate(name) not in folders]
    counts = Counter(_pairs(readings))
    counts.update(_pairs(map(_shipped, others)))
    groups = sorted(_components(counts), key=lambda group: (-len(group), sorted(group)))
    for group in groups[1:]:
        message = (
            f"the values {', '.join(sorted(group))} are not connected with {', '.join(sorted(groups[0]))}: "
            "no scenario sets a value of one group against one of the other"
        )
        yield _graph_fault(readings, group, message)
    if others:
        return
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for (first, second), count in sorted(counts.items()):
        partners[first].add(second)
        partners[second].add(first)
        if count < SCENARIOS_PER_PAIR:
            message = f"the pair {first} / {second} has {count} scenarios (better: {SCENARIOS_PER_PAIR} or more)"
            yield _graph_fault(readings, {first, second}, message, "warning")
    for value, met in sorted(partners.items()):
        if len(met) < PAIRS_PER_VALUE:
            message = f"the value {value} meets {', '.join(sorted(met))} only (better: {PAIRS_PER_VALUE} or more)"
            yield _graph_fault(readings, {value}, message, "warning")


def _graph_fault(
    readings: Sequence[Reading], values: set[str], message: str, kind: Literal["error", "warning"] = "error"
) -> Fault:
    """Place a fault of the graph where a scenario first names one of the values."""
    for reading in readings:
        for name, scenario in reading.scenarios.items():
            if scenario.values and set(scenario.values) & values:
                document = reading.places[name]
                return Fault(str(document.path), document.line(("values",)), name, message, kind)
        if reading.meta and reading.meta_place and set(reading.meta.values) & values:
            document = reading.meta_place
            return Fault(str(document.path), document.line(("values",)), reading.folder.name, message, kind)
    return Fault(str(readings[0].folder / "pack.yaml"), 1, readings[0].folder.name, message, kind)
