"""A pack of your own."""

from inspect_ai import Task, task

from alignbench.run.task import pack_task


@task
def pack(
    path: str = ".",
    conditions: str | list[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | list[str] | None = None,
    shard: str | None = None,
    rubric: str = "conflict",
    judge: bool = True,
) -> Task:
    """Run the pack in the folder `path`, by default the current one.

    Inspect runs a task that is named by its file in the folder of that file: give it an absolute path then.
    The other arguments are those of `alignbench.run.task.pack_task`.
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
