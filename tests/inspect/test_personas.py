"""Scripted models do what they say: their rates are the truth that the statistics must find."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from scipy import integrate, optimize, special, stats
from scripted_runs import rows, samples, scripted, write_pack

from alignbench.digest import unit_interval
from alignbench.errors import InputError
from alignbench.packs import LabelledAnswer, load_pack
from alignbench.run.models.persona import PERSONAS, Grader, Persona, SampleKey, make_grader, make_persona, match_label
from alignbench.run.task import pack_task
from alignbench.stats.rate import moments, s1

if TYPE_CHECKING:
    from pathlib import Path

    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model
    from numpy.typing import NDArray

SEEDS, SCENARIOS, EPOCHS = 1_000, 14, 4
MEASURES = {"misalignment": False, "over_refusal": True}
"""Each measure and whether it is taken on twins."""
PACK = "pricing_fairness"


def key(scenario: int, *, twin: bool = False, epoch: int = 1, condition: str = "default") -> SampleKey:
    """The sample of a made-up pack."""
    name = f"case_{scenario}"
    kind = "twin" if twin else "conflict"
    return SampleKey(f"made_up/{name}/{kind}/{condition}", name, twin, condition, epoch)


# The truth, and whether it is found


def intercept(rate: float, sd: float) -> float:
    """The log-odds whose mean over N(0, sd) effects is the rate, by adaptive quadrature."""

    def excess(middle: float) -> float:
        mean, _ = integrate.quad(lambda z: special.expit(middle + sd * z) * stats.norm.pdf(z), -12, 12)
        return float(mean) - rate

    return float(optimize.brentq(excess, -30, 30, xtol=1e-12))


@cache
def effects(purpose: str) -> NDArray[np.float64]:
    """The standard normal effect of each scenario for each seed; personas share them."""
    uniform = [[unit_interval(s, "scenario", purpose, f"case_{i}") for i in range(SCENARIOS)] for s in range(SEEDS)]
    return np.asarray(special.ndtri(np.asarray(uniform)))[..., None]


def chances(rate: float, sd: float, purpose: str, seeds: int) -> NDArray[np.float64]:
    """The chance in each scenario for each of the first seeds, shape (seeds, SCENARIOS, 1)."""
    return np.asarray(special.expit(intercept(rate, sd) + sd * effects(purpose)[:seeds]))


@pytest.fixture(scope="module")
def draws() -> dict[bool, NDArray[np.float64]]:
    """The first draw of every conflict and twin; it does not depend on the persona."""
    return {
        twin: np.asarray(
            [
                [
                    [unit_interval(s, key(i, twin=twin).id, epoch, 1, "act") for epoch in range(1, EPOCHS + 1)]
                    for i in range(SCENARIOS)
                ]
                for s in range(SEEDS)
            ]
        )
        for twin in (False, True)
    }


def acts(persona: Persona, draw: NDArray[np.float64], *, twin: bool) -> NDArray[np.str_]:
    """What a persona does at the first turn, all seeds at once: Persona.act written a second time."""
    sd, seeds = persona.scenario_sd, len(draw)
    if twin:
        return np.where(draw < chances(persona.truth("over_refusal"), sd, "over_refusal", seeds), "refused", "aligned")
    rate = persona.truth("misalignment")
    assert isinstance(persona.refusal, float)
    misaligned = chances(rate, sd, "misaligned", seeds)
    refused = misaligned + (1 - misaligned) * chances(persona.refusal / (1 - rate), sd, "refusal", seeds)
    return np.where(draw < misaligned, "misaligned", np.where(draw < refused, "refused", "aligned"))


def seeded(name: str, seed: int) -> Persona:
    """A named persona with another seed."""
    return make_persona(name, {"seed": seed})


@pytest.mark.slow
@pytest.mark.parametrize("name", PERSONAS)
@pytest.mark.parametrize("twin", [False, True])
def test_the_arithmetic_is_that_of_the_definition(
    name: str, twin: bool, draws: dict[bool, NDArray[np.float64]]
) -> None:
    """`act` does what marginal rates with logit-normal scenario effects say, draw by draw."""
    some = draws[twin][:20]
    found = [
        [[seeded(name, s).act(key(i, twin=twin, epoch=e + 1)) for e in range(EPOCHS)] for i in range(SCENARIOS)]
        for s in range(len(some))
    ]
    assert np.array_equal(np.asarray(found), acts(PERSONAS[name], some, twin=twin))


@pytest.mark.slow
@pytest.mark.parametrize("name", PERSONAS)
@pytest.mark.parametrize("measure", MEASURES)
def test_the_intervals_hold_the_truth(name: str, measure: str, draws: dict[bool, NDArray[np.float64]]) -> None:
    """Over 1,000 seeds of 14 scenarios and 4 epochs at least 92 % of the S1 intervals hold the truth."""
    twin = MEASURES[measure]
    event = acts(PERSONAS[name], draws[twin], twin=twin) == ("refused" if twin else "misaligned")
    hits = event.sum(-1)
    interval = s1(moments(np.full(hits.shape, EPOCHS), hits))
    truth = PERSONAS[name].truth(measure)
    assert np.mean((interval.low <= truth) & (truth <= interval.high)) >= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("name", PERSONAS)
def test_rates_are_marginal(name: str, draws: dict[bool, NDArray[np.float64]]) -> None:
    """The mean over seeds is the stated rate, for refusals too: the truth of the population of scenarios."""
    persona = PERSONAS[name]
    conflicts, twins = acts(persona, draws[False], twin=False), acts(persona, draws[True], twin=True)
    for events, truth in (
        (conflicts == "misaligned", persona.misaligned),
        (conflicts == "refused", persona.refusal),
        (twins == "refused", persona.over_refusal),
    ):
        by_seed = events.mean(axis=(1, 2))
        assert abs(by_seed.mean() - truth) < 3.5 * by_seed.std() / np.sqrt(SEEDS)


def test_the_named_personas_are_those_of_the_definition() -> None:
    """`base` and `tuned` have the rates of the published fine-tune, 22 % and 3 %."""
    assert set(PERSONAS) == {"candid", "pleaser", "refuser", "base", "tuned"}
    assert (PERSONAS["base"].truth("misalignment"), PERSONAS["tuned"].truth("misalignment")) == (0.22, 0.03)


def test_a_wider_spread_keeps_the_rate() -> None:
    """`scenario_sd` moves scenarios apart, not their mean; with 0 every scenario has the stated rate."""
    means = {}
    for sd in (0.0, 1.0, 3.0):
        persona = make_persona("base", {"scenario_sd": sd, "refusal": 0})
        found = [[persona.act(key(i, epoch=e)) == "misaligned" for e in range(1, 9)] for i in range(600)]
        means[sd] = np.mean(found, axis=1)
    assert means[0.0].var() < means[1.0].var() < means[3.0].var()
    for sd, by_scenario in means.items():
        assert abs(by_scenario.mean() - 0.22) < 3.5 * by_scenario.std() / np.sqrt(600), sd


def test_personas_of_one_seed_share_the_hard_scenarios() -> None:
    """What is hard for one persona is hard for another of its seed, so that pairing pays."""

    def difficulty(name: str, seed: int) -> NDArray[np.float64]:
        persona = make_persona(name, {"seed": seed, "misaligned": 0.3, "scenario_sd": 2})
        found = [[persona.act(key(i, epoch=e)) == "misaligned" for e in range(1, 9)] for i in range(200)]
        return np.asarray([np.mean(one) for one in found])

    base = difficulty("base", 3)
    assert np.corrcoef(base, difficulty("tuned", 3))[0, 1] > 0.9
    assert abs(np.corrcoef(base, difficulty("tuned", 4))[0, 1]) < 0.25


# Draws


def test_draws_depend_on_the_key_alone() -> None:
    """The same sample gets the same act in any order, from any object, and other epochs are other draws."""
    keys = [key(i, twin=twin, epoch=e) for i in range(10) for twin in (False, True) for e in (1, 2, 3)]
    forwards = [seeded("pleaser", 5).act(one) for one in keys]
    backwards = [seeded("pleaser", 5).act(one) for one in reversed(keys)]
    assert forwards == backwards[::-1]
    assert len({tuple(forwards[at::3]) for at in range(3)}) == 3
    assert forwards != [seeded("pleaser", 6).act(one) for one in keys]


PROCESS = """
from alignbench.run.models.persona import SampleKey, make_grader, make_persona
persona, grader = make_persona("pleaser", {"seed": 5}), make_grader({"sensitivity": .5, "fail": .5})
for i in range(40):
    key = SampleKey(f"p/s{i}/conflict/default", f"s{i}", False, "default", 1)
    print(persona.act(key, 5), persona.choice(key, 1, 4))
    print(grader.verdict("misaligned", key, "x"), grader.fails(key, "x"))
"""


@pytest.mark.slow
def test_draws_do_not_depend_on_the_process() -> None:
    """Two processes with different hash seeds draw the same."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROCESS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1
    assert len(set(outputs.pop().splitlines())) > 6


def test_draws_stay_what_they_were() -> None:
    """A published seed means the same run for ever: the draws of seed 0 are written down here."""
    assert unit_interval(0, "made_up/case_0/conflict/default", 1, 1, "act") == 0.7466591020706683
    found = "".join(PERSONAS["pleaser"].act(key(i, epoch=e))[0] for i in range(14) for e in range(1, 5))
    assert found == "aaammammmmaamamaamaaamaaamamrrammaaammmaamaamamammmmmmmm"


# Pressure and conditions


def test_pressure_has_a_hazard() -> None:
    """At each further turn a share `hazard` of those who have not given in gives in, and stays with it."""
    hazard, count = 0.2, 3_000
    persona = make_persona("base", {"hazard": hazard, "misaligned": 0, "refusal": 0.3})
    turns = [[persona.act(key(i), turn) for turn in range(1, 6)] for i in range(count)]
    for turn in range(5):
        share = np.mean([acts_[turn] == "misaligned" for acts_ in turns])
        expected = 1 - (1 - hazard) ** turn
        assert abs(share - expected) <= 3.5 * np.sqrt(expected * (1 - expected) / count)
    for acts_ in turns:
        given_in = [act == "misaligned" for act in acts_]
        assert given_in == sorted(given_in)
        assert {act for act in acts_ if act != "misaligned"} <= {acts_[0]}


@pytest.mark.parametrize(("hazard", "last"), [(0, "aligned"), (1, "misaligned")])
def test_the_hazards_ends(hazard: float, last: str) -> None:
    """Without a hazard nobody gives in, with a sure one everybody does at the second turn; twins never do."""
    persona = make_persona("base", {"hazard": hazard, "misaligned": 0, "refusal": 0, "over_refusal": 0})
    assert {persona.act(key(i), 1) for i in range(50)} == {"aligned"}
    assert {persona.act(key(i), 2) for i in range(50)} == {last}
    assert {persona.act(key(i, twin=True), 5) for i in range(50)} == {"aligned"}


def test_rates_may_differ_by_condition() -> None:
    """A rate by condition holds there, whatever the nudge; elsewhere `default` holds."""
    persona = make_persona(
        "base", {"misaligned": {"default": 1.0, "monitoring=logged": 0.0}, "refusal": 0, "scenario_sd": 0}
    )
    expected = {
        "default": "misaligned",
        "nudge=value_1": "misaligned",
        "monitoring=private": "misaligned",
        "monitoring=logged": "aligned",
        "monitoring=logged+nudge=value_2": "aligned",
        "monitoring=logged+pressure=insist": "misaligned",
    }
    for condition, act in expected.items():
        assert persona.act(key(1, condition=condition)) == act, condition
        assert persona.truth("misalignment", condition) == (act == "misaligned"), condition


def test_a_nudge_may_have_its_own_rate() -> None:
    """The full name of a condition goes before the one without the nudge."""
    rates = {
        "default": 0.0,
        "nudge=value_2": 1.0,
        "monitoring=logged": 0.0,
        "monitoring=logged+nudge=value_2": 1.0,
    }
    persona = make_persona("base", {"misaligned": rates, "refusal": 0})
    assert persona.act(key(1, condition="nudge=value_2")) == "misaligned"
    assert persona.act(key(1, condition="nudge=value_1")) == "aligned"
    assert persona.act(key(1, condition="monitoring=logged+nudge=value_2")) == "misaligned"


def test_rates_by_condition_share_the_scenarios() -> None:
    """The same rate in another condition makes the same scenarios hard: effects are shared by conditions."""
    persona = make_persona("base", {"misaligned": 0.4, "refusal": 0, "scenario_sd": 4})

    def hard(condition: str) -> NDArray[np.float64]:
        return np.asarray(
            [
                np.mean([persona.act(key(i, epoch=e, condition=condition)) == "misaligned" for e in range(6)])
                for i in range(60)
            ]
        )

    assert np.corrcoef(hard("default"), hard("monitoring=logged"))[0, 1] > 0.8


# Arguments


@pytest.mark.parametrize(
    ("name", "args", "problem"),
    [
        ("basic", {}, "unknown persona 'basic' .*candid, pleaser, refuser, base, tuned, grader"),
        (
            "base",
            {"misalignment": 0.1},
            r"\[persona/base\] unknown argument 'misalignment' .*misaligned, refusal",
        ),
        ("base", {"misaligned": 1.5}, "misaligned = 1.5 .*0 to 1"),
        ("base", {"refusal": -0.1}, "refusal = -0.1 .*0 to 1"),
        ("base", {"over_refusal": "0.1"}, "over_refusal = '0.1' .*a number"),
        ("base", {"misaligned": True}, "misaligned = True .*a number"),
        ("base", {"misaligned": float("nan")}, "misaligned = nan"),
        ("base", {"misaligned": None}, "misaligned = None"),
        ("base", {"misaligned": [0.1]}, r"misaligned = \[0.1\]"),
        ("base", {"misaligned": {"monitoring=logged": 0.1}}, "for a rate numbers by condition with `default`"),
        ("base", {"misaligned": {"default": 2}}, "misaligned = 2"),
        ("base", {"hazard": {"default": 0.1}}, "hazard = "),
        ("base", {"hazard": 2}, "hazard = 2"),
        ("base", {"scenario_sd": -1}, "scenario_sd = -1 .*0 or more"),
        ("base", {"scenario_sd": float("inf")}, "scenario_sd = inf"),
        ("base", {"seed": 1.5}, "seed = 1.5 .*a whole number"),
        ("base", {"misaligned": 0.95}, r"misaligned \+ refusal = 1.05 in default .*at most 1"),
        ("base", {"refusal": {"default": 0, "pressure=insist": 0.9}}, r"refusal = 1.12 in pressure=insist"),
        ("grader", {"sensitivity": 1.1}, r"\[persona/grader\] sensitivity = 1.1"),
        ("grader", {"specificity": "high"}, "specificity = 'high'"),
        ("grader", {"fail": -1}, "fail = -1"),
        (
            "grader",
            {"misaligned": 0.5},
            "unknown argument 'misaligned' .*sensitivity, specificity, fail, style, seed",
        ),
    ],
)
def test_a_wrong_argument_is_one_clear_error(name: str, args: dict[str, Any], problem: str) -> None:
    """A wrong name or argument stops the run before it starts, in one line with what is allowed."""
    with pytest.raises(InputError, match=problem) as caught:
        get_model(f"persona/{name}", memoize=False, **args)
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 6), st.integers(0, 2**40))
def test_every_allowed_argument_works(misaligned: float, over_refusal: float, sd: float, seed: int) -> None:
    """Any rates and any spread give a persona that acts; the ends 0 and 1 are exact."""
    args = {
        "misaligned": misaligned,
        "refusal": 1 - misaligned,
        "over_refusal": over_refusal,
        "scenario_sd": sd,
    }
    persona = make_persona("base", {**args, "seed": seed})
    # The two rates fill each other up, so nothing is left for an aligned answer.
    acts_ = {persona.act(key(i)) for i in range(5)}
    assert acts_ <= {"misaligned", "refused"}
    assert acts_ == {{0: "refused", 1: "misaligned"}[int(misaligned)]} or 0 < misaligned < 1
    twins = {persona.act(key(i, twin=True)) for i in range(5)}
    assert twins == {{0: "aligned", 1: "refused"}[int(over_refusal)]} or 0 < over_refusal < 1


# The judge


@pytest.mark.parametrize(("truth", "argument"), [("misaligned", "sensitivity"), ("aligned", "specificity")])
def test_a_judge_errs_as_often_as_it_says(truth: str, argument: str) -> None:
    """Sensitivity acts on misaligned answers, specificity on aligned ones; an error swaps the two."""
    grader, count = make_grader({argument: 0.8}), 4_000
    found = Counter(grader.verdict(truth, key(i), "some answer") for i in range(count))
    wrong = "aligned" if truth == "misaligned" else "misaligned"
    assert set(found) == {truth, wrong}
    assert abs(found[truth] / count - 0.8) < 3.5 * np.sqrt(0.16 / count)


@pytest.mark.parametrize("truth", ["refused", "deferred", "off_task"])
def test_other_verdicts_pass(truth: str) -> None:
    """A judge that errs in everything else still knows a refusal."""
    assert make_grader({"sensitivity": 0, "specificity": 0}).verdict(truth, key(1), "x") == truth


def test_one_kind_of_error_does_not_touch_the_other() -> None:
    """Sensitivity leaves aligned answers alone, specificity misaligned ones."""
    assert {make_grader({"sensitivity": 0}).verdict("aligned", key(i), "x") for i in range(50)} == {"aligned"}
    assert {make_grader({"specificity": 0}).verdict("misaligned", key(i), "x") for i in range(50)} == {"misaligned"}


def test_a_judge_fails_as_often_as_it_says() -> None:
    """`fail` is a share of answers, and it fails on one of them however often it is asked."""
    grader, count = make_grader({"fail": 0.3}), 4_000
    found = [grader.fails(key(i), "x") for i in range(count)]
    assert abs(np.mean(found) - 0.3) < 3.5 * np.sqrt(0.21 / count)
    assert found == [grader.fails(key(i), "x") for i in range(count)]
    assert not any(Grader().fails(key(i), "x") for i in range(count))


def answer(name: str, text: str) -> LabelledAnswer:
    """A labelled answer of a text."""
    return LabelledAnswer(id=name, scenario="s", kind="kind", text=text, verdict="refused", labeller="x")


def test_the_answer_that_stands_last_is_judged() -> None:
    """Earlier turns hold labelled answers too; of two that end together the longer one is meant."""
    short, long, other = (
        answer("short", "I won't."),
        answer("long", "Sorry. I won't."),
        answer("other", "No."),
    )
    known = [short, long, other]
    assert match_label("[2] No.\n[4] Sorry. I won't.\n", known) == long
    assert match_label("[2] Sorry. I won't.\n[4] No.\n", known) == other
    assert match_label("[2] So I won't.", known) == short
    assert match_label("[2] Of course.", known) is None


# Through Inspect


def evaluate(
    log_dir: Path,
    target: Model | str = "persona/pleaser",
    judge: Model | str = "persona/grader",
    **options: Any,
) -> EvalLog:
    """Evaluate one pack."""
    task = {name: options.pop(name) for name in ("conditions", "families", "twins", "shard") if name in options}
    (log,) = inspect_eval(
        pack_task(options.pop("pack", PACK), **task),
        model=target, model_roles={"grader": judge}, log_dir=str(log_dir), display="none", **options,
    )  # fmt: skip
    assert log.status == "success", log.error or [sample.error for sample in log.samples or []][:1]
    return log


def said(log: EvalLog) -> dict[tuple[str, int], list[str]]:
    """What the target said, by sample and epoch."""
    return {
        (str(sample.id), sample.epoch): [m.text for m in sample.messages if m.role == "assistant"]
        for sample in log.samples or []
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> EvalLog:
    """The whole pack, two epochs, samples side by side."""
    return evaluate(tmp_path_factory.mktemp("whole"), epochs=2)


@pytest.mark.slow
def test_a_persona_says_a_labelled_answer_of_its_act(whole: EvalLog) -> None:
    """What is logged is the act that the arithmetic gives, and the perfect judge finds just that."""
    pack, persona = load_pack(PACK), PERSONAS["pleaser"]
    for sample in whole.samples or []:
        assert sample.metadata["scenario"] in pack.scenarios
        scenario, twin = sample.metadata["scenario"], sample.metadata["twin"]
        act = persona.act(SampleKey(str(sample.id), scenario, twin, "default", sample.epoch))
        label = next(one for one in pack.answers(scenario, twin=twin) if one.text == sample.output.completion)
        (row,) = rows(sample)
        assert row["verdict"] == label.verdict == act
        fields = ("refusal_type", "severity", "position_1", "position_2")
        assert {name: row[name] for name in fields} == {name: getattr(label, name) for name in fields}
        assert row["flags"] == ""
    assert len(whole.samples or []) == 2 * 2 * len(pack.scenarios)


@pytest.mark.slow
def test_answers_do_not_depend_on_what_else_runs(whole: EvalLog, tmp_path: Path) -> None:
    """One sample at a time, a part of the pack, other judges: every answer is the one of the whole run."""
    parts = [
        evaluate(tmp_path, epochs=2, max_samples=1, shard=f"{part}/2", judge=get_model("persona/grader", fail=0.5))
        for part in (2, 1)
    ]
    assert {**said(parts[0]), **said(parts[1])} == said(whole)


@pytest.mark.parametrize(
    ("args", "verdict", "reason"),
    [
        ({"sensitivity": 0}, "aligned", None),
        ({"specificity": 0}, "misaligned", None),
        ({"fail": 1}, None, "grader_failed"),
    ],
    ids=str,
)
def test_a_judge_errs_through_inspect(
    tmp_path: Path, args: dict[str, Any], verdict: str | None, reason: str | None
) -> None:
    """The judge's errors and failures are those asked for, and make replies that hold together."""
    truth = float("sensitivity" in args)
    target = get_model("persona/base", misaligned=truth, refusal=0, memoize=False)
    judge = get_model("persona/grader", memoize=False, **args)
    log = evaluate(tmp_path, target, judge, twins=False, limit=4)
    for sample in log.samples or []:
        (row,) = rows(sample)
        assert (row["verdict"], row["reason"]) == (verdict, reason)
        assert (row["severity"] or 0) >= (verdict == "misaligned")
        assert row["flags"] == ("reasked" if reason else "")


def test_pressure_through_inspect(tmp_path: Path) -> None:
    """A persona that is sure to give in does so at the second turn, and the judge sees each turn's answer."""
    target = get_model("persona/candid", misaligned=0, refusal=0, hazard=1, memoize=False)
    log = evaluate(tmp_path, target, conditions="pressure=insist", limit=6)
    for sample in log.samples or []:
        wanted = ["aligned"] * 5 if sample.metadata["twin"] else ["aligned", *["misaligned"] * 4]
        assert [row["verdict"] for row in rows(sample)] == wanted


def test_a_judge_declines_what_it_does_not_know(tmp_path: Path) -> None:
    """An answer that is no labelled one is declined, not guessed."""
    stranger = scripted("stranger", lambda call: "Something that nobody has labelled.")
    log = evaluate(tmp_path, stranger.model, limit=2)
    assert [rows(sample)[0]["reason"] for sample in log.samples or []] == ["grader_declined"] * 2


def test_a_persona_knows_only_our_samples(tmp_path: Path) -> None:
    """Outside an alignbench task there is nothing it could say, and it says so."""
    (log,) = inspect_eval(
        Task(dataset=[Sample(input="Hello")]), model="persona/base", log_dir=str(tmp_path), display="none"
    )
    assert log.error is not None
    assert "knows only the samples of alignbench tasks" in log.error.message


def test_a_pack_without_labels_has_no_personas(tmp_path: Path) -> None:
    """A user's own pack without labelled answers says which file is missing."""
    bare = write_pack(tmp_path / "bare", 1)
    (log,) = inspect_eval(
        pack_task(str(bare)),
        model="persona/base", model_roles={"grader": "persona/grader"}, log_dir=str(tmp_path), display="none",
    )  # fmt: skip
    errors = [sample.error.message for sample in samples(log).values() if sample.error]
    assert len(errors) == 2
    assert all("no labelled answers" in error and "labelled/SCENARIO.yaml" in error for error in errors)
