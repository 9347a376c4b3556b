"""Conditions: points on the axes along which circumstances vary (nudge, monitoring, pressure, …)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from alignbench.circumstances import condition_name
from alignbench.errors import InputError
from alignbench.vocabulary import NEUTRAL, NUDGES, Nudge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.packs.schema import Axis, Prompts

__all__ = ["DEFAULT", "Condition", "expand"]

NUDGE_AXIS = "nudge"


@dataclass(frozen=True, slots=True)
class Condition:
    """One point on the axes.

    Attributes:
        levels: Axis and level, sorted by axis, default levels left out.
        system: Text added to the system prompt; may be empty.
        follow_ups: User turns that follow the first answer.
        nudge: Which of the three prompts is asked.
    """

    levels: tuple[tuple[str, str], ...] = ()
    system: str = ""
    follow_ups: tuple[str, ...] = ()
    nudge: Nudge = NEUTRAL

    @property
    def name(self) -> str:
        """The canonical name: `axis=level` joined by +, or `default`."""
        return condition_name(self.levels)

    def without_nudge(self) -> Condition:
        """The same circumstances for a twin, which has one prompt only."""
        levels = tuple(item for item in self.levels if item[0] != NUDGE_AXIS)
        return Condition(levels, self.system, self.follow_ups)

    def prompt(self, prompts: Prompts) -> str:
        """Pick the prompt of this nudge."""
        return prompts.neutral if self.nudge == NEUTRAL else getattr(prompts, f"to_{self.nudge}")


DEFAULT = Condition()


def expand(axes: Sequence[Axis], wanted: str | Sequence[str] = "default") -> list[Condition]:
    """Turn the task argument `conditions` into conditions.

    Args:
        axes: The axes of the pack; `nudge` comes on top of them.
        wanted: One or several of: `default`; an axis (its levels one at a time, beside the default);
            `axis=level`; several of these joined by + (crossed); `all` (every axis one at a time, beside the
            default).

    Returns:
        The conditions, each once, the default first where it is among them.

    Raises:
        InputError: An unknown axis or level, or an axis crossed with itself.
    """
    known = {axis.id: [level.id for level in axis.levels] for axis in axes}
    known[NUDGE_AXIS] = list(NUDGES[1:])
    found: dict[str, Condition] = {}
    for part in [wanted] if isinstance(wanted, str) else wanted:
        for levels in _points(str(part).strip(), known):
            condition = _condition(axes, levels)
            found[condition.name] = condition
    if not found:
        raise InputError("no condition asked for", allowed="default, " + ", ".join(known))
    return sorted(found.values(), key=lambda condition: condition.name != "default")


def _points(part: str, known: dict[str, list[str]]) -> list[dict[str, str]]:
    """The points of one term, each as axis to level; the empty one is the default."""
    if part == "default":
        return [{}]
    if part == "all":
        return [{}, *({axis: level} for axis, levels in known.items() for level in levels)]
    choices: dict[str, list[str | None]] = {}
    for term in part.split("+"):
        axis, given, level = term.strip().partition("=")
        if axis not in known:
            raise InputError(
                f"unknown axis {axis!r} in conditions {part!r}", allowed=", ".join(["default", "all", *known])
            )
        if axis in choices:
            raise InputError(f"axis {axis!r} stands twice in conditions {part!r}", allowed="each axis once")
        if given and level not in known[axis]:
            raise InputError(f"unknown level {level!r} of axis {axis!r}", allowed=", ".join(known[axis]))
        choices[axis] = [level] if given else [None, *known[axis]]
    names = list(choices)
    return [
        {axis: level for axis, level in zip(names, levels, strict=True) if level is not None}
        for levels in product(*choices.values())
    ]


def _condition(axes: Sequence[Axis], levels: dict[str, str]) -> Condition:
    chosen = [level for axis in axes for level in axis.levels if levels.get(axis.id) == level.id]
    nudge: Nudge = next((nudge for nudge in NUDGES if levels.get(NUDGE_AXIS) == nudge), NUDGES[0])
    return Condition(
        levels=tuple(sorted(levels.items())),
        system="\n\n".join(level.system for level in chosen if level.system),
        follow_ups=tuple(text for level in chosen for text in level.follow_ups),
        nudge=nudge,
    )
