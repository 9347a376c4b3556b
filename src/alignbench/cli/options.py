"""Options that the commands share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FiniteRange",
    "by_option",
    "cards_option",
    "confidence_option",
    "format_option",
    "input_argument",
    "latest_option",
    "panel_options",
    "seed_option",
    "unscored_option",
]

input_argument = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
latest_option = click.option(
    "--latest", is_flag=True,
    help="Of several runs that answer the same, count the latest alone; stderr says how much is left out.",
)  # fmt: skip
format_option = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True,
    help="How the result is printed.",
)  # fmt: skip


class FiniteRange(click.FloatRange):
    """Finite numbers between two limits: click lets nan through, which compares with none."""

    def __init__(self, low: float, high: float, *, is_open: bool = False) -> None:
        super().__init__(low, high, min_open=is_open, max_open=is_open)
        self._words = f"{low:g}{'<' if is_open else '<='}x{'<' if is_open else '<='}{high:g}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; a usage error for nan, infinity and what is out of range."""
        found = click.FLOAT.convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{found} is not in the range {self._words}.", param, ctx)
        return super().convert(value, param, ctx)


def _confidence(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """A confidence of intervals; people who mean a test give 0.05."""
    from alignbench.stats.estimate import COVERAGE, check_confidence

    try:
        check_confidence(value)
    except InputError:
        raise click.BadParameter(f"{value:g} is none; --confidence is {COVERAGE}.") from None
    return value


confidence_option = click.option(
    "--confidence", type=float, callback=_confidence, default=0.95, show_default=True,
    help="Two-sided confidence of the intervals: how often they are to hold the truth.",
)  # fmt: skip
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every random draw."
)
unscored_option = click.option(
    "--largest-unscored-share", type=FiniteRange(0, 1), default=0.10, show_default=True,
    help="A model of which more of a pack has no verdict has no rank.",
)  # fmt: skip
_PANEL = click.option(
    "--panel", type=click.Choice(["majority", "weights"]), default=None,
    help="Combine the votes of several judges; weights come from their cards.",
)  # fmt: skip
cards_option = click.option(
    "--cards", multiple=True, type=click.Path(), metavar="FILE",
    help="The judge_card.json of a judge (from judge exam); once for each.",
)  # fmt: skip


def panel_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --panel and --cards; `combined` does what they ask for."""
    return _PANEL(cards_option(command))


def by_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the option --by, a list of columns joined by commas."""
    return click.option(
        "--by", default=default, show_default=True, metavar="COLUMN,...", callback=_split,
        help="Columns to group by, joined by commas.",
    )  # fmt: skip


def _split(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
