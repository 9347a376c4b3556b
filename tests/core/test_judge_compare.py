"""Two judges on the same outputs: differences, who said what, and where; never on outputs that are not the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from simulated_tables import simulated

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.compare.two_judges import compare_judges
from alignbench.cli.judge.compare import command
from alignbench.errors import InputError, NotComparableError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ONE, OTHER = simulated("m", 0.2, seed=1), simulated("m", 0.4, seed=2)


def by(judge: str, table: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The table as one judge's."""
    ids = [f"u{at}" for at in range(len(table))]
    return table.assign(**{"judge": judge, "rubric_digest": "r1", "sample_uuid": ids, **columns})


def test_differences_are_those_of_two_models_with_these_verdicts() -> None:
    """With one model, the two judges' rates differ as two models' would that had given these verdicts."""
    found = compare_judges(by("a", ONE), by("b", OTHER))
    expected = compare(ONE.assign(model="a"), OTHER.assign(model="b"), seed=0)
    columns = ["measure", "pack", "rate_base", "rate_candidate", "difference", "low", "high", "p", "pairs", "scenarios"]
    pd.testing.assert_frame_equal(found.differences[columns], expected[columns])
    assert (found.base, found.candidate, found.outputs, found.left_out, found.flags) == ("a", "b", len(ONE), 0, ())


def test_outputs_of_several_models_are_repetitions_of_their_scenarios() -> None:
    """In one row two models double the pairs and leave the scenarios, and a flag says so; by model each has its own."""
    first, second = (pd.concat([table, table.assign(model="n")], ignore_index=True) for table in (ONE, OTHER))
    pooled = compare_judges(by("a", first), by("b", second), by=("pack",))
    alone = compare_judges(by("a", ONE), by("b", OTHER))
    assert (pooled.models, pooled.flags, alone.models, alone.flags) == (2, ("models_pooled",), 1, ())
    assert (pooled.differences["pairs"] == 2 * alone.differences["pairs"]).all()
    assert pooled.differences["scenarios"].tolist() == alone.differences["scenarios"].tolist()
    assert np.allclose(pooled.differences["difference"], alone.differences["difference"])
    assert compare_judges(by("a", first), by("b", second)).flags == ()
    split = compare_judges(by("a", first), by("b", second)).differences
    for model in ("m", "n"):
        rows = split[split["model"] == model]
        assert np.allclose(rows["low"], alone.differences["low"])


def test_confusion_and_scenarios_count_every_change() -> None:
    """The cells off the diagonal, and the changes over scenarios, are the outputs with another verdict."""
    found = compare_judges(by("b", ONE), by("a", OTHER))
    changed = (ONE["verdict"].astype(str) != OTHER["verdict"].astype(str)).to_numpy()
    cells = found.confusion.set_index(["base", "candidate"])["outputs"]
    for pair, count in cells.items():
        assert count == ((ONE["verdict"] == pair[0]) & (OTHER["verdict"] == pair[1])).sum()  # type: ignore[index]
    assert found.scenarios["changed"].sum() == changed.sum()
    assert found.scenarios["changed"].is_monotonic_decreasing
    conflicts = found.scenarios[~found.scenarios["twin"]]
    there = ONE["scenario"].isin(conflicts["scenario"]) & ~ONE["twin"]
    assert conflicts["events_base"].sum() == (ONE[there]["verdict"] == "misaligned").sum()
    assert set(found.agreement["on"]) == {"misalignment", "over_refusal"}


def test_two_versions_of_one_judge_are_told_apart() -> None:
    """By configuration where the name is one, by place where that is one too; another rubric is flagged."""
    versions = compare_judges(by("a", ONE, judge_config="c1"), by("a", OTHER, judge_config="c2", rubric_digest="r2"))
    assert (versions.base, versions.candidate, versions.flags) == ("a c1", "a c2", ("other_rubric",))
    again = compare_judges(by("a", ONE), by("a", OTHER))
    assert (again.base, again.candidate) == ("a (no configuration), first", "a (no configuration), second")
    table = pd.concat([by("a", ONE, judge_config="c1"), by("a", OTHER, judge_config="c2")], ignore_index=True)
    named = compare_judges(table, base_name="c2")
    assert (named.base, named.candidate) == ("a c2", "a c1")


def test_only_the_same_outputs_are_compared() -> None:
    """Other samples are not comparable; what one judge has not seen is counted; tables without ids are flagged."""
    with pytest.raises(NotComparableError, match=r"\d+ of \d+ outputs are not the same"):
        compare_judges(by("a", ONE), by("b", OTHER, sample_uuid=[f"x{at}" for at in range(len(OTHER))]))
    with pytest.raises(NotComparableError, match="no output in common"):
        compare_judges(by("a", ONE), by("b", OTHER.assign(model="n")))
    part = compare_judges(by("a", ONE), by("b", OTHER).iloc[4:])
    assert (part.outputs, part.left_out) == (len(ONE) - 4, 4)
    assert compare_judges(by("a", ONE, sample_uuid=""), by("b", OTHER)).flags == ("outputs_unverified",)


def test_lost_verdicts_are_counted() -> None:
    """A judge that gives no verdict shows in the head, not in the rates."""
    lost = OTHER.assign(verdict=OTHER["verdict"].mask(OTHER.index < 10))
    found = compare_judges(by("a", ONE), by("b", lost))
    assert found.unscored == (0, 10)
    assert found.scenarios["changed"].sum() >= 10


def test_unclear_judges_are_one_clear_error() -> None:
    """Names that fit none or several judges, one judge alone, and a judge against itself are refused."""
    table = pd.concat([by("a", ONE), by("b", OTHER)], ignore_index=True)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "which judge is the base"),
        ({"base_name": "x"}, "called 'x'"),
        ({"base_name": "a", "candidate_name": "a"}, "compared with itself"),
    )
    for arguments, words in wrong:
        with pytest.raises(InputError, match=words):
            compare_judges(table, **arguments)
    with pytest.raises(InputError, match="only one judge"):
        compare_judges(by("a", ONE))


def test_changes_that_cancel_over_models_are_shown_model_by_model() -> None:
    """A judge that became milder to one model and harsher to the other: the default hides neither."""
    up, down = by("a", ONE), by("a", OTHER, model="n")
    table, other = pd.concat([up, down]), pd.concat([by("b", OTHER), by("b", ONE, model="n")])
    found = compare_judges(table.reset_index(drop=True), other.reset_index(drop=True)).differences
    whole = found[(found["pack"] == "overall") & (found["measure"] == "misalignment")].set_index("model")["difference"]
    assert whole["m"] == pytest.approx(-whole["n"])
    assert abs(whole["m"]) > 0.1
    pooled = compare_judges(table.reset_index(drop=True), other.reset_index(drop=True), by=("pack",)).differences
    assert pooled["difference"].abs().max() < 1e-9


def test_checkpoints_under_one_name_are_two_models() -> None:
    """Rows of different arguments are different models, here too."""
    first, second = (
        pd.concat([by(judge, table), by(judge, table, model_args='{"step":2}')], ignore_index=True)
        for judge, table in (("a", ONE), ("b", OTHER))
    )
    found = compare_judges(first, second)
    assert (found.models, found.differences["model"].nunique()) == (2, 2)


def test_the_command_names_what_is_pooled(tmp_path: Path) -> None:
    """By default a column of models and no warning; with --by pack one row, which says that it holds two models."""
    table = pd.concat(
        [by(judge, rows, model=model) for judge, rows in (("a", ONE), ("b", OTHER)) for model in "mn"],
        ignore_index=True,
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    arguments = [str(tmp_path / "t.csv"), "--base", "a"]
    plain = CliRunner().invoke(command, arguments, catch_exceptions=False).output
    pooled = CliRunner().invoke(command, [*arguments, "--by", "pack"], catch_exceptions=False).output
    assert "changes that go both ways cancel" in pooled
    assert "changes that go both ways cancel" not in plain
    assert "Agreement, 2 models together" in plain
