"""The labelled answers of a pack: one YAML file a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from alignbench.documents.source import Document, Fault, parse_record, read_yaml
from alignbench.errors import InputError
from alignbench.packs.schema import Answer, Canary, Id, LabelledAnswer, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["LabelFile", "read_labels"]


class _Head(Record):
    """A file of labelled answers whose answers are looked at one by one, so that no fault hides another's."""

    scenario: Id
    canary: Canary
    answers: list[Any] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a file of labelled answers held.

    Attributes:
        document: The file as it was parsed; its data is None where it could not be.
        scenario: The scenario that it names, or else the file's stem.
        answers: The answers without a fault, each with its line, in file order.
    """

    document: Document
    scenario: str
    answers: tuple[tuple[LabelledAnswer, int], ...] = ()


def read_labels(folder: Path) -> tuple[list[LabelFile], list[Fault]]:
    """Read the files of labelled answers in a folder, by name.

    Returns:
        The files, none where there is no such folder, and every fault that can be seen from them alone.
    """
    files: list[LabelFile] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            document = read_yaml(path)
        except InputError as error:
            faults.append(Fault(str(path), error.line or 0, path.stem, error.problem))
            files.append(LabelFile(Document(path, None, {}), path.stem))
            continue
        file, found = _read(document)
        files.append(file)
        faults += found
    return files, faults + list(_repeated_ids(files)) + list(_json_lines(folder))


def _read(document: Document) -> tuple[LabelFile, list[Fault]]:
    head, faults = parse_record(_Head, document, document.path.stem)
    scenario = head.scenario if head else document.path.stem
    if scenario != document.path.stem:
        named = f"scenario {scenario!r} in a file named {document.path.name!r}"
        message = f"{named} (allowed: scenario and file stem are the same)"
        faults.append(Fault(str(document.path), document.line(("scenario",)), scenario, message))
    answers: list[tuple[LabelledAnswer, int]] = []
    listed = document.data.get("answers") if isinstance(document.data, dict) else None
    for at in range(len(listed) if isinstance(listed, list) else 0):
        part = document.part(("answers", at))
        answer, found = parse_record(Answer, part)
        faults += found
        if answer is not None:
            answers.append((LabelledAnswer(scenario=scenario, **answer.model_dump()), part.line(())))
    return LabelFile(document, scenario, tuple(answers)), faults


def _repeated_ids(files: Iterable[LabelFile]) -> Iterator[Fault]:
    seen: dict[str, tuple[Path, int]] = {}
    for file in files:
        path = file.document.path
        for answer, line in file.answers:
            other, first = seen.setdefault(answer.id, (path, line))
            if (other, first) != (path, line):
                where = f"on line {first}" if other == path else f"in {other.name}, line {first}"
                yield Fault(str(path), line, answer.id, f"duplicate id {answer.id!r}: also {where}")


def _json_lines(folder: Path) -> Iterator[Fault]:
    """The file that held labelled answers before they stood in a file for each scenario."""
    old = folder.with_suffix(".jsonl")
    if old.is_file():
        message = (
            "labelled answers as JSON lines are not read: write them into labelled/SCENARIO.yaml, a file for each "
            "scenario (`alignbench packs schema labelled` says how), and remove this file"
        )
        yield Fault(str(old), 0, folder.parent.name, message)
