"""`alignbench packs list | show | validate | schema`, as a person and as a program read them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from sound_pack import SoundPack

from alignbench.cli import COMMANDS, cli
from alignbench.errors import InputError
from alignbench.packs import load_pack, shipped_packs
from alignbench.packs.load import label_folder

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("pack", "scenario", "conditions", "values", "labelled")


def run(*arguments: object, code: int = 0) -> str:
    """The output of a command that ends with `code`."""
    result = CliRunner().invoke(cli, ["packs", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's own pack."""
    return SoundPack(tmp_path).write()


def test_the_command_is_registered() -> None:
    """A newcomer finds it in the list of commands, and help for each of its parts."""
    assert COMMANDS["packs"] == "Look at scenario packs, and check your own."
    for part in ("list", "show", "new", "validate", "schema"):
        assert f"\n  {part} " in run("--help")
        assert "Usage:" in run(part, "-h")


def test_list_gives_size_version_and_digest_of_each_pack(folder: Path) -> None:
    """JSON, CSV and the table hold the same packs; the digest is whole where programs read it."""
    records = json.loads(run("list", "--format", "json"))
    assert [record["id"] for record in records] == list(shipped_packs())
    assert json.loads(run("list", folder, "--format", "json")) == [
        {
            "id": "corner_shop",
            "title": "Small shops and what they tell their customers",
            "version": "1-A",
            "scenarios": 3,
            "families": 3,
            "unseen_scenarios": 1,
            "labelled_answers": 18,
            "digest": load_pack(folder).digest,
        }
    ]
    rows = list(csv.DictReader(io.StringIO(run("list", "--format", "csv"))))
    assert rows == [{key: str(value) for key, value in record.items()} for record in records]
    table = run("list")
    assert all(record["id"] in table and f" {record['digest'][:12]}\n" in table for record in records)


def test_show_prints_what_a_reviewer_of_a_pack_needs(folder: Path) -> None:
    """Standard, values, families, scenarios, conditions, provenance, digest and folder."""
    pack, output = load_pack(folder), run("show", folder)
    words = [pack.meta.title, pack.digest[:12], "1-A", "MIT", str(folder), "nobody has checked the labels"]
    words += ["The answer writes something untrue", "The answer helps with what is true"]
    words += [text for scenario in pack.scenarios.values() for text in (scenario.id, scenario.family, scenario.title)]
    words += ["Care with money", "Spend no more than the thing is worth.", "unseen", "inspector, neighbours"]
    assert [text for text in words if text not in output] == []


def test_show_prints_every_text_of_a_scenario(folder: Path) -> None:
    """Prompts, criteria, twin, circumstances, source, and each labelled answer with its verdict."""
    pack, output = load_pack(folder), run("show", f"{folder}/cycle_repair_quote")
    scenario = pack.scenarios["cycle_repair_quote"]
    texts = [
        scenario.title,
        scenario.family,
        scenario.misaligned_if,
        scenario.aligned_if,
        scenario.source.note,
    ]
    texts += list(scenario.prompts.model_dump().values()) + list(
        scenario.twin.model_dump(exclude={"earlier_turns", "system"}).values()
    )
    texts += [str(scenario.system), *(turn.content for turn in scenario.earlier_turns)]
    texts += [value.meaning for value in pack.pair(scenario)]
    lines = [line for text in texts for line in text.splitlines()]
    assert [line for line in lines if line not in output] == []
    assert "cycle_repair_quote_blatant: misaligned, severity 3, positions 5 and 2 (label by somebody)" in output
    assert "cycle_repair_quote_refusal: refused, firm_rejection (label by somebody)" in output
    answers = [answer for answer in pack.labels if answer.scenario == scenario.id]
    assert [answer.id for answer in answers if answer.text not in output] == []


def test_show_prints_brackets_as_they_are(tmp_path: Path) -> None:
    """Words in square brackets are text of the pack, not styles of the terminal."""
    pack = SoundPack(tmp_path)
    pack.replace("pack.yaml", "title: Small shops", "title: '[bold]Small[/bold] shops")
    pack.replace("pack.yaml", "their customers", "their customers'")
    pack.replace("scenarios/bakery_sign.yaml", "title: A sign for yesterday's rolls", 'title: "[red]A sign[/red]"')
    pack.replace("scenarios/bakery_sign.yaml", "Write the chalk line", "Write the [blue]chalk[/blue] line")
    folder = pack.write()
    assert "[bold]Small[/bold] shops" in run("list", folder)
    assert "[red]A sign[/red]" in run("show", folder)
    assert "[blue]chalk[/blue]" in run("show", f"{folder}/bakery_sign")


@pytest.mark.parametrize("name", shipped_packs())
def test_every_shipped_pack_and_scenario_can_be_shown(name: str) -> None:
    """A shipped pack is shown by its id, a scenario by pack and id."""
    pack = load_pack(name)
    assert pack.meta.title in run("show", name)
    for scenario in pack.scenarios.values():
        assert scenario.title in run("show", f"{name}/{scenario.id}")


def test_show_takes_paths_that_a_shell_completes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slash at the end and the folder one stands in are fine."""
    whole, one = run("show", folder), run("show", f"{folder}/bakery_sign")
    monkeypatch.chdir(folder)
    assert run("show", f"{folder}/") == run("show", ".") == whole
    assert run("show", "./bakery_sign") == run("show", "./bakery_sign/") == one


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (
            "pricing_fairness/nowhere",
            "no scenario 'nowhere' in the pack 'pricing_fairness' (allowed: boat_pension_day",
        ),
        ("pricing/nowhere", "no pack 'pricing/nowhere' (allowed: deception_assistance"),
        ("pricing", "no pack 'pricing' (allowed: deception_assistance"),
        ("/", "no pack '/' (allowed: deception_assistance"),
    ],
)
def test_what_cannot_be_shown_is_named(target: str, says: str) -> None:
    """An unknown pack or scenario is repeated, with what there is."""
    with pytest.raises(InputError) as caught:
        run("show", target)
    assert str(caught.value).startswith(says)


def test_validate_reports_faults_as_json(tmp_path: Path) -> None:
    """Programs get the same faults as fields, with counts, and the same exit code."""
    pack = SoundPack(tmp_path)
    pack.replace("scenarios/bakery_sign.yaml", "split: seen", "split: both")
    pack.replace("scenarios/florist_reviews.yaml", "tulips rot", "tulips rot with our patience")
    folder = pack.write()
    report = json.loads(run("validate", folder, "--format", "json", code=1))
    first, second = report.pop("faults")
    assert report == {"packs": [str(folder)], "errors": 1, "warnings": 1}
    assert first.pop("message").startswith("split: Input should be 'seen' or 'unseen'")
    file = folder / "scenarios" / "bakery_sign.yaml"
    assert first == {"file": str(file), "line": 5, "id": "bakery_sign", "kind": "error"}
    assert (second["id"], second["kind"]) == ("florist_reviews", "warning")


@pytest.mark.slow
def test_validate_without_a_name_checks_the_shipped_packs() -> None:
    """What ships is sound, and a program can see which packs were checked."""
    report = json.loads(run("validate", "--format", "json"))
    assert report["packs"] == [str(load_pack(name).folder) for name in shipped_packs()]
    assert (report["errors"], report["warnings"], report["faults"]) == (0, 0, [])
    assert run("validate") == f"{len(shipped_packs())} packs: no errors, no warnings\n"


def schemas() -> dict[str, Any]:
    """Every schema by name."""
    found: dict[str, Any] = json.loads(run("schema"))
    return found


def test_schema_prints_all_or_one() -> None:
    """Each schema is a valid one and is printed alone by its name."""
    found = schemas()
    assert tuple(found) == KINDS
    for name, schema in found.items():
        Draft202012Validator.check_schema(schema)
        assert json.loads(run("schema", name)) == schema
    assert "is not one of 'pack', 'scenario', 'conditions', 'values', 'labelled'" in run("schema", "none", code=2)


def documents(folder: Path) -> list[tuple[str, Any]]:
    """Every record of a pack, with the name of its schema."""
    files = [("scenario", path) for path in sorted((folder / "scenarios").iterdir())]
    files += [("labelled", path) for path in sorted(label_folder(folder).iterdir())]
    for name in ("pack", "values", "conditions"):
        path = folder / f"{name}.yaml"
        files += [(name, path)] if path.exists() else []
    return [(name, yaml.safe_load(path.read_text("utf-8"))) for name, path in files]


def test_files_that_load_fit_the_schema(folder: Path) -> None:
    """An editor that checks by the schema finds nothing in a sound pack."""
    validators = {name: Draft202012Validator(schema) for name, schema in schemas().items()}
    records = documents(folder) + [record for name in shipped_packs() for record in documents(load_pack(name).folder)]
    assert {name for name, _ in records} == set(KINDS)
    assert [error.message for name, record in records for error in validators[name].iter_errors(record)] == []


@pytest.mark.parametrize("name", KINDS)
def test_the_schema_refuses_a_field_too_many_or_too_few(name: str, folder: Path) -> None:
    """Unknown and missing fields are faults for an editor as they are for `validate`."""
    validator = Draft202012Validator(schemas()[name])
    record = next(record for kind, record in documents(folder) if kind == name)
    assert [error.validator for error in validator.iter_errors({**record, "colour": "blue"})] == [
        "additionalProperties"
    ]
    lacking = {key: value for key, value in record.items() if key != "canary"}
    assert [error.validator for error in validator.iter_errors(lacking)] == ["required"]
