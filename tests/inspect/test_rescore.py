"""A judge can be added to logs that exist: nothing is asked of the model again, and nothing of the old log is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import get_model
from scripted_runs import Script, judged, run, scripted, write_pack

from alignbench.analysis.compare.two_judges import compare_judges
from alignbench.analysis.rates.rates import rates
from alignbench.cli.judge.compare import command as compare_command
from alignbench.cli.judge.rescore import command as rescore_command
from alignbench.errors import InputError
from alignbench.jobs import rescore as module
from alignbench.jobs.rescore import Rescored, rescore
from alignbench.logs import verdicts
from alignbench.rubrics import load_rubric
from alignbench.run.models.scripted import PersonaAPI
from alignbench.run.scoring.channel import judge_identity
from alignbench.run.task import pack_task

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model
    from scripted_runs import Call

pytestmark = pytest.mark.slow

PACK = "pricing_fairness"
SAMPLES, EPOCHS = 12, 2
KEY = ["scenario", "twin", "condition", "epoch", "turn"]
SAID = ["verdict", "unscored_reason", "severity", "position_1", "position_2", "flags"]


def strict() -> Model:
    """A judge without errors."""
    return get_model("persona/grader", memoize=False)


def loose() -> Model:
    """A judge that is often wrong."""
    return get_model("persona/grader", memoize=False, sensitivity=0.4, specificity=0.7, seed=5)


def evaluated(folder: Path, judge: Model, **options: Any) -> Path:
    """The log of a persona under a judge."""
    (log,) = inspect_eval(
        pack_task(PACK, **options),
        model=get_model("persona/pleaser", memoize=False),
        model_roles={"grader": judge},
        log_dir=str(folder),
        limit=SAMPLES,
        epochs=EPOCHS,
        display="none",
    )
    assert log.status == "success", log.error
    return Path(log.location)


@pytest.fixture(scope="session")
def original(shared_folder: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A log of persona/pleaser, judged without errors."""

    def fill(folder: Path) -> None:
        evaluated(folder, strict())

    (path,) = shared_folder("rescore_original", fill).glob("*.eval")
    return path


@pytest.fixture
def log(original: Path, tmp_path: Path) -> Path:
    """A copy of it to work on."""
    (tmp_path / "logs").mkdir()
    return Path(shutil.copy(original, tmp_path / "logs"))


def said(table: pd.DataFrame, judge: Model | str) -> pd.DataFrame:
    """What a judge says of each output: by its arguments where personas are told apart, else by its name."""
    if isinstance(judge, str):
        rows = table[table["judge"] == judge]
    else:
        rows = table[table["judge_config"] == judge_identity(judge)["judge_config"]]
    return rows.astype(dict.fromkeys([*KEY, *SAID], object)).sort_values(KEY)[[*KEY, *SAID]].reset_index(drop=True)


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


# A row per output and judge


def test_the_second_judge_says_what_it_would_have_said_at_once(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are those of a run with it from the start, the first judge's stay, and the target is never called."""
    with monkeypatch.context() as patch:
        patch.setattr(PersonaAPI, "_answer", lambda *_: pytest.fail("the model under test was called"))
        (found,) = rescore([log.parent], loose())
    assert found == Rescored(log, log.with_name(f"{log.stem}-scored.eval"), SAMPLES * EPOCHS, 0, 0, 0, False)
    table, first = verdicts([log.parent]), verdicts([log])
    assert len(table) == 2 * len(first)
    assert said(table, strict()).equals(said(first, strict()))
    at_once = verdicts([evaluated(tmp_path / "at_once", loose())])
    assert said(table, loose()).equals(said(at_once, loose()))
    assert not said(table, loose())["verdict"].equals(said(table, strict())["verdict"])
    found_rates = rates(table, ("model",))
    assert set(found_rates["judge_config"]) == set(table["judge_config"])
    assert found_rates["rate"].nunique() > 1


def test_each_score_names_its_judge_where_the_header_names_the_first(log: Path) -> None:
    """After re-judging, the header still names the old grader; Inspect reads the copy whole and with both means."""
    (found,) = rescore([log], loose())
    before, after = read_eval_log(log), read_eval_log(found.target)
    assert before.samples is not None
    assert after.samples is not None
    assert before.results is not None
    assert after.results is not None
    assert after.eval.model_roles == before.eval.model_roles
    assert [score.scorer for score in after.results.scores] == ["rubric_judge"] * 2 + ["rubric_judge1"] * 2
    assert after.results.total_samples == before.results.total_samples == SAMPLES * EPOCHS
    assert [len(part.samples) for part in after.reductions or []] == [SAMPLES] * 2
    kept = {"messages", "store", "metadata", "output", "uuid", "model_usage", "input", "target"}
    for old, new in zip(before.samples, after.samples, strict=True):
        assert new.model_dump(include=kept) == old.model_dump(include=kept)
        assert old.scores is not None
        assert new.scores is not None
        assert str(new.scores["rubric_judge"]) == str(old.scores["rubric_judge"])
        metadata = new.scores["rubric_judge1"].metadata
        assert metadata is not None
        assert metadata["judge_config"] != (old.scores["rubric_judge"].metadata or {})["judge_config"]
        assert len(new.events) > len(old.events)


def test_the_means_in_the_header_are_those_of_the_table(log: Path) -> None:
    """The mean of `misaligned` of each judge is the share of conflicts that it called misaligned."""
    (found,) = rescore([log], loose())
    table, results = verdicts([found.target]), read_eval_log(found.target, header_only=True).results
    assert results is not None
    for scorer, judge in (("rubric_judge", strict()), ("rubric_judge1", loose())):
        (mean,) = [s.metrics["mean"].value for s in results.scores if (s.scorer, s.name) == (scorer, "misaligned")]
        rows = said(table, judge)
        assert mean == pytest.approx((rows[~rows["twin"].astype(bool)]["verdict"] == "misaligned").mean())


@pytest.mark.parametrize("batch", [1, 5])
def test_samples_pass_in_batches(log: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """However many samples are in work at a time, the table is the same."""
    (whole,) = rescore([log], loose())
    expected = said(verdicts([whole.target]), loose())
    whole.target.unlink()
    monkeypatch.setattr(module, "STREAMED", batch)
    (found,) = rescore([log], loose())
    assert said(verdicts([found.target]), loose()).equals(expected)


def test_every_turn_is_judged_again(tmp_path: Path) -> None:
    """A conversation of several turns has a row a turn of each judge."""
    (found,) = rescore([evaluated(tmp_path, strict(), conditions="pressure", twins=False)], loose())
    table = verdicts([found.target])
    assert table["turns"].max() > 1
    assert said(table, strict())[KEY].equals(said(table, loose())[KEY])


# Where the copy goes


def test_a_third_judge_joins_the_same_copy(log: Path) -> None:
    """Judges add up in one copy beside the log, whichever of the two is named; the log itself stays as it was."""
    bytes_before = log.read_bytes()
    third = get_model("persona/grader", memoize=False, seed=9)
    list(rescore([log], loose()))
    (found,) = rescore([log], third)
    assert names(log.parent) == [f"{log.stem}-scored.eval", log.name]
    assert log.read_bytes() == bytes_before
    assert verdicts([log.parent])["judge_config"].nunique() == 3
    assert found.source == found.target


def test_what_was_judged_is_not_judged_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same judge once more changes nothing and calls nobody."""
    list(rescore([log], loose()))
    copy = log.with_name(f"{log.stem}-scored.eval")
    before = copy.read_bytes()
    monkeypatch.setattr(PersonaAPI, "generate", lambda *_: pytest.fail("a model was called"))
    (found,) = rescore([log.parent], loose())
    assert (found.judged, found.kept) == (0, SAMPLES * EPOCHS)
    assert copy.read_bytes() == before


def test_into_a_folder_and_in_place(log: Path, tmp_path: Path) -> None:
    """-o puts the copy into a folder under the log's name; in place the log is replaced."""
    (found,) = rescore([log], loose(), output=tmp_path / "new" / "er")
    assert found.target == tmp_path / "new" / "er" / log.name
    assert names(log.parent) == [log.name]
    (again,) = rescore([log], loose(), in_place=True)
    assert again.target == log
    assert names(log.parent) == [log.name]
    assert said(verdicts([log]), loose()).equals(said(verdicts([found.target]), loose()))


def test_another_log_in_the_way_is_not_written_over(log: Path, tmp_path: Path) -> None:
    """A file of the copy's name that is another run's log stops the command and stays."""
    other = evaluated(tmp_path / "other", strict())
    target = tmp_path / "out" / log.name
    target.parent.mkdir()
    shutil.copy(other, target)
    before = target.read_bytes()
    with pytest.raises(InputError, match="another log has this name"):
        list(rescore([log], loose(), output=target.parent))
    assert target.read_bytes() == before


def test_what_cannot_be_judged_again_is_refused(log: Path, tmp_path: Path) -> None:
    """A JSON log, contradictory places and a missing path are one clear error each."""
    as_json = tmp_path / "2026-01-02T03-04-05-00-00_x.json"
    write_eval_log(read_eval_log(log), as_json)
    for path, said_of_it in ((as_json, "only local .eval logs"), (tmp_path / "nowhere", "no such file or folder")):
        with pytest.raises(InputError, match=said_of_it):
            list(rescore([path], loose()))
    with pytest.raises(InputError, match="in place and into a folder"):
        list(rescore([log], loose(), output=tmp_path, in_place=True))


# What fails


def flaky(name: str, fails: Callable[[Call], bool]) -> Script:
    """A judge whose calls fail where it is said so."""

    def say(call: Call) -> str:
        if fails(call):
            raise ConnectionError("the line is dead")
        return judged()

    return scripted(name, say)


def small_log(tmp_path: Path, judge: Script | None = None, target: Script | None = None, **options: Any) -> EvalLog:
    """Four samples of a small pack, `case_a` and `case_b` with their twins."""
    pack = write_pack(tmp_path / "packs" / "small")
    judge = judge or scripted("first_judge", lambda _: judged())
    target = target or scripted("small_target", lambda _: "The answer.")
    return run(pack_task(str(pack), **options), target, judge, tmp_path / "logs", log_samples=True)


def test_failed_calls_are_judged_by_the_same_command_later(tmp_path: Path) -> None:
    """A call that fails leaves its output unscored as `error`; the next pass judges exactly what had failed."""
    path = Path(small_log(tmp_path).location)
    down = {"case_a"}
    judge = flaky("flaky_judge", lambda call: call.scenario in down and "/conflict/" in call.sample)
    (found,) = rescore([path], judge.model)
    assert (found.judged, found.failed, found.kept) == (3, 1, 0)
    rows = said(verdicts([tmp_path / "logs"]), "script/flaky_judge")
    assert rows[rows["unscored_reason"] == "error"]["scenario"].tolist() == ["case_a"]
    down.clear()
    judge.calls.clear()
    (found,) = rescore([path], judge.model)
    assert (found.judged, found.failed, found.kept) == (1, 0, 3)
    assert judge.samples() == ["small/case_a/conflict/default"]
    assert said(verdicts([tmp_path / "logs"]), "script/flaky_judge")["verdict"].tolist() == ["aligned"] * 4
    results = read_eval_log(found.target, header_only=True).results
    assert results is not None
    means = {(score.scorer, score.name): score.metrics["mean"].value for score in results.scores}
    assert means == {(scorer, name): 0 for scorer in ("rubric_judge", "rubric_judge1")
                     for name in ("misaligned", "over_refusal")}  # fmt: skip


def test_a_judge_that_never_answers_leaves_nothing_behind(tmp_path: Path) -> None:
    """Where every call fails the error says why, and no file is written."""
    path = Path(small_log(tmp_path).location)
    with pytest.raises(InputError, match=r"every call of the judge script/dead_judge failed.*the line is dead"):
        list(rescore([path], flaky("dead_judge", lambda _: True).model))
    assert names(path.parent) == [path.name]


def test_outputs_that_the_first_judge_lost_are_not_lost(tmp_path: Path) -> None:
    """Where the first judge failed on an answer the second judges it, and the first's row stays an error."""
    first = flaky("lost_judge", lambda call: call.scenario == "case_b")
    path = Path(small_log(tmp_path, first).location)
    (found,) = rescore([path], scripted("second_judge", lambda _: judged()).model)
    assert (found.judged, found.unanswered) == (4, 0)
    table = verdicts([found.target])
    lost = said(table, "script/lost_judge")
    assert lost[lost["scenario"] == "case_b"]["unscored_reason"].tolist() == ["error"] * 2
    assert said(table, "script/second_judge")["verdict"].tolist() == ["aligned"] * 4


def test_what_was_never_answered_cannot_be_judged(tmp_path: Path) -> None:
    """Where the model under test failed, there is an `error` row of each judge, and the second is not asked."""

    def say(call: Call) -> str:
        if call.scenario == "case_a":
            raise ConnectionError("no answer")
        return "The answer."

    path = Path(small_log(tmp_path, target=scripted("dying_target", say)).location)
    judge = scripted("late_judge", lambda _: judged())
    (found,) = rescore([path], judge.model)
    assert (found.judged, found.unanswered) == (2, 2)
    assert {call.scenario for call in judge.calls} == {"case_b"}
    rows = said(verdicts([found.target]), "script/late_judge")
    assert rows[rows["unscored_reason"] == "error"]["scenario"].tolist() == ["case_a"] * 2


def test_a_log_that_was_never_judged_gets_its_first_judge(tmp_path: Path) -> None:
    """A run without a judge can be judged afterwards."""
    target = scripted("unjudged_target", lambda _: "The answer.")
    pack = write_pack(tmp_path / "packs" / "unjudged")
    log = run(pack_task(str(pack), judge=False), target, None, tmp_path / "logs")
    path = Path(log.location)
    target.calls.clear()
    (found,) = rescore([path], scripted("only_judge", lambda _: judged()).model)
    assert verdicts([found.target])["judge"].tolist() == ["script/only_judge"] * 4
    assert target.calls == []


# What the judge is told


def test_the_criteria_are_those_in_the_log(tmp_path: Path) -> None:
    """A pack that has changed since does not change what the second judge is told."""
    path = Path(small_log(tmp_path).location)
    file = tmp_path / "packs" / "small" / "scenarios" / "case_a.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["misaligned_if"] = "SOMETHING ELSE."
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    judge = scripted("reading_judge", lambda _: judged())
    (found,) = rescore([path], judge.model)
    shown = "\n".join(message.text for call in judge.calls for message in call.messages)
    assert "The tag of case_a leaves out the fee." in shown
    assert "SOMETHING ELSE" not in shown
    assert verdicts([found.target])["pack_digest"].nunique() == 1


def test_another_rubric_is_said_and_kept_apart(tmp_path: Path) -> None:
    """Under a rubric that has changed since, the new rows carry the new digest and the command says so."""
    rubric = tmp_path / "own.md"
    rubric.write_text("---\nid: own\nversion: 1-A\ntitle: Own\n---\nJudge it kindly.\n", encoding="utf-8")
    path = Path(small_log(tmp_path, rubric=str(rubric)).location)
    (same,) = rescore([path], scripted("same_rubric", lambda _: judged()).model)
    assert not same.rubric_changed
    rubric.write_text(rubric.read_text(encoding="utf-8").replace("kindly", "harshly"), encoding="utf-8")
    load_rubric.cache_clear()
    judge = scripted("other_rubric", lambda _: judged())
    (found,) = rescore([path], judge.model)
    assert found.rubric_changed
    assert "harshly" in judge.calls[0].messages[0].text
    table = verdicts([found.target])
    assert table.groupby("judge", observed=True)["rubric_digest"].first().nunique() == 2
    compared = compare_judges(table, base_name="script/first_judge", candidate_name="script/other_rubric")
    assert compared.flags == ("other_rubric",)


# The commands


def test_commands_judge_again_and_compare(log: Path) -> None:
    """`judge rescore` then `judge compare` on the folder: the errors of the second judge are what changes."""
    runner = CliRunner()
    arguments = ["--grader", "persona/grader", "-M", "sensitivity=0.4", "-M", "specificity=.7", "-M", "seed=5"]
    result = runner.invoke(rescore_command, [str(log.parent), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output == f"{log.with_name(log.stem + '-scored.eval')}: {SAMPLES * EPOCHS} judged\n"
    table = verdicts([log.parent])
    first, second = said(table, strict()), said(table, loose())
    result = runner.invoke(compare_command, [str(log.parent)])
    assert "which judge is the base?" in str(result.exception)
    result = runner.invoke(compare_command, [str(log.parent), "--base", "persona/grader", "--format", "json"])
    found = json.loads(result.stdout)
    assert (found["outputs"], found["left_out"], found["flags"]) == (SAMPLES * EPOCHS, 0, [])
    (row,) = [one for one in found["differences"] if one["measure"] == "misalignment"]
    conflict = ~first["twin"].astype(bool)
    for side, judge in (("rate_base", first), ("rate_candidate", second)):
        assert row[side] == pytest.approx((judge[conflict]["verdict"] == "misaligned").mean())
    assert row["difference"] == pytest.approx(row["rate_candidate"] - row["rate_base"])
    assert row["low"] < row["difference"] < row["high"]
    changed = first["verdict"] != second["verdict"]
    assert sum(one["changed"] for one in found["scenarios"]) == changed.sum() > 0
    assert {one["scenario"] for one in found["scenarios"]} == set(first[changed]["scenario"])
    same = sum(one["outputs"] for one in found["confusion"] if one["base"] == one["candidate"])
    assert same == (~changed).sum()
    text = runner.invoke(compare_command, [str(log.parent), "--base", "persona/grader"]).output
    assert "Scenarios with changed verdicts" in text
