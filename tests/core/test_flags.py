"""Flags in words: only those that occur are explained, every flag that some code sets has words, and no other has."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import alignbench
from alignbench.cli.judge import drift
from alignbench.text.flags import FLAGS, explain_flags, upper_bound

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(str(alignbench.__file__)).parent
HOLDS_FLAGS = re.compile(r"(.*_)?flags?|words", re.IGNORECASE)
"""Names under which code collects flags."""
SETS_FLAGS = ("add_flag", "_flagged")
"""Functions that are given one, as their second argument."""


def test_only_what_occurs_is_explained() -> None:
    """One line, each flag once and without its number; nothing where there is nothing to say."""
    assert explain_flags([]) == explain_flags(["no_flag_of_ours"]) == ""
    line = explain_flags(["unpaired=3", "few_scenarios", "unpaired=4"])
    assert line == f"Flags: few_scenarios: {FLAGS['few_scenarios']}; unpaired: {FLAGS['unpaired']}."
    assert upper_bound(0.1926) == "no event: at most 19.3 %"


@pytest.mark.slow
def test_flags_and_words_are_the_same() -> None:
    """Whatever the code sets as a flag has words, and a flag that is renamed or gone takes its words along.

    Read off the source, for no run shows every flag. Flags of a judge's drift have their words in that command.
    """
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in ROOT.rglob("*.py")}
    named = {name: value for tree in trees.values() for name, value in _constants(tree)}
    own, words = ROOT / "analysis" / "judge_drift.py", ROOT / "flags.py"
    found = {word for file, tree in trees.items() if file not in (own, words) for word in _set_in(tree, named)}
    # Flags of rows are constants of a module of their own.
    found |= {value for _, value in _constants(trees[ROOT / "row_flags.py"])}
    # The families of a contrast are named after both halves of the split.
    halves = {f"families_{half}" for half in ("seen", "unseen")}
    assert "families_*" in found
    assert found - {"families_*"} | halves == set(FLAGS)
    assert set(_set_in(trees[own], named)) == set(drift._WARNINGS)


def test_the_reading_of_the_source_sees_every_way_to_set_a_flag() -> None:
    """As a keyword, a tuple under a name, a key that holds or not, by a function, with a number, if and when."""
    source = """
        def _lacks(parts):
            "As flags: what they lack."
            reasons = {"key": not parts, "other_key": True}
            return tuple(reason for reason, holds in reasons.items() if holds)
        def known(parts):
            "What to warn of."
            return parts, ("returned",)
        def plain(row):
            "Not one of them."
            return row["no_flag"], ("neither",)
        flags = (*flags, "tuple", *(("if",) if x else ()), "a" if x == "no_flag" else "b")
        flags = {f"number={lost}": lost > 0}
        words = "no flag"
        own_flags.append("appended")
        made = add_flag(row["no_flag"], "added", True)
        def judges(row):
            "The flags of a row."
            kin = ["multiplied"] * any(row)
        Estimate(value, "no_flag", flags=("keyword", CONSTANT))
        _CARD_FLAGS = {"card": "no_flag"}
    """
    import textwrap

    wanted = "key other_key returned tuple if a b number appended added multiplied keyword constant card"
    assert set(_set_in(ast.parse(textwrap.dedent(source)), {"CONSTANT": "constant"})) == set(wanted.split())


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The texts that a module has names for."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from ((name.id, node.value.value) for name in node.targets if isinstance(name, ast.Name))


def _set_in(tree: ast.AST, named: dict[str, str]) -> Iterator[str]:
    """The flags that code sets; numbers are left out, and what is filled into a flag is a *."""
    for node in ast.walk(tree):
        for value in _places(node):
            yield from _texts(value, named)


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """Where flags stand in a node."""
    match node:
        case ast.keyword(arg="flags" | "flag", value=value):
            yield value
        case ast.Assign(targets=targets, value=value) if any(map(_holds_flags, targets)):
            yield value
        case ast.Call(func=ast.Name(id=name), args=[_, flag, *_]) if name in SETS_FLAGS:
            yield flag
        case ast.Call(func=ast.Attribute(attr="append", value=whole), args=[flag]) if _holds_flags(whole):
            yield flag
        case ast.FunctionDef() if re.search(r"\bflags?\b|to warn of", ast.get_docstring(node) or ""):
            for inner in ast.walk(node):
                match inner:
                    case ast.BinOp(left=ast.List() | ast.Tuple() as value, op=ast.Mult()):
                        yield value
                    case ast.Return(value=ast.Tuple() | ast.IfExp() as value):
                        yield value
                    case ast.Assign(value=ast.Dict() as value) if _is_picked(node):
                        yield value


def _holds_flags(target: ast.AST) -> bool:
    match target:
        case ast.Name(id=name):
            return HOLDS_FLAGS.fullmatch(name) is not None
        case ast.Tuple(elts=parts):
            return any(map(_holds_flags, parts))
    return False


def _is_picked(function: ast.FunctionDef) -> bool:
    """Whether a function returns those keys of a mapping that hold."""
    return any(
        isinstance(node, ast.comprehension) and "holds" in ast.unparse(node.target) for node in ast.walk(function)
    )


def _texts(node: ast.AST, named: dict[str, str]) -> Iterator[str]:
    """The texts that an expression may become; not those that it compares with, looks up or passes on."""
    match node:
        case ast.Constant(value=str(text)) if " " not in text:
            # A flag is one word; a text of several is none.
            yield text.partition("=")[0]
        case ast.Name(id=name) if name in named:
            yield named[name]
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts).partition("=")[
                0
            ]
    inner: list[ast.AST | None] = []
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.BoolOp(values=parts):
            inner = [*parts]
        case ast.Dict(keys=keys):
            inner = [*keys]
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            inner = [one, other]
        case ast.Starred(value=value):
            inner = [value]
        case ast.GeneratorExp(elt=value) | ast.ListComp(elt=value):
            inner = [value]
    for part in inner:
        if part is not None:
            yield from _texts(part, named)
