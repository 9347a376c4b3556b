"""Every simulation as a task of its own: the same result in any order and in any process."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.coverage.corrections import correction_core, correction_heavy, correction_scores, correction_stress
from benchmarks.coverage.packs import pack_scores
from benchmarks.coverage.rates import difference_scores, rate_scores, rejections, turn_scores
from benchmarks.coverage.settings import (
    core,
    heavy,
    pack_core,
    pack_heavy,
    pack_stress,
    pair_core,
    pair_stress,
    stress,
    turns,
)
from benchmarks.coverage.worths import worth_core, worth_heavy, worth_scores, worth_stress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.coverage.scores import Rejections, Score
    from benchmarks.coverage.settings import Effort

    Result = Score | Rejections

__all__ = ["Task", "run", "tasks"]

_SCORES: dict[str, Callable[..., list[Score]]] = {
    "rates": rate_scores,
    "differences": difference_scores,
    "turns": turn_scores,
    "packs": pack_scores,
    "worths": worth_scores,
    "corrections": correction_scores,
}
_PARTS = ("worths", "tests", "differences", "packs", "rates", "corrections", "turns")
_GRIDS = ("core", "stress", "heavy")
"""A part's place makes its random numbers: new parts come last."""


@dataclass(frozen=True, slots=True)
class Task:
    """One setting of one part.

    Attributes:
        part: Which simulation.
        grid: core, stress or heavy.
        number: Place of the setting in its grid; part, grid and number make the stream of random numbers.
        setting: What to simulate.
    """

    part: str
    grid: str
    number: int
    setting: object

    def __call__(self, effort: Effort, seed: int) -> list[Result]:
        """Simulate it."""
        rng = np.random.default_rng([seed, _PARTS.index(self.part), _GRIDS.index(self.grid), self.number])
        if self.part == "tests":
            return [*rejections(self.setting, effort, rng)]  # type: ignore[arg-type]
        return [*_SCORES[self.part](self.setting, self.grid, effort, rng)]


def tasks(every: int = 1) -> list[Task]:
    """All tasks, or every so many-th of each grid; the longest first, so that both processes end together."""
    grids: list[tuple[str, str, Sequence[object]]] = [
        ("worths", "core", worth_core()),
        ("worths", "stress", worth_stress()),
        ("worths", "heavy", worth_heavy()),
        ("corrections", "core", correction_core()),
        ("corrections", "stress", correction_stress()),
        ("corrections", "heavy", correction_heavy()),
        ("tests", "core", [pair for pair in pair_core() if pair.candidate_rate == pair.base.rate]),
        ("differences", "core", pair_core()),
        ("differences", "stress", pair_stress()),
        ("turns", "heavy", turns()),
        ("packs", "core", pack_core()),
        ("packs", "stress", pack_stress()),
        ("packs", "heavy", pack_heavy()),
        ("rates", "core", core()),
        ("rates", "stress", stress()),
        ("rates", "heavy", heavy()),
    ]
    return [
        Task(part, grid, number, setting)
        for part, grid, settings in grids
        for number, setting in enumerate(settings)
        if number % every == 0
    ]


def run(chosen: Sequence[Task], effort: Effort, seed: int, processes: int, say: Callable[[str], None]) -> list[Result]:
    """Run tasks in several processes.

    Args:
        chosen: The tasks.
        effort: How much to simulate.
        seed: Of all random numbers.
        processes: How many processes; 1 for none beside this one.
        say: Is told now and then how far it is.

    Returns:
        The results in the order of the tasks.
    """
    start, results = time.monotonic(), dict[int, list["Result"]]()

    def note(at: int, found: list[Result]) -> None:
        results[at] = found
        if len(results) % max(1, len(chosen) // 20) == 0 or len(results) == len(chosen):
            minutes = (time.monotonic() - start) / 60
            say(f"{len(results)} of {len(chosen)} settings after {minutes:.1f} min, last: {chosen[at].part}")

    if processes == 1:
        for at, task in enumerate(chosen):
            note(at, task(effort, seed))
    else:
        # Spawned, not forked: a fresh interpreter takes the number of threads from the environment.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            waiting = {pool.submit(task, effort, seed): at for at, task in enumerate(chosen)}
            for done in as_completed(waiting):
                note(waiting[done], done.result())
    return [result for at in range(len(chosen)) for result in results[at]]
