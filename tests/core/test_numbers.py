"""Numbers in words: how each kind reads, and that nothing but their home puts them into words."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import alignbench
from alignbench.text import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(str(alignbench.__file__)).parent
HOME = ROOT / "text" / "numbers.py"
DIGITS = re.compile(r"[+,]*\.\d+[f%]|%")
"""Formats of decimals and of percent; `g` shows a number that somebody gave as it was given."""


def _worded(tree: ast.AST) -> Iterator[int]:
    """The lines that multiply by 100, or give decimals or percent to a number in a text."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.BinOp(op=ast.Mult(), left=ast.Constant(value=100))
                | ast.BinOp(op=ast.Mult(), right=ast.Constant(value=100))
            ):
                yield node.lineno
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(form))])):
                if DIGITS.fullmatch(form):
                    yield node.lineno


def test_numbers_have_one_home() -> None:
    """Nothing but `text/numbers.py` turns a share into percent or gives a number its decimals."""
    assert list(_worded(ast.parse(HOME.read_text("utf-8"))))
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted(ROOT.rglob("*.py"))
        if file != HOME
        for line in _worded(ast.parse(file.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize("line", ['f"{100 * share:g} %"', 'f"{share:.1%}"', 'f"{x:+.2f}"', 'f"{n:,.0f}"', "x * 100"])
def test_the_reading_of_the_source_sees_every_form(line: str) -> None:
    """A share in percent, decimals with and without a sign, thousands."""
    assert list(_worded(ast.parse(line))) == [1]


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, pd.NA, pd.NaT])
def test_what_is_not_known_reads_as_a_dash(nothing: object) -> None:
    """None, NaN and a missing value of a table are no number, in an interval either."""
    single = (numbers.number, numbers.percent, numbers.points, numbers.size, numbers.p_value)
    assert {one(nothing) for one in single} == {"-"}
    pairs = (numbers.interval, numbers.points_interval, numbers.number_interval)
    assert {one(*ends) for one in pairs for ends in ((nothing, 0.5), (0.5, nothing))} == {"-"}
    assert numbers.rate_and_interval(nothing, nothing, nothing) == "-"
    assert numbers.upper_bound(nothing) == ""
    assert numbers.money(nothing) == "-"


def test_each_kind_of_number_reads_in_one_way() -> None:
    """Shares in percent, changes in points with a sign, no -0.0, and a unit where none stands in the heading."""
    assert (numbers.percent(0.1234), numbers.interval(0.1, 0.25)) == ("12.3 %", "[10.0, 25.0]")
    assert numbers.rate_and_interval(0.5, 0.25, 1) == "50.0 [25.0, 100.0]"
    assert numbers.rate_and_interval(0.5, None, None) == "50.0 (no interval)"
    assert (numbers.points(-0.00001), numbers.points_interval(-0.1, 0.1)) == ("+0.0", "[-10.0, +10.0]")
    assert (numbers.stated_percent(0.975), numbers.stated_points(0.05)) == ("97.5 %", "5")
    assert (numbers.p_value(0.00001), numbers.p_value(0.5)) == ("<0.0001", "0.5000")
    assert (numbers.p_words(0.00001), numbers.p_words(0.5)) == ("p < 0.0001", "p = 0.5000")
    assert [numbers.number_of(count, "row") for count in (0, 1, 2)] == ["no rows", "1 row", "2 rows"]
    assert (numbers.money(1.5, "EUR"), numbers.money(1.5), numbers.money(0.12345, "$", 4)) == (
        "1.50 EUR",
        "1.50",
        "$0.1235",
    )
    assert numbers.tokens(12345.4) == "12,345"
