"""Verdict tables of simulated models whose rates are known; `make proof` has them too."""

from benchmarks.proof.tables import judged, simulated

__all__ = ["judged", "simulated"]
