"""Files are written whole or not at all."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alignbench.errors import InputError
from alignbench.files import (
    atomic_path,
    describe_path,
    make_folder,
    refuse_overwriting_inputs,
    refuse_replacing_other_files,
    together,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def test_text_is_written_as_it_is_in_utf8(tmp_path: Path) -> None:
    """Line ends and letters arrive as they are, on every system."""
    target = tmp_path / "text.md"
    write_text(target, "é\nü\r\n")
    assert target.read_bytes() == "é\nü\r\n".encode()


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    """Nothing of a longer old text stays."""
    target = tmp_path / "text.md"
    target.write_text("a much longer old text", encoding="utf-8")
    write_text(str(target), "new")
    assert target.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_the_target_appears_only_at_the_end(tmp_path: Path) -> None:
    """Until the block ends a reader sees the old file; the temporary one has the same suffix and folder."""
    target = tmp_path / "table.csv"
    target.write_text("old", encoding="utf-8")
    with atomic_path(target) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "old"
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".csv")
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.parametrize("before", ["old", None])
def test_an_error_leaves_everything_as_it_was(before: str | None, tmp_path: Path) -> None:
    """A block that breaks off leaves the old file, or none, and no litter."""
    target = tmp_path / "table.csv"
    if before is not None:
        target.write_text(before, encoding="utf-8")

    def break_off() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == [before] * (before is not None)


def test_half_a_character_is_escaped(tmp_path: Path) -> None:
    """Half of a surrogate pair, which JSON may hold, is written as JSON writes it; the file is whole."""
    target = tmp_path / "text.md"
    write_text(target, "a\ud800b")
    assert target.read_text(encoding="utf-8") == r"a\ud800b"


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_result_is_as_readable_as_any_new_file(mask: int, mode: int, tmp_path: Path) -> None:
    """The user's umask decides, not the privacy of temporary files, and it is left as it was."""
    before = os.umask(mask)
    try:
        write_text(tmp_path / "text.md", "text")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "text.md").stat().st_mode & 0o777 == mode


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    """A file where a folder is needed is named."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"file/text\.md: cannot write here"):
        write_text(tmp_path / "file" / "text.md", "text")
    with pytest.raises(InputError, match=r"file: cannot make this folder"):
        make_folder(tmp_path / "file")


def test_a_missing_folder_is_a_slip_in_the_name_of_a_file_and_made_as_a_folder(tmp_path: Path) -> None:
    """A file goes into a folder that exists; a folder for results is made, with those above it, and made once."""
    with pytest.raises(InputError, match=r"reslts/text\.md: cannot write here: no folder '.*reslts'"):
        write_text(tmp_path / "reslts" / "text.md", "text")
    assert list(tmp_path.iterdir()) == []
    folder = make_folder(tmp_path / "new" / "folder")
    assert make_folder(folder).is_dir()
    write_text(folder / "text.md", "text")


def test_a_target_that_is_a_folder_is_a_clear_error(tmp_path: Path) -> None:
    """A folder where a file is to be written is named, and nothing is left behind."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder: cannot write here"):
        write_text(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def _socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        before = Path.cwd()
        # The name of a socket may have a hundred letters.
        os.chdir(place.parent)
        try:
            end.bind(place.name)
        finally:
            os.chdir(before)


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (lambda place: os.mkfifo(place), "a device or a pipe"),
    "a socket": (_socket, "a socket"),
    "a link to a device": (lambda place: place.symlink_to(os.devnull), "a device or a pipe"),
    "a folder": (lambda place: place.mkdir(), "a folder"),
}


@pytest.mark.skipif(os.name != "posix", reason="pipes, sockets and devices of POSIX")
@pytest.mark.parametrize(("make", "what"), SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_file_is_never_replaced(make: Callable[[Path], object], what: str, tmp_path: Path) -> None:
    """One line says what stands there, before anything is written; it stands there still, and nothing beside it."""
    target = tmp_path / "place"
    make(target)
    before = target.lstat()
    assert describe_path(target) == what
    with pytest.raises(InputError, match=f"place: cannot write here: {what} \\(allowed: a file, old or new\\)"):
        write_text(target, "text")
    with pytest.raises(InputError, match=f"place: cannot write here: {what}"):
        refuse_overwriting_inputs([tmp_path / "first", target], [])
    after = target.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_too_long_for_the_disk_is_a_clear_error(tmp_path: Path) -> None:
    """What the file system refuses is one line too."""
    with pytest.raises(InputError, match="cannot write here"):
        write_text(tmp_path / ("a" * 300), "text")


def test_files_of_one_result_take_their_places_together(tmp_path: Path) -> None:
    """Until the outermost block ends no file is there; a failure in it leaves none and no litter."""
    first, second = tmp_path / "one.md", tmp_path / "two.md"
    with together():
        write_text(first, "one")
        with together():
            write_text(second, "two")
        assert not first.exists()
        assert not second.exists()
    assert (first.read_text("utf-8"), second.read_text("utf-8")) == ("one", "two")

    def break_off() -> None:
        with together():
            write_text(first, "other")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert first.read_text("utf-8") == "one"
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_a_file_of_another_kind_is_not_replaced(tmp_path: Path) -> None:
    """A result goes where nothing or one of its kind is; what does not hold the mark stays, and is named."""
    file = tmp_path / "card.json"
    refuse_replacing_other_files(file, "our mark", "judge card")
    file.write_text("with our mark", encoding="utf-8")
    refuse_replacing_other_files(file, "our mark", "judge card")
    file.write_text("a letter", encoding="utf-8")
    with pytest.raises(InputError, match=r"card\.json.*no judge card"):
        refuse_replacing_other_files(file, "our mark", "judge card")


@pytest.mark.parametrize("write", [make_folder, lambda path: write_text(path, "text")], ids=["folder", "file"])
def test_an_address_is_no_place_on_this_machine(write: Callable[[str], object]) -> None:
    """Nothing is written into a folder that is called like an address; the error shows it as it was given."""
    with pytest.raises(InputError, match="s3://bucket/out"):
        write("s3://bucket/out")
    assert not Path("s3:").exists()
