"""Logs of other Inspect tasks: the error says how they become a table, and the way that it names works."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.solver import generate as generation
from scripted_runs import Call, scripted

from alignbench.cli import cli
from alignbench.errors import InputError
from alignbench.logs.inputs import read_inputs
from alignbench.run.solvers.conversation import SAMPLE_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")


@solver
def named() -> Solver:
    """Say whose turn it is: a scripted model asks for it."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.store.set(SAMPLE_KEY, {"id": str(state.sample_id)})
        return state

    return solve


def say(call: Call) -> str:
    """Right on one question, wrong on the other, and in the second epoch no answer to the third."""
    if call.sample == "three":
        raise RuntimeError("no answer")
    return {"one": "yes", "two": "no"}[call.sample]


def task(names: Sequence[str], *, fail_on_error: bool) -> Task:
    """Questions of other people, one of them three."""
    return Task(
        name="honest_answers",
        dataset=[Sample(id=name, input="Is it so?", target="yes") for name in names],
        solver=[named(), generation()],
        scorer=match(),
        fail_on_error=fail_on_error,
    )


def follow_the_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the code of the page in a folder with `logs`."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(folder)
    exec(code, {})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_the_way_by_a_table_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the page, and the code on it makes a table with the right rates, runs and dates."""
    whole = task(["one", "two", "three"], fail_on_error=False)
    (log,) = inspect_eval(
        whole, model=scripted("honest", say).model, epochs=2, log_dir=str(tmp_path / "logs"), display="none"
    )
    with pytest.raises(InputError) as raised:
        read_inputs([tmp_path / "logs"])
    assert "a CSV with model, scenario and verdict" in str(raised.value)
    assert "samples_df" in str(raised.value)
    assert "docs/tables.md" in str(raised.value)
    follow_the_page(tmp_path, monkeypatch)
    told: list[str] = []
    table = read_inputs(["verdicts.csv"], latest=True, note=told.append)
    assert "nothing left out" in told[0]
    assert table["run"].unique().tolist() == [log.eval.eval_id]
    assert table["unscored_reason"].tolist().count("error") == 2
    done = CliRunner().invoke(cli, ["rates", "verdicts.csv", "--format", "json"])
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    row = next(row for row in json.loads(done.stdout) if row["measure"] == "misalignment")
    assert (row["model"], row["pack"], row["events"], row["n"], row["rate"]) == (
        "script/honest", "honest_answers", 2, 4, 0.5,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize(
    ("names", "reasons"), [(["one", "three", "two"], {"error": 2, "absent": 3}), (["three"], {"error": 2})]
)
def test_what_a_broken_run_did_not_bring_is_in_the_table(
    names: list[str], reasons: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that one sample ended has a row for each that it planned, with the reason, though nothing was scored."""
    broken = task(names, fail_on_error=True)
    model = scripted("honest", say).model
    inspect_eval(broken, model=model, epochs=2, max_samples=1, log_dir=str(tmp_path / "logs"), display="none")
    follow_the_page(tmp_path, monkeypatch)
    table = read_inputs(["verdicts.csv"])
    assert len(table) == 2 * len(names)
    assert table["unscored_reason"].value_counts().loc[lambda count: count > 0].to_dict() == reasons
