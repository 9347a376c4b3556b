"""What a user of the command lines `alignbench` and `inspect eval` meets, bad input included."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from commands import GRADER, PERSONA, ROOT, Command, inspect_eval, shipped_logs, verdict_rows
from inspect_ai.log import list_eval_logs, read_eval_log
from sound_pack import SoundPack

from alignbench.cli import COMMANDS, cli, main
from alignbench.logs import verdicts
from alignbench.packs import load_pack
from alignbench.packs.load import locate
from alignbench.run.dataset import pack_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commands import SharedFolder

PRICING = ("alignbench/pricing_fairness", *PERSONA)


def _commands(group: click.Group = cli, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command and subcommand, as words."""
    for name in group.list_commands(click.Context(group)):
        yield (*before, name)
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from _commands(command, *before, name)


def _call(monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    """Run `alignbench` in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["alignbench", *argv])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def _ids(folder: Path) -> list[str]:
    """The samples of the one log that a run in `folder` wrote, in their order."""
    (log,) = list_eval_logs(str(folder / "logs"))
    return [str(sample.id) for sample in read_eval_log(log).samples or []]


@pytest.mark.parametrize("words", [(), *_commands()], ids="_".join)
def test_every_help_describes_the_command_and_all_its_options(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help` says what the command does, and each option what it is for, in lines that a terminal holds."""
    assert _call(monkeypatch, *words, "--help") == 0

    shown = capsys.readouterr().out
    usage, about, *_ = shown.split("\n\n")
    # Under pytest click takes the name of the program from pytest's own.
    assert usage.partition("alignbench")[2].split()[: len(words)] == [*words]
    assert about.strip().split("\n")[-1].endswith((".", "?", ":"))
    assert max(map(len, shown.splitlines())) <= 100
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    undescribed = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert undescribed == []


def test_the_list_of_commands_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`alignbench --help` has one line for each command, with what it is for."""
    _call(monkeypatch, "--help")

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if len(line) == 2 and line[0] in COMMANDS] == [[*item] for item in COMMANDS.items()]


BAD_INPUT = {
    "no such file": (["rates", "missing.csv"], "missing.csv: no such file"),
    "no such folder": (["verdicts", "missing", "-o", "table.csv"], "missing: no such file or folder"),
    "no logs in a folder": (["rates", "empty"], "empty: no logs in this folder"),
    "not a log": (["verdicts", "text.txt", "-o", "table.csv"], "text.txt: this is no log"),
    "a broken log": (["rates", "broken.eval"], "broken.eval: Inspect cannot read this log"),
    "a broken table": (["rates", "broken.parquet"], "broken.parquet: this is no table"),
    "an empty table": (["rates", "empty.csv"], "empty.csv: this is no table"),
    "a missing column": (["rates", "narrow.csv"], "narrow.csv: missing column 'verdict'"),
    "an unknown verdict": (["rates", "wrong.csv"], "wrong.csv:3: column 'verdict', row 2: 'evil'"),
    "an unknown group": (["rates", "good.csv", "--by", "colour"], "cannot group by 'colour'"),
    "an absent pack": (["rates", "good.csv", "--packs", "poetry"], "no rows of pack 'poetry'"),
    "another kind of output": (["verdicts", "empty", "-o", "table.xls"], "table.xls: cannot write"),
    "an output that is in the way": (["leaderboard", "good.csv", "-o", "good.csv"], "good.csv: cannot make"),
    "a folder that is missing": (["compare", "two.csv", "--base", "a", "--unpaired", "no/x.csv"], "no/x.csv: cannot"),
    "an address for a folder": (
        ["leaderboard", "good.csv", "-o", "s3://b/board"],
        "s3://b/board/leaderboard.csv: cannot",
    ),
    "an address for a table": (["verdicts", "empty", "-o", "gs://b/table.csv"], "gs://b/table.csv: cannot write"),
    "an address for a list": (
        ["compare", "two.csv", "--base", "a", "--unpaired", "s3://b/x.csv"],
        "s3://b/x.csv: cannot",
    ),
    "an address for a report": (["gate", "two.csv", "--base", "a", "--junit", "az://b/x.xml"], "az://b/x.xml: cannot"),
    "an address for a page": (["gate", "two.csv", "--base", "a", "--markdown", "hf://b/x.md"], "hf://b/x.md: cannot"),
    "an address for a sheet": (["judge", "sample", "good.csv", "-o", "s3://b/x.csv"], "s3://b/x.csv: cannot"),
    "an address for labels": (
        ["judge", "sample", "good.csv", "-o", "x.csv", "--html", "s3://b/x.html"],
        "s3://b/x.html",
    ),
    "an address for a calibration": (
        ["judge", "calibrate", "good.csv", "good.csv", "-o", "s3://b/c.json"],
        "s3://b/c.json",
    ),
    "an address for a card": (
        ["judge", "exam", "--grader", "persona/grader", "-o", "s3://b/judge"],
        "s3://b/judge: cannot",
    ),
    "an address for an attack": (
        ["judge", "attack", "--grader", "persona/grader", "-o", "s3://b/j"],
        "s3://b/j: cannot",
    ),
    "an address for a demo": (["demo", "-o", "s3://b/demo"], "s3://b/demo: cannot"),
    "a demo of no provider": (["demo", "--model", "nope/x", "-o", "demo"], "cannot use the model 'nope/x': Model API"),
    "a demo of no key": (
        ["demo", "--model", "openai/x", "-o", "demo"],
        "cannot use the model 'openai/x': Unable to initialise OpenAI client No OPENAI_API_KEY",
    ),
    "a demo of no weights": (["demo", "--model", "gguf/none", "-o", "demo"], "[gguf] no model 'none'"),
    "the word for all packs": (["leaderboard", "taken.csv", "-o", "board"], "taken.csv:2: column 'pack', row 1: 'over"),
    "a line break in a name": (["rates", "a\nb.csv"], r"a\nb.csv: no such file"),
    "an escape in a name": (["rates", "\x1b[31mred.csv"], r"\x1b[31mred.csv: no such file"),
    "a folder called a table": (["rates", "folder.csv"], "folder.csv: no logs in this folder"),
    "an unknown pack": (["packs", "show", "poetry"], "no pack 'poetry'"),
    "an unknown scenario": (["packs", "show", "pricing_fairness/poetry"], "no scenario 'poetry'"),
    "an address for a pack": (
        ["packs", "new", "s3://b/x", "--from", "pricing_fairness"],
        "s3://b/x: cannot write here",
    ),
    "a folder that is no pack": (["packs", "validate", "empty"], "no pack 'empty'"),
}


@pytest.mark.parametrize(("argv", "said"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_one_line(
    argv: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bad input ends with exit code 2 and one line that names it; nothing is printed or written."""
    monkeypatch.chdir(tmp_path)
    for key in ("OPENAI_API_KEY", "AZUREAI_OPENAI_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.csv").mkdir()
    for name, text in {
        "text.txt": "a",
        "broken.eval": "not a zip",
        "broken.parquet": "not a table",
        "empty.csv": "",
        "narrow.csv": "model,scenario\na,b\n",
        "wrong.csv": "model,scenario,verdict\na,b,aligned\na,c,evil\n",
        "good.csv": "model,scenario,verdict\na,b,aligned\na,c,misaligned\n",
        "two.csv": "model,scenario,verdict\na,b,aligned\nz,b,aligned\n",
        "taken.csv": "model,scenario,verdict,pack\na,b,aligned,overall\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))

    assert _call(monkeypatch, *argv) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {said}")
    assert shown.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("argv", [["poetry"], ["rates"], ["rates", "x.csv", "--confidence", "2"], ["demo", "--colour"]])
def test_a_wrong_call_ends_with_what_is_wrong_with_it(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown commands and options, and missing arguments, end with exit code 2 and a usage error."""
    assert _call(monkeypatch, *argv) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: ")
    assert shown.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in shown.err


def _fresh(code: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_the_package_is_imported_at_once() -> None:
    """`import alignbench` takes less than 0.3 s, as it loads nothing that is heavy."""
    code = """
import sys, time
start = time.perf_counter()
import alignbench
print(time.perf_counter() - start, *sys.modules)
"""
    seconds, *modules = min((_fresh(code).split() for _ in range(3)), key=lambda words: float(words[0]))

    assert float(seconds) < 0.3
    assert {"inspect_ai", "pandas", "scipy", "numpy", "matplotlib", "pydantic"}.isdisjoint(modules)


@pytest.mark.slow
@pytest.mark.parametrize("path", [(), *_commands()], ids=" ".join)
def test_help_is_shown_at_once(path: tuple[str, ...]) -> None:
    """No help needs Inspect or what computes; it takes at most 0.3 s of CPU above the interpreter's own."""
    code = f"""
import sys, time
start = time.process_time()
sys.argv = ["alignbench", *{path!r}, "--help"]
from alignbench.cli import main
try:
    main()
finally:
    print(time.process_time() - start, *sys.modules)
"""
    seconds, *modules = min(
        (_fresh(code).splitlines()[-1].split() for _ in range(2)), key=lambda words: float(words[0])
    )

    assert "alignbench.cli" in modules
    assert {"inspect_ai", "pandas", "numpy", "scipy", "matplotlib"}.isdisjoint(modules)
    assert float(seconds) <= 0.3


USAGE_ERRORS = {
    "no judge": (
        ["alignbench/pricing_fairness", "--model", "persona/base"],
        "no model has the role 'grader'",
    ),
    "an unknown axis": ([*PRICING, "-T", "conditions=bogus"], "unknown axis 'bogus'"),
    "an unknown split": ([*PRICING, "-T", "split=bogus"], "split 'bogus'"),
    "an unknown family": ([*PRICING, "-T", "families=bogus"], "unknown family 'bogus'"),
    "an impossible shard": ([*PRICING, "-T", "shard=4/3"], "shard '4/3'"),
    "an unknown rubric": ([*PRICING, "-T", "rubric=bogus"], "no rubric 'bogus'"),
    "an unknown pack": (["alignbench/pack", *PERSONA, "-T", "path=bogus"], "no pack 'bogus'"),
    "a folder without a pack": (["alignbench/pack", *PERSONA], "in the task alignbench/pack: -T path=DIR"),
    "an unknown persona": (["alignbench/pricing_fairness", "--model", "persona/bogus", *GRADER], "'bogus'"),
    "a wrong persona": ([*PRICING, "-M", "misaligned=2"], "misaligned = 2"),
    "an unknown local model": (
        ["alignbench/pricing_fairness", "--model", "gguf/bogus", *GRADER],
        "no model 'bogus'",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("argv", "said"), USAGE_ERRORS.values(), ids=USAGE_ERRORS.keys())
def test_inspect_eval_refuses_before_any_call(argv: list[str], said: str, tmp_path: Path) -> None:
    """A run that cannot be meant ends with one clear usage error; no log is begun, so no model was called."""
    finished = inspect_eval(*argv, cwd=tmp_path)

    assert finished.code != 0
    assert "Traceback" not in finished.text
    last = finished.err.rstrip("\n").splitlines()[-1]
    assert last.startswith("Error: ")
    assert said in last
    assert not (tmp_path / "logs").exists() or not list((tmp_path / "logs").rglob("*.eval"))


@pytest.mark.slow
@pytest.mark.parametrize("models", [["--model", "mockllm/model", *GRADER], PERSONA], ids=["judge", "model"])
def test_a_persona_refuses_a_pack_without_answers_before_any_call(models: list[str], tmp_path: Path) -> None:
    """It says, and as a judge knows, the labelled answers of a pack alone: without any there is nothing to run."""
    shutil.copytree(locate("pricing_fairness"), tmp_path / "pricing_fairness")
    finished = inspect_eval("alignbench/pack", "-T", f"path={tmp_path / 'pricing_fairness'}", *models, cwd=tmp_path)
    assert finished.code != 0
    last = finished.err.rstrip("\n").splitlines()[-1]
    assert "the pack 'pricing_fairness' has no labelled answers, and a scripted model says or knows no others" in last
    assert not list(tmp_path.rglob("*.eval"))


@pytest.mark.slow
def test_a_judge_that_is_not_asked_needs_no_answers(tmp_path: Path) -> None:
    """With `--no-score` a pack without labelled answers runs, whatever model has the role of the judge."""
    shutil.copytree(locate("pricing_fairness"), tmp_path / "pricing_fairness")
    options = ["-T", f"path={tmp_path / 'pricing_fairness'}", "--model", "mockllm/model", *GRADER, "--no-score"]
    finished = inspect_eval("alignbench/pack", *options, "--limit", "2", cwd=tmp_path)
    assert finished.code == 0, finished.text
    assert len(list(tmp_path.rglob("*.eval"))) == 1


@pytest.mark.slow
def test_a_run_without_a_judge_can_be_judged_later(shared_folder: SharedFolder, tmp_path: Path) -> None:
    """`--no-score` needs no judge; `inspect score` then gives the verdicts that judging at once gives."""
    asked = inspect_eval("alignbench/pricing_fairness", "--model", "persona/base", "--no-score", cwd=tmp_path)
    assert asked.code == 0, asked.text
    (log,) = (tmp_path / "logs").glob("*.eval")
    unjudged = Command(["alignbench", "rates", "logs"], tmp_path).run()
    assert (unjudged.code, unjudged.err.count("\n")) == (2, 1)
    assert "no verdicts" in unjudged.err

    score = ["inspect", "score", str(log), "--scorer", "alignbench/rubric_judge", *GRADER, "--overwrite"]
    judged = Command([*score, "--display", "none"], tmp_path).run()
    assert judged.code == 0, judged.text

    later = verdict_rows(tmp_path / "logs")
    assert later.equals(verdict_rows(shipped_logs(shared_folder), "pricing_fairness"))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["alignbench/pack", "evals/pack.py"])
def test_a_users_own_pack_runs(task: str, tmp_path: Path) -> None:
    """`-T path=DIR` runs a user's folder, which may be relative where the task is named by package."""
    (tmp_path / "evals").symlink_to(ROOT / "evals")
    folder = SoundPack(tmp_path).write()
    path = folder.name if task == "alignbench/pack" else str(folder)

    finished = inspect_eval(task, "-T", f"path={path}", *PERSONA, cwd=tmp_path)
    assert finished.code == 0, finished.text

    pack, table = load_pack(folder), verdicts([tmp_path / "logs"])
    assert set(table["scenario"]) == set(pack.scenarios)
    assert set(table["pack_digest"]) == {pack.digest}
    assert table["verdict"].isin(["aligned", "misaligned", "refused"]).all()


@pytest.mark.slow
def test_a_copied_pack_runs_and_examines_judges(tmp_path: Path) -> None:
    """From `packs new` to verdicts by personas and a judge's card, with nothing edited between."""
    for argv in (
        ["alignbench", "packs", "new", "mine", "--from", "pricing_fairness"],
        ["inspect", "eval", "alignbench/pack", "-T", "path=mine", *PERSONA, "--display", "none", "--log-dir", "logs"],
        [
            "alignbench",
            "judge",
            "exam",
            "--grader",
            "persona/grader",
            "--packs",
            "mine",
            "--limit",
            "12",
            "-o",
            "judge",
        ],
    ):
        finished = Command(argv, tmp_path).run()
        assert finished.code == 0, finished.text

    table, card = verdicts([tmp_path / "logs"]), json.loads((tmp_path / "judge" / "judge_card.json").read_text("utf-8"))
    assert set(table["pack"]) == {"mine"}
    assert set(table["pack_digest"]) == {load_pack("pricing_fairness").digest}
    assert table["verdict"].isin(["aligned", "misaligned", "refused"]).all()
    assert list(card["label_digest"]) == ["mine"]


TWIN = "pricing_fairness/vet_night_plan/twin/default"


@pytest.mark.slow
def test_samples_can_be_picked_by_number_and_by_name(tmp_path: Path) -> None:
    """`--limit` takes the first ones and `--sample-id` the named one."""
    for name, argv in (("limit", ["--limit", "3"]), ("id", ["--sample-id", TWIN])):
        (tmp_path / name).mkdir()
        finished = inspect_eval(*PRICING, *argv, cwd=tmp_path / name)
        assert finished.code == 0, finished.text

    every = [str(sample.id) for sample in pack_dataset(load_pack("pricing_fairness"))]
    assert sorted(_ids(tmp_path / "limit")) == sorted(every[:3])
    assert _ids(tmp_path / "id") == [TWIN]


@pytest.mark.slow
def test_task_arguments_choose_the_samples(tmp_path: Path) -> None:
    """`-T` hands shard, split, families, twins and conditions to the task as the API does."""
    shard = ["-T", "shard=1/3", "-T", "split=unseen", "-T", "twins=false"]
    crossed = [
        "-T",
        "families=hour_of_need",
        "-T",
        "conditions=monitoring=logged+nudge=value_2",
        "-T",
        "twins=only",
    ]
    for name, argv in (("shard", shard), ("crossed", crossed)):
        (tmp_path / name).mkdir()
        finished = inspect_eval(*PRICING, *argv, cwd=tmp_path / name)
        assert finished.code == 0, finished.text

    pack = load_pack("pricing_fairness")
    sharded = pack_dataset(pack, shard="1/3", split="unseen", twins=False)
    logged = pack_dataset(pack, families="hour_of_need", conditions="monitoring=logged", twins="only")
    assert sorted(_ids(tmp_path / "shard")) == sorted(str(sample.id) for sample in sharded)
    assert sorted(_ids(tmp_path / "crossed")) == sorted(str(sample.id) for sample in logged)


@pytest.mark.slow
def test_tables_flow_from_command_to_command(shared_folder: SharedFolder, tmp_path: Path) -> None:
    """Logs, the table made of them, and the same table as CSV give `rates` the same numbers."""
    logs, shown = str(shipped_logs(shared_folder)), []
    for table in ("verdicts.parquet", "verdicts.csv"):
        assert Command(["alignbench", "verdicts", logs, "-o", table], tmp_path).run().code == 0
    for source in (logs, "verdicts.parquet", "verdicts.csv"):
        rates = Command(["alignbench", "rates", source, "--format", "json"], tmp_path).run()
        assert rates.code == 0, rates.text
        shown.append(json.loads(rates.out))

    assert {row["measure"] for row in shown[0]} == {"misalignment", "over_refusal", "acted_well", "helped"}
    assert shown[0] == shown[1] == shown[2]
