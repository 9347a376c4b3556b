"""What a comparison is of: where each side comes from, how it was asked and judged, and on which packs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alignbench.text.numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alignbench.analysis.compare.pairing import Sides

__all__ = ["Side", "compared_sides", "described"]

_DIGITS = 12
"""Digits of a digest that a person is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison.

    Attributes:
        model: Its name.
        source: The folder or file that it was read from; empty where that is not known.
        model_args: Its arguments and settings, as JSON; more than one where they differ.
        epochs: Repetitions of each scenario.
        judges: Judges, with the digest of their configuration where they have one.
        rubrics: Rubrics, with their digest.
        packs: Packs, with version and digest.
    """

    model: str
    source: str = ""
    model_args: tuple[str, ...] = ()
    epochs: int = 0
    judges: tuple[str, ...] = ()
    rubrics: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()


def compared_sides(sides: Sides, base: str, candidates: Sequence[str], inputs: Sequence[str] = ()) -> list[Side]:
    """The base and its candidates.

    Args:
        sides: The checked tables.
        base: Name of the base.
        candidates: Names of the candidates.
        inputs: What the base and the candidate were read from; one name where one table holds both.
    """
    others = sides.base if sides.candidate is None else sides.candidate
    first, last = (inputs[0], inputs[-1]) if inputs else ("", "")
    return [_side(sides.base, base, first), *(_side(others, name, last) for name in candidates)]


def described(sides: Sequence[Side]) -> list[str]:
    """A line for each side, then what they were judged by and asked; once where it is the same."""
    names = ["base", *["candidate"] * len(sides)][: len(sides)]
    lines = [f"{name}: {_origin(side)}" for name, side in zip(names, sides, strict=True)]
    for title in ("judges", "rubrics", "packs"):
        found = [", ".join(getattr(side, title)) for side in sides]
        if len(set(found)) < 2:
            lines += [f"{title}: {found[0]}"] if any(found) else []
        else:
            lines += [
                f"{title} of {side.model if len(sides) > 2 else f'the {name}'}: {text or 'not stated'}"
                for name, side, text in zip(names, sides, found, strict=True)
            ]
    return lines


def _origin(side: Side) -> str:
    parts = [f"{side.model} from {side.source}" if side.source else side.model]
    # Checkpoints under one name have them in their names.
    args = [one for one in side.model_args if one not in side.model]
    parts += [f"arguments {' and '.join(args)}"] if args else []
    parts += [number_of(side.epochs, "epoch")] if side.epochs else []
    return ", ".join(parts)


def _side(table: pd.DataFrame, model: str, source: str) -> Side:
    rows = table[table["model"] == model]

    def distinct(*columns: str) -> list[tuple[str, ...]]:
        found = rows[list(columns)].drop_duplicates().astype(object).fillna("").astype(str)
        return sorted(found.itertuples(index=False, name=None))

    return Side(
        model=model,
        source=source,
        model_args=tuple(args for (args,) in distinct("model_args") if args),
        epochs=int(rows["epoch"].max()) if len(rows) else 0,
        judges=tuple(filter(None, (_words(*one) for one in distinct("judge", "judge_config")))),
        rubrics=tuple(filter(None, (_words(*one) for one in distinct("rubric", "rubric_digest")))),
        packs=tuple(
            _words(f"{pack} {version}".strip(), digest)
            for pack, version, digest in distinct("pack", "pack_version", "pack_digest")
        ),
    )


def _words(name: str, digest: str = "") -> str:
    """A name with the beginning of a digest; empty without either."""
    return f"{name or 'unnamed'} ({digest[:_DIGITS]})" if digest else name
