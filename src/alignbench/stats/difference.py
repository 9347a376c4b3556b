"""The difference between two models on the same scenarios: interval, test, and what it could have found.

The scenario is the unit, and each weighs the same; packs are fixed strata with fixed weights. The interval is Gaffke's
on the scenarios' differences (`alignbench.stats.gaffke`), the test the sign-flip of scenarios
(`alignbench.stats.sign_flip`).

References:
    Gaffke 2005 (the interval; its mid-P version by default); Zou & Donner 2008 (MOVER, for `s2` and for contrasts);
    Connor 1987, Biometrics 43:207 (power of paired comparisons by the discordant share); Kish 1965 (design effect).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, get_args

import numpy as np
from scipy import special

from alignbench.errors import InputError
from alignbench.stats.betting import betting_limits
from alignbench.stats.estimate import is_corrected_method, method_over
from alignbench.stats.gaffke import stratified_limits
from alignbench.stats.matched import newcombe_10, tango
from alignbench.stats.methods import DifferenceMethod
from alignbench.stats.rate import FEW_SCENARIOS, GAFFKE, moments
from alignbench.stats.s2 import NO_VARIANCE, S2Parts, mover, s2
from alignbench.stats.sign_flip import FEW_INFORMATIVE, sign_flip
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Difference",
    "PairCounts",
    "S2Parts",
    "difference",
    "difference_in_differences",
    "minimum_detectable",
    "mover",
    "s2",
]


MDE_ALPHA = 0.05
MDE_POWER = 0.80


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Paired outputs of one pack (stratum), counted by scenario; vectors of one length.

    Attributes:
        n: Pairs: outputs judged under both models.
        base: Pairs in which the base has the event.
        candidate: Pairs in which the candidate has the event.
        discordant: Pairs in which exactly one of them has it.
    """

    n: Floats
    base: Floats
    candidate: Floats
    discordant: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference between two rates that carries what it rests on.

    Attributes:
        rate_base: Rate of the base, the mean over scenarios of its shares (with `s2` the pooled one); None where
            nothing was paired, and in a contrast of changes.
        rate_candidate: Rate of the candidate; None likewise.
        difference: rate_candidate - rate_base; None where nothing was paired.
        low: Lower limit; None where no interval can be given (fewer than two scenarios).
        high: Upper limit; None likewise.
        confidence: Nominal two-sided coverage of [low, high].
        method: Name of the method.
        pairs: Paired outputs.
        scenarios: Scenarios with a pair.
        informative_scenarios: Scenarios in which the two models' counts differ.
        r: Correlation of the two models' shares over scenarios: above 0 pairing made the interval narrower; None where
            one of them does not vary, and in a contrast.
        p: Two-sided p of the sign-flip test; None in a contrast.
        p_greater: One-sided p that the candidate's rate is the higher one.
        discordant: Share of pairs in which exactly one model has the event (psi).
        icc_difference: Intra-scenario correlation of the pairs' differences (rho_d), in [0, 1].
        mde_80: Smallest true difference that a one-sided test (at .05 unless said otherwise) finds with
            80 % power; None where too few scenarios differ for the test to reject at all.
        flags: Warnings in one word each.
    """

    rate_base: float | None
    rate_candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    confidence: float
    method: str
    pairs: int
    scenarios: int
    informative_scenarios: int = 0
    r: float | None = None
    p: float | None = None
    p_greater: float | None = None
    discordant: float | None = None
    icc_difference: float | None = None
    mde_80: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def corrected(self) -> bool:
        """Whether it is corrected for the judge's errors by labels of people."""
        return is_corrected_method(self.method)


def minimum_detectable(
    discordant: ArrayLike,
    icc_difference: ArrayLike,
    scenarios: ArrayLike,
    outputs: ArrayLike,
    *,
    alpha: float = MDE_ALPHA,
    power: float = MDE_POWER,
) -> Floats:
    """Smallest true difference that a one-sided paired test finds with the given power.

    (z_{1-alpha} + z_power) * sqrt(psi * (1 + (m - 1) * rho_d) / (K * m)), but not less than what the smallest
    number of scenarios that can reach alpha by their signs alone (5 at .05) would show with one output each.

    Args:
        discordant: psi, share of pairs in which exactly one model has the event.
        icc_difference: rho_d, intra-scenario correlation of the differences.
        scenarios: K.
        outputs: m, outputs a scenario.
        alpha: Level of the one-sided test.
        power: Probability of finding it.
    """
    psi, rho, k, m = (np.asarray(part, dtype=float) for part in (discordant, icc_difference, scenarios, outputs))
    return _detectable(psi * (1 + (m - 1) * rho) / (k * m), 1 / (k * m), alpha, power)


def _detectable(variance: ArrayLike, per_output: ArrayLike, alpha: float, power: float) -> Floats:
    reach = float(special.ndtri(1 - alpha) + special.ndtri(power))
    return np.asarray(np.maximum(reach * np.sqrt(variance), _needed(alpha) * np.asarray(per_output)))


def _needed(alpha: float) -> int:
    """Scenarios that must all differ in one direction for their signs to reach alpha."""
    return math.ceil(-math.log2(alpha))


def difference(
    packs: Sequence[PairCounts],
    *,
    rng: np.random.Generator,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    method: DifferenceMethod = "gaffke_midp",
    alpha: float = MDE_ALPHA,
) -> Difference:
    """The difference between two models over one pack, or over several as fixed strata of equal weight.

    Args:
        packs: For each pack asked for, its pairs by scenario.
        rng: For the sign-flip test, and the order of `betting`.
        weights: Weights of the packs; scaled to sum to 1.
        confidence: Two-sided coverage.
        method: `gaffke_midp` (default), wider members of its family (`gaffke_g75`, `gaffke`), or `s2`; for one pack
            also `betting`, and with one output a scenario `newcombe_10` or `tango`.
        alpha: Level of the one-sided test that `mde_80` is about.

    Returns:
        A Difference. No value where a pack has no pair; no interval where one has a single scenario.

    Raises:
        InputError: Counts, weights or options that cannot be used.
    """
    share = _shares(weights, len(packs))
    _check_options(method, confidence, alpha, len(packs))
    cells = [_checked(pack) for pack in packs]
    name = method_over(method, len(cells))
    pairs, scenarios = int(sum(cell.n.sum() for cell in cells)), sum(len(cell.n) for cell in cells)
    found = partial(Difference, confidence=confidence, method=name, pairs=pairs, scenarios=scenarios)
    if any(len(cell.n) == 0 for cell in cells):
        flag = Flag.MISSING_PACK if pairs else Flag.NO_PAIRS
        return found(rate_base=None, rate_candidate=None, difference=None, low=None, high=None, flags=(flag,))
    changes = [(cell.candidate - cell.base) / cell.n for cell in cells]
    weighted = [change * weight / len(change) for change, weight in zip(changes, share, strict=True)]
    test = sign_flip(np.concatenate(weighted), rng)
    single = any(len(cell.n) < 2 for cell in cells)
    stacked = _stack(cells)
    limits: tuple[float | None, float | None] = (None, None)
    if method == "s2":
        (base, candidate), limits = _by_s2(stacked, share, confidence)
    else:
        base, candidate = _rates(cells, share)
    if method != "s2" and not single:
        low, high = _limits(cells, changes, share, method, confidence, rng)
        limits = min(low, candidate - base), max(high, candidate - base)
    psi, icc, mde = _planning(stacked, share, alpha)
    return found(
        rate_base=base,
        rate_candidate=candidate,
        difference=candidate - base,
        low=None if single else limits[0],
        high=None if single else limits[1],
        informative_scenarios=test.informative,
        r=None if single else _correlation(cells, share),
        p=test.two_sided,
        p_greater=test.greater,
        discordant=psi,
        icc_difference=icc,
        mde_80=None if single or test.informative < _needed(alpha) or mde > 1 else mde,
        flags=_flags(scenarios, single, test.informative),
    )


def _rates(cells: Sequence[PairCounts], share: Floats) -> tuple[float, float]:
    """The rates of base and candidate: means over scenarios, then over packs by their weights."""
    base = float(share @ [(cell.base / cell.n).mean() for cell in cells])
    candidate = float(share @ [(cell.candidate / cell.n).mean() for cell in cells])
    return base, candidate


def _by_s2(stacked: PairCounts, share: Floats, confidence: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The pooled rates of base and candidate, and the limits of their difference by S2."""
    parts = s2(stacked.n, stacked.base, stacked.candidate, weights=share, confidence=confidence)
    return (float(parts.rate_base), float(parts.rate_candidate)), (float(parts.low), float(parts.high))


def _limits(
    cells: Sequence[PairCounts],
    changes: Sequence[Floats],
    share: Floats,
    method: DifferenceMethod,
    confidence: float,
    rng: np.random.Generator,
) -> tuple[float, float]:
    if method in GAFFKE:
        return stratified_limits(changes, share, confidence=confidence, share=GAFFKE[method], ends=(-1.0, 1.0))
    if method == "betting":
        return betting_limits(changes[0], confidence=confidence, rng=rng, ends=(-1.0, 1.0))
    return _one_output(cells[0], method, confidence)


def _correlation(cells: Sequence[PairCounts], share: Floats) -> float | None:
    """Correlation of the two models' shares over the scenarios of all packs, within packs."""
    total = np.zeros((2, 2))
    for cell, weight in zip(cells, share, strict=True):
        total += weight**2 / len(cell.n) * np.cov(np.stack([cell.base, cell.candidate]) / cell.n)
    spread = float(total[0, 0] * total[1, 1])
    return float(np.clip(total[0, 1] / math.sqrt(spread), -1, 1)) if spread > NO_VARIANCE**2 else None


def _flags(scenarios: int, single: bool, informative: int) -> tuple[str, ...]:
    flags = {
        Flag.FEW_SCENARIOS: scenarios < FEW_SCENARIOS,
        Flag.ONE_SCENARIO: single,
        Flag.FEW_INFORMATIVE: informative < FEW_INFORMATIVE,
    }
    return tuple(flag for flag, holds in flags.items() if holds)


def _check_options(method: str, confidence: float, alpha: float, packs: int) -> None:
    if method not in get_args(DifferenceMethod):
        raise InputError(f"unknown method {method!r}", allowed=", ".join(get_args(DifferenceMethod)))
    if packs > 1 and method not in (*GAFFKE, "s2"):
        raise InputError(f"method {method!r} over {packs} packs", allowed=f"{', '.join(GAFFKE)}, s2, or one pack")
    for name, value in (("confidence", confidence), ("alpha", alpha)):
        if not 0 < value < 1:
            raise InputError(f"{name} {value!r}", allowed="a number between 0 and 1")


def difference_in_differences(first: Difference, second: Difference) -> Difference:
    """How much more the second difference is than the first, from different scenarios: MOVER with r = 0.

    Args:
        first: A difference, such as the change on seen families.
        second: The same on other scenarios, such as unseen families; same confidence.

    Returns:
        A Difference of differences, in [-2, 2], without rates and without a test.
    """
    known = (first.difference, first.low, first.high, second.difference, second.low, second.high)
    pairs, scenarios = first.pairs + second.pairs, first.scenarios + second.scenarios
    informative = first.informative_scenarios + second.informative_scenarios
    flags = tuple(dict.fromkeys((*first.flags, *second.flags)))
    value = None
    if first.difference is not None and second.difference is not None:
        value = second.difference - first.difference
    low = high = None
    if None not in known:
        # That no limit is None is checked, in a way that the type checker does not follow.
        limits = mover(known[:3], known[3:], 0.0)  # type: ignore[arg-type]
        low, high = (float(limit) for limit in limits)
    return Difference(
        rate_base=None,
        rate_candidate=None,
        difference=value,
        low=low,
        high=high,
        confidence=first.confidence,
        method="mover_unpaired",
        pairs=pairs,
        scenarios=scenarios,
        informative_scenarios=informative,
        flags=flags,
    )


def _shares(weights: ArrayLike | None, packs: int) -> Floats:
    if not packs:
        raise InputError("no packs to compare", allowed="at least one")
    share = np.ones(packs) if weights is None else np.asarray(weights, dtype=float)
    if share.shape != (packs,) or not np.isfinite(share).all() or (share <= 0).any():
        raise InputError(f"weights {weights!r}", allowed=f"{packs} positive numbers")
    return np.asarray(share / share.sum())


def _checked(pack: PairCounts) -> PairCounts:
    """The counts as floats, without scenarios that have no pair."""
    parts = [np.asarray(part, dtype=float) for part in (pack.n, pack.base, pack.candidate, pack.discordant)]
    if parts[0].ndim != 1 or len({part.shape for part in parts}) > 1:
        raise InputError(f"counts of shapes {[part.shape for part in parts]}", allowed="four vectors of one length")
    n, base, candidate, discordant = parts
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(parts).all(0) & (np.stack([base, candidate, discordant]) >= 0).all(0)
        valid &= (base <= n) & (candidate <= n) & (np.abs(candidate - base) <= discordant)
        valid &= discordant <= np.minimum(base + candidate, 2 * n - base - candidate)
    if not valid.all():
        at = int(np.flatnonzero(~valid)[0])
        found = ", ".join(f"{part[at]:g}" for part in parts)
        raise InputError(f"scenario {at} has n, base, candidate, discordant = {found}", allowed="counts that agree")
    kept = n > 0
    return PairCounts(*(part[kept] for part in parts))


def _stack(cells: Sequence[PairCounts]) -> PairCounts:
    """Packs below each other, filled up with scenarios of size 0."""
    longest = max(len(cell.n) for cell in cells)

    def filled(name: str) -> Floats:
        columns: list[Floats] = [getattr(cell, name) for cell in cells]
        return np.stack([np.pad(column, (0, longest - len(column))) for column in columns])

    return PairCounts(filled("n"), filled("base"), filled("candidate"), filled("discordant"))


def _planning(stacked: PairCounts, share: Floats, alpha: float) -> tuple[float, float, float]:
    """Discordant share, ICC of the differences, and the difference that would be found in 80 of 100 tries."""
    total = stacked.n.sum(-1)
    psi = stacked.discordant.sum(-1) / total
    cell = moments(stacked.n, stacked.candidate - stacked.base)
    independent = float((share**2 / total * (psi - cell.p**2)).sum())
    m2 = float((share**2 / total * cell.m2).sum() / (share**2 / total).sum())
    deff = max(1.0, float((share**2 * cell.cr2).sum()) / independent) if independent > 1e-15 else 1.0
    icc = min(1.0, (deff - 1) / (m2 - 1)) if m2 > 1 else 0.0
    variance = float((share**2 / total * psi).sum()) * (1 + (m2 - 1) * icc)
    mde = _detectable(variance, float((share**2 / total).sum()), alpha, MDE_POWER)
    return float((share * psi).sum()), icc, float(mde)


def _one_output(cell: PairCounts, method: DifferenceMethod, confidence: float) -> tuple[float, float]:
    if (cell.n != 1).any():
        raise InputError(f"method {method!r} with several outputs a scenario", allowed=", ".join((*GAFFKE, "s2")))
    base, candidate = cell.base == 1, cell.candidate == 1
    interval = newcombe_10 if method == "newcombe_10" else tango
    return interval(
        int((base & candidate).sum()),
        int((base & ~candidate).sum()),
        int((candidate & ~base).sum()),
        int((~base & ~candidate).sum()),
        confidence,
    )
