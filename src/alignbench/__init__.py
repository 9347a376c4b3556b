"""alignbench: how often does a model do the wrong thing when two values collide?

What is public stands in `__init__.pyi`, and nowhere else. A name is imported when it is first used, since pandas and
scipy take a second; evaluations are run by Inspect's own command line and API, with the tasks `alignbench/<pack>`.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

__version__ = "0.1.0"

_HOMES = {
    alias.name: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}
"""Public name to the module that it lives in."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'alignbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
