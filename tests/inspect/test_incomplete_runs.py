"""Runs that did not go to their end: the table counts what was planned, and says why there is no verdict."""

from __future__ import annotations

import json
import os
import signal
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import zipfile_zstd
from inspect_ai import eval as inspect_eval
from inspect_ai.log import (
    ProvenanceData,
    invalidate_samples,
    read_eval_log,
    read_eval_log_sample_summaries,
    write_eval_log,
)
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelFallback, ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall
from inspect_ai.util import LimitExceededError
from scripted_runs import Call, Script, answered, judged, run, scripted, write_pack

from alignbench.errors import InputError
from alignbench.identity import judge_config
from alignbench.jobs.rescore import rescore
from alignbench.judges.examine import examine
from alignbench.logs import exam_rows, verdicts, write_verdicts
from alignbench.run.task import attack_task, exam_task, pack_task, stability_task
from alignbench.table.read import read_table
from alignbench.table.row_flags import has_flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from inspect_ai.log import EvalLog

PLANNED = ["turn", "turns", "verdict", "unscored_reason"]
LIMITED = (None, "limited")
FINE = ("aligned", None)
PRESSED = "small/case_a/conflict/pressure=insist"


@pytest.fixture
def pack(tmp_path: Path) -> str:
    """Three scenarios with twins; `pressure=insist` has five turns."""
    return str(write_pack(tmp_path / "packs" / "small", 3))


def judge() -> Script:
    """A judge that finds every answer aligned."""
    return scripted("fair_judge", lambda _: judged())


def talker(name: str = "talker") -> Script:
    """A model that always answers."""
    return scripted(name, lambda call: f"answer {call.number}")


def said(table: pd.DataFrame) -> list[tuple[str | None, str | None]]:
    """Verdict and reason of each row."""
    plain = table[["verdict", "unscored_reason"]].astype(object)
    return list(plain.where(plain.notna(), None).itertuples(index=False, name=None))


def pressed(pack: str, folder: Path, target: Script | None = None, **options: Any) -> pd.DataFrame:
    """The table of a conversation of five turns."""
    task = pack_task(pack, conditions="pressure=insist", twins=False)
    if solver_ := options.pop("solver", None):
        task.solver = solver_
    run(task, target or talker(), judge(), folder, sample_id=PRESSED, **options)
    return verdicts([folder])


def interrupted(folder: Path, task: Any) -> str:
    """The log of a run that somebody breaks off (Ctrl+C) at the second scenario."""

    def say(call: Call) -> str:
        if call.scenario == "case_b":
            os.kill(os.getpid(), signal.SIGINT)
        return "answer"

    target = scripted("broken_off", say)
    inspect_eval(
        task,
        model=target.model,
        model_roles={"grader": judge().model},
        log_dir=str(folder),
        display="none",
        max_samples=1,
    )
    (path,) = folder.glob("*.eval")
    assert read_eval_log(str(path), header_only=True).status == "cancelled"
    return str(path)


def killed(log: str, folder: Path, keep: int) -> Path:
    """The log as it is where the process was killed after some samples: no header, no summaries at the end."""
    folder.mkdir()
    target = folder / Path(log).name
    with zipfile.ZipFile(log) as old, zipfile.ZipFile(target, "w", compression=zipfile_zstd.ZIP_ZSTANDARD) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("_journal/summaries/"):
                content = json.dumps(json.loads(content)[:keep]).encode()
            if name.startswith(("_journal/", "samples/")):
                new.writestr(name, content)
    return target


def as_json(path: str | Path, folder: Path) -> Path:
    """The same log in the `.json` format."""
    folder.mkdir(exist_ok=True)
    target = folder / f"{Path(path).stem}.json"
    write_eval_log(read_eval_log(str(path)), str(target))
    return target


def dropped(path: str | Path, folder: Path, gone: Callable[[Any], bool]) -> Path:
    """A copy of a log without some of its samples, as Inspect writes it."""
    log = read_eval_log(str(path))
    log.samples = [sample for sample in log.samples or [] if not gone(sample)]
    folder.mkdir(exist_ok=True)
    target = folder / Path(path).name
    write_eval_log(log, str(target))
    return target


# Samples that are not there


@pytest.fixture
def cancelled(pack: str, tmp_path: Path) -> str:
    """A cancelled run: of six samples and twins in two epochs some were never begun."""
    return interrupted(tmp_path / "cancelled", pack_task(pack))


def test_a_cancelled_run_has_a_row_for_every_planned_sample(cancelled: str) -> None:
    """What was not begun is `absent`, with all that is known of it, and the log is flagged on every row."""
    table = verdicts([cancelled])
    assert list(zip(table["scenario"], table["twin"], strict=True)) == [
        (f"case_{letter}", twin) for letter in "abc" for twin in (False, True)
    ]
    there = {summary.id for summary in read_eval_log_sample_summaries(cancelled)}
    assert 0 < len(there) < 6
    absent = table[table["unscored_reason"] == "absent"]
    assert len(absent) == 6 - len(there)
    assert set(absent["scenario"]) >= {"case_c"}
    assert absent["verdict"].isna().all()
    assert set(absent["judge"]) == {"script/fair_judge"}
    assert absent["rubric_digest"].tolist() == [table["rubric_digest"].iloc[0]] * len(absent)
    assert (absent["sample_uuid"] == "").all()
    assert has_flag(table, "partial_log").all()


@pytest.mark.slow
def test_what_is_absent_is_of_the_family_of_its_scenario(pack: str, tmp_path: Path) -> None:
    """Family, split and values of an absent sample are those of its scenario's others, its turns its condition's."""
    task = pack_task(pack, conditions="pressure=insist+nudge")
    log = run(task, talker(), judge(), tmp_path / "whole")
    whole = verdicts([tmp_path / "whole"])
    # Of case_b, an unseen one, only the twin is left, of case_a one conflict.
    nudged = "nudge=value_2+pressure=insist"
    path = dropped(log.location, tmp_path / "part",
                   lambda sample: sample.id == f"small/case_b/conflict/{nudged}")  # fmt: skip
    part = verdicts([path])
    names = ["scenario", "family", "split", "twin", "condition", "nudge", "value_1", "value_2", "epoch", "turn",
             "turns", "judge", "judge_config", "rubric", "rubric_digest"]  # fmt: skip
    pd.testing.assert_frame_equal(part[names], whole[names], check_categorical=False)
    absent = part[part["unscored_reason"] == "absent"]
    assert set(absent["condition"]) == {nudged}
    assert set(absent["split"]) == {"unseen"}
    assert set(absent["nudge"]) == {"value_2"}
    assert absent["turn"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_of_a_shipped_pack_everything_is_known(tmp_path: Path) -> None:
    """Where the log says nothing of a scenario, the shipped pack does: its family, its values, its turns."""
    (log,) = inspect_eval(
        pack_task("pricing_fairness", conditions="pressure"), model="persona/base",
        model_roles={"grader": "persona/grader"}, log_dir=str(tmp_path / "whole"), display="none", limit=4,
    )  # fmt: skip
    whole, part = verdicts([log.location]), verdicts([dropped(log.location, tmp_path / "part", lambda _: True)])
    assert set(whole["turns"]) >= {1, 5}
    names = ["scenario", "family", "split", "twin", "condition", "nudge", "value_1", "value_2", "turn", "turns"]
    pd.testing.assert_frame_equal(part[names], whole[names], check_categorical=False)
    assert said(part) == [(None, "absent")] * len(whole)


def test_a_run_that_ends_by_an_error_counts_what_was_planned(pack: str, tmp_path: Path) -> None:
    """Where the first failure stops the run, failed samples are `error` and those never begun `absent`."""

    def say(call: Call) -> str:
        if call.scenario == "case_a":
            raise RuntimeError("gone")
        return "answer"

    task = pack_task(pack, twins=False)
    task.continue_on_fail = False
    log = run(task, scripted("stopper", say), judge(), tmp_path, epochs=3, max_samples=1)
    assert log.status == "error"
    table = verdicts([tmp_path])
    assert list(zip(table["scenario"], table["epoch"], strict=True)) == [
        (f"case_{letter}", epoch) for letter in "abc" for epoch in (1, 2, 3)
    ]
    assert set(table["unscored_reason"]) == {"error", "absent"}
    assert set(table["judge"]) == {"script/fair_judge"}


def test_a_run_that_nobody_answered_is_a_table_all_the_same(pack: str, tmp_path: Path) -> None:
    """With no sample in the log every planned one is a row, under the judge that the header names."""
    grader = get_model("persona/grader", fail=0.25)
    target = talker()
    (log,) = inspect_eval(
        pack_task(pack),
        model=target.model,
        model_roles={"grader": grader},
        log_dir=str(tmp_path / "run"),
        display="none",
    )
    path = dropped(log.location, tmp_path / "empty", lambda _: True)
    table = verdicts([path])
    assert said(table) == [(None, "absent")] * 6
    assert set(table["judge_config"]) == {judge_config({"fail": 0.25}, {})}
    assert set(table["pack"]) == {"small"}


def test_a_killed_run_counts_what_was_planned(pack: str, tmp_path: Path) -> None:
    """Status `started`: no header, no summaries at the end, and still every planned sample is a row."""
    log = run(pack_task(pack), talker(), judge(), tmp_path / "whole", epochs=2)
    path = killed(log.location, tmp_path / "killed", keep=5)
    assert read_eval_log(str(path), header_only=True).status == "started"
    table = verdicts([path])
    assert len(table) == 12
    assert said(table).count((None, "absent")) == 7
    assert said(table).count(FINE) == 5


@pytest.mark.slow
def test_fewer_answers_than_epochs_are_seen_in_a_successful_run(pack: str, tmp_path: Path) -> None:
    """Status `success`, but of one sample two of three epochs are in the log: the third is a row."""
    log = run(pack_task(pack), talker(), judge(), tmp_path / "whole", epochs=3)
    assert log.status == "success"
    path = dropped(log.location, tmp_path / "part",
                   lambda sample: sample.id.endswith("case_b/twin/default") and sample.epoch == 2)  # fmt: skip
    assert read_eval_log(str(path), header_only=True).status == "success"
    table = verdicts([path])
    assert len(table) == 18
    (row,) = table[table["verdict"].isna()].to_dict("records")
    assert (row["scenario"], row["twin"], row["epoch"], row["unscored_reason"]) == ("case_b", True, 2, "absent")
    assert has_flag(table, "partial_log").all()


@pytest.mark.parametrize(
    ("options", "rows"),
    [({"limit": 2}, 2), ({"limit": (1, 4)}, 3), ({"sample_id": "small/case_b/*"}, 2), ({"epochs": 2}, 12)],
)
def test_what_was_left_out_on_purpose_was_not_planned(
    pack: str, tmp_path: Path, options: dict[str, Any], rows: int
) -> None:
    """`--limit`, `--sample-id` and `--epochs` say what is planned: a whole run of it lacks nothing."""
    run(pack_task(pack), talker(), judge(), tmp_path, **options)
    table = verdicts([tmp_path])
    assert said(table) == [FINE] * rows
    assert not has_flag(table, "partial_log").any()


def test_each_judge_of_a_partial_log_has_the_absent_rows(cancelled: str, tmp_path: Path) -> None:
    """A second judge of a cancelled run lacks the same outputs as the first."""
    (found,) = rescore([cancelled], scripted("second_judge", lambda _: judged()).model)
    table = verdicts([found.target])
    first, second = (table[table["judge"] == f"script/{name}"] for name in ("fair_judge", "second_judge"))
    assert len(first) == len(second) == 6
    assert said(first) == said(second)
    assert 0 < said(second).count((None, "absent")) < 6


def test_an_output_that_one_judge_never_saw_is_missing_of_that_judge(pack: str, tmp_path: Path) -> None:
    """Where a log has two judges, a sample without a score of the second is `absent` of the second alone."""
    log = run(pack_task(pack, twins=False), talker(), judge(), tmp_path)
    (found,) = rescore([log.location], scripted("second_judge", lambda _: judged()).model)
    both = read_eval_log(str(found.target))
    for sample in both.samples or []:
        if "case_b" in str(sample.id):
            assert sample.scores is not None
            del sample.scores["rubric_judge1"]
    write_eval_log(both, str(found.target))
    table = verdicts([found.target])
    assert said(table[table["judge"] == "script/fair_judge"]) == [FINE] * 3
    assert said(table[table["judge"] == "script/second_judge"]) == [FINE, (None, "absent"), FINE]


def test_a_run_without_a_judge_holds_no_verdicts(pack: str, tmp_path: Path) -> None:
    """A run with `--no-score` is no partial run: the error says how to judge it, complete or not."""
    log = run(pack_task(pack), talker(), judge(), tmp_path / "whole", score=False)
    part = dropped(log.location, tmp_path / "part", lambda sample: "case_b" in sample.id)
    for path in (log.location, str(part)):
        with pytest.raises(InputError, match=r"the logs hold no verdicts.*alignbench judge rescore LOG --grader"):
            verdicts([path])


# Turns that are not there


@pytest.mark.parametrize(
    ("limit", "answers"),
    [
        ({"message_limit": 1}, 0),
        ({"message_limit": 3}, 1),
        ({"message_limit": 5}, 2),
        ({"token_limit": 5}, 2),
        ({"turn_limit": 3}, 3),
    ],
    ids=str,
)
def test_turns_that_a_limit_took_are_limited(pack: str, tmp_path: Path, limit: dict[str, Any], answers: int) -> None:
    """A pressed conversation cut by messages, tokens or turns keeps its five turns; what is missing is `limited`."""
    table = pressed(pack, tmp_path, **limit)
    assert table["turn"].tolist() == [1, 2, 3, 4, 5]
    assert set(table["turns"]) == {5}
    assert said(table) == [FINE] * answers + [LIMITED] * (5 - answers)
    assert not has_flag(table, "partial_log").any()


def test_a_limit_does_not_take_away_why_earlier_answers_stopped(pack: str, tmp_path: Path) -> None:
    """An answer cut off by its length, in a conversation that a limit ended later, is cut off and not judged whole."""

    def say(call: Call) -> str | ModelOutput:
        return answered("I would nev", "max_tokens") if call.number == 0 else "answer"

    table = pressed(pack, tmp_path, scripted("cut", say), message_limit=5)
    assert said(table) == [(None, "cut_off"), FINE, *[LIMITED] * 3]


@pytest.mark.parametrize("kind", ["cost", "working", "context", "operator"])
def test_every_kind_of_limit_is_one(pack: str, tmp_path: Path, kind: Any) -> None:
    """Whatever Inspect calls the limit that ended a conversation, what is missing is `limited`."""

    @solver
    def ended() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state = await generate(state)
            raise LimitExceededError(kind, value=1, limit=1)

        return solve

    assert said(pressed(pack, tmp_path, solver=ended())) == [FINE] + [LIMITED] * 4


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["time_limit", "working_limit"])
def test_turns_that_the_clock_took_are_limited(pack: str, tmp_path: Path, limit: str) -> None:
    """A limit on time ends the conversation between two answers; those that came are judged."""

    @solver
    def dawdle() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            import anyio

            for at in range(5):
                if at:
                    state.messages.append(ChatMessageUser(content="And?"))
                state = await generate(state)
                while at == 1:
                    await anyio.sleep(0.1)
                    if limit == "working_limit":
                        state = await generate(state)
                        time.sleep(0.3)
            return state

        return solve

    options: dict[str, Any] = {limit: 1}
    table = pressed(pack, tmp_path, solver=dawdle(), **options)
    assert said(table)[2:] == [LIMITED] * 3
    assert said(table)[0] == FINE
    assert set(table["turns"]) == {5}


def test_a_conversation_that_was_whole_when_the_limit_came_keeps_its_verdicts(pack: str, tmp_path: Path) -> None:
    """A limit that is reached by the last answer, and not before it, takes nothing away."""

    @solver
    def late() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state = await generate(state)
            raise LimitExceededError("custom", value=1, limit=1)

        return solve

    task = pack_task(pack, twins=False)
    task.solver = late()
    run(task, talker(), judge(), tmp_path, limit=1)
    (summary,) = read_eval_log_sample_summaries(str(next(tmp_path.glob("*.eval"))))
    assert summary.limit == "custom"
    assert said(verdicts([tmp_path])) == [FINE]


def test_an_answer_that_a_limit_broke_off_is_limited(pack: str, tmp_path: Path) -> None:
    """An agent that is stopped between its tools has not finished its turn, whatever the judge said of the part."""

    @solver
    def agent() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            state = await generate(state)
            state.messages.append(ChatMessageUser(content="And?"))
            call = ToolCall(id="1", function="search", arguments={})
            state.messages.append(ChatMessageAssistant(content="I shall look.", tool_calls=[call]))
            raise LimitExceededError("custom", value=1, limit=1)

        return solve

    table = pressed(pack, tmp_path, solver=agent())
    assert said(table) == [FINE] + [LIMITED] * 4


def test_a_single_answer_that_a_limit_took_is_limited(pack: str, tmp_path: Path) -> None:
    """Where nothing was said because a limit came first, the reason is the limit, not an empty answer."""
    run(pack_task(pack), talker(), judge(), tmp_path, token_limit=1)
    assert said(verdicts([tmp_path])) == [LIMITED] * 6


def test_an_empty_answer_stays_an_empty_answer(pack: str, tmp_path: Path) -> None:
    """`no_response` is of a model that answers nothing; a limit that comes afterwards takes only later turns."""
    run(pack_task(pack, twins=False), scripted("mute", lambda _: " "), judge(), tmp_path / "plain")
    assert said(verdicts([tmp_path / "plain"])) == [(None, "no_response")] * 3
    table = pressed(pack, tmp_path / "pressed", scripted("mute", lambda _: " "), message_limit=3)
    assert said(table) == [(None, "no_response")] + [LIMITED] * 4


def test_turns_after_an_error_are_errors_where_errors_are_scored(pack: str, tmp_path: Path) -> None:
    """With `score_on_error` the answers before the error are judged, and what is missing is `error`."""

    def say(call: Call) -> str:
        if call.number == 2:
            raise RuntimeError("gone")
        return "answer"

    table = pressed(pack, tmp_path / "third", scripted("third", say), score_on_error=True)
    assert said(table) == [FINE] * 2 + [(None, "error")] * 3
    assert table["turn"].tolist() == [1, 2, 3, 4, 5]

    def never(_: Call) -> str:
        raise RuntimeError("gone")

    table = pressed(pack, tmp_path / "first", scripted("never", never), score_on_error=True)
    assert said(table) == [(None, "error")] * 5
    assert set(table["turns"]) == {5}


def test_a_solver_with_turns_of_its_own(pack: str, tmp_path: Path) -> None:
    """A user's solver that makes more turns than planned keeps its count; turns that it leaves out are absent."""

    @solver
    def turns(count: int) -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            for at in range(count):
                if at:
                    state.messages.append(ChatMessageUser(content="And?"))
                state = await generate(state)
            return state

        return solve

    table = pressed(pack, tmp_path / "more", solver=turns(7))
    assert said(table) == [FINE] * 7
    assert set(table["turns"]) == {7}
    table = pressed(pack, tmp_path / "fewer", solver=turns(2))
    assert said(table) == [FINE] * 2 + [(None, "absent")] * 3
    assert set(table["turns"]) == {5}


def test_a_second_judge_judges_what_a_limit_left(pack: str, tmp_path: Path) -> None:
    """Judging again judges the answers that there are; the rest stays `limited` of both judges."""
    pressed(pack, tmp_path, message_limit=5)
    other = scripted("second_judge", lambda _: judged(verdict="misaligned", severity=2))
    (found,) = rescore([tmp_path], other.model)
    assert (found.judged, len(other.calls)) == (1, 2)
    table = verdicts([found.target])
    second = table[table["judge"] == "script/second_judge"]
    assert said(second) == [("misaligned", None)] * 2 + [LIMITED] * 3
    assert said(table[table["judge"] == "script/fair_judge"]) == [FINE] * 2 + [LIMITED] * 3


def test_a_second_judge_judges_what_an_error_left(pack: str, tmp_path: Path) -> None:
    """Where errors are scored, a second judge too judges the answers before the error."""

    def say(call: Call) -> str:
        if call.number == 2:
            raise RuntimeError("gone")
        return "answer"

    pressed(pack, tmp_path, scripted("third", say), score_on_error=True)
    (found,) = rescore([tmp_path], scripted("second_judge", lambda _: judged()).model)
    table = verdicts([found.target])
    for name in ("fair_judge", "second_judge"):
        assert said(table[table["judge"] == f"script/{name}"]) == [FINE] * 2 + [(None, "error")] * 3


# A person's word, and other models


def invalidated(log: EvalLog, folder: Path, part: str, suffix: str = "eval") -> Path:
    """A copy of a log in which a person has declared some samples invalid, by Inspect's own function."""
    full = read_eval_log(log.location)
    uuids = [str(sample.uuid) for sample in full.samples or [] if part in str(sample.id)]
    assert uuids
    full = invalidate_samples(full, uuids, ProvenanceData(author="somebody", reason="the prompt was wrong"))
    folder.mkdir(exist_ok=True)
    path = folder / f"{Path(log.location).stem}.{suffix}"
    write_eval_log(full, str(path))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_a_sample_that_a_person_declared_invalid_is_no_verdict(pack: str, tmp_path: Path, suffix: str) -> None:
    """All turns of an invalidated sample are `invalid`; every other row stays as it was."""
    log = run(pack_task(pack, conditions="pressure=insist", twins=False), talker(), judge(), tmp_path / "logs")
    path = invalidated(log, tmp_path / "copy", "case_b", suffix)
    table = verdicts([path])
    gone = (table["scenario"] == "case_b").to_numpy()
    assert said(table[gone]) == [(None, "invalid")] * 5
    assert said(table[~gone]) == [FINE] * 10
    assert table["turns"].tolist() == [5] * 15


def test_a_second_judge_is_not_asked_about_invalid_samples(pack: str, tmp_path: Path) -> None:
    """Judging again passes over what a person declared invalid, says how many, and the word stays in the log."""
    log = run(pack_task(pack, twins=False), talker(), judge(), tmp_path / "logs")
    path = invalidated(log, tmp_path / "copy", "case_b")
    second = scripted("second_judge", lambda _: judged())
    (found,) = rescore([path], second.model)
    assert (found.judged, found.invalid) == (2, 1)
    assert {call.scenario for call in second.calls} == {"case_a", "case_c"}
    table = verdicts([found.target])
    for name in ("fair_judge", "second_judge"):
        assert said(table[table["judge"] == f"script/{name}"]) == [FINE, (None, "invalid"), FINE]


def fallen_back(asked: str, text: str = "answer") -> ModelOutput:
    """An answer that another model than the one asked for has served."""
    output = answered(text)
    output.fallback = ModelFallback(model=asked, fallback_model="script/smaller")
    return output


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["script/falling", "falling", "falling-2026-08-01"])
def test_answers_of_a_fallback_model_are_flagged(pack: str, tmp_path: Path, asked: str) -> None:
    """Where another model served the request, by whatever name it was asked, the rows and the model say so."""
    target = scripted("falling", lambda call: fallen_back(asked) if call.scenario == "case_b" else "answer")
    run(pack_task(pack), target, judge(), tmp_path / "a")
    run(pack_task(pack), talker("steady"), judge(), tmp_path / "b")
    table = verdicts([tmp_path / "a", tmp_path / "b"])
    flagged = table[has_flag(table, "model_fallback")]
    assert set(flagged["scenario"]) == {"case_b"}
    assert len(flagged) == 2
    assert set(flagged["model"]) == {"script/falling"}
    assert not has_flag(table, "judge_fallback").any()


def test_replies_of_a_fallback_judge_are_the_judges(pack: str, tmp_path: Path) -> None:
    """A judge that another model stood in for is flagged as such, on its own rows, and the model is not."""
    fallen = scripted("falling_judge", lambda _: fallen_back("falling_judge", judged()))
    run(pack_task(pack, twins=False), talker(), fallen, tmp_path)
    (found,) = rescore([tmp_path], scripted("second_judge", lambda _: judged()).model)
    table = verdicts([found.target])
    assert set(table[has_flag(table, "judge_fallback")]["judge"]) == {"script/falling_judge"}
    assert has_flag(table, "judge_fallback").sum() == 3
    assert not has_flag(table, "model_fallback").any()


# Formats, files, examinations


def test_json_logs_and_files_say_the_same(cancelled: str, pack: str, tmp_path: Path) -> None:
    """The `.json` twin of a partial, a limited and a failed log gives the same rows, and so does what is written."""
    pressed(pack, tmp_path / "limited", message_limit=4)
    paths = [cancelled, *map(str, (tmp_path / "limited").glob("*.eval"))]
    for path in paths:
        table = verdicts([path])
        other = verdicts([as_json(path, tmp_path / "json")])
        pd.testing.assert_frame_equal(table.drop(columns="log"), other.drop(columns="log"), check_categorical=False)
    for suffix in (".csv", ".parquet"):
        output = tmp_path / f"table{suffix}"
        whole = verdicts(paths)
        assert write_verdicts(paths, output) == len(whole)
        pd.testing.assert_frame_equal(read_table(output), whole, check_categorical=False)


@pytest.mark.slow
def test_an_examination_counts_the_answers_that_were_never_judged(tmp_path: Path) -> None:
    """Planned answers of an examination that are not in its log are rows with the reason `absent`."""
    judge_model = scripted("examined", lambda _: judged())
    (log,) = inspect_eval(
        exam_task("pricing_fairness"), model="none", model_roles={"grader": judge_model.model},
        log_dir=str(tmp_path / "exam"), display="none", limit=6, epochs=2,
    )  # fmt: skip
    whole = exam_rows([tmp_path / "exam"])
    assert len(whole) == 12
    assert set(whole["verdict"]) == {"aligned"}
    first = str((log.samples or [])[0].id)
    path = dropped(log.location, tmp_path / "part", lambda sample: sample.id == first and sample.epoch == 2)
    part = exam_rows([path])
    assert len(part) == 12
    (row,) = part[part["verdict"].isna()].to_dict("records")
    assert (row["unscored_reason"], row["epoch"], row["judge"]) == ("absent", 2, "script/examined")
    names = ["pack", "scenario", "twin", "answer", "kind", "label", "label_position_1", "label_position_2",
             "label_digest", "rubric_digest"]  # fmt: skip
    pd.testing.assert_frame_equal(part[names], whole[names])
    assert {"partial_log" in flags.split("+") for flags in part["flags"]} == {True}
    # Of an answer that is in the log in no epoch the pack knows the label.
    gone = exam_rows([dropped(log.location, tmp_path / "gone", lambda sample: sample.id == first)])
    assert gone["unscored_reason"].tolist().count("absent") == 2
    pd.testing.assert_frame_equal(gone[names], whole[names])


def test_an_attack_on_a_judge_counts_the_answers_that_were_never_judged(tmp_path: Path) -> None:
    """A forged answer that is absent keeps its attack, and the label of the answer it was made of."""
    judge_model = scripted("attacked", lambda _: judged())
    (log,) = inspect_eval(
        attack_task(), model="none", model_roles={"grader": judge_model.model},
        log_dir=str(tmp_path / "attack"), display="none", limit=4,
    )  # fmt: skip
    whole = exam_rows([tmp_path / "attack"])
    forged = next(str(sample.id) for sample in log.samples or [] if sample.metadata["attack"])
    path = dropped(log.location, tmp_path / "part", lambda sample: sample.id == forged)
    part = exam_rows([path])
    names = ["pack", "scenario", "twin", "answer", "kind", "attack", "technique", "label"]
    pd.testing.assert_frame_equal(part[names], whole[names])
    assert part["unscored_reason"].tolist().count("absent") == 1


@pytest.mark.slow
def test_changed_answers_that_were_never_judged_are_no_plain_ones(tmp_path: Path) -> None:
    """An absent changed answer keeps its id, its kind of change and its own label, and the card counts it as failed."""
    judge_model = scripted("steady", lambda call: judged(verdict="misaligned", severity=2))
    roles = {"grader": judge_model.model}
    common: dict[str, Any] = {"model": "none", "model_roles": roles, "display": "none"}
    plain, changed = exam_task("pricing_fairness"), stability_task("pricing_fairness")
    assert changed is not None
    (exam,) = inspect_eval(plain, log_dir=str(tmp_path / "plain"), limit=12, **common)
    (log,) = inspect_eval(changed, log_dir=str(tmp_path / "changed"), **common)
    whole = exam_rows([exam.location, log.location])
    flips = {str(sample.id) for sample in log.samples or [] if sample.metadata["technique"] == "label_flip"}
    bullets = {str(sample.id) for sample in log.samples or [] if sample.metadata["technique"] == "bullets"}
    assert flips
    assert bullets
    gone = {*flips, min(bullets)}
    lost = next(str(sample.id) for sample in exam.samples or [] if sample.metadata["label"] == "misaligned")
    part = exam_rows([
        dropped(exam.location, tmp_path / "part", lambda sample: sample.id == lost),
        dropped(log.location, tmp_path / "part", lambda sample: sample.id in gone),
    ])  # fmt: skip
    names = ["pack", "scenario", "twin", "answer", "kind", "attack", "technique", "label", "label_position_1",
             "label_position_2", "label_digest"]  # fmt: skip
    pd.testing.assert_frame_equal(part[names], whole[names])
    assert part["unscored_reason"].tolist().count("absent") == len(gone) + 1
    before, card = examine(whole), examine(part)
    assert (before.failed, card.failed) == (0, len(gone) + 1)
    assert (before.answers, card.answers) == (12, 12)
    assert (card.unscored, card.unscored_share) == ({}, 0)
    assert (card.sensitivity.all, card.specificity.all) == (before.sensitivity.all - 1, before.specificity.all)
    assert card.stability_digest == before.stability_digest
    assert "label_flip" not in {one.kind for one in card.stability}
