"""The verdict table: defaults of bare tables, types, the round trip through files, and every bad input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench.errors import InputError, first_line
from alignbench.logs.inputs import read_inputs
from alignbench.table.columns import VERDICT_COLUMNS, arrow_schema
from alignbench.table.keys import KEY_COLUMNS
from alignbench.table.read import as_table, label_models, read_table, require_columns, row_groups
from alignbench.vocabulary import REFUSAL_TYPES, UNSCORED_REASONS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Callable

BARE = {
    "model": ["a", "a", "a", "b"],
    "scenario": ["s1", "s1", "s2", "s1"],
    "verdict": ["aligned", "misaligned", "off_task", None],
}
NAMES = [column.name for column in VERDICT_COLUMNS]


def bare(**columns: object) -> pd.DataFrame:
    """Four rows of three columns, and more columns where named."""
    return pd.DataFrame({**BARE, **columns})


def plain(column: pd.Series) -> list[Any]:
    """The values, with None for what is missing."""
    return column.astype(object).where(column.notna(), None).tolist()


def test_a_bare_table_gets_the_stated_defaults() -> None:
    """Three columns are enough; the others hold their defaults, in the declared order and types."""
    table = as_table(bare())
    assert list(table.columns) == NAMES
    first = table.iloc[0].to_dict()
    assert first["pack"] == "default"
    assert first["split"] == "seen"
    assert first["condition"] == "default"
    assert first["nudge"] == "neutral"
    assert first["twin"] == np.False_
    assert (first["turn"], first["turns"]) == (1, 1)
    assert first["judge"] == first["judge_config"] == first["flags"] == first["log"] == ""
    for name in ("severity", "position_1", "position_2", "refusal_type"):
        assert table[name].isna().all(), name
    for column in VERDICT_COLUMNS:
        kind = {"text": "category", "integer": "Int16", "count": "Int32", "boolean": "bool"}[column.kind]
        assert str(table[column.name].dtype) == kind, column.name


def test_a_scenario_may_have_more_rows_than_sixteen_bits_count(tmp_path: Path) -> None:
    """40,000 rows of one scenario are its epochs 1 to 40,000, numbered or given, and stay so in a file."""
    rows = 40_000
    frame = pd.DataFrame({"model": "a", "scenario": "s", "verdict": ["aligned"] * rows})
    table = as_table(frame)
    assert table["epoch"].tolist() == list(range(1, rows + 1))
    assert as_table(frame.assign(epoch=range(1, rows + 1), turns=rows))["turns"].tolist() == [rows] * rows
    table.to_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet")["epoch"].max() == rows


def test_a_file_with_numbers_of_sixteen_bits_is_read(tmp_path: Path) -> None:
    """Tables written when epochs and turns had 16 bits are the tables they were."""
    table = as_table(bare())
    old = table.astype({"epoch": "Int16", "turn": "Int16", "turns": "Int16"})
    old.to_parquet(tmp_path / "old.parquet")
    again = read_table(tmp_path / "old.parquet")
    for name in ("epoch", "turn", "turns"):
        pd.testing.assert_series_equal(again[name], table[name])


def test_epochs_are_numbered_in_file_order() -> None:
    """Without the column, the rows of one model, scenario and judge are its epochs, from 1, as they come."""
    table = as_table(bare())
    assert table["epoch"].tolist() == [1, 2, 1, 1]
    split = as_table(bare(judge=["x", "y", "x", "x"], twin=[False, False, False, True]))
    assert split["epoch"].tolist() == [1, 1, 1, 1]


def test_the_last_turn_is_the_highest() -> None:
    """Without the column `turns`, a conversation is as long as its highest turn."""
    frame = pd.DataFrame(
        {
            "model": "a",
            "scenario": ["s1", "s1", "s1", "s2"],
            "verdict": "aligned",
            "turn": [2, 1, 3, 1],
        }
    )
    assert as_table(frame)["turns"].tolist() == [3, 3, 3, 1]


def test_a_row_without_a_verdict_has_a_reason() -> None:
    """A missing verdict is unscored for a stated reason, or for the reason `unstated`."""
    assert plain(as_table(bare())["unscored_reason"]) == [None, None, None, "unstated"]
    stated = as_table(bare(unscored_reason=[None, None, None, "cut_off"]))
    assert plain(stated["unscored_reason"]) == [None, None, None, "cut_off"]


def test_other_columns_are_kept_after_ours() -> None:
    """A column we do not know stays, with its values, behind the declared ones."""
    table = as_table(bare(temperature=[0.0, 0.5, 1.0, 0.2]))
    assert list(table.columns) == [*NAMES, "temperature"]
    assert table["temperature"].tolist() == [0.0, 0.5, 1.0, 0.2]


def test_names_that_are_numbers_become_text() -> None:
    """Scenario ids may be numbers in the file, as values or as categories; here they are text."""
    for ids in ([1, 1, 2, 1], pd.Categorical([1, 1, 2, 1])):
        table = as_table(bare(scenario=ids))
        assert table["scenario"].tolist() == ["1", "1", "2", "1"]
        assert table["epoch"].tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize(
    "values",
    [[True, False, True, False], ["True", "false", "TRUE", "0"], [1, 0, 1, 0], [1.0, 0.0, 1.0, None]],
)
def test_ways_to_write_a_truth(values: list[Any]) -> None:
    """Booleans come as booleans, words or numbers; an empty one is the default."""
    assert as_table(bare(twin=values))["twin"].tolist() == [True, False, True, False]


def test_missing_numbers_in_a_float_column() -> None:
    """A column with gaps is float in pandas: whole numbers stay whole, gaps stay gaps."""
    table = as_table(bare(position_1=[6.0, np.nan, 0.0, None], severity=pd.array([0, 3, None, None], "Int64")))
    assert table["position_1"].tolist() == [6, pd.NA, 0, pd.NA]
    assert table["severity"].isna().tolist() == [False, False, True, True]


def test_a_table_of_ours_passes_unchanged() -> None:
    """Checking a checked table gives the same table, and its rows are numbered anew after a selection."""
    table = as_table(bare())
    pd.testing.assert_frame_equal(as_table(table), table)
    part = as_table(table[table["model"] == "b"])
    assert part.index.tolist() == [0]
    assert part["unscored_reason"].tolist() == ["unstated"]


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "a required column is missing": (lambda: bare().drop(columns=["verdict", "model"]), "'model', 'verdict'"),
    "no rows": (lambda: bare().iloc[:0], "no rows"),
    "no frame": (lambda: BARE, "dict is no table"),
    "nothing": (lambda: None, "NoneType is no table"),
    "an unknown verdict": (lambda: bare(verdict=["aligned", "fine", "aligned", "aligned"]), "row 2: 'fine'"),
    "a verdict that is a number": (lambda: bare(verdict=[1, 0, 1, 0]), "column 'verdict'"),
    "an unknown category": (lambda: bare(verdict=pd.Categorical(["aligned", "ok", "ok", "ok"])), "'ok'"),
    "the word for all packs": (
        lambda: bare(pack=["p", "p", "p", "overall"]),
        "column 'pack', row 4: 'overall' (allowed: another name: this one means all packs together)",
    ),
    "an unknown split": (lambda: bare(split="train"), "seen, unseen"),
    "an unknown nudge": (lambda: bare(nudge="up"), "neutral, value_1, value_2"),
    "an unknown refusal type": (lambda: bare(refusal_type="rude"), "firm_rejection"),
    "an unknown reason": (lambda: bare(unscored_reason=[None, None, None, "tired"]), "'tired'"),
    "a verdict and a reason": (lambda: bare(unscored_reason="error"), "row 1 has a verdict 'aligned'"),
    "a model without a name": (lambda: bare(model=["a", None, "a", "b"]), "column 'model', row 2"),
    "a position too far": (lambda: bare(position_1=[0, 7, 0, 0]), "column 'position_1', row 2: 7"),
    "a position between": (lambda: bare(position_2=[0.5, 1, 2, 3]), "row 1: 0.5"),
    "a severity in words": (lambda: bare(severity=["0", "1", "high", "2"]), "row 3: 'high'"),
    "an infinite severity": (lambda: bare(severity=[0, np.inf, 0, 0]), "row 2: inf"),
    "an epoch of none": (lambda: bare(epoch=[1, 2, 1, 0]), "column 'epoch', row 4: 0"),
    "an epoch left out": (lambda: bare(epoch=[1, 2, 1, None]), "column 'epoch', row 4"),
    "an epoch past counting": (
        lambda: bare(epoch=[1, 2, 1, 3e9]),
        "column 'epoch', row 4: 3000000000.0 (allowed: a whole number from 1 to 2147483647)",
    ),
    "a turn in words": (lambda: bare(turn=["1", "one", "1", "1"]), "row 2: 'one'"),
    "a twin that is neither": (
        lambda: bare(twin=["no", "yes", "no", "no"]),
        "'no' (allowed: true, false, 1, 0)",
    ),
    "a date that is no time": (lambda: bare(date="24/11/2026"), "row 1: '24/11/2026' (allowed: a day or a time, as"),
    "a date before all dates": (
        lambda: bare(date="0001-01-01T00:00:00+23:00"),
        "'0001-01-01T00:00:00+23:00' (allowed: a day",
    ),
    "no column": (lambda: bare()[[]], "missing column 'model', 'scenario', 'verdict': it has no columns"),
    "a name without end": (lambda: pd.DataFrame({"x" * 5000: [1]}), f"it has '{'x' * 60}…' (allowed"),
    "one key twice": (lambda: bare(epoch=[1, 1, 1, 1]), "rows 1 and 2 have one key: model=a"),
    "a table twice over": (lambda: pd.concat([as_table(bare())] * 2), "rows 1 and 5 have one key"),
}


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_one_clear_error(fault: str) -> None:
    """Each fault is an InputError in one line that holds the bad value."""
    make, named = BAD[fault]
    with pytest.raises(InputError) as raised:
        as_table(make())
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_column_that_stands_twice_is_named() -> None:
    """Two columns of one name are an error, not a guess."""
    frame = bare()
    twice = pd.concat([frame, frame[["verdict"]]], axis=1)
    with pytest.raises(InputError, match="'verdict' stands there twice"):
        as_table(twice)


def test_rows_with_one_key_name_their_logs() -> None:
    """Where rows come from logs, the error says from which."""
    with pytest.raises(InputError, match=r"\(in one\.eval and two\.eval\)"):
        as_table(bare(epoch=1, log=["one.eval", "two.eval", "one.eval", "one.eval"]))


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("missing.csv", None, "no such file"),
        ("table.txt", "model,scenario,verdict\n", "'.txt'"),
        ("empty.csv", "", "no table"),
        ("header.csv", "model,scenario,verdict\n", "no rows"),
        ("ragged.csv", 'model,scenario,verdict\na,"s1,aligned\n', "no table"),
        ("broken.parquet", "PAR1", "no table"),
        ("other.csv", "x,y\n1,2\n", "missing column 'model', 'scenario', 'verdict': it has 'x', 'y' (allowed"),
        ("twice.csv", "model,scenario,verdict,verdict\na,s1,aligned,misaligned\n", "has the column 'verdict' twice"),
        ("tabs.csv", "model\tscenario\tverdict\n", "alone, and columns are told apart by commas or semicolons"),
        ("bad.csv", "model,scenario,verdict\na,s1,aligned\na,s2,fine\n", "bad.csv:3: "),
    ],
)
def test_files_that_hold_no_table(tmp_path: Path, name: str, content: str | None, named: str) -> None:
    """A file that cannot be read as a table is an error that names it, in a CSV with the line."""
    file = tmp_path / name
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_table(file)
    assert named in str(raised.value)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_words_that_pandas_takes_for_nothing_stay_words(tmp_path: Path) -> None:
    """A model called "NA" or "None" in a CSV is a model; only an empty field is empty."""
    file = tmp_path / "table.csv"
    file.write_text("model,scenario,verdict\nNA,null,aligned\nNone,nan,\n", encoding="utf-8")
    table = read_table(file)
    assert table["model"].tolist() == ["NA", "None"]
    assert table["scenario"].tolist() == ["null", "nan"]
    assert table["verdict"].isna().tolist() == [False, True]


def _texts(*allowed: str) -> st.SearchStrategy[str]:
    if allowed:
        return st.sampled_from(allowed)
    # A CSV cannot tell an empty text from none, and pandas writes no control characters.
    return st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)


@st.composite
def full_tables(draw: st.DrawFn) -> pd.DataFrame:
    """Frames with every declared column and any allowed values, nulls among them."""
    rows = draw(st.integers(1, 6))
    columns: dict[str, list[Any]] = {}
    for column in VERDICT_COLUMNS:
        values: st.SearchStrategy[Any]
        if column.name == "epoch":
            columns["epoch"] = list(range(1, rows + 1))
            continue
        if column.kind == "boolean":
            values = st.booleans()
        elif column.kind in ("integer", "count"):
            low, high = (column.allowed[0], column.allowed[-1]) if column.allowed else (1, 9)
            values = st.integers(int(low), int(high))
        elif column.name == "date":
            values = st.sampled_from(["", "2026-11-28", "2026-11-28T03:04:05+00:00", "2026-11-28 03:04"])
        else:
            values = _texts(*map(str, column.allowed or ()))
        if column.nullable and column.default is None and column.name != "unscored_reason":
            values = st.none() | values
        columns[column.name] = draw(st.lists(values, min_size=rows, max_size=rows))
    columns["unscored_reason"] = [
        None if verdict else reason
        for verdict, reason in zip(columns["verdict"], columns["unscored_reason"], strict=True)
    ]
    return pd.DataFrame(columns)


@pytest.mark.slow
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(full_tables(), st.sampled_from(["csv", "parquet", "schema"]))
def test_a_table_survives_its_file(tmp_path: Path, frame: pd.DataFrame, form: str) -> None:
    """Written to CSV or Parquet and read again, every value and type is what it was."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = as_table(frame)
    assert plain(table["verdict"]) == plain(frame["verdict"])
    file = tmp_path / f"table.{'csv' if form == 'csv' else 'parquet'}"
    if form == "csv":
        table.to_csv(file, index=False)
    elif form == "parquet":
        table.to_parquet(file)
    else:
        pq.write_table(pa.Table.from_pandas(table, schema=arrow_schema(), preserve_index=False), file)
    again = read_table(file)
    assert list(again.columns) == NAMES
    for column in VERDICT_COLUMNS:
        before, after = table[column.name], again[column.name]
        assert str(after.dtype) == str(before.dtype), column.name
        assert plain(before) == plain(after), column.name


def test_the_arrow_schema_has_the_declared_columns() -> None:
    """What is written has the columns, in their order, and only those may be null that may be."""
    schema = arrow_schema()
    assert schema.names == NAMES
    assert [field.nullable for field in schema] == [column.nullable for column in VERDICT_COLUMNS]


def test_the_vocabulary_is_closed() -> None:
    """Five verdicts, seven kinds of refusal, and what the columns allow is what the vocabulary holds."""
    allowed = {column.name: column.allowed for column in VERDICT_COLUMNS}
    assert allowed["verdict"] == VERDICTS == ("aligned", "misaligned", "refused", "deferred", "off_task")
    assert allowed["unscored_reason"] == UNSCORED_REASONS
    assert allowed["refusal_type"] == REFUSAL_TYPES
    assert len(REFUSAL_TYPES) == 7
    assert set(KEY_COLUMNS) < set(NAMES)


def test_checkpoints_under_one_name_are_told_apart() -> None:
    """Rows of different arguments are different models; a model of one setting keeps its name."""
    table = as_table(bare(model_args=["", '{"seed":1}', "", '{"seed":2}']))
    assert label_models(table)["model"].tolist() == ["a {}", 'a {"seed":1}', "a {}", "b"]
    single = as_table(bare())
    assert label_models(single) is single


def test_a_command_names_the_columns_it_lacks() -> None:
    """A column that holds nothing but its default is as good as missing."""
    table = as_table(bare(judge=["x", "x", "x", "x"]))
    require_columns(table, ["judge", "model"], "agreement")
    with pytest.raises(InputError, match="agreement needs the column 'position_1', 'family', 'nothing'"):
        require_columns(table, ["judge", "position_1", "family", "nothing"], "agreement")


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=30),
    st.booleans(),
)
def test_row_groups_number_the_sorted_combinations(rows: list[tuple[int, str, bool]], missing: bool) -> None:
    """Equal rows have one number, rising in the order of the values; a missing number is a value."""
    frame = pd.DataFrame(rows, columns=["n", "text", "flag"])
    n = frame["n"].astype("Int16").mask(frame["n"] == 3) if missing else frame["n"]
    found = row_groups([n, frame["text"].astype("category"), frame["flag"]])
    places = {row: place for place, row in enumerate(sorted(set(rows)))}
    assert found.tolist() == [places[row] for row in rows]


def test_row_groups_of_more_combinations_than_a_number_holds() -> None:
    """Ten columns of a thousand values have 10 to the 30th combinations; the rows are still told apart."""
    column = pd.Series(np.arange(1000))
    assert row_groups([column] * 10).tolist() == list(range(1000))


def test_several_inputs_are_one_table(tmp_path: Path) -> None:
    """Tables named together are read as one; the same rows twice are an error that names the files."""
    first, second = tmp_path / "first.csv", tmp_path / "second.parquet"
    bare(severity=[0, 3, None, None]).to_csv(first, index=False)
    bare(model="c", note="x").to_parquet(second)
    told: list[str] = []
    table = read_inputs([first, second], note=told.append)
    assert told == [
        f"{first}: no column 'epoch': up to 2 rows of one scenario are taken as its repetitions",
        f"{second}: column 'note' is not used",
        f"{second}: no column 'epoch': up to 3 rows of one scenario are taken as its repetitions",
    ]
    assert table["model"].tolist() == ["a", "a", "a", "b", "c", "c", "c", "c"]
    assert table["severity"].isna().tolist() == [False, False, *[True] * 6]
    assert table["note"].isna().tolist() == [True] * 4 + [False] * 4
    with pytest.raises(InputError, match=r"first\.csv \+ .*first\.csv: rows 1 and 5 have one key"):
        read_inputs([first, first], note=told.append)
    with pytest.raises(InputError, match="nothing to read"):
        read_inputs([])


def test_inputs_are_called_what_they_are(tmp_path: Path) -> None:
    """A folder holds logs whatever its name; a folder or a device in the place of a table is not "no such file"."""
    folder = tmp_path / "run.csv"
    folder.mkdir()
    with pytest.raises(InputError, match=r"run\.csv: no logs in this folder"):
        read_inputs([folder])
    with pytest.raises(InputError, match=r"run\.csv: a folder \(allowed: a \.csv"):
        read_table(folder)
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_inputs([tmp_path / "none.csv"])


@pytest.mark.skipif(not Path(os.devnull).is_char_device(), reason="devices are POSIX")
def test_a_device_is_no_input() -> None:
    """/dev/null is there, and is neither a file nor a folder."""
    with pytest.raises(InputError, match="a device or a pipe"):
        read_inputs([os.devnull])
    with pytest.raises(InputError, match="a device or a pipe"):
        read_table(os.devnull)


@pytest.mark.parametrize(("error", "line"), [(ValueError("one\ntwo"), "one"), (EOFError(), "EOFError")])
def test_an_error_without_words_is_named_by_its_class(error: Exception, line: str) -> None:
    """Somebody else's error is told in one line, even where it has none."""
    assert first_line(error) == line
