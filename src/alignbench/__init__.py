"""alignbench: how often does a model do the wrong thing when two values collide?

The names below are the analysis of verdict tables. They never import Inspect; running evaluations is Inspect's own
command line and API, with the tasks `alignbench/<pack>`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignbench.analysis.rates import rates
    from alignbench.table import read_table

__version__ = "0.1.0"

_HOME = {
    "rates": "alignbench.analysis.rates",
    "read_table": "alignbench.table",
}

__all__ = ["__version__", "rates", "read_table"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: pandas and scipy take a second to import."""
    if name not in _HOME:
        raise AttributeError(f"module 'alignbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
