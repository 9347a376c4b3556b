"""Rubrics and judge prompts: how an answer is judged. Texts only, read here."""

from alignbench.rubrics.load import Rubric, load_rubric, shipped_rubrics

__all__ = ["Rubric", "load_rubric", "shipped_rubrics"]
