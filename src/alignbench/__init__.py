"""alignbench: how often does a model do the wrong thing when two values collide?

The names below are the analysis of verdict tables. They never import Inspect; running evaluations is Inspect's own
command line and API, with the tasks `alignbench/<pack>`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignbench.analysis.agreement import agreement
    from alignbench.analysis.compare import compare, unpaired
    from alignbench.analysis.drift import drift
    from alignbench.analysis.gate import gate
    from alignbench.analysis.leaderboard import leaderboard
    from alignbench.analysis.plan import plan
    from alignbench.analysis.priorities import priorities
    from alignbench.analysis.ranks import ranks
    from alignbench.analysis.rates import rates
    from alignbench.inputs import read_inputs
    from alignbench.judging.calibrate import calibrate
    from alignbench.judging.calibration import load_calibration
    from alignbench.table import read_table

__version__ = "0.1.0"

_HOME = {
    "agreement": "alignbench.analysis.agreement",
    "calibrate": "alignbench.judging.calibrate",
    "compare": "alignbench.analysis.compare",
    "drift": "alignbench.analysis.drift",
    "gate": "alignbench.analysis.gate",
    "leaderboard": "alignbench.analysis.leaderboard",
    "load_calibration": "alignbench.judging.calibration",
    "plan": "alignbench.analysis.plan",
    "priorities": "alignbench.analysis.priorities",
    "ranks": "alignbench.analysis.ranks",
    "rates": "alignbench.analysis.rates",
    "read_inputs": "alignbench.inputs",
    "read_table": "alignbench.table",
    "unpaired": "alignbench.analysis.compare",
}
"""Where each public name lives."""

__all__ = [
    "__version__",
    "agreement",
    "calibrate",
    "compare",
    "drift",
    "gate",
    "leaderboard",
    "load_calibration",
    "plan",
    "priorities",
    "ranks",
    "rates",
    "read_inputs",
    "read_table",
    "unpaired",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: pandas and scipy take a second to import."""
    if name not in _HOME:
        raise AttributeError(f"module 'alignbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
