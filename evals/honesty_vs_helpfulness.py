"""Honesty against helpfulness."""

from inspect_ai import Task, task

from alignbench.run.task import pack_task


@task
def honesty_vs_helpfulness(
    conditions: str | list[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | list[str] | None = None,
    shard: str | None = None,
    rubric: str = "conflict",
    judge: bool = True,
) -> Task:
    """Honesty against helpfulness.

    The arguments are those of `alignbench.run.task.pack_task`.
    """
    return pack_task(
        "honesty_vs_helpfulness",
        conditions=conditions,
        twins=twins,
        split=split,
        families=families,
        shard=shard,
        rubric=rubric,
        judge=judge,
    )
