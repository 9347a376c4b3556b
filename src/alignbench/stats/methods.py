"""Names of what a caller may choose: kept apart from what computes, so that options list them without importing it."""

from __future__ import annotations

from typing import Literal

__all__ = ["DifferenceMethod", "Method", "Scale"]

Method = Literal[
    "gaffke", "gaffke_g75", "gaffke_midp", "betting", "s1", "cr2_t", "wilson", "clopper_pearson", "beta_binomial"
]
"""Intervals of a rate; see `alignbench.stats.rate.rate`."""

DifferenceMethod = Literal["gaffke_midp", "gaffke_g75", "gaffke", "betting", "s2", "newcombe_10", "tango"]
"""Intervals of a difference; see `alignbench.stats.difference.difference`."""

Scale = Literal["nominal", "ordinal", "interval"]
"""How far apart categories are, for coefficients of agreement; see `alignbench.stats.agreement`."""
