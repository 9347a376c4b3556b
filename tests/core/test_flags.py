"""Flags in words: only those that occur are explained, and every flag has words and is set by some code."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import alignbench
from alignbench.text.flags import FLAGS, explain_flags
from alignbench.text.numbers import upper_bound
from alignbench.vocabulary import Flag, counted_flag, flag_word, join_flags, split_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(str(alignbench.__file__)).parent
WORDS = (ROOT / "vocabulary.py", ROOT / "text" / "flags.py")
HOLDS_FLAGS = re.compile(r"(.*_)?flags?", re.IGNORECASE)
"""Names under which code collects flags."""


def test_only_what_occurs_is_explained() -> None:
    """One line, each flag once and without its number; nothing where there is nothing to say."""
    assert explain_flags([]) == explain_flags(["no_flag_of_ours"]) == ""
    line = explain_flags(["unpaired=3", "few_scenarios", "unpaired=4"])
    assert line == f"Flags: few_scenarios: {FLAGS['few_scenarios']}; unpaired: {FLAGS['unpaired']}."
    assert upper_bound(0.1926) == "no event: at most 19.3 %"


def test_a_flag_is_text_wherever_it_goes() -> None:
    """With its count and without, joined as logs and tables hold flags and taken apart again."""
    assert (counted_flag(Flag.UNPAIRED, 3), flag_word("unpaired=3"), flag_word("no_pairs")) == (
        "unpaired=3",
        "unpaired",
        "no_pairs",
    )
    assert join_flags([Flag.REASKED, "own"]) == "reasked+own"
    assert (split_flags("reasked+own"), split_flags("")) == (["reasked", "own"], [])


def test_every_flag_has_words() -> None:
    """The vocabulary and the sentences name the same flags."""
    assert list(FLAGS) == list(Flag)


def test_every_flag_is_used() -> None:
    """A flag that no code sets any more is gone from the vocabulary, and takes its words along.

    Read off the source, for no run shows every flag.
    """
    used = {name for file in _sources() for name in _named(_tree(file))}
    assert [flag.name for flag in Flag if flag.name not in used] == []


def test_no_flag_is_a_loose_text() -> None:
    """What code sets as a flag, or looks for among flags, comes from the vocabulary."""
    loose = [f"{file.relative_to(ROOT)}:{line}" for file in _sources() for line in _loose(_tree(file))]
    assert loose == []


def test_the_reading_of_the_source_sees_loose_flags() -> None:
    """As a keyword, under a name, added by a function, looked for."""
    for line in (
        'Estimate(flags=("few_labels",))',
        'flags = (*flags, "own_word")',
        'own_flags = [f"number={lost}"]',
        'add_flag(flags, "own_word", True)',
        '"own_word" in row.flags',
    ):
        assert list(_loose(ast.parse(line))) == [1], line
    for line in ("Estimate(flags=(Flag.NO_PAIRS,))", 'flags = row["flags"]', 'title = "few labels"', "a in row.flags"):
        assert list(_loose(ast.parse(line))) == [], line


def _sources() -> list[Path]:
    """What sets flags, or looks for them."""
    return [file for file in sorted(ROOT.rglob("*.py")) if file not in WORDS]


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _named(tree: ast.AST) -> set[str]:
    """The members of the vocabulary that code names."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Flag"
    }


def _loose(tree: ast.AST) -> Iterator[int]:
    """The lines in which a text stands for a flag."""
    for node in ast.walk(tree):
        for value in _places(node):
            yield from (part.lineno for part in _parts(value) if _is_text(part))


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """Where flags stand in a node."""
    match node:
        case ast.keyword(arg="flags" | "flag", value=value):
            yield value
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if HOLDS_FLAGS.fullmatch(name):
            yield value
        case ast.Call(func=ast.Name(id="add_flag" | "_flagged" | "has_flag"), args=[_, flag, *_]):
            yield flag
        case ast.Call(func=ast.Attribute(attr="append", value=ast.Name(id=name)), args=[flag]):
            if HOLDS_FLAGS.fullmatch(name):
                yield flag
        case ast.Compare(left=ast.Constant() as value, comparators=[whole]):
            if ast.unparse(whole).endswith(("flags", "flags']")):
                yield value


def _parts(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a value may consist of; not what it compares with, looks up or passes on."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            inner = parts
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            inner = [one, other]
        case ast.Dict(keys=keys):
            inner = [key for key in keys if key is not None]
        case ast.Starred(value=value) | ast.GeneratorExp(elt=value) | ast.ListComp(elt=value):
            inner = [value]
        case ast.expr():
            yield node
            return
        case _:
            return
    for part in inner:
        yield from _parts(part)


def _is_text(node: ast.expr) -> bool:
    """Whether an expression is a text of one word, which a flag would be."""
    match node:
        case ast.Constant(value=str(text)):
            return bool(text) and " " not in text
    return isinstance(node, ast.JoinedStr)
