"""Labellers are told what a label means in the words of the rubric by which the judge judged, or nothing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner

from alignbench.cli.judge.sample import command
from alignbench.errors import InputError
from alignbench.rubrics import load_rubric
from alignbench.vocabulary import VERDICTS

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

OWN = """---
id: own
version: 1-A
title: A rubric of one's own
---
Say what it is.

* **refused**: said no </script><b>
  and nothing else.
- `misaligned`: lied.
- misaligned: said twice.
- shape: no verdict
"""


def written(folder: Path, **columns: str) -> Path:
    """A table with answers, judged by a rubric."""
    frame = pd.DataFrame({"model": "m", "scenario": list("stuv"), "verdict": ["misaligned", "aligned"] * 2})
    frame.assign(transcript="[1] user:\nHi", **columns).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def own_rubric(folder: Path, text: str = OWN) -> Path:
    """A rubric by hand."""
    (folder / "own.md").write_text(text, encoding="utf-8")
    return folder / "own.md"


def sampled(table: Path, *options: object) -> Result:
    """The command with a page."""
    page = table.with_name("page.html")
    arguments = [table, "-n", "4", "-o", table.with_name("sheet.csv"), "--html", page, *options]
    return CliRunner().invoke(command, list(map(str, arguments)))


def shown(table: Path) -> dict[str, Any]:
    """What the page tells of the labels, by digest of the rubric."""
    page = table.with_name("page.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found
    definitions: dict[str, Any] = json.loads(found[1])["definitions"]
    return definitions


def test_the_shipped_rubric_defines_every_label_and_has_its_digest() -> None:
    """Its definitions are lines of what the judge is told; the digest is that of earlier versions of this package."""
    rubric = load_rubric()
    assert rubric.digest == "1cbff732c96396bd"
    assert set(rubric.verdicts) == set(VERDICTS)
    assert all(f"- {word}: {meaning}\n" in rubric.system for word, meaning in rubric.verdicts.items())


def test_the_page_shows_the_judge_s_rubric_if_it_ships(tmp_path: Path) -> None:
    """The shipped rubric of the table's id is known by its digest; nothing is said on stderr."""
    rubric = load_rubric()
    table = written(tmp_path, rubric="conflict", rubric_digest=rubric.digest)
    done = sampled(table)
    assert (done.exit_code, done.stderr) == (0, "")
    heading = "As the judge was told, in the rubric 'conflict':"
    assert shown(table) == {rubric.digest: {"heading": heading, "meanings": dict(rubric.verdicts), "text": ""}}


def test_a_user_s_rubric_reaches_the_page_in_its_own_words(tmp_path: Path) -> None:
    """Named by its path: what it defines is shown, once each, and its text ends no script; what it does not is not."""
    rubric = own_rubric(tmp_path)
    table = written(tmp_path, rubric="own", rubric_digest=load_rubric(str(rubric)).digest)
    assert sampled(table, "--rubric", rubric).exit_code == 0
    (found,) = shown(table).values()
    assert found["meanings"] == {"refused": "said no </script><b> and nothing else.", "misaligned": "lied."}
    assert table.with_name("page.html").read_text(encoding="utf-8").count("</script>") == 2


def test_a_rubric_in_prose_is_shown_whole(tmp_path: Path) -> None:
    """Without a line for each verdict the labellers read all that the judge read of the rubric."""
    rubric = own_rubric(tmp_path, OWN.split("* **")[0] + "Lies are misaligned.\n")
    table = written(tmp_path, rubric="own", rubric_digest=load_rubric(str(rubric)).digest)
    sampled(table, "--rubric", rubric)
    (found,) = shown(table).values()
    assert (found["meanings"], found["text"]) == ({}, "Say what it is.\n\nLies are misaligned.")


@pytest.mark.parametrize(
    ("rubric", "digest", "words"),
    [
        (
            "conflict",
            "0123456789abcdef",
            "another version of the rubric 'conflict' than this one of '1cbff732c96396bd'",
        ),
        ("own", "0123456789abcdef", "by the rubric 'own', which is not here"),
        ("", "", "The table does not say by which rubric the judge judged"),
    ],
)
def test_words_that_the_judge_did_not_have_are_not_shown(rubric: str, digest: str, words: str, tmp_path: Path) -> None:
    """Another version, an unknown rubric, or none named: page and stderr say why, and no definition stands there."""
    table = written(tmp_path, rubric=rubric, rubric_digest=digest)
    done = sampled(table)
    (found,) = shown(table).values()
    assert (found["meanings"], found["text"]) == ({}, "")
    assert words in found["heading"]
    assert words in " ".join(done.stderr.split())


def test_a_rubric_that_judged_nothing_here_is_refused(tmp_path: Path) -> None:
    """Named for a table of another digest it is one error, before anything is written; a bare table takes it."""
    rubric = own_rubric(tmp_path)
    table = written(tmp_path, rubric="own", rubric_digest="0123456789abcdef")
    done = sampled(table, "--rubric", rubric)
    assert isinstance(done.exception, InputError)
    assert "allowed: one that judged these outputs: '0123456789abcdef'" in str(done.exception)
    assert not table.with_name("page.html").exists()
    assert sampled(written(tmp_path), "--rubric", rubric).exit_code == 0
    assert shown(table)[""]["meanings"]["misaligned"] == "lied."
    alone = CliRunner().invoke(command, [str(table), "-o", str(tmp_path / "s.csv"), "--rubric", str(rubric)])
    assert alone.exit_code == 2
