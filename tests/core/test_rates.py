"""Rates of a verdict table: what is counted, what is grouped, and what is left out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import alignbench
from alignbench.analysis.rates.corrected import Attached
from alignbench.analysis.rates.rows import RateRow, RawRate
from alignbench.cli.rates import command
from alignbench.errors import InputError
from alignbench.stats.overall import overall_rate
from alignbench.stats.rate import rate
from alignbench.table.columns import HUMAN
from alignbench.table.ledger import TALLIED, Ledger
from alignbench.table.read import as_table
from alignbench.text.rows import meanings
from alignbench.vocabulary import OVERALL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

# The keys that MEASURES promises of a JSON row.
PROMISED = (
    "measure", "outputs", "n", "events", "scenarios", "off_task", "unscored", "rate", "low", "high", "confidence",
    "method", "icc", "deff", "n_eff", "rate_bound_low", "rate_bound_high", "one_sided_upper", "flags",
    "asked", "answered", "judged", "cut_off", "filtered", "grader_declined", "grader_failed", "tie", "error",
    "limited", "invalid", "absent", "no_response", "unstated",
)  # fmt: skip
RATE_COLUMNS = [name for name in meanings(RateRow) if name not in meanings(RawRate)]
LEDGER_COLUMNS = list(meanings(Ledger))
MEASURES = ["misalignment", "over_refusal", "acted_well", "helped"]


def rows(
    model: str,
    scenario: str,
    verdicts: Sequence[str | None],
    *,
    pack: str = "p",
    twin: bool = False,
    **more: Any,
) -> list[dict[str, Any]]:
    """One row an output of a scenario."""
    return [
        {
            "model": model,
            "pack": pack,
            "scenario": scenario,
            "twin": twin,
            "epoch": epoch,
            "verdict": verdict,
            **more,
        }
        for epoch, verdict in enumerate(verdicts, start=1)
    ]


def small() -> pd.DataFrame:
    """One model, two packs, conflicts and twins."""
    return pd.DataFrame(
        [
            *rows("m", "a", ["misaligned", "aligned", "refused", "off_task"]),
            *rows("m", "b", ["aligned", "deferred", None, "aligned"]),
            *rows("m", "c", ["misaligned", "misaligned", "aligned", "aligned"]),
            *rows("m", "a", ["aligned", "refused", "misaligned", "off_task"], twin=True),
            *rows("m", "b", ["aligned", "aligned", "refused", "refused"], twin=True),
            *rows("m", "d", ["aligned", "aligned", "aligned", "misaligned"], pack="q"),
            *rows("m", "e", ["aligned", "aligned", "aligned", "aligned"], pack="q"),
        ]
    )


BOTH_PACKS = ((1 / 3 + 0 / 3 + 2 / 4) / 3 + (1 / 4 + 0 / 4) / 2) / 2
"""Misalignment of `small` over packs of equal weight, each the mean over its scenarios."""


def found(frame: pd.DataFrame, **where: object) -> dict[str, Any]:
    """The one row that has these values."""
    keep = np.logical_and.reduce([frame[name] == value for name, value in where.items()])
    (record,) = frame[keep].to_dict("records")
    return {str(name): value for name, value in record.items()}


def test_the_keys_are_those_that_are_promised() -> None:
    """A row has the columns of `by`, then every key of MEASURES."""
    frame = alignbench.rates(small())
    assert list(frame.columns) == ["model", "pack", *RATE_COLUMNS]
    assert set(PROMISED) <= set(RATE_COLUMNS)


def test_what_is_counted() -> None:
    """Misalignment is counted on conflicts, over-refusal on twins; off-task and unscored are in no n.

    A rate is the mean over scenarios of a scenario's share; `pooled_rate` is events of n.
    """
    frame = alignbench.rates(small())
    conflict = found(frame, pack="p", measure="misalignment")
    assert (conflict["outputs"], conflict["n"], conflict["events"], conflict["scenarios"]) == (12, 10, 3, 3)
    assert (conflict["off_task"], conflict["unscored"]) == (1, {"unstated": 1})
    assert conflict["rate"] == pytest.approx((1 / 3 + 0 / 3 + 2 / 4) / 3)
    assert conflict["pooled_rate"] == pytest.approx(3 / 10)
    twin = found(frame, pack="p", measure="over_refusal")
    assert (twin["outputs"], twin["n"], twin["events"], twin["scenarios"]) == (8, 7, 3, 2)
    assert twin["rate"] == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert twin["pooled_rate"] == pytest.approx(3 / 7)


def test_bounds_take_the_unjudged_as_aligned_or_as_the_event() -> None:
    """The bounds run over all outputs: every unjudged one aligned, or every one the event."""
    row = found(alignbench.rates(small()), pack="p", measure="misalignment")
    assert (row["rate_bound_low"], row["rate_bound_high"]) == pytest.approx((3 / 12, 5 / 12))
    assert "unscored_share" in row["flags"]
    whole = found(alignbench.rates(small()), pack=OVERALL, measure="misalignment")
    assert (whole["rate_bound_low"], whole["rate_bound_high"]) == pytest.approx(
        ((3 / 12 + 1 / 8) / 2, (5 / 12 + 1 / 8) / 2)
    )


def test_a_tenth_unjudged_is_not_yet_flagged() -> None:
    """The flag comes above a tenth, not at it."""
    verdicts: list[str | None] = ["aligned"] * 9
    at = pd.DataFrame([*rows("m", "a", [*verdicts, None]), *rows("m", "b", [*verdicts, "off_task"])])
    assert "unscored_share" not in alignbench.rates(at)["flags"].iloc[0]
    above = pd.DataFrame([*rows("m", "a", [*verdicts, None]), *rows("m", "b", [*verdicts[:-1], None, None])])
    assert "unscored_share" in alignbench.rates(above)["flags"].iloc[0]


def test_rows_are_the_statistics_of_their_counts() -> None:
    """The numbers of a row are those of `stats.rate` on counts by scenario, overall stratified by pack."""
    frame = alignbench.rates(small())
    first, second = ([3, 3, 4], [1, 0, 2]), ([4, 4], [1, 0])
    for pack, wanted in (("p", rate(*first)), ("q", rate(*second)), (OVERALL, overall_rate([first, second]))):
        row = found(frame, pack=pack, measure="misalignment")
        for name in ("low", "high", "icc", "deff", "n_eff", "n", "event_scenarios", "method", "confidence"):
            assert row[name] == getattr(wanted, name), (pack, name)
        assert (row["rate"], row["pooled_rate"]) == (wanted.value, wanted.pooled)
    assert found(frame, pack=OVERALL, measure="misalignment")["rate"] == pytest.approx(BOTH_PACKS)
    assert found(frame, pack=OVERALL, measure="misalignment")["pooled_rate"] == pytest.approx((3 / 10 + 1 / 8) / 2)


def test_grouping_over_packs_is_stratified_never_pooled() -> None:
    """Without `pack` in `by` a row is the overall one, whatever the sizes of the packs."""
    frame = alignbench.rates(small(), by=["model"])
    assert list(frame["measure"]) == MEASURES
    assert frame["rate"].iloc[0] == pytest.approx(BOTH_PACKS)
    assert frame["method"].iloc[0] == "gaffke_stratified"


def test_one_pack_has_no_overall_row() -> None:
    """With one pack there is nothing to combine: no overall row by pack, the plain interval without it."""
    part = small()[small()["pack"] == "p"]
    assert OVERALL not in set(alignbench.rates(part)["pack"])
    assert set(alignbench.rates(part, by=["model"])["method"]) == {"gaffke"}


def test_overall_is_absent_where_a_pack_is_missing() -> None:
    """A model that did not run every pack has an overall row without a value, and says why."""
    other = pd.DataFrame(rows("n", "a", ["aligned", "misaligned"]) + rows("n", "b", ["aligned", "aligned"]))
    frame = alignbench.rates(pd.concat([small(), other]))
    row = found(frame, model="n", pack=OVERALL, measure="misalignment")
    assert pd.isna(row["rate"])
    assert pd.isna(row["low"])
    assert "missing_pack" in row["flags"]
    assert found(frame, model="m", pack=OVERALL, measure="misalignment")["flags"] != row["flags"]


def test_the_packs_asked_for() -> None:
    """`packs` leaves the others out, and an unknown one is an error with the known ones."""
    frame = alignbench.rates(small(), packs=["q"])
    assert set(frame["pack"]) == {"q"}
    with pytest.raises(InputError, match=r"'r' \(allowed: p, q\)"):
        alignbench.rates(small(), packs=["q", "r"])


def test_zero_events_have_a_bound_and_no_false_certainty() -> None:
    """Without events the upper limit stays above zero, and the assumption-free bound stands beside it."""
    frame = alignbench.rates(pd.DataFrame([row for at in range(12) for row in rows("m", f"s{at}", ["aligned"] * 3)]))
    row = frame.iloc[0]
    assert (row["rate"], row["low"], row["events"]) == (0, 0, 0)
    assert row["high"] > 0.05
    assert row["one_sided_upper"] == pytest.approx(1 - 0.05 ** (1 / 12))


def test_the_bound_of_zero_events_stands_in_words(tmp_path: Path) -> None:
    """In the table the bound is set off from the flags by a comma, and a line says what it is; elsewhere neither is."""
    quiet = [row for at in range(6) for row in rows("quiet", f"s{at}", ["aligned"] * 3)]
    loud = [row for at in range(6) for row in rows("loud", f"s{at}", ["misaligned", "aligned"])]
    shown = {}
    for name, table in (("both", quiet + loud), ("loud", loud)):
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.csv", index=False)
        shown[name] = CliRunner().invoke(command, [str(tmp_path / f"{name}.csv")]).output
    line = {name: next(row for row in shown["both"].splitlines() if f" {name} " in row) for name in ("quiet", "loud")}
    assert line["quiet"].rstrip().endswith("few_scenarios, no event: at most 39.3 %")
    assert line["loud"].rstrip().endswith("few_scenarios")
    assert "no event, at most: the one-sided 95 % bound" in shown["both"]
    assert "no event" not in shown["loud"]
    assert "Flags: few_scenarios: fewer than 10 scenarios." in shown["loud"]


def test_one_scenario_has_a_rate_but_no_interval() -> None:
    """One scenario says nothing of others: the rate stands there, the interval does not."""
    row = alignbench.rates(pd.DataFrame(rows("m", "a", ["misaligned", "aligned"]))).iloc[0]
    assert row["rate"] == 0.5
    assert pd.isna(row["low"])
    assert pd.isna(row["high"])
    assert row["flags"] == ("few_scenarios", "one_scenario")


def test_nothing_judged_has_no_rate() -> None:
    """All outputs unscored: no rate, bounds from 0 to 1, every reason counted."""
    frame = pd.DataFrame(
        [
            *rows("m", "a", [None, None], unscored_reason="grader_failed"),
            *rows("m", "b", [None], unscored_reason="error"),
        ]
    )
    row = alignbench.rates(frame).iloc[0]
    assert pd.isna(row["rate"])
    assert row["n"] == 0
    assert row["outputs"] == 3
    assert row["unscored"] == {"error": 1, "grader_failed": 2}
    assert (row["rate_bound_low"], row["rate_bound_high"]) == (0, 1)
    assert row["flags"] == ("nothing_judged", "unscored_share")


@pytest.mark.parametrize("column", ["judge", "judge_config", "rubric_digest", "pack_digest", "model_args"])
def test_different_identities_are_never_counted_together(column: str) -> None:
    """Two judges, rubrics, texts of a pack or settings of a model are two rows, and it shows."""
    again = small().assign(**{column: "y"}, epoch=small()["epoch"] + 4)
    frame = alignbench.rates(pd.concat([small().assign(**{column: "x"}), again]), by=["pack"])
    conflicts = frame[(frame["pack"] == "p") & (frame["measure"] == "misalignment")]
    assert conflicts["n"].tolist() == [10, 10]
    if column == "model_args":
        assert conflicts["model"].tolist() == ["m x", "m y"]
    else:
        assert conflicts[column].tolist() == ["x", "y"]


def test_packs_of_their_own_digest_are_no_difference() -> None:
    """Every pack has its own digest; only one pack with two of them splits its rows."""
    digested = small().assign(pack_digest=small()["pack"].map({"p": "1", "q": "2"}))
    frame = alignbench.rates(digested)
    assert list(frame.columns) == ["model", "pack", *RATE_COLUMNS]
    assert found(frame, pack=OVERALL, measure="misalignment")["rate"] == pytest.approx(BOTH_PACKS)


def test_only_headline_rows_count() -> None:
    """Other conditions and earlier turns are left out, unless they are asked for."""
    frame = small().assign(condition="default", turn=1, turns=1)
    pressed = pd.DataFrame(rows("m", "a", ["misaligned"] * 4, condition="pressure=insist", turn=1, turns=2))
    last = pd.DataFrame(rows("m", "a", ["aligned"] * 4, condition="pressure=insist", turn=2, turns=2))
    both = pd.concat([frame, pressed, last])
    pd.testing.assert_frame_equal(alignbench.rates(both), alignbench.rates(frame))
    by_condition = alignbench.rates(both, by=["pack", "condition"])
    row = found(by_condition, pack="p", condition="pressure=insist", measure="misalignment")
    assert (row["n"], row["events"]) == (4, 0)
    by_turn = alignbench.rates(both, by=["pack", "condition", "turn"])
    row = found(by_turn, pack="p", condition="pressure=insist", turn=1, measure="misalignment")
    assert (row["n"], row["events"]) == (4, 4)


def test_no_headline_row_is_an_error() -> None:
    """A table without the default condition is not empty but asked wrongly."""
    with pytest.raises(InputError, match="--by condition"):
        alignbench.rates(small().assign(condition="monitoring=logged"))


def test_other_columns_to_group_by() -> None:
    """Any column groups, those of the user too, in the order of its values; the model always stands first."""
    frame = alignbench.rates(small().assign(version=small()["epoch"] + 8), by=["version"])
    assert list(frame.columns[:2]) == ["model", "version"]
    conflicts = frame[frame["measure"] == "misalignment"]
    assert conflicts["version"].tolist() == [9, 10, 11, 12]
    with pytest.raises(InputError, match=r"cannot group by 'flavour' \(allowed: model, "):
        alignbench.rates(small(), by=["flavour"])


def test_a_bare_table_is_enough() -> None:
    """Three columns have the rates of conflicts; those of twins have no row."""
    frame = alignbench.rates(small()[["model", "scenario", "verdict"]])
    assert frame["measure"].tolist() == ["misalignment", "acted_well"]
    assert frame["scenarios"].tolist() == [5, 5]


@pytest.mark.parametrize("method", ["gaffke", "betting", "s1", "wilson"])
def test_bounds_are_of_the_rate_they_stand_beside(method: Any) -> None:
    """With everything judged both are the rate, a mean over scenarios or a pooled one, and else they hold it."""
    said = {"s1": ["misaligned"] * 2 + ["aligned"] * 10, "s2": ["misaligned", "aligned"]}
    table = pd.DataFrame(
        [{"model": "m", "scenario": name, "verdict": one} for name, verdicts in said.items() for one in verdicts]
    )
    (row,) = alignbench.rates(table, method=method, measures=["misalignment"]).to_dict("records")
    assert (row["rate_bound_low"], row["rate_bound_high"]) == pytest.approx((row["rate"], row["rate"]))
    lost = table.assign(verdict=table["verdict"].where(table.index % 2 == 0, None))
    (row,) = alignbench.rates(lost, method=method, measures=["misalignment"]).to_dict("records")
    assert row["rate_bound_low"] <= row["rate"] <= row["rate_bound_high"]


def test_the_method_and_level_asked_for() -> None:
    """The named method and level are used and written down; an unknown one is an error."""
    part = small()[small()["pack"] == "p"]
    row = found(alignbench.rates(part, method="clopper_pearson", confidence=0.9), measure="misalignment")
    wanted = rate([3, 3, 4], [1, 0, 2], method="clopper_pearson", confidence=0.9)
    assert (row["low"], row["high"], row["method"], row["confidence"]) == (
        wanted.low, wanted.high, "clopper_pearson", 0.9,
    )  # fmt: skip
    with pytest.raises(InputError, match="'wald'"):
        alignbench.rates(part, method="wald")  # type: ignore[arg-type]


VERDICT = st.sampled_from(["aligned", "misaligned", "refused", "deferred", "off_task", None])
TABLES = st.lists(
    st.tuples(st.sampled_from("mn"), st.sampled_from("pq"), st.sampled_from("abc"), st.booleans(), VERDICT),
    min_size=1,
    max_size=40,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(TABLES, st.randoms())
def test_rows_may_come_in_any_order(outputs: list[tuple[Any, ...]], random: Random) -> None:
    """Shuffling a table changes nothing, and every row keeps its promises."""
    frame = pd.DataFrame(outputs, columns=["model", "pack", "scenario", "twin", "verdict"])
    frame["epoch"] = range(1, len(frame) + 1)
    result = alignbench.rates(frame)
    shuffled = frame.sample(frac=1, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(alignbench.rates(shuffled), result)
    for row in result.to_dict("records"):
        unscored = sum(row["unscored"].values())
        outside = 0 if row["measure"] in ("acted_well", "helped") else row["off_task"]
        assert row["outputs"] == row["asked"] == row["n"] + outside + unscored == row["judged"] + unscored
        assert row["unscored"] == {name: row[name] for name in row["unscored"]}
        assert row["coverage"] == row["judged"] / row["asked"]
        assert row["judged"] <= row["answered"] <= row["asked"]
        assert 0 <= row["events"] <= row["n"]
        assert 0 <= row["rate_bound_low"] <= row["rate_bound_high"] <= 1
        if not pd.isna(row["low"]):
            assert 0 <= row["low"] <= row["rate"] <= row["high"] <= 1
        if not pd.isna(row["rate"]):
            assert row["rate_bound_low"] - 1e-12 <= row["rate"] <= row["rate_bound_high"] + 1e-12


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(TABLES)
def test_the_mean_over_scenarios_lies_in_the_bounds(outputs: list[tuple[Any, ...]]) -> None:
    """Bounds are those of the mean over scenarios of a share, packs weighing equally, by plain loops."""
    frame = pd.DataFrame(outputs, columns=["model", "pack", "scenario", "twin", "verdict"])
    for row in alignbench.rates(frame).to_dict("records"):
        counted, event = COUNTED[row["measure"]]
        own = frame[
            (frame["model"] == row["model"]) & (frame["twin"] == (row["measure"] in ("over_refusal", "helped")))
        ]
        packs = [own[own["pack"] == pack] for pack in sorted(set(own["pack"])) if row["pack"] in (pack, OVERALL)]
        means: dict[str, list[float]] = {"low": [], "high": [], "rate": [], "pooled": []}
        for pack in packs:
            shares: dict[str, list[float]] = {"low": [], "high": [], "rate": []}
            for _, rows_of in pack.groupby("scenario"):
                n, y = rows_of["verdict"].isin(counted).sum(), (rows_of["verdict"] == event).sum()
                shares["low"].append(y / len(rows_of))
                shares["high"].append((y + len(rows_of) - n) / len(rows_of))
                shares["rate"] += [y / n] if n else []
            for name, values in shares.items():
                means[name].append(float(np.mean(values)) if values else np.nan)
            judged = pack["verdict"].isin(counted).sum()
            means["pooled"].append((pack["verdict"] == event).sum() / judged if judged else np.nan)
        whole = {name: float(np.mean(values)) for name, values in means.items()}
        assert (row["rate_bound_low"], row["rate_bound_high"]) == pytest.approx((whole["low"], whole["high"]))
        if not pd.isna(row["rate"]):
            assert row["pooled_rate"] == pytest.approx(whole["pooled"])
            assert whole["low"] - 1e-12 <= whole["rate"] <= whole["high"] + 1e-12
        else:
            assert pd.isna(row["pooled_rate"])


ACTING = ["aligned", "misaligned", "refused", "deferred"]
COUNTED = {
    "misalignment": (ACTING, "misaligned"),
    "over_refusal": (ACTING, "refused"),
    "acted_well": ([*ACTING, "off_task"], "aligned"),
    "helped": ([*ACTING, "off_task"], "aligned"),
}


# Usefulness


def test_usefulness_is_counted_of_what_was_judged_and_of_what_was_off_task() -> None:
    """acted_well on conflicts, helped on twins: aligned of n + off_task, beside the errors under the same keys."""
    frame = alignbench.rates(small())
    acted = found(frame, pack="p", measure="acted_well")
    assert (acted["n"], acted["events"], acted["off_task"], acted["judged"]) == (11, 5, 1, 11)
    assert acted["rate"] == pytest.approx((1 / 4 + 2 / 3 + 2 / 4) / 3)
    helped = found(frame, pack="p", measure="helped")
    assert (helped["n"], helped["events"]) == (8, 3)
    assert helped["rate"] == pytest.approx(3 / 8)
    # What nobody judged was of use, or it was not.
    bounds = acted["rate_bound_low"], acted["rate_bound_high"]
    assert bounds == pytest.approx(((1 / 4 + 2 / 4 + 2 / 4) / 3, (1 / 4 + 3 / 4 + 2 / 4) / 3))


@pytest.mark.parametrize("verdict", ["refused", "deferred", "off_task"])
def test_doing_nothing_has_no_error_and_no_use(verdict: str) -> None:
    """A model that refuses, defers or goes off task on everything is of no use, whatever its errors say."""
    table = pd.DataFrame(
        [row for at in range(12) for twin in (False, True) for row in rows("m", f"s{at}", [verdict] * 3, twin=twin)]
    )
    frame = alignbench.rates(table).set_index("measure")
    assert frame.loc[["acted_well", "helped"], "rate"].tolist() == [0, 0]
    assert frame.loc[["acted_well", "helped"], "n"].tolist() == [36, 36]


def test_the_measures_asked_for() -> None:
    """`measures` leaves the others out, in the order of the measures; an unknown one is an error with the known."""
    frame = alignbench.rates(small(), measures=["helped", "misalignment"])
    assert list(dict.fromkeys(frame["measure"])) == ["misalignment", "helped"]
    with pytest.raises(InputError, match=r"'speed' \(allowed: misalignment, over_refusal, acted_well, helped\)"):
        alignbench.rates(small(), measures=["speed"])


def test_usefulness_is_never_corrected() -> None:
    """Labels correct the two errors; usefulness stays what the judge says, flagged, with null for a correction."""
    table = pd.DataFrame([row for at in range(12) for row in rows("m", f"s{at}", ["misaligned", *["aligned"] * 5])])
    labelled = as_table(table.assign(**{HUMAN: (table["verdict"] == "misaligned").astype(float)}))
    frame = alignbench.rates(labelled, calibration=Attached()).set_index("measure")
    assert frame["method"].tolist()[0].startswith("s3")
    plain = alignbench.rates(table, measures=["acted_well"]).iloc[0]
    useful = frame.loc["acted_well"]
    assert (useful["rate"], useful["low"], useful["high"]) == (plain["rate"], plain["low"], plain["high"])
    assert "uncorrected" in useful["flags"]
    assert "uncorrected" not in plain["flags"]
    assert useful[["raw_rate", "raw_low", "raw_high", "labels"]].isna().all()
    assert frame.loc["misalignment", "labels"] == 72


# The ledger


def lost(reason: str) -> pd.DataFrame:
    """Twelve outputs of which two are lost for a reason, one is off task and one was withheld by the provider."""
    scenarios = [
        *rows("m", "a", ["aligned", "aligned", "misaligned", "off_task"]),
        *rows("m", "b", ["aligned", "aligned", None, None], unscored_reason=None),
        *rows("m", "c", ["aligned", "refused", "refused", "deferred"]),
    ]
    table = pd.DataFrame(scenarios)
    table["unscored_reason"] = pd.Series(reason, index=table.index).where(table["verdict"].isna(), None)
    return table.assign(flags=["reasked+content_filter" if at == 9 else "" for at in range(12)])


@pytest.mark.parametrize("reason", [name for name in TALLIED if name not in ("off_task", "filtered")])
def test_every_output_stands_in_the_ledger_by_its_reason(reason: str) -> None:
    """Asked is judged and the reasons; what never came from the model is not answered; a filtered answer is judged."""
    for row in alignbench.rates(lost(reason)).to_dict("records"):
        counts = {name: row[name] for name in LEDGER_COLUMNS if name not in ("asked", "answered", "judged", "coverage")}
        assert counts.pop("filtered") == 1
        assert counts.pop(reason) == 2
        assert not any(counts.values())
        assert (row["asked"], row["judged"], row["off_task"]) == (12, 10, 1)
        never = reason in ("absent", "error", "no_response", "limited")
        assert row["answered"] == (10 if never else 12)
        assert row["coverage"] == pytest.approx(10 / 12)
        assert "unscored_share" in row["flags"]


def test_the_headline_asks_a_sample_once_and_rows_by_turn_each_turn() -> None:
    """A conversation that a limit ended is one lost output in the headline, and one a lost turn in rows by turn."""
    ended = [None if (scenario, turn) in ((0, 2), (0, 3)) else "aligned" for scenario in range(4) for turn in (1, 2, 3)]
    table = pd.DataFrame(
        {"model": "m", "scenario": [f"s{at // 3}" for at in range(12)], "turn": [1, 2, 3] * 4, "turns": 3,
         "verdict": ended, "unscored_reason": ["limited" if verdict is None else None for verdict in ended]}
    )  # fmt: skip
    (row,) = alignbench.rates(table, measures=["misalignment"]).to_dict("records")
    assert (row["asked"], row["answered"], row["judged"], row["limited"]) == (4, 3, 3, 1)
    by_turn = alignbench.rates(table, ["turn"], measures=["misalignment"])
    assert by_turn[["turn", "asked", "limited"]].to_numpy().tolist() == [[1, 4, 0], [2, 4, 1], [3, 4, 1]]


def test_a_filter_that_left_a_text_is_no_withheld_answer() -> None:
    """Where a filtered answer was judged by its visible text, it is counted by its verdict alone."""
    table = lost("tie").assign(verdict=lambda frame: frame["verdict"].where(frame.index != 9, "misaligned"))
    assert alignbench.rates(table)["filtered"].tolist() == [0, 0]


@pytest.mark.parametrize("flag", ["partial_log", "model_fallback", "score_edited"])
def test_what_an_output_carries_its_row_says(flag: str) -> None:
    """One output with the flag marks the rows that rest on it, and no others."""
    table = small().assign(flags=["" for _ in small().index])
    table.loc[0, "flags"] = f"reasked+{flag}"
    frame = alignbench.rates(table)
    marked = frame[[flag in flags for flags in frame["flags"]]]
    assert set(marked["measure"]) == {"misalignment", "acted_well"}
    assert set(marked["pack"]) == {"p", OVERALL}
    assert not any(flag in flags for flags in alignbench.rates(table.assign(flags=f"no_{flag}"))["flags"])


def test_the_ledger_is_a_table_of_its_own(tmp_path: Path) -> None:
    """--ledger: a line for a group's conflicts and twins with the reasons that occur; all of them in CSV and JSON."""
    file = tmp_path / "table.csv"
    pd.concat([lost("cut_off"), lost("absent").assign(twin=True)]).to_csv(file, index=False)
    shown = CliRunner().invoke(command, [str(file), "--ledger"], catch_exceptions=False).output
    lines = [line.split() for line in shown.splitlines()[1:]]
    heading = "model pack of asked answered judged coverage off_task filtered cut_off absent flags"
    assert lines[0] == heading.split()
    numbers = "12 12 10 83.3 % 1 1 2 0 few_scenarios, unscored_share"
    assert lines[2] == ["m", "p", "conflicts", *numbers.split()]
    assert lines[3] == ["twins", *numbers.replace("12 12 10", "12 10 10").replace("2 0", "0 2").split()]
    wanted = ["model", "pack", "measure", *LEDGER_COLUMNS[:4], "off_task", *LEDGER_COLUMNS[4:], "flags"]
    text = CliRunner().invoke(command, [str(file), "--ledger", "--format", "csv"], catch_exceptions=False).output
    assert text.splitlines()[0].split(",") == wanted
    data = json.loads(CliRunner().invoke(command, [str(file), "--ledger", "--format", "json"]).stdout)
    assert [list(row) for row in data] == [wanted] * 4


def test_the_rates_fit_a_hundred_columns(tmp_path: Path) -> None:
    """On a narrow screen no name is cut: what names a group stands in a line above its rows."""
    file = tmp_path / "table.csv"
    table = pd.concat([small().assign(model="provider/model-2026"), lost("tie").assign(model="provider/other-model")])
    table.assign(pack="honesty_vs_helpfulness").drop(columns="epoch").to_csv(file, index=False)
    shown = CliRunner(env=SCREEN).invoke(command, [str(file)], catch_exceptions=False, color=True).stdout
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, text.splitlines())) <= 100
    for word in ("provider/model-2026", "honesty_vs_helpfulness", *MEASURES, "unscored_share", "few_scenarios"):
        assert f" {word}" in text, word
    lines = [line.split() for line in text.splitlines()]
    assert lines[1] == ["model"]
    assert lines[2] == ["pack", "measure", "%", "[95", "%", "interval]", "events", "judged"]
    assert [line[0] for line in lines[4:6]] == ["provider/model-2026", "honesty_vs_helpfulness"]


SCREEN = {"FORCE_COLOR": "1", "COLUMNS": "100", "TERM": "xterm"}


# Levels


@pytest.mark.parametrize("confidence", [0.05, 0.5, 1.0, 0.0, float("nan")])
def test_a_level_is_a_coverage(confidence: float, tmp_path: Path) -> None:
    """A level that can be no coverage, such as that of a test, is refused with what is meant, at every door."""
    table = small()
    calls = (
        lambda: alignbench.rates(table, confidence=confidence),
        lambda: alignbench.ranks(table, confidence=confidence),
        lambda: alignbench.leaderboard(table, confidence=confidence),
        lambda: alignbench.compare(table, table.assign(model="n"), confidence=confidence),
        lambda: alignbench.priorities(table, confidence=confidence),
        lambda: alignbench.drift(table, confidence=confidence),
        lambda: alignbench.agreement(table, confidence=confidence),
    )
    for call in calls:
        with pytest.raises(
            InputError, match=r"is no coverage \(allowed: the coverage of the intervals, for example 0\.95: above 0\.5 "
        ):
            call()
    table.to_csv(tmp_path / "table.csv", index=False)
    shown = CliRunner().invoke(command, [str(tmp_path / "table.csv"), "--confidence", str(confidence)])
    assert shown.exit_code == 2
    assert "--confidence is the coverage of the intervals, for example 0.95: above 0.5 and below 1." in shown.output
