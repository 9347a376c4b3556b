"""What happens to a sample before it is judged."""

from alignbench.solvers.conversation import converse, identify

__all__ = ["converse", "identify"]
