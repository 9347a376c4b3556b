"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alignbench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["atomic_path", "make_folder", "what_stands_at", "write_text"]


def what_stands_at(path: str | Path) -> str:
    """What a path is that is no file, for an error that says so."""
    place = Path(path)
    return "no such file or folder" if not place.exists() else "a folder" if place.is_dir() else "a device or a pipe"


def make_folder(path: str | Path) -> Path:
    """Make the folder that results go into, with those above it, unless it is there.

    Raises:
        InputError: It cannot be made, or a file stands in its place.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make this folder: {error.strerror}", file=folder) from error
    return folder


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes its place when the block ends without an error.

    The folder must be there (`make_folder` makes one): in the name of one file a missing folder is mostly a slip.

    Raises:
        InputError: There is no such folder, it cannot be written to, or `path` is a folder itself.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not target.parent.exists():
            raise InputError(f"cannot write here: no folder {str(target.parent)!r}", file=target,
                             allowed="a folder that exists")  # fmt: skip
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    except OSError as error:
        raise InputError(f"cannot write here: {error.strerror}", file=target) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; a result is as readable as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, atomically.

    Raises:
        InputError: There is no such folder, or it cannot be written to.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
