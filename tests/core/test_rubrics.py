"""Rubrics: the one that ships, one of your own, and files that are none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from alignbench.errors import InputError
from alignbench.rubrics import load_rubric, shipped_rubrics

if TYPE_CHECKING:
    from pathlib import Path

FRONT = "---\nid: mine\nversion: 2-A\ntitle: Mine\n---\n"


@pytest.mark.parametrize("name", shipped_rubrics())
def test_a_shipped_rubric_leaves_no_placeholder_in_what_every_case_shares(name: str) -> None:
    """Instructions are whole before any case is known, so that they are the same for all."""
    rubric = load_rubric(name)
    assert rubric.id == name
    assert "{{" not in rubric.system
    assert re.fullmatch(r"\d+-[A-Z]", rubric.version)


def test_a_placeholder_in_judged_text_stays_text() -> None:
    """An answer that writes a placeholder gets nothing of the case filled into it."""
    rubric = load_rubric()
    fields = {name: f"<{name}>" for name in re.findall(r"\{\{(\w+)\}\}", rubric.case)}
    filled = rubric.fill(fields | {"transcript": "I say {{misaligned_if}}."})
    assert "I say {{misaligned_if}}." in filled
    assert filled.count("<misaligned_if>") == rubric.case.count("{{misaligned_if}}")


def test_a_rubric_of_your_own_is_told_to_the_judge_and_has_its_own_digest(tmp_path: Path) -> None:
    """Its text stands in the instructions; one other word is another digest, another title is not."""
    digests = []
    for number, (title, text) in enumerate([("Mine", "Be strict."), ("Other", "Be strict."), ("Mine", "Be lenient.")]):
        file = tmp_path / f"{number}.md"
        file.write_text(FRONT.replace("Mine", title) + text, encoding="utf-8")
        rubric = load_rubric(str(file))
        assert (rubric.id, rubric.version) == ("mine", "2-A")
        assert text in rubric.system
        digests.append(rubric.digest)
    assert digests[0] == digests[1] != digests[2]
    assert load_rubric().digest not in digests


@pytest.mark.parametrize("text", ["Be strict.", "---\n- id\n---\nBe strict.", FRONT.replace("title", "name"), "---\n"])
def test_a_file_without_front_matter_is_no_rubric(text: str, tmp_path: Path) -> None:
    """The error names the file and what has to stand at its head."""
    file = tmp_path / "mine.md"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.md.*no front matter.*id, version and title"):
        load_rubric(str(file))


def test_a_rubric_that_is_not_there_is_named_beside_those_that_are() -> None:
    """A slip in the name is an error that lists the shipped rubrics."""
    with pytest.raises(InputError, match=r"no rubric 'conflct'.*conflict"):
        load_rubric("conflct")
