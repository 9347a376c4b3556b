"""What Inspect's entry point loads: the tasks of `evals/`, the judge, the solvers and the model providers.

The only file that reaches `evals/`, and it does so by name, so that a new task file needs no line here.
"""

import importlib
import pkgutil

from alignbench.run.models.providers import gguf, persona
from alignbench.run.scoring import rubric_judge
from alignbench.run.solvers import converse, identify, replay

__all__ = ["converse", "gguf", "identify", "persona", "replay", "rubric_judge"]

_evals = importlib.import_module("alignbench.evals")
for _module in pkgutil.iter_modules(_evals.__path__):
    importlib.import_module(f"alignbench.evals.{_module.name}")
