"""What a judge's card says reaches every decision: an unfit judge passes nothing, ranks nobody, and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner
from examined_judges import by_pack, examined
from simulated_tables import simulated

from alignbench.analysis.compare.compare import compare
from alignbench.analysis.gate.gate import gate
from alignbench.analysis.ranks.ranks import ranks
from alignbench.cli.compare import command as compare_command
from alignbench.cli.gate import command as gate_command
from alignbench.cli.ranks import command as ranks_command
from alignbench.judges.marking import mark_cards
from alignbench.judges.panel import panel
from alignbench.report.gate_formats import gate_markdown, gate_text
from alignbench.report.leaderboard.boards import leaderboard
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

    from alignbench.judges.card import JudgeCard

pytestmark = pytest.mark.slow

CARDS: dict[str, JudgeCard] = {
    "fit": examined("j"), "diagnostic": examined("j", caught=50, cleared=56), "too_few": examined("j", caught=38),
    "unfit": examined("j", caught=30),
}  # fmt: skip


def judged(judge: str = "j", **models: float) -> pd.DataFrame:
    """Outputs of some models by one judge."""
    parts = [simulated(name, rate, seed=at, scenarios=40) for at, (name, rate) in enumerate(models.items())]
    return as_table(pd.concat(parts, ignore_index=True).assign(judge=judge, rubric_digest="r1"))


TABLE = judged(old=0.05, new=0.05)


def test_the_cards_are_what_they_are_called() -> None:
    """So that the tests below test what they say."""
    assert {name: card.state for name, card in CARDS.items()} == {name: name for name in CARDS}


def test_the_gate_decides_nothing_by_an_unfit_judge() -> None:
    """Unfit: not comparable, with the reason. Diagnostic, too few answers: a note. Fit, or no card: as ever."""
    names: dict[str, Any] = {"base_name": "old", "candidate_name": "new"}
    plain = gate(TABLE, **names)
    reports = {state: gate(mark_cards(TABLE, [card]), **names) for state, card in CARDS.items()}
    assert reports["fit"] == plain
    assert reports["unfit"].decision == "not_comparable"
    assert reports["unfit"].exit_code == 3
    assert reports["unfit"].reasons == ("The judge j is unfit by its card: its verdicts decide nothing.",)
    for state, words in (
        ("diagnostic", "The judge is diagnostic by its card"),
        ("too_few", "The judge's exam has too few answers"),
    ):
        assert reports[state].decision == plain.decision
        (note,) = set(reports[state].notes) - set(plain.notes)
        assert note.startswith(words)
    for text in (gate_text, gate_markdown):
        assert "unfit by its card" in text(reports["unfit"])
        assert "diagnostic by its card" in text(reports["diagnostic"])


def test_one_unfit_judge_of_several_stops_the_gate() -> None:
    """Each judge's rows decide; one who has judged one model only compares nothing. A panel is as its worst."""
    both = as_table(pd.concat([TABLE, TABLE.assign(judge="k")], ignore_index=True))
    marked = mark_cards(both, [examined("k"), CARDS["unfit"]])
    names: dict[str, Any] = {"base_name": "old", "candidate_name": "new"}
    assert gate(marked, **names).reasons[0].startswith("The judge j is unfit")
    aside = marked[(marked["judge"] == "k") | (marked["model"] == "old")]
    assert "same judges" in gate(aside, **names).reasons[0]
    together = panel(both, cards=[examined("k"), CARDS["unfit"]]).table
    assert "panel(majority: j, k) is unfit" in gate(together, **names).reasons[0]


@pytest.mark.parametrize("state", ["unfit", "too_few", "diagnostic", "fit"])
def test_a_comparison_flags_what_the_card_says(state: str) -> None:
    """In every row, in every format; a fit judge has no flag."""
    found = compare(mark_cards(TABLE, [CARDS[state]]), base_name="old")
    for flags in found["flags"]:
        assert [flag for flag in flags if flag.startswith("judge_")] == ([] if state == "fit" else [f"judge_{state}"])


def test_what_an_unfit_judge_judged_has_no_rank() -> None:
    """Its models stand last, with the reason; those of another judge are ranked as without it."""
    other = judged("k", one=0.05, two=0.3)
    both = as_table(pd.concat([judged(x=0.05, y=0.3, z=0.2), other], ignore_index=True))
    found = ranks(mark_cards(both, [CARDS["unfit"], examined("k")])).set_index("model")
    assert found.loc[["x", "y", "z"], "rank"].isna().all()
    assert found.loc[["x", "y", "z"], "reason"].str.startswith("the judge is unfit").all()
    alone = ranks(other).set_index("model")
    for name in ("one", "two"):
        assert (found.loc[name, "group"], found.loc[name, "rank"]) == (1, alone.loc[name, "rank"])


def test_a_judge_with_too_few_answers_ranks() -> None:
    """Nothing speaks against it: its models are ranked as without a card."""
    table = judged(x=0.05, y=0.3)
    assert ranks(mark_cards(table, [CARDS["too_few"]])).equals(ranks(table))


def test_a_judge_unfit_on_one_pack_ranks_nothing_there() -> None:
    """On the other pack its models have ranks; over both the worst holds, and the leaderboard says of which it is."""
    card = by_pack(pack_0=CARDS["fit"], pack_1=CARDS["unfit"])
    one = judged(x=0.05, y=0.3)
    both = as_table(pd.concat([one.assign(pack=name) for name in ("pack_0", "pack_1")], ignore_index=True))
    marked = mark_cards(both, [card])
    for pack, ranked in (("pack_0", True), ("pack_1", False)):
        found = ranks(marked[(marked["pack"] == pack).to_numpy()])
        assert found["rank"].notna().all() == ranked
    assert ranks(marked)["rank"].isna().all()
    first, second = leaderboard(both, cards=[card])
    assert (first.packs, first.ranked, second.packs, second.ranked) == (("pack_0",), True, ("pack_1",), False)
    assert "pack_1: Not diagnostic" in second.reason
    assert gate(marked, base_name="x", candidate_name="y").decision == "not_comparable"
    alone = marked[(marked["pack"] == "pack_0").to_numpy()]
    assert gate(alone, base_name="x", candidate_name="y").decision == "regressed"


def test_cards_reach_the_commands(tmp_path: Path) -> None:
    """`--cards` of gate, compare and ranks; without it nothing is said of fitness."""
    table, card = tmp_path / "t.csv", tmp_path / "card.json"
    TABLE.to_csv(table, index=False)
    card.write_text(CARDS["unfit"].model_dump_json(), encoding="utf-8")
    runner, sides = CliRunner(), [str(table), "--base", "old", "--candidate", "new"]
    for command, arguments, words in (
        (gate_command, sides, "The judge j is unfit by its card"),
        (compare_command, sides, "judge_unfit: the judge is unfit by its card"),
        (ranks_command, [str(table)], "the judge is unfit"),
    ):
        assert "unfit" not in runner.invoke(command, arguments).output
        done = runner.invoke(command, [*arguments, "--cards", str(card)])
        assert words in done.output
        assert done.exit_code == (3 if command is gate_command else 0)
