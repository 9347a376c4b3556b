"""Run commands as a user would, in forks of one process that has done the imports: they cost seconds each."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

__all__ = [
    "GRADER",
    "PERSONA",
    "ROOT",
    "TERMINAL",
    "Command",
    "Finished",
    "SharedFolder",
    "inspect_eval",
    "plain",
    "repository_files",
    "shipped_logs",
    "small_demo",
    "verdict_rows",
]

SharedFolder = Callable[[str, Callable[[Path], None]], Path]
"""The fixture `shared_folder`: name of a folder and what fills it, to its path."""
ROOT = Path(__file__).parents[2]
TERMINAL = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}
"""What makes a command think that it writes to a terminal of 80 columns."""
GRADER = ("--model-role", "grader=persona/grader")
PERSONA = ("--model", "persona/base", *GRADER)

_context = multiprocessing.get_context("forkserver")
# What `inspect eval` imports in the end; of alignbench itself nothing, so that every command loads it afresh.
_context.set_forkserver_preload(
    [
        "inspect_ai",
        "acp",
        "anthropic",
        "fastapi",
        "openai",
        "pandas",
        "pydantic.v1",
        "starlette.applications",
        "scipy.optimize",
        "scipy.sparse.csgraph",
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "rich.progress",
    ]
)


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams."""
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Command:
    """A console script with its arguments, such as `inspect eval …`.

    Attributes:
        argv: The script's name and its arguments.
        cwd: The folder to run in.
        env: What is added to the environment.
        path: What is put in front of Python's path.
        before: Called in the command's process before the command.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    path: Sequence[Path] = ()
    before: Callable[[], None] | None = None

    def run(self) -> Finished:
        """Run it to its end."""
        with tempfile.TemporaryDirectory() as streams, self.started(Path(streams)) as child:
            child.join()
            out, err = (Path(streams, name).read_text("utf-8", "replace") for name in ("out", "err"))
            return Finished(child.exitcode, out, err)

    @contextmanager
    def started(self, streams: Path) -> Iterator[Any]:
        """Start it, with its output in the files `out` and `err` of a folder; killed when the block ends."""
        child = _context.Process(target=self._child, args=(streams,))
        child.start()
        try:
            yield child
        finally:
            child.kill()
            child.join()

    def _child(self, streams: Path) -> None:
        for number, name in enumerate(("out", "err"), start=1):
            os.dup2(os.open(streams / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        os.chdir(self.cwd)
        os.environ.update(self.env)
        sys.path[:0] = map(str, self.path)
        sys.argv = [*self.argv]
        if self.before is not None:
            self.before()
        (script,) = entry_points(group="console_scripts", name=self.argv[0])
        try:
            sys.exit(script.load()())
        except Exception as error:
            # As the interpreter would: Inspect shows some errors without a traceback, multiprocessing none.
            sys.excepthook(type(error), error, error.__traceback__)
            sys.exit(1)


def plain(text: str) -> str:
    """A text without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def inspect_eval(*argv: str, cwd: Path) -> Finished:
    """Run `inspect eval` without a display; logs go to the folder `logs` in `cwd`."""
    return Command(["inspect", "eval", *argv, "--display", "none", "--log-dir", str(cwd / "logs")], cwd).run()


def repository_files() -> list[str]:
    """The files of the checkout that are in git, or would be if everything were added; sorted."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted({name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()})


def small_demo() -> None:
    """Before `alignbench demo`: two personas, one pack, one epoch."""
    demo: Any = importlib.import_module("alignbench.jobs.demo")
    (pack, *_) = demo.shipped_packs()
    demo.EPOCHS = 1
    demo.PERSONAS = {name: demo.PERSONAS[name] for name in ("base", "tuned")}
    demo.shipped_packs = lambda: (pack,)


def shipped_logs(shared_folder: SharedFolder) -> Path:
    """The logs of one run of every shipped pack, by its package name; run once for all tests."""
    from alignbench.packs import shipped_packs

    def fill(folder: Path) -> None:
        finished = inspect_eval(*(f"alignbench/{pack}" for pack in shipped_packs()), *PERSONA, cwd=folder)
        assert finished.code == 0, finished.text

    return shared_folder("shipped", fill) / "logs"


def verdict_rows(logs: Path, pack: str | None = None) -> pd.DataFrame:
    """The verdict table of logs, of all packs or one, without what differs between two equal runs."""
    from alignbench.logs import verdicts

    table = verdicts([logs]).drop(columns=["date", "run", "log", "sample_uuid"])
    if pack is not None:
        table = table[table["pack"] == pack]
    return table.sort_values(["pack", "scenario", "twin"], ignore_index=True).astype(str)
