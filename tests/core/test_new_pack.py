"""`alignbench packs new` and `new_pack`: a copy of a pack that is a pack of its own from the first minute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner
from sound_pack import CANARY, SoundPack

from alignbench.cli import cli
from alignbench.errors import InputError
from alignbench.packs import load_pack, shipped_packs
from alignbench.packs.check import validate_packs
from alignbench.packs.new import new_pack

if TYPE_CHECKING:
    from pathlib import Path

CANARIES = re.compile(r"alignbench:[0-9a-f-]{36}")


def files(folder: Path) -> dict[str, str]:
    """Every file of a folder, by path within it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found}


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_packs())
def test_a_copy_of_a_shipped_pack_is_sound_and_asks_the_same(name: str, tmp_path: Path) -> None:
    """Nothing is left to warn of, labelled answers are there, and the digests are those of the source."""
    source, copy = load_pack(name), new_pack(name, tmp_path / "my_pack")
    assert [str(fault) for fault in validate_packs([tmp_path / "my_pack"])[0]] == []
    assert (copy.id, copy.meta.version) == ("my_pack", "1-A")
    assert (copy.digest, copy.label_digest) == (source.digest, source.label_digest)
    assert copy.meta.standard == source.meta.standard


def test_every_file_has_the_same_new_canary(tmp_path: Path) -> None:
    """A leak of the copy is told of the copy: the source's canary stands nowhere, and no two copies share one."""
    one, two = (new_pack("pricing_fairness", tmp_path / name) for name in ("one", "two"))
    for pack in (one, two):
        found = {name: set(CANARIES.findall(text)) for name, text in files(pack.folder).items()}
        assert len(found) == 1 + 2 * len(pack.scenarios)
        assert set(map(frozenset, found.values())) == {frozenset([pack.meta.canary])}
    assert len({one.meta.canary, two.meta.canary, load_pack("pricing_fairness").meta.canary}) == 3


def test_the_copy_says_where_it_comes_from(tmp_path: Path) -> None:
    """Pack and version of the source stand in the provenance and in every scenario, beside what stood there."""
    source, copy = load_pack("pricing_fairness"), new_pack("pricing_fairness", tmp_path / "my_pack")
    origin = "from the pack pricing_fairness, version 1-A"
    provenance = " ".join(copy.meta.provenance.split())
    assert provenance.startswith(
        f"Copied with `alignbench packs new` {origin} (digest {source.digest[:12]}), which says"
    )
    assert provenance.endswith(" ".join(source.meta.provenance.split()))
    for name, scenario in copy.scenarios.items():
        before = source.scenarios[name].source
        assert " ".join(scenario.source.note.split()) == f"Copied {origin}, where the note is: {before.note}"
        assert scenario.source.model_copy(update={"note": before.note}) == before
    assert "CARD.md" not in files(copy.folder)


def test_a_pack_of_ones_own_is_copied_with_values_conditions_and_comments(tmp_path: Path) -> None:
    """By path, with all that a pack may have; what is no part of a pack stays behind, and so does the source."""
    sound = SoundPack(tmp_path)
    sound.replace("scenarios/bakery_sign.yaml", "split: seen", "split: seen  # for now")
    sound.replace("pack.yaml", 'version: "1-A"', 'version: "3-B"  # third edition')
    sound.files["notes.txt"] = f"Not for others. {CANARY}"
    before = files(sound.write())

    copy = new_pack(str(sound.folder), tmp_path / "elsewhere" / "corner_shop")

    assert copy.meta.provenance.startswith("Copied with `alignbench packs new` from the pack corner_shop, version 3-B")
    copied = files(copy.folder)
    assert set(copied) == set(before) - {"notes.txt"}
    assert "version: 1-A  # third edition" in copied["pack.yaml"]
    for name in ("values.yaml", "conditions.yaml", "labelled/bakery_sign.yaml"):
        assert copied[name] == before[name].replace(CANARY, copy.meta.canary)
    assert "split: seen  # for now" in copied["scenarios/bakery_sign.yaml"]
    assert files(sound.folder) == before


STYLES = {
    "in quotes": "note: 'It is: somebody''s'",
    "folded": "note: >-\n    Folded\n    text.",
    "with a comment": "note: Made here.  # by hand",
    "in braces": None,
}


@pytest.mark.parametrize("style", STYLES)
def test_a_note_is_kept_however_it_is_written(style: str, tmp_path: Path) -> None:
    """Quotes, blocks, comments and braces of YAML are all the same text."""
    sound, written = SoundPack(tmp_path), STYLES[style]
    if written is None:
        sound.cut("scenarios/bakery_sign.yaml", "source:\n", "  note: Made")
        sound.replace("scenarios/bakery_sign.yaml", "  note: Made for a test.",
                      "source: {origin: original, note: 'Old: \"yes\"', author: somebody}")  # fmt: skip
    else:
        sound.replace("scenarios/bakery_sign.yaml", "note: Made for a test.", written)
    text = yaml.safe_load(sound.text("scenarios/bakery_sign.yaml"))["source"]["note"]

    copy = new_pack(sound.write(), tmp_path / "copy")

    wanted = f"Copied from the pack corner_shop, version 1-A, where the note is: {text}"
    assert copy.scenarios["bakery_sign"].source.note == wanted


@pytest.mark.parametrize("name", ["123", "true", "null", "1_000", "a" * 60])
def test_a_name_that_yaml_takes_for_something_else_is_a_name(name: str, tmp_path: Path) -> None:
    """Whatever of letters, digits and _ stands as the folder's name is the pack's id."""
    assert new_pack(SoundPack(tmp_path).write(), tmp_path / name).id == name


@pytest.mark.parametrize("name", ["My_pack", "my-pack", "my pack", "pack.yaml", "überall", "a" * 61, "overall"])
def test_a_name_that_no_pack_can_have_is_refused(name: str, tmp_path: Path) -> None:
    """The name is repeated with what is allowed, and nothing is made."""
    with pytest.raises(InputError) as caught:
        new_pack("pricing_fairness", tmp_path / name)
    assert f"a pack cannot be named {name!r}" in str(caught.value)
    assert "(allowed: 1 to 60 small letters, digits and _, other than overall, deception" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_shipped_pack_is_taken(tmp_path: Path) -> None:
    """Two packs of one name would be one in every table."""
    with pytest.raises(InputError, match="cannot be named 'pricing_fairness'"):
        new_pack("deception_assistance", tmp_path / "pricing_fairness")


def test_only_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """An empty one is taken, the current one by its dot too; what holds anything stays as it is."""
    target = tmp_path / "mine"
    target.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(target)
        assert new_pack("pricing_fairness", ".").id == "mine"
    before = files(target)
    with pytest.raises(InputError, match=r"mine: this folder is not empty \(allowed: one that is not there yet"):
        new_pack("deception_assistance", target)
    assert files(target) == before


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("poetry", "new", "no pack 'poetry' (allowed: deception_assistance, honesty_vs_helpfulness, pricing_fairness"),
        ("pricing_fairness", "file/new", "cannot make this folder: Not a directory"),
        ("pricing_fairness", "file", "cannot make this folder: File exists"),
        ("pricing_fairness", "a\0b", "cannot make this folder (allowed: the path of a new folder)"),
        ("pricing_fairness", "x" * 300 + "/new", "cannot make this folder: File name too long"),
        ("pricing_fairness", "s3://bucket/new", "cannot write here: results are written to this machine only"),
    ],
)
def test_what_cannot_be_copied_is_named(
    source: str, target: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown pack, and a place where no folder can be made, are one clear error; nothing is made."""
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        new_pack(source, target)
    assert says in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_pack_with_faults_is_not_copied(tmp_path: Path) -> None:
    """Its first fault is named with its line, as where it is run."""
    sound = SoundPack(tmp_path)
    sound.replace("pack.yaml", "licence: MIT\n", "")
    with pytest.raises(InputError, match=r"pack\.yaml:1: \[corner_shop\] missing field 'licence'"):
        new_pack(sound.write(), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("existing", [True, False], ids=["empty folder", "no folder"])
def test_a_copy_that_fails_leaves_nothing(existing: bool, tmp_path: Path) -> None:
    """Where the copy would be no pack (an alias of the old name) all is as it was, folders above it too."""
    sound, above = SoundPack(tmp_path / "source"), tmp_path / "above"
    sound.replace("pack.yaml", "id: corner_shop", "id: &name corner_shop")
    sound.replace("pack.yaml", "title: Small shops and what they tell their customers", "title: *name")
    target = above / "copy"
    if existing:
        target.mkdir(parents=True)
    with pytest.raises(InputError, match="not YAML: found undefined alias"):
        new_pack(sound.write(), target)
    assert list(above.rglob("*")) == ([target] if existing else [])
    assert above.exists() == existing


def test_the_command_copies_and_says_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was copied from where, and the two commands that follow, as they can be typed."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["packs", "new", "some place/my_pack", "--from", "pricing_fairness"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "my_pack: 14 scenarios, 89 labelled answers, copied from pricing_fairness, version 1-A."
    assert lines[1] == "wrote some place/my_pack"
    assert lines[-2:] == [
        "  alignbench packs validate 'some place/my_pack'",
        "  inspect eval alignbench/pack -T path='some place/my_pack' --model M --model-role grader=J",
    ]
    checked = CliRunner().invoke(cli, ["packs", "validate", "some place/my_pack"])
    assert (checked.exit_code, checked.output) == (0, "1 pack: no errors, no warnings\n")


def test_the_command_needs_a_pack_to_copy(tmp_path: Path) -> None:
    """Without --from nothing is guessed: usage, exit code 2."""
    result = CliRunner().invoke(cli, ["packs", "new", str(tmp_path / "mine")])
    assert (result.exit_code, "Missing option '--from'" in result.output) == (2, True)
    assert not (tmp_path / "mine").exists()
