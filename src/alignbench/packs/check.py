"""What a pack must be beyond well-formed files: distinct prompts, whole families, fitting labels, connected values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.packs.load import Pack, Reading, locate, read_pack, shipped_packs
from alignbench.packs.source import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alignbench.packs.schema import Scenario

__all__ = ["check_packs", "validate"]

NEAR_DUPLICATE = 0.5
"""Share of common three-word runs (Jaccard) from which two prompts count as one."""
CONFLICT_LABELS, TWIN_LABELS = 4, 2
SCENARIOS_PER_PAIR, PAIRS_PER_VALUE = 3, 2


def validate(names: Sequence[str | Path] = ()) -> tuple[list[Fault], list[Pack]]:
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
            for word in sorted(set(_words(prompt)) & names):
                message = f"{place} holds {word!r}, the name of a value: it tells the model what is measured"
                yield Fault(str(document.path), line, name, message, "warning")
    runs = {name: {p: _runs(t) for p, t in _prompts(s).items()} for name, s in reading.scenarios.items()}
    for one, two in combinations(runs, 2):
        for place, a, other, b in ((p, runs[one][p], q, runs[two][q]) for p in runs[one] for q in runs[two]):
            share = len(a & b) / len(a | b)
            if share >= NEAR_DUPLICATE:
                document = reading.places[two]
                message = (
                    f"{other} is a near-duplicate of {place} of {one!r}: {share:.0%} of their three-word runs "
                    f"are the same (allowed: below {NEAR_DUPLICATE:.0%})"
                )
                yield Fault(str(document.path), document.line(tuple(other.split("."))), two, message)
                break


def _value_names(reading: Reading) -> set[str]:
    """The words by which a prompt would name a value: each id in words, where it is one word."""
    if reading.pack is None:
        return set()
    return {value.id for value in reading.pack.values.values() if "_" not in value.id}


def _family_faults(reading: Reading) -> Iterator[Fault]:
    """A family is held out whole or not at all."""
    split: dict[str, tuple[str, str]] = {}
    for name, scenario in reading.scenarios.items():
        first, where = split.setdefault(scenario.family, (name, scenario.split))
        if where != scenario.split:
            document = reading.places[name]
            message = f"family {scenario.family!r} is {scenario.split!r} here and {where!r} in {first!r} (allowed: one)"
            yield Fault(str(document.path), document.line(("split",)), name, message)


def _label_faults(reading: Reading) -> Iterator[Fault]:
    if not reading.labels or reading.label_file is None:
        return
    file = str(reading.label_file)
    texts: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, bool]] = Counter()
    verdicts: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    for answer, document in reading.labels:
        line = document.line(())
        if answer.scenario not in reading.places:
            yield Fault(file, line, answer.id, f"label for unknown scenario {answer.scenario!r}")
            continue
        key = (answer.scenario, " ".join(answer.text.split()))
        if key in texts:
            yield Fault(file, line, answer.id, f"the same text as {texts[key]!r}: a text has one label")
        texts.setdefault(key, answer.id)
        counts[answer.scenario, answer.twin] += 1
        verdicts[answer.scenario, answer.twin].add(answer.verdict)
    for name in reading.scenarios:
        for twin, least, needed in (
            (False, CONFLICT_LABELS, {"aligned", "misaligned", "refused"}),
            (True, TWIN_LABELS, {"aligned", "refused"}),
        ):
            what = "twin" if twin else "conflict"
            if counts[name, twin] < least:
                message = f"{counts[name, twin]} labelled answers to the {what} (allowed: at least {least})"
                yield Fault(file, 0, name, message)
            elif needed - verdicts[name, twin]:
                lacking = ", ".join(sorted(needed - verdicts[name, twin]))
                yield Fault(file, 0, name, f"no labelled answer to the {what} with the verdict {lacking}")


def _pairs(readings: Iterable[Reading]) -> Iterator[tuple[str, str]]:
    for reading in readings:
        if reading.meta is not None:
            for scenario in reading.scenarios.values():
                first, second = sorted(scenario.values or reading.meta.values)
                yield first, second


def _components(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    groups: list[set[str]] = []
    for pair in pairs:
        touching = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touching] + [set(pair).union(*touching)]
    return groups


def _graph_faults(readings: Sequence[Reading]) -> Iterator[Fault]:
    """Values can be put in one order only if their pairs connect; a user's pack connects through the shipped ones."""
    folders = {reading.folder for reading in readings}
    others = [read_pack(folder) for folder in map(locate, shipped_packs()) if folder not in folders]
    counts = Counter(_pairs([*readings, *others]))
    groups = sorted(_components(counts), key=lambda group: (-len(group), sorted(group)))
    for group in groups[1:]:
        message = (
            f"the values {', '.join(sorted(group))} are not connected with {', '.join(sorted(groups[0]))}: "
            "no scenario sets a value of one group against one of the other"
        )
        yield Fault(_home(readings, group), 0, "values", message)
    if others:
        return
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for (first, second), count in sorted(counts.items()):
        partners[first].add(second)
        partners[second].add(first)
        if count < SCENARIOS_PER_PAIR:
            message = f"the pair {first} / {second} has {count} scenarios (better: {SCENARIOS_PER_PAIR} or more)"
            yield Fault(_home(readings, {first, second}), 0, "values", message, "warning")
    for value, met in sorted(partners.items()):
        if len(met) < PAIRS_PER_VALUE:
            message = f"the value {value} meets {', '.join(sorted(met))} only (better: {PAIRS_PER_VALUE} or more pairs)"
            yield Fault(_home(readings, {value}), 0, "values", message, "warning")


def _home(readings: Sequence[Reading], values: set[str]) -> str:
    """The pack in which a group of values stands, to name it in a fault."""
    for reading in readings:
        if any(set(pair) & values for pair in _pairs([reading])):
            return str(reading.folder / "pack.yaml")
    return str(readings[0].folder / "pack.yaml")
