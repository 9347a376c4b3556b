"""The judge's examination: answers whose verdict is known."""

from inspect_ai import Task, task

from alignbench.run.task import exam_task


@task
def judge_exam(packs: str | list[str] | None = None, rubric: str = "conflict") -> Task:
    """Examine the judge: put labelled answers before it, to conflicts and to their benign twins.

    No model is under test: `--model none --model-role grader=J`. `alignbench judge exam` runs this and writes the
    judge's card. Rows of this task are in no verdict table and no rate.

    Args:
        packs: Ids or paths of packs, joined by commas; default: every shipped pack.
        rubric: Id of a shipped rubric, or the path of one.
    """
    return exam_task(packs, rubric=rubric)
