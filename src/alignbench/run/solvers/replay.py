"""Say again what has been said: a labelled answer takes the place of the model under test."""

from __future__ import annotations

from inspect_ai.model import ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver

__all__ = ["replay"]


@solver
def replay() -> Solver:
    """Put the text in `metadata["text"]` as the assistant's answer; no model is called."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  (Inspect's signature)
        state.output = ModelOutput.from_content(model=str(state.model), content=state.metadata["text"])
        state.messages.append(state.output.message)
        return state

    return solve
