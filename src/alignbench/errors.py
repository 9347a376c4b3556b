"""Errors that a user can act on: one line that says where, what, and what is allowed; and remarks that are none."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from alignbench.text.words import visible

__all__ = [
    "AlignbenchError",
    "InputError",
    "MissingExtraError",
    "NotComparableError",
    "Note",
    "WriteError",
    "first_line",
    "warn",
]

Note = Callable[[str], None]
"""What is done with a remark on what was read: something that a person should know of a number."""


class AlignbenchError(Exception):
    """Base of every error that alignbench raises on purpose; its text is one line for a person to read."""


class InputError(AlignbenchError):
    """Something that was handed to us is wrong: a file, a table, an option. Its text is one line, whatever is in it.

    Args:
        message: What is wrong, with the bad value in it (`repr`).
        file: Where it stands.
        line: Line in the file, counted from 1.
        item: Id of the scenario, row or option.
        allowed: What would have been right, in words.
    """

    def __init__(
        self,
        message: str,
        *,
        file: object = None,
        line: int | None = None,
        item: str | None = None,
        allowed: str | None = None,
    ) -> None:
        self.problem, self.file, self.line, self.item, self.allowed = message, file, line, item, allowed
        # Inspect writes this attribute of an exception into its logs, so it is the whole line.
        self.message = str(self)
        super().__init__(self.message)

    def __str__(self) -> str:
        place = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        item = f"[{self.item}] " if self.item else ""
        allowed = f" (allowed: {self.allowed})" if self.allowed else ""
        return visible(f"{place}{item}{self.problem}{allowed}")


def first_line(error: BaseException) -> str:
    """The first line of somebody else's error; its class where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class MissingExtraError(AlignbenchError):
    """An optional dependency is not installed; the text holds the line that installs it."""


class WriteError(AlignbenchError):
    """A result could not be written, though its place is right: the disk is full, or fails."""


class NotComparableError(AlignbenchError):
    """Two sets of results must not be compared: other packs, rubrics or judges, or too little in common."""


def warn(remark: str) -> None:
    """Give a remark as a warning of Python's."""
    warnings.warn(remark, stacklevel=3)
