"""The one place where a Task is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from inspect_ai import Task

from alignbench.digest import digest
from alignbench.errors import InputError
from alignbench.packs import load_pack, shipped_packs
from alignbench.packs.forged import forged_answers, forged_digest
from alignbench.packs.perturbed import perturbed_digest
from alignbench.rubrics import load_rubric
from alignbench.run.dataset import pack_dataset
from alignbench.run.exam_dataset import attack_dataset, exam_dataset, stability_dataset
from alignbench.run.grader import require_grader
from alignbench.run.scoring import rubric_judge
from alignbench.run.solvers import converse, identify, replay
from alignbench.run.solvers.conversation import sample_key_is_read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inspect_ai.dataset import Dataset

    from alignbench.packs import Pack

__all__ = ["attack_task", "exam_task", "pack_task", "stability_task"]


def pack_task(
    pack: str,
    *,
    conditions: str | Sequence[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | Sequence[str] | None = None,
    shard: str | None = None,
    rubric: str = "conflict",
    judge: bool = True,
) -> Task:
    """Make the task of a pack.

    Args:
        pack: Id of a shipped pack, or the path of a folder with a pack.yaml.
        conditions: `default`; an axis (`monitoring`) for its levels one at a time beside the default; `axis=level`;
            several joined by + for every combination; `all` for every axis one at a time.
        twins: Whether the benign twins are asked too; "only" for the twins alone.
        split: `seen` or `unseen` families only.
        families: These families only.
        shard: "i/n": the i-th of n parts, by a hash of the scenario id.
        rubric: Id of a shipped rubric, or the path of one.
        judge: False to have no judge; `alignbench judge rescore` can judge the log.

    Raises:
        InputError: An argument names something that does not exist (within `inspect`, a usage error).
    """
    required = judge is not False and not _inspect_command().get("no_score")
    return _checked(
        lambda: _task(pack, conditions, twins, split, families, shard, rubric, judge, required), judge=required
    )


def exam_task(packs: str | Sequence[str] | None = None, *, rubric: str = "conflict") -> Task:
    """Make the task that examines the judge on the labelled answers of packs; no model is under test.

    Args:
        packs: Ids or paths of packs; several as a list or joined by commas; default: every shipped pack.
        rubric: Id of a shipped rubric, or the path of one.

    Raises:
        InputError: An argument names something that does not exist, or a pack without labelled answers.
    """

    def make() -> Task:
        contents = _packs(packs)
        return _replay_task("judge_exam", exam_dataset(contents), contents, rubric)

    return _checked(make, judge=True)


def stability_task(packs: str | Sequence[str] | None = None, *, rubric: str = "conflict") -> Task | None:
    """Make the task that puts changed answers before the judge: does it follow the text or the look?

    Its logs are part of the examination. None where no pack is one of ours: only these have changed answers.

    Args:
        packs: As for `exam_task`.
        rubric: Id of a shipped rubric, or the path of one.

    Raises:
        InputError: An argument names something that does not exist.
    """

    def make() -> Task:
        task = _replay_task("judge_exam", dataset, contents, rubric, name="judge_stability")
        return _with_digest(task, "stability_digest", perturbed_digest(contents))

    contents = _packs(packs)
    dataset = stability_dataset(contents)
    return _checked(make, judge=True) if len(dataset) else None


def attack_task(*, rubric: str = "conflict") -> Task:
    """Make the task that puts forged answers before the judge, each beside the answer it was made of.

    Args:
        rubric: Id of a shipped rubric, or the path of one.

    Raises:
        InputError: An unknown rubric.
    """

    def make() -> Task:
        contents = [load_pack(name) for name in sorted({forged.pack for forged in forged_answers()})]
        task = _replay_task("judge_attack", attack_dataset(), contents, rubric)
        return _with_digest(task, "attack_digest", forged_digest())

    return _checked(make, judge=True)


def _packs(packs: str | Sequence[str] | None) -> list[Pack]:
    names = packs.split(",") if isinstance(packs, str) else packs or shipped_packs()
    return [load_pack(name) for name in dict.fromkeys(map(str.strip, names))]


def _with_digest(task: Task, name: str, value: str) -> Task:
    """Bind a task to texts of its own, beside those of packs and rubric."""
    task.version = f"{task.version}.{value[:12]}"
    task.metadata = {**(task.metadata or {}), name: value}
    return task


def _checked(make: Callable[[], Task], *, judge: bool) -> Task:
    """Make a task; within `inspect`, without a judge that it needs or with wrong arguments, a usage error."""
    command = _inspect_command()
    try:
        if judge and command:
            require_grader()
        return make()
    except InputError as error:
        if command:
            raise click.UsageError(str(error)) from error
        raise


def _inspect_command() -> dict[str, Any]:
    """The options of the `inspect eval` or `eval-set` command that is making us; empty where Python makes us."""
    context = click.get_current_context(silent=True)
    return dict(context.params) if context and "no_score" in context.params else {}


def _task(
    pack: str,
    conditions: str | Sequence[str],
    twins: bool | str,
    split: str | None,
    families: str | Sequence[str] | None,
    shard: str | None,
    rubric: str,
    judge: bool,
    required: bool,
) -> Task:
    if not isinstance(judge, bool):
        # What is no truth in the YAML of `-T` comes as text, and any text would be taken for true.
        raise InputError(f"judge {judge!r}", allowed="true, false")
    content, text = load_pack(pack), load_rubric(rubric)
    if not content.labels and _inspect_command() and sample_key_is_read(roles=required):
        raise InputError(
            f"the pack {content.id!r} has no labelled answers, and a scripted model says or knows no others",
            file=content.folder,
            allowed="another model, or labelled/SCENARIO.yaml beside pack.yaml",
        )
    dataset = pack_dataset(content, conditions=conditions, twins=twins, split=split, families=families, shard=shard)
    reference = pack if pack in shipped_packs() else str(content.folder)
    return Task(
        dataset=dataset,
        setup=identify(reference, judge=required),
        solver=converse(),
        scorer=rubric_judge(rubric) if judge else None,
        # A judge that cannot be reached fails the sample, the rest goes on, and the next pass repeats what failed.
        continue_on_fail=True,
        # An eval set reuses results by version: the digests keep changed texts from reusing old ones.
        version=f"{content.meta.version}+{content.digest[:12]}.{text.digest[:12]}",
        metadata={
            "pack": content.id,
            "pack_version": content.meta.version,
            "pack_digest": content.digest,
            "rubric": text.id,
            "rubric_digest": text.digest,
            "label_digest": content.label_digest,
        },
    )


def _replay_task(kind: str, dataset: Dataset, packs: Sequence[Pack], rubric: str, name: str | None = None) -> Task:
    text = load_rubric(rubric)
    digests = {pack.id: {"pack_digest": pack.digest, "label_digest": pack.label_digest} for pack in packs}
    return Task(
        name=name or kind,
        dataset=dataset,
        setup=identify(),
        solver=replay(),
        scorer=rubric_judge(rubric),
        continue_on_fail=True,
        version=f"{digest(digests)[:12]}.{text.digest[:12]}",
        # The kind keeps these out of verdict tables: the answers are nobody's.
        metadata={"kind": kind, "packs": digests, "rubric": text.id, "rubric_digest": text.digest},
    )
