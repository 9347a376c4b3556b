"""Logs whose samples are lost or damaged, for what reads whole samples: sheets of labels, and another judge."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from inspect_ai.model import get_model
from scripted_runs import judged, run, scripted, write_pack

from alignbench.errors import InputError
from alignbench.jobs.rescore import rescore
from alignbench.logs import verdicts
from alignbench.logs.transcripts import Wanted, read_transcripts
from alignbench.run.task import pack_task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _sample(members: dict[str, bytes]) -> str:
    return min(name for name in members if name.startswith("samples/"))


def lost(file: Path) -> None:
    """Leave out a sample that the summaries name."""
    members = _members(file)
    del members[_sample(members)]
    _write(file, members)


def cut(file: Path) -> None:
    """Keep half of a sample's JSON."""
    members = _members(file)
    name = _sample(members)
    members[name] = members[name][: len(members[name]) // 2]
    _write(file, members)


def other(file: Path) -> None:
    """Put another kind of object in a sample's place."""
    members = _members(file)
    members[_sample(members)] = b'{"id": []}'
    _write(file, members)


def flipped(file: Path) -> None:
    """Change a letter of a sample, whose JSON stays as good as it was, and let its checksum stand."""
    _flip(file, _sample(_members(file)), b"An answer.", b"No answer.")


def _flip(file: Path, name: str, old: bytes, new: bytes) -> None:
    """Put other text into an unpacked member; the checksum stays that of the old."""
    members = _members(file)
    assert len(old) == len(new)
    assert old in members[name]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as made:
        for each, content in members.items():
            made.writestr(each, content)
        at = made.getinfo(name).header_offset + 30 + len(name.encode())
    whole = file.read_bytes()
    place = whole.index(old, at)
    file.write_bytes(whole[:place] + new + whole[place + len(new) :])


def _write(file: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of two scenarios and their twins."""
    target, judge = scripted("target", lambda call: "An answer."), scripted("judge", lambda call: judged())
    run(pack_task(str(write_pack(tmp_path / "pack"))), target, judge, tmp_path / "logs")
    (file,) = (tmp_path / "logs").glob("*.eval")
    return file


def test_a_log_of_a_pack_called_as_all_packs_is_refused(log: Path) -> None:
    """Its rows would stand among those over all packs: one line names the log and the word."""
    members = _members(log)
    header = json.loads(members["header.json"])
    header["eval"]["metadata"]["pack"] = "overall"
    _write(log, members | {"header.json": json.dumps(header).encode()})
    with pytest.raises(InputError, match=rf"{log.name}: pack 'overall' \(allowed: another name"):
        verdicts([log])


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [lost, cut, other, flipped])
def test_what_needs_a_damaged_sample_names_the_log(log: Path, spoil: Callable[[Path], None]) -> None:
    """An error of one line, whatever Inspect, pydantic or zipfile raise, and the log is left as it was."""
    table = verdicts([log])
    wanted = [
        Wanted(*row) for row in table[["log", "sample_uuid", "turn"]].astype(object).itertuples(index=False, name=None)
    ]
    assert len(read_transcripts([log], wanted)) == len(table)
    spoil(log)
    before = log.read_bytes()
    for read in (
        lambda: read_transcripts([log], wanted),
        lambda: list(rescore([log], get_model("persona/grader"), in_place=True)),
    ):
        with pytest.raises(InputError) as caught:
            read()
        assert str(caught.value).startswith(str(log))
        assert "\n" not in str(caught.value)
    assert log.read_bytes() == before
    assert [file.name for file in log.parent.iterdir()] == [log.name]


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [("summaries.json", b"null,null,0,4", b"null,null,6,4"), ("header.json", b'"pack":"pack"', b'"pack":"pace"')],
)
def test_a_damaged_log_is_no_table(log: Path, member: str, old: bytes, new: bytes) -> None:
    """Inspect reads a header or summaries whose checksum is another's, and a verdict would be what nobody gave."""
    _flip(log, member, old, new)
    with pytest.raises(InputError, match=f"this log is damaged: {member} is damaged: its checksum is another"):
        verdicts([log])


@pytest.mark.parametrize("text", ['{"a":' * 100_000, '{"eval": ' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_json_without_bottom_is_refused_at_once(tmp_path: Path, text: str) -> None:
    """Inspect would read on it for minutes."""
    file = tmp_path / "deep.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="nested too deeply to be a log"):
        verdicts([file])
