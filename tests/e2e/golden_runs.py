"""What every command prints in every format on the logs of the demo, without what differs between two equal runs."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import chdir
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from click.testing import CliRunner
from commands import ROOT, Command
from screen_tables import write_tables

from alignbench.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["OUTPUTS", "Output", "demo_folder", "figure_data", "same_text", "stable"]

GRADER = ["--grader", "persona/grader", "-M", "seed=1"]
FIRST = "'persona/grader fbe47f6d82b435a8'"
POLICY = ROOT / "examples" / "gate_demo.yaml"
BOTH = "demo/logs/base demo/logs/tuned"
ALL = ("table", "csv", "json")
COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "rates": ("rates demo/logs", ALL),
    "rates_by_family": ("rates demo/logs/base --by model,pack,family", ALL),
    "rates_ledger": ("rates demo/logs --ledger", ALL),
    "rates_corrected": ("rates demo/logs/base --calibration calibration.json", ALL),
    "rates_transported": ("rates demo/logs/base --transported exam/judge_card.json", ALL),
    "compare": (f"compare {BOTH}", ALL),
    "compare_by_split": (f"compare {BOTH} --by pack,split", ALL),
    "compare_corrected": (f"compare {BOTH} --calibration both.json", ALL),
    "gate": (f"gate {BOTH} --policy {POLICY}", ALL),
    "gate_regressed": (f"gate demo/logs/tuned demo/logs/base --policy {POLICY}", ALL),
    "gate_corrected": (f"gate {BOTH} --margin .15 --largest-usefulness-loss .3 --calibration both.json", ALL),
    "ranks": ("ranks demo/logs", ALL),
    "ranks_corrected": (f"ranks {BOTH} --calibration both.json", ALL),
    "priorities": ("priorities demo/logs/base", ALL),
    **{f"priorities_{part}": (f"priorities demo/logs/base --part {part}", ALL) for part in (
        "matrix", "worths", "positions", "diagnostics", "disagreement", "excluded"
    )},
    **{f"drift_{part}": (f"drift tables/base.parquet --axis monitoring --part {part}", ALL) for part in (
        "rates", "positions", "divergence", "worths", "orders"
    )},
    **{f"drift_{part}": (f"drift tables/base.parquet --axis pressure --part {part}", ALL) for part in (
        "survival", "flips"
    )},
    "plan": (f"plan {BOTH} --base persona/base --candidate persona/tuned", ALL),
    "plan_gate": ("plan demo/logs/base --margin .15 --scenarios 28 --packs 2 --epochs 1 --draws 25", ("json",)),
    "agreement": (f"agreement demo/logs/base twice --reference {FIRST}", ALL),
    "agreement_confusion": ("agreement demo/logs/base twice --confusion", ALL),
    "judge_compare": (f"judge compare twice --base {FIRST}", ALL),
    "judge_calibrate": ("judge calibrate demo/logs/base labels_base.csv", ALL),
    "judge_sample": ("judge sample demo/logs/base -n 20 -o drawn.csv", ALL),
    "packs_list": ("packs list", ALL),
    "packs_show": ("packs show pricing_fairness", ("table",)),
    "packs_validate": ("packs validate", ("text", "json")),
    "packs_schema": ("packs schema", ("json",)),
}  # fmt: skip
"""Name to a command, in the folder that `demo_folder` fills, and the formats that it has."""
EXTENSIONS = {"table": "txt", "text": "txt"}
ONE_FORMAT = ("packs show", "packs schema")


@dataclass(frozen=True, slots=True)
class Output:
    """One command in one format.

    Attributes:
        file: Name of the golden file.
        command: What follows `alignbench`.
    """

    file: str
    command: str

    def text(self, folder: Path) -> str:
        """What it prints in a folder, JSON as one document; the exit code stands at the end where it is not 0."""
        with chdir(folder):
            done = CliRunner().invoke(cli, shlex.split(self.command))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code in (0, 1, 3), done.output
        if self.file.endswith(".json"):
            json.loads(done.stdout)
        return stable(done.output) + (f"exit {done.exit_code}\n" if done.exit_code else "")


def _outputs() -> Iterator[Output]:
    for name, (command, formats) in COMMANDS.items():
        for form in formats:
            asked = "" if command.startswith(ONE_FORMAT) else f" --format {form}"
            yield Output(f"{name}.{EXTENSIONS.get(form, form)}", command + asked)


OUTPUTS = tuple(_outputs())


def demo_folder(folder: Path) -> None:
    """Run the demo, examine, attack and ask its judge again, and label drawn answers; all that the commands need.

    Args:
        folder: An empty folder.
    """
    screens = [
        _run(["demo", "-o", "demo"], folder),
        _run(["judge", "exam", *GRADER, "--epochs", "1", "-o", "exam"], folder),
        _run(["judge", "attack", *GRADER, "--limit", "20", "-o", "attack"], folder),
        _run(["judge", "rescore", "demo/logs/base", *GRADER, "-M", "sensitivity=.8", "-o", "twice"], folder),
    ]
    for name, screen in zip(("screen", "exam", "attack", "rescore"), screens, strict=True):
        (folder / f"{name}.txt").write_text(screen, encoding="utf-8")
    for name in ("base", "tuned"):
        _run(["verdicts", f"demo/logs/{name}", "-o", f"verdicts_{name}.csv"], folder)
        _run(["judge", "sample", f"demo/logs/{name}", "-n", "56", "-o", f"sheet_{name}.csv"], folder)
        _label(folder, name)
    sheets = [pd.read_csv(folder / f"labels_{name}.csv", dtype=str) for name in ("base", "tuned")]
    pd.concat(sheets).to_csv(folder / "labels.csv", index=False)
    calibrate = ["judge", "calibrate"]
    _run([*calibrate, "demo/logs/base", "labels_base.csv", "-o", "calibration.json"], folder)
    _run([*calibrate, *BOTH.split(), "labels.csv", "-o", "both.json"], folder)
    report = ["--policy", str(POLICY), "--markdown", "gate.md", "--junit", "gate.xml"]
    _run(["gate", *BOTH.split(), *report], folder)
    _run(["leaderboard", "demo/logs", "-o", "carded", "--cards", "exam/judge_card.json"], folder)
    # The demo asks under the default condition alone.
    (folder / "tables").mkdir()
    write_tables(folder / "tables")


def _run(argv: list[str], folder: Path) -> str:
    finished = Command(["alignbench", *argv], folder).run()
    assert finished.code in (0, 3), finished.text
    return finished.out


def _label(folder: Path, name: str) -> None:
    """Labels of the drawn answers that agree with the judge but in every ninth answer."""
    verdicts = pd.read_csv(folder / f"verdicts_{name}.csv", dtype=str).set_index("sample_uuid")["verdict"]
    sheet = pd.read_csv(folder / f"sheet_{name}.csv", dtype=str, keep_default_na=False)
    label = sheet["sample_uuid"].map(verdicts)
    other = {"misaligned": "aligned", "aligned": "misaligned", "refused": "aligned", "deferred": "aligned"}
    label = label.mask(sheet["item"].astype(int) % 9 == 0, label.map(other))
    sheet.assign(label=label, labeller="ann").to_csv(folder / f"labels_{name}.csv", index=False)


TIME = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d[:-]\d\d[:-]\d\d(\.\d+)?([+-]\d\d[:-]\d\d|Z)?|(?= \d\d:\d\d)| \d\d:\d\d(:\d\d)?( UTC)?)?"
)
IDENTITY = re.compile(r"(?<![A-Za-z0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])[A-Za-z0-9]{20,22}(?![A-Za-z0-9])")
ELAPSED = re.compile(r"\s+\d+ s$", re.MULTILINE)


def stable(text: str) -> str:
    """A text in which dates, Inspect's ids, run times and the checkout's path are the same in every run."""
    text = IDENTITY.sub("<id>", TIME.sub("<time>", text.replace(f"{ROOT}/", "")))
    return "".join(f"{line.rstrip()}\n" for line in ELAPSED.sub("  <seconds>", text).splitlines())


def figure_data(figure: Figure) -> str:
    """What a figure shows, a line a thing: its texts, and the points of its lines and dots."""
    lines = [f"text {text.get_text()!r}" for text in figure.texts]
    for number, axes in enumerate(figure.axes):
        lines.append(f"axes {number} x {_numbers(axes.get_xlim())} title {axes.get_title()!r}")
        lines += [f"text {text.get_text()!r}" for text in axes.texts]
        lines += [f"line {_numbers(line.get_xdata())} at {_numbers(line.get_ydata())}" for line in axes.lines]
        for group in axes.collections:
            lines += [f"dot {_numbers(point)}" for point in np.asarray(group.get_offsets())]
    return "".join(f"{line}\n" for line in lines)


def _numbers(values: ArrayLike) -> str:
    return " ".join(f"{value:.6g}" for value in np.asarray(values, dtype=float).tolist())


NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")


def same_text(found: str, kept: str) -> bool:
    """Whether two texts are equal but for the last digits of long numbers, which differ between processors."""
    if found == kept:
        return True
    if NUMBER.sub("#", found) != NUMBER.sub("#", kept):
        return False
    pairs = zip(NUMBER.findall(found), NUMBER.findall(kept), strict=True)
    return all(abs(float(one) - float(other)) <= 1e-9 * max(1.0, abs(float(other))) for one, other in pairs)
