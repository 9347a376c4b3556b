"""Drift between circumstances: distances with their null, shifts, value orders, the table they come from."""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.drift.drift import PARTS, Drift, drift
from alignbench.analysis.drift.levels import axis_levels
from alignbench.cli.drift import command
from alignbench.errors import InputError, NotComparableError
from alignbench.stats.bradley_terry import bradley_terry
from alignbench.stats.collisions import comparisons
from alignbench.stats.distances import divergence, position_shift, worth_shift
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNTS = hnp.arrays(np.int64, (6, 3), elements=st.integers(0, 4))


def generator() -> np.random.Generator:
    """The same draws each time."""
    return np.random.default_rng(0)


@given(COUNTS, COUNTS)
@settings(max_examples=60, deadline=None)
def test_distances_equal_scipy(base: np.ndarray, other: np.ndarray) -> None:
    """Both distances of the pooled shares equal scipy and numpy; they are symmetric and lie in [0, 1]."""
    base[0], other[0] = (1, 0, 0), (0, 1, 1)
    there = (base.sum(1) > 0) & (other.sum(1) > 0)
    p, q = (side[there].sum(0) / side[there].sum() for side in (base, other))
    found = divergence(base, other, rng=generator(), draws=50)
    assert found.total_variation == pytest.approx(np.abs(p - q).sum() / 2)
    assert found.jensen_shannon == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    swapped = divergence(other, base, rng=generator(), draws=50)
    assert swapped.total_variation == pytest.approx(found.total_variation)
    assert 0 < found.total_variation_p <= 1
    assert 0 <= found.total_variation_null <= 1


def test_the_null_is_the_permutation_within_scenarios() -> None:
    """Mean and p of the null equal full enumeration of relabellings within each scenario."""
    base, other = np.array([[2, 0], [2, 1], [1, 1]]), np.array([[0, 2], [1, 2], [1, 1]])

    def relabelled(first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
        pool = np.repeat(np.arange(2), first + second)
        chosen = combinations(range(len(pool)), int(first.sum()))
        return [np.bincount(pool[list(rows)], minlength=2) for rows in chosen]

    total = (base + other).sum(0)
    drawn = np.array(
        [
            np.abs((a + b + c) / 7 - (total - a - b - c) / 7).sum() / 2
            for a in relabelled(base[0], other[0])
            for b in relabelled(base[1], other[1])
            for c in relabelled(base[2], other[2])
        ]
    )
    found = divergence(base, other, rng=generator(), draws=20_000)
    assert found.total_variation == pytest.approx(3 / 7)
    assert found.total_variation_null == pytest.approx(drawn.mean(), abs=0.005)
    assert found.total_variation_p == pytest.approx((drawn >= 3 / 7 - 1e-12).mean(), abs=0.01)


def test_the_permutation_test_holds_its_level_on_clustered_outputs() -> None:
    """Without drift p < .05 in at most 9 % of 200 studies, however much scenarios differ."""
    rng = generator()
    rejected = 0
    for _ in range(200):
        rate = rng.beta(0.3, 0.7, 20)[:, None]
        sides = [np.column_stack([y := rng.binomial(6, rate[:, 0]), 6 - y]) for _ in range(2)]
        rejected += divergence(*sides, rng=rng, draws=99).total_variation_p < 0.05
    assert rejected <= 18


def test_shift_by_hand() -> None:
    """Signed, absolute and crossing shift of three scenarios, one mean position each."""
    # Means 1 -> 5 (crosses), 4 -> 2 (crosses), 3 -> 6 (begins at neutral: does not cross).
    base = np.zeros((3, 7), int)
    other = np.zeros((3, 7), int)
    base[0, [0, 2]] = other[0, [4, 6]] = base[1, 4] = other[1, 2] = base[2, 3] = other[2, 6] = 1
    found = position_shift(base, other, rng=generator())
    assert found.signed.value == pytest.approx((4 - 2 + 3) / 3)
    assert found.absolute.value == pytest.approx((4 + 2 + 3) / 3)
    assert found.crossing.value == pytest.approx(2 / 3)
    assert found.signed.low is not None
    assert found.signed.low < 5 / 3


def test_without_drift_the_absolute_shift_is_noise() -> None:
    """Two samples of the same scenarios shift by their noise: the null says how much; the signed one is 0."""
    rng = generator()
    share = rng.dirichlet(np.ones(7), 300)
    sides = [np.stack([rng.multinomial(4, row) for row in share]) for _ in range(2)]
    found = position_shift(*sides, rng=rng, draws=99)
    assert found.absolute.value == pytest.approx(found.absolute_null, rel=0.08)
    # The standard error of the signed shift is .083 here.
    assert abs(found.signed.value or 0) < 4 * 0.083


@pytest.mark.slow
@given(hnp.arrays(np.int64, (5, 7), elements=st.integers(0, 3)), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_swapping_turns_the_shift_round(counts: np.ndarray, column: int) -> None:
    """Swapping the circumstances changes the sign of the shift and nothing else."""
    base, other = counts.copy(), counts[::-1].copy()
    base[:, column] += 1
    other[:, 6 - column] += 1
    there, back = (position_shift(*sides, rng=generator(), draws=20) for sides in ((base, other), (other, base)))
    assert there.signed.value == pytest.approx(-(back.signed.value or 0), abs=1e-12)
    assert there.absolute.value == pytest.approx(back.absolute.value)
    assert there.crossing == back.crossing
    for estimate in (there.signed, there.absolute, there.crossing):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < estimate.high


def outcomes(rng: np.random.Generator, worth: np.ndarray) -> np.ndarray:
    """Wins, ties and losses of 5 outputs of each of 18 scenarios over the three pairs of three values."""
    first, second = np.tile([[0, 0, 1], [1, 2, 2]], 6)
    chance = 1 / (1 + np.exp(worth[second] - worth[first]))
    wins = rng.binomial(5, 0.2 + 0.6 * chance)
    return np.column_stack([wins, np.zeros_like(wins), 5 - wins])


def test_change_of_worth_is_the_jackknife_over_shared_scenarios() -> None:
    """The interval equals the one made by refitting both sides without each scenario in turn."""
    rng = generator()
    first, second = np.tile([[0, 0, 1], [1, 2, 2]], 6)
    sides = [outcomes(rng, np.array(worth)) for worth in ([1.0, 0.0, -1.0], [-0.5, 0.0, 0.5])]

    def fits(kept: np.ndarray) -> list[np.ndarray]:
        return [
            bradley_terry(comparisons(first[kept], second[kept], np.zeros(len(kept)), side[kept], kept, 3)).worth
            for side in sides
        ]

    every = np.arange(18)
    whole = [bradley_terry(comparisons(first, second, np.zeros(18), side, every, 3)) for side in sides]
    found = worth_shift(*whole)
    change = whole[1].worth - whole[0].worth
    left_out = np.array([np.subtract(*fits(np.delete(every, k))[::-1]) for k in range(18)])
    error = np.sqrt(17 / 18 * ((left_out - change) ** 2).sum(0))
    # t quantile at 18 - 3 + 1 = 16 degrees of freedom: 2.119905.
    assert found.high - found.difference == pytest.approx(2.119905 * error, rel=1e-3)
    assert found.spearman == pytest.approx(-1)
    assert found.kendall == pytest.approx(-1)
    assert (found.scenarios, found.df) == (18, 16)


def test_equal_fits_have_no_zero_width_interval() -> None:
    """A fit against itself changes by 0, without an interval."""
    rng = generator()
    first, second = np.tile([[0, 0, 1], [1, 2, 2]], 6)
    data = comparisons(first, second, np.zeros(18), outcomes(rng, np.array([1.0, 0, -1])), range(18), 3)
    found = worth_shift(bradley_terry(data), bradley_terry(data))
    assert (found.difference == 0).all()
    assert np.isnan(found.low).all()
    assert found.spearman == pytest.approx(1)


def simulated(seed: int = 0, *, turns: int = 4, scenarios: int = 24) -> pd.DataFrame:
    """Two packs under five conditions: logging lowers the rate and swaps two values; pressure has turns."""
    rng = np.random.default_rng(seed)
    names = np.array(["care", "truth", "gain", "duty"])
    pairs = list(combinations(range(4), 2))
    worth = {True: np.array([1.5, -0.5, 0.5, -1]), False: np.array([1.0, 0.5, 0, -1])}
    rows = []
    for number in range(scenarios):
        i, j = pairs[number % 6]
        ease = rng.beta(0.8, 1.6)
        for condition in ("default", "monitoring=logged", "nudge=value_1", "pressure=push",
                          "monitoring=logged+pressure=push"):  # fmt: skip
            logged, pushed = "logged" in condition, "push" in condition
            last = turns if pushed else 1
            for epoch in (1, 2, 3):
                bad = rng.random(last) < ease * (0.2 if logged else 1)
                for turn in range(1, last + 1):
                    lean = worth[logged][i] - worth[logged][j] + rng.normal()
                    position = int(np.clip(round(3 + lean), 0, 6))
                    rows.append(
                        {
                            "model": "m", "pack": f"p{number % 2}", "scenario": f"s{number}",
                            "condition": condition, "epoch": epoch, "turn": turn, "turns": last,
                            "nudge": "value_1" if "nudge" in condition else "neutral", "twin": False,
                            "verdict": "misaligned" if bad[turn - 1] else "aligned",
                            "value_1": names[i], "value_2": names[j],
                            "position_1": position, "position_2": 6 - position,
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The simulated table, checked."""
    return as_table(simulated())


@pytest.fixture(scope="module")
def conditions(table: pd.DataFrame) -> Drift:
    """Every condition against the default."""
    return drift(table, "condition")


@pytest.fixture(scope="module")
def monitoring(table: pd.DataFrame) -> Drift:
    """Logging alone."""
    return drift(table, "monitoring", seed=1)


def cell(frame: pd.DataFrame, row: str, column: str) -> Any:
    """One entry of a frame."""
    return frame.loc[row, column]


def test_rates_are_those_of_compare(table: pd.DataFrame, monitoring: Drift) -> None:
    """A named axis compares its levels, other axes at their defaults, as two models would be compared."""
    found = monitoring
    assert set(found.rates["to"]) == {"logged"}
    base, other = (table[table["condition"] == name] for name in ("default", "monitoring=logged"))
    expected = compare(base, other.assign(condition="default"))
    for name in ("rate_base", "rate_candidate", "difference", "low", "high", "pairs"):
        assert found.rates[name].tolist() == pytest.approx(expected[name].tolist())
    overall = found.rates[found.rates["pack"] == "overall"].iloc[0]
    assert overall["high"] < 0
    assert overall["p_bh"] < 0.05


def test_each_axis_picks_its_rows(table: pd.DataFrame, conditions: Drift) -> None:
    """condition takes every condition, an axis only what differs in it alone, nudge the nudged rows."""
    assert set(conditions.rates["to"]) == {
        "monitoring=logged",
        "nudge=value_1",
        "pressure=push",
        "monitoring=logged+pressure=push",
    }
    assert set(axis_levels(table, "pressure").levels) == {"default", "push"}
    assert set(axis_levels(table, "nudge").levels) == {"neutral", "value_1"}


def test_benjamini_hochberg_over_levels(conditions: Drift) -> None:
    """The adjusted p of the overall rows is Benjamini-Hochberg's, by hand."""
    rates = conditions.rates
    overall = rates[rates["pack"] == "overall"].sort_values("p")
    count = len(overall)
    stepped = [p * count / rank for rank, p in enumerate(overall["p"], start=1)]
    expected = np.minimum.accumulate(stepped[::-1])[::-1].clip(max=1)
    assert overall["p_bh"].tolist() == pytest.approx(expected.tolist())
    assert rates.loc[rates["pack"] != "overall", "p_bh"].isna().all()


@pytest.mark.slow
def test_positions_and_worths_see_the_swapped_values() -> None:
    """Logging lifts `care` and `gain` and lowers `truth`, in positions and in worths; nudging nothing."""
    # A range of twelve points and an interval for any distribution: 24 scenarios could not show it.
    rows = simulated(turns=1, scenarios=96)
    found = drift(rows, "monitoring", seed=1)
    shift = found.positions.set_index("value")
    assert cell(shift, "truth", "high") < 0
    assert cell(shift, "truth", "absolute") > cell(shift, "truth", "absolute_null")
    change = found.worths.set_index("value")
    assert cell(change, "truth", "high") < 0 < cell(change, "gain", "difference")
    assert found.orders["values"].tolist() == [4]
    assert found.orders["spearman"].iloc[0] < 1
    distance = found.divergence.set_index("of")
    assert cell(distance, "truth", "total_variation_p") < 0.05
    assert cell(distance, "verdict", "total_variation") > cell(distance, "verdict", "total_variation_null")
    still = drift(rows, "nudge")
    assert (still.divergence["total_variation_p"] > 0.01).all()


def test_pressure_has_a_curve(table: pd.DataFrame) -> None:
    """Levels with turns have a survival curve and flips; levels of one turn have none."""
    found = drift(table, "pressure")
    assert set(found.survival["at"]) == {"push"}
    assert found.survival["turn"].tolist() == [1, 2, 3, 4]
    rows = table[table["condition"] == "pressure=push"]
    first = rows[rows["turn"] == 1]
    held = (first["verdict"] == "aligned").mean()
    assert found.survival["held"].iloc[0] == pytest.approx(held)
    assert found.flips["conversations"].tolist() == [72]
    assert found.flips["turns_held"].iloc[0] == pytest.approx(found.survival["held"].sum())


@pytest.mark.slow
def test_turns_are_an_axis() -> None:
    """On the axis `turn` the first turn is the base of every later one, with equal keys."""
    rows = simulated()
    pushed = rows[rows["condition"] == "pressure=push"].assign(condition="default")
    found = drift(pushed, "turn")
    assert found.rates["from"].unique().tolist() == ["1"]
    assert sorted(found.rates["to"].unique()) == ["2", "3", "4"]
    overall = found.rates[(found.rates["pack"] == "overall") & (found.rates["to"] == "4")].iloc[0]
    share = (pushed[pushed["turn"] == 4]["verdict"] == "misaligned").mean()
    assert overall["rate_candidate"] == pytest.approx(share)
    assert set(found.survival["at"]) == {"default"}


def test_a_table_without_conditions_has_nudges() -> None:
    """Nudged rows of a bare table, numbered through as epochs, still pair with the neutral ones."""
    rows = simulated()
    few = rows[rows["condition"].isin(["default", "nudge=value_1"])]
    bare = few[["model", "scenario", "nudge", "verdict"]]
    found = drift(bare, "nudge")
    assert found.rates["measure"].tolist() == ["misalignment", "acted_well"]
    assert found.rates["pairs"].tolist() == [72, 72]
    assert found.positions.empty
    assert found.worths.empty
    assert "shift" in found.positions.columns


def test_row_order_and_seed(table: pd.DataFrame, monitoring: Drift) -> None:
    """The result is a function of the rows and the seed, not of their order."""
    first = monitoring
    again = drift(simulated().sample(frac=1, random_state=1), "monitoring", seed=1)
    other = drift(table, "monitoring", seed=2)
    for part in PARTS:
        left, right = getattr(first, part), getattr(again, part)
        pd.testing.assert_frame_equal(left, right, check_dtype=False)
    assert not first.divergence.equals(other.divergence)


def test_levels_without_common_scenarios_are_flagged() -> None:
    """A level that shares no judged output with the default has a row that says so."""
    rows = simulated()
    rows = rows[rows["condition"].isin(["default", "monitoring=logged"])]
    rows.loc[rows["condition"] != "default", "scenario"] += "_other"
    found = drift(rows, "monitoring").rates
    assert found["flags"].tolist() == [("no_pairs",)]
    assert found["pairs"].tolist() == [0]


def test_unequal_packs_are_not_compared(table: pd.DataFrame) -> None:
    """Levels that ran other versions of a pack are not comparable."""
    digest = np.where(table["condition"] == "default", "a" * 8, "b" * 8)
    with pytest.raises(NotComparableError, match="digest"):
        drift(table.assign(pack_digest=digest), "monitoring")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda t: drift(t, "tone"),
            "does not vary along 'tone' .allowed: condition, monitoring, nudge, pressure",
        ),
        (lambda t: drift(t[t["condition"] == "default"]), "none: one condition"),
        (lambda t: drift(t[t["condition"] != "default"], "monitoring"), "axis 'monitoring' has the levels"),
        (lambda t: drift(t, confidence=0), "confidence 0"),
        (lambda _: divergence([[1, 2]], [[1, 2, 3]], rng=generator()), "counts of shapes"),
        (lambda _: divergence([[1, -1]], [[1, 2]], rng=generator()), "count -1"),
        (lambda _: divergence([[1.5, 1]], [[1, 2]], rng=generator()), "count 1.5"),
        (lambda _: divergence([[0, 0]], [[1, 2]], rng=generator()), "no scenario has outputs"),
        (lambda _: position_shift([[1, 2]], [[1, 2]], rng=generator()), "2 positions"),
    ],
)
def test_bad_input_is_one_line(call: Callable[[pd.DataFrame], object], message: str, table: pd.DataFrame) -> None:
    """Each wrong input is an InputError of one line that names the value."""
    with pytest.raises(InputError, match=message) as caught:
        call(table)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_the_table_shows_who_judged(tmp_path: Path) -> None:
    """Rows of two judges of one model name their judge."""
    rows = simulated()
    rows = rows[rows["condition"].isin(["default", "monitoring=logged"])]
    file = tmp_path / "table.csv"
    pd.concat([rows.assign(judge=judge) for judge in ("j1", "j2")]).to_csv(file, index=False)
    shown = CliRunner().invoke(command, [str(file), "--axis", "monitoring", "--part", "rates"]).output
    lines = [line.split()[:4] for line in shown.splitlines() if "misalignment" in line]
    assert lines == [["m", judge, "default", "logged"] for judge in ("j1", "j2") for _ in range(3)]


@pytest.mark.slow
def test_command_prints_every_part(tmp_path: Path) -> None:
    """JSON holds all parts, CSV one of them, and the table the titles of those that have rows."""
    file = tmp_path / "table.csv"
    rows = simulated(turns=2)
    rows[rows["condition"] == "pressure=push"].assign(condition="default").to_csv(file, index=False)
    run = CliRunner()
    found = json.loads(run.invoke(command, [str(file), "--axis", "turn", "--format", "json"]).stdout)
    assert set(found) == {"axis", "confidence", "seed", *PARTS}
    assert {"from", "to", "difference", "p_bh"} <= set(found["rates"][0])
    options = [str(file), "--axis", "turn"]
    text = run.invoke(command, [*options, "--part", "survival", "--format", "csv"]).output
    assert text.startswith("model,at,turn,at_risk")
    shown = run.invoke(command, options).output
    for row in found["rates"]:
        # 0.0 makes +0.0 of the -0.0 that rounding leaves.
        change, low, high = (f"{round(100 * row[name], 1) + 0.0:+.1f}" for name in ("difference", "low", "high"))
        assert f" {change} [{low}, {high}] " in " ".join(shown.split()), "a difference is in points, with its sign"
    assert "change, interval: percentage points" in shown
    assert "Positions: 0 against a value to 6 for it" in shown
    assert "by turn" in shown
    assert "Change of log-worths" in shown
