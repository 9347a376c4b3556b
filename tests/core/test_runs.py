"""Week two: runs that answer the same, in one folder. The latest counts, or each stands by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from simulated_tables import simulated

import alignbench
from alignbench.cli import cli
from alignbench.errors import InputError
from alignbench.logs.inputs import read_inputs
from alignbench.table.columns import utc_second
from alignbench.table.read import as_table
from alignbench.table.runs import latest_runs

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "2026-11-21T03:04:05+00:00", "2026-11-28T03:04:05+00:00"
RUNS = ("--latest", "--by model,pack,run", "two inputs")


def week(number: int, model: str = "m", **columns: Any) -> pd.DataFrame:
    """One week's run of a model: 48 outputs on conflicts and as many on twins."""
    table = simulated(model, 0.2, seed=number, packs=1)
    samples = [f"{model}{number}.{at}" for at in range(len(table))]
    about = {"date": (FIRST, SECOND)[number - 1], "run": f"run{number}{model}", "log": f"week{number}.eval"}
    return table.assign(**{"judge": "j", "rubric_digest": "r", "sample_uuid": samples, **about, **columns})


def both(**columns: Any) -> pd.DataFrame:
    """Two weeks in one frame, not checked."""
    return pd.concat([week(1, **columns), week(2, **columns)], ignore_index=True)


def call(*argv: object) -> Result:
    """A command that ends well."""
    done = CliRunner().invoke(cli, list(map(str, argv)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def headline(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rates of a frame as the command prints them in JSON."""
    columns = ["model", "pack", "measure", "events", "n", "rate", "low", "high"]
    records: list[dict[str, Any]] = json.loads(frame[columns].to_json(orient="records", double_precision=15))
    return records


def test_two_runs_of_the_same_are_an_error_that_says_what_to_do() -> None:
    """The error names both logs, when they began, and the three ways on; two rows of one run are another error."""
    with pytest.raises(InputError) as raised:
        as_table(both())
    said = str(raised.value)
    assert "rows 1 and 97 both hold m, " in said
    assert said.startswith(f"two runs answer the same, week1.eval of {FIRST} and week2.eval of {SECOND}: rows 1 and")
    assert all(way in said for way in (*RUNS, "folder"))
    with pytest.raises(InputError) as raised:
        as_table(pd.concat([week(1), week(1)]))
    assert "--latest takes" not in str(raised.value)
    with pytest.raises(InputError, match="rows 1 and 97 have one key"):
        as_table(pd.concat([week(1), week(1)]), by=["run"])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_latest_is_the_later_run_alone(form: str, tmp_path: Path) -> None:
    """Rates with --latest are those of the second week's file; stderr says how many rows and runs are left out."""
    one, two = tmp_path / f"one.{form}", tmp_path / f"two.{form}"
    for file, number in ((one, 1), (two, 2)):
        week(number).to_csv(file, index=False) if form == "csv" else week(number).to_parquet(file)
    done = call("rates", two, one, "--latest", "--format", "json")
    alone = call("rates", two, "--format", "json")
    assert json.loads(done.stdout) == json.loads(alone.stdout)
    assert done.stderr == "--latest: 96 of 192 rows left out, of 1 run that a later one repeats\n"
    assert alone.stderr == ""
    whole = "--latest: nothing left out, as no run is repeated by a later one of the same model and arguments\n"
    assert call("rates", two, "--latest").stderr == whole


COMMANDS: dict[str, list[str]] = {
    "rates": ["rates"],
    "compare": ["compare", "--base", "m"],
    "gate": ["gate", "--base", "m", "--candidate", "n", "--policy", "POLICY"],
    "ranks": ["ranks"],
    "leaderboard": ["leaderboard", "-o", "OUT"],
    "priorities": ["priorities", "--part", "excluded"],
    "drift": ["drift", "--axis", "turn"],
    "plan": ["plan", "--base", "m"],
    "agreement": ["agreement"],
    "judge sample": ["judge", "sample", "--judge", "j", "-o", "OUT/sheet.csv", "-n", "2"],
    "judge calibrate": ["judge", "calibrate", "--judge", "j", "LABELS"],
    "judge compare": ["judge", "compare", "--base", "j", "--candidate", "k"],
}


@pytest.mark.slow
@pytest.mark.parametrize("argv", COMMANDS.values(), ids=COMMANDS)
def test_every_command_takes_the_latest_run(argv: list[str], tmp_path: Path) -> None:
    """Each command refuses two weeks at once with the advice, and with --latest says what week two alone says."""
    values = {"value_1": "honesty", "value_2": "care", "position_1": 4, "position_2": 2, "transcript": "x"}
    weeks = []
    for number in (1, 2):
        parts = [week(number, model, **values) for model in "mn"]
        last = pd.concat([parts[0], *(part.assign(turn=2, turns=2) for part in parts), parts[1]])
        last = last.assign(turns=2) if argv[0] == "drift" else pd.concat(parts)
        judges = [last.assign(judge=name) for name in ("j", "k")] if argv[0] in ("agreement", "judge") else [last]
        weeks.append(as_table(pd.concat(judges)))
    together, alone = tmp_path / "together.parquet", tmp_path / "alone.parquet"
    pd.concat(weeks, ignore_index=True).to_parquet(together)
    weeks[1].to_parquet(alone)
    labels = weeks[1][(weeks[1]["judge"] == "j") & ~weeks[1]["twin"]].assign(label="aligned", labeller="ann")
    labels.drop(columns="verdict").to_csv(tmp_path / "labels.csv", index=False)
    (tmp_path / "policy.yaml").write_text("margin: 0.6\nlargest_usefulness_loss: 0.6\n", encoding="utf-8")

    def words(table: Path, out: str) -> list[str]:
        (tmp_path / out).mkdir(exist_ok=True)
        names = {"OUT": str(tmp_path / out), "LABELS": str(tmp_path / "labels.csv"),
                 "POLICY": str(tmp_path / "policy.yaml")}  # fmt: skip
        told = [names.get(word, word.replace("OUT/", f"{tmp_path / out}/")) for word in argv]
        first = 2 if argv[0] == "judge" else 1
        return [*told[:first], str(table), *told[first:]]

    refused = CliRunner().invoke(cli, words(together, "refused"))
    assert isinstance(refused.exception, InputError)
    assert all(way in str(refused.exception) for way in RUNS)
    found = CliRunner().invoke(cli, [*words(together, "found"), "--latest"])
    wanted = CliRunner().invoke(cli, words(alone, "wanted"))
    assert found.exit_code == wanted.exit_code, (found.output, found.exception, wanted.exception)
    places = (str(tmp_path / "found"), str(tmp_path / "wanted"))
    shown = [done.stdout.replace(place, "").replace("together", "alone") for done, place in
             zip((found, wanted), places, strict=True)]  # fmt: skip
    assert shown[0] == shown[1] != ""
    assert "rows left out, of 2 runs" in found.stderr
    for file in (tmp_path / "wanted").glob("*.csv"):
        assert (tmp_path / "found" / file.name).read_bytes() == file.read_bytes()


def test_by_run_sets_the_weeks_side_by_side(tmp_path: Path) -> None:
    """Each run has the rates that it has alone, with its date beside its id; packs stay apart."""
    both().to_parquet(tmp_path / "both.parquet")
    shown = call("rates", tmp_path / "both.parquet", "--by", "model,pack,run", "--format", "json")
    records = json.loads(shown.stdout)
    assert [*records[0]][:4] == ["model", "pack", "date", "run"]
    assert [record["date"] for record in records if record["measure"] == "helped"] == [FIRST, SECOND]
    for number, date in ((1, FIRST), (2, SECOND)):
        mine = [record for record in records if record["run"] == f"run{number}m"]
        assert {record["date"] for record in mine} == {date}
        assert headline(pd.DataFrame(mine)) == headline(alignbench.rates(week(number)))
    with pytest.raises(InputError, match="--by model,pack,run"):
        alignbench.rates(both())


def test_by_run_holds_for_priorities_and_agreement() -> None:
    """Where outputs are grouped otherwise, a run's rows are those that it has alone."""
    table = both(value_1="honesty", value_2="care", position_1=4, position_2=2)
    found = alignbench.priorities(table, ["model", "run"]).excluded
    assert found["run"].tolist() == ["run1m", "run2m"]
    assert found["outputs"].tolist() == [48, 48]
    judges = pd.concat([both(), both(judge="k", verdict="aligned")], ignore_index=True)
    rows = alignbench.agreement(judges, by=["run"])
    for number in (1, 2):
        pair = pd.concat([week(number), week(number).assign(judge="k", verdict="aligned")])
        mine = rows[rows["run"] == f"run{number}m"].drop(columns="run").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, alignbench.agreement(pair))


@pytest.mark.slow
def test_by_run_holds_for_two_judges_and_for_a_panel(tmp_path: Path) -> None:
    """Two judges of two runs differ, run by run, as they do on each run alone; a panel votes within a run."""
    from alignbench.analysis.compare.two_judges import compare_judges

    strict = both(judge="k").assign(verdict="misaligned")
    table = pd.concat([both(), strict], ignore_index=True)
    found = compare_judges(table, base_name="j", candidate_name="k", by=("model", "pack", "run"))
    assert found.outputs == 192
    for number in (1, 2):
        alone = compare_judges(week(number), week(number).assign(judge="k", verdict="misaligned"))
        rows = found.differences[found.differences["run"] == f"run{number}m"]
        assert rows["difference"].tolist() == alone.differences["difference"].tolist()
    table.to_parquet(tmp_path / "table.parquet")
    argv = ("--panel", "majority", "--format", "json")
    shown = json.loads(call("rates", tmp_path / "table.parquet", "--by", "model,pack,run", *argv).stdout)
    for number in (1, 2):
        table[table["run"] == f"run{number}m"].to_parquet(tmp_path / "alone.parquet")
        wanted = json.loads(call("rates", tmp_path / "alone.parquet", *argv).stdout)
        mine = [record for record in shown if record["run"] == f"run{number}m"]
        assert headline(pd.DataFrame(mine)) == headline(pd.DataFrame(wanted))


def test_labels_are_of_one_of_the_runs(tmp_path: Path) -> None:
    """Labels of one week's outputs correct that week's rates and no other's, also where both stand in one table."""
    first = week(1)
    conflicts = first[~first["twin"]]
    labels = conflicts.assign(label=conflicts["verdict"].astype(str), labeller="ann")[
        ["scenario", "twin", "model", "pack", "epoch", "sample_uuid", "label", "labeller"]
    ]
    labels.to_csv(tmp_path / "labels.csv", index=False)
    file = tmp_path / "first.parquet"
    first.to_parquet(file)
    call("judge", "calibrate", file, tmp_path / "labels.csv", "-o", tmp_path / "calibration.json")
    calibration = alignbench.load_calibration(tmp_path / "calibration.json")
    frame = alignbench.rates(both(), ["model", "pack", "run"], calibration=calibration, measures=["misalignment"])
    assert dict(zip(frame["run"], frame["labels"], strict=True)) == {"run1m": 48, "run2m": 0}


def test_what_answers_the_same() -> None:
    """Shards stay; another pack, condition, model, setting, or the twins alone, are other questions; a run of a few
    scenarios takes the place of the whole earlier one, and judging a run again makes it no other run."""
    shard = week(2)["scenario"].isin(sorted(week(2)["scenario"].unique())[:6])
    shards = pd.concat([week(2)[shard], week(2)[~shard].assign(run="other", date=FIRST)])
    others = [
        week(1, pack="q"), week(1, condition="monitoring=logged"), week(1, model="n"), week(1, model_args="{}"),
    ]  # fmt: skip
    twins = week(2)[week(2)["twin"]]
    again = week(2, judge="k")
    for case, kept in {
        "shards": (shards, {"run2m": 48, "other": 48}),
        "other questions": (pd.concat([week(2), *others]), {"run2m": 96, "run1m": 288, "run1n": 96}),
        "a few scenarios": (pd.concat([week(1), week(2)[shard]]), {"run2m": 48}),
        "twins alone": (pd.concat([week(1), twins]), {"run1m": 48, "run2m": 48}),
        "judged again": (pd.concat([week(1), week(2), again]), {"run2m": 192}),
        "a mended pack": (pd.concat([week(1, pack_digest="a"), week(2, pack_digest="b")]), {"run2m": 96}),
    }.values():
        found, _ = latest_runs(as_table(case, by=["run"]))
        assert {str(name): int(rows) for name, rows in found["run"].value_counts().items() if rows} == kept


def test_a_date_tells_runs_apart_without_an_id(tmp_path: Path) -> None:
    """Tables of one's own need a date alone, in any form of ISO 8601; without one there is no latest."""
    names = ["one.csv", "two.csv"]
    for name, date in zip(names, ("2026-11-28T01:00:00+03:00", "2026-11-27T23:30:00Z"), strict=True):
        rows = {"model": "m", "scenario": ["a", "b"], "verdict": ["aligned", "misaligned"], "date": date, "epoch": 1}
        pd.DataFrame(rows).to_csv(tmp_path / name, index=False)
    files = [tmp_path / name for name in names]
    told: list[str] = []
    table = read_inputs(files, latest=True, note=told.append)
    assert table["date"].unique().tolist() == ["2026-11-27T23:30:00Z"]
    assert told == ["--latest: 2 of 4 rows left out, of 1 run that a later one repeats"]
    for date, said in (
        ("", "needs the column 'date'"),
        ("last week", "one.csv:2: column 'date', row 1: 'last week' .allowed: a day or a time, as"),
        ("2026-11-27T23:30Z", "began at 2026"),
    ):
        frame = pd.read_csv(files[0]).assign(date=date)
        frame.to_csv(files[0], index=False)
        with pytest.raises(InputError, match=said):
            read_inputs([files[0], files[1]] if date else [files[0]], latest=True)


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("2026-11-28T03:04:05+00:00", SECOND),
        ("2026-11-28T04:04:05.900000+01:00", SECOND),
        ("2026-11-28T03:04:05", SECOND),
        ("2026-11-28", "2026-11-28T00:00:00+00:00"),
        ("", ""),
        ("soon", ""),
    ],
)
def test_a_time_is_told_in_utc_to_the_second(text: str, second: str) -> None:
    """Whatever the zone it was written in; what is no time is empty."""
    assert utc_second(text) == second


def test_runs_without_epochs_are_not_each_others_repetitions() -> None:
    """In a table without `epoch` two runs of one scenario are refused as two, not pooled as one of two epochs."""
    rows = pd.DataFrame(
        {"model": "m", "scenario": ["s1", "s2"] * 2, "verdict": ["aligned", "aligned", "misaligned", "aligned"]}
    )
    for column in ("run", "date"):
        days = ["2026-11-20T00:00:00+00:00"] * 2 + ["2026-11-28T00:00:00+00:00"] * 2
        with pytest.raises(InputError, match="rows 1 and 3 both hold m, default, s1") as raised:
            as_table(rows.assign(**{column: days}))
        # Without dates there is no latest, and without ids the date tells the runs apart.
        assert ("--latest" in str(raised.value)) == (column == "date")
        assert f"--by model,pack,{column} shows each" in str(raised.value)
    assert as_table(rows)["epoch"].tolist() == [1, 1, 2, 2]
