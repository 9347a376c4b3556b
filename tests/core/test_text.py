"""Names and texts of others: one line, no command to a terminal, and something to see in every encoding."""

from __future__ import annotations

import codecs
import io
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from simulated_tables import simulated

from alignbench.cli import cli
from alignbench.cli.output import print_markdown, print_table
from alignbench.errors import InputError
from alignbench.text.markdown import markdown_line, markdown_plain, markdown_text
from alignbench.text.tables import Lines, table_lines, wrapped
from alignbench.text.words import NARROW, PLAIN_ASCII, fitted, register_narrow, visible

if TYPE_CHECKING:
    from pathlib import Path

ANY = st.text(st.characters(exclude_categories=()), max_size=30)
"""Any text, with controls and halves of characters."""
HOSTILE = {
    "a line break": ("two\nlines", r"two\nlines"),
    "a carriage return": ("over\rwritten", r"over\rwritten"),
    "a tab": ("a\tb", r"a\tb"),
    "an escape sequence": ("\x1b[2J\x1b[31mred", r"\x1b[2J\x1b[31mred"),
    "a C1 control": ("\x9b31m", r"\x9b31m"),
    "a line separator": ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
    "an override": ("\u202egnp.exe\u2066x\u2069", r"\u202egnp.exe\u2066x\u2069"),
    "half a character": ("\ud83d", r"\ud83d"),
    "a null": ("a\0b", r"a\x00b"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_command_a_terminal_is_escaped(text: str, shown: str) -> None:
    """Controls, line ends and marks that turn the direction of reading are written out; letters of any script stay."""
    assert visible(text) == shown
    assert visible("modèle 模型 שלום 😀 “–”") == "modèle 模型 שלום 😀 “–”"


@given(ANY)
def test_a_visible_text_is_one_line_of_things_to_see(text: str) -> None:
    """One line, no control, nothing that UTF-8 cannot hold, whatever goes in; twice is as good as once."""
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not [one for one in shown if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")]
    shown.encode("utf-8")
    assert visible(shown) == shown


@given(ANY)
def test_an_error_is_one_line(text: str) -> None:
    """A bad value, a file or an id with line breaks or escapes in it does not make two lines of an error."""
    error = InputError(text, file=text, item=text, allowed=text)
    assert len(str(error).splitlines()) <= 1
    assert error.message == str(error) == visible(str(error))


@given(ANY, st.sampled_from(["ascii", "latin-1", "cp1252", "cp437", "koi8-r", "utf-8", PLAIN_ASCII]))
def test_every_text_fits_every_encoding(text: str, encoding: str) -> None:
    """Nothing fails; what the encoding holds stays; JSON stays JSON and means the same but for our own signs."""
    shown = fitted(text, encoding)
    shown.encode(encoding)
    if all(ord(one) < 128 for one in text):
        assert shown == text
    letters = "".join(one for one in text if one not in "–—−→←±…≤≥×·“”‘’─━")
    quoted = json.dumps(letters, ensure_ascii=False)
    assert json.loads(fitted(quoted, encoding)).encode("utf-16", "surrogatepass") == letters.encode(
        "utf-16", "surrogatepass"
    )


def test_our_own_signs_have_plain_forms() -> None:
    """Dashes, arrows, plus-minus and dots are ASCII where there is nothing else."""
    assert fitted("22 % → 3 %, 1–3, 5 ± 2 … ≤", "ascii") == "22 % -> 3 %, 1-3, 5 +/- 2 ... <="
    # What cp1252 has stays.
    assert fitted("→ ± – …", "cp1252") == "-> ± – …"


def test_the_plain_codec_is_ascii() -> None:
    """A stream under the name that click leaves alone writes ASCII and nothing else."""
    register_narrow()
    assert codecs.lookup(PLAIN_ASCII).name != "ascii"
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=PLAIN_ASCII, errors=NARROW)
    stream.write("é → x")
    stream.flush()
    assert raw.getvalue() == rb"\u00e9 -> x"
    stream.detach()


@pytest.mark.parametrize("name", [text for text, _ in HOSTILE.values() if "\ud83d" not in text])
def test_a_name_does_not_split_a_table(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each row, however its name, heading or title reads; captions keep their lines."""
    rows = [{"model": name, "a\nb": "1"}, {"model": "plain", "a\nb": "2"}]
    print_table(rows, title=f"of {name}", caption=f"first {name!s}")
    shown = capsys.readouterr().out
    assert not [one for one in shown if one != "\n" and unicodedata.category(one) == "Cc"]
    (row,) = [line for line in shown.splitlines() if line.rstrip().endswith(" 1")]
    assert visible(name) in row
    assert f"of {visible(name)}" in shown


def test_our_own_line_breaks_stay_and_those_of_names_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    """A cell of several lines has as many as it has parts, each escaped; the width is that of what is printed."""
    cell = Lines.of(["provider/model", "two\nlines", "\x1b[2Jred"])
    heading = Lines.of(["model", "judge\tname"])
    print_table([{heading: cell, "n": "1"}])
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[:2] == [["model"], [r"judge\tname", "n"]]
    assert lines[3:] == [["provider/model", "1"], [r"two\nlines"], [r"\x1b[2Jred"]]
    assert table_lines([{heading: cell, "n": "1"}], 80)[3] == " " + "─" * len(" provider/model   n")
    assert table_lines([{"a\nb": "x"}], 80)[2] == " " + "─" * len(r" a\nb")


@pytest.mark.parametrize("command", ["rates", "ranks", "gate", "compare"])
def test_no_command_passes_on_what_a_name_says_to_a_terminal(command: str, tmp_path: Path) -> None:
    """Two models whose names hold escapes, line breaks and overrides: every line printed is text."""
    file = tmp_path / "table.parquet"
    names = ["one\x1b[2J\nx", "two\u202e\rx"]
    table = pd.concat([simulated(name, 0.2, seed=at) for at, name in enumerate(names)], ignore_index=True)
    table.to_parquet(file)
    sides = ["--base", names[0], "--candidate", names[1]] if command in ("gate", "compare") else []
    if command == "gate":
        # Margins that 24 scenarios can meet.
        (tmp_path / "wide.yaml").write_text("margin: 0.4\nlargest_usefulness_loss: 0.4\n", encoding="utf-8")
        sides += ["--policy", str(tmp_path / "wide.yaml")]
    shown = CliRunner().invoke(cli, [command, str(file), *sides]).output
    assert r"one\x1b[2J\nx" in shown
    assert not [one for one in shown if one != "\n" and (unicodedata.category(one) == "Cc" or one == "\u202e")]


NAMES = st.text("abcz/-_0123456789", min_size=1, max_size=30)
INTERVALS = st.tuples(st.floats(-99, 99), st.floats(-99, 99)).map(lambda one: f"[{one[0]:+.1f}, {one[1]:+.1f}]")
ROWS = st.lists(
    st.fixed_dictionaries(
        {"model": NAMES, "pack": NAMES, "n": INTERVALS, "of which noise": st.integers(0, 9999), "change": INTERVALS,
         "events": st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda one: f"{one[0]}/{one[1]}"),
         "95 % interval": INTERVALS, "flags": st.lists(NAMES, max_size=4).map(", ".join)}
    ), min_size=1, max_size=6,
)  # fmt: skip


@given(ROWS, st.integers(40, 200), st.booleans())
def test_a_table_fits_the_screen_and_breaks_nothing(rows: list[dict[str, Any]], width: int, once: bool) -> None:
    """At any width no line is longer, and each cell stands unbroken in a line, as often as rows have it."""
    lines = table_lines(rows, width, keys=["model", "pack"], once=once)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for name in ("n", "change", "95 % interval", "events", "of which noise"):
        cells = [str(row[name]) for row in rows]
        for cell in set(cells):
            assert len(re.findall(rf"(?<!\S){re.escape(cell)}(?!\S)", text)) >= cells.count(cell)
    for row in rows:
        for name in (row["model"], row["pack"], *filter(None, row["flags"].split(", "))):
            assert re.search(rf"(?<!\S){re.escape(name)}(?=[\s,]|$)", text), name


def test_the_forms_of_a_table_by_hand() -> None:
    """Wide: as it is. Narrower: headings folded, then names above their rows and flags below, then several tables."""
    rows = [
        {"model": "provider/model", "pack": pack, "rate": "1.0 %", "of which noise": 12, "flags": "few_scenarios"}
        for pack in ("one", "two")
    ]
    assert table_lines(rows, 80)[1:4] == [
        "  model            pack    rate   of which noise   flags",
        " ───────────────────────────────────────────────────────────────",
        "  provider/model   one    1.0 %               12   few_scenarios",
    ]
    assert table_lines(rows, 60)[1:6] == [
        "                                     of",
        "                                  which",
        "  model            pack    rate   noise   flags",
        " ──────────────────────────────────────────────────────",
        "  provider/model   one    1.0 %      12   few_scenarios",
    ]
    assert table_lines(rows, 30) == [
        "",
        "  model",
        "                      of",
        "                   which",
        "    pack    rate   noise",
        " ───────────────────────",
        "  provider/model",
        "    one    1.0 %      12",
        "      flags: few_scenarios",
        "    two    1.0 %      12",
        "      flags: few_scenarios",
        "",
    ]
    longer = [{**row, "interval": "[0.1, 2.0]"} for row in rows]
    assert table_lines(longer, 26)[6:16] == [
        "  provider/model",
        "    one    1.0 %      12",
        "    two    1.0 %      12",
        "",
        "  model",
        "    pack     interval",
        " ────────────────────",
        "  provider/model",
        "    one    [0.1, 2.0]",
        "      flags: few_scenarios",
    ]


def test_what_is_wider_than_the_screen_stays_whole() -> None:
    """A name of 150 characters is not cut, and the numbers beside it stand in lines that fit."""
    name = "provider/" + "x" * 141
    lines = table_lines([{"model": name, "rate": "1.0 %", "interval": "[0.1, 2.0]"}], 80)
    assert any(line.strip() == name for line in lines)
    assert [line.split() for line in lines if "1.0 %" in line] == [["1.0", "%", "[0.1,", "2.0]"]]
    assert wrapped(f"see {name} there", 80) == ["see", name, "there"]


def test_a_sentence_is_not_broken_within_a_number() -> None:
    """An interval, a percentage and a range stay in one line at every width."""
    text = "of 12 outputs 14.3 % rose; the 90 % interval -3.1 to +2.2 points, or [0.1, 12.9], is 0.95 / 0.85 of all"
    for width in range(20, 100):
        joined = "\n".join(wrapped(text, width))
        assert joined.replace("\n", " ") == text
        for whole in ("14.3 %", "90 %", "-3.1 to +2.2 points", "[0.1, 12.9]", "0.95 / 0.85"):
            assert whole in joined
        assert max(map(len, joined.splitlines())) <= width


@given(ANY)
@example("&#32;")
@example("# a")
@example(" **b** ")
def test_on_a_screen_a_name_is_no_markdown(text: str) -> None:
    """What Markdown would take for markup in a name is escaped in it, and shown as it is where nothing renders it."""
    assert markdown_plain(markdown_text(text)) == visible(text)
    assert markdown_plain(markdown_line(text)) == visible(text)


CARD = """# Card: m\\*x\\*

**State: fit.** Read the rows *together*.

- a\\_b: a point that is so long that it cannot stand in one line of sixty columns

| pack | share |
| --- | --- |
| p\\|q | 50.0% |
"""


def test_markdown_is_plain_on_a_terminal_and_as_it_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a screen neither signs of emphasis nor escapes; what is folded of a point stands under its text."""
    print_markdown(CARD)
    assert capsys.readouterr().out == CARD + "\n"
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)
    print_markdown(CARD)
    assert capsys.readouterr().out.splitlines() == [
        "Card: m*x*",
        "",
        "State: fit. Read the rows together.",
        "",
        "- a_b: a point that is so long that it cannot stand in one",
        "  line of sixty columns",
        "",
        "  pack   share",
        " ─────────────",
        "  p|q    50.0%",
        "",
    ]
