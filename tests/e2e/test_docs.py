"""What README and documentation promise: commands, options, tasks, links and tables that exist."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import unquote

import click
import pytest
import yaml
from commands import ROOT, repository_files
from markdown_it import MarkdownIt

import alignbench
from alignbench.cli import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = (ROOT / "README.md").read_text("utf-8")
PAGES = {"README.md": README} | {
    str(file.relative_to(ROOT)): file.read_text("utf-8") for file in sorted((ROOT / "docs").rglob("*.md"))
}
MARKDOWN = MarkdownIt("commonmark").enable("table")


def _blocks(text: str) -> list[str]:
    """The code blocks of a page, joined where a line goes on."""
    found = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.replace("\\\n", " ") for block in found]


def _promised(number: int) -> str:
    """The README's command 1 or 2."""
    match = re.search(rf"^<!-- command {number} -->\n```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert match, f"command {number} stands nowhere in the README"
    return match.group(1).strip()


def test_the_two_commands_stand_in_the_readme() -> None:
    """One line runs the demo and one line the tests, each from nothing; CI runs the second as it stands there."""
    demo, tests = _promised(1), _promised(2)
    assert "\n" not in demo + tests
    assert demo.endswith("uv run alignbench demo")
    assert tests.endswith("uv run pytest")
    assert "command 2" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_ci_runs_the_second_command(tmp_path: Path) -> None:
    """The line of `.ci/run` that looks for command 2 finds it whole; checks and documentation end the run."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    (line,) = [line for line in script.splitlines() if line.startswith("command=")]
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", f'{line}; printf %s "$command"'], cwd=tmp_path, check=True, capture_output=True
    )
    assert done.stdout.decode() == _promised(2)
    assert script.splitlines()[-2:] == ["make check", "make docs"]


def test_the_readme_is_read_in_ten_minutes() -> None:
    """The README has at most 120 lines; what does not fit has a page."""
    assert len(README.splitlines()) <= 120


def _shown_calls(page: str) -> Iterator[list[str]]:
    """The words after `alignbench` of each call that a page shows, in blocks and in running text."""
    lines = [line for block in _blocks(page) for line in re.split(r"\n|&&", block)]
    for text in (*lines, *re.findall(r"`([^`\n]+)`", page)):
        # The table of commands leaves the program's name out.
        match = re.match(r"(?:uv run )?(alignbench )?(([a-z-]+)(?: .*)?)$", text.strip())
        if match and (match.group(1) or match.group(3) in COMMANDS):
            yield shlex.split(match.group(2), comments=True)


def _fault(words: list[str]) -> str | None:
    """Say what of a call does not exist, or nothing."""
    command: click.Command = cli
    for at, word in enumerate(words):
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return f"no command {' '.join(words[: at + 1])}"
            command = found
    options = {name for option in command.params for name in option.opts + option.secondary_opts} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in options]
    return f"{' '.join(words)}: no option {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_exists(page: str) -> None:
    """Commands, options, tasks and arguments of tasks that README and documentation show exist."""
    assert [fault for words in _shown_calls(PAGES[page]) if (fault := _fault(words))] == []
    tasks = {file.stem for file in (ROOT / "evals").glob("[!_]*.py")}
    # A link into the sources is no task.
    assert set(re.findall(r"(?<![\w/])alignbench/([a-z_]+)\b", PAGES[page])) <= tasks
    assert set(re.findall(r"-T ([a-z_]+)=", PAGES[page])) <= _task_arguments("pack")


def _task_arguments(task: str) -> set[str]:
    """What `-T` may name."""
    tree = ast.parse((ROOT / "evals" / f"{task}.py").read_text("utf-8"))
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == task]
    return {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}


def test_the_readme_leaves_no_command_out() -> None:
    """Every command stands in the README, which shows what there is."""
    assert {words[0] for words in _shown_calls(README)} == set(COMMANDS)


def test_the_methods_quote_the_coverage_table() -> None:
    """The table of coverage on the page of methods is the summary of the committed one, to the last digit."""
    table = (ROOT / "benchmarks" / "coverage" / "table.md").read_text("utf-8")
    start = table.index("| 95 % interval of")
    assert table[start : table.index("\n\n", start)] in PAGES["docs/methods.md"]


def _targets(text: str) -> Iterator[str]:
    """Where the links and images of a page lead, but for other sites."""
    for token in MARKDOWN.parse(text):
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target is not None and "://" not in str(target):
                yield unquote(str(target))


def _anchors(text: str) -> set[str]:
    """What a link may name in a page: its headings, as forges and MkDocs name them."""
    tokens = MARKDOWN.parse(text)
    headings = [tokens[at + 1] for at, token in enumerate(tokens) if token.type == "heading_open"]
    words = ["".join(child.content for child in heading.children or ()) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in words}


def _broken(page: str) -> list[str]:
    """Links of a file that lead nowhere in the checkout."""
    broken = []
    text = (ROOT / page).read_text("utf-8")
    for target in _targets(text):
        path, _, anchor = target.partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        if not file.exists() or (anchor and anchor not in _anchors(file.read_text("utf-8"))):
            broken.append(f"{page}: {target}")
    return broken


def test_links_lead_somewhere() -> None:
    """Each relative link of a Markdown file leads to a file that is there, and to a heading in it."""
    pages = [file for file in repository_files() if file.endswith(".md") and not file.startswith("tests/")]
    assert {"README.md", "docs/index.md"} <= set(pages)
    assert [fault for page in pages for fault in _broken(page)] == []


def test_the_site_needs_no_network() -> None:
    """The site is made without fonts, scripts and plugins that come from another machine, and its build is strict."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert "://" not in text
    settings = yaml.safe_load(text)
    assert settings["theme"]["font"] is False
    names = {plugin if isinstance(plugin, str) else next(iter(plugin)) for plugin in settings["plugins"]}
    assert names == {"search", "mkdocstrings"}
    assert all(confidence == "warn" for part in settings["validation"].values() for confidence in part.values())
    assert "mkdocs build --strict" in (ROOT / "Makefile").read_text("utf-8")


def test_contributing_names_what_is_there() -> None:
    """Each path that CONTRIBUTING names exists, from the root or from the package; `<pack>` stands for any."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = {
        word for word in re.findall(r"`([\w./<>-]+)`", text) if "/" in word or re.search(r"\.(py|pyi|md|yml)$", word)
    }
    assert {"cli/", "vocabulary.py", "scenarios/<pack>/scenarios/"} <= named
    places = (ROOT, ROOT / "src" / "alignbench")
    lost = [
        name
        for name in sorted(named)
        if not any([*place.glob(re.sub("<[^>]+>", "*", name.rstrip("/")))] for place in places)
    ]
    assert lost == []


def test_the_api_page_shows_every_public_name() -> None:
    """Functions, types and errors stand there once each."""
    shown = re.findall(r"^::: alignbench\.(\w+)$", PAGES["docs/api.md"], re.MULTILINE)
    assert sorted(shown) == sorted(set(alignbench.__all__) - {"__version__"})
