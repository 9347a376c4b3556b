"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import InputError, WriteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

__all__ = [
    "DISK", "atomic_path", "make_folder", "new_folder", "require_local", "spare_inputs", "spare_others", "together",
    "what_stands_at", "write_text",
]  # fmt: skip

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""`s3://bucket`, which a Path makes `s3:/bucket` of; a drive of Windows has one letter."""
DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
"""What a disk says that is full or fails: no fault of whoever chose the place."""


_waiting: ContextVar[list[tuple[Path, Path]] | None] = ContextVar("waiting", default=None)
"""Finished files of a block of `together`, each with the place that it will take."""


def what_stands_at(path: str | Path) -> str:
    """What a path is that is no file, for an error that says so."""
    place = Path(path)
    if not place.exists():
        return "no such file or folder"
    return "a folder" if place.is_dir() else "a socket" if place.is_socket() else "a device or a pipe"


def make_folder(path: str | Path) -> Path:
    """Make the folder that results go into, with those above it, unless it is there.

    Raises:
        InputError: It cannot be made, a file stands in its place, or it is an address such as s3://.
        WriteError: The disk is full or fails.
    """
    require_local(path)
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in DISK:
            raise _disk_error(folder, error) from error
        raise InputError(f"cannot make this folder: {error.strerror}", file=folder) from error
    return folder


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Make a folder for the block to fill; if the block fails, everything is as it was before.

    Args:
        path: A folder that is not there yet, or is empty.

    Raises:
        InputError: It holds something, cannot be made, is no folder, or is an address such as s3://.
        WriteError: The disk is full or fails.
    """
    require_local(path)
    folder = Path(path)
    try:
        made = [part for part in (folder, *folder.parents) if not part.exists()]
        full = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot make this folder: {error.strerror}", file=folder) from error
    if full:
        raise InputError("this folder is not empty", file=folder, allowed="one that is not there yet, or is empty")
    try:
        yield make_folder(folder)
    except BaseException:
        for part in folder.iterdir() if folder.is_dir() else ():
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        for part in made:
            with suppress(OSError):
                part.rmdir()
        raise


def require_local(path: str | Path) -> None:
    """Refuse an address: what is written to it would lie in a folder of that name on this machine.

    Raises:
        InputError: It is an address such as s3://.
    """
    address = _ELSEWHERE.match(str(path))
    if address:
        # A Path has lost one of the two strokes.
        shown = f"{address[0]}/{str(path)[address.end() :].lstrip('/')}"
        raise InputError("cannot write here: results are written to this machine only", file=shown,
                         allowed="a path; copy the result there afterwards")  # fmt: skip


def _require_file(path: str | Path) -> None:
    """Refuse what stands in a file's place and is none: a rename would put a file where a device was."""
    target = Path(path)
    try:
        other = target.exists() and not target.is_file()
    except OSError as error:
        raise InputError(f"cannot write here: {error.strerror}", file=target) from error
    if other:
        raise InputError(f"cannot write here: {what_stands_at(target)}", file=target, allowed="a file, old or new")


def _disk_error(path: Path, error: OSError) -> WriteError:
    return WriteError(f"{path}: cannot write here: {os.strerror(error.errno or 0)}")


def spare_inputs(outputs: Iterable[str | Path | None], inputs: Iterable[str | Path | None]) -> None:
    """Refuse to write over what is read, or two results into one file; call it before anything is written.

    Args:
        outputs: Files that will be written; None for one that is not asked for.
        inputs: Files that are read; folders and what is not there (a log elsewhere) are passed over.

    Raises:
        InputError: A file would be written over, however the two names are spelled, or an output is an address, a
            folder, a device, a pipe or a socket.
    """
    taken = {_place(path): "it is an input" for path in inputs if path is not None and Path(path).is_file()}
    for path in outputs:
        if path is None:
            continue
        require_local(path)
        _require_file(path)
        place = _place(path)
        if place in taken:
            raise InputError(f"cannot write here: {taken[place]}", file=path, allowed="another file")
        taken[place] = "another result goes here"


def _place(path: str | Path) -> object:
    """What is the same for all names of one file."""
    file = Path(path)
    try:
        found = file.stat()
    except OSError:
        return file.absolute()
    return found.st_dev, found.st_ino


def spare_others(path: str | Path, mark: str, what: str) -> None:
    """Refuse to replace a file that is not of our making.

    Args:
        path: Where a result will be written; nothing need be there.
        mark: Text that every file of this kind holds.
        what: The kind, in words.

    Raises:
        InputError: Another file is there.
    """
    file = Path(path)
    try:
        ours = not file.is_file() or mark.encode() in file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read what is here: {error.strerror}", file=file) from error
    if not ours:
        raise InputError(f"another file is here already, and it is no {what}", file=file, allowed="a new file")


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes its place when the block ends without an error.

    The folder must be there (`make_folder` makes one): in the name of one file a missing folder is mostly a slip.

    Raises:
        InputError: There is no such folder, it cannot be written to, or `path` is an address, a folder, a device, a
            pipe or a socket.
        WriteError: The disk is full or fails, here or while the block writes; `path` is as it was.
    """
    require_local(path)
    _require_file(path)
    target = Path(path)
    try:
        if not target.parent.exists():
            raise InputError(f"cannot write here: no folder {str(target.parent)!r}", file=target,
                             allowed="a folder that exists")  # fmt: skip
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    except OSError as error:
        if error.errno in DISK:
            raise _disk_error(target, error) from error
        raise InputError(f"cannot write here: {error.strerror}", file=target) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; a result is as readable as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        waiting = _waiting.get()
        if waiting is None:
            temporary.replace(target)
        else:
            waiting.append((temporary, target))
    except OSError as error:
        if error.errno in DISK:
            raise _disk_error(target, error) from error
        raise
    finally:
        if (temporary, target) not in (_waiting.get() or ()):
            temporary.unlink(missing_ok=True)


@contextmanager
def together() -> Iterator[None]:
    """Let the files that `atomic_path` and `write_text` write in this block take their places at its end, or none.

    Raises:
        WriteError: The disk fails; what came before the failure has its place.
    """
    if _waiting.get() is not None:
        # The block around this one ends later.
        yield
        return
    waiting: list[tuple[Path, Path]] = []
    token = _waiting.set(waiting)
    try:
        yield
        with _uninterrupted():
            for temporary, target in waiting:
                temporary.replace(target)
    finally:
        _waiting.reset(token)
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C back until the block is done; only the main thread is told of it."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    kept: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda _, frame: kept.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if kept:
        before(signal.SIGINT, kept[0])


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, atomically; half a character is escaped, as JSON does.

    Raises:
        InputError: There is no such folder, or it cannot be written to.
        WriteError: The disk is full or fails.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
