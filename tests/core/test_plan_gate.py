"""plan for the gate: pass rates by simulation, margins that cannot be met, and the fast way to an exit code."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats
from simulated_tables import simulated

from alignbench.analysis.gate.gate import gate
from alignbench.analysis.gate.margins import smallest_margin
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.gate.simulation import exit_code, pass_rates, simulated_strata
from alignbench.analysis.plan.gate import GatePlan
from alignbench.analysis.plan.pilot import Assumptions, pilots
from alignbench.analysis.plan.plan import plan
from alignbench.analysis.plan.rows import PlanRow
from alignbench.cli.plan import command
from alignbench.errors import InputError
from alignbench.stats.planning import Population
from alignbench.text.rows import meanings

pytestmark = pytest.mark.slow

RATE = Assumptions(rate=0.03, icc=0.1)


def table(name: str, events: list[np.ndarray], lost: list[np.ndarray] | None = None) -> pd.DataFrame:
    """The table of arrays of events, conflicts and twins, shape (packs, scenarios, epochs) each."""
    parts = []
    for twin, event in enumerate(events):
        pack, scenario, epoch = (part.ravel() for part in np.indices(event.shape))
        gone = np.zeros(event.size, dtype=bool) if lost is None else lost[twin].ravel()
        said = pd.Series(np.where(event.ravel(), ("misaligned", "refused")[twin], "aligned"), dtype=object)
        parts.append(
            pd.DataFrame(
                {
                    "model": name,
                    "pack": [f"pack_{at}" for at in pack],
                    "scenario": [f"s{at:03}" for at in scenario],
                    "twin": bool(twin),
                    "epoch": epoch + 1,
                    "verdict": said.mask(gone, None),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("shape", "per_pack"), [((3, 20, 4), False), ((1, 40, 2), False), ((2, 25, 1), False), ((2, 25, 1), True)]
)
def test_the_fast_way_to_an_exit_code_is_the_gates(shape: tuple[int, int, int], per_pack: bool) -> None:
    """From counts alone comes the code that `gate` gives on the table of the same outputs, lost ones included."""
    codes = set()
    for seed in range(12):
        rng = np.random.default_rng([seed, *shape])
        rise = (0.0, 0.0, 0.05, 0.4)[seed % 4]
        rates = rng.beta(0.5, 6, size=(2, *shape[:2], 1))
        base, candidate = rng.random((2, *shape)) < rates, rng.random((2, *shape)) < rates + rise
        lost = rng.random((2, *shape)) < (0.0, 0.02, 0.3)[seed % 3]
        margin = 0.25 if per_pack else 0.2
        policy = Policy(margin=margin, largest_usefulness_loss=margin, per_pack=per_pack, seed=seed)
        fast = {
            measure: members
            for twin in (0, 1)
            for measure, members in simulated_strata(
                list(base[twin]), list(candidate[twin]), list(lost[twin]), twin=bool(twin)
            ).items()
        }
        report = gate(
            table("base", list(base)), table("candidate", list(candidate), list(lost)), policy=policy
        )  # fmt: skip
        assert exit_code(fast, policy) == report.exit_code
        codes.add(report.exit_code)
    assert codes == {0, 1, 3}


def test_a_pack_with_too_few_scenarios_or_none_is_no_pass_either() -> None:
    """The fast way stops where the gate calls two results not comparable."""
    rng = np.random.default_rng(0)
    events = [rng.random((2, 30, 4)) < 0.02 for _ in range(2)]
    policy = Policy(margin=0.2, largest_usefulness_loss=0.2)
    lost = np.zeros((2, 30, 4), dtype=bool)
    lost[1, :21] = True
    members = simulated_strata(list(events[0]), list(events[1]), list(lost))
    report = gate(table("base", events[:1]), table("candidate", events[1:], [lost]), policy=policy)
    assert report.decision == "not_comparable"
    assert exit_code(members, policy) == 3


def test_pass_rates_are_the_shares_of_gates_that_pass() -> None:
    """The simulation is of unchanged models: with nothing to find it always passes, with little room hardly ever."""
    people = {False: Population(0.05, 0.1), True: Population(0.05, 0.1)}
    wide, narrow = Policy(margin=0.4, largest_usefulness_loss=0.4), Policy(margin=0.13, largest_usefulness_loss=0.13)
    assert pass_rates(people, [20], 2, wide, draws=20) == [1.0, 1.0, 1.0]
    rates = pass_rates(people, [20], 2, narrow, lost=(0.0, 0.05, 0.3), draws=40)
    assert rates == sorted(rates, reverse=True)
    assert rates[0] < 0.9
    assert rates[2] == 0.0
    assert pass_rates(people, [20], 2, narrow, lost=(0.0, 0.05, 0.3), draws=40) == rates
    silent = {False: Population(0.0, 0.5)}
    assert pass_rates(silent, [20, 20], 1, narrow, lost=(0.0,), draws=5) == [1.0]


def test_a_plan_with_a_margin_says_how_often_an_unchanged_model_passes() -> None:
    """A design has its smallest margin and three pass rates; one that cannot meet the margin has none, and a flag."""
    policy = Policy(margin=0.15, largest_usefulness_loss=0.15)
    gates = GatePlan(policy, packs=2, other_rate=0.06, draws=12)
    rows = plan(assumed=RATE, scenarios=[20, 60], epochs=[4], gate=gates)
    assert list(rows.columns) == ["model", *meanings(PlanRow)]
    few, many = rows.to_dict("records")
    assert few["smallest_margin"] == smallest_margin([np.full(10, 4.0)] * 2, 0.9)
    assert many["passes"] > 0.8
    assert many["passes"] >= many["passes_1_lost"] >= many["passes_2_lost"]
    if few["smallest_margin"] >= 0.15:
        assert pd.isna(few["passes"])
        assert "margin_impossible" in few["flags"]
    tight = plan(assumed=RATE, scenarios=[20, 60], epochs=[4], gate=GatePlan(
        Policy(margin=0.07, largest_usefulness_loss=0.07), packs=2, draws=5)).to_dict("records")  # fmt: skip
    assert pd.isna(tight[0]["passes"])
    assert tight[0]["flags"] == ("margin_impossible",)
    assert tight[1]["draws"] == 5


def test_the_smallest_margin_is_that_of_whatever_is_held_against_it() -> None:
    """Where each pack must stay below the margin, the least is that of the smallest pack."""
    policy = Policy(margin=0.10, largest_usefulness_loss=0.3, per_pack=True)
    few, _ = plan(assumed=RATE, scenarios=[42, 120], epochs=[4], gate=GatePlan(policy, packs=3, draws=3)).to_dict(
        "records"
    )
    assert few["smallest_margin"] == smallest_margin([np.full(14, 4.0)], 0.9)
    assert few["smallest_margin"] > 0.10
    assert few["flags"] == ("margin_impossible",)


def test_a_margin_that_no_design_can_meet_is_refused_with_the_smallest() -> None:
    """One line with the margin and what the scenarios allow; so is a pack smaller than the policy asks for."""
    with pytest.raises(InputError, match=r"margin 0\.03 cannot be met by .*: with 42 scenarios in 3 packs") as caught:
        plan(assumed=RATE, scenarios=[42], epochs=[4], gate=GatePlan(Policy(margin=0.03), packs=3))
    least = smallest_margin([np.full(14, 4.0)] * 3, 0.9)
    assert least is not None
    assert caught.value.allowed is not None
    assert least < float(caught.value.allowed.split()[1]) < least + 2e-4
    with pytest.raises(InputError, match="42 scenarios in 9 packs leave one with 4"):
        plan(assumed=RATE, scenarios=[42], epochs=[4], gate=GatePlan(Policy(margin=0.3), packs=9))


@pytest.mark.slow
@pytest.mark.parametrize(("scenarios", "draws"), [([600], 50), ([600, 1000], 25)])
def test_draws_are_round_and_fewer_where_designs_are_large(scenarios: list[int], draws: int) -> None:
    """Of 25, 50, 100 and 200 the most that stay within 50,000 scenarios over all designs."""
    wide = GatePlan(Policy(margin=0.4, largest_usefulness_loss=0.4))
    found = plan(assumed=RATE, scenarios=scenarios, epochs=[1], gate=wide)
    assert set(found["draws"]) == {draws}


def test_a_pilot_gives_both_rates_to_the_gate() -> None:
    """Misalignment and over-refusal of the simulated gate are the pilot's, and an assumed one replaces the other's."""
    pilot = simulated("m", 0.02, 0.4, packs=2, scenarios=15)
    gates = GatePlan(Policy(margin=0.1), draws=5)
    options: dict[str, Any] = {"measure": "misalignment", "table": pilot, "assumed": Assumptions(), "twins": True}
    (one,) = pilots(pilot, Assumptions())
    found = gates.populations(one, **options)
    assert found[False].rate < 0.1 < 0.3 < found[True].rate
    assert set(gates.populations(one, **{**options, "twins": False})) == {False}
    stated = GatePlan(Policy(margin=0.1), other_rate=0.2).populations(one, **options)
    assert (stated[True].rate, stated[False]) == (0.2, found[False])


def test_the_command_plans_for_the_gate(tmp_path: Any) -> None:
    """--margin or --policy adds the columns; a question beside them, and a hopeless margin, are errors."""
    arguments = ["--rate", ".03", "--scenarios", "60", "--epochs", "2", "--packs", "2", "--draws", "5"]
    shown = CliRunner().invoke(command, [*arguments, "--margin", ".1"])
    assert shown.exit_code == 0
    text = " ".join(shown.output.split())
    assert "how often an unchanged model passes the gate, with the 95 % interval" in text
    assert "other rate: what the other error is taken to be" in text
    assert "detects: smallest rise, in points, that a paired comparison finds 80 times in 100" in text
    assert "on conflicts and their benign twins, 1 condition of each conflict" in text
    assert "- without --prices" in text
    bare = CliRunner().invoke(command, ["--rate", ".03", "--no-twins", "--power", ".9", "--conditions", "2"]).output
    assert "finds 90 times in 100" in " ".join(bare.split())
    assert "on conflicts, 2 conditions of each conflict" in " ".join(bare.split())
    file = tmp_path / "policy.yaml"
    file.write_text("margin: 0.2\nseed: 3\n")
    (record,) = json.loads(CliRunner().invoke(command, [*arguments, "--policy", str(file), "--format", "json"]).stdout)
    assert record["margin"] == 0.2
    assert record["draws"] == 5
    assert record["other_rate"] == 0.03
    passed = round(5 * record["passes"])
    low, high = (float(stats.beta.ppf(q, passed + at, 5 - passed + 1 - at)) for q, at in ((0.025, 0), (0.975, 1)))
    assert record["passes_low"] == pytest.approx(low if passed else 0.0)
    assert record["passes_high"] == pytest.approx(high if passed < 5 else 1.0)
    for extra, message in (
        (["--margin", ".01"], "margin 0.01 cannot be met"),
        (["--margin", ".1", "--target", "below 1%"], "beside --target"),
    ):
        error = CliRunner().invoke(command, [*arguments, *extra]).exception
        assert isinstance(error, InputError)
        assert message in str(error)
    for option, value in (
        ("--packs", "1"),
        ("--other-rate", "1"),
        ("--draws", "1"),
        ("--largest-usefulness-loss", ".2"),
    ):
        error = CliRunner().invoke(command, ["--rate", ".03", option, value]).exception
        assert isinstance(error, InputError)
        assert f"{option} beside --margin or --policy" in str(error)
    plain = CliRunner().invoke(command, ["--rate", ".03", "--format", "json"])
    assert "passes" not in json.loads(plain.stdout)[0]
