"""Agreement between raters: coefficients side by side, with intervals over scenarios.

Every coefficient is a function of sums over units: the scenario bootstrap reweights sums and touches no unit.
Kappa or alpha alone misleads where one category is rare: read them beside AC1 and the specific agreements.

References:
    Cohen 1960; Fleiss 1971; Cicchetti & Feinstein 1990 (positive and negative agreement); Krippendorff 2011,
    "Computing Krippendorff's Alpha-Reliability"; Gwet 2008 (AC1) and 2014, "Handbook of Inter-Rater
    Reliability", 4th ed. (AC2, weights, missing ratings).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
from scipy import sparse

from alignbench.errors import InputError
from alignbench.stats.estimate import Estimate
from alignbench.stats.methods import Scale
from alignbench.stats.rate import FEW_SCENARIOS, check_counts, rate
from alignbench.vocabulary import Flag

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["MISSING", "agreement", "agreement_weights", "coefficients", "confusion"]


MISSING = -1
"""The code of a rating that was not given."""

UNDEFINED_LIMIT = 0.05
"""With more than this share of bootstrap draws undefined there is no interval."""

_CHUNK = 500


def agreement_weights(values: ArrayLike, scale: Scale) -> Floats:
    """Weights of partial agreement between categories, 1 on the diagonal (Gwet 2014, section 3.5).

    Args:
        values: The categories in their order, shape (q,); numbers that matter only on the interval scale.
        scale: nominal: identity; ordinal: 1 - C(|k - l| + 1, 2) / C(q, 2); interval: quadratic in the values.

    Returns:
        A symmetric matrix, shape (q, q).
    """
    points = np.asarray(values, dtype=float)
    if scale == "nominal" or len(points) < 2:
        return np.eye(len(points))
    if scale == "interval":
        return np.asarray(1 - ((points[:, None] - points) / (points.max() - points.min())) ** 2)
    rank = np.arange(len(points))
    steps = np.abs(rank[:, None] - rank) + 1
    return np.asarray(1 - steps * (steps - 1) / (len(points) * (len(points) - 1)))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over units; leading axes are scenarios or bootstrap draws, q the number of categories.

    Attributes:
        coincidence: Krippendorff's coincidences, (..., q, q); a unit of m ratings weighs m.
        agreed: Weighted pairwise agreement, one a pairable unit.
        exact: Unweighted pairwise agreement, likewise.
        pairable: Units with two ratings or more.
        share: Each category's share of a unit's ratings, (..., q).
        rated: Units with a rating.
        table: Ratings of the first rater by those of the second, (..., q, q); zero unless there are two.
    """

    coincidence: Floats
    agreed: Floats
    exact: Floats
    pairable: Floats
    share: Floats
    rated: Floats
    table: Floats

    def combine(self, weights: Floats) -> _Sums:
        """Weighted sums over the first axis; `weights` has the shape (draws, first axis)."""
        return _Sums(*(np.tensordot(weights, getattr(self, name), axes=1) for name in self.__slots__))

    def spread(self, counts: sparse.csr_array) -> _Sums:
        """Like `combine`, for a sparse matrix of counts."""
        flat = {name: getattr(self, name) for name in self.__slots__}
        return _Sums(*((counts @ part.reshape(len(part), -1)).reshape(-1, *part.shape[1:]) for part in flat.values()))


def confusion(first: ArrayLike, second: ArrayLike, categories: int) -> Integers:
    """Count pairs of ratings, first rater's category by the second's; incomplete pairs are left out."""
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    both = (a != MISSING) & (b != MISSING)
    flat = np.bincount(a[both] * categories + b[both], minlength=categories**2)
    return flat.reshape(categories, categories)


def _unit_sums(ratings: Integers, weights: Floats) -> _Sums:
    units, raters = ratings.shape
    q = len(weights)
    counts = np.zeros((units, q))
    for column in ratings.T:
        given = np.flatnonzero(column != MISSING)
        counts[given, column[given]] += 1
    size = counts.sum(1)
    pairs = np.where(size > 1, size * (size - 1), 1.0)
    diagonal = np.eye(q)
    coincidence = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * diagonal
    table = np.zeros((units, q, q))
    if raters == 2:
        both = np.flatnonzero((ratings != MISSING).all(1))
        table[both, ratings[both, 0], ratings[both, 1]] = 1
    return _Sums(
        coincidence=coincidence / np.where(size > 1, size - 1, 1.0)[:, None, None],
        agreed=(coincidence * weights).sum((1, 2)) / pairs,
        exact=(coincidence * diagonal).sum((1, 2)) / pairs,
        pairable=(size > 1).astype(float),
        share=counts / np.where(size > 0, size, 1.0)[:, None],
        rated=(size > 0).astype(float),
        table=table,
    )


def _chance_corrected(observed: Floats, chance: Floats) -> Floats:
    """(observed - chance) / (1 - chance), NaN where agreement by chance is certain."""
    certain = np.isclose(chance, 1.0, atol=1e-12)
    return np.where(certain, np.nan, (observed - chance) / np.where(certain, 1.0, 1 - chance))


def _alpha(coincidence: Floats, values: Floats, scale: Scale) -> Floats:
    """Krippendorff's alpha from coincidences; NaN where only one category was used."""
    margin = coincidence.sum(-1)
    total = margin.sum(-1)
    if scale == "nominal":
        delta = np.broadcast_to(1 - np.eye(len(values)), coincidence.shape)
    else:
        # The ordinal metric is the squared difference of mid-ranks.
        place = values if scale == "interval" else np.cumsum(margin, -1) - margin / 2
        delta = (place[..., :, None] - place[..., None, :]) ** 2
    observed = (coincidence * delta).sum((-2, -1))
    expected = (margin[..., :, None] * margin[..., None, :] * delta).sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def _specific(coincidence: Floats, positive: int) -> tuple[Floats, Floats]:
    """Positive and negative agreement, 2a / (2a + b + c) and 2d / (2d + b + c), for any number of raters."""
    margin = coincidence.sum(-1)
    yes, total = margin[..., positive], margin.sum(-1)
    both_yes = coincidence[..., positive, positive]
    with np.errstate(divide="ignore", invalid="ignore"):
        return both_yes / yes, (total - 2 * yes + both_yes) / (total - yes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    """How ratings are compared: categories, scale, weights, the positive category, the number of raters."""

    values: Floats
    scale: Scale
    weights: Floats
    positive: int | None
    raters: int

    def coefficients(self, sums: _Sums) -> dict[str, Floats]:
        """Every coefficient over the leading axes of `sums`; NaN where one is undefined."""
        q, weights = len(self.values), self.weights
        with np.errstate(divide="ignore", invalid="ignore"):
            agreed = sums.agreed / sums.pairable
            share = sums.share / sums.rated[..., None]
            found = {"observed_agreement": sums.exact / sums.pairable}
            if self.positive is not None:
                specific = _specific(sums.coincidence, self.positive)
                found["positive_agreement"], found["negative_agreement"] = specific
            found["krippendorff_alpha"] = _alpha(sums.coincidence, self.values, self.scale)
            if q > 1:
                chance = weights.sum() / (q * (q - 1)) * (share * (1 - share)).sum(-1)
                found["gwet_ac1" if self.scale == "nominal" else "gwet_ac2"] = _chance_corrected(agreed, chance)
            if self.raters == 2:
                joint = sums.table / sums.table.sum((-2, -1))[..., None, None]
                by_chance = np.einsum("...k,kl,...l->...", joint.sum(-1), weights, joint.sum(-2))
                found["cohen_kappa"] = _chance_corrected((joint * weights).sum((-2, -1)), by_chance)
            else:
                by_chance = np.einsum("...k,kl,...l->...", share, weights, share)
                found["fleiss_kappa"] = _chance_corrected(agreed, by_chance)
        return found

    def bootstrap(self, grouped: _Sums, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """The coefficients of `draws` resamples of the scenarios on the first axis of `grouped`."""
        scenarios = len(grouped.rated)
        parts = []
        for start in range(0, draws, _CHUNK):
            size = min(_CHUNK, draws - start)
            picks = rng.multinomial(scenarios, np.full(scenarios, 1 / scenarios), size=size).astype(float)
            parts.append(self.coefficients(grouped.combine(picks)))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _patterns(codes: Integers) -> tuple[Integers, Integers]:
    """The distinct rows of a matrix of codes, and which of them each row is: units repeat few patterns."""
    row = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:
        _, row = np.unique(row * (int(column.max()) + 2) + column + 1, return_inverse=True)
    _, first, inverse = np.unique(row, return_index=True, return_inverse=True)
    return codes[first], inverse


def coefficients(
    ratings: ArrayLike, values: ArrayLike, *, scale: Scale = "nominal", positive: int | None = None
) -> dict[str, float]:
    """The coefficients alone, without intervals; NaN where one is undefined. Arguments as in `agreement`."""
    codes, scheme = _checked(ratings, values, scale, positive)
    rows, inverse = _patterns(codes)
    counts = np.bincount(inverse, minlength=len(rows)).astype(float)
    found = scheme.coefficients(_unit_sums(rows, scheme.weights).combine(counts[None]))
    return {name: float(value[0]) for name, value in found.items()}


def agreement(
    ratings: ArrayLike,
    scenario: ArrayLike,
    values: ArrayLike,
    *,
    rng: np.random.Generator,
    scale: Scale = "nominal",
    positive: int | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
) -> dict[str, Estimate]:
    """Agreement of two or more raters, with intervals that treat the scenario as the unit.

    Args:
        ratings: Category codes 0..q-1, MISSING where not rated; shape (units, raters).
        scenario: The scenario of each unit, integer codes, shape (units,).
        values: The q categories in their order, as numbers (they matter on the interval scale only).
        rng: Draws the bootstrap.
        scale: nominal, ordinal (Krippendorff's metric, Gwet's ordinal weights) or interval (quadratic).
        positive: Code of the category whose positive and negative agreement are wanted.
        confidence: Two-sided coverage.
        draws: Bootstrap draws over scenarios, at least 100.

    Returns:
        By name: observed_agreement (Gaffke's interval; the others percentile intervals of the bootstrap),
        positive_agreement and negative_agreement (with `positive`), krippendorff_alpha, gwet_ac1 (gwet_ac2
        off the nominal scale), and cohen_kappa for two raters or fleiss_kappa for more. `n` counts units with
        two ratings or more, `events` those with a disagreement. No value where a coefficient is undefined; no
        interval where the bootstrap is degenerate. The flags say so.

    Raises:
        InputError: Unusable ratings or options.
    """
    codes, scheme = _checked(ratings, values, scale, positive)
    check_counts([1], [1], confidence)
    if draws < 100:
        raise InputError(f"draws {draws!r}", allowed="at least 100")
    place = np.asarray(scenario)
    if place.shape != (len(codes),):
        raise InputError(f"scenario has shape {place.shape}", allowed=f"({len(codes)},)")
    rows, inverse = _patterns(codes)
    names, group = np.unique(place, return_inverse=True)
    counts = sparse.csr_array((np.ones(len(codes)), (group, inverse)), shape=(len(names), len(rows)))
    by_pattern = _unit_sums(rows, scheme.weights)
    grouped = by_pattern.spread(counts)
    whole = scheme.coefficients(grouped.combine(np.ones((1, len(names)))))
    boot = scheme.bootstrap(grouped, draws, rng)
    # Shares are sums of ratios: a unit in full agreement may miss 1 by rounding.
    torn = counts @ ((by_pattern.exact < 1 - 1e-9) & (by_pattern.pairable > 0)).astype(float)
    base = _Base(
        confidence=confidence,
        units=int(grouped.pairable.sum()),
        scenarios=int((grouped.pairable > 0).sum()),
        apart=int(torn.sum()),
        event_scenarios=int(min((torn > 0).sum(), (grouped.pairable - torn > 0).sum())),
    )
    found = {name: base.estimate(float(whole[name][0]), boot[name]) for name in whole}
    observed = rate(grouped.pairable, np.minimum(grouped.exact, grouped.pairable), confidence=confidence)
    found["observed_agreement"] = base.observed(observed)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What all coefficients of one set of ratings share."""

    confidence: float
    units: int
    scenarios: int
    apart: int
    event_scenarios: int

    def estimate(self, value: float, draws: Floats) -> Estimate:
        """An Estimate with the percentile interval of `draws`, or without one and a flag that says why."""
        flags = (Flag.FEW_SCENARIOS,) if self.scenarios < FEW_SCENARIOS else ()
        low: float | None = None
        high: float | None = None
        defined = draws[np.isfinite(draws)]
        if not np.isfinite(value):
            flags = (*flags, Flag.UNDEFINED)
        elif self.scenarios < 2:
            flags = (*flags, Flag.ONE_SCENARIO)
        elif len(defined) < (1 - UNDEFINED_LIMIT) * len(draws):
            flags = (*flags, Flag.UNDEFINED_DRAWS)
        else:
            lower, upper = np.quantile(defined, [(1 - self.confidence) / 2, (1 + self.confidence) / 2])
            if upper - lower > 1e-12:
                low, high = min(float(lower), value), max(float(upper), value)
                if self.event_scenarios < FEW_SCENARIOS:
                    flags = (*flags, Flag.FEW_EVENT_SCENARIOS)
            else:
                flags = (*flags, Flag.NO_DISAGREEMENT if not self.apart else Flag.NO_SPREAD)
        known = float(value) if np.isfinite(value) else None
        return Estimate(
            value=known,
            low=low,
            high=high,
            confidence=self.confidence,
            method="scenario_bootstrap",
            n=self.units,
            scenarios=self.scenarios,
            events=float(self.apart),
            event_scenarios=self.event_scenarios,
            flags=flags,
        )

    def observed(self, share: Estimate) -> Estimate:
        """The observed agreement, a rate, counted like the others (its events are disagreements)."""
        return replace(
            share,
            n=self.units,
            scenarios=self.scenarios,
            events=float(self.apart),
            event_scenarios=self.event_scenarios,
            one_sided_upper=None,
        )


def _checked(ratings: ArrayLike, values: ArrayLike, scale: Scale, positive: int | None) -> tuple[Integers, _Scheme]:
    if scale not in get_args(Scale):
        raise InputError(f"unknown scale {scale!r}", allowed=", ".join(get_args(Scale)))
    codes, points = np.asarray(ratings, dtype=np.int64), np.asarray(values, dtype=float)
    if codes.ndim != 2 or codes.shape[1] < 2 or not len(codes):
        raise InputError(f"ratings have shape {codes.shape}", allowed="(units, raters) with two raters or more")
    if points.ndim != 1 or not len(points) or not np.isfinite(points).all():
        raise InputError(f"categories {values!r}", allowed="a vector of finite numbers")
    if scale != "nominal" and (np.diff(points) <= 0).any():
        raise InputError(f"categories {points.tolist()!r}", allowed=f"increasing numbers on the {scale} scale")
    if codes.min() < MISSING or codes.max() >= len(points):
        raise InputError(f"rating codes {int(codes.min())!r} to {int(codes.max())!r}",
                         allowed=f"{MISSING} (missing) to {len(points) - 1}")  # fmt: skip
    if positive is not None and not 0 <= positive < len(points):
        raise InputError(f"positive category {positive!r}", allowed=f"0 to {len(points) - 1}")
    return codes, _Scheme(
        values=points, scale=scale, weights=agreement_weights(points, scale), positive=positive, raters=codes.shape[1]
    )
