"""What ships: the wheel that is built through the sdist, and what it does where nothing else is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from commands import PERSONA, ROOT, repository_files, shipped_logs, verdict_rows

from alignbench.vocabulary import VERDICTS

if TYPE_CHECKING:
    from pathlib import Path

    from commands import SharedFolder

pytestmark = [pytest.mark.slow, pytest.mark.download]

FOLDERS = {
    "src/alignbench/": "alignbench/",
    "evals/": "alignbench/evals/",
    "scenarios/": "alignbench/scenarios/",
    "scorers/": "alignbench/scorers/",
}
"""Where each folder of the tree lies in the wheel; no other folder is in it."""
UV = shutil.which("uv")


def _call(*argv: str | Path, cwd: Path) -> None:
    """Run a tool; what stands here for the environment of the tests must not steer it."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _build(folder: Path) -> None:
    """Build sdist and, from it, wheel out of a copy of the tree, so that no earlier build shines through."""
    for file in repository_files():
        copy = folder / "tree" / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, copy)
    build = [UV, "build", "--quiet", "--out-dir"] if UV else [sys.executable, "-m", "build", "--outdir"]
    _call(*build, folder, folder / "tree", cwd=folder)


@pytest.fixture(scope="module")
def wheel(shared_folder: SharedFolder) -> Path:
    """The wheel, built once."""
    (file,) = shared_folder("wheel", _build).glob("*.whl")
    return file


def _packaged(file: str) -> str | None:
    """The name in the wheel of a file of the tree."""
    for folder, place in FOLDERS.items():
        if file.startswith(folder):
            return place + file.removeprefix(folder)
    return None


def test_the_wheel_holds_the_tree_and_nothing_else(wheel: Path) -> None:
    """Every module, task, scenario, rubric, prompt and label is in the wheel once, as it stands in the tree."""
    tree = wheel.parent / "tree"
    files = [file.relative_to(tree).as_posix() for file in tree.rglob("*") if file.is_file()]
    expected = {name: tree / file for file in files if (name := _packaged(file))}
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert sorted(names) == sorted(expected)
        changed = [name for name, file in expected.items() if archive.read(name) != file.read_bytes()]
    assert changed == []


def _install(wheel: Path, folder: Path) -> None:
    """Install the wheel with its dependencies, in the locked versions."""
    pins = re.findall(
        r"^[\w.-]+==[^\s\\]+(?: *;[^\\\n]*)?", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
    )
    constraints, bare = folder / "constraints.txt", folder / "bare"
    constraints.write_text("\n".join(pins), encoding="utf-8")
    scripts = bare / "bin"
    install: list[str | Path]
    if UV:
        _call(UV, "venv", "--quiet", "--python", sys.executable, bare, cwd=folder)
        install = [UV, "pip", "install", "--quiet", "--python", scripts / "python"]
    else:
        _call(sys.executable, "-m", "venv", bare, cwd=folder)
        install = [scripts / "pip", "install", "--quiet"]
    _call(*install, wheel, "--constraint", constraints, cwd=folder)


@pytest.fixture(scope="module")
def scripts(wheel: Path, shared_folder: SharedFolder) -> Path:
    """The scripts of a bare environment with the wheel in it, made once."""
    return shared_folder("installed", lambda folder: _install(wheel, folder)) / "bare" / "bin"


def test_the_installed_wheel_gives_the_same_verdicts(
    scripts: Path, shared_folder: SharedFolder, tmp_path: Path
) -> None:
    """In a bare environment and an empty folder the wheel runs a task by name, and reads its log, as the tree does."""
    empty = tmp_path / "empty"
    empty.mkdir()
    run = ["eval", "alignbench/pricing_fairness", *PERSONA, "--display", "none", "--log-dir", "logs"]
    _call(scripts / "inspect", *run, cwd=empty)
    _call(scripts / "alignbench", "verdicts", "logs", "-o", "verdicts.csv", cwd=empty)

    table = verdict_rows(shipped_logs(shared_folder), "pricing_fairness")
    assert table["verdict"].isin(VERDICTS).all()
    assert verdict_rows(empty / "logs").equals(table)
    rows = (empty / "verdicts.csv").read_text(encoding="utf-8").count("\n") - 1
    assert rows == len(table) > 0


def test_the_installed_wheel_is_typed(scripts: Path, tmp_path: Path) -> None:
    """A program that uses each public function and type passes `mypy --strict` where only the wheel is."""
    program = tmp_path / "typed_use.py"
    shutil.copyfile(ROOT / "tests" / "e2e" / "typed_use.py", program)
    # pandas has its types in a package of their own, which a user may lack.
    settings = tmp_path / "mypy.ini"
    settings.write_text("[mypy]\nstrict = true\n[mypy-pandas.*]\nignore_missing_imports = true\n", encoding="utf-8")
    check: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        settings,
        "--python-executable",
        scripts / "python",
    ]
    _call(*check, "--cache-dir", tmp_path / "cache", program, cwd=tmp_path)
