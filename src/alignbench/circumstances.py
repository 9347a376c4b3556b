"""The name of a condition, which says its circumstances: `default`, or `axis=level` joined by +."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT", "NUDGE", "axes_of", "condition_name", "condition_parts", "level_of", "without_nudge"]

DEFAULT: Final = "default"
"""Every axis at its default level; headline figures are of it alone."""
NUDGE: Final = "nudge"
"""The axis along which a prompt leans to one of the two values."""


def condition_name(levels: Iterable[tuple[str, str]]) -> str:
    """The name of axes and their levels, in the order given."""
    return "+".join(f"{axis}={level}" for axis, level in levels) or DEFAULT


def condition_parts(name: str) -> list[str]:
    """The parts of a name, one an axis; none of the default condition. Others' tables may name parts as they like."""
    return [] if name in ("", DEFAULT) else name.split("+")


def axes_of(name: str) -> set[str]:
    """The axes that do not stand at their default."""
    return {part.partition("=")[0] for part in condition_parts(name)}


def level_of(name: str, axis: str) -> str | None:
    """The level of an axis; None where it stands at its default."""
    levels = dict(part.partition("=")[::2] for part in condition_parts(name))
    return levels.get(axis)


def without_nudge(name: str) -> str:
    """A condition without its nudge, which changes no number of turns and which twins do not have."""
    return "+".join(part for part in condition_parts(name) if part.partition("=")[0] != NUDGE) or DEFAULT
