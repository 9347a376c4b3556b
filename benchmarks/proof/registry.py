"""Every claim, in the order of the page. A further one is a `Claim` in a module beside this one, and its name here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.proof.gates import GATES
from benchmarks.proof.judges import JUDGES
from benchmarks.proof.places import PLACES
from benchmarks.proof.rates import RATES

if TYPE_CHECKING:
    from benchmarks.proof.claims import Claim

__all__ = ["CLAIMS", "ELSEWHERE"]

CLAIMS: tuple[Claim, ...] = (*GATES, *RATES, *JUDGES, *PLACES)

ELSEWHERE: tuple[tuple[str, str], ...] = (
    ("benchmarks/coverage/table.md", "Coverage and width of every interval on grids to their edges (`make coverage`)."),
    (
        "tests/core/test_coverage_slice.py",
        "Slices of that: rates, differences, packs, corrections, worths; 1,000 each.",
    ),
    (
        "tests/inspect/test_personas.py::test_the_intervals_hold_the_truth",
        "Each persona's rates on 14 scenarios of 4 outputs, 1,000 seeds.",
    ),
    (
        "tests/core/test_card.py::test_intervals_hold_the_truth",
        "Cards of 1,000 judges on the labelled answers that ship.",
    ),
    (
        "tests/core/test_transported.py::test_a_transported_interval_holds_the_truth_beside_refusals",
        "Rates corrected by an exam's error rates, 400 seeds.",
    ),
    (
        "tests/core/test_planning.py::test_the_planned_number_of_scenarios_has_the_power",
        "A planned comparison finds what it was planned for, 200 studies.",
    ),
    (
        "tests/core/test_drift.py::test_the_permutation_test_holds_its_level_on_clustered_outputs",
        "No drift is seldom called drift, 200 studies.",
    ),
    ("tests/core/test_survival.py::test_the_bootstrap_covers", "The share that holds its stance, 150 studies."),
    (
        "tests/core/test_agreement.py::test_the_interval_covers_and_knows_clusters",
        "Agreement between raters, 80 studies.",
    ),
)
"""Simulated claims that are counted in other places: where, and what."""
