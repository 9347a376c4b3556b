"""Run commands on damaged files in this process, and hold them to what every command promises."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

import pandas as pd

from alignbench.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["CODES", "Outcome", "Trial", "run_main"]

CODES = frozenset({0, 1, 2, 3})
"""Done, regressed or at fault, wrong input, cannot be told: a fault of ours has another code."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind.

    Attributes:
        code: Its exit code.
        out: What it printed.
        err: What it printed to stderr.
        trace: The traceback of an exception that it let through; empty if there was none.
    """

    code: int
    out: str
    err: str
    trace: str


def run_main(argv: list[str]) -> Outcome:
    """Run `alignbench ARGV` as the console script does, but in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    kept, sys.argv = sys.argv, ["alignbench", *argv]
    code, trace = 0, ""
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException as error:  # whatever gets here would have been shown as a traceback
        if isinstance(error, KeyboardInterrupt):
            raise
        code, trace = 1, "".join(traceback.format_exception(error))
    finally:
        sys.argv = kept
    out, err = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)
    return Outcome(code, out, err, trace)


def _csv(content: bytes) -> None:
    assert content.endswith(b"\n")
    pd.read_csv(io.BytesIO(content), dtype=str)


def _markdown(content: bytes) -> None:
    assert content.decode("utf-8").endswith("\n")


def _page(content: bytes) -> None:
    assert content.decode("utf-8").rstrip().endswith("</html>")


def _picture(content: bytes) -> None:
    assert content.startswith(b"\x89PNG")
    assert content.endswith(b"IEND\xaeB`\x82")


def _log(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        json.loads(opened.read("header.json"))


_WHOLE: Mapping[str, Callable[[bytes], object]] = {
    ".csv": _csv,
    ".json": json.loads,
    ".parquet": lambda content: pd.read_parquet(io.BytesIO(content)),
    ".xml": Xml.fromstring,
    ".md": _markdown,
    ".html": _page,
    ".png": _picture,
    ".eval": _log,
}


@dataclass(slots=True)
class Trial:
    """One command on damaged files in a folder.

    Attributes:
        folder: Where everything is.
        argv: The command's arguments.
        outputs: Files that it may write, and what stood there before; None for nothing.
        done: What was damaged, for the report of a failure.
    """

    folder: Path
    argv: list[str]
    outputs: dict[str, bytes | None] = field(default_factory=dict)
    done: str = ""

    def check(self) -> Outcome:
        """Run it: no traceback, a code of ours, an error of one line, each output old or whole, nothing left over."""
        for name, before in self.outputs.items():
            if before is not None:
                (self.folder / name).parent.mkdir(exist_ok=True)
                (self.folder / name).write_bytes(before)
        there = self._files()
        found = run_main(self.argv)
        about = f"alignbench {' '.join(self.argv)} ({self.done})"
        assert not found.trace, f"{about}\n{found.trace}"
        assert found.code in CODES, f"{about} ended with {found.code}\n{found.err}"
        assert "Traceback" not in found.err, f"{about}\n{found.err}"
        last = found.err.rstrip("\n").rsplit("\n", 1)[-1]
        if found.code == 2:
            assert last.startswith(("error: ", "Error: ")), f"{about}: the error is no one line\n{found.err[:2000]!r}"
        left = self._files() - there - set(self.outputs)
        assert not left, f"{about} left {sorted(left)}"
        for name, before in self.outputs.items():
            file = self.folder / name
            content = file.read_bytes() if file.is_file() else None
            if content != before:
                assert content is not None, f"{about} lost {name}"
                assert found.code != 2, f"{about} failed, and has written {name}"
                _WHOLE[file.suffix](content)
        return found

    def _files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if not path.is_dir()}
