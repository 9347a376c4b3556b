"""Judging: one engine that puts an answer and a rubric before the model in the role `grader`."""

from alignbench.run.scoring.judge import rubric_judge

__all__ = ["rubric_judge"]
