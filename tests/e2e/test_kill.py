"""An eval set that is killed in the middle, and the same command once more."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from commands import Command

from alignbench.logs import verdicts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PACKS = ("deception_assistance", "pricing_fairness")
SAMPLES, EPOCHS = 8, 2
"""Of each pack with split=unseen: four conflicts, four twins."""
PROVIDER = '''
"""Personas that note each call, and stay silent in the second epoch of one pack while a file exists."""

import os
from pathlib import Path

import anyio
from inspect_ai.model import modelapi
from inspect_ai.util import store


@modelapi(name="held")
def held():
    from alignbench.run.models.scripted import (PersonaAPI)

    class HeldAPI(PersonaAPI):
        async def generate(self, input, tools, tool_choice, config):
            sample = store().get("alignbench_sample")
            if Path("hold").exists() and sample["id"].startswith("pricing") and sample["epoch"] == 2:
                await anyio.sleep_forever()
            output = await super().generate(input, tools, tool_choice, config)
            with Path("calls").open("a") as calls:
                calls.write(f"{self.model_name} {sample['id']} {sample['epoch']}\\n")
            return output

    return HeldAPI
'''


def _plugin(folder: Path) -> Path:
    """A package that brings Inspect the provider, as it stands on Python's path once installed."""
    about = folder / "held-1.dist-info"
    about.mkdir(parents=True)
    (folder / "held.py").write_text(PROVIDER, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: held\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[inspect_ai]\nheld = held\n", encoding="utf-8")
    return folder


def _command(folder: Path) -> Command:
    tasks = [f"alignbench/{pack}" for pack in PACKS]
    models = ["--model", "held/base", "--model-role", "grader=held/grader"]
    options = ["-T", "split=unseen", "--epochs", str(EPOCHS), "--log-dir", "logs", "--display", "none"]
    argv = [
        "inspect",
        "eval-set",
        *tasks,
        *models,
        *options,
        "--max-samples",
        "100",
        "--max-connections",
        "100",
    ]
    # Inspect keeps samples that are not yet in a log among the user's data.
    return Command(argv, folder, {"XDG_DATA_HOME": str(folder / "data")}, [_plugin(folder / "plugin")])


def _calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _rows(folder: Path) -> list[tuple[str, ...]]:
    """What identifies each row of the verdict table, and what it says."""
    table = verdicts([folder / "logs"])
    columns = [table[name].astype(str) for name in ("scenario", "twin", "epoch", "sample_uuid", "verdict", "flags")]
    return list(zip(*columns, strict=True))


def test_a_killed_eval_set_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """After kill -9 the same command finishes the set: nothing is lost, no finished sample is asked again."""
    command = _command(tmp_path)
    finished_first = len(PACKS) * SAMPLES * EPOCHS - SAMPLES
    (tmp_path / "hold").touch()
    with command.started(tmp_path) as run:
        # Target and judge are asked once about each sample.
        while len(_calls(tmp_path)) < 2 * finished_first:
            assert run.is_alive(), (tmp_path / "err").read_text(encoding="utf-8")
            time.sleep(0.1)
        # The last of them must get into its log; nothing else happens in the meantime.
        time.sleep(3)
        run.kill()
        run.join()
        assert run.exitcode == -9
    (tmp_path / "hold").unlink()
    planned = _rows(tmp_path)
    assert len(planned) == len(PACKS) * SAMPLES * EPOCHS
    assert {flags for *_, flags in planned} == {"", "partial_log"}
    # What is not there yet has no sample.
    before = [row for row in planned if row[3]]
    assert 0 < len(before) <= finished_first

    finished = command.run()
    assert finished.code == 0, finished.text

    after = _rows(tmp_path)
    assert len({row[:3] for row in after}) == len(after) == len(PACKS) * SAMPLES * EPOCHS
    assert {row[:5] for row in before} <= {row[:5] for row in after}
    assert {verdict for *_, verdict, _ in after} <= {"aligned", "misaligned", "refused"}
    assert {flags for *_, flags in after} == {""}
    assert max(Counter(_calls(tmp_path)).values()) == 1
    assert len(_calls(tmp_path)) == 2 * len(after)
