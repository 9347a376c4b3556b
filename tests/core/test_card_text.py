"""The judge's card in words, in its file, and in the rows of tables."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from examined_judges import by_pack, examined
from simulated_exams import exam, shipped_exam, simple

from alignbench.errors import InputError
from alignbench.judges.card import JudgeCard
from alignbench.judges.examine import examine
from alignbench.judges.marking import find_card, mark_cards, read_cards, worst_state
from alignbench.packs import shipped_packs
from alignbench.report.card import card_markdown, card_summary
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    """The examination that ships, every answer twice, judged without an error."""
    return shipped_exam()


def test_the_state_comes_first_with_its_reasons(shipped: pd.DataFrame) -> None:
    """A newcomer reads what the judge may be used for, and why, before any number."""
    card = examine(shipped.assign(verdict="aligned", input_tokens=1300.0))
    text = card_markdown(card)
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "# Judge card: j/one"
    assert lines[1].startswith("**State: unfit.** Its verdicts say too little")
    assert "This is its state on deception_assistance, honesty_vs_helpfulness and pricing_fairness" in lines[1]
    assert lines[2].startswith(
        "- deception_assistance, honesty_vs_helpfulness, pricing_fairness: Not diagnostic: it finds 0.0 % of the "
    )
    assert text.startswith(card_summary(card).rstrip())
    for words in (
        "1,300 input tokens (target: at most 1,200)",
        "## Labels and verdicts",
        "unexamined",
        card.rubric_digest,
    ):
        assert words in text
    assert "None" not in text
    assert "nan" not in text


def test_a_fit_judge_still_errs() -> None:
    """What `fit` allows does not promise that a rate is right: the documented .9 and .95 judge says 6 % for 1 %."""
    rows = [simple(label, label, f"s{at}") for at in range(80) for label in ("misaligned", "aligned")]
    text = card_summary(examine(exam(rows)))
    assert "**State: fit.** Its verdicts can carry comparisons and ranks. A rate still holds its errors" in text


def test_a_card_speaks_for_its_packs(shipped: pd.DataFrame, tmp_path: Path) -> None:
    """On other packs the judge is unexamined; two cards of one judge go together where no pack has both."""
    table = as_table(
        pd.DataFrame({"model": "m", "scenario": "s", "verdict": "aligned", "judge": "j/one", "judge_config": "c0",
                      "rubric_digest": "r0", "pack": [*shipped_packs(), "own"]})
    )  # fmt: skip
    files = {}
    first, *others = shipped_packs()
    for name, packs in (("first", [first]), ("others", others), ("all", shipped_packs())):
        files[name] = tmp_path / f"{name}.json"
        card = examine(shipped[shipped["pack"].isin(packs)].assign(verdict=shipped["label"]))
        files[name].write_text(card.model_dump_json())

    def states(*names: str) -> list[str]:
        return mark_cards(table, read_cards([files[name] for name in names]))["judge_card"].tolist()

    own = {pack: part.state for pack, part in read_cards([files["all"]])[0].packs.items()}
    assert states("all") == [*(own[pack] for pack in shipped_packs()), "unexamined"]
    assert states("first") == [own[first], *["unexamined"] * 3]
    assert states("first", "others") == states("all")
    with pytest.raises(InputError, match=f"second card of the judge 'j/one' for the pack '{first}'"):
        read_cards([files["first"], files["all"]])


def test_a_card_survives_its_file(shipped: pd.DataFrame, tmp_path: Path) -> None:
    """What is written is read again as the same card, and found by judge, settings and rubric."""
    card = examine(shipped)
    assert card.stability == ()
    file = tmp_path / "judge_card.json"
    file.write_text(card.model_dump_json(indent=2))
    assert JudgeCard.model_validate_json(file.read_text()) == card
    assert find_card(read_cards([file]), "j/one", "c0", "r0") == card
    assert find_card(read_cards([file]), "j/one", "c1", "r0") is None


def test_a_card_from_before_is_not_read(shipped: pd.DataFrame, tmp_path: Path) -> None:
    """It has no part for each pack: one line says so and what to do; a later format is no card either."""
    document = json.loads(examine(shipped).model_dump_json())
    file = tmp_path / "judge_card.json"
    older = {name: value for name, value in document.items() if name not in ("format", "packs", "worst", "stability")}
    file.write_text(json.dumps({**older, "by_pack": {}}))
    with pytest.raises(
        InputError, match=r"does not say how the judge does on each pack.*repeat `alignbench judge exam`"
    ):
        read_cards([file])
    for damaged in ("[" * 100_000, '{"judge": 1, "sensitivity":', "[]", '{"format": null}'):
        file.write_text(damaged)
        with pytest.raises(InputError, match="no judge's card"):
            read_cards([file])
    file.write_text(json.dumps({**document, "format": "alignbench-card-4"}))
    with pytest.raises(InputError, match="no judge's card: format"):
        read_cards([file])


def test_rows_have_the_state_of_their_pack(tmp_path: Path) -> None:
    """One judge, good on one pack and blind on another: each row is marked by its own pack's part."""
    card = by_pack(good=examined("j"), bad=examined("j", caught=30))
    table = as_table(
        pd.DataFrame({"model": "m", "scenario": "s", "verdict": "aligned", "judge": "j", "judge_config": "",
                      "rubric_digest": "r1", "pack": ["good", "bad", "other"]})
    )  # fmt: skip
    assert mark_cards(table, [card])["judge_card"].tolist() == ["fit", "unfit", "unexamined"]
    order = ["unfit", "unexamined", "too_few", "diagnostic", "fit"]
    for worse, better in itertools.pairwise(order):
        assert worst_state([better, worse]) == worse
