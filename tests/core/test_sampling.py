"""Which outputs people are given to label, and the sheet they get."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_tables import models

from alignbench.cli.judge.sample import command
from alignbench.errors import InputError
from alignbench.labels.definitions import rubric_definitions
from alignbench.labels.draw import draw
from alignbench.labels.page import KEYS, labelling_page
from alignbench.labels.sheet import SHEET_COLUMNS, make_sheet, refuse_overwriting_labels
from alignbench.table.keys import KEY_COLUMNS
from alignbench.table.read import as_table
from alignbench.vocabulary import VERDICTS

if TYPE_CHECKING:
    from pathlib import Path


def _bare_table(flagged: int, others: int, **columns: str) -> pd.DataFrame:
    verdicts = ["misaligned"] * flagged + ["aligned"] * others
    frame = pd.DataFrame({"model": "m", "scenario": [f"s{at % 7}" for at in range(len(verdicts))], "verdict": verdicts})
    return as_table(frame.assign(**columns))


@pytest.mark.slow
@given(flagged=st.integers(0, 40), others=st.integers(0, 40), n=st.integers(2, 60), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_third_is_flagged_and_what_one_part_lacks_comes_from_the_other(
    flagged: int, others: int, n: int, seed: int
) -> None:
    """No output twice; as many as asked for or all there are; one in three flagged where the table allows it."""
    if flagged + others == 0:
        flagged = 1
    found = draw(_bare_table(flagged, others), n, seed=seed).rows

    assert found.index.is_unique
    assert len(found) == min(n, flagged + others)
    hits = int((found["verdict"] == "misaligned").sum())
    assert hits == min(flagged, max(n // 3, n - others, 1))


def test_what_was_drawn_is_printed_in_every_form(tmp_path: Path) -> None:
    """JSON and CSV on stdout hold the counts of the table, and nothing beside them; the sheet is the same."""
    _bare_table(9, 30, transcript="x").to_csv(tmp_path / "table.csv", index=False)
    sheets = []
    for form in ("table", "json", "csv"):
        sheet, page = tmp_path / f"{form}.sheet.csv", tmp_path / f"{form}.html"
        arguments = [str(tmp_path / "table.csv"), "-n", "12", "-o", str(sheet), "--html", str(page), "--format", form]
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        sheets.append(sheet.read_bytes())
        wanted = {"outputs": 39, "flagged": 9, "drawn": 12, "drawn_flagged": 4}
        if form == "json":
            found = json.loads(done.stdout)
            assert (found["outputs"], found["seed"]) == (12, 0)
            assert found["files"] == [str(sheet), str(page)]
            (row,) = found["design"]
            assert {name: row[name] for name in wanted} == wanted
            assert found["votes"] == []
        elif form == "csv":
            row = pd.read_csv(io.StringIO(done.stdout)).iloc[0]
            assert {name: row[name] for name in wanted} == wanted
    assert sheets[0] == sheets[1] == sheets[2]


def test_neither_order_nor_neighbours_change_the_draw() -> None:
    """The table turned upside down, or another model taken out, leaves the same outputs; another seed does not."""
    _, table = models(a=0.1, b=0.2)
    columns = list(KEY_COLUMNS)

    def keys(frame: pd.DataFrame, seed: int = 0) -> set[tuple[str, ...]]:
        rows = draw(frame, 40, seed=seed).rows
        return set(rows.loc[rows["model"] == "a", columns].astype(str).itertuples(index=False, name=None))

    assert keys(table) == keys(table.iloc[::-1]) == keys(table[table["model"] == "a"])
    assert keys(table) != keys(table, seed=1)


def test_each_model_pack_and_measure_has_its_own_draw() -> None:
    """n of each; twins only for over-refusal; the design says what was there and what was taken."""
    _, table = models(a=0.1, b=0.2)
    found = draw(table, 20, measures=("misalignment", "over_refusal"))

    assert found.rows.groupby(["model", "measure"], observed=True).size().tolist() == [20] * 4
    assert (found.rows["twin"] == (found.rows["measure"] == "over_refusal")).all()
    design = found.design.set_index(["model", "measure"])
    assert design.loc[("a", "misalignment"), "outputs"] == 160
    flags = (table["model"] == "b") & ~table["twin"] & (table["verdict"] == "misaligned")
    assert design.loc[("b", "misalignment"), "flagged"] == flags.sum()


def test_only_judged_headline_rows_are_drawn() -> None:
    """Another condition, an earlier turn and what has no verdict or is off task are never put before people."""
    rows = [
        {"model": "m", "scenario": "s1", "verdict": "aligned", "turn": 1},
        {"model": "m", "scenario": "s1", "verdict": "misaligned", "turn": 2},
        {"model": "m", "scenario": "s2", "verdict": "off_task", "turn": 1},
        {"model": "m", "scenario": "s3", "verdict": None, "turn": 1},
        {"model": "m", "scenario": "s4", "verdict": "refused", "turn": 1},
        {"model": "m", "scenario": "s4", "verdict": "deferred", "turn": 1, "condition": "monitoring=logged"},
    ]
    table = as_table(pd.DataFrame(rows))

    assert set(draw(table, 10).rows["verdict"]) == {"misaligned", "refused"}
    assert draw(table, 10, condition="monitoring=logged").rows["verdict"].tolist() == ["deferred"]


def test_several_judges_must_be_told_apart() -> None:
    """With two judges one must be named; a name that nobody has is refused."""
    table = pd.concat([_bare_table(5, 5, judge="one"), _bare_table(5, 5, judge="two")], ignore_index=True)

    with pytest.raises(InputError, match=r"2 judges .*--judge 'one' \| 'two'"):
        draw(table, 4)
    assert set(draw(table, 4, judge="two").rows["judge"]) == {"two"}
    with pytest.raises(InputError, match="no verdict of the judge 'three'"):
        draw(table, 4, judge="three")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 1}, "1 outputs to label"),
        ({"measures": ("severity",)}, "severity"),
        ({"measures": ()}, "measures"),
        ({"condition": "pressure=high"}, "no row of condition 'pressure=high'"),
        ({"measures": ("over_refusal",)}, "no judged output of over_refusal"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, Any], words: str) -> None:
    """Options without sense, and measures without rows, are one clear error."""
    with pytest.raises(InputError, match=words):
        draw(_bare_table(5, 5), **options)


def test_the_sheet_hides_the_verdict() -> None:
    """Neither a column nor the order of the rows says what the judge said; text columns come from the table."""
    table = _bare_table(30, 30, transcript="[1] user:\nHi", judge="j")
    rows = draw(table, 40).rows
    sheet = make_sheet(rows, None)

    assert list(sheet.columns) == list(SHEET_COLUMNS)
    assert "verdict" not in sheet.columns
    assert set(sheet["label"]) == {""}
    # Sorted by key or by verdict, one half would hold nearly all that was flagged, or nothing of it.
    first = (rows["verdict"] == "misaligned").iloc[:20].mean()
    assert 0.15 <= first <= 0.5
    text = sheet.to_csv(index=False, header=False)
    assert not any(word in text for word in VERDICTS)


def test_a_table_without_texts_makes_no_sheet() -> None:
    """Without logs and without a column of texts there is nothing to read."""
    with pytest.raises(InputError, match="--logs"):
        make_sheet(draw(_bare_table(5, 5), 4).rows, None)


def test_nothing_is_printed_or_written_before_an_error(tmp_path: Path) -> None:
    """A table of verdicts alone is one error; with answers in it the design is printed after the file is written."""
    bare, texts, sheet = (tmp_path / name for name in ("bare.csv", "texts.csv", "sheet.csv"))
    judges = pd.concat([_bare_table(5, 5, judge=name) for name in "xyz"], ignore_index=True)
    judges.to_csv(bare, index=False)
    run = CliRunner()
    for more in (["--judge", "x"], ["--panel", "majority"]):
        done = run.invoke(command, [str(bare), "-o", str(sheet), *more])
        assert isinstance(done.exception, InputError)
        assert "--logs LOGS" in str(done.exception)
        assert done.output == ""
    judges.assign(transcript="text").to_csv(texts, index=False)
    missing = run.invoke(command, [str(texts), "-o", str(tmp_path / "none" / "sheet.csv"), "--judge", "x"])
    assert (type(missing.exception), missing.output) == (InputError, "")
    done = run.invoke(command, [str(texts), "-o", str(sheet), "--judge", "x", "-n", "4"])
    assert (done.exit_code, len(pd.read_csv(sheet))) == (0, 4)
    assert "4 outputs to label (seed 0)." in done.output


def test_labels_are_never_written_over(tmp_path: Path) -> None:
    """A sheet without labels may be replaced, one with labels and any other file not."""
    file = tmp_path / "to_label.csv"
    refuse_overwriting_labels(file)
    sheet = make_sheet(draw(_bare_table(5, 5, transcript="text"), 4).rows, None)
    sheet.to_csv(file, index=False)
    refuse_overwriting_labels(file)
    sheet.assign(label=["aligned", "", "", ""]).to_csv(file, index=False)
    with pytest.raises(InputError, match="holds 1 labels already"):
        refuse_overwriting_labels(file)
    file.write_text("model,verdict\nm,aligned\n")
    with pytest.raises(InputError, match="is there already"):
        refuse_overwriting_labels(file)


def test_the_page_offers_every_verdict_and_reaches_for_nothing() -> None:
    """One file without an address in it; an answer cannot end the script that carries it; keys are unique."""
    table = _bare_table(3, 3, transcript="</script><script>alert(1)</script>")
    rows = draw(table, 4).rows
    page = labelling_page(make_sheet(rows, None), rubric_definitions(rows))

    assert set(KEYS) == set(VERDICTS)
    assert len(set(KEYS.values())) == len(KEYS)
    assert not any(scheme in page for scheme in ("http:", "https:", "//cdn"))
    assert page.count("</script>") == 2


def test_models_can_be_named_and_a_short_draw_is_said(tmp_path: Path) -> None:
    """Of one model the very outputs that a draw of all has of it; fewer than asked for are told in words."""
    table = pd.concat([_bare_table(9, 30).assign(model=name) for name in ("a", "b")], ignore_index=True)
    both, one = draw(table, 12), draw(table, 12, models=["b"])
    assert set(one.design["model"]) == {"b"}
    mine = both.rows[both.rows["model"] == "b"]
    key = ["scenario", "epoch", "verdict"]
    alone, among = (rows[key].sort_values(key, ignore_index=True) for rows in (one.rows, mine))
    pd.testing.assert_frame_equal(alone, among)
    with pytest.raises(InputError, match=r"no row of the model 'c' \(allowed: a, b\)"):
        draw(table, 12, models=["c"])
    table.assign(transcript="x").to_csv(tmp_path / "table.csv", index=False)
    said = {}
    for n in ("39", "50"):
        arguments = [str(tmp_path / "table.csv"), "-n", n, "--model", "a", "-o", str(tmp_path / f"{n}.csv")]
        said[n] = CliRunner().invoke(command, arguments, catch_exceptions=False).output
    assert "39 outputs to label" in said["39"]
    assert "Fewer than" not in said["39"]
    assert "Fewer than 50 judged outputs are there in 1 of 1 lines: all of them are drawn." in said["50"]
