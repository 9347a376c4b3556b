"""alignbench: how often does a model do the wrong thing when two values collide?

The names below are the analysis of verdict tables. They never import Inspect; running evaluations is Inspect's own
command line and API, with the tasks `alignbench/<pack>`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignbench.analysis.agreement.agreement import agreement
    from alignbench.analysis.compare.compare import compare, unpaired
    from alignbench.analysis.drift.drift import drift
    from alignbench.analysis.gate.gate import gate
    from alignbench.analysis.plan.plan import plan
    from alignbench.analysis.ranks.ranks import ranks
    from alignbench.analysis.rates.calibrate import calibrate
    from alignbench.analysis.rates.rates import rates
    from alignbench.analysis.values.priorities import priorities
    from alignbench.labels.calibration import load_calibration
    from alignbench.logs.inputs import read_inputs
    from alignbench.report.leaderboard.boards import leaderboard
    from alignbench.table.read import read_table

__version__ = "0.1.0"

_HOME = {
    "agreement": "alignbench.analysis.agreement.agreement",
    "calibrate": "alignbench.analysis.rates.calibrate",
    "compare": "alignbench.analysis.compare.compare",
    "drift": "alignbench.analysis.drift.drift",
    "gate": "alignbench.analysis.gate.gate",
    "leaderboard": "alignbench.report.leaderboard.boards",
    "load_calibration": "alignbench.labels.calibration",
    "plan": "alignbench.analysis.plan.plan",
    "priorities": "alignbench.analysis.values.priorities",
    "ranks": "alignbench.analysis.ranks.ranks",
    "rates": "alignbench.analysis.rates.rates",
    "read_inputs": "alignbench.logs.inputs",
    "read_table": "alignbench.table.read",
    "unpaired": "alignbench.analysis.compare.compare",
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
