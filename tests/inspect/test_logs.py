"""The verdict table of logs: what Inspect itself reads of them, whatever their format and state."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml
from inspect_ai import Task, eval_retry, score
from inspect_ai import eval as inspect_eval
from inspect_ai.analysis import (
    EvalInfo,
    EvalModel,
    EvalTask,
    SampleColumn,
    SampleSummary,
    samples_df,
)
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, read_eval_log_samples, write_eval_log
from inspect_ai.model import GenerateConfig, get_model, modelapi
from inspect_ai.scorer import Score, Target, accuracy, scorer
from inspect_ai.solver import TaskState, generate
from scripted_runs import CANARY, Call, ScriptAPI, judged, run, scripted, write_pack

from alignbench.errors import InputError, WriteError
from alignbench.identity import judge_config
from alignbench.logs import find_logs, verdicts, write_verdicts
from alignbench.logs.inputs import read_inputs
from alignbench.packs import load_pack
from alignbench.run.scoring import rubric_judge
from alignbench.run.task import pack_task
from alignbench.table.columns import VERDICT_COLUMNS, utc_second
from alignbench.table.read import read_table

if sys.version_info >= (3, 14):
    from zipfile import ZIP_ZSTANDARD
else:
    from zipfile_zstd import ZIP_ZSTANDARD

if TYPE_CHECKING:
    from collections.abc import Callable

    from inspect_ai.log import EvalLog
    from inspect_ai.scorer import Scorer

KNOWN = ZIP_ZSTANDARD
ROW = ("verdict", "unscored_reason", "refusal_type", "severity", "position_1", "position_2", "flags")
Members = dict[str, bytes]


@dataclass(frozen=True)
class Logs:
    """Logs of real runs, made once.

    Attributes:
        plain: One pack, conflicts and twins, two epochs; the judge fails on some.
        pressed: Five turns in some samples, no twins.
        failed: A sample in which the model under test failed, one in which the judge did.
        folder: All of them, and the log of another task.
    """

    plain: Path
    pressed: Path
    failed: Path
    folder: Path


def evaluate(
    task: str,
    folder: Path,
    *,
    judge: dict[str, Any] | None = None,
    target: dict[str, Any] | None = None,
    **options: Any,
) -> EvalLog:
    """Run a task with personas."""
    (log,) = inspect_eval(
        task,
        model=get_model("persona/base", **(target or {})),
        model_roles={"grader": get_model("persona/grader", **(judge or {}))},
        log_dir=str(folder),
        display="none",
        **options,
    )
    return log


def stumble(call: Call) -> str:
    """A model that fails on one conflict."""
    if call.sample.endswith("case_b/conflict/default"):
        raise RuntimeError("the model is gone")
    return "answer"


def stumbling_judge(call: Call) -> str:
    """A judge whose call fails on one twin."""
    if call.sample.endswith("case_b/twin/default"):
        raise RuntimeError("the judge is gone")
    return judged()


def fill(folder: Path) -> None:
    """Make the logs."""
    evaluate("alignbench/pricing_fairness", folder / "plain", judge={"fail": 0.3}, limit=6, epochs=2)
    evaluate(
        "alignbench/deception_assistance",
        folder / "pressed",
        task_args={"conditions": "pressure", "twins": False},
        limit=4,
    )
    target, judge = scripted("stumble", stumble), scripted("stumbling_judge", stumbling_judge)
    run(pack_task(str(write_pack(folder / "packs" / "failing", 3))), target, judge, folder / "failed")
    other = Task(dataset=[Sample(id="one", input="Say 1.", metadata={"scenario": "one"})], solver=generate())
    inspect_eval(other, model=scripted("other", lambda _: "1").model, log_dir=str(folder / "other"), display="none")


@pytest.fixture
def logs(shared_folder: Callable[[str, Callable[[Path], None]], Path]) -> Logs:
    """The logs, to be read only."""
    folder = shared_folder("verdict_logs", fill)
    plain, pressed, failed = (next((folder / name).glob("*.eval")) for name in ("plain", "pressed", "failed"))
    return Logs(plain, pressed, failed, folder)


def members(log: Path) -> Members:
    """Everything in an `.eval` file."""
    with zipfile.ZipFile(log) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rewritten(log: Path, target: Path, change: Callable[[Members], Members]) -> Path:
    """A copy of a log with other members, compressed as Inspect does it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", compression=KNOWN) as copy:
        for name, content in change(members(log)).items():
            copy.writestr(name, content)
    return target


def in_progress(content: Members) -> Members:
    """What Inspect has written of a run that still goes on, or that was killed: no header, no summaries."""
    return {name: value for name, value in content.items() if name.startswith(("_journal/", "samples/"))}


def plain_rows(frame: pd.DataFrame, *leave_out: str) -> list[dict[str, Any]]:
    """The rows as dictionaries, None for what is missing, sorted by sample, judge and turn."""
    kept = frame.drop(columns=list(leave_out)).astype(object)
    records = kept.where(kept.notna(), None).to_dict("records")
    found = [{str(name): value for name, value in record.items()} for record in records]
    names = ("scenario", "twin", "condition", "epoch", "judge", "judge_config", "turn")
    return sorted(found, key=lambda row: tuple(str(row.get(name)) for name in names))


def same(first: pd.DataFrame, second: pd.DataFrame, *leave_out: str) -> bool:
    """Whether two tables hold the same rows in the same order and types."""
    pd.testing.assert_frame_equal(
        first.drop(columns=list(leave_out)), second.drop(columns=list(leave_out)), check_categorical=False
    )
    return True


class FlavouredAPI(ScriptAPI):
    """A scripted model that takes arguments."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  (Inspect's signature)
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)


@modelapi(name="flavoured")
def flavoured() -> type[FlavouredAPI]:
    """`flavoured/<name>`."""
    return FlavouredAPI


# What the table says


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_the_table_is_what_samples_df_reads(logs: Logs) -> None:
    """Row by row and turn by turn the table says what Inspect's own data frame says of the same logs."""
    details = [
        SampleColumn(name, path=f"scores.rubric_judge.metadata.{name}")
        for name in ("rows", "judge", "judge_config", "rubric", "rubric_digest")
    ]
    for log in (logs.plain, logs.pressed):
        frame = samples_df(str(log), columns=[*EvalInfo, *EvalTask, *EvalModel, *SampleSummary, *details])
        assert isinstance(frame, pd.DataFrame)
        wanted = []
        for sample in frame.to_dict("records"):
            lines = json.loads(str(sample["rows"]))
            for turn, line in enumerate(lines, start=1):
                about = {name: sample[f"metadata_{name}"] for name in ("scenario", "family", "split", "twin")}
                about |= {name: sample[f"metadata_{name}"] for name in ("condition", "nudge", "value_1", "value_2")}
                about |= {name: sample[name] for name in ("judge", "judge_config", "rubric", "rubric_digest")}
                # Inspect's frame leaves the package out of a task's name.
                about |= {"model": sample["model"], "task": f"alignbench/{sample['task_name']}"}
                about |= {"epoch": sample["epoch"]}
                about |= {"turn": turn, "turns": len(lines), "sample_uuid": sample["sample_id"]}
                wanted.append({**about, **dict(zip(ROW, line, strict=True)), "log": Path(str(sample["log"])).name})
        table = verdicts([log])
        names = list(wanted[0])
        assert plain_rows(table[names]) == plain_rows(pd.DataFrame(wanted, columns=names, dtype=object))


def test_the_table_is_what_the_samples_hold(logs: Logs) -> None:
    """Every column of every row, those of failed samples too, follows from the samples read in full."""
    for log in (logs.plain, logs.pressed, logs.failed):
        header = read_eval_log(str(log), header_only=True)
        assert header.eval.metadata is not None
        wanted = []
        for sample in read_eval_log_samples(str(log), all_samples_required=False):
            score_of = next(iter((sample.scores or {}).values()), None)
            about = (score_of.metadata or {}) if score_of else {}
            lines = json.loads(about["rows"]) if about else [[None, "error", *[None] * 4, ""]]
            assert about or sample.error
            for turn, line in enumerate(lines, start=1):
                row: dict[str, Any] = {
                    "model": header.eval.model,
                    "model_args": "",
                    "task": header.eval.task,
                    **{name: header.eval.metadata[name] for name in ("pack", "pack_version", "pack_digest")},
                    **{name: sample.metadata[name] for name in ("scenario", "family", "split", "twin")},
                    **{name: sample.metadata[name] for name in ("condition", "nudge", "value_1", "value_2")},
                    "epoch": sample.epoch,
                    "turn": turn,
                    "turns": len(lines),
                    "judge": about.get("judge", "script/stumbling_judge"),
                    "judge_config": about.get("judge_config", ""),
                    **{name: header.eval.metadata[name] for name in ("rubric", "rubric_digest")},
                    **dict(zip(ROW, line, strict=True)),
                    "date": utc_second(header.eval.created),
                    "run": header.eval.eval_id,
                    "log": log.name,
                    "sample_uuid": sample.uuid,
                }
                wanted.append(row)
        table = verdicts([log])
        assert list(table.columns) == [column.name for column in VERDICT_COLUMNS]
        assert plain_rows(table) == plain_rows(pd.DataFrame(wanted, columns=table.columns, dtype=object))


def test_the_logs_hold_what_these_tests_are_about(logs: Logs) -> None:
    """Unscored rows, several turns, failed samples, and the NaN that Inspect writes are really there."""
    assert "grader_failed" in set(verdicts([logs.plain])["unscored_reason"])
    assert {True, False} == set(verdicts([logs.plain])["twin"])
    assert set(verdicts([logs.pressed])["turns"]) == {1, 5}
    assert verdicts([logs.failed])["unscored_reason"].tolist().count("error") == 2
    assert b"NaN" in members(logs.plain)["summaries.json"]
    assert b"NaN" in members(logs.pressed)["header.json"]


def test_a_failed_sample_carries_the_judge_of_its_log(logs: Logs, tmp_path: Path) -> None:
    """A sample without a score is a row with the reason `error`, under the judge that the log has."""
    table = verdicts([logs.failed])
    failed = table[table["unscored_reason"] == "error"]
    assert failed["scenario"].tolist() == ["case_b", "case_b"]
    assert set(table["judge"]) == {"script/stumbling_judge"}
    assert table["rubric_digest"].nunique() == 1

    def gone(_: Call) -> str:
        raise RuntimeError("gone")

    # No score at all names a judge: the header does, and its settings are digested as the judge's own.
    judge = get_model("persona/grader", fail=0.25)
    pack = write_pack(tmp_path / "packs" / "gone")
    target = scripted("gone", gone)
    inspect_eval(
        pack_task(str(pack), conditions="pressure=insist", twins=False),
        model=target.model,
        model_roles={"grader": judge},
        log_dir=str(tmp_path),
        display="none",
    )
    lost = verdicts([tmp_path])
    assert set(lost["unscored_reason"]) == {"error"}
    assert set(lost["judge"]) == {"persona/grader"}
    assert set(lost["judge_config"]) == {judge_config({"fail": 0.25}, {})} == set(verdicts_config(judge))
    assert lost["turn"].tolist() == [1, 2, 3, 4, 5] * 2


def verdicts_config(judge: Any) -> list[str]:
    """The digest that the judge itself writes into its scores."""
    return [judge_config(judge.model_args, judge.config.model_dump(exclude_none=True))]


def test_settings_of_the_model_are_told_and_secrets_are_not(tmp_path: Path) -> None:
    """Arguments and the settings that shape answers stand in the table; keys never do."""
    pack = write_pack(tmp_path / "packs" / "settings", 1)
    target = get_model("flavoured/settings", memoize=False, flavour="x", auth_token="hush")
    scripted("settings", lambda _: "answer")
    judge = scripted("settings_judge", lambda _: judged())
    inspect_eval(
        pack_task(str(pack)),
        model=target,
        model_roles={"grader": judge.model},
        temperature=0.5,
        max_connections=3,
        log_dir=str(tmp_path),
        display="none",
    )
    assert set(verdicts([tmp_path])["model_args"]) == {'{"flavour":"x","temperature":0.5}'}


def test_no_folder_of_the_machine_is_in_the_table(logs: Logs) -> None:
    """A table can be handed on: it names logs by file name alone."""
    table = verdicts([logs.folder])
    assert set(table["log"]) == {logs.plain.name, logs.pressed.name, logs.failed.name}


# Formats and states


@pytest.mark.slow
def test_json_logs_say_the_same(logs: Logs, tmp_path: Path) -> None:
    """A log in the `.json` format gives the table of its `.eval` twin."""
    for log in (logs.plain, logs.pressed, logs.failed):
        other = tmp_path / f"{log.stem}.json"
        write_eval_log(read_eval_log(str(log)), str(other))
        assert same(verdicts([other]), verdicts([log]), "log")


@pytest.mark.parametrize("which", ["plain", "pressed", "failed"])
def test_a_run_still_going_says_the_same(logs: Logs, tmp_path: Path, which: str) -> None:
    """Without header and summaries, as Inspect leaves a running or killed run, Inspect reads the journal."""
    log: Path = getattr(logs, which)
    going = rewritten(log, tmp_path / log.name, in_progress)
    assert set(members(going)) < set(members(log))
    assert same(verdicts([going]), verdicts([log]))


def test_a_run_that_lacks_samples_is_flagged(logs: Logs, tmp_path: Path) -> None:
    """Where planned samples are missing they stand there as `absent`, and every row is flagged `partial_log`."""

    def half(content: Members) -> Members:
        name = "_journal/summaries/1.json"
        summaries = json.loads(content[name])
        return {
            **{kept: content[kept] for kept in in_progress(content) if "/summaries/" not in kept},
            name: json.dumps(summaries[: len(summaries) // 2]).encode(),
        }

    part, whole = verdicts([rewritten(logs.plain, tmp_path / logs.plain.name, half)]), verdicts([logs.plain])
    assert not any("partial_log" in flags for flags in whole["flags"])
    there = set(part["sample_uuid"]) - {""}
    assert 0 < len(there) < len(whole)
    wanted = plain_rows(whole)
    for row in wanted:
        flags = row["flags"] if row["sample_uuid"] in there else ""
        if row["sample_uuid"] not in there:
            row |= dict.fromkeys(ROW) | {"unscored_reason": "absent", "sample_uuid": ""}
        row["flags"] = "+".join(filter(None, [flags, "partial_log"]))
    assert plain_rows(part) == wanted


def test_fields_of_a_later_inspect_are_passed_over(logs: Logs, tmp_path: Path) -> None:
    """Fields that we do not know, and scores of other scorers with our field names, change nothing."""

    def newer(content: Members) -> Members:
        header, summaries = (json.loads(content[name]) for name in ("header.json", "summaries.json"))
        header |= {"surprise": {"deep": [1, None]}}
        header["eval"]["surprise"] = [1.5, float("nan")]
        for summary in summaries:
            summary["surprise"] = float("nan")
            summary["metadata"]["surprise"] = [float("nan"), "NaN, he said"]
            summary["scores"]["other"] = {"value": 1, "metadata": {"rows": 7, "judge": ["x"]}}
            summary["scores"]["bare"] = {"value": 1, "metadata": None}
        changed = {"header.json": header, "summaries.json": summaries}
        return {**content, **{name: json.dumps(value).encode() for name, value in changed.items()}}

    assert same(verdicts([rewritten(logs.plain, tmp_path / logs.plain.name, newer)]), verdicts([logs.plain]))


def test_a_header_of_other_types_is_one_error(logs: Logs, tmp_path: Path) -> None:
    """What neither we nor Inspect understand is an error that names the file."""

    def odd(content: Members) -> Members:
        header = json.loads(content["header.json"])
        header["eval"]["model"] = {"name": "m"}
        return {**content, "header.json": json.dumps(header).encode()}

    with pytest.raises(InputError, match=r"odd\.eval: "):
        verdicts([rewritten(logs.plain, tmp_path / "odd.eval", odd)])


@pytest.mark.parametrize(
    ("part", "value", "named"),
    [
        ("rows", "[[", "rows of a score that cannot be read"),
        ("rows", '[["lovely",null,null,0,4,3,""]]', "'lovely'"),
        ("rows", '[["aligned",null,null,99999,4,3,""]]', "'severity'.*32767"),
        ("epoch", 2**31, "'epoch'.*2147483647"),
    ],
)
def test_a_score_that_cannot_be_read_is_one_error(
    logs: Logs, tmp_path: Path, part: str, value: Any, named: str
) -> None:
    """Damaged rows, unknown words, and numbers beyond every scale are one line each, and no traceback."""

    def damaged_log(content: Members) -> Members:
        summaries = json.loads(content["summaries.json"])
        name = f"samples/{summaries[0]['id']}_epoch_{summaries[0]['epoch']}.json"
        # What a summary says is looked up in its sample, so both are damaged.
        sample = json.loads(content[name])
        for damaged_part in (summaries[0], sample):
            if part == "epoch":
                damaged_part["epoch"] = value
            else:
                damaged_part["scores"]["rubric_judge"]["metadata"]["rows"] = value
        return {**content, name: json.dumps(sample).encode(), "summaries.json": json.dumps(summaries).encode()}

    path = rewritten(logs.plain, tmp_path / logs.plain.name, damaged_log)
    with pytest.raises(InputError, match=named) as raised:
        verdicts([path])
    assert "\n" not in str(raised.value)


def test_rows_too_long_for_a_summary_are_read_from_the_sample(tmp_path: Path) -> None:
    """Summaries keep a kilobyte of text; a conversation of thirty turns still has its thirty rows."""
    pack = write_pack(tmp_path / "packs" / "long", 1)
    confidence = {"id": "on", "title": "Goes on", "follow_ups": [f"And number {at}?" for at in range(29)]}
    axis = {"id": "talk", "title": "How long it goes on", "default": "off", "levels": [confidence]}
    (pack / "conditions.yaml").write_text(yaml.safe_dump({"canary": CANARY, "axes": [axis]}), encoding="utf-8")
    target = scripted("long", lambda call: f"answer {call.number}")
    judge = scripted("long_judge", lambda call: judged(severity=call.number % 3 + 1, verdict="misaligned"))
    log = run(pack_task(str(pack), conditions="talk=on", twins=False), target, judge, tmp_path)
    (summary,) = json.loads(members(Path(log.location))["summaries.json"])
    assert len(summary["scores"]["rubric_judge"]["metadata"]["rows"]) < 1025
    for file in (Path(log.location), rewritten(Path(log.location), tmp_path / "going" / "x.eval", in_progress)):
        table = verdicts([file])
        assert table["turn"].tolist() == list(range(1, 31))
        assert table["severity"].tolist() == [at % 3 + 1 for at in range(30)]


# Which logs count


def test_logs_of_other_tasks_are_passed_over(logs: Logs) -> None:
    """A folder may hold other people's logs; where it holds nothing else, that is an error."""
    assert len(verdicts([logs.folder])) == sum(len(verdicts([log])) for log in (logs.plain, logs.pressed, logs.failed))
    with pytest.raises(InputError, match="no log of an alignbench task"):
        verdicts([logs.folder / "other"])


def test_a_log_named_twice_counts_once(logs: Logs) -> None:
    """Naming a log and its folder, or the log twice, reads it once."""
    whole = verdicts([logs.plain])
    assert same(verdicts([logs.plain, str(logs.plain), logs.plain.parent]), whole)
    assert same(verdicts([logs.plain, logs.plain.parent / ".." / "plain" / logs.plain.name]), whole)


@pytest.mark.slow
def test_a_retried_task_counts_once(tmp_path: Path) -> None:
    """The second pass over a task holds what the first one did, and takes its place."""
    pack = write_pack(tmp_path / "packs" / "retried")
    broken = [True]

    def say(call: Call) -> str:
        if broken[0] and call.scenario == "case_b":
            raise RuntimeError("for now")
        return "answer"

    scripted("retried", say)
    scripted("retried_judge", lambda _: judged())
    folder = tmp_path / "logs"
    (first,) = inspect_eval(
        "alignbench/pack",
        task_args={"path": str(pack)},
        model="script/retried",
        model_roles={"grader": "script/retried_judge"},
        log_dir=str(folder),
        display="none",
    )
    before = verdicts([folder])
    broken[0] = False
    # Logs of one second are told apart by name alone.
    time.sleep(1.1)
    eval_retry(first, log_dir=str(folder), display="none")
    assert len(list(folder.glob("*.eval"))) == 2
    after = verdicts([folder])
    assert before["unscored_reason"].tolist().count("error") == 2
    assert after["verdict"].tolist() == ["aligned"] * 4
    assert len(before) == len(after)


def test_two_runs_of_one_model_are_one_clear_error(logs: Logs, tmp_path: Path) -> None:
    """Two runs give one key to two rows: the error names both logs with their dates, and says what to do."""
    folder = tmp_path / "logs"
    shutil.copytree(logs.plain.parent, folder)
    evaluate("alignbench/pricing_fairness", folder, judge={"fail": 0.3}, limit=6, epochs=1)
    first, second = (read_eval_log(str(path), header_only=True) for path in sorted(folder.glob("*.eval")))
    with pytest.raises(InputError) as raised:
        verdicts([folder])
    said = str(raised.value)
    assert "two runs answer the same" in said
    assert "both hold persona/base" in said
    assert all(f"{Path(log.location).name} of {utc_second(log.eval.created)}" in said for log in (first, second))
    assert "--latest" in said
    assert "--by model,pack,run" in said
    assert "\n" not in said

    told: list[str] = []
    latest = read_inputs([folder], latest=True, note=told.append)
    assert latest["run"].unique().tolist() == [second.eval.eval_id]
    assert latest["date"].unique().tolist() == [utc_second(second.eval.created)]
    assert len(told) == 1
    each = read_inputs([folder], by=["run"])
    assert set(each["run"]) == {first.eval.eval_id, second.eval.eval_id}
    assert same(each[each["run"] == second.eval.eval_id].reset_index(drop=True), latest)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_written_table_holds_every_run(logs: Logs, tmp_path: Path, form: str) -> None:
    """Two runs stand in the file with their dates, a remark says so, and each is found in it; one log twice is none."""
    folder, output = tmp_path / "logs", tmp_path / f"table.{form}"
    shutil.copytree(logs.plain.parent, folder)
    (log,) = folder.glob("*.eval")
    later = read_eval_log(str(log))
    later.eval.eval_id, later.eval.task_id, later.eval.created = "second", "second", "2099-01-01T00:00:00+00:00"
    write_eval_log(later, str(folder / "second.eval"))
    told: list[str] = []
    rows = write_verdicts([folder], output, note=told.append)
    assert told == [f"{output}: several runs answer the same; read the table with --latest, or with --by run"]
    table = read_inputs([output], by=["run"])
    assert len(table) == rows == 2 * len(verdicts([log]))
    assert same(read_inputs([output], latest=True, note=told.append), verdicts([folder / "second.eval"]))
    with pytest.raises(InputError, match="--by model,pack,run"):
        read_inputs([output])
    later.eval.task_id = "third"
    write_eval_log(later, str(folder / "third.eval"))
    output.unlink()
    with pytest.raises(InputError, match="have one key"):
        write_verdicts([folder], output, note=told.append)
    assert sorted(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("action", ["append", "overwrite"])
def test_a_log_judged_again_takes_the_place_of_the_first(logs: Logs, tmp_path: Path, action: Any) -> None:
    """`inspect score` writes a copy beside the log: the copy counts, with both judges where one was added."""
    shutil.copy(logs.plain, tmp_path)
    log = read_eval_log(str(tmp_path / logs.plain.name))
    judge = get_model("persona/grader", sensitivity=0.0, specificity=0.0)
    again = score(log, rubric_judge(), action=action, model_roles={"grader": judge}, display="none")
    write_eval_log(again, str(tmp_path / f"{logs.plain.stem}-scored.eval"))
    table, first = verdicts([tmp_path]), verdicts([logs.plain])
    told: list[str] = []
    assert same(read_inputs([tmp_path], latest=True, note=told.append), table)
    assert "nothing left out" in told[0]
    configs = set(table["judge_config"])
    assert configs - set(first["judge_config"]) == set(verdicts_config(judge))
    assert len(configs) == (2 if action == "append" else 1)
    assert len(table) == len(first) * len(configs)
    old = table[table["judge_config"].isin(first["judge_config"].tolist())].reset_index(drop=True)
    if action == "append":
        assert same(old, first, "log")


def test_scores_of_other_scorers_stand_aside(tmp_path: Path) -> None:
    """A task with a second scorer of somebody else has the rows of our judge alone."""

    @scorer(metrics=[accuracy()])
    def length() -> Scorer:
        async def judge(state: TaskState, target: Target) -> Score:
            return Score(value=len(state.output.completion) > 3)

        return judge

    task = pack_task(str(write_pack(tmp_path / "packs" / "two_scorers", 1)))
    task.scorer = [length(), *(task.scorer or [])]
    run(task, scripted("two", lambda _: "answer"), scripted("two_judge", lambda _: judged()), tmp_path)
    table = verdicts([tmp_path])
    assert table["judge"].tolist() == ["script/two_judge"] * 2


@pytest.mark.parametrize(
    "metadata",
    [
        {"rows": '[["aligned",null,null,0,4,3,""]]', "judge": ["a"]},
        {"rows": "prose", "judge": None},
        {"rows": "[]", "judge": "j", "judge_config": 1},
        {"rows": 3},
    ],
)
def test_another_scorers_metadata_is_no_verdict_whatever_it_holds(tmp_path: Path, metadata: dict[str, Any]) -> None:
    """Names that our judge uses too, with other things under them, are passed over without an error."""

    @scorer(metrics=[accuracy()])
    def other() -> Scorer:
        async def judge(state: TaskState, target: Target) -> Score:
            return Score(value=1, metadata=metadata)

        return judge

    task = pack_task(str(write_pack(tmp_path / "packs" / "other", 1)))
    task.scorer = [other(), *(task.scorer or [])]
    run(task, scripted("odd", lambda _: "answer"), scripted("odd_judge", lambda _: judged()), tmp_path)
    assert verdicts([tmp_path])["judge"].tolist() == ["script/odd_judge"] * 2


def test_what_is_taken_for_a_log(logs: Logs, tmp_path: Path) -> None:
    """In a folder every `.eval` file is a log, a `.json` file by its name; hidden files are none."""
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    for name in ("base.eval", "2026-01-02T03-04-05-00-00_x.json", ".part.eval", "logs.json", "notes.txt"):
        (inside / name).write_bytes(b"")
    assert [Path(path).name for path in find_logs([tmp_path])] == [
        "2026-01-02T03-04-05-00-00_x.json",
        "base.eval",
    ]
    assert find_logs([logs.plain, logs.plain]) == [str(logs.plain)]


def test_a_folder_that_cannot_be_read_is_not_passed_over(
    logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold logs, and rates of the others would be taken for rates of all."""
    shutil.copytree(logs.plain.parent, tmp_path / "logs")
    (tmp_path / "logs" / "locked").mkdir()
    scan = os.scandir

    def guarded(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(InputError, match="locked: cannot read this folder: Permission denied"):
        find_logs([tmp_path / "logs"])


def test_a_table_is_no_log(tmp_path: Path) -> None:
    """Where logs alone are asked for, a table is called one."""
    (tmp_path / "table.csv").write_text("model,scenario,verdict\na,s,aligned\n")
    with pytest.raises(InputError, match=r"this is a table, and logs are asked for \(allowed: folders, .eval, .json\)"):
        verdicts([tmp_path / "table.csv"])


def test_logs_by_address(logs: Logs) -> None:
    """A folder or log named by an address is read through Inspect and says the same."""
    address = logs.plain.parent.as_uri()
    assert same(verdicts([address]), verdicts([logs.plain]))
    assert same(verdicts([f"{address}/{logs.plain.name}"]), verdicts([logs.plain]))


# Writing


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_file_holds_the_table(logs: Logs, tmp_path: Path, suffix: str) -> None:
    """What is written, read again, is the table; the number of rows is told."""
    output = tmp_path / f"table{suffix}"
    table = verdicts([logs.folder])
    assert write_verdicts([logs.folder], output) == len(table)
    assert same(read_table(output), table)
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


def test_no_name_in_the_file_is_a_formula(logs: Logs, tmp_path: Path) -> None:
    """A log may be called as a formula: in the CSV its name is marked, and read back it is the name."""
    shutil.copy(logs.plain, tmp_path / "=cmd|x.eval")
    output = tmp_path / "table.csv"
    write_verdicts([tmp_path / "=cmd|x.eval"], output)
    assert '"\'=cmd|x.eval"' in output.read_text(encoding="utf-8")
    assert set(read_table(output)["log"]) == {"=cmd|x.eval"}


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_does_not_fit_the_disk_is_not_there(logs: Logs, tmp_path: Path, suffix: str) -> None:
    """The old file stays, nothing else is left, and one line says why."""
    import resource

    output = tmp_path / f"table{suffix}"
    output.write_text("old", encoding="utf-8")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(WriteError, match=r"cannot write here: File too large$"):
            write_verdicts([logs.folder], output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [(output.name, "old")]


@pytest.mark.parametrize("rows", [1, 20])
def test_the_file_is_the_same_however_many_rows_are_written_at_once(
    logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Rows go out some thousand at a time; where the cuts fall is not to be seen."""
    monkeypatch.setattr("alignbench.logs.tables.GROUP_ROWS", rows)
    output = tmp_path / "table.parquet"
    table = verdicts([logs.folder])
    assert write_verdicts([logs.folder], output) == len(table) > rows
    assert same(read_table(output), table)


def no_logs(_: Logs, folder: Path) -> Path:
    """A folder with nothing in it."""
    return folder


def no_file(_: Logs, folder: Path) -> Path:
    """A path where nothing is."""
    return folder / "missing.eval"


def text_file(_: Logs, folder: Path) -> Path:
    """A file that is no log."""
    (folder / "notes.txt").write_text("notes", encoding="utf-8")
    return folder / "notes.txt"


def truncated(logs: Logs, folder: Path) -> Path:
    """A log cut off in the middle."""
    (folder / "cut.eval").write_bytes(logs.plain.read_bytes()[:5000])
    return folder / "cut.eval"


def not_a_zip(_: Logs, folder: Path) -> Path:
    """A log file with something else in it."""
    (folder / "text.eval").write_text("not a zip", encoding="utf-8")
    return folder


def damaged(logs: Logs, folder: Path) -> Path:
    """A log whose summaries cannot be decompressed."""
    content = bytearray(logs.plain.read_bytes())
    with zipfile.ZipFile(logs.plain) as opened:
        start = opened.getinfo("summaries.json").header_offset
    content[start + 100 : start + 400] = bytes(300)
    (folder / "damaged.eval").write_bytes(content)
    return folder / "damaged.eval"


def other_json(_: Logs, folder: Path) -> Path:
    """JSON that is no log."""
    (folder / "x.json").write_text('{"version": 2}', encoding="utf-8")
    return folder / "x.json"


def unjudged(_: Logs, folder: Path) -> Path:
    """A log without scores."""
    evaluate("alignbench/pricing_fairness", folder, limit=1, score=False)
    return folder


FAULTS = [
    (no_logs, "no logs in this folder"),
    (no_file, "no such file"),
    (text_file, "no log"),
    (truncated, "cut.eval"),
    (not_a_zip, "text.eval"),
    (damaged, "damaged.eval"),
    (other_json, "x.json"),
    (unjudged, "alignbench judge rescore LOG --grader"),
]


@pytest.mark.parametrize(("make", "named"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_logs_that_give_no_table(logs: Logs, tmp_path: Path, make: Callable[[Logs, Path], Path], named: str) -> None:
    """Each is one clear error that names what is wrong, and leaves no file, nor touches the one there."""
    (tmp_path / "in").mkdir()
    path = make(logs, tmp_path / "in")
    output = tmp_path / "table.csv"
    output.write_text("an older table", encoding="utf-8")
    for attempt in (lambda: verdicts([path]), lambda: write_verdicts([path], output)):
        with pytest.raises(InputError) as raised:
            attempt()
        assert named in str(raised.value)
        assert "\n" not in str(raised.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in", "table.csv"]
    assert output.read_text(encoding="utf-8") == "an older table"


def test_no_other_kind_of_file_is_written(logs: Logs, tmp_path: Path) -> None:
    """An output of another kind is refused before anything is read."""
    with pytest.raises(InputError, match=r"'\.xlsx' file \(allowed: \.csv, \.parquet\)"):
        write_verdicts(["nowhere"], tmp_path / "table.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_digests_in_the_table_are_those_of_the_pack(logs: Logs) -> None:
    """The pack's version and digest are the shipped ones."""
    pack = load_pack("pricing_fairness")
    table = verdicts([logs.plain])
    assert set(table["pack_digest"]) == {pack.digest}
    assert set(table["pack_version"]) == {pack.meta.version}


# Speed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_reading_is_much_faster_than_samples_df(logs: Logs, tmp_path: Path) -> None:
    """A small slice of `benchmarks/speed`: on two logs of 600 samples at least five times as fast."""

    def longer(name: str) -> Callable[[Members], Members]:
        def change(content: Members) -> Members:
            header, summaries = (json.loads(content[part]) for part in ("header.json", "summaries.json"))
            header["eval"] |= {"eval_id": name, "task_id": name, "model": f"persona/{name}"}
            copies = [
                {**summary, "epoch": 2 * at + summary["epoch"], "uuid": f"{name}-{at}-{summary['uuid']}"}
                for at in range(50)
                for summary in summaries
            ]
            return {"header.json": json.dumps(header).encode(), "summaries.json": json.dumps(copies).encode()}

        return change

    for name in ("one", "two"):
        rewritten(logs.plain, tmp_path / f"2026-01-01T00-00-00-00-00_{name}.eval", longer(name))

    def seconds(read: Callable[[], object]) -> float:
        start = time.process_time()
        read()
        return time.process_time() - start

    assert len(verdicts([tmp_path])) == 1200
    ours = min(seconds(lambda: verdicts([tmp_path])) for _ in range(3))
    theirs = min(seconds(lambda: samples_df(str(tmp_path), quiet=True)) for _ in range(2))
    assert theirs > 5 * ours
