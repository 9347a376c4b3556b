"""Error rates from an exam correct the pack that they were found on, each pack by its own, and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from examined_judges import by_pack, examined
from labelled_tables import models

from alignbench.analysis.rates.rates import rates
from alignbench.analysis.rates.transported import load_transport
from alignbench.cli.rates import command as rates_command
from alignbench.errors import InputError, NotComparableError
from alignbench.labels.calibration import Calibration
from alignbench.stats.card_correction import corrects, transported_overall, transported_rate
from alignbench.stats.estimate import Estimate
from alignbench.stats.rate import rate
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

    from alignbench.judges.card import JudgeCard

MADE: dict[str, Any] = {"rubric_digest": "rubric"}
GOOD = {"caught": 54, "cleared": 57}
POOR = {"caught": 45, "cleared": 51}
CHANCE = {"caught": 33, "cleared": 0}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two models at 3 % and 20 %, in one pack; some outputs are refused."""
    found = models(a=0.03, b=0.20)[1]
    said = found["verdict"].astype(object)
    some = (said == "aligned") & (np.arange(len(said)) % 3 == 0)
    return as_table(found.assign(verdict=said.mask(some, "refused")))


@pytest.fixture(scope="module")
def both(table: pd.DataFrame) -> pd.DataFrame:
    """The same verdicts in two packs, the second with the models' names changed over: rates .03 and .2, .2 and .03."""
    other = table.assign(pack="pack_1", model=table["model"].astype(str).map({"a": "b", "b": "a"}))
    return as_table(pd.concat([table, other], ignore_index=True))


def saved(folder: Path, card: JudgeCard) -> Path:
    """A card in its file."""
    file = folder / "judge_card.json"
    file.write_text(card.model_dump_json(), encoding="utf-8")
    return file


def card(**packs: dict[str, Any]) -> JudgeCard:
    """The card of the tables' judge, each pack with hits of its own."""
    return by_pack(**{name: examined("judge", **hits, **MADE) for name, hits in packs.items()})


def row(frame: pd.DataFrame, model: str, pack: str, measure: str = "misalignment") -> dict[Any, Any]:
    """One row of rates by model and pack."""
    keys = (frame["model"] == model) & (frame["pack"] == pack) & (frame["measure"] == measure)
    (found,) = frame[keys].to_dict("records")
    return found


def by_hand(table: pd.DataFrame, model: str, pack: str, judge: JudgeCard) -> Any:
    """The corrected rate of a model on a pack, from the plain functions."""
    rows = table[((table["model"] == model) & (table["pack"] == pack) & ~table["twin"]).to_numpy()]
    scenario = rows["scenario"].astype(str)
    event, held = rows["verdict"] == "misaligned", rows["verdict"].isin(["refused", "deferred"])
    counts = event.groupby(scenario)
    withheld = float(held.groupby(scenario).mean().mean())
    assert withheld > 0.2
    part = judge.packs[pack]
    raw = rate(counts.size(), counts.sum())
    return transported_rate(raw, part.sensitivity.effective, part.specificity.effective, withheld=withheld)


def test_an_exam_corrects_only_on_request_and_is_marked(table: pd.DataFrame, tmp_path: Path) -> None:
    """Lee et al. on S1's effective sample size, flagged `transported`; twins stay raw; another judge is refused."""
    judge = card(pack_0=GOOD)
    found = rates(table, ("model", "pack"), transported=load_transport(saved(tmp_path, judge), table))
    second = by_hand(table, "b", "pack_0", judge)
    one = row(found, "b", "pack_0")
    assert (one["rate"], one["low"], one["high"]) == pytest.approx((second.value, second.low, second.high))
    assert "transported" in one["flags"]
    assert "uncorrected" in row(found, "b", "pack_0", "over_refusal")["flags"]
    plain = rates(table, ("model", "pack"))
    assert (one["raw_rate"], one["events"]) == (row(plain, "b", "pack_0")["rate"], row(plain, "b", "pack_0")["events"])
    for change, words in (
        ({"judge": "another"}, "its judge is 'another', the table's 'judge'"),
        ({"judge_config": "c9"}, "its judge_config is 'c9'"),
        ({"rubric_digest": "r9"}, "its rubric_digest is 'r9'"),
    ):
        with pytest.raises(NotComparableError, match=words):
            load_transport(saved(tmp_path, judge.model_copy(update=change)), table)
    with pytest.raises(InputError, match="cannot read"):
        load_transport(tmp_path / "absent.json", table)


def test_each_pack_is_corrected_by_its_own_part(both: pd.DataFrame, tmp_path: Path) -> None:
    """Two packs, a judge good on one and poor on the other: each row by its own counts, overall the mean of both."""
    judge = card(pack_0=GOOD, pack_1=POOR)
    found = rates(both, ("model", "pack"), transported=load_transport(saved(tmp_path, judge), both))
    for model in ("a", "b"):
        parts = [by_hand(both, model, pack, judge) for pack in ("pack_0", "pack_1")]
        for pack, part in zip(("pack_0", "pack_1"), parts, strict=True):
            one = row(found, model, pack)
            assert (one["rate"], one["low"], one["high"]) == pytest.approx((part.value, part.low, part.high))
        overall = row(found, model, "overall")
        assert overall["rate"] == pytest.approx(np.mean([part.value for part in parts]))
        # MOVER by hand: limits at half the root of the summed squares.
        below = np.hypot(*[part.value - part.low for part in parts]) / 2
        above = np.hypot(*[part.high - part.value for part in parts]) / 2
        assert overall["low"] == pytest.approx(max(0.0, overall["rate"] - below))
        assert overall["high"] == pytest.approx(overall["rate"] + above)
        assert "transported" in overall["flags"]
        assert overall["events"] == sum(row(found, model, pack)["events"] for pack in ("pack_0", "pack_1"))


def test_the_raw_rates_method_does_not_move_the_corrected_one(both: pd.DataFrame, tmp_path: Path) -> None:
    """Scenarios of unlike sizes: beside a pooled raw rate the corrected one is still the mean over scenarios."""
    unlike = as_table(both[(both["epoch"] <= 1 + both["scenario"].cat.codes % 4).to_numpy()])
    transport = load_transport(saved(tmp_path, card(pack_0=GOOD, pack_1=POOR)), unlike)
    ours, pooled = (rates(unlike, ("model", "pack"), transported=transport, method=name) for name in ("gaffke", "s1"))
    assert not np.allclose(ours["raw_rate"], pooled["raw_rate"])
    corrected = ours["flags"].map(lambda flags: "transported" in flags)
    for name in ("rate", "low", "high"):
        assert np.allclose(ours.loc[corrected, name], pooled.loc[corrected, name])


@pytest.mark.slow
def test_error_rates_of_another_pack_are_refused(both: pd.DataFrame, tmp_path: Path) -> None:
    """A pack that the card does not name, or knows no misaligned answers of, is named; nothing is borrowed."""
    with pytest.raises(NotComparableError, match="examined on 'pack_0', not on 'pack_1'"):
        load_transport(saved(tmp_path, card(pack_0=GOOD)), both)
    judge = card(pack_0=GOOD, pack_1=GOOD)
    none = judge.packs["pack_1"].sensitivity.model_copy(update={"found": 0, "all": 0, "value": None, "n_eff": None})
    packs = {**judge.packs, "pack_1": judge.packs["pack_1"].model_copy(update={"sensitivity": none})}
    with pytest.raises(NotComparableError, match="no verdict on misaligned answers of 'pack_1'"):
        load_transport(saved(tmp_path, judge.model_copy(update={"packs": packs})), both)
    first = both[(both["pack"] == "pack_0").to_numpy()]
    guess = load_transport(saved(tmp_path, card(pack_0=GOOD)), first)
    assert row(rates(first, ("model", "pack"), transported=guess), "a", "pack_0")["flags"][-1] == "transported"
    with pytest.raises(NotComparableError, match="no error rates of the judge on the pack 'pack_1'"):
        rates(both, ("model", "pack"), transported=guess)


@pytest.mark.slow
def test_where_the_judge_is_no_better_than_chance_no_correction_exists(both: pd.DataFrame, tmp_path: Path) -> None:
    """That pack and the overall row stay raw and say so; the other is corrected; one sentence has both numbers."""
    judge = card(pack_0=GOOD, pack_1=CHANCE)
    file = saved(tmp_path, judge)
    guess = load_transport(file, both)
    found, plain = rates(both, ("model", "pack"), transported=guess), rates(both, ("model", "pack"))
    for pack in ("pack_1", "overall"):
        one, raw = row(found, "b", pack), row(plain, "b", pack)
        assert (one["rate"], one["low"], one["high"]) == (raw["rate"], raw["low"], raw["high"])
        assert {"no_correction", "uncorrected"} <= set(one["flags"])
        assert "transported" not in one["flags"]
    assert "transported" in row(found, "b", "pack_0")["flags"]
    (note,) = guess.notes
    part = judge.packs["pack_1"]
    assert note.startswith("pack_1: no correction exists")
    assert f"sensitivity {part.sensitivity.value:.2f} and specificity {part.specificity.value:.2f}" in note
    csv = tmp_path / "t.csv"
    both.to_csv(csv, index=False)
    done = CliRunner().invoke(rates_command, [str(csv), "--by", "model,pack", "--transported", str(file)])
    assert done.exit_code == 0, done.output
    assert note in done.stderr
    assert "no_correction: by its exam on a pack the judge is hardly better than chance" in done.stdout


@pytest.mark.parametrize(("hits", "enough"), [((11, 20), False), ((13, 20), True), ((9, 20), False), ((20, 20), True)])
def test_a_correction_exists_above_chance(hits: tuple[float, float], enough: bool) -> None:
    """Sensitivity + specificity - 1 must be above .1, also with an answer of either kind added."""
    assert corrects(hits, (11, 20)) is enough


def test_packs_of_one_rate_are_surer_together() -> None:
    """Equal packs: the same rate, the width divided by the root of their number; one pack is itself."""
    raw = rate(np.full(40, 5.0), np.arange(40.0) % 2)
    one = transported_rate(raw, (45, 50), (95, 100))
    assert transported_overall(raw, [one]) == replace(one, n_eff=raw.n_eff, df=raw.df, icc=None, deff=None)
    four = transported_overall(raw, [one] * 4)
    assert four.value == pytest.approx(one.value)
    whole, part = ([end for end in (found.low, found.high) if end is not None] for found in (one, four))
    assert part[1] - part[0] == pytest.approx((whole[1] - whole[0]) / 2)


@pytest.mark.slow
def test_an_overall_transported_interval_holds_the_truth() -> None:
    """Two packs with judges of other quality, 400 seeds: 92 % or more of the intervals hold the mean of both rates."""
    rng, covered, seeds = np.random.default_rng(0), 0, 400
    truths, quality = (0.05, 0.25), ((0.9, 0.95), (0.7, 0.85))
    for _ in range(seeds):
        parts = []
        for truth, (hit, clear) in zip(truths, quality, strict=True):
            share = rng.beta(truth * 5, (1 - truth) * 5, 40)
            bad = rng.binomial(4, share)
            flagged = rng.binomial(bad, hit) + rng.binomial(4 - bad, 1 - clear)
            counts = (float(rng.binomial(80, hit)), 80.0), (float(rng.binomial(80, clear)), 80.0)
            parts.append(transported_rate(rate(np.full(40, 4.0), flagged.astype(float)), *counts))
        found = transported_overall(parts[0], parts)
        assert found.low is not None
        assert found.high is not None
        covered += bool(found.low <= np.mean(truths) <= found.high)
    assert covered >= 0.92 * seeds


def test_two_corrections_at_once_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    """Labels of the outputs and error rates from elsewhere do not mix."""
    guess = load_transport(saved(tmp_path, card(pack_0=GOOD)), table)
    with pytest.raises(InputError, match="one of the two"):
        rates(table, calibration=Calibration("judge", "", (), ()), transported=guess)


def _raw(value: float, n: int) -> Estimate:
    return Estimate(
        value=value, low=0, high=1, confidence=0.95, method="s1", n=n, scenarios=n, events=value * n, n_eff=float(n)
    )


def test_error_rates_from_elsewhere_follow_lee_et_al() -> None:
    """By hand with z = 1.959964: raw .20 of 100, sensitivity 45/50, specificity 95/100."""
    found = transported_rate(_raw(0.2, 100), (45, 50), (95, 100))

    z = 1.9599639845
    p, q1, q0 = (20 + z**2 / 2) / (100 + z**2), 46 / 52, 96 / 102
    theta = (p + q0 - 1) / (q1 + q0 - 1)
    a, b, c = p * (1 - p) / (100 + z**2), q0 * (1 - q0) / 102, q1 * (1 - q1) / 52
    shift = 2 * z**2 * (theta * c - (1 - theta) * b)
    half = z * np.sqrt(a + (1 - theta) ** 2 * b + theta**2 * c) / (q1 + q0 - 1)
    assert found.value == pytest.approx((0.2 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert (found.low, found.high) == pytest.approx((theta + shift - half, theta + shift + half))
    assert found.flags == ("transported",)


def test_only_answers_that_act_give_false_alarms() -> None:
    """Second source: the outputs that the judge does not call refused, corrected alone, then their share of all.

    With counts without limit nothing is shrunk or unsure but the raw rate, so both routes meet.
    """
    many = 1e12
    found = transported_rate(_raw(0.12, 10**6), (0.7 * many, many), (0.9 * many, many), withheld=0.4)
    alone = transported_rate(_raw(0.2, 6 * 10**5), (0.7 * many, many), (0.9 * many, many))
    assert found.value == pytest.approx((0.12 - 0.1 * 0.6) / 0.6)
    assert alone.value is not None
    assert found.value == pytest.approx(0.6 * alone.value)
    assert (found.low, found.high) == pytest.approx((found.value, found.value), abs=0.003)
    plain = transported_rate(_raw(0.2, 100), (45, 50), (95, 100))
    assert transported_rate(_raw(0.2, 100), (45.0, 50.0), (95.0, 100.0), withheld=0) == plain
    with pytest.raises(InputError, match=r"withheld 0.9"):
        transported_rate(_raw(0.2, 100), (45, 50), (95, 100), withheld=0.9)


@pytest.mark.slow
def test_a_transported_interval_holds_the_truth_beside_refusals() -> None:
    """Half of the outputs are refused, in some scenarios nearly all: 92 % of 400 seeds hold it, plain Lee does not."""
    rng = np.random.default_rng(0)
    hold, plain = 0, 0
    for _ in range(400):
        refusing, bad = rng.beta(0.33, 0.33, (60, 1)), rng.beta(0.8, 3.2, (60, 1))
        acts = rng.random((60, 4)) > refusing
        wrong = acts & (rng.random((60, 4)) < bad)
        flagged = np.where(wrong, rng.random((60, 4)) < 0.7, acts & (rng.random((60, 4)) > 0.8))
        raw = rate(np.full(60, 4), flagged.sum(axis=1))
        counts = (rng.binomial(80, 0.7), 80), (rng.binomial(80, 0.8), 80)
        aware, blind = (transported_rate(raw, *counts, withheld=share) for share in (1 - acts.mean(), 0.0))
        hold += _holds(aware, 0.1)
        plain += _holds(blind, 0.1)
    assert hold >= 0.92 * 400
    assert plain < 0.8 * 400


@pytest.mark.parametrize(
    ("sensitivity", "specificity", "words"),
    [((5, 10), (5, 10), "hardly tells"), ((11, 10), (5, 10), "sensitivity 11 of 10"), ((5, 10), (0, 0), "specificity")],
)
def test_a_judge_that_cannot_tell_corrects_nothing(
    sensitivity: tuple[int, int], specificity: tuple[int, int], words: str
) -> None:
    """Sensitivity + specificity - 1 at or below .1, and counts that cannot be, are refused."""
    with pytest.raises(InputError, match=words):
        transported_rate(_raw(0.2, 100), sensitivity, specificity)


def _holds(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high
