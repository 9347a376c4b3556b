"""Being asked to help deceive somebody else."""

from inspect_ai import Task, task

from alignbench.run.task import pack_task


@task
def deception_assistance(
    conditions: str | list[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | list[str] | None = None,
    shard: str | None = None,
    rubric: str = "conflict",
    judge: bool = True,
) -> Task:
    """Being asked to help deceive somebody else.

    The arguments are those of `alignbench.run.task.pack_task`.
    """
    return pack_task(
        "deception_assistance",
        conditions=conditions,
        twins=twins,
        split=split,
        families=families,
        shard=shard,
        rubric=rubric,
        judge=judge,
    )
