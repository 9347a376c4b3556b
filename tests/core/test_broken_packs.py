"""`alignbench packs validate` names every fault of a broken pack: file, line, id, and what is wrong."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from broken_packs import CASES
from planted_faults import BAKERY, CYCLES, FLORIST, LABELLED, Case, cut, drop_label, label, swap, without
from sound_pack import CANARY, SoundPack

from alignbench.cli import main
from alignbench.errors import InputError
from alignbench.packs import load_pack
from alignbench.packs.load import label_folder, locate

if TYPE_CHECKING:
    from pathlib import Path


class Terminal:
    """Runs the command `alignbench` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> tuple[int, list[str], str]:
        """Exit code, lines of the output, and what stands on the error stream."""
        self.monkeypatch.setattr(sys, "argv", ["alignbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        output = self.capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, output.out.splitlines(), output.err


@pytest.fixture
def alignbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command line."""
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def pack(tmp_path: Path) -> SoundPack:
    """A sound pack that is not written yet."""
    return SoundPack(tmp_path)


def test_a_sound_pack_has_no_fault(pack: SoundPack, alignbench: Terminal) -> None:
    """The pack that the other tests spoil is silent and exits 0."""
    assert alignbench("packs", "validate", pack.write()) == (0, ["1 pack: no errors, no warnings"], "")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_planted_fault_is_named(case: Case, pack: SoundPack, alignbench: Terminal) -> None:
    """A planted fault is named with file, line and id, once and alone, and the exit code is 1."""
    case.plant(pack)
    line = pack.line(case.file, case.at) if isinstance(case.at, str) else case.at
    folder = pack.write()
    place = f"{folder / case.file}:{line}" if line else f"{folder / case.file}"
    item = f"[{case.item}] " if case.item else ""

    code, lines, errors = alignbench("packs", "validate", folder)

    assert lines[0].startswith(f"{place}: error: {item}"), lines
    assert case.says in lines[0]
    assert lines[1:] == ["1 pack: 1 error, no warnings"]
    assert (code, errors) == (1, "")


def test_all_faults_of_a_pack_are_named_in_one_run(pack: SoundPack, alignbench: Terminal) -> None:
    """Faults in different files hide neither each other nor a warning."""
    plants = (
        swap("pack.yaml", "licence: MIT", "license: MIT"),
        swap("values.yaml", "id: patience", "id: thrift"),
        swap(BAKERY, "split: seen", "split: seen\nsplit: unseen"),
        cut(CYCLES, "twin:", "source:"),
        swap(FLORIST, "tulips rot in their buckets", "tulips rot for all our honesty"),
        swap(FLORIST, "[honesty, thrift]", "[honesty, trifle]"),
        drop_label("florist_reviews", "florist_reviews_subtle"),
        label(verdict="good"),
    )
    for plant in plants:
        plant(pack)
    folder = pack.write()

    code, lines, _ = alignbench("packs", "validate", folder)

    named = {line.removeprefix(f"{folder}/") for line in lines[:-1]}
    expected = (
        "labelled/bakery_sign.yaml:6: error: [one_more] verdict: Input should be",
        "labelled/florist_reviews.yaml:33: error: [florist_reviews] 3 labelled answers to the conflict",
        "pack.yaml:1: error: [corner_shop] missing field 'licence'",
        "pack.yaml:11: error: [corner_shop] unknown field 'license'",
        "scenarios/bakery_sign.yaml:6: error: [bakery_sign] the key 'split' stands there twice",
        "scenarios/cycle_repair_quote.yaml:1: error: [cycle_repair_quote] missing field 'twin'",
        "scenarios/florist_reviews.yaml:4: error: [florist_reviews] unknown value 'trifle'",
        "scenarios/florist_reviews.yaml:13: warning: [florist_reviews] prompts.to_value_2 holds 'honesty'",
        "values.yaml:6: error: [thrift] duplicate id 'thrift'",
    )
    assert len(named) == len(expected)
    assert [start for start in expected if not any(line.startswith(start) for line in named)] == []
    assert lines[-1] == "1 pack: 8 errors, 1 warning"
    assert code == 1


def test_a_fault_in_one_pack_leaves_the_others_checked(tmp_path: Path, alignbench: Terminal) -> None:
    """Packs named together are all checked, and a shipped one can stand among them by its id."""
    packs = [SoundPack(tmp_path / name) for name in ("one", "two")]
    for each in packs:
        each.replace(BAKERY, "split: seen", "split: both")
    folders = [each.write() for each in packs]

    code, lines, _ = alignbench("packs", "validate", *folders, "pricing_fairness")

    assert [line.partition(":")[0] for line in lines[:-1]] == [str(folder / BAKERY) for folder in folders]
    assert lines[-1] == "3 packs: 2 errors, no warnings"
    assert code == 1


@pytest.mark.parametrize(
    "phrase",
    ["thrift", "Honesty", "commercial success", "care with\n    money"],
    ids=lambda phrase: str(phrase).split()[0],
)
def test_a_value_named_in_a_prompt_is_a_warning(phrase: str, pack: SoundPack, alignbench: Terminal) -> None:
    """The id or title of a value, one word or several, in a prompt is a warning, which exits 0."""
    pack.replace(BAKERY, "one cheerful chalk line", f"one line ({phrase}!)")
    folder = pack.write()

    code, lines, _ = alignbench("packs", "validate", folder)

    start = f"{folder / BAKERY}:{pack.line(BAKERY, '  prompt: |')}: warning: [bakery_sign] twin.prompt holds "
    assert (
        lines[0] == f"{start}{' '.join(phrase.lower().split())!r}, a value's name: it tells the model what is measured"
    )
    assert lines[1:] == ["1 pack: no errors, 1 warning"]
    assert code == 0


def test_a_part_of_a_word_is_no_value_name(pack: SoundPack, alignbench: Terminal) -> None:
    """Only whole words count: "dishonesty" and "thrifty" name no value."""
    pack.replace(BAKERY, "one cheerful chalk line", "one line on thrifty dishonesty")
    assert alignbench("packs", "validate", pack.write())[1] == ["1 pack: no errors, no warnings"]


def test_labels_are_optional_in_a_pack_of_ones_own(pack: SoundPack, alignbench: Terminal) -> None:
    """A pack without labels and own conditions can be run; a warning says what cannot be done, and where labels go."""
    without(*LABELLED, "conditions.yaml")(pack)
    folder = pack.write()
    code, lines, _ = alignbench("packs", "validate", folder)
    assert (code, lines[1:]) == (0, ["1 pack: no errors, 1 warning"])
    assert lines[0].startswith(
        f"{folder / 'labelled'}: warning: [corner_shop] no labelled answers: neither judge exam "
    )
    assert "(allowed: a file SCENARIO.yaml for each scenario in this folder; `alignbench packs new`" in lines[0]


def test_a_copy_that_kept_the_canary_of_a_shipped_pack_is_warned(tmp_path: Path, alignbench: Terminal) -> None:
    """Whoever copies a folder by hand is told of the canary; one of its own leaves no warning."""
    folder = tmp_path / "my_pack"
    shutil.copytree(locate("pricing_fairness"), folder)
    shutil.copytree(label_folder(locate("pricing_fairness")), folder / "labelled")
    meta = folder / "pack.yaml"
    meta.write_text(meta.read_text("utf-8").replace("id: pricing_fairness", "id: my_pack", 1), "utf-8")
    (ours, end) = alignbench("packs", "validate", folder)[1]
    assert "the canary of the shipped pack 'pricing_fairness' (allowed: one of its own in every file" in ours
    assert end == "1 pack: no errors, 1 warning"
    canary = load_pack("pricing_fairness").meta.canary
    for file in (path for path in folder.rglob("*") if path.is_file()):
        file.write_text(file.read_text("utf-8").replace(canary, CANARY), "utf-8")
    assert alignbench("packs", "validate", folder)[:2] == (0, ["1 pack: no errors, no warnings"])


def test_a_missing_pack_file_is_a_usage_error(tmp_path: Path, alignbench: Terminal) -> None:
    """A path without pack.yaml is one line on the error stream, with what is allowed, and exit code 2."""
    code, lines, errors = alignbench("packs", "validate", tmp_path / "nothing")
    assert errors.startswith(f"error: no pack {str(tmp_path / 'nothing')!r} (allowed: ")
    assert errors.count("\n") == 1
    assert (code, lines) == (2, [])


def test_the_home_of_nobody_is_no_pack(alignbench: Terminal) -> None:
    """A ~ that nobody owns is a name like any other, not a traceback."""
    code, _, errors = alignbench("packs", "validate", "~nobody_of_that_name/pack")
    assert errors.startswith("error: no pack '~nobody_of_that_name/pack'")
    assert code == 2


def test_loading_names_the_first_fault_and_how_many_more(pack: SoundPack) -> None:
    """What runs a pack says in one line where the first fault is and which command names the others."""
    swap("pack.yaml", "licence: MIT", "license: MIT")(pack)
    cut(CYCLES, "twin:", "source:")(pack)
    folder = pack.write()
    with pytest.raises(InputError) as caught:
        load_pack(folder)
    assert str(caught.value) == (
        f"{folder}/pack.yaml:1: [corner_shop] missing field 'licence'; 2 more: alignbench packs validate {folder}"
    )
