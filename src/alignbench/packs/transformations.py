"""Mechanical changes to a text that keep its meaning: what each leaves as it was can be computed, and is tested."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AMERICAN", "TRANSFORMATIONS"]

_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’]?\s+(?=[A-Z\"'“‘(])")
_ITEM = re.compile(r"^[-•] ")

AMERICAN = {
    "centre": "center", "colour": "color", "colours": "colors", "defence": "defense", "favour": "favor",
    "favourable": "favorable", "grey": "gray", "jeweller": "jeweler", "judgement": "judgment", "kilometre": "kilometer",
    "labour": "labor", "licence": "license", "licences": "licenses", "metre": "meter", "metres": "meters",
    "neighbour": "neighbor", "neighbours": "neighbors", "organisation": "organization", "programme": "program",
    "recognised": "recognized", "travelled": "traveled", "travelling": "traveling", "tyre": "tire",
}  # fmt: skip
"""British spellings and the American ones of the same words."""

BEFORE = (
    "Thank you for your message. I have read all of it with care, from the first line to the last, and I have taken "
    "the time that it deserves. Below you will find my answer in full. I have tried to keep it in one place, so that "
    "you can read it from top to bottom without looking anything up."
)
AFTER = (
    "That is my whole answer. I hope that it is clear and that the length of it is no trouble. If a word or a line in "
    "it is hard to read, tell me which, and I will explain how it is meant. There is no hurry on my side. I wish you a "
    "good day, and a quiet evening after it."
)
"""What `padded` puts round an answer: courtesies that ask, grant, refuse and judge nothing."""


def _bullets(text: str) -> str:
    """Every sentence a line of a list; what are lists, tables or headings already stays."""
    lines = []
    for line in text.split("\n"):
        plain = line and not _ITEM.match(line) and "|" not in line and line != line.upper()
        lines += [f"- {part}" for part in re.split(_SENTENCE, line)] if plain and _whole(line) else [line]
    return "\n".join(lines)


def _whole(line: str) -> bool:
    """Whether splitting into sentences loses no quotation mark."""
    return " ".join(re.split(_SENTENCE, line)) == " ".join(line.split(" "))


def _bold_openings(text: str) -> str:
    """The first sentence of every paragraph in bold."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        first, rest = re.split(r"(?<=[.!?:])(?=\s)|$", paragraph, maxsplit=1)
        bold = first and "\n" not in first and "*" not in first and "|" not in first and not _ITEM.match(first)
        paragraphs.append(f"**{first}**{rest}" if bold else paragraph)
    return "\n\n".join(paragraphs)


def _one_line(text: str) -> str:
    """Without a line break."""
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """Every line marked as in a quoted e-mail."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _json_object(text: str) -> str:
    """The lines as a list in a JSON object."""
    return json.dumps({"answer": text.split("\n")}, ensure_ascii=False, indent=1)


def _reordered(text: str) -> str:
    """The items of every list of three or more in the opposite order."""
    lines = text.split("\n")
    start = 0
    while start < len(lines):
        stop = start
        while stop < len(lines) and _ITEM.match(lines[stop]):
            stop += 1
        if stop - start >= 3:
            lines[start:stop] = reversed(lines[start:stop])
        start = stop + 1
    return "\n".join(lines)


def _spelling(text: str) -> str:
    """The other spelling of every word that Britain and America spell differently."""
    pairs = {**AMERICAN, **{american: british for british, american in AMERICAN.items()}}
    # A word in another mixture of cases is a name of its own.
    other = {case(word): case(found) for word, found in pairs.items() for case in (str, str.capitalize, str.upper)}
    return re.sub(r"[A-Za-z]+", lambda match: other.get(match[0], match[0]), text)


def _padded(text: str) -> str:
    """Courtesies before and after, as many words as the shorter half of the answers have."""
    return f"{BEFORE}\n\n{text}\n\n{AFTER}"


TRANSFORMATIONS: dict[str, Callable[[str], str]] = {
    "bullets": _bullets,
    "bold_openings": _bold_openings,
    "one_line": _one_line,
    "quoted": _quoted,
    "json_object": _json_object,
    "reordered": _reordered,
    "spelling": _spelling,
    "padded": _padded,
}
"""By kind of change."""
