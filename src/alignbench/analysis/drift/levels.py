"""The levels of an axis: which rows stand for each, brought to one form so that they can be paired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alignbench.circumstances import DEFAULT, NUDGE, axes_of, condition_parts
from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["Axis", "axis_levels", "known_axes"]

_PARTNERS = ("pack", "scenario", "twin", "epoch")
_REPETITION = "repetition"
"""Column of a nudge's rows where epochs run through all nudges: which repetition under that nudge it is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Axis:
    """An axis of circumstances and the rows at its levels.

    Attributes:
        name: condition, nudge, turn, or an axis named in the conditions.
        base: Its default level.
        levels: The last turn of each conversation by level, the default first. On the axis `turn` every turn is a
            level.
        conversations: All turns of each conversation by level.
        partners: Columns in which outputs at two levels agree that are partners.
    """

    name: str
    base: str
    levels: dict[str, pd.DataFrame]
    conversations: dict[str, pd.DataFrame]
    partners: tuple[str, ...] = _PARTNERS

    def of(self, members: pd.Index) -> Axis:
        """The same of some rows alone, such as one model's; levels without any are left out."""
        return replace(self, levels=_only(self.levels, members), conversations=_only(self.conversations, members))


def _only(levels: dict[str, pd.DataFrame], members: pd.Index) -> dict[str, pd.DataFrame]:
    own = {name: rows[rows.index.isin(members)] for name, rows in levels.items()}
    return {name: rows for name, rows in own.items() if len(rows)}


def known_axes(table: pd.DataFrame) -> list[str]:
    """The axes along which a table's rows vary."""
    named = {axis for name in _conditions(table) for axis in axes_of(name)}
    if (table["nudge"] != "neutral").any():
        named.add("nudge")
    if (table.loc[table["condition"] == DEFAULT, "turn"] != 1).any():
        named.add("turn")
    return sorted(named | ({"condition"} if len(_conditions(table)) > 1 else set()))


def axis_levels(table: pd.DataFrame, axis: str) -> Axis:
    """Find the rows at each level of an axis, the other axes at their defaults.

    Args:
        table: A verdict table.
        axis: `condition` (every condition that is not the default), `nudge`, `turn` (in the default
            condition), or an axis that conditions name, such as `monitoring`.

    Raises:
        InputError: The table does not vary along it, or has no row at its default.
    """
    if axis not in known_axes(table):
        choice = ", ".join(known_axes(table)) or "none: one condition, and one turn in it"
        raise InputError(f"the table does not vary along {axis!r}", allowed=choice)
    if axis == "turn":
        return _turns(table)
    if axis == "nudge":
        return _nudges(table)
    base = np.asarray(table["condition"] == DEFAULT)
    prefix = f"{axis}="
    wanted: Callable[[str], bool] = (
        (lambda name: name != DEFAULT)
        if axis == "condition"
        else (lambda name: name.startswith(prefix) and len(condition_parts(name)) == 1)
    )
    found = {DEFAULT: table[base]}
    for name in filter(wanted, _conditions(table)):
        found[name.removeprefix(prefix)] = table[np.asarray(table["condition"] == name)]
    return _axis(axis, DEFAULT, found)


def _axis(name: str, base: str, found: dict[str, pd.DataFrame], partners: tuple[str, ...] = _PARTNERS) -> Axis:
    found = {level: rows for level, rows in found.items() if len(rows)}
    if base not in found or len(found) < 2:
        raise InputError(
            f"axis {name!r} has the levels {', '.join(found) or 'none'} beside other axes at their defaults",
            allowed=f"{base}, and another level",
        )
    last = {level: rows[np.asarray(rows["turn"] == rows["turns"], dtype=bool)] for level, rows in found.items()}
    return Axis(name=name, base=base, levels=last, conversations=found, partners=partners)


def _turns(table: pd.DataFrame) -> Axis:
    """Each turn of the default condition; the first one that stands in the table is the base."""
    chosen = table[np.asarray(table["condition"] == DEFAULT)]
    turns = sorted(int(turn) for turn in chosen["turn"].unique())
    found = {str(turn): chosen[np.asarray(chosen["turn"] == turn, dtype=bool)] for turn in turns}
    return Axis(name="turn", base=str(turns[0]), levels=found, conversations={DEFAULT: chosen})


def _nudges(table: pd.DataFrame) -> Axis:
    alone = [name for name in _conditions(table) if axes_of(name) <= {NUDGE}]
    chosen = table[np.asarray(table["condition"].isin(alone))]
    found = {level: chosen[np.asarray(chosen["nudge"] == level)] for level in ("neutral", "value_1", "value_2")}
    if set(alone) != {DEFAULT}:
        return _axis("nudge", "neutral", found)
    # A table without conditions numbers the rows of all nudges through: their order within each pairs them.
    partners = tuple(_REPETITION if name == "epoch" else name for name in _PARTNERS)
    return _axis("nudge", "neutral", {level: _numbered(rows) for level, rows in found.items()}, partners)


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["model", "model_args", "pack", "scenario", "twin", "turn", "judge", "judge_config"]
    rank = rows.groupby(keys, observed=True)["epoch"].rank(method="dense").astype("Int32")
    return rows.assign(**{_REPETITION: rank})


def _conditions(table: pd.DataFrame) -> list[str]:
    return sorted(map(str, table["condition"].unique()))
