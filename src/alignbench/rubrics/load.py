"""Read a rubric and the prompt that carries it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from alignbench.digest import short_digest
from alignbench.errors import InputError
from alignbench.vocabulary import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Rubric", "load_rubric", "shipped_rubrics"]

PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_DEFINITION = re.compile(r"^[-*] +[*`]*(\w+)[*`]*: *(\S.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
"""An item of a list that begins with a word and a colon; it may go on in indented lines."""
CASE_FIELDS = {
    "standard_misaligned",
    "standard_aligned",
    "misaligned_if",
    "aligned_if",
    "value_1",
    "value_2",
    "judged",
    "transcript",
}


@dataclass(frozen=True)
class Rubric:
    """What a judge is told.

    Attributes:
        id: Its id.
        version: `N-X`, as of packs.
        system: Instructions with the rubric in them: the same for every case, so that provider caches hit.
        case: Template of the case, with the placeholders CASE_FIELDS.
        text: The rubric itself, as it stands in `system`.
    """

    id: str
    version: str
    system: str
    case: str
    text: str

    @cached_property
    def verdicts(self) -> Mapping[str, str]:
        """What each verdict means, in the rubric's words: those that it defines in a line `- verdict: meaning`."""
        found: dict[str, str] = {}
        for word, meaning in _DEFINITION.findall(self.text):
            if word in VERDICTS:
                found.setdefault(word, " ".join(meaning.split()))
        return found

    @cached_property
    def digest(self) -> str:
        """Digest of every word that the judge is told beside the case itself, 16 hex digits."""
        return short_digest({"system": self.system, "case": self.case})

    def fill(self, fields: Mapping[str, str]) -> str:
        """Fill the case in one pass, so that a placeholder inside judged text stays text."""
        return PLACEHOLDER.sub(lambda match: fields[match.group(1)], self.case)


@cache
def shipped_rubrics() -> tuple[str, ...]:
    """Ids of the rubrics that ship with alignbench, sorted."""
    return tuple(sorted(file.stem for file in _folder("rubrics").glob("*.md")))


@cache
def load_rubric(name: str = "conflict") -> Rubric:
    """Load a rubric by the id of a shipped one, or by the path of a Markdown file.

    Raises:
        InputError: No such rubric, or a file that is none.
    """
    file = _folder("rubrics") / f"{name}.md" if name in shipped_rubrics() else Path(name).expanduser()
    if not file.is_file():
        raise InputError(f"no rubric {name!r}", allowed=f"{', '.join(shipped_rubrics())}, or a Markdown file")
    head, text = _front_matter(file)
    prompt_file = _folder("prompts") / "judge.md"
    _, prompt = _front_matter(prompt_file)
    _, system, case = re.split(r"^<!-- (?:system|case) -->\n", prompt, flags=re.MULTILINE)
    unknown = set(PLACEHOLDER.findall(case)) ^ CASE_FIELDS
    if unknown:
        allowed = ", ".join(sorted(CASE_FIELDS))
        raise InputError(f"placeholders {sorted(unknown)} do not fit", file=prompt_file, allowed=allowed)
    text = text.strip()
    return Rubric(head["id"], head["version"], system.replace("{{rubric}}", text).strip(), case.strip(), text)


def _folder(name: str) -> Path:
    return Path(str(files("alignbench.scorers"))) / name


def _front_matter(file: Path) -> tuple[dict[str, str], str]:
    """Split the metadata between two lines of dashes from the text below them."""
    match = re.match(r"---\n(.*?\n)---\n(.*)", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    head = yaml.safe_load(match.group(1)) if match else None
    if match is None or not isinstance(head, dict) or not {"id", "version", "title"} <= set(head):
        raise InputError("no front matter", file=file, line=1, allowed="id, version and title between two lines ---")
    return {key: str(value) for key, value in head.items()}, match.group(2)
