"""Members of a zip file, their checksums compared: Inspect's own reader takes a flipped byte for text.

One member is read without an object for each of the thousands that stand beside it: `zipfile` reads the whole
directory first, which takes as long as reading what we want of a log.
"""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alignbench.errors import first_line

if sys.version_info < (3, 14):
    import zipfile_zstd  # noqa: F401  (teaches zipfile zstd, which it knows from 3.14 on)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

__all__ = ["DamagedMemberError", "check_members", "open_zip", "read_member"]

# The layouts are those of the ZIP specification (APPNOTE 4.3.16, 4.3.12 and 4.3.7).
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED, _ZSTANDARD = 0, 8, 93


class DamagedMemberError(zipfile.BadZipFile):
    """A member whose content is not what was packed."""


def open_zip(path: str | Path, mode: Literal["r", "w"] = "r", method: int = zipfile.ZIP_STORED) -> zipfile.ZipFile:
    """A zip file whose members may be packed by zstd, as Inspect packs them."""
    return zipfile.ZipFile(path, mode, compression=method)


def check_members(path: str | Path, names: Iterable[str]) -> None:
    """Read some members of a zip file from end to end.

    Args:
        path: The file.
        names: Full names of the members.

    Raises:
        zipfile.BadZipFile: No zip file, or a member is lost or damaged.
    """
    with open_zip(path) as opened:
        for name in names:
            try:
                with opened.open(name) as member:
                    while member.read(1 << 20):
                        pass
            except Exception as error:  # zlib, zstandard and zipfile have no common class for "this is damaged"
                raise DamagedMemberError(f"{name} is lost or damaged: {first_line(error)}") from error


def read_member(path: str | Path, name: str) -> bytes:
    """Read one member of a plain zip file: no comment, no encryption, less than 4 GB.

    Args:
        path: The file.
        name: Full name of the member; of several the last one counts.

    Raises:
        KeyError: There is no such member.
        DamagedMemberError: Its content is not what was packed.
        zipfile.BadZipFile: No zip file, a damaged one, or one that is not plain.
    """
    with Path(path).open("rb") as file:
        method, checksum, packed, size, offset = _find(_directory(file), name.encode())
        file.seek(offset)
        signature, *_, name_length, extra_length = _LOCAL.unpack(_exactly(file, _LOCAL.size))
        if signature != b"PK\x03\x04":
            raise zipfile.BadZipFile(f"no member at {offset}")
        file.seek(name_length + extra_length, 1)
        content = _unpacked(method, _exactly(file, packed), size)
    if zlib.crc32(content) != checksum:
        raise DamagedMemberError(f"{name} is damaged: its checksum is another")
    return content


def _exactly(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) != size:
        raise zipfile.BadZipFile("the file ends too early")
    return found


def _directory(file: BinaryIO) -> bytes:
    """The central directory."""
    end = file.seek(0, 2) - _END.size
    if end < 0:
        raise zipfile.BadZipFile("too short for a zip file")
    file.seek(end)
    signature, _, _, _, _, size, offset, _ = _END.unpack(_exactly(file, _END.size))
    if signature != b"PK\x05\x06" or offset + size > end:
        raise zipfile.BadZipFile("no plain zip file")
    file.seek(offset)
    return _exactly(file, size)


def _find(directory: bytes, name: bytes) -> tuple[int, int, int, int, int]:
    """Method, checksum, packed size, size and offset of a member."""
    at = len(directory)
    while (at := directory.rfind(name, 0, at)) >= 0:
        start = at - _ENTRY.size
        if start >= 0 and directory[start : start + 4] == b"PK\x01\x02":
            _, _, _, flags, method, _, _, checksum, packed, size, length, *_, offset = _ENTRY.unpack_from(
                directory, start
            )
            if length == len(name) and not flags & 1:
                return method, checksum, packed, size, offset
    raise KeyError(name.decode())


def _unpacked(method: int, content: bytes, size: int) -> bytes:
    if method == _STORED:
        return content
    if not size:
        return b""
    if method == _DEFLATED:
        return zlib.decompress(content, -zlib.MAX_WBITS, size)
    if method != _ZSTANDARD:
        raise zipfile.BadZipFile(f"compressed by method {method}")
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.decompress(content)
    import zstandard

    return zstandard.ZstdDecompressor().decompress(content, max_output_size=size)
