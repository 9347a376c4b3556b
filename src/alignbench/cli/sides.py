"""What the commands share that set a candidate against a base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["name_options", "p_value", "points", "read_sides", "sides_argument"]

sides_argument = click.argument("inputs", nargs=-1, required=True, metavar="BASE [CANDIDATE]")
"""Two inputs, or one that holds both models."""


def name_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --base and --candidate."""
    candidate = click.option("--candidate", "candidate_name", metavar="NAME", help="The candidate model.")
    base = click.option(
        "--base", "base_name", metavar="NAME", help="The base, where an input holds several models."
    )
    return base(candidate(command))


def read_sides(inputs: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read the base and the candidate; one input, or one named twice, holds both.

    Raises:
        InputError: More than two inputs, or an unreadable one.
    """
    from alignbench.inputs import read_inputs

    if len(inputs) > 2:
        raise InputError(
            f"{len(inputs)} inputs", allowed="BASE CANDIDATE, or one INPUT with --base and --candidate"
        )
    sides = [read_inputs([path]) for path in dict.fromkeys(inputs)]
    return sides[0], sides[1] if len(sides) == 2 else None


def points(value: Any) -> str:
    """A difference of shares in percentage points, with its sign; a dash for nothing."""
    return "-" if value is None or value != value else f"{100 * value:+.1f}"


def p_value(value: Any) -> str:
    """A p-value with four decimals; a dash for nothing."""
    if value is None or value != value:
        return "-"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
