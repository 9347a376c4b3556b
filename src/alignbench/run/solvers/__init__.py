"""What happens to a sample before it is judged."""

from alignbench.run.solvers.conversation import converse, identify
from alignbench.run.solvers.replay import replay

__all__ = ["converse", "identify", "replay"]
