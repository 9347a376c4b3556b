"""contrast: whatever two sets of outputs differ in, they are compared as two models with these verdicts would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from simulated_tables import lose, simulated

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.compare.contrast import Contrast, contrast
from alignbench.analysis.compare.pairing import PARTNERS
from alignbench.analysis.compare.rows import CompareRow, compare_rows
from alignbench.analysis.compare.two_judges import compare_judges
from alignbench.analysis.drift.drift import PART_ROWS, drift
from alignbench.errors import InputError, NotComparableError
from alignbench.table.frames import rows_frame
from alignbench.table.read import as_table
from alignbench.text.rows import meanings

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, OTHER = simulated("one", 0.3, seed=1), simulated("other", 0.1, seed=2)
SCENARIO = ("pack", "scenario", "twin")


def frame(found: Contrast, group: tuple[str, ...] = ()) -> pd.DataFrame:
    """The rows of a contrast as a frame."""
    return rows_frame(compare_rows([found]), CompareRow, group)


def tooled() -> pd.DataFrame:
    """One model without tools, as ONE, and with them, as OTHER."""
    rows = [ONE.assign(tools="none"), OTHER.assign(tools="all", condition="tools=all")]
    return as_table(pd.concat(rows, ignore_index=True).assign(model="m"))


def by_tools(table: pd.DataFrame, **options: Any) -> Contrast:
    """The outputs without tools against those with them."""
    sides = (table[table["tools"] == name] for name in ("none", "all"))
    partners = options.pop("partners", (*SCENARIO, "epoch"))
    return contrast(*sides, names=("none", "all"), partners=partners, differs=("tools", "condition"), **options)


def test_two_settings_of_a_column_are_compared_as_two_models() -> None:
    """A column of one's own tells the sides apart: the rows are those of two models, in every digit."""
    pd.testing.assert_frame_equal(frame(by_tools(tooled(), seed=3)), compare(ONE, OTHER, seed=3))
    found = frame(by_tools(tooled(), by=("pack", "split")), ("split",))
    pd.testing.assert_frame_equal(found, compare(ONE, OTHER, by=("pack", "split")))


def test_two_sets_of_epochs_are_compared_as_two_models() -> None:
    """The first epochs against the last, paired by a column that says which repetition it is on its side."""
    table = ONE.assign(repetition=(ONE["epoch"] + 1) // 2)
    odd = (table["epoch"] % 2 == 1).to_numpy(dtype=bool)
    found = contrast(
        table[odd], table[~odd], names=("odd", "even"), partners=(*SCENARIO, "repetition"), differs=("epoch",)
    )
    sides = [
        table[chosen].assign(model=name, epoch=table.loc[chosen, "repetition"]).drop(columns="repetition")
        for name, chosen in (("odd", odd), ("even", ~odd))
    ]
    pd.testing.assert_frame_equal(frame(found), compare(*sides))


def test_two_runs_are_compared_before_and_after() -> None:
    """Runs of one model in one table, which say of themselves when they began."""
    runs = [ONE.assign(run="r1", date="2026-11-01"), OTHER.assign(run="r2", date="2026-11-08")]
    table = as_table(pd.concat(runs, ignore_index=True).assign(model="m"), by=["run"])
    sides = [table[table["run"] == name] for name in ("r1", "r2")]
    found = contrast(*sides, names=("before", "after"), partners=("model", *PARTNERS), differs=("run", "date"))
    pd.testing.assert_frame_equal(frame(found), compare(ONE, OTHER))


def test_two_judges_are_a_contrast_of_the_same_outputs() -> None:
    """What compare_judges says of the rates is what the contrast says."""
    rows = {"sample_uuid": [f"u{at}" for at in range(len(ONE))], "model": "m"}
    first, second = ONE.assign(judge="a", rubric_digest="r1", **rows), OTHER.assign(judge="b", **rows)
    found = contrast(
        as_table(first),
        as_table(second),
        names=("a", "b"),
        partners=("model", *PARTNERS),
        differs=("judge", "rubric_digest"),
        by=("model", "pack"),
    )
    pd.testing.assert_frame_equal(frame(found, ("model",)), compare_judges(first, second).differences)


def test_outputs_that_differ_in_the_partners_are_repetitions_of_their_scenario() -> None:
    """With the model among the partners, a second model doubles the pairs and leaves the scenarios."""
    table = pd.concat([tooled(), tooled().assign(model="n")], ignore_index=True)
    found = frame(by_tools(as_table(table), partners=("model", *SCENARIO, "epoch")))
    alone = compare(ONE, OTHER)
    assert found["pairs"].tolist() == (2 * alone["pairs"]).tolist()
    for name in ("scenarios", "difference", "low", "high"):
        assert found[name].tolist() == pytest.approx(alone[name].tolist())


def test_what_a_side_has_lost_is_named_by_the_partners() -> None:
    """The lost outputs have the columns of the key, and their bounds are those of two models."""
    lost = np.arange(len(OTHER)) % 9 == 0
    table = tooled()
    with_tools = (table["tools"] == "all").to_numpy(dtype=bool)
    table = lose(table, with_tools & np.isin(np.arange(len(table)) - len(ONE), np.flatnonzero(lost)), "error")
    found = by_tools(table)
    listed = found.pairing.lost()
    assert list(listed.columns) == [*SCENARIO, "epoch", "base", "candidate"]
    assert len(listed) == lost.sum()
    assert set(listed["candidate"]) == {"error"}
    pd.testing.assert_frame_equal(frame(found), compare(ONE, lose(OTHER, lost, "error")))


def test_what_differs_on_purpose_is_not_held_against_the_sides() -> None:
    """Another rubric, judge or pack stops the comparison, unless the sides are said to differ in it."""
    for column, words in (("rubric_digest", "rubric"), ("judge", "judges differ"), ("pack_digest", "pack 'pack_0'")):
        table = tooled()
        table = as_table(table.assign(**{column: np.where(table["tools"] == "all", "bbbb", "aaaa")}))
        with pytest.raises(NotComparableError, match=words):
            by_tools(table)
        sides = (table[table["tools"] == name] for name in ("none", "all"))
        partners, differs = (*SCENARIO, "epoch"), ("tools", column)
        found = frame(contrast(*sides, names=("none", "all"), partners=partners, differs=differs))
        assert found["difference"].tolist() == compare(ONE, OTHER)["difference"].tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: by_tools(t, partners=SCENARIO), "two outputs of 'none' have one key: pack=pack_0"),
        (lambda t: by_tools(t, partners=(*SCENARIO, "mood")), "no column 'mood' on both sides"),
        (lambda t: by_tools(t, partners=(*SCENARIO, "epoch", "tools")), "partners cannot agree in 'tools'"),
        (lambda t: by_tools(t, by=("condition",)), "cannot group by 'condition'"),
        (lambda t: by_tools(t, by=("mood",)), "needs the column 'mood'"),
    ],
)
def test_a_key_that_does_not_fit_is_one_line(call: Callable[[pd.DataFrame], object], words: str) -> None:
    """Partners that tell outputs not apart, that differ, or that are not there, are named."""
    with pytest.raises(InputError, match=words) as caught:
        call(tooled())
    assert "\n" not in str(caught.value)


def test_nothing_in_common_is_named_as_the_sides_are_called() -> None:
    """The error says which two have nothing in common, and by which key."""
    table = tooled()
    renamed = table["scenario"].astype(str).where(table["tools"] == "none", "x" + table["scenario"].astype(str))
    with pytest.raises(
        NotComparableError, match=r"'none' and 'all' have no judged output .*pack, scenario, twin, epoch"
    ):
        by_tools(as_table(table.assign(scenario=renamed)))


def test_who_judged_is_seen_in_every_contrast() -> None:
    """A model that judges itself is flagged in drift too, where the levels are the sides."""
    table = tooled()
    found = drift(table.assign(judge="m"), "tools").rates
    assert all("self_graded" in flags for flags in found["flags"])
    assert not any("self_graded" in flags for flags in drift(table.assign(judge="j"), "tools").rates["flags"])


def test_every_column_of_compare_and_drift_says_what_it_means() -> None:
    """The frames hold the columns of their row types, in order, after those that name the model and the levels."""
    assert list(compare(ONE, OTHER)) == list(meanings(CompareRow))
    found = drift(tooled(), "tools")
    kinds: dict[str, type] = dict(PART_ROWS)
    for part, kind in kinds.items():
        levels = ["at"] if part in ("survival", "flips") else ["from", "to"]
        assert list(getattr(found, part)) == ["model", *levels, *meanings(kind)]
