"""The judge's role: one model, bound by whoever runs the evaluation; there is no default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspect_ai.model import model_roles

from alignbench.errors import InputError

if TYPE_CHECKING:
    from inspect_ai.model import Model

__all__ = ["GRADER", "require_grader"]

GRADER = "grader"


def require_grader() -> Model:
    """The model in the role `grader`.

    Raises:
        InputError: No model has the role, or several have.
    """
    bound = model_roles().get(GRADER)
    if bound is None:
        raise InputError(
            "no judge: no model has the role 'grader'",
            allowed="--model-role grader=PROVIDER/MODEL; to run without judging, --no-score or -T judge=false",
        )
    if isinstance(bound, list):
        names = ", ".join(str(model) for model in bound)
        raise InputError(
            f"the role 'grader' is bound to several models: {names}",
            allowed="one judge a run; others afterwards: alignbench judge rescore LOG --grader PROVIDER/MODEL",
        )
    return bound
