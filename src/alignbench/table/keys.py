"""Which columns together tell rows, outputs, judges, runs and versions apart: the one list of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "IDENTITY",
    "INSTRUMENT",
    "JUDGE",
    "KEY_COLUMNS",
    "MODEL",
    "QUESTION",
    "RUN_COLUMNS",
    "VERSION",
    "key_columns",
    "output_columns",
]

MODEL = ("model", "model_args")
"""A model with its settings."""

JUDGE = ("judge", "judge_config")
"""A judge with its settings."""

INSTRUMENT = (*JUDGE, "rubric_digest")
"""What outputs are judged by: another setting or rubric is another judge."""

IDENTITY = ("model", *INSTRUMENT, "pack_digest")
"""Rows that differ in one of these are never counted together."""

VERSION = ("pack", *JUDGE, "pack_digest", "rubric_digest")
"""What decides whether results may be compared."""

QUESTION = (*MODEL, "pack", "condition", "twin")
"""What a run asks as a whole: two runs share the question where they share a scenario of it. The judge is no part of
it, nor the version of the pack: a run judged again is still the same run, and one on a mended pack takes its place."""

KEY_COLUMNS = (
    "model", "model_args", "pack", "scenario", "twin", "condition", "epoch", "turn", "judge", "judge_config",
)  # fmt: skip
"""What identifies a row."""

RUN_COLUMNS = ("date", "run")
"""What tells runs apart that answer the same; grouped by one of them, such runs stand beside each other."""


def key_columns(by: Collection[str] = ()) -> tuple[str, ...]:
    """What identifies a row where rows are grouped by some columns: also its run or its date, if they are of them."""
    return (*KEY_COLUMNS, *(name for name in RUN_COLUMNS if name in by))


def output_columns(by: Collection[str] = ()) -> tuple[str, ...]:
    """What identifies an output, whoever judged it; `by` as for `key_columns`."""
    return tuple(name for name in key_columns(by) if name not in JUDGE)
