"""Why the model under test stopped, in each of its turns: noted while it runs, read when it is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import TaskState

__all__ = ["BLOCKED", "STOPS_KEY", "stop_reason", "stop_reasons"]

STOPS_KEY = "alignbench_stop_reasons"
BLOCKED = "blocked"
"""Stands for the stop reason `content_filter` where the text is the provider's notice, and none of the model's."""


def stop_reasons(state: TaskState, turns: int) -> list[str]:
    """Why the model stopped in each of its turns; of those that a user's own solver made, of the last one only."""
    # A default given to `get` would be written into the store, and that into the log.
    noted = list(state.store.get(STOPS_KEY) or [])[:turns]
    if len(noted) == turns:
        return noted
    return [*noted, *["unknown"] * (turns - len(noted) - 1), stop_reason(state.output)]


def stop_reason(output: ModelOutput) -> str:
    """Why the model stopped; of a content filter, whether any word is the model's."""
    reason = str(output.stop_reason)
    if reason != "content_filter":
        return reason
    details = output.choices[0].stop_details
    notice = output.error is not None or (details is not None and details.explanation == output.message.text)
    return BLOCKED if notice else reason
