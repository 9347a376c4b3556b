"""Files of records that ship in `scorers/attacks`: a line with canary and title, then one record a line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from alignbench.documents.source import Fault, json_lines, parse_record
from alignbench.packs.schema import Canary, Record, Text

__all__ = ["attack_records"]

Kind = TypeVar("Kind", bound=Record)


class _Header(Record):
    canary: Canary
    title: Text


def attack_records(name: str, kind: type[Kind]) -> tuple[Kind, ...]:
    """The records of a file, in file order.

    Args:
        name: Name of the file.
        kind: What its lines are.

    Raises:
        InputError: The first fault of the file.
    """
    found: list[Kind] = []
    for number, document in enumerate(json_lines(Path(str(files("alignbench.scorers"))) / "attacks" / name)):
        if isinstance(document, Fault):
            raise document.as_error()
        if number == 0:
            _, faults = parse_record(_Header, document)
        else:
            record, faults = parse_record(kind, document)
            found += [record] if record else []
        if faults:
            raise faults[0].as_error()
    return tuple(found)
