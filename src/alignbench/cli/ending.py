"""How a command ends: one line on what went wrong, and an exit code that nothing else has.

1 is the gate's word for "regressed", and Python's own code for a crash: a pipeline that cannot tell the two apart
blames a model for a full disk. So no error leaves here with 1.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click

from alignbench.errors import AlignbenchError, NotComparableError, WriteError, first_line
from alignbench.files import DISK
from alignbench.text.tables import wrapped
from alignbench.text.words import NARROW, PLAIN_ASCII, register_narrow, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TRACEBACK", "run"]

TRACEBACK = "ALIGNBENCH_TRACEBACK"
"""Environment variable that shows where an unexpected error came from."""
WRONG, NOT_COMPARABLE, UNEXPECTED, UNWRITTEN, INTERRUPTED, PIPE_CLOSED = 2, 3, 4, 5, 130, 141
_REGRESSED = 1


def run(group: click.Group) -> None:
    """Run the command of `sys.argv`, flush what it printed, and exit."""
    _fit_streams()
    # What a library cannot write into its own log is no news for whoever runs a command.
    logging.raiseExceptions = False
    code = _attempt(group)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BaseException as error:
        # What is said of a full disk or a closed pipe already is not said again.
        code = _ended(error) if code < UNEXPECTED else code
        _silence()
    if code == UNWRITTEN:
        # It is said; what is left of open files would fail, and be told, once more.
        _silence()
    sys.exit(code)


def _attempt(group: click.Group) -> int:
    """Run the command and return its exit code."""
    out = sys.stdout
    try:
        # Without standalone mode click returns the code that Context.exit was given.
        code = group.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except SystemExit as stop:
        # On a closed pipe click puts other streams in place of Python's, and exits with 1; rich exits with 1.
        return _stopped(stop, closed=sys.stdout is not out or _broken_pipe(stop.__context__))
    except BaseException as error:
        return _ended(error)


def _stopped(stop: SystemExit, *, closed: bool) -> int:
    """The code of a `sys.exit`: the gate's, one on a closed pipe, or somebody else's."""
    if closed:
        _silence()
        return PIPE_CLOSED
    if stop.code is None or isinstance(stop.code, int):
        alien = stop.code == _REGRESSED and sys.argv[1:2] != ["gate"]
        return UNEXPECTED if alien else stop.code or 0
    _say(f"error: {stop.code}")
    return UNEXPECTED


def _ended(error: BaseException) -> int:
    """Say in one line why a command ended, and return its exit code."""
    if _broken_pipe(error):
        _silence()
        return PIPE_CLOSED
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        # click makes its own of an interrupt.
        for said in (error.__cause__ or error).args:
            _say(str(said))
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        _shown(error)
        return WRONG
    if isinstance(error, AlignbenchError) and not isinstance(error, WriteError):
        _say(f"error: {error}")
        return NOT_COMPARABLE if isinstance(error, NotComparableError) else WRONG
    if os.environ.get(TRACEBACK):
        _say("".join(traceback.format_exception(error)), lines=True)
    disk = next((one for one in _chain(error) if _of_a_disk(one)), error if isinstance(error, OSError) else None)
    if disk is not None:
        _say(f"error: {disk if isinstance(disk, WriteError) else _disk(disk)}")
        return UNWRITTEN
    if isinstance(error, MemoryError):
        _say("error: not enough memory")
    else:
        said = first_line(error)
        what = type(error).__name__
        _say(f"error: unexpected {what}{f': {said}' if said != what else ''} ({TRACEBACK}=1 shows where)")
    return UNEXPECTED


def _disk(error: Any) -> str:
    said = os.strerror(error.errno) if error.errno else first_line(error)
    return f"cannot read or write: {said}{f' ({error.filename})' if error.filename else ''} ({TRACEBACK}=1 shows where)"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it was raised from or during."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _of_a_disk(error: BaseException) -> bool:
    return isinstance(error, WriteError) or (isinstance(error, OSError) and error.errno in DISK)


def _broken_pipe(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _shown(error: click.ClickException) -> None:
    try:
        error.show()
    except OSError:
        # Nobody is there to be told.
        _silence()


def _say(text: str, *, lines: bool = False) -> None:
    try:
        for line in [text] if lines else _folded(visible(text)):
            click.echo(line, err=True)
    except OSError:
        _silence()


def _folded(line: str) -> list[str]:
    """A line as it fits the terminal on stderr; elsewhere as it is. It imports nothing: memory may have run out."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return [line]
    stated = os.environ.get("COLUMNS", "")
    try:
        width = int(stated) if stated.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return [line]
    return wrapped(line, width) if 0 < width < len(line) else [line]


def _silence() -> None:
    """Send what is left in the streams nowhere, or Python would fail on it again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except (AttributeError, OSError, ValueError):
            # No stream, or one that is no file.
            continue


def _fit_streams() -> None:
    """Let no character that a stream cannot hold end a command."""
    register_narrow()
    for stream in (sys.stdout, sys.stderr):
        refit: Any = getattr(stream, "reconfigure", None)
        if refit is None:
            continue
        if (stream.encoding or "").lower().replace("_", "-") in ("ascii", "us-ascii", "646", "ansi-x3.4-1968"):
            refit(encoding=PLAIN_ASCII, errors=NARROW)
        else:
            refit(errors=NARROW)
