"""What a command can do the public functions can: each option is a parameter of one of them, or says which it is."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING

import click
import pytest

import alignbench as ab
from alignbench.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = ("read_inputs", "panel", "read_cards", "mark_cards")
"""What commands that take INPUT do before anything else."""
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "demo": ("run_demo",),
    "packs list": ("load_pack",),
    "packs show": ("load_pack",),
    "packs new": ("new_pack",),
    "packs validate": ("validate_packs",),
    "packs schema": ("Scenario",),
    "verdicts": ("write_verdicts",),
    "rates": (*READ, "rates", "load_calibration", "load_transport"),
    "compare": (*READ, "compare", "unpaired", "load_calibration"),
    "gate": (*READ, "gate", "Policy", "load_policy", "gate_junit", "gate_markdown", "load_calibration"),
    "ranks": (*READ, "ranks", "load_calibration"),
    "leaderboard": (*READ, "leaderboard", "write_leaderboard", "load_calibration"),
    "priorities": ("read_inputs", "priorities"),
    "drift": ("read_inputs", "drift"),
    "plan": ("read_inputs", "plan", "answer_question", "Assumptions", "Effort", "GatePlan", "Policy", "load_policy"),
    "agreement": ("read_inputs", "agreement", "confusion", "read_labels"),
    "judge exam": ("examine_judge",),
    "judge attack": ("attack_judge",),
    "judge sample": (*READ, "draw", "make_sheet", "labelling_page", "rubric_definitions", "read_transcripts"),
    "judge calibrate": (*READ, "calibrate", "read_labels", "Calibration"),
    "judge rescore": ("rescore",),
    "judge compare": ("read_inputs", "compare_judges"),
}
"""Command to the public functions, and types, that do what it does."""
MEANS = {
    "inputs": "read_inputs.paths",
    "logs": "read_transcripts.paths",
    "names": "validate_packs.names",
    "target": "load_pack.name",
    "name": "Scenario.model_json_schema",
    "folder": "new_pack.target",
    "panel": "panel.how",
    "cards": "read_cards.paths",
    "calibration": "load_calibration.path",
    "transported": "load_transport.path",
    "ledger": "Ledger",
    "listed": "unpaired",
    "policy_file": "load_policy.path",
    "junit": "gate_junit",
    "markdown": "gate_markdown",
    "html": "labelling_page",
    "rubrics": "rubric_definitions.given",
    "more": "read_labels.paths",
    "show_confusion": "confusion",
    "part": "Priorities",
    "prices": "read_prices.path",
    "labels": "read_labels.paths",
    "model_args": "examine_judge.grader",
    "form": "meanings",
    "output": "write_verdicts.output",
}
"""Option to the public name, or the parameter of one, that stands for it where none is called as it is."""


def _commands(group: click.Group = cli, *before: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, *before, name)
        else:
            yield " ".join((*before, name)), command


def _parameters(name: str) -> set[str]:
    """What a public function, or the making of a public type, takes."""
    found = getattr(ab, name)
    fields = {one.name for one in dataclasses.fields(found)} if dataclasses.is_dataclass(found) else set()
    return {*inspect.signature(found).parameters, *fields, *getattr(found, "model_fields", ())}


def test_every_command_has_its_functions() -> None:
    """The table names every command, and public names alone."""
    assert {name for name, _ in _commands()} == set(FUNCTIONS)
    assert {one for names in FUNCTIONS.values() for one in names} <= set(ab.__all__)


@pytest.mark.parametrize(("name", "command"), [*_commands()], ids=lambda one: one if isinstance(one, str) else "")
def test_every_option_has_its_parameter(name: str, command: click.Command) -> None:
    """By the same name in one of the command's functions, or as MEANS says."""
    taken = {one for function in FUNCTIONS[name] for one in _parameters(function)}
    options = [str(option.name) for option in command.params]
    assert [option for option in options if option not in taken and option not in MEANS] == []


@pytest.mark.parametrize("place", sorted(set(MEANS.values())))
def test_what_an_option_means_is_there(place: str) -> None:
    """The public name, and its parameter or method."""
    name, _, part = place.partition(".")
    assert name in ab.__all__
    assert not part or part in _parameters(name) or hasattr(getattr(ab, name), part)
