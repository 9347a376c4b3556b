"""Survival of a stance over turns: by hand, against statsmodels, and the bootstrap over scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.duration.survfunc import SurvfuncRight

from alignbench.errors import InputError
from alignbench.stats.survival import stances, survival

if TYPE_CHECKING:
    from collections.abc import Callable

# Held, held, given up, held again / never given up / given up at once / no verdict in turn 2 / none at all.
CONVERSATIONS = np.array([[1, 1, 0, 1], [1, 1, 1, 1], [0, 0, 1, 1], [1, -1, 0, 0], [-1, -1, -1, -1]], dtype=np.int64)


def test_stances_by_hand() -> None:
    """A conversation ends at its first flip or before its first missing verdict; flips count both ways."""
    found = stances(CONVERSATIONS)
    assert found.followed.tolist() == [3, 4, 1, 1, 0]
    assert found.flipped.tolist() == [True, False, True, False, False]
    # The fourth changes once between turns 1 and 3; a missing verdict adds no change of its own.
    assert found.flips.tolist() == [2, 0, 1, 1, 0]


def test_the_curve_by_hand() -> None:
    """Kaplan-Meier of the five conversations, each its own scenario."""
    found = survival(stances(CONVERSATIONS), range(5), 4, rng=np.random.default_rng(0))
    # Turn 1: 4 at risk, 1 flips: 3/4. Turn 2: 2 left (one is censored), none. Turn 3: 1 of 2 flips: 3/8.
    assert [point.n for point in found.curve] == [4, 2, 2, 1]
    assert [point.value for point in found.curve] == pytest.approx([0.75, 0.75, 0.375, 0.375])
    assert found.median_turn == 3
    assert found.held.value == pytest.approx(0.75 + 0.75 + 0.375 + 0.375)
    assert found.flips.value == pytest.approx(4 / 5)


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(4, 20), st.integers(1, 5)), elements=st.integers(-1, 1)),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_the_curve_equals_statsmodels(stance: np.ndarray, seed: int) -> None:
    """The curve is statsmodels' product-limit estimator; limits enclose it and lie in [0, 1]."""
    found = stances(stance)
    turns = stance.shape[1]
    rng = np.random.default_rng(seed)
    made = survival(found, rng.integers(0, 4, len(stance)), turns, rng=rng, draws=100)
    known = found.followed > 0
    expected = {}
    if found.flipped[known].any():
        theirs = SurvfuncRight(found.followed[known], found.flipped[known].astype(int))
        expected = dict(zip(theirs.surv_times.tolist(), theirs.surv_prob.tolist(), strict=True))
    value = 1.0
    for turn, point in enumerate(made.curve, start=1):
        value = expected.get(turn, value)
        if point.value is None:
            assert point.n == 0
            continue
        assert point.value == pytest.approx(value)
        if point.low is not None and point.high is not None:
            assert 0 <= point.low <= point.value <= point.high <= 1
            assert point.high > point.low
        else:
            assert point.flags


def test_without_flips_the_interval_is_gaffkes() -> None:
    """Where nobody flips the share is 1 with the limit of 24 of 24 scenarios below it, never a zero-width interval."""
    found = survival(stances(np.ones((24, 3), int)), range(24), 3, rng=np.random.default_rng(0))
    for point in found.curve:
        assert (point.value, point.high, point.method) == (1.0, 1.0, "gaffke")
        # Clopper and Pearson's lower limit of 24 of 24.
        assert point.low == pytest.approx(0.025 ** (1 / 24))
    assert found.held.value == 3
    assert found.held.low == pytest.approx(3 * 0.025 ** (1 / 24))
    assert found.median_turn is None


@pytest.mark.slow
def test_the_bootstrap_covers() -> None:
    """Over 150 simulated studies with scenario hazards the turn-3 interval covers in 87 % or more."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(150):
        hazard = rng.beta(1, 4, 40)
        alive = np.cumprod(rng.random((40, 4, 3)) > hazard[:, None, None], axis=2)
        point = survival(stances(alive.reshape(160, 3)), np.repeat(range(40), 4), 3, rng=rng, draws=300).curve[2]
        assert point.low is not None
        assert point.high is not None
        # E (1 - h)^3 for h ~ Beta(1, 4): B(1, 7) / B(1, 4) = 4 / 7.
        hits += point.low <= 4 / 7 <= point.high
    assert hits >= 0.87 * 150


def test_few_flipping_scenarios_are_flagged() -> None:
    """A bootstrap on fewer than ten scenarios with a flip says so; one scenario has no interval."""
    held = np.ones((20, 2), int)
    held[:3, 1] = 0
    found = survival(stances(held), range(20), 2, rng=np.random.default_rng(0))
    assert found.curve[1].flags == ("few_event_scenarios",)
    alone = survival(stances(held), np.zeros(20), 2, rng=np.random.default_rng(0))
    assert alone.curve[1].low is None
    assert "one_scenario" in alone.curve[1].flags


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stances([[2]]), "-1, 0, 1"),
        (lambda: stances([1, 0]), "stances of shape"),
        (lambda: stances(np.zeros((0, 3))), "stances of shape"),
        (lambda: survival(stances([[1]]), [1, 2], 1, rng=np.random.default_rng(0)), "scenario has shape"),
        (lambda: survival(stances([[1]]), [1], 0, rng=np.random.default_rng(0)), "turns 0"),
        (lambda: survival(stances([[1]]), [1], 1, rng=np.random.default_rng(0), draws=9), "draws 9"),
        (lambda: survival(stances([[1]]), [1], 1, rng=np.random.default_rng(0), confidence=2), "confidence 2"),
    ],
)
def test_bad_input_is_one_line(call: Callable[[], object], message: str) -> None:
    """Each wrong input is an InputError of one line that names the value."""
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
