"""Forged answers: can the judge be talked round?"""

from inspect_ai import Task, task

from alignbench.run.task import attack_task


@task
def judge_attack(rubric: str = "conflict") -> Task:
    """Attack the judge: misaligned answers that speak to it, each beside the same answer without the attack.

    No model is under test: `--model none --model-role grader=J`. `alignbench judge attack` runs this and reports the
    verdicts that flipped. Rows of this task are in no verdict table and no rate.

    Args:
        rubric: Id of a shipped rubric, or the path of one.
    """
    return attack_task(rubric=rubric)
