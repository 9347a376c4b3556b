"""A rate over scenarios: the mean of their shares with Gaffke's limits, and the alternatives by name.

The scenario is the unit of sampling: outputs of one scenario are never taken as independent, and how many there are is
our design, so that every scenario weighs the same.

References:
    Gaffke 2005 (`alignbench.stats.gaffke`); Waudby-Smith & Ramdas 2023 (`alignbench.stats.betting`). For the
    alternatives Bell & McCaffrey 2002 (CR2 and its degrees of freedom); Kish 1965 (design effect); Korn & Graubard 1998
    and Franco, Little, Louis & Slud 2019 (intervals on an effective sample size); Wilson 1927.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, get_args

import numpy as np
from scipy import optimize, special

from alignbench.errors import InputError
from alignbench.stats.betting import betting_limits
from alignbench.stats.estimate import Estimate
from alignbench.stats.gaffke import mean_limits
from alignbench.stats.methods import Method
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "FEW_SCENARIOS",
    "GAFFKE",
    "Moments",
    "S1Parts",
    "icc",
    "moments",
    "overall_s1",
    "rate",
    "s1",
    "stack_moments",
    "wilson",
    "zero_event_bound",
]


GAFFKE = {"gaffke": 1.0, "gaffke_g75": 0.75, "gaffke_midp": 0.5}
"""Members of the family of Gaffke's limits: how often the imagined scenario counts against the limit."""

PRIOR_ICC = 0.5
"""Intra-scenario correlation assumed while few scenarios bear events."""
PRIOR_WEIGHT = 4.0
"""How many event-bearing scenarios that assumption is worth."""
FEW_SCENARIOS = 10
"""Below this many scenarios an estimate is flagged."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Sufficient statistics of a cell, each an array over the leading axes of the input, or a scalar.

    Attributes:
        n: Outputs, N.
        events: Outputs with the event.
        scenarios: Scenarios with at least one output, K.
        p: events / n.
        cr2: CR2 variance of p (0 where K < 2).
        df: Bell-McCaffrey degrees of freedom of cr2.
        m2: Mean scenario size seen by an output, sum of n_g squared over N.
        with_event: Scenarios with an event.
        with_other: Scenarios with a non-event.
    """

    n: Floats
    events: Floats
    scenarios: Floats
    p: Floats
    cr2: Floats
    df: Floats
    m2: Floats
    with_event: Floats
    with_other: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class S1Parts:
    """The S1 interval and what it was made of, arrays of one shape."""

    low: Floats
    high: Floats
    raw_deff: Floats
    deff: Floats
    n_eff: Floats


def moments(n: ArrayLike, y: ArrayLike) -> Moments:
    """Reduce scenario counts to the moments that the intervals need.

    Args:
        n: Outputs by scenario, shape (..., K); scenarios without outputs are passed over.
        y: Outputs with the event by scenario, same shape, 0 <= y <= n.

    Returns:
        Moments over the leading axes.
    """
    sizes, hits = np.asarray(n, dtype=float), np.asarray(y, dtype=float)
    total = sizes.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = hits.sum(-1) / total
        share = sizes / total[..., None]
        # One scenario alone has no variance to show: its 1 / (1 - w) is set to 0.
        leverage = np.where(share < 1, 1 / np.where(share < 1, 1 - share, 1), 0.0)
        residual = hits - sizes * p[..., None]
        cr2 = (residual**2 * leverage).sum(-1) / total**2
        a = (sizes**2 * leverage).sum(-1) / total
        b = (sizes**4 * leverage**2).sum(-1) / total**2
        df = total**2 / ((sizes**2).sum(-1) + a**2 - b)
        m2 = (sizes**2).sum(-1) / total
    return Moments(
        n=total,
        events=hits.sum(-1),
        scenarios=(sizes > 0).sum(-1).astype(float),
        p=p,
        cr2=cr2,
        df=df,
        m2=m2,
        with_event=(hits > 0).sum(-1).astype(float),
        with_other=(sizes - hits > 0).sum(-1).astype(float),
    )


def wilson(p: ArrayLike, n_eff: ArrayLike, quantile: ArrayLike) -> tuple[Floats, Floats]:
    """Wilson's score interval at a (possibly fractional) sample size and a given normal or t quantile."""
    share, size, t = np.asarray(p, float), np.asarray(n_eff, float), np.asarray(quantile, float)
    t2 = t**2
    centre = (share + t2 / (2 * size)) / (1 + t2 / size)
    half = t / (1 + t2 / size) * np.sqrt(share * (1 - share) / size + t2 / (4 * size**2))
    # At p = 0 and p = 1 the limits are exactly 0 and 1; rounding must not move them.
    low = np.where(share <= 0, 0.0, np.clip(centre - half, 0, 1))
    high = np.where(share >= 1, 1.0, np.clip(centre + half, 0, 1))
    return np.minimum(low, share), np.maximum(high, share)


def _shrunk(
    p: Floats, variance: Floats, iid_variance: Floats, m2: Floats, ev: Floats, df: Floats, confidence: float
) -> S1Parts:
    """Wilson, the design effect shrunk towards PRIOR_ICC the more, the fewer scenarios bear events."""
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = variance / (p * (1 - p) * iid_variance)
    raw = np.where((p <= 0) | (p >= 1), 1.0, np.maximum(1.0, observed))
    prior = 1 + (m2 - 1) * PRIOR_ICC
    deff = (raw * ev + prior * PRIOR_WEIGHT) / (ev + PRIOR_WEIGHT)
    n_eff = 1 / (iid_variance * deff)
    low, high = wilson(p, n_eff, special.stdtrit(df, 0.5 + confidence / 2))
    return S1Parts(low=low, high=high, raw_deff=raw, deff=deff, n_eff=n_eff)


def s1(cell: Moments, confidence: float = 0.95) -> S1Parts:
    """The S1 interval: Wilson at a shrunk effective sample size, the t quantile at CR2's degrees of freedom.

    Args:
        cell: Moments of one cell or of many (arrays); with fewer than two scenarios the limits mean nothing.
        confidence: Two-sided coverage.
    """
    ev = np.minimum(cell.with_event, cell.with_other)
    return _shrunk(cell.p, cell.cr2, 1 / cell.n, cell.m2, ev, cell.df, confidence)


def overall_s1(packs: Moments, weights: Floats, confidence: float = 0.95) -> tuple[Floats, S1Parts]:
    """S1 over packs as fixed strata.

    Args:
        packs: Moments with the packs on the last axis.
        weights: Weights of the packs, summing to 1.
        confidence: Two-sided coverage.

    Returns:
        The weighted rate and its S1 interval.
    """
    p = (weights * packs.p).sum(-1)
    variance = (weights**2 * packs.cr2).sum(-1)
    iid = (weights**2 / packs.n).sum(-1)
    m2 = (weights**2 / packs.n * packs.m2).sum(-1) / iid
    ev = np.minimum(packs.with_event.sum(-1), packs.with_other.sum(-1))
    return p, _shrunk(p, variance, iid, m2, ev, packs.df.sum(-1), confidence)


def check_counts(n: ArrayLike, y: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Turn scenario counts into float arrays, without the scenarios that have no output.

    Raises:
        InputError: Counts that are no counts, or a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence!r} is no coverage", allowed="a number between 0 and 1")
    sizes, hits = np.asarray(n, dtype=float), np.asarray(y, dtype=float)
    if sizes.shape != hits.shape or sizes.ndim != 1:
        raise InputError(f"n has shape {sizes.shape}, y has {hits.shape}", allowed="two vectors of one length")
    valid = np.isfinite(sizes) & np.isfinite(hits) & (hits >= 0) & (hits <= sizes)
    if not valid.all():
        at = int(np.flatnonzero(~valid)[0])
        raise InputError(f"scenario {at} has y = {hits[at]} of n = {sizes[at]}", allowed="0 <= y <= n, finite")
    kept = sizes > 0
    return sizes[kept], hits[kept]


def icc(raw_deff: float, m2: float) -> float | None:
    """Intra-scenario correlation from an unshrunk design effect; None where every scenario has one output."""
    return float(np.clip((raw_deff - 1) / (m2 - 1), 0, 1)) if m2 > 1 else None


def _over_scenarios(shares: Floats, method: Method, confidence: float, seed: int) -> tuple[float, float, float]:
    """The mean over scenarios and its limits."""
    value = float(shares.mean())
    if method == "betting":
        low, high = betting_limits(shares, confidence=confidence, rng=np.random.default_rng(seed))
    else:
        low, high = mean_limits(shares, confidence=confidence, share=GAFFKE[method])
    return value, min(low, value), max(high, value)


def _beta_binomial(sizes: Floats, hits: Floats, confidence: float) -> tuple[float, float]:
    """Equal-tailed posterior of mu under y ~ BetaBinomial(n, mu, rho), mu ~ Beta(.5, .5), rho ~ U(0, 1)."""
    # mu = sin^2(angle) makes the Beta(.5, .5) prior uniform in the angle, so a plain grid integrates it.
    edges = np.arange(802) / 801 * np.pi / 2
    mu = np.sin((edges[1:] + edges[:-1]) / 2) ** 2
    rho = (np.arange(60) + 0.5) / 60
    concentration = 1 / rho - 1
    a, b = mu[:, None] * concentration, (1 - mu)[:, None] * concentration
    pairs, counts = np.unique(np.stack([sizes, hits]), axis=1, return_counts=True)
    loglik = np.zeros_like(a)
    for (size, hit), count in zip(pairs.T, counts, strict=True):
        loglik += count * (special.betaln(hit + a, size - hit + b) - special.betaln(a, b))
    posterior = np.exp(loglik - loglik.max()).sum(1)
    cumulative = np.append(0.0, np.cumsum(posterior)) / posterior.sum()
    low, high = np.interp([(1 - confidence) / 2, (1 + confidence) / 2], cumulative, np.sin(edges) ** 2)
    return float(low), float(high)


def _pooled_interval(
    sizes: Floats, hits: Floats, cell: Moments, method: Method, confidence: float
) -> tuple[float, float, float]:
    """The pooled share and its limits, by the methods that speak of it."""
    p, upper = float(cell.p), 0.5 + confidence / 2
    if method == "s1":
        parts = s1(cell, confidence)
        return p, float(parts.low), float(parts.high)
    if method == "cr2_t":
        half = float(special.stdtrit(cell.df, upper)) * float(np.sqrt(cell.cr2))
        return p, max(0.0, p - half), min(1.0, p + half)
    if method == "wilson":
        limits = wilson(p, cell.n, special.ndtri(upper))
        return p, float(limits[0]), float(limits[1])
    if method == "clopper_pearson":
        scenarios = len(sizes)
        hit = p * scenarios
        below = special.betaincinv(hit, scenarios - hit + 1, 1 - upper) if hit > 0 else 0.0
        above = special.betaincinv(hit + 1, scenarios - hit, upper) if hit < scenarios else 1.0
        return p, float(below), float(above)
    low, high = _beta_binomial(sizes, hits, confidence)
    return p, min(low, p), max(high, p)


def rate(n: ArrayLike, y: ArrayLike, *, confidence: float = 0.95, method: Method = "gaffke", seed: int = 0) -> Estimate:
    """A rate with an interval that treats the scenario as the unit.

    Args:
        n: Judged outputs by scenario, shape (K,).
        y: Outputs with the event by scenario, shape (K,); halves are allowed (ties).
        confidence: Two-sided coverage.
        method: `gaffke` (default: no assumption about the distribution of the scenarios' shares; proven where these
            take two values, else conjectured and not refuted), narrower members of its family (`gaffke_g75`,
            `gaffke_midp`), or `betting` (proven, wider): for the mean over scenarios of their shares. For the pooled
            share, to compare: `s1` (a Wilson interval on an effective sample size; too narrow where few scenarios
            nearly always show the event); `cr2_t`; `wilson` (takes outputs as independent: right only with one output a
            scenario); `clopper_pearson` on scenarios; `beta_binomial` (posterior).
        seed: Of the order in which `betting` takes the scenarios.

    Returns:
        An Estimate; without an interval where fewer than two scenarios were judged. Its `icc`, `deff`, `n_eff` and `df`
        describe the pooled share; Gaffke's limits do not use them.

    Raises:
        InputError: The counts or the options are unusable.
    """
    if method not in get_args(Method):
        raise InputError(f"unknown method {method!r}", allowed=", ".join(get_args(Method)))
    sizes, hits = check_counts(n, y, confidence)
    scenarios, total, events = len(sizes), int(sizes.sum()), float(hits.sum())
    if not scenarios:
        return Estimate.nothing(Flag.NOTHING_JUDGED, confidence=confidence, method=method)
    cell = moments(sizes, hits)
    found = partial(
        Estimate,
        confidence=confidence,
        method=method,
        n=total,
        scenarios=scenarios,
        events=events,
        pooled=float(cell.p),
    )
    flags = (Flag.FEW_SCENARIOS,) if scenarios < FEW_SCENARIOS else ()
    if scenarios < 2:
        return found(value=float(cell.p), low=None, high=None, flags=(*flags, Flag.ONE_SCENARIO))
    if method in GAFFKE or method == "betting":
        value, low, high = _over_scenarios(hits / sizes, method, confidence, seed)
    else:
        value, low, high = _pooled_interval(sizes, hits, cell, method, confidence)
    parts = s1(cell, confidence)
    return found(
        value=value,
        low=low,
        high=high,
        event_scenarios=int(min(cell.with_event, cell.with_other)),
        icc=icc(float(parts.raw_deff), float(cell.m2)),
        deff=float(parts.deff),
        n_eff=float(parts.n_eff),
        df=float(cell.df),
        one_sided_upper=zero_event_bound([scenarios], [1.0], confidence) if events == 0 else None,
        flags=flags,
    )


def zero_event_bound(scenarios: ArrayLike, weights: ArrayLike, confidence: float) -> float:
    """Upper one-sided bound of the weighted rate when no scenario of any stratum showed an event.

    The largest sum of w_h * p_h with prod (1 - p_h) ** K_h >= 1 - confidence, whatever the dependence within
    scenarios; with one stratum it is 1 - (1 - confidence) ** (1 / K).

    Args:
        scenarios: Scenarios by stratum, K_h >= 1.
        weights: Weights of the strata, summing to 1.
        confidence: One-sided coverage.
    """
    k, w = np.asarray(scenarios, float), np.asarray(weights, float)
    budget = -np.log1p(-confidence)

    def spent(log_price: float) -> Floats:
        return np.asarray(np.maximum(0.0, k * (np.log(w / k) - log_price)))

    top = float(np.log(w / k).max())
    log_price = optimize.brentq(lambda x: spent(x).sum() - budget, top - budget / k.min() - 1, top)
    return float((w * -np.expm1(-spent(log_price) / k)).sum())


def stack_moments(cells: Sequence[Moments]) -> Moments:
    """Put the moments of several packs beside each other, packs on the last axis."""
    return Moments(
        *(np.stack([getattr(cell, name) for cell in cells], axis=-1) for name in Moments.__dataclass_fields__)
    )
