"""A rate over several packs, as fixed strata of stated weights."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError
from alignbench.stats.estimate import Estimate, method_over
from alignbench.stats.gaffke import stratified_limits
from alignbench.stats.rate import (
    FEW_SCENARIOS,
    GAFFKE,
    check_counts,
    icc,
    moments,
    overall_s1,
    stack_moments,
    zero_event_bound,
)
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from alignbench.stats.methods import Method
    from alignbench.stats.rate import S1Parts

    Floats = NDArray[np.float64]

__all__ = ["overall_rate"]


def overall_rate(
    packs: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    method: Method = "gaffke",
) -> Estimate:
    """The rate over several packs as fixed strata, each with its own weight (equal by default).

    Args:
        packs: For each pack asked for, outputs and events by scenario.
        weights: Weights of the packs; scaled to sum to 1.
        confidence: Two-sided coverage.
        method: A member of Gaffke's family, or `s1`.

    Returns:
        An Estimate. With one pack it is that of `rate`. No value where a pack has nothing judged (flag
        `missing_pack`; `nothing_judged` where none has any); no interval where one has a single scenario.

    Raises:
        InputError: No pack, or unusable counts, weights or method.
    """
    share = _shares(packs, weights, method)
    cells = [check_counts(n, y, confidence) for n, y in packs]
    scenarios, events = sum(len(n) for n, _ in cells), float(sum(y.sum() for _, y in cells))
    total = int(sum(n.sum() for n, _ in cells))
    name = method_over(method, len(cells))
    if any(len(n) == 0 for n, _ in cells):
        flag = Flag.MISSING_PACK if scenarios else Flag.NOTHING_JUDGED
        return Estimate.nothing(flag, confidence=confidence, method=name, n=total, scenarios=scenarios, events=events)
    stacked = stack_moments([moments(n, y) for n, y in cells])
    pooled, parts = overall_s1(stacked, share, confidence)
    shares = [y / n for n, y in cells]
    value = float(share @ [one.mean() for one in shares]) if method in GAFFKE else float(pooled)
    flags = (Flag.FEW_SCENARIOS,) if scenarios < FEW_SCENARIOS else ()
    found = partial(
        Estimate,
        value=value,
        confidence=confidence,
        method=name,
        n=total,
        scenarios=scenarios,
        events=events,
        pooled=float(pooled),
    )
    if any(len(n) < 2 for n, _ in cells):
        return found(low=None, high=None, flags=(*flags, Flag.ONE_SCENARIO))
    low, high = _limits(shares, share, parts, confidence, method)
    m2 = float((share**2 / stacked.n * stacked.m2).sum() / (share**2 / stacked.n).sum())
    return found(
        low=min(low, value),
        high=max(high, value),
        event_scenarios=int(min(stacked.with_event.sum(), stacked.with_other.sum())),
        icc=icc(float(parts.raw_deff), m2),
        deff=float(parts.deff),
        n_eff=float(parts.n_eff),
        df=float(stacked.df.sum()),
        one_sided_upper=zero_event_bound(stacked.scenarios, share, confidence) if events == 0 else None,
        flags=flags,
    )


def _shares(packs: Sequence[tuple[ArrayLike, ArrayLike]], weights: ArrayLike | None, method: Method) -> Floats:
    """The weights of the packs, summing to 1.

    Raises:
        InputError: No pack, or unusable weights or method.
    """
    if not packs:
        raise InputError("no packs to combine", allowed="at least one")
    if method not in (*GAFFKE, "s1"):
        raise InputError(f"method {method!r} over packs", allowed=", ".join((*GAFFKE, "s1")))
    share = np.full(len(packs), 1.0) if weights is None else np.asarray(weights, dtype=float)
    if share.shape != (len(packs),) or not np.isfinite(share).all() or (share <= 0).any():
        raise InputError(f"weights {weights!r}", allowed=f"{len(packs)} positive numbers")
    return np.asarray(share / share.sum())


def _limits(
    shares: Sequence[Floats], weights: Floats, parts: S1Parts, confidence: float, method: Method
) -> tuple[float, float]:
    """The interval by Gaffke's family, or that of S1."""
    if method in GAFFKE:
        return stratified_limits(shares, weights, confidence=confidence, share=GAFFKE[method])
    return float(parts.low), float(parts.high)
