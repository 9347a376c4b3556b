"""Reading one member of a zip file: what `zipfile` reads, and an error for whatever is not plain."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignbench.logs.zip_member import read_member

if sys.version_info >= (3, 14):
    from zipfile import ZIP_ZSTANDARD
else:
    from zipfile_zstd import ZIP_ZSTANDARD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, ZIP_ZSTANDARD)
TEXT = b'{"a": [NaN, 1, "summaries.json"]}' * 50


def made(file: Path, members: dict[str, bytes], method: int = METHODS[2]) -> Path:
    """A zip file with these members."""
    with zipfile.ZipFile(file, "w", compression=method) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return file


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["summaries.json", "x/summaries.json", "summaries.json/x", "a", "aa", "é.json"]),
        st.binary(max_size=300),
        min_size=1,
    ),
    st.sampled_from(METHODS),
)
def test_it_reads_what_zipfile_reads(tmp_path: Path, members: dict[str, bytes], method: int) -> None:
    """Whatever the members are called and hold, and however they are compressed."""
    file = made(tmp_path / "made.zip", members, method)
    for name, content in members.items():
        assert read_member(file, name) == content
    for name in {"summaries.json", "json", "b"} - set(members):
        with pytest.raises(KeyError):
            read_member(file, name)


def test_a_member_that_was_replaced_is_the_new_one(tmp_path: Path) -> None:
    """Of two members of one name the later one counts, as for `zipfile` and Inspect."""
    file = made(tmp_path / "twice.zip", {"a": b"old", "b": b"other"})
    with (
        zipfile.ZipFile(file, "a", compression=METHODS[2]) as opened,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        opened.writestr("a", b"new")
    assert read_member(file, "a") == b"new"
    assert read_member(file, "b") == b"other"


def commented(file: Path) -> None:
    """Add a comment, which moves the end of the directory."""
    with zipfile.ZipFile(file, "a") as opened:
        opened.comment = b"hello"


def cut(file: Path) -> None:
    """Keep the first half."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def beheaded(file: Path) -> None:
    """Lose the first bytes, so that every offset is wrong."""
    file.write_bytes(file.read_bytes()[7:])


def emptied(file: Path) -> None:
    """Keep nothing."""
    file.write_bytes(b"")


def encrypted(file: Path) -> None:
    """Mark the member as encrypted."""
    content = bytearray(file.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(content)


def flipped(file: Path) -> None:
    """Change one byte of what is stored."""
    content = bytearray(file.read_bytes())
    content[content.find(b"NaN")] ^= 1
    file.write_bytes(content)


def unknown(file: Path) -> None:
    """Claim a compression that nobody knows."""
    content = bytearray(file.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 10] = 77
    file.write_bytes(content)


@pytest.mark.parametrize("spoil", [commented, cut, beheaded, emptied, encrypted, flipped, unknown])
def test_what_is_not_plain_is_an_error(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """A file with anything out of the ordinary, or damaged, is never read as if it were sound."""
    file = made(tmp_path / "spoilt.zip", {"a": TEXT}, zipfile.ZIP_STORED)
    assert read_member(file, "a") == TEXT
    spoil(file)
    with pytest.raises((zipfile.BadZipFile, KeyError)):
        read_member(file, "a")


@pytest.mark.parametrize("method", METHODS[1:])
def test_damage_inside_a_compressed_member_is_noticed(tmp_path: Path, method: int) -> None:
    """Each byte of the compressed text that is changed leads to an error, not to other text."""
    file = made(tmp_path / "damaged.zip", {"a": TEXT}, method)
    sound = file.read_bytes()
    # The local header has 30 bytes and the name one.
    for at in range(31, sound.find(b"PK\x01\x02")):
        file.write_bytes(sound[:at] + bytes([sound[at] ^ 0x55]) + sound[at + 1 :])
        try:
            found = read_member(file, "a")
        except Exception:  # each library has its own errors for this
            continue
        assert found == TEXT
