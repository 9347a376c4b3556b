"""The public names: what `dir` shows is there, with its docstring, and nothing else is offered."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import alignbench

TYPED = Path(__file__).parents[1] / "e2e" / "typed_use.py"


@pytest.mark.parametrize("name", alignbench.__all__)
def test_a_public_name_is_there(name: str) -> None:
    """It is shown by `dir`, can be had, and says what it is."""
    assert name in dir(alignbench)
    found = getattr(alignbench, name)
    assert found is not None
    assert isinstance(found, str) or inspect.getdoc(found)


def test_dir_shows_what_is_public_and_no_more() -> None:
    """Helpers of the module itself do not stand there."""
    assert dir(alignbench) == sorted(alignbench.__all__)
    assert len(set(alignbench.__all__)) == len(alignbench.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module, with the name in it."""
    with pytest.raises(AttributeError, match="no attribute 'rate'"):
        getattr(alignbench, "rate")  # noqa: B009  (a type checker refuses the plain form)


def test_the_typed_example_uses_every_public_name() -> None:
    """So that the types of all of them are checked against the wheel."""
    tree = ast.parse(TYPED.read_text("utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_ours(node.value)}
    assert set(alignbench.__all__) - used == set()


def _is_ours(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "ab"
