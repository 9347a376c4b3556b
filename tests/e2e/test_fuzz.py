"""Five hundred damaged inputs through every command that reads them: no traceback, no file half written."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from fuzz_inputs import Damaged, spoil_folder, spoil_zip, spoilt_csv, spoilt_parquet, spoilt_tree
from fuzz_material import MODELS, fill_logs, fill_material
from fuzzing import Trial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from commands import SharedFolder
    from hypothesis.strategies import DataObject

pytestmark = pytest.mark.slow

INPUTS = {"csv": 170, "parquet": 70, "labels": 40, "records": 70, "packs": 60, "eval": 50, "json": 30, "rescored": 10}
"""Damaged inputs of each kind: 500."""
A, B = MODELS
SIDES = ["--base", A, "--candidate", B]
TABLE_COMMANDS: dict[str, list[str]] = {
    "rates": ["rates", "T"],
    "rates by": ["rates", "T", "--by", "model,family,condition,nudge", "--format", "json"],
    "rates by judge": ["rates", "T", "--by", "judge,scenario", "--format", "csv", "--packs", "pack_0,other"],
    "panel": ["rates", "T", "--panel", "majority"],
    "cards": ["rates", "T", "--cards", "card.json"],
    "calibration": ["rates", "T", "--calibration", "calibration.json"],
    "transported": ["rates", "T", "--transported", "card.json"],
    "compare": ["compare", "T", *SIDES, "--panel", "majority", "--unpaired", "unpaired.csv"],
    "compare sides": ["compare", "sound.csv", "T", "--base", A, "--candidate", B, "--by", "pack,split"],
    "gate": ["gate", "T", *SIDES, "--panel", "majority", "--junit", "gate.xml", "--markdown", "gate.md"],
    "gate sides": ["gate", "sound.csv", "T", *SIDES, "--junit", "gate.xml", "--policy", "policy.yaml"],
    "gate calibrated": ["gate", "T", *SIDES, "--calibration", "calibration.json", "--format", "json"],
    "ranks": ["ranks", "T"],
    "ranks with cards": ["ranks", "T", "--measure", "over_refusal", "--cards", "card.json", "--format", "csv"],
    "leaderboard": ["leaderboard", "T", "-o", "board"],
    "priorities": ["priorities", "T"],
    "priorities of all": ["priorities", "T", "--by", "model,judge", "--format", "json"],
    "drift": ["drift", "T"],
    "drift over turns": ["drift", "T", "--axis", "turn", "--format", "json"],
    "plan": ["plan", "T", "--base", A, "--candidate", B],
    "plan for a target": ["plan", "T", "--target", "detect 22% -> 3%", "--prices", "prices.yaml"],
    "agreement": ["agreement", "T"],
    "agreement of severity": ["agreement", "T", "--on", "position_1", "--by", "model"],
    "agreement with labels": ["agreement", "T", "--labels", "labels.csv"],
    "confusion": ["agreement", "T", "--confusion"],
    "judge sample": ["judge", "sample", "T", "-n", "10", "-o", "sheet.csv", "--html", "sheet.html"],
    "judge calibrate": ["judge", "calibrate", "T", "labels.csv", "-o", "new.json"],
    "judge compare": ["judge", "compare", "T", "--base", "judge_0", "--candidate", "judge_1"],
}
BEFORE = b"before\n"
# Sheets, pages and calibrations take the place of their own kind only.
OUTPUTS: dict[str, dict[str, bytes | None]] = {
    "unpaired.csv": {"unpaired.csv": BEFORE},
    "gate.xml": {"gate.xml": BEFORE},
    "gate.md": {"gate.md": BEFORE},
    "sheet.csv": {"sheet.csv": None},
    "sheet.html": {"sheet.html": None},
    "new.json": {"new.json": None},
    "table.parquet": {"table.parquet": BEFORE},
    "table.csv": {"table.csv": BEFORE},
    "board": {f"board/leaderboard.{suffix}": BEFORE for suffix in ("csv", "md", "png")},
}
"""What an argument says is written, and what stands there before."""


LABEL_COMMANDS = [
    ["judge", "calibrate", "sound.csv", "labels.csv", "-o", "new.json"],
    ["judge", "calibrate", "sound.csv", "labels.csv", "--format", "json"],
    ["agreement", "sound.csv", "--labels", "labels.csv"],
    ["agreement", "sound.csv", "--labels", "labels.csv", "--on", "severity", "--confusion"],
]
_GATE = ["gate", "sound.csv", *SIDES]
RECORD_COMMANDS: list[tuple[str, list[str]]] = [
    ("calibration.json", ["rates", "sound.csv", "--calibration", "calibration.json"]),
    ("calibration.json", [*_GATE, "--calibration", "calibration.json", "--junit", "gate.xml"]),
    ("card.json", ["rates", "sound.csv", "--cards", "card.json"]),
    ("card.json", ["rates", "sound.csv", "--transported", "card.json"]),
    ("card.json", ["rates", "whole.csv", "--panel", "weights", "--cards", "card.json"]),
    ("card.json", ["ranks", "sound.csv", "--cards", "card.json"]),
    ("policy.yaml", [*_GATE, "--policy", "policy.yaml", "--markdown", "gate.md"]),
    ("policy.yaml", [*_GATE, "--policy", "policy.yaml", "--format", "json"]),
    ("prices.yaml", ["plan", "--rate", ".2", "--prices", "prices.yaml"]),
]
PACK_COMMANDS = [
    ["packs", "validate", "P"],
    ["packs", "validate", "P", "--format", "json"],
    ["packs", "list", "P"],
    ["packs", "show", "P"],
    ["packs", "show", "P/bakery_sign"],
]
LOG_COMMANDS = [
    ["rates", "L"],
    ["rates", "logs"],
    ["verdicts", "L", "-o", "table.parquet"],
    ["verdicts", "logs", "-o", "table.csv"],
    ["judge", "sample", "L", "-n", "4", "-o", "sheet.csv", "--html", "sheet.html"],
    ["drift", "L", "--axis", "nudge", "--part", "rates"],
]


def fuzzed(kind: str) -> settings:
    """So many examples, the same in each run."""
    return settings(
        max_examples=INPUTS[kind],
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours that is caught at last says where it came from."""
    monkeypatch.setenv("ALIGNBENCH_TRACEBACK", "1")


@pytest.fixture(scope="module")
def material(shared_folder: SharedFolder) -> Path:
    """The sound files."""
    return shared_folder("fuzz_material", fill_material)


@pytest.fixture(scope="module")
def logs(shared_folder: SharedFolder) -> Path:
    """The sound logs."""
    return shared_folder("fuzz_logs", fill_logs)


@contextmanager
def inside(*sound: Path) -> Iterator[Path]:
    """A new folder with copies of these files and folders, as the current one."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        for path in sound:
            if path.is_dir():
                shutil.copytree(path, path.name)
            else:
                shutil.copy(path, path.name)
        yield Path(name)


def hold(folder: Path, argv: list[str], done: str = "") -> None:
    """Hold one command to its promises, in this folder."""
    outputs = {name: before for part in argv for name, before in OUTPUTS.get(part, {}).items()}
    Trial(folder, argv, outputs, done).check()


def named(material: Path, argv: list[str], *but: str) -> list[Path]:
    """The sound files that a command names."""
    return [material / part for part in argv if part not in but and (material / part).is_file()]


def damaged_table(data: DataObject, material: Path, suffix: str) -> None:
    """One table, one command."""
    argv = TABLE_COMMANDS[data.draw(st.sampled_from(sorted(TABLE_COMMANDS)))]
    raters = ["raters.csv"] if argv[0] == "agreement" else []
    source = data.draw(st.sampled_from([*["whole.csv"] * 4, "sound.csv", "bare.csv", *raters]))
    frame = pd.read_csv(material / source, dtype=str, keep_default_na=False)
    spoilt = data.draw((spoilt_csv if suffix == ".csv" else spoilt_parquet)(frame).map(Damaged))
    argv = [f"input{suffix}" if part == "T" else part for part in argv]
    with inside(*named(material, argv)) as folder:
        Path(f"input{suffix}").write_bytes(spoilt.content)
        hold(folder, argv, source)


@fuzzed("csv")
@given(data=st.data())
def test_tables_in_csv(data: DataObject, material: Path) -> None:
    """Cells, columns, lines, encodings and bytes that are wrong or strange."""
    damaged_table(data, material, ".csv")


@fuzzed("parquet")
@given(data=st.data())
def test_tables_in_parquet(data: DataObject, material: Path) -> None:
    """The same, and columns of every type that Parquet has."""
    damaged_table(data, material, ".parquet")


@fuzzed("labels")
@given(data=st.data())
def test_files_of_labels(data: DataObject, material: Path) -> None:
    """Labels of people, for a calibration and for agreement."""
    argv = data.draw(st.sampled_from(LABEL_COMMANDS))
    frame = pd.read_csv(material / "labels.csv", dtype=str, keep_default_na=False)
    spoilt = data.draw(spoilt_csv(frame).map(Damaged))
    with inside(*named(material, argv, "labels.csv")) as folder:
        Path("labels.csv").write_bytes(spoilt.content)
        hold(folder, argv)


@fuzzed("records")
@given(data=st.data())
def test_records(data: DataObject, material: Path) -> None:
    """Calibrations, cards, policies and price files."""
    name, argv = data.draw(st.sampled_from(RECORD_COMMANDS))
    spoilt = data.draw(spoilt_tree((material / name).read_bytes(), name.rpartition(".")[2]).map(Damaged))
    with inside(*named(material, argv, name)) as folder:
        Path(name).write_bytes(spoilt.content)
        hold(folder, argv)


@fuzzed("packs")
@given(data=st.data())
def test_packs(data: DataObject, material: Path) -> None:
    """A pack with damaged, lost, doubled, linked files, or folders in their place."""
    sound = data.draw(st.sampled_from(["corner_shop", "corner_shop", "shipped/pricing_fairness"]))
    with inside(material / sound) as folder:
        pack = Path(sound).name
        done = data.draw(spoil_folder(folder / pack))
        argv = data.draw(st.sampled_from(PACK_COMMANDS))
        hold(folder, [pack if part == "P" else part.replace("P/", f"{pack}/") for part in argv], done)


def damaged_log(data: DataObject, logs: Path, suffix: str) -> None:
    """One log, one command."""
    content = (logs / f"log{suffix}").read_bytes()
    damage = spoil_zip(content) if suffix == ".eval" else spoilt_tree(content, "json")
    spoilt = data.draw(damage.map(Damaged))
    argv = data.draw(st.sampled_from(LOG_COMMANDS))
    # In a folder a log of the other format must have the name that Inspect gives it.
    name = f"2026-01-01T00-00-00+00-00_pack_x{suffix}"
    with inside() as folder:
        Path("logs").mkdir()
        Path("logs", name).write_bytes(spoilt.content)
        hold(folder, [f"logs/{name}" if part == "L" else part for part in argv])


@fuzzed("eval")
@given(data=st.data())
def test_logs_in_eval(data: DataObject, logs: Path) -> None:
    """A log with members lost, edited, cut, or of a false size."""
    damaged_log(data, logs, ".eval")


@fuzzed("json")
@given(data=st.data())
def test_logs_in_json(data: DataObject, logs: Path) -> None:
    """The same log as one text."""
    damaged_log(data, logs, ".json")


@fuzzed("rescored")
@given(data=st.data())
def test_logs_that_are_judged_again(data: DataObject, logs: Path) -> None:
    """Replaced by a whole log, or left as it is."""
    spoilt = data.draw(spoil_zip((logs / "log.eval").read_bytes()).map(Damaged))
    with inside() as folder:
        Path("logs").mkdir()
        Path("logs", "log.eval").write_bytes(spoilt.content)
        argv = ["judge", "rescore", "logs", "--grader", "persona/grader", "-M", "seed=1", "--in-place"]
        Trial(folder, argv, {"logs/log.eval": spoilt.content}).check()


def test_there_are_five_hundred() -> None:
    """Of all kinds together; Hypothesis tries as many of each as it is told."""
    assert sum(INPUTS.values()) == 500
