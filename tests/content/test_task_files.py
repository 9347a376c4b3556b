"""The task files of the shipped packs are one text with a name and a title in it.

Inspect reads the decorators of a task file without running it, so each file is written out.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from alignbench.packs import load_pack, shipped_packs

EVALS = Path(str(files("alignbench.evals")))
OTHERS = {"__init__", "pack", "judge_exam", "judge_attack"}
"""What is no task of a shipped pack; `pack` is the one for a user's own."""
TEMPLATE = '''\
"""{title}."""

from inspect_ai import Task, task

from alignbench.run.task import pack_task


@task
def {name}(
    conditions: str | list[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | list[str] | None = None,
    shard: str | None = None,
    rubric: str = "conflict",
    judge: bool = True,
) -> Task:
    """{title}.

    The arguments are those of `alignbench.run.task.pack_task`.
    """
    return pack_task(
        "{name}",
        conditions=conditions,
        twins=twins,
        split=split,
        families=families,
        shard=shard,
        rubric=rubric,
        judge=judge,
    )
'''


def test_every_pack_has_a_task_and_every_task_a_pack() -> None:
    """The file evals/<pack>.py exists for each pack, and no other but the known ones."""
    assert {path.stem for path in EVALS.glob("*.py")} - OTHERS == set(shipped_packs())


@pytest.mark.parametrize("name", shipped_packs())
def test_a_task_file_is_the_template_filled_in(name: str) -> None:
    """A task that took other arguments than the others', or passed one on wrongly, differs from the template."""
    filled = TEMPLATE.format(name=name, title=load_pack(name).meta.title)
    assert (EVALS / f"{name}.py").read_bytes() == filled.encode()
