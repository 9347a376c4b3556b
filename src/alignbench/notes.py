"""Remarks on what was read: no errors, but what a person should know of a number."""

from __future__ import annotations

import warnings
from collections.abc import Callable

__all__ = ["Note", "warn"]

Note = Callable[[str], None]
"""What is done with a remark."""


def warn(remark: str) -> None:
    """Give a remark as a warning of Python's."""
    warnings.warn(remark, stacklevel=3)
