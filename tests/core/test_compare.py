"""compare: which outputs are partners, what is said of them, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_tables import changed, lose, simulated

from alignbench.analysis.compare.compare import compare, comparison, unpaired
from alignbench.analysis.compare.comparisons import described
from alignbench.cli.compare import command
from alignbench.errors import InputError, NotComparableError
from alignbench.stats.gaffke import mean_limits, stratified_limits
from alignbench.stats.multiplicity import holm

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [
    "measure", "pack", "scenarios", "pairs", "rate_base", "rate_candidate", "difference", "low", "high",
    "bound_low", "bound_high", "r", "p", "p_holm", "informative_scenarios", "mde_80", "method", "flags",
]  # fmt: skip


def bare(model: str, verdicts: dict[str, str], **columns: Any) -> pd.DataFrame:
    """A bare table; each letter of a scenario's text is a verdict: a, m, r, o(ff task) or - (none)."""
    words = {"a": "aligned", "m": "misaligned", "r": "refused", "o": "off_task", "-": None}
    rows = [(model, name, words[letter]) for name, text in verdicts.items() for letter in text]
    return pd.DataFrame(rows, columns=["model", "scenario", "verdict"]).assign(**columns)


def pick(rows: pd.DataFrame, **values: str) -> dict[str, Any]:
    """The one row with these values."""
    (row,) = rows[np.logical_and.reduce([rows[name] == value for name, value in values.items()])].to_dict("records")
    return {str(name): value for name, value in row.items()}


def run(*arguments: str | Path) -> Result:
    """The command, on the command line."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


BASE = simulated("base", 0.3, seed=1)
CANDIDATE = simulated("candidate", 0.1, seed=2)


def test_rates_and_limits_equal_those_of_a_plain_merge() -> None:
    """Pairs, rates and limits are those of merging the two tables on the key and taking shares by scenario."""
    rows = compare(BASE, CANDIDATE, confidence=0.9)
    both = BASE.merge(CANDIDATE, on=["pack", "scenario", "twin", "condition", "epoch", "turn"])
    for twin, event, measure in ((False, "misaligned", "misalignment"), (True, "refused", "over_refusal")):
        changes = []
        for pack in ("pack_0", "pack_1"):
            part = both[(both["twin"] == twin) & (both["pack"] == pack)]
            events = part.assign(a=part["verdict_x"] == event, b=part["verdict_y"] == event)
            shares = events.groupby("scenario", observed=True)[["a", "b"]].mean()
            changes.append((shares["b"] - shares["a"]).to_numpy())
            row = pick(rows, measure=measure, pack=pack)
            assert (row["pairs"], row["scenarios"], row["method"]) == (48, 12, "gaffke_midp")
            found = [row[name] for name in ("rate_base", "rate_candidate", "difference", "low", "high", "r")]
            limits = mean_limits(changes[-1], confidence=0.9, share=0.5, ends=(-1, 1))
            r = np.corrcoef(shares["a"], shares["b"])[0, 1] if (shares.std() > 0).all() else np.nan
            assert found == pytest.approx([*shares.mean(), changes[-1].mean(), *limits, r], nan_ok=True)
        overall = pick(rows, measure=measure, pack="overall")
        limits = stratified_limits(changes, [0.5, 0.5], confidence=0.9, share=0.5, ends=(-1, 1))
        assert [overall[name] for name in ("difference", "low", "high")] == pytest.approx([np.mean(changes), *limits])


def test_overall_rows_weigh_packs_equally() -> None:
    """The overall rates are the means of the packs' rates, whatever their sizes."""
    smaller = CANDIDATE[(CANDIDATE["pack"] != "pack_1") | (CANDIDATE["epoch"] <= 1)]
    rows = compare(BASE, smaller)
    for measure in ("misalignment", "over_refusal"):
        packs = [pick(rows, measure=measure, pack=f"pack_{at}") for at in range(2)]
        overall = pick(rows, measure=measure, pack="overall")
        assert [row["pairs"] for row in packs] == [48, 12]
        assert overall["difference"] == pytest.approx((packs[0]["difference"] + packs[1]["difference"]) / 2)
        assert overall["method"] == "gaffke_midp_stratified"


def test_json_has_the_promised_keys(tmp_path: Path) -> None:
    """--format json carries the keys of a row, in their order, and null where nothing is known."""
    for name, table in (("base", BASE), ("candidate", CANDIDATE)):
        table.to_parquet(tmp_path / f"{name}.parquet")
    records = json.loads(run(tmp_path / "base.parquet", tmp_path / "candidate.parquet", "--format", "json").stdout)
    assert [list(record) for record in records] == [KEYS] * 12
    assert [record["pack"] for record in records] == ["pack_0", "pack_1", "overall"] * 4
    split = json.loads(
        run(tmp_path / "base.parquet", tmp_path / "candidate.parquet", "--format", "json", "--by", "split").output
    )
    assert list(split[0]) == ["split", *KEYS]
    contrast = next(record for record in split if record["split"] == "unseen - seen")
    assert contrast["p"] is None
    assert contrast["rate_base"] is None


def test_three_columns_are_enough(tmp_path: Path) -> None:
    """Two bare files, or one with both models, give the same rows; outputs are paired in file order."""
    one = bare("a", {f"s{at}": "mmaa" for at in range(12)})
    two = bare("b", {f"s{at}": "maaa" for at in range(12)})
    one.to_csv(tmp_path / "one.csv", index=False)
    two.to_csv(tmp_path / "two.csv", index=False)
    pd.concat([one, two]).to_csv(tmp_path / "both.csv", index=False)
    separate = json.loads(run(tmp_path / "one.csv", tmp_path / "two.csv", "--format", "json").stdout)
    together = json.loads(run(tmp_path / "both.csv", "--base", "a", "--format", "json").stdout)
    assert separate == together
    assert [record["measure"] for record in separate] == ["misalignment", "acted_well"]
    assert separate[0]["difference"] == -0.25
    assert separate[0]["flags"] == ["digest_unknown"]


def test_one_table_compares_every_other_model() -> None:
    """With one table and no candidate, each other model has its rows, named in a column of its own."""
    third = simulated("third", 0.2, seed=3)
    rows = compare(pd.concat([BASE, CANDIDATE, third]), base_name="base")
    assert list(rows.columns) == ["candidate", *KEYS]
    assert list(rows["candidate"].unique()) == ["candidate", "third"]
    alone = compare(BASE, third)
    found = rows[rows["candidate"] == "third"].drop(columns=["candidate", "p_holm"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, alone.drop(columns="p_holm"))


def test_holm_runs_over_all_candidates_of_a_measure() -> None:
    """With several candidates a family is a measure's packs of all of them, and its overall rows of all of them."""
    names = ("candidate", "third", "fourth")
    others = [simulated(name, 0.1 + 0.05 * at, 0.02, seed=at + 2) for at, name in enumerate(names)]
    rows = compare(pd.concat([BASE, *others]), base_name="base")
    for measure in ("misalignment", "over_refusal", "acted_well", "helped"):
        for whole in (True, False):
            family = rows[(rows["measure"] == measure) & ((rows["pack"] == "overall") == whole)]
            assert len(family) == (3 if whole else 6)
            assert list(family["p_holm"]) == pytest.approx(list(holm(family["p"])))


def test_outputs_without_a_judged_partner_are_left_out_counted_and_listed() -> None:
    """Missing and unjudged outputs are in no rate; a flag counts them, `unpaired` gives the reasons."""
    base = bare("a", {"s1": "ma-o", "s2": "maaa", "only_a": "mm"})
    candidate = bare("b", {"s1": "m-oo", "s2": "aa", "only_b": "m"})
    row = compare(base, candidate).iloc[0]
    # s1: the first output; s2: the first two. Each scenario weighs the same.
    assert (row["pairs"], row["scenarios"], row["rate_base"]) == (3, 2, pytest.approx((1 / 1 + 1 / 2) / 2))
    assert "unpaired=8" in row["flags"]
    assert "unscored_share" in row["flags"]
    listed = unpaired(base, candidate)
    assert sorted(zip(listed["scenario"], listed["epoch"], listed["reason"], strict=True)) == [
        ("only_a", 1, "only_in_base"),
        ("only_a", 2, "only_in_base"),
        ("only_b", 1, "only_in_candidate"),
        ("s1", 2, "unscored_in_candidate"),
        ("s1", 3, "unscored_in_base"),
        ("s1", 4, "off_task_in_both"),
        ("s2", 3, "only_in_base"),
        ("s2", 4, "only_in_base"),
    ]
    assert comparison(base, candidate).reasons == {
        "off_task_in_both": 1, "only_in_base": 4, "only_in_candidate": 1, "unscored_in_base": 1,
        "unscored_in_candidate": 1,
    }  # fmt: skip


def test_the_command_lists_unpaired_outputs_in_a_file(tmp_path: Path) -> None:
    """--unpaired writes the list; the table's caption has the counts and the seed."""
    bare("a", {"s1": "mmm", "s2": "aa"}).to_csv(tmp_path / "a.csv", index=False)
    bare("b", {"s1": "ma", "s2": "aa"}).to_csv(tmp_path / "b.csv", index=False)
    result = run(tmp_path / "a.csv", tmp_path / "b.csv", "--unpaired", tmp_path / "list.csv", "--seed", "3")
    assert "1 only in base" in result.output
    assert "Seed 3" in result.output
    assert list(pd.read_csv(tmp_path / "list.csv")["reason"]) == ["only_in_base"]


@pytest.mark.slow
def test_a_line_says_which_counts_where_interval_and_test_disagree(tmp_path: Path) -> None:
    """The line counts the rows in which only one of the two excludes no change, and is absent where none does."""
    few: dict[str, Any] = {"packs": 3, "scenarios": 8}
    tables = {
        "base": simulated("base", 0.3, seed=1, **few),
        "candidate": simulated("candidate", 0.12, seed=5, **few),
        "quiet": simulated("quiet", 1e-9, 1e-9),
        "still": simulated("still", 1e-9, 1e-9, seed=1),
    }
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    rows = compare(tables["base"], tables["candidate"])
    apart = ((rows["low"] > 0) | (rows["high"] < 0)) != (rows["p_holm"] < 0.05)
    count = int(apart.sum())
    assert count >= 1
    shown = run(tmp_path / "base.parquet", tmp_path / "candidate.parquet").output
    line = " ".join(shown.split())
    assert f"In {count} row{'s' if count > 1 else ''} the interval and p Holm disagree" in line
    assert "is not adjusted for the number of tests. The test decides: shown is what has p Holm < 0.05." in line
    assert "disagree" not in run(tmp_path / "quiet.parquet", tmp_path / "still.parquet").output


def test_the_table_names_every_candidate(tmp_path: Path) -> None:
    """With several candidates each row says whose it is, beside the rates of base and candidate."""
    third = simulated("third", 0.2, seed=3)
    pd.concat([BASE, CANDIDATE, third]).to_parquet(tmp_path / "all.parquet")
    shown = run(tmp_path / "all.parquet", "--base", "base").output
    lines = [line.split() for line in shown.splitlines() if "misalignment" in line]
    assert [line[0] for line in lines] == ["candidate"] * 3 + ["third"] * 3
    assert "for all 2 candidates" in " ".join(shown.split())
    heading = next(line for line in shown.splitlines() if "measure" in line).split()
    assert heading[:5] == ["model", "measure", "pack", "base", "candidate"]


def test_headline_rows_only_unless_conditions_are_asked_for() -> None:
    """Other conditions and earlier turns count only where --by names them."""
    extra = BASE.assign(condition="monitoring=logged", verdict="misaligned")
    extra["verdict"] = extra["verdict"].astype("category")
    base, candidate = pd.concat([BASE, extra]), pd.concat([CANDIDATE, extra.assign(model="candidate")])
    pd.testing.assert_frame_equal(compare(base, candidate), compare(BASE, CANDIDATE))
    rows = compare(base, candidate, by=("condition",))
    assert set(rows["condition"]) == {"default", "monitoring=logged"}
    assert rows.loc[rows["condition"] == "monitoring=logged", "rate_base"].iloc[0] == 1


def test_holm_runs_over_the_packs_of_one_measure() -> None:
    """p_holm is Holm over the packs; the overall row is a question of its own."""
    base, candidate = simulated("base", 0.2, packs=5), simulated("candidate", 0.05, packs=5, seed=9)
    rows = compare(base, candidate)
    part = rows[(rows["measure"] == "misalignment") & (rows["pack"] != "overall")]
    assert list(part["p_holm"]) == pytest.approx(holm(part["p"]))
    overall = rows[rows["pack"] == "overall"]
    assert (overall["p_holm"] == overall["p"]).all()


def test_split_adds_the_contrast_of_the_changes() -> None:
    """--by split: the two halves, and how much more changed on unseen families, with their number."""
    rows = compare(BASE, CANDIDATE, by=("split",))
    seen, unseen, contrast = (
        pick(rows, measure="misalignment", split=split) for split in ("seen", "unseen", "unseen - seen")
    )
    assert contrast["difference"] == pytest.approx(unseen["difference"] - seen["difference"])
    reach = np.hypot(unseen["difference"] - unseen["low"], seen["high"] - seen["difference"])
    assert contrast["low"] == pytest.approx(contrast["difference"] - reach)
    assert contrast["method"] == "mover_unpaired"
    # Two packs of two seen families and one unseen each.
    assert {"families_seen=4", "families_unseen=2"} <= set(contrast["flags"])
    assert seen["pairs"] + unseen["pairs"] == contrast["pairs"] == 96


def test_no_contrast_with_seen_families_only() -> None:
    """Where all families are seen there is nothing to set against."""
    only = BASE[BASE["split"] == "seen"]
    assert set(compare(only, CANDIDATE[CANDIDATE["split"] == "seen"], by=("split",))["split"]) == {"seen"}


def test_a_pack_on_one_side_leaves_no_overall() -> None:
    """A pack that one side lacks has no numbers, nor has the overall row; --packs mends it."""
    rows = compare(BASE, CANDIDATE[CANDIDATE["pack"] == "pack_0"])
    overall = pick(rows, measure="misalignment", pack="overall")
    assert "no_pairs" in pick(rows, measure="misalignment", pack="pack_1")["flags"]
    assert "missing_pack" in overall["flags"]
    assert pd.isna(overall["difference"])
    mended = compare(BASE, CANDIDATE, packs=["pack_0"])
    assert list(mended["pack"]) == ["pack_0"] * 4
    assert mended["difference"].notna().all()


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.randoms())
def test_row_order_and_direction_do_not_matter(seed: int, random: Any) -> None:
    """Shuffled rows give the same numbers; swapped models mirror them and keep p."""
    base, candidate = simulated("base", 0.2, seed=seed), simulated("candidate", 0.2, seed=seed + 1)
    shuffled = candidate.sample(frac=1, random_state=random.randrange(2**31))
    rows = compare(base, candidate)
    pd.testing.assert_frame_equal(compare(base, shuffled), rows)
    mirrored = compare(candidate, base)
    assert list(mirrored["p"]) == list(rows["p"])
    assert list(mirrored["low"]) == pytest.approx(list(-rows["high"]))


def test_the_seed_moves_only_drawn_tests() -> None:
    """Another seed changes drawn p-values a little and nothing else; the same seed changes nothing."""
    rows, again, other = (compare(BASE, CANDIDATE, seed=seed) for seed in (4, 4, 5))
    pd.testing.assert_frame_equal(rows, again)
    names = [name for name in KEYS if name not in ("p", "p_holm", "flags")]
    pd.testing.assert_frame_equal(rows[names], other[names])
    assert list(rows["p"]) == pytest.approx(list(other["p"]), abs=0.02)


@pytest.mark.parametrize("column", ["pack_digest", "rubric_digest"])
def test_other_packs_and_rubrics_are_not_comparable(column: str) -> None:
    """Digests that differ, or two versions on one side, stop the comparison and name the pack."""
    known, other = BASE.assign(**{column: "aaaa1111"}), CANDIDATE.assign(**{column: "bbbb2222"})
    with pytest.raises(NotComparableError, match="pack 'pack_0' differs: digest aaaa1111 in base, bbbb2222"):
        compare(known, other)
    mixed = CANDIDATE.assign(**{column: np.where(CANDIDATE["epoch"] > 2, "aaaa1111", "bbbb2222")})
    with pytest.raises(NotComparableError, match=r"candidate holds .* in 2 versions"):
        compare(known, mixed)


def test_unknown_digests_are_flagged() -> None:
    """Rows compare where a digest is missing, with a flag; known and equal digests carry none."""
    known = {"pack_digest": "aaaa", "rubric_digest": "bbbb"}
    rows = compare(BASE.assign(**known), CANDIDATE.assign(**known))
    assert not any("digest_unknown" in flags for flags in rows["flags"])
    rows = compare(BASE.assign(**known), CANDIDATE)
    assert all("digest_unknown" in flags for flags in rows["flags"])


def test_other_judges_are_not_comparable() -> None:
    """Another judge, or another configuration, stops the comparison; an unnamed judge is flagged."""
    base = BASE.assign(judge="j1", judge_config="c")
    for judge, config in (("j2", "c"), ("j1", "d")):
        with pytest.raises(NotComparableError, match="the judges differ"):
            compare(base, CANDIDATE.assign(judge=judge, judge_config=config))
    assert all("judge_unknown" in flags for flags in compare(base, CANDIDATE)["flags"])


@pytest.mark.slow
def test_several_judges_are_compared_one_by_one() -> None:
    """Judges of both models have rows of their own; a judge of one model only is left out and flagged."""
    base = pd.concat([BASE.assign(judge=judge) for judge in ("j1", "j2", "j3")])
    candidate = pd.concat([CANDIDATE.assign(judge=judge) for judge in ("j1", "j2")])
    rows = compare(base, candidate)
    assert list(rows["judge"].unique()) == ["j1", "j2"]
    assert all("other_judges" in flags for flags in rows["flags"])
    alone = compare(BASE, CANDIDATE)
    assert list(rows[rows["judge"] == "j2"]["difference"]) == pytest.approx(list(alone["difference"]))
    one = compare(base, CANDIDATE.assign(judge="j3"))
    assert "judge" not in one.columns
    assert list(one["low"]) == pytest.approx(list(alone["low"]))


def test_a_model_is_not_compared_with_itself(tmp_path: Path) -> None:
    """One name, file or sample twice is an error; equal verdicts under one name are flagged."""
    both = pd.concat([BASE, CANDIDATE])
    with pytest.raises(InputError, match="'base' would be compared with itself"):
        compare(both, base_name="base", candidate_name="base")
    with pytest.raises(InputError, match="compared with itself"):
        compare(BASE)
    BASE.to_parquet(tmp_path / "one.parquet")
    result = run(tmp_path / "one.parquet", tmp_path / "one.parquet")
    assert isinstance(result.exception, InputError)
    samples = BASE.assign(sample_uuid=[f"u{at}" for at in range(len(BASE))])
    with pytest.raises(InputError, match="the same samples"):
        compare(samples, samples.copy())
    rows = compare(BASE, BASE.copy())
    assert all("identical_rows" in flags for flags in rows["flags"])
    assert (rows["high"] - rows["low"] > 0.01).all()


def test_checkpoints_under_one_name_are_two_models() -> None:
    """Rows of other model arguments are another model, named by them."""
    both = pd.concat([BASE.assign(model_args="step=1"), CANDIDATE.assign(model="base", model_args="step=2")])
    found = comparison(both, base_name="base step=1")
    names = ["base: base step=1, 4 epochs", "candidate: base step=2, 4 epochs", "packs: pack_0, pack_1"]
    assert (found.base, found.candidates, found.reasons) == ("base step=1", ("base step=2",), {})
    assert described(found.sides) == names
    read = comparison(both, base_name="base step=1", inputs=["logs"])
    assert described(read.sides)[0] == "base: base step=1 from logs, 4 epochs"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_name": "nobody"}, "no rows of the base model 'nobody'"),
        ({"candidate_name": "nobody"}, "no rows of the candidate model 'nobody'"),
        ({"packs": ["pack_9"]}, "base has no rows of pack 'pack_9'"),
        ({"by": ("mood",)}, "needs the column 'mood'"),
        ({"by": ("model",)}, "cannot group by 'model'"),
        ({"confidence": 1.5}, "confidence 1.5"),
        ({"method": "tango"}, "several outputs a scenario"),
    ],
)
def test_bad_options_are_one_line_errors(options: dict[str, Any], message: str) -> None:
    """A name, column or option that does not fit is named, with what is allowed."""
    with pytest.raises(InputError, match=message) as caught:
        compare(BASE, CANDIDATE, **options)
    assert "\n" not in str(caught.value)


def test_an_unclear_base_is_an_error_that_names_the_models() -> None:
    """With several models and no name, the error lists them."""
    with pytest.raises(InputError, match=r"which of 2 models is the base\? \(allowed: --base base \| candidate\)"):
        compare(pd.concat([BASE, CANDIDATE]))


def test_nothing_in_common_is_not_comparable() -> None:
    """Other scenarios, or no verdicts on one side, are not comparable, with the counts."""
    with pytest.raises(NotComparableError, match=r"of 2 keys .* 0 stand on both sides"):
        compare(bare("a", {"s1": "m"}), bare("b", {"s2": "m"}))
    with pytest.raises(NotComparableError, match="1 stand on both sides, and none is judged"):
        compare(bare("a", {"s1": "m"}), bare("b", {"s1": "-"}))


def test_one_scenario_has_no_interval() -> None:
    """A single scenario gives a difference without an interval, flagged; never a zero-width one."""
    row = compare(bare("a", {"s1": "mma"}), bare("b", {"s1": "maa"})).iloc[0]
    assert row["difference"] == pytest.approx(-1 / 3)
    assert pd.isna(row["low"])
    assert "one_scenario" in row["flags"]


def test_three_inputs_are_too_many(tmp_path: Path) -> None:
    """Two inputs at most."""
    for name in "abc":
        bare(name, {"s1": "ma", "s2": "am"}).to_csv(tmp_path / f"{name}.csv", index=False)
    result = run(*(tmp_path / f"{name}.csv" for name in "abc"))
    assert isinstance(result.exception, InputError)
    assert "3 inputs" in str(result.exception)


@pytest.mark.slow
def test_bounds_are_the_limits_of_the_tables_with_the_lost_outputs_set_against_one_side() -> None:
    """Upper bound: what the candidate lost is the event and what the base lost is not; lower bound: the other way."""
    rng = np.random.default_rng(5)
    one, two = (rng.random(len(BASE)) < 0.1 for _ in range(2))
    base, candidate = lose(BASE, one & ~two, "error"), lose(CANDIDATE, two & ~one, "grader_failed")
    rows = compare(base, candidate)
    twins = BASE["twin"].to_numpy(dtype=bool)

    def filled(table: pd.DataFrame, lost: np.ndarray) -> pd.DataFrame:
        return changed(changed(table, lost & ~twins, "misaligned"), lost & twins, "refused")

    good_base, good_candidate = (
        changed(base, one & ~two, "aligned"), changed(candidate, two & ~one, "aligned"),
    )  # fmt: skip
    worst = compare(good_base, filled(candidate, two & ~one))
    best = compare(filled(base, one & ~two), good_candidate)
    records = (frame.to_dict("records") for frame in (rows, worst, best))
    for row, high, low in zip(*records, strict=True):
        upper, lower = (low, high) if row["measure"] in ("acted_well", "helped") else (high, low)
        assert row["bound_high"] == pytest.approx(max(row["high"], upper["high"]))
        assert row["bound_low"] == pytest.approx(min(row["low"], lower["low"]))
    whole = compare(BASE, CANDIDATE)
    assert (whole["bound_low"] == whole["low"]).all()
    assert (whole["bound_high"] == whole["high"]).all()


@pytest.mark.slow
def test_bounds_mirror_when_the_models_change_places() -> None:
    """What bounds a rise of one bounds a fall of the other."""
    candidate = lose(CANDIDATE, np.arange(len(CANDIDATE)) % 9 == 0, "missing")
    forth, back = compare(BASE, candidate), compare(candidate, BASE)
    assert list(back["bound_low"]) == pytest.approx(list(-forth["bound_high"]))
    assert list(back["bound_high"]) == pytest.approx(list(-forth["bound_low"]))


@pytest.mark.slow
def test_missingness_that_differs_is_flagged_and_chance_is_not() -> None:
    """A fifth of one side lost is flagged; as much lost at random on both sides is not, but for 1 in 20."""
    rng = np.random.default_rng(2)
    lost = rng.random(len(CANDIDATE)) < 0.2
    rows = compare(BASE, lose(CANDIDATE, lost, "cut_off"))
    assert all("missingness_differs" in row["flags"] for _, row in rows[rows["pack"] == "overall"].iterrows())
    # An output that is not there is missing as much as one without a verdict.
    assert list(compare(BASE, lose(CANDIDATE, lost, "missing"))["flags"]) == list(rows["flags"])
    flagged = 0
    for _ in range(8):
        sides = [lose(side, rng.random(len(side)) < 0.2, "error") for side in (BASE, CANDIDATE)]
        row = pick(compare(*sides), measure="misalignment", pack="overall")
        flagged += "missingness_differs" in row["flags"]
    assert flagged <= 2


def test_usefulness_stands_beside_the_errors() -> None:
    """acted_well and helped are the shares of aligned among all answers with a verdict, those off task included."""
    base = bare("a", {f"s{at}": "aamr" for at in range(12)})
    candidate = bare("b", {f"s{at}": "aoor" for at in range(12)})
    rows = compare(base, candidate)
    useful, error = pick(rows, measure="acted_well"), pick(rows, measure="misalignment")
    assert (useful["rate_base"], useful["rate_candidate"], useful["pairs"]) == (0.5, 0.25, 48)
    # Off task is in no rate of an error.
    assert (error["rate_base"], error["rate_candidate"], error["pairs"]) == (0.0, 0.0, 24)


def test_another_rubric_stands_out_beside_rows_of_an_unknown_one() -> None:
    """A digest that differs stops the comparison even where further rows carry none."""
    known = BASE.assign(rubric_digest="aaaa1111")
    other = CANDIDATE.assign(rubric_digest=np.where(CANDIDATE["epoch"] > 1, "bbbb2222", ""))
    with pytest.raises(NotComparableError, match="differs: digest aaaa1111 in base, bbbb2222 in candidate"):
        compare(known, other)
