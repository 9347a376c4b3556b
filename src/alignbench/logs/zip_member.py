"""One member of a zip file, without an object for each of the thousands that stand beside it.

`zipfile` reads the whole directory first, which takes as long as reading what we want of a log.
"""

from __future__ import annotations

import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["read_member"]

# The layouts are those of the ZIP specification (APPNOTE 4.3.16, 4.3.12 and 4.3.7).
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED, _ZSTANDARD = 0, 8, 93


def read_member(path: str | Path, name: str) -> bytes:
    """Read one member of a plain zip file: no comment, no encryption, less than 4 GB.

    Args:
        path: The file.
        name: Full name of the member; of several the last one counts.

    Raises:
        KeyError: There is no such member.
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
        raise zipfile.BadZipFile(f"{name} is damaged")
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
