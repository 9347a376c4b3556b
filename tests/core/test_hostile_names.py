"""Names that would do something where they are shown go through every writer, and come out as text."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

import pandas as pd
import pytest
from click.testing import CliRunner
from examined_judges import examined
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from simulated_exams import exam, simple

from alignbench.cli import cli
from alignbench.documents.csv_files import own_cell, safe_cell
from alignbench.judges.attack import attack_report
from alignbench.labels.definitions import rubric_definitions
from alignbench.labels.draw import ROW_COLUMNS
from alignbench.labels.page import labelling_page
from alignbench.labels.sheet import make_sheet
from alignbench.report.card import attack_markdown, card_markdown
from alignbench.table.read import as_table
from alignbench.text.markdown import markdown_line, markdown_name, markdown_table
from alignbench.text.words import visible_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- hidden", "&lt;b&gt;&#x200b;", "</script><b>",
    "![x](http://evil.example/x.png)", "[click](javascript:alert(1))", "<http://evil.example>", "https://evil.example",
    "a|b||c", "`code` ```", "*bold* _it_ ~~gone~~ __init__", "# heading", "- item", "1. item", "> quote", "---",
    '=HYPERLINK("http://evil.example","x")', "+1+cmd|x", "-2+3", "@SUM(A1)", "＝1+1", "\t=1", "'=1", "''-5",
    "$x_1$ and $y^2", "\\frac{1}{2}%#&~^_{}", "two\nlines", "two\\nlines", "two\\\\nlines", "a\r\nb", "a\u2028b",
    "\x1b[2J\x1b[31mred", "\x9b31m", "bell\x07", "nothing\0", "[red]rich[/red]", "{0} %s",
    "\u202egnp.exe", "שלום/مرحبا", "gpt-4", "gpt\u200b-4", "gpt-4\ufeff", "gp\xadt-4", "gpt-4\U000e0041", "gpt\xa04",
    '"double" \'single\'', "a,b;c", "y" * 150, "y" * 149 + "z", "emoji😀", "👩\u200d👩\u200d👧", "模型/モデル",
    "overall", "nan", "NA", "None", "True", "0", "1e5", "inf", "-", " ", " before", "after ", "half \ud83d",
)  # fmt: skip
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that are not seen."""


def kept(name: str) -> str:
    """A name as a table has it: half a character, which no file can hold, is escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


NAMES = [*map(kept, HOSTILE)]
PACKS = [name for name in NAMES if name != "overall"]


def outputs(models: Iterable[str], packs: Iterable[str], judges: Iterable[str]) -> pd.DataFrame:
    """Each model on each pack under each judge: three scenarios with their twins."""
    packs, judges = list(packs), list(judges)
    rows = [
        (model, pack, kept(f"{pack} s{scenario}"), twin, judge, verdicts[(at + place + scenario) % 3])
        for at, model in enumerate(models)
        for place, pack in enumerate(packs)
        for judge in judges
        for twin, verdicts in ((False, ("misaligned", "aligned", "aligned")), (True, ("refused", "aligned", "aligned")))
        for scenario in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["model", "pack", "scenario", "twin", "judge", "verdict"], dtype=object)
    return as_table(
        frame.assign(rubric_digest="r1", pack_digest="d1", transcript=[*map(kept, frame["model"])], judged="[1]")
    )


TABLES: dict[str, dict[str, Any]] = {
    "model": {"models": HOSTILE, "packs": ["p"], "judges": ["judge"]},
    "pack": {"models": ["base", "other"], "packs": [name for name in HOSTILE if name != "overall"], "judges": ["j"]},
    "judge": {"models": ["base", "other"], "packs": ["p"], "judges": HOSTILE},
}
EXPECTED = {"model": NAMES, "pack": PACKS, "judge": NAMES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table for each place that a name may have."""
    made = tmp_path_factory.mktemp("hostile")
    for kind, columns in TABLES.items():
        outputs(**columns).to_parquet(made / f"{kind}.parquet")
    (made / "wide.yaml").write_text("margin: 0.9\nlargest_usefulness_loss: 0.9\nminimum_scenarios: 2\n", "utf-8")
    return made


def run(*argv: object, codes: tuple[int, ...] = (0,)) -> str:
    """What a command prints; it says nothing on standard error, and no warning is raised (they are errors)."""
    done = CliRunner().invoke(cli, [*map(str, argv)], catch_exceptions=False)
    assert done.exit_code in codes, done.output
    assert done.stderr == ""
    # As bytes: click would make line feeds of other line ends.
    return done.stdout_bytes.decode()


def command(name: str, folder: Path, kind: str) -> list[str]:
    """A command on the table of a kind."""
    first = {"compare": ["--base", NAMES[0] if kind == "model" else "base"]}
    return [name, str(folder / f"{kind}.parquet"), *first.get(name, [])]


def column(name: str, kind: str, found: Iterable[dict[str, Any]]) -> set[str]:
    """The names in what was read again."""
    heading = {"compare": {"model": "candidate"}}.get(name, {}).get(kind, kind)
    return {row[heading] for row in found} - {"overall"}


COMMANDS = [
    (name, kind) for name in ("rates", "ranks", "compare") for kind in TABLES if (name, kind) != ("ranks", "pack")
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), COMMANDS)
def test_csv_and_json_give_the_names_back(name: str, kind: str, folder: Path) -> None:
    """CSV without its guard against formulas, and JSON as it is, hold exactly the names that went in."""
    expected = set(EXPECTED[kind]) - {"overall"} - ({NAMES[0]} if (name, kind) == ("compare", "model") else set())
    printed = run(*command(name, folder, kind), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(printed, newline="")))
    assert {own_cell(one) for one in column(name, kind, rows)} == expected
    for cell in (cell for row in rows for cell in row.values()):
        assert safe_cell(own_cell(cell)) == cell
        assert re.match(r"[=@\t\r\n＝＋－＠]|[+-](?![\d.])", cell) is None, "a spreadsheet would take it for a formula"
    assert column(name, kind, json.loads(run(*command(name, folder, kind), "--format", "json"))) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [pair for pair in COMMANDS if pair != ("compare", "model")])
def test_tables_show_every_name_and_obey_none(name: str, kind: str, folder: Path) -> None:
    """Nothing unseen is printed; each name that fits a line stands there, as no other name does."""
    printed = run(*command(name, folder, kind))
    assert not [one for one in printed if one != "\n" and unicodedata.category(one) in HIDDEN]
    shown = [visible_name(one) for one in EXPECTED[kind] if len(one) < 100]
    assert len(set(shown)) == len(shown)
    assert [one for one in shown if one not in printed] == []


def tokens(page: str) -> Iterator[Any]:
    """Everything in a page of Markdown, what stands in lines among it."""
    for token in PARSER.parse(page):
        yield token
        yield from token.children or ()


def cells(page: str) -> list[list[list[str]]]:
    """The tables of a page: rows of cells as a reader sees them; a cell with markup in it ends the test."""
    tables: list[list[list[str]]] = []
    inside = False
    for token in PARSER.parse(page):
        inside = token.type in ("th_open", "td_open") or (inside and token.type == "inline")
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif inside and token.type == "inline":
            parts = token.children or []
            assert {part.type for part in parts} <= {"text", "code_inline", "em_open", "em_close"}, token.content
            tables[-1][-1].append("".join(part.content for part in parts))
    return tables


def check_page(page: str, headings: int, *, own: tuple[str, ...] = ()) -> None:
    """No HTML, image or link but our own, no heading of a name's making, nothing unseen; tables keep their columns."""
    found = list(tokens(page))
    assert [one.content for one in found if one.type.startswith("html") and one.content.strip() not in own] == []
    assert {one.type for one in found} & {"image", "link_open", "fence", "code_block", "hr", "blockquote_open"} == set()
    assert sum(one.type == "heading_open" for one in found) == headings
    assert not [one for one in page if one != "\n" and unicodedata.category(one) in HIDDEN]
    for table in cells(page):
        assert len({len(row) for row in table}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_the_leaderboard_is_text(kind: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """CSV and Markdown hold the names, one a row; the figure is drawn without a word."""
    out = folder / f"board of {kind}"
    names = EXPECTED[kind][::4] if kind == "judge" else EXPECTED[kind]
    table = pd.read_parquet(folder / f"{kind}.parquet")
    table[table[kind].isin(names)].to_parquet(folder / "some.parquet")
    run("leaderboard", folder / "some.parquet", "-o", out)
    assert capfd.readouterr() == ("", "")
    with (out / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {own_cell(row[kind]) for row in rows if row[kind] != "overall" or kind != "pack"} == set(names)
    page = (out / "leaderboard.md").read_text("utf-8")
    check_page(page, {"model": 1, "pack": 1 + len(names), "judge": 1 + len(names)}[kind])
    if kind == "model":
        assert sorted(row[1] for row in cells(page)[0][1:]) == sorted(map(visible_name, names))
    if kind == "pack":
        lines = PARSER.parse(page)
        found = [after.content for one, after in pairwise(lines) if one.tag == "h3" and one.nesting == 1]
        assert found == [markdown_name(one) for one in sorted(PACKS)]
    if kind == "judge":
        assert all(f"Judge: {markdown_name(one)} (unexamined)" in page for one in names)
    assert (out / "leaderboard.png").read_bytes().startswith(b"\x89PNG")


PAIRS = [*zip(NAMES[::2], NAMES[1::2], strict=True)]
FOLDED = ("<details><summary>By pack</summary>", "</details>")


def gate(folder: Path, table: str, base: str, candidate: str) -> tuple[dict[str, Any], Any, str]:
    """The gate's report as JSON, JUnit and Markdown; nothing unseen is in its text."""
    files = folder / "gate.xml", folder / "gate.md"
    sides = ["--base", base, "--candidate", candidate, "--policy", folder / "wide.yaml"]
    argv = ["gate", folder / f"{table}.parquet", *sides]
    found = json.loads(run(*argv, "--format", "json", "--junit", files[0], "--markdown", files[1], codes=(0, 1, 3)))
    text = run(*argv, codes=(0, 1, 3))
    assert not [one for one in text if one != "\n" and unicodedata.category(one) in HIDDEN]
    return found, Xml.fromstring(files[0].read_text("utf-8")), files[1].read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("base", "candidate"), PAIRS, ids=range(len(PAIRS)))
def test_the_gate_is_text_whoever_is_compared(base: str, candidate: str, folder: Path) -> None:
    """JSON has the names, JUnit and Markdown show them, and none of them becomes markup."""
    found, junit, page = gate(folder, "model", base, candidate)
    assert (found["base"], found["candidate"]) == (base, candidate)
    assert junit[0].attrib["name"] == f"alignbench gate: {visible_name(base)} -> {visible_name(candidate)}"
    check_page(page, 1, own=FOLDED)
    assert visible_name(candidate) in found["headline"]
    assert markdown_line(found["headline"]) in page.split("\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pack", "judge"])
def test_the_gate_is_text_whatever_is_compared(kind: str, folder: Path) -> None:
    """Packs and judges of every name: a test case each in JUnit, a row each in Markdown."""
    found, junit, page = gate(folder, kind, "base", "other")
    check_page(page, 1, own=FOLDED)
    assert {row[kind] for row in found["cells"]} - {"overall"} == set(EXPECTED[kind]) - {"overall"}
    places = {case.attrib["name"] for case in junit.iter("testcase")}
    assert {visible_name(one) if kind == "pack" else f"p ({visible_name(one)})" for one in EXPECTED[kind]} <= places
    shown = {row[table[0].index(kind)] for table in cells(page) for row in table[1:]}
    assert set(map(visible_name, EXPECTED[kind])) <= shown


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_cards_and_reports_are_text(name: str) -> None:
    """A judge, pack and rubric of any name in a card, and an attack, answer and technique in a report."""
    card = examined("judge", packs=("p",))
    part = card.packs["p"].model_copy(update={"reasons": (name,)})
    card = card.model_copy(update={
        "judge": name, "rubric": name, "judge_config": name, "packs": {name: part}, "worst": (name,),
        "label_digest": {name: name}, "confusion": {name: {name: 1}}, "reasons": (name,), "unscored": {name: 1},
    })  # fmt: skip
    page = card_markdown(card)
    check_page(page, 7)
    assert page.startswith(f"# Judge card: {markdown_name(name)}\n")
    rows = [simple("misaligned", "misaligned", "s", answer=name)]
    rows.append(simple("misaligned", "aligned", "s", answer=name, attack=f"on {name}", technique=f"by {name}"))
    report = attack_report(exam(rows).assign(judge=name, rubric=name, judge_config=name))
    page = attack_markdown(report)
    check_page(page, 3)
    assert visible_name(f"on {name}") in cells(page)[1][1]


def test_the_labelling_page_carries_texts_as_data() -> None:
    """No name or answer ends the script that carries it: one block of data, one program, and all names in the data."""
    table = outputs(**TABLES["model"]).assign(measure="misalignment")
    page = labelling_page(make_sheet(table, None), rubric_definitions(table))
    parts: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            parts.append(tag)

        def handle_data(self, data: str) -> None:
            if parts and parts[-1] == "script":
                parts.append(data)

    Reader().feed(page)
    assert parts.count("script") == 2
    assert not {"img", "b"} & set(parts)
    data = json.loads(parts[parts.index("script") + 1])
    assert {one["model"] for one in data["items"]} == {one["transcript"] for one in data["items"]} == set(NAMES)
    assert set(ROW_COLUMNS) <= set(data["items"][0])


ANY = st.text(st.characters(exclude_categories=()), max_size=20)


@given(ANY, ANY)
@example("two\nlines", "two\\nlines")
@example("\\\n", "\\\\n")
@example("\\", "\\\\")
@example("a\\", "a\\\\\\")
@example(" ", "\\x20")
@example("\\\xa0", "\\xa0")
@example("\\ ", "\\x20")
@example("\\\\ ", "\\\\x20")
def test_no_two_names_are_shown_alike(one: str, other: str) -> None:
    """What is shown can be read back: two names are shown as one only where they are one."""
    assert (visible_name(one) == visible_name(other)) == (one == other)


@given(ANY)
@example("    code")
@example("1) x")
@example("a_b _c_ d_")
@example("&amp;")
def test_any_text_is_text_in_markdown(text: str) -> None:
    """Alone in a line, in a point of a list or in a cell it is shown as it is, without markup."""
    shown = visible_name(text)
    for page, place in ((markdown_line(shown), 1), (f"- {markdown_line(shown)}", 3)):
        parsed = PARSER.parse(page)
        if text:
            assert [one.content for one in parsed[place].children or ()] == [shown]
    table = markdown_table(["a", "b"], [[markdown_name(text), "x"]])
    assert cells(table) == [[["a", "b"], [shown, "x"]]]
