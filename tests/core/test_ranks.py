"""Rank sets: critical values against second sources, their coverage, and who may be ranked with whom."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats
from simulated_tables import simulated

from alignbench.analysis.ranks.ranks import ranks
from alignbench.cli.ranks import command
from alignbench.errors import InputError
from alignbench.stats.ranks import holm_rank_sets, joint_covariance, max_t_rank_sets, rank_text
from alignbench.stats.rate import moments
from alignbench.stats.sign_flip import sign_flip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def rng(seed: int = 0) -> np.random.Generator:
    """A seeded generator."""
    return np.random.default_rng(seed)


def bare(counts: dict[str, list[int]], outputs: int) -> pd.DataFrame:
    """A bare table: of each model's outputs per scenario so many are misaligned."""
    return pd.DataFrame(
        [
            {"model": model, "scenario": f"s{at:02}", "verdict": "misaligned" if number < hits else "aligned"}
            for model, by_scenario in counts.items()
            for at, hits in enumerate(by_scenario)
            for number in range(outputs)
        ]
    )


# Max-t


def test_critical_value_is_the_studentized_range() -> None:
    """With independent models of one variance the largest difference is a range: scipy's quantile decides."""
    for models in (2, 3, 6):
        critical = stats.studentized_range.ppf(0.95, models, np.inf)
        for factor, distinct in ((0.98, False), (1.02, True)):
            merit = np.zeros(models)
            merit[0] = critical * factor
            found = max_t_rank_sets(merit, np.eye(models), rng=rng(1), draws=100_000)
            assert found.better.any() == distinct
            assert found.low.tolist() == ([1] + [2] * (models - 1) if distinct else [1] * models)
            assert found.high.tolist() == ([1] + [models] * (models - 1) if distinct else [models] * models)


def test_two_models_on_an_estimated_covariance_follow_t() -> None:
    """The ratio of two models' difference to its estimated error is Student's: scipy's t quantile decides."""
    covariance = np.array([[2.0, 0.7], [0.7, 1.0]])
    deviation = np.sqrt(3 - 1.4)
    for df in (4, 15, 60):
        critical = stats.t.ppf(0.975, df) * deviation
        for factor, distinct in ((0.97, False), (1.03, True)):
            merit = np.array([0, critical * factor])
            found = max_t_rank_sets(merit, covariance, rng=rng(2), df=df, draws=100_000)
            assert found.better.any() == distinct
            assert found.low.tolist() == ([2, 1] if distinct else [1, 1])


def step_down(merit: Any, covariance: Any, draws: Any) -> tuple[set[tuple[int, int]], float]:
    """The step-down test of Romano and Wolf, a hypothesis at a time; and how close a decision was."""
    open_ones = set(itertools.permutations(range(len(merit)), 2))
    c = covariance
    spread = {(j, k): np.sqrt(c[j, j] + c[k, k] - 2 * c[j, k]) for j, k in open_ones}
    won: set[tuple[int, int]] = set()
    margin = np.inf
    while open_ones:
        largest = np.max([(draws[:, j] - draws[:, k]) / spread[j, k] for j, k in open_ones], axis=0)
        critical = np.quantile(largest, 0.95)
        statistic = {(j, k): (merit[j] - merit[k]) / spread[j, k] for j, k in open_ones}
        margin = min(margin, *(abs(value - critical) for value in statistic.values()))
        new = {pair for pair, value in statistic.items() if value > critical}
        if not new:
            break
        won |= new
        open_ones -= new
    return won, float(margin)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 4), st.integers(0, 10_000))
def test_max_t_equals_brute_force(models: int, seed: int) -> None:
    """On any known covariance the same pairs are told apart as by plain loops over other draws."""
    maker = rng(seed)
    root = maker.normal(size=(models, models + 1))
    covariance = root @ root.T
    merit = maker.normal(size=models) * 4
    won, margin = step_down(merit, covariance, maker.multivariate_normal(np.zeros(models), covariance, 20_000))
    assume(margin > 0.08)  # nearer than that, the draws decide
    found = max_t_rank_sets(merit, covariance, rng=rng(seed + 1))
    assert set(zip(*map(np.ndarray.tolist, np.nonzero(found.better)), strict=True)) == won
    assert found.low.tolist() == [1 + sum(k == one for _, k in won) for one in range(models)]
    assert found.high.tolist() == [models - sum(j == one for j, _ in won) for one in range(models)]


def test_differences_without_variance() -> None:
    """Models with equal outputs share their places; a gap that no scenario contradicts separates."""
    covariance = np.full((2, 2), 0.01)
    assert max_t_rank_sets([0.2, 0.2], covariance, rng=rng()).high.tolist() == [2, 2]
    assert max_t_rank_sets([0.2, 0.1], covariance, rng=rng()).high.tolist() == [1, 2]
    assert max_t_rank_sets([0.2], [[0.01]], rng=rng()).high.tolist() == [1]


def test_joint_covariance_is_cr2_through_shared_scenarios() -> None:
    """Variances are S1's CR2, covariances the cross products of shared scenarios; packs weigh equally."""
    maker = rng(3)
    n = np.array([[3, 4, 2, 5, 4, 3, 3, 2], [3, 4, 2, 0, 4, 3, 3, 2]])
    y = maker.binomial(n, 0.4)
    pack = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    rates, covariance = joint_covariance(n, y, pack)
    expected = np.zeros((2, 2))
    for a, b, h in itertools.product(range(2), range(2), range(2)):
        here = pack == h
        total = [n[m, here].sum() for m in (a, b)]
        for g in np.flatnonzero(here):
            e = [y[m, g] - n[m, g] * y[m, here].sum() / t for m, t in zip((a, b), total, strict=True)]
            w = [n[m, g] / t for m, t in zip((a, b), total, strict=True)]
            expected[a, b] += e[0] * e[1] / np.sqrt((1 - w[0]) * (1 - w[1])) / (2 * total[0] * 2 * total[1])
    assert np.allclose(covariance, expected)
    by_pack = [moments(n[0, pack == h], y[0, pack == h]) for h in (0, 1)]
    assert covariance[0, 0] == pytest.approx(sum(float(m.cr2) for m in by_pack) / 4)
    assert rates[0] == pytest.approx(sum(float(m.p) for m in by_pack) / 2)


@pytest.mark.slow
def test_rank_sets_cover() -> None:
    """Among equal models on 30 scenarios, in at most 8 of 100 data sets is any told apart at 95 %."""
    wrong = 0
    for seed in range(100):
        maker = rng(seed)
        logits = maker.normal(0, 1, 30) + maker.normal(0, 0.7, (3, 30)) - 0.6
        n = np.full((3, 30), 4)
        rates, covariance = joint_covariance(n, maker.binomial(n, special.expit(logits)), np.zeros(30))
        wrong += bool(max_t_rank_sets(-rates, covariance, rng=maker, df=29).better.any())
    assert wrong <= 8


# Holm


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0, 0.1), min_size=12, max_size=12))
def test_holm_sets_are_statsmodels_decisions(p: list[float]) -> None:
    """Pairs are told apart exactly where statsmodels' Holm rejects."""
    from statsmodels.stats.multitest import multipletests

    values = np.ones((4, 4))
    off = ~np.eye(4, dtype=bool)
    values[off] = p
    better = np.zeros((4, 4), dtype=bool)
    better[off] = multipletests(p, alpha=0.05, method="holm")[0]
    found = holm_rank_sets(values, confidence=0.95)
    assert np.array_equal(found.better, better)
    assert np.array_equal(found.low, 1 + better.sum(axis=0))
    assert np.array_equal(found.high, 4 - better.sum(axis=1))


def test_rare_events_are_ranked_by_flipped_signs() -> None:
    """Below ten event-bearing scenarios two models differ exactly if the one-sided sign-flip says so."""
    for hits, distinct in ((5, True), (4, False)):
        table = bare({"good": [0] * 20, "poor": [1] * hits + [0] * (20 - hits)}, 3)
        found = ranks(table, confidence=0.9).set_index("model")
        p = sign_flip(np.array([1.0] * hits), rng()).greater
        assert p == 0.5**hits
        assert (p <= 0.1 / 2) == distinct  # Holm over both directions
        assert set(found["method"]) == {"sign_flip_holm"}
        assert found["rank"].tolist() == (["1-1", "2-2"] if distinct else ["1-2", "1-2"])


def test_many_rare_models_still_tell_the_worst_apart() -> None:
    """With twelve models, whose smallest Holm threshold is .05/132, the draws are fine enough to reach it."""
    maker = rng(4)
    counts = {f"m{at:02}": [0] * 40 for at in range(11)}
    counts["worst"] = maker.integers(1, 4, 40).tolist()
    found = ranks(bare(counts, 4)).set_index("model")
    assert found.loc["worst", "rank"] == "12-12"
    assert (found.drop("worst")["rank"] == "1-11").all()


# The table's door


def several(rates: dict[str, float], **changes: Any) -> pd.DataFrame:
    """Models on the same scenarios."""
    tables = [simulated(name, rate, seed=at, **changes) for at, (name, rate) in enumerate(rates.items())]
    return pd.concat(tables, ignore_index=True)


def one(found: pd.DataFrame, model: str) -> dict[str, Any]:
    """The row of a model."""
    (record,) = found[found["model"] == model].to_dict("records")
    return {str(key): value for key, value in record.items()}


def test_a_bare_table_is_ranked_in_the_right_order() -> None:
    """Three columns are enough; clearly different models get single places, lowest rate first."""
    table = several({"high": 0.75, "low": 0.12, "middle": 0.4}, scenarios=40, packs=1, spread=0.5)
    found = ranks(table[~table["twin"]][["model", "scenario", "verdict"]])
    assert found["model"].tolist() == ["low", "middle", "high"]
    assert found["rank"].tolist() == ["1-1", "2-2", "3-3"]
    assert set(found["method"]) == {"max_t"}
    assert all("digest_unknown" in flags for flags in found["flags"])


def test_over_refusal_ranks_by_the_twins() -> None:
    """The other measure looks at twins only."""
    quick, wary = (
        simulated("quick", 0.9, 0.1, scenarios=40),
        simulated("wary", 0.1, 0.7, scenarios=40, seed=1),
    )
    table = pd.concat([quick, wary], ignore_index=True)
    assert ranks(table, measure="over_refusal")["model"].tolist() == ["quick", "wary"]
    assert ranks(table)["model"].tolist() == ["wary", "quick"]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.3, 0.03]))
def test_rank_sets_know_neither_row_order_nor_chance(seed: int, rate: float) -> None:
    """Equal table and seed give an equal frame in any row order; every set holds its own place."""
    table = several({"b": rate, "a": rate * 1.5, "c": rate}, scenarios=15)
    found = ranks(table, seed=seed)
    shuffled = pd.DataFrame(table).sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(found, ranks(shuffled, seed=seed))
    place = found["rate"].rank(method="min")
    assert (found["rank_low"] <= place).all()
    assert (place <= found["rank_high"]).all()
    limits = zip(found["rank_low"], found["rank_high"], strict=True)
    assert found["rank"].tolist() == [rank_text(low, high) for low, high in limits]


def test_packs_weigh_equally() -> None:
    """The rate is the mean of the packs' rates, however unequal their scenarios."""
    small = bare({"a": [2] * 10, "b": [0] * 10}, 2).assign(pack="small")
    large = bare({"a": [0] * 30, "b": [1, 0] * 15}, 2).assign(pack="large")
    found = ranks(pd.concat([small, large])).set_index("model")
    assert found["rate"].to_dict() == pytest.approx({"a": (1 + 0) / 2, "b": (0 + 0.25) / 2})


def test_nothing_is_ranked_across_judges_rubrics_or_packs() -> None:
    """Each difference makes a group of its own, with the reason in words; nobody in it has a rank alone."""
    same = several({"a": 0.2, "b": 0.5}, scenarios=20).assign(judge="j1", pack_digest="d1")
    cases = {
        "judge 'j2' instead of 'j1'": {"judge": "j2"},
        "judge configuration 'warm' instead of 'none'": {"judge_config": "warm"},
        "rubric 'r2' instead of 'none'": {"rubric_digest": "r2"},
        "pack versions pack_0 d2, pack_1 d2 instead of pack_0 d1, pack_1 d1": {"pack_digest": "d2"},
    }
    for words, change in cases.items():
        other = simulated("c", 0.3, scenarios=20, seed=5).assign(**{"judge": "j1", "pack_digest": "d1", **change})
        found = ranks(pd.concat([same, other], ignore_index=True))
        assert found["group"].tolist() == [1, 1, 2]
        assert found["rank"].tolist()[2] is None
        assert words in found["apart"].iloc[2]
        assert (found[["reason", "apart"]].iloc[:2] == "").all(axis=None)
    one_pack = simulated("c", 0.3, scenarios=20, packs=1, seed=5).assign(judge="j1", pack_digest="d1")
    found = ranks(pd.concat([same, one_pack], ignore_index=True))
    assert "packs pack_0 instead of pack_0, pack_1" in found["apart"].iloc[2]


def test_who_cannot_be_ranked_stands_there_with_the_reason() -> None:
    """Self-graded, two versions of a pack, nothing judged, one scenario: no rank, others keep theirs."""
    same = several({"a": 0.2, "b": 0.5}, scenarios=20).assign(judge="j1", flags="")
    other = simulated("c", 0.3, scenarios=20, seed=5).assign(judge="j1", flags="")
    late = other["scenario"].astype(str).str.endswith(("1", "2"))
    cases = {
        "judged by itself": other.assign(flags="long+self_graded"),
        "fewer than two judged": other.assign(verdict=None),
        "fewer than two": other[other["scenario"].isin(["pack_0_s00", "pack_1_s00"])],
    }
    for words, change in cases.items():
        found = ranks(pd.concat([same, change], ignore_index=True))
        assert one(found, "c")["rank"] is None
        assert words in one(found, "c")["reason"]
        assert one(found, "a")["rank"] == "1-1"
        assert one(found, "b")["rank"] == "2-2"
    twice = ranks(other.assign(pack_digest=np.where(late, "d1", "d2"))).iloc[0]
    assert "two versions" in twice["reason"]
    assert twice["rate"] is None
    judge = ranks(other.assign(judge="c")).iloc[0]
    assert judge["reason"] == "judged by itself"
    routed = ranks(other.assign(model="openrouter/openai/gpt-4o", judge="azureai/gpt-4o-2024-08-06")).iloc[0]
    assert (routed["rank"], routed["reason"]) == (None, "judged by itself")
    smaller = ranks(other.assign(model="openai/gpt-4o", judge="openai/gpt-4o-mini")).iloc[0]
    assert smaller["reason"] != "judged by itself"


def test_a_model_that_judged_itself_has_no_rank_under_any_arguments() -> None:
    """Where one name ran with several arguments these join it in the rows, and do not hide who judged."""
    runs = [{"model": "openai/gpt-4o", "model_args": args} for args in ("", '{"temperature":0}')]
    rows = [{"model": "openai/gpt-4.1", "model_args": ""}, {"model": "openai/gpt-4o-mini", "model_args": ""}, *runs]
    table = pd.concat(
        [simulated("x", 0.2 + at / 10, seed=at, scenarios=20).assign(judge="azureai/gpt-4o", **row)
         for at, row in enumerate(rows)], ignore_index=True,
    )  # fmt: skip
    found = ranks(table)
    reasons = dict(zip(found["model"], found["reason"], strict=True))
    assert {model for model, reason in reasons.items() if reason == "judged by itself"} == {
        "openai/gpt-4o {}", 'openai/gpt-4o {"temperature":0}',
    }  # fmt: skip
    assert found["rank"].notna().sum() == 2


def test_other_scenarios_and_unjudged_outputs_are_said() -> None:
    """A model without some of the scenarios is flagged; pairs are formed of outputs judged under both."""
    whole = bare({"a": [0] * 12}, 2)
    part = bare({"b": [1] * 12}, 2)
    unjudged = part.assign(verdict=part["verdict"].where(part.index > 0))
    missing = part[part["scenario"] != "s00"]
    flagged = ranks(pd.concat([whole, missing]))
    assert "other_scenarios" in one(flagged, "b")["flags"]
    assert "other_scenarios" not in one(flagged, "a")["flags"]
    # Half of the repetitions, of every scenario.
    once = part[part.index % 2 == 0]
    flagged = ranks(pd.concat([whole, once]))
    assert "other_scenarios" in one(flagged, "b")["flags"]
    assert "other_scenarios" not in one(flagged, "a")["flags"]
    found = ranks(pd.concat([whole, unjudged]))
    assert "other_scenarios" not in one(found, "b")["flags"]
    assert found["rank"].tolist() == ["1-1", "2-2"]


def test_a_rate_of_nothing_has_its_bound(tmp_path: Path) -> None:
    """Without an event the assumption-free bound stands in the row, and in words in the table."""
    table = bare({"clean": [0] * 12, "other": [1] * 12}, 2)
    found = ranks(table)
    assert one(found, "clean")["one_sided_upper"] == pytest.approx(1 - 0.05 ** (1 / 12))
    assert pd.isna(one(found, "other")["one_sided_upper"])
    table.to_csv(tmp_path / "table.csv", index=False)
    shown = CliRunner().invoke(command, [str(tmp_path / "table.csv")], catch_exceptions=False).output
    line = {name: next(row for row in shown.splitlines() if f" {name} " in row) for name in ("clean", "other")}
    assert "no event: at most 22.1 %" in line["clean"]
    assert "no event" not in line["other"]


@pytest.mark.parametrize(("lost", "reason"), [(2, ""), (3, "not ranked: 21 of 24 outputs were judged")])
def test_what_was_judged_of_what_was_asked_decides_whether_there_is_a_rank(lost: int, reason: str) -> None:
    """Of 24 outputs two may be missing, three may not; an output off task is judged."""
    whole, part = bare({"a": [0] * 12}, 2), bare({"b": [1] * 12}, 2)
    missing = part.assign(verdict=part["verdict"].where(part.index >= lost))
    missing["unscored_reason"] = ["absent" if at < lost else None for at in part.index]
    row = one(ranks(pd.concat([whole, missing])), "b")
    assert (row["rank"] is None, row["reason"]) == (bool(reason), reason)
    drifted = part.assign(verdict=part["verdict"].where(part.index >= lost, "off_task"))
    assert one(ranks(pd.concat([whole, drifted])), "b")["rank"] is not None


def test_answers_of_another_model_are_not_ranked_as_this_one() -> None:
    """One answer of a fallback model is enough; the flag and the reason say so."""
    table = bare({"a": [0] * 12, "b": [1] * 12, "c": [2] * 12}, 2)
    table["flags"] = ["model_fallback" if at == 24 else "" for at in range(len(table))]
    row = one(ranks(table), "b")
    assert row["rank"] is None
    assert row["reason"] == "not ranked: another model answered 1 of the outputs"
    assert "model_fallback" in row["flags"]
    assert one(ranks(table), "c")["rank"] == "2-2"


def test_one_model_has_no_rank() -> None:
    """Alone there is nothing to be ranked against."""
    found = ranks(simulated("only", 0.3))
    assert one(found, "only")["rank"] is None
    assert "no other model" in one(found, "only")["reason"]


def test_bad_input_is_one_clear_error() -> None:
    """An unknown measure, a bad level, no twins, no covariance, too few draws, p outside [0, 1]."""
    table = bare({"a": [0, 1], "b": [1, 1]}, 2)
    calls: dict[str, Callable[[], object]] = {
        "unknown measure": lambda: ranks(table, measure="speed"),
        "confidence": lambda: ranks(table, confidence=0.0),
        "twin": lambda: ranks(table, measure="over_refusal"),
        "covariance": lambda: max_t_rank_sets([1, 2], [[1.0]], rng=rng()),
        "not finite": lambda: max_t_rank_sets([1, np.nan], np.eye(2), rng=rng()),
        "draws": lambda: max_t_rank_sets([1, 2], np.eye(2), rng=rng(), draws=100),
        "p-value": lambda: holm_rank_sets([[1, 2], [0, 1]]),
        "shape": lambda: holm_rank_sets([0.1, 0.2]),
        "fewer than two": lambda: joint_covariance([[1], [1]], [[0], [1]], [0]),
    }
    for message, call in calls.items():
        with pytest.raises(InputError, match=message):
            call()


def test_command_prints_sets_and_reasons(tmp_path: Path) -> None:
    """The table shows sets with n and interval, JSON the keys and null for no rank."""
    file = tmp_path / "bare.csv"
    table = bare({"a": [0] * 12, "b": [1] * 12, "c": [1] * 12}, 2)
    table.assign(judge=np.where(table["model"] == "c", "j2", "j1")).to_csv(file, index=False)
    runner = CliRunner()
    shown = runner.invoke(command, [str(file)], catch_exceptions=False).output
    assert "0/24" in shown
    assert "judge 'j2' instead of 'j1'" in shown
    assert "nan" not in shown
    records = json.loads(runner.invoke(command, [str(file), "--format", "json"], catch_exceptions=False).stdout)
    assert [record["rank"] for record in records] == ["1-1", "2-2", None]
    assert records[0]["rank_low"] == records[0]["rank_high"] == 1
    assert runner.invoke(command, [str(file), "--format", "csv"]).stdout.startswith("model,")


def test_who_may_lack_how_much_is_an_option() -> None:
    """With a quarter allowed a model of which a fifth has no verdict has a rank; with a tenth it has none."""
    one, two = (simulated(name, 0.3, seed=at) for at, name in enumerate(("whole", "partial")))
    lost = two["epoch"].to_numpy() == 4
    few = two.assign(verdict=two["verdict"].mask(lost & (two["scenario"].cat.codes % 5 < 4)))
    table = pd.concat([one, few], ignore_index=True).astype({"unscored_reason": object})
    strict, lenient = ranks(table), ranks(table, largest_unscored_share=0.25)
    assert strict.set_index("model")["rank"].isna()["partial"]
    assert lenient.set_index("model")["rank"].notna().all()
