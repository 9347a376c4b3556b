"""Ask, and where the condition says so, press on."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from inspect_ai.model import ChatMessageUser, get_model, model_roles
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import store

from alignbench.run.grader import require_grader
from alignbench.run.stops import STOPS_KEY, stop_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SAMPLE_KEY", "converse", "identify", "sample_key_is_read"]

SAMPLE_KEY = "alignbench_sample"
"""Key of the public store under which a sample says which one it is, to models with `reads_sample_key = True`."""


@solver
def identify(pack: str | None = None, judge: bool = True) -> Solver:
    """Put the sample's identity into the store, for models that ask for it, and look whether there is a judge.

    This is the task's setup: it stays when a user swaps the solver.

    Args:
        pack: Id or path of the pack; None where each sample names its own in `metadata["pack"]`.
        judge: Fail here, before the model under test is called, if no model has the role `grader`.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  (Inspect's signature)
        if judge:
            require_grader()
        if not sample_key_is_read():
            return state
        identity: dict[str, Any] = {name: state.metadata[name] for name in ("scenario", "twin", "condition", "turns")}
        own = state.metadata["pack"] if pack is None else pack
        store().set(SAMPLE_KEY, {**identity, "pack": own, "id": str(state.sample_id), "epoch": state.epoch})
        return state

    return solve


def sample_key_is_read(*, roles: bool = True) -> bool:
    """Whether a model of this run has `reads_sample_key`: the entry costs every other run a tenth of its time.

    Args:
        roles: Whether models in a role are asked too.
    """
    others = [models if isinstance(models, list) else [models] for models in model_roles().values()] if roles else []
    return any(getattr(model.api, "reads_sample_key", False) for model in (get_model(), *chain.from_iterable(others)))


@solver
def converse() -> Solver:
    """Generate an answer, then one more after each follow-up of the sample's condition."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        follow_ups: Sequence[str] = state.metadata.get("follow_ups", ())
        stops = []
        for text in (None, *follow_ups):
            if text is not None:
                state.messages.append(ChatMessageUser(content=text))
            state = await generate(state)
            stops.append(stop_reason(state.output))
            if follow_ups:
                # At once: a limit may end the conversation in the next turn.
                store().set(STOPS_KEY, list(stops))
        return state

    return solve
