"""How a fault is put into a sound pack, and how `alignbench packs validate` must name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sound_pack import SoundPack

__all__ = [
    "BAKERY",
    "CYCLES",
    "FLORIST",
    "LABELLED",
    "Case",
    "Plant",
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
LABELLED = [f"labelled/{name}.yaml" for name in ("bakery_sign", "cycle_repair_quote", "florist_reviews")]


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
    """Add a labelled answer as the first one of the bakery's sign."""
    return lambda pack: pack.add_label(**changes)


def content(file: str, text: str | bytes) -> Plant:
    """Give a file another content, or the pack another file."""
    return lambda pack: pack.files.update({file: text})


def drop_label(scenario: str, name: str) -> Plant:
    """Leave out one labelled answer of a scenario."""
    return lambda pack: pack.drop_label(scenario, name)


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
