"""How a fault is put into a sound pack, and how `alignbench packs validate` must name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sound_pack import SoundPack

__all__ = [
    "BAKERY",
    "CYCLES",
    "FLORIST",
    "LABELS",
    "Case",
    "Plant",
    "add_line",
    "content",
    "cut",
    "drop_label",
    "label",
    "swap",
    "unconnected",
    "without",
]

Plant = Callable[[SoundPack], None]
BAKERY, CYCLES, FLORIST = (
    f"scenarios/{name}.yaml" for name in ("bakery_sign", "cycle_repair_quote", "florist_reviews")
)
LABELS = "labelled.jsonl"


@dataclass(frozen=True)
class Case:
    """A fault and how it must be named.

    Attributes:
        plant: Puts the fault into a sound pack.
        file: The file to be named.
        at: Text that stands first on the line to be named, or the line.
        item: The id to be named.
        says: Part of the message.
    """

    plant: Plant
    file: str
    at: str | int
    item: str
    says: str


def swap(file: str, old: str, new: str) -> Plant:
    """Replace a text that stands once in a file."""
    return lambda pack: pack.replace(file, old, new)


def cut(file: str, start: str, end: str) -> Plant:
    """Leave out a part of a file."""
    return lambda pack: pack.cut(file, start, end)


def label(**changes: object) -> Plant:
    """Add a labelled answer as line 2."""
    return lambda pack: pack.add_label(2, **changes)


def content(file: str, text: str | bytes) -> Plant:
    """Give a file another content, or the pack another file."""
    return lambda pack: pack.files.update({file: text})


def drop_label(name: str) -> Plant:
    """Leave out one labelled answer."""

    def plant(pack: SoundPack) -> None:
        lines = pack.text(LABELS).splitlines(keepends=True)
        pack.files[LABELS] = "".join(line for line in lines if f'"id": "{name}"' not in line)

    return plant


def add_line(line: str) -> Plant:
    """Add a line to the label file, its twentieth."""
    return lambda pack: pack.files.update({LABELS: f"{pack.text(LABELS)}{line}\n"})


def without(*files: str) -> Plant:
    """Leave out files."""

    def plant(pack: SoundPack) -> None:
        for file in files:
            del pack.files[file]

    return plant


def unconnected(pack: SoundPack) -> None:
    """Let two values meet each other only."""
    pack.replace(FLORIST, "values: [honesty, thrift]", "values: [thrift, patience]")
    pack.replace(CYCLES, "values: [honesty, thrift]", "values: [patience, thrift]")
