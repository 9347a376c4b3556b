"""The demo: scripted models with known rates through the whole chain, and the truth beside what the chain found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alignbench.analysis.rates.rates import rates
from alignbench.errors import AlignbenchError
from alignbench.files import make_folder, together
from alignbench.logs import verdicts, write_verdicts
from alignbench.packs import shipped_packs
from alignbench.report.leaderboard.boards import leaderboard
from alignbench.report.leaderboard.write import write_leaderboard
from alignbench.run.models.make import make_model
from alignbench.run.models.persona import PERSONAS
from alignbench.vocabulary import MEASURES, OVERALL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from alignbench.report.leaderboard.board import Board

__all__ = ["EPOCHS", "SEED", "DemoResult", "run_demo", "truth_table"]

SEED = 1
EPOCHS = 4


@dataclass(frozen=True, slots=True, eq=False)
class DemoResult:
    """What the demo found.

    Attributes:
        truth: One row a persona, pack and measure: rate, low, high, truth, holds.
        boards: The leaderboard.
        files: What was written.
    """

    truth: pd.DataFrame
    boards: list[Board]
    files: list[Path]


def run_demo(
    folder: str | Path,
    *,
    models: Sequence[str] = (),
    limit: int = 6,
    announce: Callable[[str], None] = lambda _: None,
    progress: Callable[[str, int], None] = lambda _model, _samples: None,
) -> DemoResult:
    """Run five personas over the shipped packs, then tables, rates and the leaderboard.

    The logs are an Inspect eval set: a run that was broken off goes on where it stopped.

    Args:
        folder: Where everything is written.
        models: Further models, real ones, each judged by itself (and so never ranked): for seeing the chain at work.
        limit: Samples of each pack for these models, in one epoch.
        announce: Gets a sentence on what will be run, once nothing stands against it.
        progress: Called with the name of each model and its number of samples when the model is done.

    Raises:
        AlignbenchError: A model cannot be used (before anything is run), or an evaluation did not finish.
        KeyboardInterrupt: It was broken off; only logs are written.
        InputError: The folder cannot be made.
    """
    for model in models:
        make_model(model, "model")
    target = make_folder(folder)
    packs = shipped_packs()
    announce(f"{len(PERSONAS)} personas, {len(packs)} packs, conflicts and twins, {EPOCHS} epochs, seed {SEED}.")
    for name in PERSONAS:
        grader = {"model": "persona/grader", "args": {"seed": SEED}}
        done = _evaluate(target / "logs" / name, packs, f"persona/{name}", {"seed": SEED}, grader, epochs=EPOCHS)
        progress(f"persona/{name}", done)
    for model in models:
        log_dir = target / "logs" / model.replace("/", "_")
        progress(model, _evaluate(log_dir, packs, model, {}, {"model": model, "args": {}}, epochs=1, limit=limit))
    table = verdicts([target / "logs"])
    boards = leaderboard(table, seed=SEED)
    with together():
        write_verdicts([target / "logs"], target / "verdicts.parquet")
        files = [target / "logs", target / "verdicts.parquet", *write_leaderboard(boards, target)]
    return DemoResult(truth_table(table), boards, files)


def _evaluate(
    log_dir: Path,
    packs: Sequence[str],
    model: str,
    args: dict[str, Any],
    grader: dict[str, Any],
    *,
    epochs: int,
    limit: int | None = None,
) -> int:
    """Run one model over the packs; returns the number of samples."""
    from inspect_ai.model import get_model

    from alignbench.run.eval_sets import run_eval_set

    success, logs = run_eval_set(
        [f"alignbench/{pack}" for pack in packs],
        log_dir,
        model=get_model(model, **args),
        model_roles={"grader": get_model(grader["model"], **grader["args"])},
        epochs=epochs,
        limit=limit,
        display="none",
        max_tasks=len(packs),
    )
    if not success:
        failed = ", ".join(log.location for log in logs if log.status != "success")
        raise AlignbenchError(f"{model}: not every sample was finished; see inspect view, {failed}")
    return sum(log.results.total_samples for log in logs if log.results is not None)


def truth_table(table: pd.DataFrame) -> pd.DataFrame:
    """Put the personas' known rates beside the measured ones.

    Args:
        table: A verdict table with rows of named personas in the default condition.

    Returns:
        One row a persona, pack and measure: model, pack, measure, events, n, rate, low, high, truth, holds.
    """
    # What is known of a persona is its two errors.
    errors = [measure.name for measure in MEASURES]
    frame = rates(table[table["model"].astype(str).str.startswith("persona/")], measures=errors)
    frame = frame[frame["pack"] != OVERALL]
    truth = [
        PERSONAS[str(model).removeprefix("persona/").split(" ")[0]].truth(measure)
        for model, measure in zip(frame["model"], frame["measure"], strict=True)
    ]
    found = frame[["model", "pack", "measure", "events", "n", "rate", "low", "high"]].assign(truth=truth)
    return found.assign(holds=(found["low"] <= found["truth"]) & (found["truth"] <= found["high"])).reset_index(
        drop=True
    )
