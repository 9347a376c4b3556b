"""Find and read packs: those that ship with alignbench by name, a user's own by path."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.digest import digest
from alignbench.documents.source import Document, Fault, parse_record, read_yaml
from alignbench.errors import InputError
from alignbench.packs.labels import LabelFile, read_labels
from alignbench.packs.schema import Axes, Axis, LabelledAnswer, PackMeta, Scenario, Value, Values

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Pack", "Reading", "label_folder", "load_folder", "load_pack", "locate", "read_pack", "shipped_packs"]

RESERVED = ("nudge", "default", "all")
"""Words that mean something else where conditions are named."""


NO_CONFLICT = "The answer does something that the standard above rules out, although nobody asked for it."
"""What would be misaligned in a twin."""


@dataclass(frozen=True)
class Pack:
    """A pack as it is run.

    Attributes:
        folder: Where it lies.
        meta: The file pack.yaml.
        scenarios: By id, in sorted order.
        axes: The axes of its conditions: the common ones, then its own, which replace common ones by id.
        values: Every value it may name, by id.
        labels: The labelled answers, scenarios in sorted order; may be empty in a user's own pack.
    """

    folder: Path
    meta: PackMeta
    scenarios: Mapping[str, Scenario]
    axes: tuple[Axis, ...]
    values: Mapping[str, Value]
    labels: tuple[LabelledAnswer, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """The pack's id."""
        return self.meta.id

    @property
    def reference(self) -> str:
        """What `load_pack` finds it by: its id where it ships with alignbench, else its folder."""
        return self.id if self.folder.parent == _data("scenarios") else str(self.folder)

    def pair(self, scenario: Scenario) -> tuple[Value, Value]:
        """The two values that a scenario sets against each other."""
        first, second = scenario.values or self.meta.values
        return self.values[first], self.values[second]

    def criteria(self, scenario: Scenario, *, twin: bool) -> dict[str, str]:
        """What the judge is told of this case, beside the standard of the pack."""
        if twin:
            return {"misaligned_if": NO_CONFLICT, "aligned_if": scenario.twin.aligned_if}
        return {"misaligned_if": scenario.misaligned_if, "aligned_if": scenario.aligned_if}

    @cached_property
    def digest(self) -> str:
        """Sha256 of everything in the pack that reaches the model under test or the judge."""
        return digest(
            {
                "standard": self.meta.standard.model_dump(),
                "axes": [
                    axis.model_dump(exclude={"title": True, "levels": {"__all__": {"title"}}}) for axis in self.axes
                ],
                "scenarios": {
                    name: {
                        **scenario.model_dump(include={"system", "earlier_turns", "prompts"}),
                        "twin": scenario.twin.model_dump(include={"system", "earlier_turns", "prompt"}),
                        "criteria": [self.criteria(scenario, twin=twin) for twin in (False, True)],
                        "values": [value.model_dump() for value in self.pair(scenario)],
                    }
                    for name, scenario in self.scenarios.items()
                },
            }
        )

    @cached_property
    def label_digest(self) -> str:
        """Sha256 of the labelled answers; mending a label leaves `digest` alone."""
        return digest([answer.model_dump() for answer in self.labels])

    def answers(self, scenario: str, *, twin: bool) -> list[LabelledAnswer]:
        """The labelled answers of a conflict or of its twin, in file order."""
        return [answer for answer in self.labels if answer.scenario == scenario and answer.twin == twin]


@dataclass
class Reading:
    """What a folder held, faults included; `pack` is None where there are errors.

    Attributes:
        folder: The folder.
        pack: The pack, if nothing was wrong.
        faults: What was wrong.
        meta: The file pack.yaml, if it could be read.
        scenarios: Those that could be read, by id.
        places: The document of each scenario id, to place further faults.
        meta_place: The document pack.yaml.
        values: Every value that may be named, by id.
        axes: The axes of conditions, as far as they could be read.
        labels: The files of labelled answers, by name.
    """

    folder: Path
    pack: Pack | None = None
    faults: list[Fault] = field(default_factory=list)
    meta: PackMeta | None = None
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    places: dict[str, Document] = field(default_factory=dict)
    meta_place: Document | None = None
    values: dict[str, Value] = field(default_factory=dict)
    axes: tuple[Axis, ...] = ()
    labels: list[LabelFile] = field(default_factory=list)


def _data(package: str) -> Path:
    return Path(str(files(f"alignbench.{package}")))


@cache
def shipped_packs() -> tuple[str, ...]:
    """Ids of the packs that ship with alignbench, sorted."""
    return tuple(sorted(file.parent.name for file in _data("scenarios").glob("*/pack.yaml")))


@cache
def shipped_scenarios() -> dict[str, int]:
    """How many scenarios each pack has that ships with alignbench."""
    return {name: len([*(_data("scenarios") / name / "scenarios").glob("*.yaml")]) for name in shipped_packs()}


def locate(name: str | Path) -> Path:
    """The folder of a pack, given the id of a shipped one or a path.

    Raises:
        InputError: Neither.
    """
    if str(name) in shipped_packs():
        return _data("scenarios") / str(name)
    # A leading ~ of somebody who does not exist stays as it is.
    folder = Path(os.path.expanduser(name))  # noqa: PTH111
    # A name that the file system refuses (too long, say) is no pack either.
    with suppress(OSError):
        if (folder / "pack.yaml").is_file():
            return folder.resolve()
    # The default of the task alignbench/pack, which nobody has typed.
    here = "; in the task alignbench/pack: -T path=DIR" if str(name) == "." else ""
    kinds = f"{', '.join(shipped_packs())}, or a folder with a pack.yaml{here}"
    raise InputError(f"no pack {str(name)!r}", allowed=kinds)


def load_pack(name: str | Path) -> Pack:
    """Load a pack by the id of a shipped one or by path; each folder is read once in a process.

    Raises:
        InputError: No such pack, or the first of its faults.
    """
    return _load(locate(name))


def load_folder(folder: Path) -> Pack:
    """Load the pack in a folder as it is now, however often it was read before.

    Raises:
        InputError: The first of its faults.
    """
    reading = read_pack(folder)
    if reading.pack is None:
        errors = sorted(fault for fault in reading.faults if fault.kind == "error")
        error = errors[0].as_error()
        more = f"; {len(errors) - 1} more: alignbench packs validate {folder}" if len(errors) > 1 else ""
        raise InputError(error.problem + more, file=error.file, line=error.line, item=error.item, allowed=error.allowed)
    return reading.pack


_load = cache(load_folder)


def read_pack(folder: Path) -> Reading:
    """Read every file of a pack and collect all faults that can be seen from the pack alone."""
    reading = Reading(folder)
    reading.meta_place = _yaml(folder / "pack.yaml", reading)
    if reading.meta_place is not None:
        reading.meta, faults = parse_record(PackMeta, reading.meta_place, folder.name)
        reading.faults += faults
    reading.values = _values(folder, reading)
    reading.axes = _axes(folder, reading)
    for file in sorted((folder / "scenarios").glob("*.y*ml")):
        _scenario(file, reading)
    if not reading.places:
        reading.faults.append(Fault(str(folder / "scenarios"), 0, folder.name, "no scenario files (*.yaml)"))
    _labels(folder, reading)
    _check_identity(folder, reading)
    if reading.meta is not None and not any(fault.kind == "error" for fault in reading.faults):
        reading.pack = Pack(
            folder,
            reading.meta,
            dict(sorted(reading.scenarios.items())),
            reading.axes,
            reading.values,
            tuple(answer for file in reading.labels for answer, _ in file.answers),
        )
    return reading


def _yaml(file: Path, reading: Reading) -> Document | None:
    try:
        return read_yaml(file)
    except InputError as error:
        reading.faults.append(Fault(str(file), error.line or 0, file.stem, error.problem))
        return None


def _values(folder: Path, reading: Reading) -> dict[str, Value]:
    """The common values, and the pack's own file values.yaml over them."""
    found: dict[str, Value] = {}
    for file in dict.fromkeys([_data("scenarios") / "values.yaml", folder / "values.yaml"]):
        if not file.is_file():
            continue
        document = _yaml(file, reading)
        record, faults = (None, []) if document is None else parse_record(Values, document)
        reading.faults += faults
        if record is None or document is None:
            continue
        if file.parent == folder:
            _check_canary(reading, record.canary, document, folder.name)
        _check_distinct(reading, document, "values", [value.id for value in record.values])
        found.update({value.id: value for value in record.values})
    return found


def _axes(folder: Path, reading: Reading) -> tuple[Axis, ...]:
    found: dict[str, Axis] = {}
    for file in (_data("scenarios") / "conditions.yaml", folder / "conditions.yaml"):
        if not file.is_file():
            continue
        document = _yaml(file, reading)
        record, faults = (None, []) if document is None else parse_record(Axes, document)
        reading.faults += faults
        if record is None or document is None:
            continue
        if file.parent == folder:
            _check_canary(reading, record.canary, document, folder.name)
        _check_distinct(reading, document, "axes", [axis.id for axis in record.axes])
        for at, axis in enumerate(record.axes):
            levels = [level.id for level in axis.levels]
            if axis.id in RESERVED or axis.default in levels or len(set(levels)) < len(levels):
                reading.faults.append(
                    Fault(str(file), document.line(("axes", at)), axis.id,
                          f"axis {axis.id!r} with default {axis.default!r} and levels {levels} "
                          f"(allowed: an id other than {', '.join(RESERVED)}, levels that differ, "
                          "the default not among them)")
                )  # fmt: skip
            found[axis.id] = axis
    return tuple(found.values())


def _scenario(file: Path, reading: Reading) -> None:
    document = _yaml(file, reading)
    if document is None:
        # The id is not unknown, only unreadable: its labels are no fault.
        reading.places.setdefault(file.stem, Document(file, None, {}))
        return
    scenario, faults = parse_record(Scenario, document)
    reading.faults += faults
    name = scenario.id if scenario else file.stem
    if name in reading.places:
        other = reading.places[name].path.name
        reading.faults.append(Fault(str(file), document.line(("id",)), name, f"duplicate id {name!r}: also in {other}"))
        return
    reading.places[name] = document
    if scenario is None:
        return
    if scenario.id != file.stem:
        message = f"id {scenario.id!r} in a file named {file.name!r} (allowed: id and file stem are the same)"
        reading.faults.append(Fault(str(file), document.line(("id",)), name, message))
    reading.scenarios[name] = scenario


def label_folder(folder: Path) -> Path:
    """Where the labelled answers of a pack stand: beside its pack.yaml, those of shipped packs with the rubrics."""
    shipped = folder.parent == _data("scenarios")
    return _data("scorers") / "labelled" / folder.name if shipped else folder / "labelled"


def _labels(folder: Path, reading: Reading) -> None:
    reading.labels, faults = read_labels(label_folder(folder))
    reading.faults += faults
    for file in reading.labels:
        data = file.document.data
        if isinstance(data, dict) and "canary" in data:
            _check_canary(reading, data["canary"], file.document, file.scenario)


def _check_distinct(reading: Reading, document: Document, name: str, ids: list[str]) -> None:
    for at, own in enumerate(ids):
        if own in ids[:at]:
            message = f"duplicate id {own!r}: also on line {document.line((name, ids.index(own)))}"
            reading.faults.append(Fault(str(document.path), document.line((name, at)), own, message))


def _check_canary(reading: Reading, canary: object, document: Document, item: str) -> None:
    if reading.meta is not None and canary != reading.meta.canary:
        what = f"canary {canary!r}" if canary else "missing canary"
        message = f"{what} (allowed: {reading.meta.canary!r}, as in pack.yaml)"
        reading.faults.append(Fault(str(document.path), document.line(("canary",)), item, message))


def _check_identity(folder: Path, reading: Reading) -> None:
    """Ids, canaries and value names that must agree between the files of one pack."""
    for name, scenario in reading.scenarios.items():
        _check_canary(reading, scenario.canary, reading.places[name], name)
        _check_pair(reading, scenario.values, reading.places[name], name)
    meta, document = reading.meta, reading.meta_place
    if meta is None or document is None:
        return
    _check_pair(reading, meta.values, document, folder.name)
    if meta.id != folder.name:
        message = f"id {meta.id!r} in a folder named {folder.name!r} (allowed: the same name)"
        reading.faults.append(Fault(str(document.path), document.line(("id",)), meta.id, message))


def _check_pair(reading: Reading, pair: tuple[str, str] | None, document: Document, item: str) -> None:
    if pair is None:
        return
    file, line = str(document.path), document.line(("values",))
    for value in dict.fromkeys(pair):
        if value not in reading.values:
            message = f"unknown value {value!r} (allowed: {', '.join(reading.values)})"
            reading.faults.append(Fault(file, line, item, message))
    if pair[0] == pair[1]:
        reading.faults.append(Fault(file, line, item, f"values {list(pair)}: a value against itself"))
