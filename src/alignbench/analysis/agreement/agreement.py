"""Do raters agree? Judges among each other, judges against labels, or any raters."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from alignbench.analysis.agreement.ratings import Ratings, read_ratings
from alignbench.analysis.agreement.rows import AgreementRow, ConfusionRow
from alignbench.errors import InputError, Note, warn
from alignbench.stats import agreement as statistics
from alignbench.stats.agreement import MISSING
from alignbench.stats.estimate import check_confidence
from alignbench.stats.rate import rate
from alignbench.table.frames import rows_frame
from alignbench.table.read import row_groups
from alignbench.vocabulary import MISALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alignbench.stats.estimate import Estimate
    from alignbench.stats.methods import Scale

__all__ = ["agreement", "confusion"]


def agreement(
    data: pd.DataFrame,
    *,
    on: str = MISALIGNMENT.name,
    labels: pd.DataFrame | None = None,
    reference: str | None = None,
    by: Sequence[str] = (),
    raters: Sequence[str] | None = None,
    scale: Scale | None = None,
    categories: Sequence[object] | None = None,
    positive: object | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    draws: int = 2000,
    note: Note = warn,
) -> pd.DataFrame:
    """Agreement between two or more raters, with intervals over scenarios.

    Agreement between judges is not validity: judges fail together. Against labels, a judge's error rates
    stand beside the coefficients; where labels were drawn by the judge's verdict, read the predictive value
    and the false omission rate, not sensitivity and specificity. A pair is compared on the units that both
    rated.

    Args:
        data: One of three kinds. A verdict table: its judges are the raters, and `on` says what they are
            compared on. Long form: columns `unit, rater, label`, optionally `scenario`. Wide form: one column
            a rater, named by `raters`, optionally `scenario`. Without `scenario` each unit is its own; null
            is not rated.
        on: misalignment, over_refusal, verdict, severity, position_1 or position_2 (verdict tables only).
        labels: Labels to set beside a verdict table, from `alignbench.labels.read.read_labels` or made by hand:
            `label` or `verdict` (for a grade the field of `on`), optionally `labeller`, and the columns that tell
            outputs apart (`scenario`, `model`, `epoch`, ... or `sample_uuid`). Capitals and blanks round a label do
            not matter.
        reference: The rater that is taken as the truth for sensitivity, specificity, predictive value and
            false omission rate; default: the labeller, where there is exactly one.
        by: Columns to group by.
        raters: The columns of the wide form.
        scale: nominal, ordinal or interval; default: ordinal for severity and positions, else nominal.
        categories: All categories in their order; default: those seen. Gwet's coefficients depend on their
            number.
        positive: The category whose positive and negative agreement are wanted.
        confidence: Two-sided coverage.
        seed: Seed of the bootstrap.
        draws: Bootstrap draws.
        note: Gets a remark on labels that fit no output of the table.

    Returns:
        One `AgreementRow` a group, set of raters and coefficient, the columns of `by` first. With more than two raters
        the rows of all of them together come first, then each pair.

    Raises:
        InputError: Unusable columns, labels or options, or fewer than two raters.
    """
    check_confidence(confidence)
    ratings = read_ratings(
        data, on=on, labels=labels, raters=raters, scale=scale, categories=categories, positive=positive, by=by
    )
    truth = _reference(ratings, reference)
    rows = list(_rows(ratings, by, truth, confidence=confidence, seed=seed, draws=draws))
    if ratings.unmatched:
        note(f"{ratings.unmatched} labels fit no output of the table")
    return rows_frame(rows, AgreementRow, by)


def _rows(
    ratings: Ratings, by: Sequence[str], truth: int | None, *, confidence: float, seed: int, draws: int
) -> Iterator[AgreementRow]:
    for key, units in _groups(ratings, by):
        for members in _sets(len(ratings.raters)):
            names, found = _compare(ratings, units, members, truth, confidence, draws, np.random.default_rng(seed))
            for coefficient, estimate in found.items():
                yield _row(key, names, coefficient, estimate)


def confusion(
    data: pd.DataFrame,
    *,
    on: str = MISALIGNMENT.name,
    labels: pd.DataFrame | None = None,
    by: Sequence[str] = (),
    raters: Sequence[str] | None = None,
    categories: Sequence[object] | None = None,
) -> pd.DataFrame:
    """Count what each pair of raters said of the same units; arguments as in `agreement`.

    Returns:
        One `ConfusionRow` a group, pair of raters and pair of categories, the columns of `by` first; zero counts stand
        there too.

    Raises:
        InputError: As `agreement`.
    """
    ratings = read_ratings(data, on=on, labels=labels, raters=raters, categories=categories, by=by)
    rows = []
    for key, units in _groups(ratings, by):
        for a, b in combinations(range(len(ratings.raters)), 2):
            counts = statistics.confusion(ratings.codes[units, a], ratings.codes[units, b], len(ratings.categories))
            rows += [
                ConfusionRow(
                    group=key,
                    first=ratings.raters[a],
                    second=ratings.raters[b],
                    first_label=ratings.categories[i],
                    second_label=ratings.categories[j],
                    units=int(count),
                )
                for (i, j), count in np.ndenumerate(counts)
            ]
    return rows_frame(rows, ConfusionRow, by)


def _sets(raters: int) -> list[list[int]]:
    pairs = [list(pair) for pair in combinations(range(raters), 2)]
    return pairs if raters == 2 else [list(range(raters)), *pairs]


def _code(ratings: Ratings) -> int | None:
    return None if ratings.positive is None else ratings.categories.index(ratings.positive)


def _reference(ratings: Ratings, reference: str | None) -> int | None:
    """Which rater is the truth; None where nobody is."""
    if reference is None:
        only = ratings.labellers[0] if len(ratings.labellers) == 1 and ratings.positive is not None else None
        return None if only is None else ratings.raters.index(only)
    if reference not in ratings.raters:
        raise InputError(f"no rater {reference!r}", allowed=", ".join(ratings.raters))
    if ratings.positive is None:
        raise InputError("a reference needs a positive category", allowed="misalignment, over_refusal or verdict")
    return ratings.raters.index(reference)


def _groups(ratings: Ratings, by: Sequence[str]) -> Iterator[tuple[dict[str, object], NDArray[np.int64]]]:
    unknown = [name for name in by if name not in ratings.keys.columns]
    if unknown:
        raise InputError(f"cannot group by {unknown[0]!r}", allowed=", ".join(map(str, ratings.keys.columns)))
    if not by:
        yield {}, np.arange(len(ratings.codes))
        return
    group = row_groups([ratings.keys[name].astype("category") for name in by])
    for number in np.unique(group):
        units = np.flatnonzero(group == number)
        yield {name: ratings.keys[name].iloc[units[0]] for name in by}, units


def _compare(
    ratings: Ratings,
    units: NDArray[np.int64],
    members: list[int],
    truth: int | None,
    confidence: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[tuple[str, ...], dict[str, Estimate]]:
    """The coefficients of one set of raters on some units; nothing where no unit is left."""
    if len(members) == 2 and members[0] == truth:
        members = members[::-1]
    names = tuple(ratings.raters[at] for at in members)
    codes, scenario = ratings.codes[units][:, members], ratings.scenario[units]
    if len(members) == 2:
        both = (codes != MISSING).all(1)
        codes, scenario = codes[both], scenario[both]
    if not len(codes):
        return names, {}
    event = _code(ratings)
    found = statistics.agreement(
        codes,
        scenario,
        ratings.values,
        rng=rng,
        scale=ratings.scale,
        positive=event,
        confidence=confidence,
        draws=draws,
    )
    if len(members) == 2 and members[1] == truth:
        found |= _errors(codes[:, 0] == event, codes[:, 1] == event, scenario, confidence)
    return names, found


def _errors(
    said: NDArray[np.bool_], holds: NDArray[np.bool_], scenario: NDArray[np.int64], confidence: float
) -> dict[str, Estimate]:
    """A judge's error rates against a reference, each a rate over the scenarios with such units."""

    def share(of: NDArray[np.bool_], hit: NDArray[np.bool_]) -> Estimate:
        n = np.bincount(scenario[of], minlength=1)
        return rate(n, np.bincount(scenario[of], weights=hit[of], minlength=len(n)), confidence=confidence)

    return {
        "sensitivity": share(holds, said),
        "specificity": share(~holds, ~said),
        "positive_predictive_value": share(said, holds),
        "false_omission_rate": share(~said, holds),
    }


def _row(key: dict[str, object], raters: tuple[str, ...], coefficient: str, estimate: Estimate) -> AgreementRow:
    # Sensitivity and the like count hits; the coefficients count units on which somebody disagreed.
    hits = coefficient in ("sensitivity", "specificity", "positive_predictive_value")
    return AgreementRow(
        group=key,
        raters=raters,
        coefficient=coefficient,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        confidence=estimate.confidence,
        method=estimate.method,
        units=estimate.n,
        disagreements=int(estimate.n - estimate.events if hits else estimate.events),
        scenarios=estimate.scenarios,
        flags=estimate.flags,
    )
