"""How numbers read: shares, changes in points, intervals, p-values, counts, money and tokens.

Shares come as they are, from 0 to 1, and read in percent. What is not known (None, NaN or NA) reads as a dash.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = [
    "NOTHING",
    "in_percent",
    "interval",
    "is_nothing",
    "money",
    "number",
    "number_interval",
    "number_of",
    "p_value",
    "p_words",
    "percent",
    "points",
    "points_interval",
    "rate_and_interval",
    "size",
    "stated_percent",
    "stated_points",
    "tokens",
    "upper_bound",
]

NOTHING = "-"
"""How a number reads that is not known."""
_SMALLEST_P = 0.0001
"""Below it a p-value has no digits of its own."""


def is_nothing(value: Any) -> bool:
    """Whether a value is no number: None, a missing value of a table, NaN or infinite."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return not math.isfinite(value)


def number(value: Any, digits: int = 3, *, signed: bool = False) -> str:
    """A number with fixed decimals, with its sign where it is a difference.

    Args:
        value: The number.
        digits: Decimals.
        signed: Whether a number above zero has its sign, too.
    """
    if is_nothing(value):
        return NOTHING
    # Adding 0.0 makes 0.0 of the -0.0 that rounding leaves.
    return f"{round(float(value), digits) + 0.0:{'+' if signed else ''}.{digits}f}"


def number_interval(low: Any, high: Any, digits: int = 3, *, signed: bool = False) -> str:
    """An interval of numbers that are no shares; a dash where none can be given."""
    if is_nothing(low) or is_nothing(high):
        return NOTHING
    return f"[{number(low, digits, signed=signed)}, {number(high, digits, signed=signed)}]"


def in_percent(share: float) -> float:
    """A share as a number of percent or of points, for what computes with it, as an axis does."""
    return 100 * share


def percent(share: Any, digits: int = 1) -> str:
    """A share in percent."""
    return NOTHING if is_nothing(share) else f"{size(share, digits)} %"


def interval(low: Any, high: Any) -> str:
    """An interval of shares, in percent; a dash where none can be given."""
    if is_nothing(low) or is_nothing(high):
        return NOTHING
    return f"[{size(low)}, {size(high)}]"


def rate_and_interval(value: Any, low: Any, high: Any) -> str:
    """A share and its interval, in percent, below a heading that says so."""
    if is_nothing(value):
        return NOTHING
    limits = interval(low, high)
    return f"{size(value)} {'(no interval)' if limits == NOTHING else limits}"


def stated_percent(share: float) -> str:
    """A share that somebody has set, such as a coverage: in percent, with the digits that it has."""
    return f"{in_percent(share):g} %"


def stated_points(share: float) -> str:
    """A margin that somebody has set: in points, with the digits that it has."""
    return f"{in_percent(share):g}"


def points(change: Any) -> str:
    """A difference of shares in percentage points, with its sign."""
    return NOTHING if is_nothing(change) else number(in_percent(change), 1, signed=True)


def points_interval(low: Any, high: Any) -> str:
    """An interval of a difference, in percentage points; a dash where none can be given."""
    if is_nothing(low) or is_nothing(high):
        return NOTHING
    return f"[{points(low)}, {points(high)}]"


def size(share: Any, digits: int = 1) -> str:
    """How large something is in percentage points, or a share in percent whose unit stands elsewhere."""
    return NOTHING if is_nothing(share) else number(in_percent(share), digits)


def p_value(p: Any) -> str:
    """A p-value with four decimals."""
    if is_nothing(p):
        return NOTHING
    return f"<{_SMALLEST_P:.4f}" if p < _SMALLEST_P else f"{p:.4f}"


def p_words(p: float) -> str:
    """A p-value in a sentence."""
    return f"p < {_SMALLEST_P:.4f}" if p < _SMALLEST_P else f"p = {p:.4f}"


def upper_bound(share: Any, what: str = "event") -> str:
    """How an upper bound reads that stands beside a rate of nothing; empty where there is none.

    Args:
        share: The bound.
        what: What was not seen.
    """
    return "" if is_nothing(share) else f"no {what}: at most {percent(share)}"


def number_of(count: int, noun: str) -> str:
    """A count with what is counted, as in `no rows`, `1 row` and `2 rows`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def money(amount: Any, currency: str = "", digits: int = 2) -> str:
    """An amount before its currency; behind a sign such as $.

    Args:
        amount: The amount.
        currency: A code such as EUR, the sign $, or nothing where it is not stated.
        digits: Decimals.
    """
    shown = number(amount, digits)
    return f"${shown}" if currency == "$" else f"{shown} {currency}".rstrip()


def tokens(count: float) -> str:
    """A number of tokens, thousands set apart."""
    return f"{count:,.0f}"
