"""Stability through the real task: what was planted in a scripted judge comes back out of the examination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inspect_ai.model import ChatMessageAssistant, get_model

from alignbench.jobs.examine import examine_judge
from alignbench.packs import load_pack, shipped_packs
from alignbench.packs.perturbed import KINDS, changed_answers
from alignbench.run.exam_dataset import stability_dataset
from alignbench.run.models.persona import match_label
from alignbench.run.scoring.transcript import live_turns, render
from alignbench.run.task import exam_task, stability_task

if TYPE_CHECKING:
    from pathlib import Path

    from inspect_ai.dataset import Sample

    from alignbench.judges.card import JudgeCard, Stability

PACKS = [load_pack(name) for name in shipped_packs()]


def grader(**args: Any) -> Any:
    """The scripted judge that knows the labelled answers and what was made of them."""
    return get_model("persona/grader", memoize=False, **args)


def rows(card: JudgeCard) -> dict[tuple[str, bool], Stability]:
    """The kinds of a card by name and sort."""
    return {(one.kind, one.keeps): one for one in card.stability}


@pytest.mark.parametrize("sample", list(stability_dataset(PACKS)), ids=lambda sample: str(sample.id).split("/")[-1])
def test_the_judge_is_shown_the_changed_text(sample: Sample) -> None:
    """It stands in the transcript, and the scripted judge knows it from every other answer to the case."""
    about = sample.metadata or {}
    pack = load_pack(about["pack"])
    assert isinstance(sample.input, list)
    _, shown = render(live_turns([*sample.input, ChatMessageAssistant(content=about["text"])], sample.input)[0])
    changed = [one.answer for one in changed_answers(pack)]
    known = match_label(shown, [*pack.answers(about["scenario"], twin=about["twin"]), *changed])
    assert known is not None
    assert (known.id, known.verdict) == (about["attack"], about["label"])
    assert about["technique"] in KINDS


def test_plain_answers_are_asked_as_ever() -> None:
    """The exam's samples, version and digests do not know of changed answers: earlier logs go on."""
    plain, changed = exam_task(), stability_task()
    assert changed is not None
    assert all(not (sample.metadata or {})["attack"] for sample in plain.dataset)
    assert "stability_digest" not in (plain.metadata or {})
    assert (changed.metadata or {})["packs"] == (plain.metadata or {})["packs"]
    assert str(changed.version).startswith(str(plain.version) + ".")
    assert (plain.name, changed.name) == ("judge_exam", "judge_stability")


@pytest.mark.slow
@pytest.mark.parametrize("style", [0.0, 1.0])
def test_a_judge_that_follows_text_or_look_alone_is_told(style: float, tmp_path: Path) -> None:
    """Always by the text: every share is one. Always by the look: every share is zero, and flips follow their style."""
    said: list[str] = []
    card, answered = examine_judge(
        grader(style=style), tmp_path, packs=["pricing_fairness"], epochs=1, announce=said.append
    )
    pack = load_pack("pricing_fairness")
    labelled, changed = len(pack.labels), len(changed_answers(pack))
    assert f"{labelled + changed} calls of the judge" in said[0]
    assert len(answered.rows) == labelled + changed
    assert (card.sensitivity.value, card.specificity.value, card.answers) == (1, 1, labelled)
    assert card.label_digest == {"pricing_fairness": pack.label_digest}
    assert sum(one.answers for one in card.stability if one.kind == "together") == changed
    assert {one.steady.value for one in card.stability} == {1 - style}
    assert rows(card)["label_flip", False].look.value == style  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_known_instability_is_found(tmp_path: Path) -> None:
    """A judge that follows the look on three of ten: the truth lies in both intervals, and it wavers less by itself."""
    card, _ = examine_judge(grader(style=0.3), tmp_path, packs=["honesty_vs_helpfulness"], epochs=2)
    for keeps in (True, False):
        found = rows(card)["together", keeps].steady
        assert found.low is not None
        assert found.high is not None
        assert found.low <= 0.7 <= found.high
    kept = rows(card)["together", True].steady
    assert kept.high is not None
    assert kept.high < 0.95
    repeated = rows(card)["together", True].repeated
    assert repeated is not None
    assert repeated.value == 1
    assert card.sensitivity.value == card.specificity.value == 1


@pytest.mark.slow
def test_they_can_be_left_out(tmp_path: Path) -> None:
    """By the option, and by a limit, which keeps its meaning: so many labelled answers and no more."""
    said: list[str] = []
    for folder, options in (("a", {"stability": False, "packs": ["pricing_fairness"]}), ("b", {"limit": 6})):
        card, answered = examine_judge(
            grader(),
            tmp_path / folder,
            epochs=1,
            announce=said.append,
            **options,
        )
        assert (card.stability, card.stability_digest) == ((), "")
        assert (answered.rows["attack"] == "").all()
    assert card.answers == 6
    assert said[1].startswith("6 labelled and 0 changed answers, judged once each: 6 calls")
