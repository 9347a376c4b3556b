"""How commands end: 1 is the gate's "regressed" and no crash's; one line says why; no file is half there."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pandas as pd
import pytest
from simulated_tables import simulated

from alignbench.cli import cli, main
from alignbench.cli.ending import TRACEBACK, run
from alignbench.cli.options import FiniteRange
from alignbench.errors import InputError, MissingExtraError, NotComparableError, WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator

posix = pytest.mark.skipif(os.name != "posix", reason="devices, pipes and limits of POSIX")


def ended(monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    """Run `alignbench` in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["alignbench", *argv])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def ended_by(monkeypatch: pytest.MonkeyPatch, error: BaseException, name: str = "some") -> int:
    """The exit code of a command that ends with an error."""

    @click.group()
    def group() -> None:
        """A group."""

    @group.command(name)
    def command() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["alignbench", name])
    with pytest.raises(SystemExit) as stop:
        run(group)
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a table of two models and labels."""
    both = pd.concat([simulated(name, rate, seed=at) for at, (name, rate) in enumerate({"a": 0.2, "b": 0.4}.items())])
    both = both.assign(judge="judge", transcript="text", value_1="honesty", value_2="thrift")
    both.to_csv(tmp_path / "table.csv", index=False)
    both.assign(condition=both["epoch"].map(lambda epoch: "default" if epoch % 2 else "monitoring=logged")).to_csv(
        tmp_path / "drifting.csv", index=False
    )
    labels = both[~both["twin"] & (both["model"] == "a")].assign(label="aligned", labeller="ann")
    keys = ["model", "pack", "scenario", "twin", "epoch", "label", "labeller"]
    labels.head(20)[keys].to_csv(tmp_path / "labels.csv", index=False)
    # Margins that 24 scenarios can meet: with others the gate refuses before it says a word.
    (tmp_path / "wide.yaml").write_text("margin: 0.4\nlargest_usefulness_loss: 0.4\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


GATE = ["gate", "table.csv", "--base", "a", "--candidate", "b", "--policy", "wide.yaml"]


ENDINGS: dict[str, tuple[BaseException, int, str]] = {
    "a bug": (TypeError("no such thing\nin line two"), 4, "error: unexpected TypeError: no such thing (ALIGNBENCH_"),
    "a bug without words": (AssertionError(), 4, "error: unexpected AssertionError (ALIGNBENCH_TRACEBACK=1 shows"),
    "a bug that says something to a terminal": (ValueError("\x1b[2J"), 4, r"error: unexpected ValueError: \x1b[2J ("),
    "recursion": (RecursionError("too deep"), 4, "error: unexpected RecursionError: too deep"),
    "several at once": (ExceptionGroup("two", [ValueError("x"), KeyError("y")]), 4, "error: unexpected ExceptionGroup"),
    "no memory": (MemoryError(), 4, "error: not enough memory"),
    "somebody's exit with 1": (SystemExit(1), 4, ""),
    "somebody's exit with words": (SystemExit("gone"), 4, "error: gone"),
    "something that is no Exception": (GeneratorExit(), 4, "error: unexpected GeneratorExit"),
    "a full disk": (OSError(errno.ENOSPC, "x"), 5, "error: cannot read or write: No space left on device"),
    "a file of ours": (WriteError("a.csv: cannot write here: No space left on device"), 5, "error: a.csv: cannot"),
    "a locked file": (PermissionError(errno.EACCES, "x", "key"), 5,
                      "error: cannot read or write: Permission denied (key)"),
    "a closed pipe": (BrokenPipeError(errno.EPIPE, "x"), 141, ""),
    "Ctrl-C": (KeyboardInterrupt(), 130, "\n"),
    "input": (InputError("bad 'x'"), 2, "error: bad 'x'"),
    "a missing extra": (MissingExtraError("pip install it"), 2, "error: pip install it"),
    "not comparable": (NotComparableError("other packs"), 3, "error: other packs"),
    "usage": (click.UsageError("no"), 2, "Usage: "),
    "a file that click cannot open": (click.FileError("x", "gone"), 2, "Error: Could not open file"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "code", "said"), ENDINGS.values(), ids=ENDINGS)
def test_every_error_has_its_exit_code(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """None ends with 1, none with a traceback, each in one line; what nobody reads is not said at all."""
    monkeypatch.delenv(TRACEBACK, raising=False)
    assert ended_by(monkeypatch, error) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(said)
    if not isinstance(error, click.ClickException):
        assert shown.err.count("\n") == bool(said)
    assert "Traceback" not in shown.err


def test_the_gates_verdict_is_its_own_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all commands the gate alone says 1 by an exit of its own."""
    assert ended_by(monkeypatch, SystemExit(1), "gate") == 1
    assert ended_by(monkeypatch, SystemExit(3), "gate") == 3
    assert ended_by(monkeypatch, RuntimeError("x"), "gate") == 4


def test_a_full_disk_behind_another_error_is_a_full_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library that fails over the failure, as when it closes a file, does not hide what happened."""
    outer = ValueError("I/O operation on closed file")
    outer.__context__ = OSError(errno.ENOSPC, "x")
    assert ended_by(monkeypatch, outer) == 5
    assert "No space left on device" in capsys.readouterr().err


def test_a_traceback_is_shown_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """ALIGNBENCH_TRACEBACK=1 says where, and leaves code and line as they are; a user's error has no such place."""
    monkeypatch.setenv(TRACEBACK, "1")
    assert ended_by(monkeypatch, TypeError("x")) == 4
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert __file__ in shown
    assert shown.splitlines()[-1].startswith("error: unexpected TypeError: x")
    assert ended_by(monkeypatch, InputError("x")) == 2
    assert "Traceback" not in capsys.readouterr().err


PRINTING: dict[str, list[str]] = {
    "help": ["--help"],
    "help of a command": ["rates", "--help"],
    "version": ["--version"],
    "rates": ["rates", "table.csv"],
    "rates csv": ["rates", "table.csv", "--format", "csv"],
    "rates json": ["rates", "table.csv", "--format", "json"],
    "ranks": ["ranks", "table.csv"],
    "compare": ["compare", "table.csv", "--base", "a"],
    "gate": GATE,
    "gate json": [*GATE, "--format", "json"],
    "plan": ["plan", "--target", "rate 5% ± 2%", "--rate", ".05"],
    "drift": ["drift", "drifting.csv"],
    "leaderboard": ["leaderboard", "table.csv", "-o", "board"],
    "sample": ["judge", "sample", "table.csv", "-n", "4", "-o", "sheet.csv"],
    "calibrate": ["judge", "calibrate", "table.csv", "labels.csv"],
    "agreement": ["agreement", "table.csv", "--labels", "labels.csv"],
    "packs": ["packs", "list"],
    "a pack": ["packs", "show", "pricing_fairness"],
    "validate": ["packs", "validate", "pricing_fairness"],
    "schema": ["packs", "schema"],
}


@pytest.fixture
def closed_pipe() -> Iterator[Any]:
    """A stream whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w", encoding="utf-8")
    yield stream
    stream.close()


@pytest.mark.slow
@posix
@pytest.mark.parametrize("argv", PRINTING.values(), ids=PRINTING)
def test_a_reader_that_has_gone_ends_a_command_quietly(
    argv: list[str], folder: Path, closed_pipe: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `| head` does: exit code 141, as a shell says it of others, and not a word."""
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    assert ended(monkeypatch, *argv) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("argv", PRINTING.values(), ids=PRINTING)
def test_output_onto_a_full_disk_is_an_error_of_its_own(
    argv: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 5 and one line, though everything was computed: a gate whose words are lost has not passed."""
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert ended(monkeypatch, *argv) == 5
    shown = capsys.readouterr().err
    assert shown.startswith("error: cannot read or write: No space left on device")
    assert shown.count("\n") == 1


WRITING: dict[str, tuple[list[str], str]] = {
    "leaderboard": (["leaderboard", "table.csv", "-o", "board"], "board/leaderboard.csv"),
    "unpaired": (["compare", "table.csv", "--base", "a", "--unpaired", "list.csv"], "list.csv"),
    "junit": ([*GATE, "--junit", "gate.xml"], "gate.xml"),
    "markdown": ([*GATE, "--markdown", "gate.md"], "gate.md"),
    "sheet": (["judge", "sample", "table.csv", "-n", "4", "-o", "sheet.csv"], "sheet.csv"),
    "calibration": (["judge", "calibrate", "table.csv", "labels.csv", "-o", "c.json"], "c.json"),
}


@pytest.mark.slow
@posix
@pytest.mark.parametrize("before", [None, "old"], ids=["new", "replaced"])
@pytest.mark.parametrize(("argv", "file"), WRITING.values(), ids=WRITING)
def test_a_file_that_does_not_fit_the_disk_is_not_there(
    argv: list[str],
    file: str,
    before: str | None,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 5 and one line that names it; an old file stays as it was, and no part of the new one is left."""
    # Files may have 20 bytes: the kernel ends each write there, as a full disk does.
    if before is not None and file not in ("sheet.csv", "c.json"):
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(before, encoding="utf-8")
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    if file == "list.csv":
        pd.read_csv("table.csv").iloc[:-3].to_csv("table.csv", index=False)
        files[folder / "table.csv"] = Path("table.csv").read_bytes()
    # Python does not notice that only a part of its own cached code was written.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        code = ended(monkeypatch, *argv)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    shown = capsys.readouterr()
    assert (code, shown.err) == (5, f"error: {file}: cannot write here: File too large\n")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


@posix
@pytest.mark.parametrize("file", ["gate.xml", "gate.md", "list.csv", "sheet.csv", "c.json"])
def test_a_pipe_is_no_place_for_a_result(
    file: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one line, before anything is computed or another result written; the pipe is still one."""
    os.mkfifo(file)
    (argv,) = (argv for argv, target in WRITING.values() if target == file)
    first = ["--junit", "first.xml"] if file == "gate.md" else []
    assert ended(monkeypatch, *argv, *first) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (
        "", f"error: {file}: cannot write here: a device or a pipe (allowed: a file, old or new)\n",
    )  # fmt: skip
    assert Path(file).is_fifo()
    assert not Path("first.xml").exists()


NOT_FINITE = {
    "the gate's margin": ([*GATE, "--margin"], "0<x<1"),
    "the gate's alpha": ([*GATE, "--alpha"], "0<x<0.5"),
    **{f"plan's {name}": (["plan", "--rate", ".05", f"--{name}"], "0<=x<=1")
       for name in ("rate", "icc", "pairing", "sensitivity", "specificity", "other-rate")},
    **{f"plan's {name}": (["plan", "--rate", ".05", f"--{name}"], "0<x<1") for name in ("power", "alpha", "margin")},
    "a share of ranks": (["ranks", "table.csv", "--largest-unscored-share"], "0<=x<=1"),
    "a share of leaderboard": (["leaderboard", "table.csv", "-o", "board", "--largest-unscored-share"], "0<=x<=1"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "NaN"])
@pytest.mark.parametrize(("argv", "allowed"), NOT_FINITE.values(), ids=NOT_FINITE)
def test_what_is_no_number_is_wrong_usage(
    argv: list[str], allowed: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Exit code 2 and one line that names the option, the value and what is allowed."""
    assert ended(monkeypatch, *argv, value) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == f"Error: Invalid value for '{argv[-1]}': {value.lower()} is not in the range {allowed}."


def test_only_finite_ranges_are_asked_for() -> None:
    """No option of any command takes click's own range of floats, which lets nan through."""

    def options(command: click.Command) -> Iterator[click.Parameter]:
        yield from command.params
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), name)
                assert found is not None
                yield from options(found)

    ranges = [one for one in options(cli) if isinstance(one.type, click.FloatRange)]
    assert len(ranges) >= 12
    assert all(isinstance(one.type, FiniteRange) for one in ranges)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ranks", "gate", "leaderboard", "plan", "compare"])
def test_a_table_of_other_conditions_gets_advice_that_can_be_followed(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the conditions there are, what is needed, and which commands take others; not an option it lacks."""
    pd.read_csv("table.csv").assign(condition="monitoring=logged").to_csv("table.csv", index=False)
    sides = ["--base", "a", "--candidate", "b"] if command in ("gate", "compare") else []
    assert ended(monkeypatch, command, "table.csv", *sides) == 2
    said = capsys.readouterr().err
    assert "conditions in the table: 'monitoring=logged'" in said
    assert "rows with condition = default; `rates` and `compare` take others, with --by condition" in said
    assert ended(monkeypatch, "rates", "table.csv", "--by", "condition,turn") == 0


def _process(*argv: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    options.setdefault("stdout", subprocess.PIPE)
    environment = {**os.environ, **options.pop("env", {})}
    command = [sys.executable, "-m", "alignbench.cli", *argv]
    return subprocess.run(command, stderr=subprocess.PIPE, env=environment, check=False, **options)


@pytest.mark.slow
@posix
def test_a_process_ends_as_its_command_does(folder: Path) -> None:
    """Nothing is added when the interpreter ends: not its own exit code for a flush that failed, nor a traceback."""
    assert _process("--version").returncode == 0
    wrong = _process("rates", "none.csv")
    assert (wrong.returncode, wrong.stderr.count(b"\n")) == (2, 1)
    with Path("/dev/full").open("wb") as full:
        lost = _process("rates", "table.csv", stdout=full)
    assert (lost.returncode, lost.stderr.count(b"\n")) == (5, 1)
    for argv in (["rates", "table.csv"], ["--help"], ["rates", "table.csv", "--format", "json"]):
        reading, writing = os.pipe()
        os.close(reading)
        gone = _process(*argv, stdout=writing)
        os.close(writing)
        assert (gone.returncode, gone.stderr) == (141, b""), argv


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_an_encoding_that_lacks_a_character_ends_nothing(encoding: str, tmp_path: Path) -> None:
    """Names of any script and our own signs are printed on any terminal; JSON says the same as on every other."""
    import json

    names = ["modèle → 模型", "emoji😀"]
    tables = [simulated(name, 0.3 + at / 10, seed=at) for at, name in enumerate(names)]
    file = tmp_path / "table.csv"
    pd.concat(tables).to_csv(file, index=False)
    env = {"PYTHONIOENCODING": encoding}
    board = _process("ranks", str(file), env=env)
    assert board.returncode == 0, board.stderr
    shown = board.stdout.decode(encoding)
    assert r" -> \u6a21\u578b" in shown
    assert r"emoji\ud83d\ude00" in shown
    assert ("1-2" in shown) or ("1–2" in shown)
    rows = json.loads(_process("ranks", str(file), "--format", "json", env=env).stdout.decode(encoding))
    assert {row["model"] for row in rows} == set(names)
    assert {row["rank"] for row in rows} <= {"1-2", "1-1", "2-2"}
    wrong = _process("rates", str(tmp_path / "模.csv"), env=env)
    assert wrong.returncode == 2
    assert rb"\u6a21.csv: no such file" in wrong.stderr


@pytest.mark.slow
@posix
def test_a_long_error_is_folded_on_a_terminal_and_one_line_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong fits the screen, broken at blanks; a program that reads stderr finds one line."""
    name = "a_table_of_last_week.csv"
    asked = [sys.executable, "-m", "alignbench", "rates", *[name] * 5]
    monkeypatch.setenv("FORCE_COLOR", "1")
    one = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert one.stderr.count("\n") == 1
    monkeypatch.setenv("COLUMNS", "60")
    leader, follower = os.openpty()
    done = subprocess.run(asked, stdout=subprocess.DEVNULL, stderr=follower, check=False)
    os.close(follower)
    with os.fdopen(leader, "rb", buffering=0) as screen:
        said = b""
        # Linux ends a terminal that nobody writes to any more with an error.
        with suppress(OSError):
            while part := screen.read(4096):
                said += part
    lines = [line.rstrip() for line in said.decode().splitlines()]
    assert done.returncode == 2
    assert max(map(len, lines)) <= 60
    assert len(lines) > 1
    assert " ".join(lines) == one.stderr.rstrip()


OPENS = """
import resource, sys
import click
from alignbench.cli.ending import run

@click.group()
def group(): pass

@group.command()
def some():
    kept = []
    while True:
        kept.append(open("/dev/null"))

resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
sys.argv = ["alignbench", "some"]
run(group)
"""


@posix
@pytest.mark.slow
def test_an_end_is_told_where_nothing_can_be_opened_any_more() -> None:
    """To say what went wrong needs no file and no module that is not there yet."""
    done = subprocess.run([sys.executable, "-c", OPENS], capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert done.stderr.startswith("error: cannot read or write: Too many open files")
    assert done.stderr.count("\n") == 1
