"""Labels permuted within scenarios: both ways to draw are the permutation distribution, whatever the order."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alignbench.analysis.drift.drift import drift
from alignbench.stats import relabel
from alignbench.stats.relabel import relabelled

COUNTS = hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 4))
SCORE = np.arange(3, dtype=float)


def enumerated(base: np.ndarray, other: np.ndarray) -> Counter[tuple[tuple[int, ...], float]]:
    """For one scenario every split: the base's counts and the absolute change of the mean score, with how many."""
    pool = np.repeat(np.arange(len(base)), base + other)
    found: Counter[tuple[tuple[int, ...], float]] = Counter()
    for rows in combinations(range(len(pool)), int(base.sum())):
        counts = np.bincount(pool[list(rows)], minlength=len(base))
        rest = base + other - counts
        moved = abs(rest @ SCORE / rest.sum() - counts @ SCORE / counts.sum())
        found[tuple(counts.tolist()), round(float(moved), 9)] += 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize("small", [relabel.SMALL, 0])
def test_each_split_is_as_likely_as_any_other(small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one scenario the counts and the shift occur as often as enumeration says, by either way to draw."""
    monkeypatch.setattr(relabel, "SMALL", small)
    base, other = np.array([3, 1, 0]), np.array([1, 2, 3])
    expected = enumerated(base, other)
    draws = 40_000
    counts, moved = relabelled(base[None], other[None], draws, np.random.default_rng(0), SCORE)
    drawn = Counter(zip(map(tuple, counts.astype(int).tolist()), np.round(moved, 9).tolist(), strict=True))
    assert set(drawn) == set(expected)
    splits = comb(10, 4)
    assert sum(expected.values()) == splits
    for key, number in expected.items():
        share = number / splits
        assert drawn[key] / draws == pytest.approx(share, abs=4.5 * np.sqrt(share * (1 - share) / draws))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17, relabel.SMALL])
def test_scenarios_of_every_size_have_the_moments_of_the_permutation(size: int) -> None:
    """Around every change of the way to draw, means and variances over many scenarios are hypergeometric."""
    rng = np.random.default_rng(size)
    base, other = (rng.multinomial(size, [0.5, 0.3, 0.1, 0.1], 40) for _ in range(2))
    rows = rng.random(40) < 0.5
    base[rows] += 1  # Larger than SMALL with the other side, or of another size.
    pool, taken = base + other, base.sum(1)
    total = pool.sum(1)
    share = pool / total[:, None]
    mean = (taken[:, None] * share).sum(0)
    variance = ((taken * (total - taken) / np.maximum(total - 1, 1))[:, None] * share * (1 - share)).sum(0)
    counts, moved = relabelled(base, other, 4_000, rng)
    assert counts.sum(1).tolist() == [taken.sum()] * 4_000
    assert np.abs(counts.mean(0) - mean).max() < 4.5 * np.sqrt(variance.max() / 4_000)
    assert counts.var(0) == pytest.approx(variance, rel=0.12)
    assert not moved.any()


@given(COUNTS, COUNTS, st.permutations(range(3)), st.sampled_from([0, 5, relabel.SMALL]))
@settings(max_examples=40, deadline=None)
def test_the_order_of_scenarios_moves_nothing(
    base: np.ndarray, other: np.ndarray, order: list[int], small: int
) -> None:
    """Scenarios in another order give the same draws, to the last digit; every draw keeps the scenario's outputs."""
    base[:, 0] += 1
    other[:, 1] += 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relabel, "SMALL", small)
        first = relabelled(base, other, 20, np.random.default_rng(0), SCORE)
        again = relabelled(base[order], other[order], 20, np.random.default_rng(0), SCORE)
    assert (first[0] == again[0]).all()
    assert first[1] == pytest.approx(again[1])
    assert (first[0] <= (base + other).sum(0)).all()
    assert (first[0].sum(1) == base.sum()).all()


def test_many_scenarios_do_not_overflow_a_field() -> None:
    """Thousands of scenarios that hold one category only add up exactly."""
    base = np.zeros((3_000, 7), dtype=np.int64)
    base[:, 6] = 10
    counts, moved = relabelled(base, base, 11, np.random.default_rng(0), np.arange(7.0))
    assert counts.tolist() == [[0] * 6 + [30_000]] * 11
    assert not moved.any()


@pytest.mark.slow
def test_only_what_is_drawn_depends_on_the_way_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """In drift, another way to draw moves the null and its p by their noise, and no other number by a digit."""
    rng = np.random.default_rng(3)
    rows = [
        {
            "model": "m", "scenario": f"s{scenario}", "condition": condition, "epoch": epoch,
            "verdict": rng.choice(["aligned", "misaligned"], p=[0.7, 0.3]),
            "value_1": "truth", "value_2": "care", "position_1": rng.integers(0, 7), "position_2": rng.integers(0, 7),
        }
        for scenario in range(30) for condition in ("default", "monitoring=logged") for epoch in (1, 2, 3, 4)
    ]  # fmt: skip
    found = []
    for small in (relabel.SMALL, 0):
        monkeypatch.setattr(relabel, "SMALL", small)
        found.append(drift(pd.DataFrame(rows), "monitoring"))
    one, other = found
    for part in ("rates", "worths", "orders", "survival", "flips"):
        pd.testing.assert_frame_equal(getattr(one, part), getattr(other, part), check_exact=True)
    for part in ("positions", "divergence"):
        first, second = getattr(one, part), getattr(other, part)
        drawn = [name for name in first.columns if name.endswith(("_null", "_p"))]
        pd.testing.assert_frame_equal(first.drop(columns=drawn), second.drop(columns=drawn), check_exact=True)
        # Standard error of a p from 999 draws: at most .016, of a difference .022.
        assert (first[drawn] - second[drawn]).abs().max().max() < 0.1
