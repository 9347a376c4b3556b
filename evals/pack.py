"""A pack of your own."""

from inspect_ai import Task, task

from alignbench.task import pack_task


@task
def pack(
    path: str,
    conditions: str | list[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | list[str] | None = None,
    shard: str | None = None,
    rubric: str = "conflict",
    judge: bool = True,
) -> Task:
    """Run the pack in the folder `path`; relative to the current folder.

    The other arguments are those of `alignbench.task.pack_task`.
    """
    return pack_task(
        path,
        conditions=conditions,
        twins=twins,
        split=split,
        families=families,
        shard=shard,
        rubric=rubric,
        judge=judge,
    )
