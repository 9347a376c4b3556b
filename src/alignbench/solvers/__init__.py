"""What happens to a sample before it is judged."""

from alignbench.solvers.conversation import converse, identify
from alignbench.solvers.replay import replay

__all__ = ["converse", "identify", "replay"]
