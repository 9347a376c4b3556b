"""The house rules that a machine can check: pins, addresses and directions of import."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import socket
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from commands import ROOT, repository_files
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.markers import Marker

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _group(name: str) -> list[str]:
    """What a dependency group asks for, with the groups that it includes."""
    parts = PROJECT["dependency-groups"][name]
    return [text for part in parts for text in ([part] if isinstance(part, str) else _group(part["include-group"]))]


def _wanted() -> list[Requirement]:
    """Everything that a full development install asks for."""
    project = PROJECT["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    return [Requirement(text) for text in (*project["dependencies"], *extras, *_group("dev"))]


def _locked() -> list[tuple[Requirement, list[str]]]:
    """The pins of requirements.lock, each with its hashes."""
    lines = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ").splitlines()
    pins = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            text, *hashes = re.split(r"\s+--hash=", line.strip())
            pins.append((Requirement(text), hashes))
    return pins


def test_the_lock_satisfies_the_project() -> None:
    """Each requirement of the project, its extras and its development group has a pin that satisfies it."""
    pins: dict[str, list[Requirement]] = {}
    for pin, _ in _locked():
        pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    unmet = []
    for requirement in _wanted():
        versions = [
            specifier.version
            for pin in pins.get(canonicalize_name(requirement.name), [])
            for specifier in pin.specifier
            if specifier.operator == "=="
        ]
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            unmet.append(str(requirement))
    assert unmet == []


def test_the_lock_is_what_is_needed_to_install_it_anywhere() -> None:
    """Every line of the lock is one version with hashes, for every Python that the project allows; no addresses."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    assert not [line for line in text.splitlines() if line.startswith("-")]
    for pin, hashes in _locked():
        assert [specifier.operator for specifier in pin.specifier] == ["=="]
        assert pin.url is None
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes)


def _applies(marker: Marker | None) -> bool:
    return marker is None or marker.evaluate()


def test_the_lock_is_closed() -> None:
    """What a locked package needs is locked too: an install from the lock alone is complete."""
    overridden = {Requirement(text).name for text in PROJECT["tool"]["uv"]["override-dependencies"]}
    pins = {canonicalize_name(pin.name) for pin, _ in _locked() if _applies(pin.marker)}
    lacking = set()
    for name in pins:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            # The extra `local` may be missing here.
            continue
        for requirement in map(Requirement, needs):
            plain = not requirement.marker or "extra" not in str(requirement.marker)
            if plain and _applies(requirement.marker) and requirement.name not in overridden:
                lacking |= {canonicalize_name(requirement.name)} - pins
    assert lacking == set()


FORBIDDEN = {
    "a folder of some machine": re.compile(r"(?<![\w.}])/(?:home|root|tmp|Users|work)/\w"),
    "the host of a package registry": re.compile(
        r"p[y]pi\.org|python[h]osted\.org|anacond[a]\.org|index-url[ =]\S*://", re.I
    ),
    "an address with a password": re.compile(r"://[^\s/:@]+:[^\s/:@]+@"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_files_name_no_machine(what: str) -> None:
    """No file of the repository names a machine's folders, a registry's host or a password."""
    pattern = FORBIDDEN[what]
    found = []
    for file in repository_files():
        text = (ROOT / file).read_text("utf-8", "replace")
        found += [f"{file}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.org"])
def test_tests_reach_nothing_but_this_machine(host: str) -> None:
    """A test that opens a connection to another machine fails, before anything is looked up or sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as outward, pytest.raises(AssertionError, match="reached for the network"):
        outward.connect((host, 80))


def _imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            # `from package import module` imports a module just as well.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.slow
def test_only_public_names_of_inspect_are_imported() -> None:
    """Nothing imports a private module or name of Inspect: those change without notice."""
    private = [
        f"{file}: {module}"
        for file in repository_files()
        if file.endswith(".py")
        for module in _imports(ROOT / file)
        if re.match(r"inspect_ai\b.*\._", module)
    ]
    assert private == []


@pytest.mark.slow
def test_tasks_import_little_and_nothing_imports_tasks() -> None:
    """A task file sees the task, the solvers and the scoring; only the registry reaches task files, by name."""
    allowed = re.compile(r"inspect_ai\b|alignbench\.run\.(task|solvers|scoring)\b")
    for file in (ROOT / "evals").glob("*.py"):
        assert [module for module in _imports(file) if not allowed.match(module)] == [], file
    for file in (ROOT / "src").rglob("*.py"):
        assert not [module for module in _imports(file) if re.match(r"(alignbench\.)?evals\b", module)], file
