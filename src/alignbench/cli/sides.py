"""What the commands share that set a candidate against a base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.cli.common import FiniteRange, combined, read
from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from alignbench.judges.panel import How

__all__ = [
    "name_options",
    "read_sides",
    "sides_argument",
    "usefulness_option",
]

sides_argument = click.argument("inputs", nargs=-1, required=True, metavar="BASE [CANDIDATE]")
"""Two inputs, or one that holds both models."""
usefulness_option = click.option(
    "--largest-usefulness-loss", type=FiniteRange(0, 1, is_open=True),
    help="How much lower, as a share, usefulness may be, instead of the policy's (.10 unless it says otherwise).",
)  # fmt: skip


def name_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --base and --candidate."""
    candidate = click.option("--candidate", "candidate_name", metavar="NAME", help="The candidate model.")
    base = click.option("--base", "base_name", metavar="NAME", help="The base, where an input holds several models.")
    return base(candidate(command))


def read_sides(
    inputs: tuple[str, ...],
    panel: How | None = None,
    cards: tuple[str, ...] = (),
    *,
    by: Sequence[str] = (),
    latest: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read the base and the candidate; one input, or one named twice, holds both.

    Args:
        inputs: One or two.
        panel: How to combine several judges, or None for the judges as they are.
        cards: Files with the judges' cards.
        by: Columns that they will be grouped by; with `run` among them several runs may answer the same.
        latest: Whether of such runs, within an input, the latest alone counts.

    Raises:
        InputError: More than two inputs, or an unreadable one.
        NotComparableError: The judges of a panel used different rubrics.
    """
    from alignbench.judges.marking import read_cards

    if len(inputs) > 2:
        raise InputError(f"{len(inputs)} inputs", allowed="BASE CANDIDATE, or one INPUT with --base and --candidate")
    known = read_cards(cards)
    sides = [combined(read([path], by, latest=latest), panel, known, by) for path in dict.fromkeys(inputs)]
    return sides[0], sides[1] if len(sides) == 2 else None
