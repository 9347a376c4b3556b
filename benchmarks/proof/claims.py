"""What a claim is, and how it is counted over many seeds."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scipy.stats import binom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["SEEDS", "Claim", "Found", "Wanted", "at_least", "at_most", "prove"]

SEEDS = 1_000
"""Seeds of a whole run: 0 to 999, never picked."""
BLOCK = 20
"""Seeds that are counted at once: some claims put them into one table."""
_LUCK = 1e-3


@dataclass(frozen=True, slots=True)
class Wanted:
    """In which share of the seeds something must be seen.

    Attributes:
        share: The share.
        most: Whether it is the largest allowed; else the smallest.
    """

    share: float
    most: bool = False

    def __str__(self) -> str:
        return f"{'at most' if self.most else 'at least'} {100 * self.share:g} %"

    def holds(self, found: int, seeds: int) -> bool:
        """Whether so many of so many seeds will do; with fewer than SEEDS chance is allowed for (p below .001)."""
        if seeds >= SEEDS:
            limit = round(self.share * seeds, 6)
            return found <= limit if self.most else found >= limit
        as_bad = binom.sf(found - 1, seeds, self.share) if self.most else binom.cdf(found, seeds, self.share)
        return bool(as_bad >= _LUCK)


def at_least(share: float) -> Wanted:
    """The smallest share of the seeds that will do."""
    return Wanted(share)


def at_most(share: float) -> Wanted:
    """The largest share of the seeds that is allowed."""
    return Wanted(share, most=True)


class Counter(Protocol):
    """Counts over some seeds; a function of a module, so that another process finds it (or a `partial` of one)."""

    def __call__(self, seeds: Sequence[int]) -> Mapping[str, int]:
        """In how many of these seeds each thing was seen."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something said of alignbench that a simulation can refute.

    Attributes:
        name: Short and unique.
        words: The claim in a sentence.
        situation: What is simulated.
        wanted: Each thing that is counted, and how often it must be seen.
        count: Counts them.
    """

    name: str
    words: str
    situation: str
    wanted: Mapping[str, Wanted]
    count: Counter


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a claim.

    Attributes:
        claim: The claim.
        counts: In how many seeds each thing was seen.
        seeds: Of how many.
        seconds: CPU time.
    """

    claim: Claim
    counts: Mapping[str, int]
    seeds: int
    seconds: float

    def holds(self, what: str) -> bool:
        """Whether one of the things was seen as often as wanted."""
        return self.claim.wanted[what].holds(self.counts[what], self.seeds)

    @property
    def refuted(self) -> list[str]:
        """The things that were not."""
        return [what for what in self.claim.wanted if not self.holds(what)]


def _block(claim: Claim, seeds: Sequence[int]) -> tuple[dict[str, int], float]:
    start = time.process_time()
    counts = dict(claim.count(seeds))
    if counts.keys() != claim.wanted.keys():
        raise ValueError(f"{claim.name}: counted {sorted(counts)}, wanted {sorted(claim.wanted)}")
    return counts, time.process_time() - start


def prove(claims: Sequence[Claim], seeds: int, processes: int, say: Callable[[str], None]) -> list[Found]:
    """Count every claim over the seeds 0 to `seeds` - 1.

    Args:
        claims: The claims.
        seeds: How many seeds.
        processes: How many processes; 1 for none beside this one.
        say: Is told when a claim is done.

    Returns:
        What was found, in the order of the claims.
    """
    blocks = [range(first, min(first + BLOCK, seeds)) for first in range(0, seeds, BLOCK)]
    tasks = [(at, block) for at in range(len(claims)) for block in blocks]
    if processes == 1:
        return _summed(claims, seeds, ((at, _block(claims[at], block)) for at, block in tasks), say)
    # Spawned, not forked: a fresh interpreter takes the number of threads from the environment.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting = {pool.submit(_block, claims[at], block): at for at, block in tasks}
        return _summed(claims, seeds, ((waiting[done], done.result()) for done in as_completed(waiting)), say)


def _summed(
    claims: Sequence[Claim],
    seeds: int,
    results: Iterable[tuple[int, tuple[Mapping[str, int], float]]],
    say: Callable[[str], None],
) -> list[Found]:
    left = [len(range(0, seeds, BLOCK)) for _ in claims]
    counts, seconds = [dict.fromkeys(claim.wanted, 0) for claim in claims], [0.0] * len(claims)
    for at, (found, took) in results:
        for what, number in found.items():
            counts[at][what] += number
        seconds[at] += took
        left[at] -= 1
        if not left[at]:
            said = ", ".join(f"{what} {number}" for what, number in counts[at].items())
            say(f"{claims[at].name}: of {seeds} seeds {said}; {seconds[at]:.0f} s")
    return [Found(*each) for each in zip(claims, counts, [seeds] * len(claims), seconds, strict=True)]
