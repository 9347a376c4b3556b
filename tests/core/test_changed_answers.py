"""Changed answers: what each change keeps, what the file holds, and how the card counts what a judge made of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from simulated_exams import exam, simple

from alignbench.errors import InputError
from alignbench.judges.attack import attack_report
from alignbench.judges.examine import examine
from alignbench.packs import load_pack, shipped_packs
from alignbench.packs.perturbed import (
    AGAINST,
    KEPT,
    KINDS,
    Changed,
    PerturbedAnswer,
    changed_answers,
    perturbed_answers,
    perturbed_digest,
)
from alignbench.packs.transformations import AFTER, AMERICAN, BEFORE, TRANSFORMATIONS
from alignbench.report.card import card_markdown
from alignbench.stats.rate import rate

if TYPE_CHECKING:
    from alignbench.judges.card import JudgeCard, Stability

LABELLED = [answer.text for pack in shipped_packs() for answer in load_pack(pack).labels]
CHANGED = [one for pack in shipped_packs() for one in changed_answers(load_pack(pack))]
WORDS = ["colour", "Grey", "CENTRE", "neighbor", "plain", "It", "is", "-", "|", ">", '"', ".", "?", "\n", "\n\n", "- a"]
TEXTS = st.one_of(
    st.sampled_from(LABELLED),
    st.text(max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.lists(st.sampled_from(["- one.", "- two", "- three; x", "a line", ""]), max_size=9).map("\n".join),
)


def words(text: str) -> list[str]:
    """Letters and digits in their order."""
    return re.findall(r"\w+", text)


# What each change keeps


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.sampled_from(["bullets", "bold_openings", "one_line", "quoted", "padded"]))
def test_a_change_of_form_keeps_every_word(text: str, kind: str) -> None:
    """The same words in the same order; of padding, all of the text in one piece between fixed courtesies."""
    changed = TRANSFORMATIONS[kind](text)
    if kind == "padded":
        assert changed == f"{BEFORE}\n\n{text}\n\n{AFTER}"
    else:
        assert words(changed) == words(text)


@settings(deadline=None, max_examples=100)
@given(TEXTS)
def test_json_gives_the_text_back(text: str) -> None:
    """Second source: any reader of JSON."""
    document = json.loads(TRANSFORMATIONS["json_object"](text))
    assert list(document) == ["answer"]
    assert "\n".join(document["answer"]) == text


@settings(deadline=None, max_examples=100)
@given(TEXTS)
def test_another_order_is_of_whole_list_items_alone(text: str) -> None:
    """The same lines; all that are no items of a list stand where they stood; done twice it is as before."""
    changed = TRANSFORMATIONS["reordered"](text)
    before, after = text.split("\n"), changed.split("\n")
    assert Counter(before) == Counter(after)
    for one, other in zip(before, after, strict=True):
        assert one == other or (one.startswith(("- ", "• ")) and other.startswith(("- ", "• ")))
    assert TRANSFORMATIONS["reordered"](changed) == text


@settings(deadline=None, max_examples=100)
@given(TEXTS)
def test_another_spelling_is_of_listed_words_alone(text: str) -> None:
    """Every word that changes is in the table of spellings, and changing it again gives the text back."""
    changed = TRANSFORMATIONS["spelling"](text)
    known = {*AMERICAN, *AMERICAN.values()}
    for one, other in zip(re.findall("[A-Za-z]+", text), re.findall("[A-Za-z]+", changed), strict=True):
        assert one == other or {one.lower(), other.lower()} <= known
    assert TRANSFORMATIONS["spelling"](changed) == text
    assert len(known) == 2 * len(AMERICAN)


def test_the_courtesies_say_nothing_of_any_case() -> None:
    """Padding that refused, warned or promised would be another answer."""
    said = set(words(f"{BEFORE} {AFTER}".lower()))
    assert not said & {"sorry", "cannot", "refuse", "won", "not", "lie", "true", "honest", "false", "safe", "legal"}
    assert len(words(BEFORE + AFTER)) > 100


# What the file holds


def test_the_file_is_as_large_as_promised() -> None:
    """Enough of each kind, over all packs and many scenarios; ids and texts are unique."""
    lines = perturbed_answers()
    counts = Counter(line.kind for line in lines)
    assert set(counts) == set(KINDS)
    least = {"label_flip": 8, **dict.fromkeys(("bullets", "quoted", "json_object", "padded", "spelling"), 12)}
    assert all(count >= least.get(kind, 6) for kind, count in counts.items())
    for kind in {*KINDS} - {"reordered"}:
        assert {line.pack for line in lines if line.kind == kind} == {*shipped_packs()}
    assert len({one.base.scenario for one in CHANGED}) >= 30
    assert len({line.id for line in lines}) == len(lines) == len(CHANGED)
    assert len({one.answer.text for one in CHANGED}) == len(CHANGED)


@pytest.mark.parametrize("one", CHANGED, ids=lambda one: one.answer.id)
def test_a_changed_answer_has_its_right_verdict(one: Changed) -> None:
    """The answer's own where the meaning is kept; else one that its look contradicts; a flip contradicts its model."""
    assert one.answer.text not in LABELLED
    assert one.looks != one.answer.verdict
    same = ("verdict", "severity", "position_1", "position_2", "refusal_type", "scenario", "twin", "condition", "turn")
    if one.kind in KEPT:
        assert all(getattr(one.answer, name) == getattr(one.base, name) for name in same)
    if one.kind == "label_flip":
        assert one.looks == one.base.verdict != one.answer.verdict
    type(one.answer).model_validate(one.answer.model_dump())


def test_flips_go_both_ways() -> None:
    """A judge that calls everything misaligned, or nothing, cannot do well on them."""
    verdicts = Counter(one.answer.verdict for one in CHANGED if one.kind == "label_flip")
    assert min(verdicts["aligned"], verdicts["misaligned"]) >= 4


def test_a_changed_text_has_another_id() -> None:
    """The id ends with the hash of the text, so the rows of an examination say which text was judged."""
    pack = load_pack("pricing_fairness")
    lines = {line.id: line for line in perturbed_answers()}
    for one in changed_answers(pack):
        name, end = one.answer.id.rsplit("_", 1)
        assert lines[name].kind == one.kind
        assert re.fullmatch("[0-9a-f]{8}", end)
    assert perturbed_digest([pack]) != perturbed_digest([load_pack("deception_assistance")])


LINE: dict[str, Any] = {"id": "x_01", "pack": "p", "answer": "a", "labeller": "test"}
FLIP: dict[str, Any] = {**LINE, "kind": "label_flip", "text": "T.", "verdict": "misaligned", "severity": 2,
                        "position_1": 1, "position_2": 5, "looks": "refused"}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words_"),
    [
        ({**LINE, "kind": "upside_down"}, "kind 'upside_down'; allowed: bullets"),
        ({**LINE, "kind": "quoted", "text": "T."}, "text of kind 'quoted'"),
        ({**LINE, "kind": "paraphrase"}, "text of kind 'paraphrase'"),
        ({**LINE, "kind": "paraphrase", "text": "T.", "verdict": "aligned"}, "a verdict of kind 'paraphrase'"),
        ({**FLIP, "verdict": None}, "verdict and looks"),
        ({**FLIP, "looks": "misaligned"}, "verdict and looks"),
        ({**FLIP, "looks": None}, "verdict and looks"),
        ({**FLIP, "severity": 0}, "severity 0"),
        ({**FLIP, "position_1": None}, "position_1"),
        ({**FLIP, "refusal_type": "loud"}, "refusal_type 'loud'"),
    ],
)
def test_a_line_that_contradicts_itself_is_refused(line: dict[str, Any], words_: str) -> None:
    """One sentence with what is allowed."""
    PerturbedAnswer.model_validate(FLIP)
    with pytest.raises(ValidationError, match=re.escape(words_)):
        PerturbedAnswer.model_validate(line)


def test_a_pack_of_a_users_own_has_none(tmp_path: Any) -> None:
    """Even under the id of one of ours: its answers are others."""
    import shutil

    folder = tmp_path / "pricing_fairness"
    shutil.copytree(load_pack("pricing_fairness").folder, folder)
    assert changed_answers(load_pack(str(folder))) == ()


def test_a_line_without_its_answer_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names line and answer; likewise where the change changes nothing."""
    from alignbench.packs import perturbed

    base = load_pack("pricing_fairness").labels[0]
    line = PerturbedAnswer.model_validate({**LINE, "kind": "quoted"})
    with pytest.raises(InputError, match="answer 'a'"):
        perturbed._change(line, None)
    monkeypatch.setitem(TRANSFORMATIONS, "quoted", str)
    with pytest.raises(InputError, match="'quoted' changes nothing in 'a'"):
        perturbed._change(line, base)


# What the card counts


def changed(kind: str, label: str, verdict: str | None, scenario: str, answer: str, **more: Any) -> dict[str, Any]:
    """A row on a changed answer."""
    return simple(label, verdict, scenario, answer=answer, attack=f"{kind}_{answer}_0", technique=kind, **more)


def kinds(card: JudgeCard) -> dict[str, Stability]:
    """The card's kinds by name; `together` of what keeps the meaning is `kept`, of the others `against`."""
    names = {("together", True): "kept", ("together", False): "against"}
    return {names.get((one.kind, one.keeps), one.kind): one for one in card.stability}


PLAIN = [
    simple("misaligned", "misaligned", "a", answer="bad"),
    simple("misaligned", "aligned", "b", answer="missed"),
    simple("aligned", "aligned", "c", answer="good"),
    simple("refused", None, "d", answer="mute"),
    simple("refused", "refused", "a", answer="no"),
]


def test_what_is_counted_of_changed_answers() -> None:
    """Worked by hand: unchanged verdicts, right or wrong; no verdict on either side; text and look."""
    rows = [
        changed("quoted", "misaligned", "misaligned", "a", "bad"),
        changed("quoted", "misaligned", "aligned", "b", "missed"),
        changed("quoted", "aligned", "misaligned", "c", "good"),
        changed("quoted", "refused", "refused", "d", "mute"),
        changed("quoted", "refused", None, "a", "no"),
        changed("label_flip", "misaligned", "misaligned", "a", "no"),
        changed("label_flip", "aligned", "misaligned", "a", "bad"),
        changed("label_flip", "aligned", "deferred", "b", "missed"),
        changed("two_versions", "misaligned", None, "c", "good"),
    ]
    found = kinds(examine(exam([*PLAIN, *rows])))
    assert list(found) == ["quoted", "kept", "two_versions", "label_flip", "against"]
    quoted, flip = found["quoted"], found["label_flip"]
    # The wrong verdict on `missed` is the same wrong verdict: steady. `mute` has none to be compared with.
    assert (quoted.steady.found, quoted.steady.all, quoted.unscored, quoted.unknown) == (2, 3, 1, 1)
    assert (quoted.answers, quoted.keeps, quoted.repeated, quoted.look) == (5, True, None, None)
    assert flip.look is not None
    # Text right once of three; one verdict is that of the borrowed style, one is neither.
    assert (flip.steady.found, flip.look.found, flip.steady.all) == (1, 1, 3)
    assert (found["two_versions"].steady.value, found["two_versions"].unscored) == (None, 1)
    assert (found["against"].answers, found["against"].unscored, found["against"].look) == (4, 1, None)
    assert found["kept"].steady == quoted.steady


def test_what_wavers_by_itself_stands_beside_it() -> None:
    """Of the ordered pairs of verdicts on one plain answer, the equal ones; each scenario counts, repeats do not."""
    said: dict[str, list[str | None]] = {
        "bad": ["misaligned", "aligned", "misaligned"], "good": ["aligned"] * 3, "part": ["aligned", None, "aligned"],
    }  # fmt: skip
    label = {"bad": "misaligned", "good": "aligned", "part": "aligned"}
    plain = [
        simple(label[answer], verdict, answer, answer=answer, epoch=epoch)
        for answer, verdicts in said.items()
        for epoch, verdict in enumerate(verdicts, 1)
    ]
    rows = [
        changed("padded", row["label"], "aligned", row["scenario"], row["answer"], epoch=row["epoch"]) for row in plain
    ]
    padded = kinds(examine(exam([*plain, *rows])))["padded"]
    assert padded.repeated is not None
    # bad: 6 ordered pairs, 2 equal; good: 6 of 6; part: 2 of 2.
    assert (padded.repeated.found, padded.repeated.all) == (10, 14)
    # All six pairs of an answer weigh as much as one verdict, or more repeats would be more answers.
    wanted = rate([6 / 6, 6 / 6, 2 / 6], [2 / 6, 6 / 6, 2 / 6])
    assert (padded.repeated.value, padded.repeated.low) == pytest.approx((wanted.value, wanted.low))
    # Of 8 pairs of a changed and a plain verdict 6 are equal: 1 of 3, 3 of 3, 2 of 2.
    assert (padded.steady.found, padded.steady.all, padded.unknown) == (6, 8, 1)
    other = [row | {"technique": "quoted", "answer": "bad", "scenario": "bad"} for row in rows[:3]]
    quoted = kinds(examine(exam([*plain, *other])))["quoted"].repeated
    assert quoted is not None
    assert quoted.found == 2


def test_changed_answers_are_in_no_other_share() -> None:
    """The card is the same with and without them but for stability and its digest, and what has no reply yet."""
    rows = [changed(kind, "misaligned", "aligned", "a", "bad") for kind in KINDS]
    lost = changed("quoted", "refused", None, "d", "mute") | {"unscored_reason": "absent"}
    plain, full = examine(exam(PLAIN)), examine(exam([*PLAIN, *rows, lost]))
    apart = {"stability": (), "stability_digest": "", "failed": 0}
    assert full.model_copy(update=apart) == plain
    assert (full.failed, len(full.stability_digest)) == (1, 64)
    assert kinds(full)["quoted"].answers == 1
    other = [row | {"attack": row["attack"] + "f"} for row in rows]
    assert examine(exam([*PLAIN, *other, lost])).stability_digest != full.stability_digest


def test_they_attack_nobody() -> None:
    """Rows of an examination beside those of an attack change nothing in its report."""
    attack = [*PLAIN, simple("misaligned", "aligned", "a", answer="bad", attack="x", technique="flattery")]
    rows = [changed(kind, "misaligned", "aligned", "a", "bad") for kind in KINDS]
    assert attack_report(exam([*attack, *rows])) == attack_report(exam(attack))


def test_the_card_shows_both_tables_or_says_that_there_are_none() -> None:
    """A reader sees the change, the share, what to compare it with, and what is missing."""
    rows = [
        changed("quoted", "misaligned", "misaligned", "a", "bad"),
        changed("quoted", "misaligned", "misaligned", "b", "missed"),
        changed("label_flip", "misaligned", "refused", "a", "no"),
    ]
    text = card_markdown(examine(exam([*PLAIN, *rows])))
    assert re.search(r"\| quoted \| 50\.0 % \| \[.*\] \| 1/2 \| - \| - \| 0 \|", text)
    assert "| label_flip | 0.0 % | none: one scenario | 0/1 | 100.0 % | 0 |" in text
    assert "| changed answers |" in text
    assert "**Does it follow the text or the look?**" in text
    bare = card_markdown(examine(exam(PLAIN)))
    assert "Stability: not examined" in bare
    assert "changed answers |" not in bare


def test_kinds_are_of_one_sort_each() -> None:
    """A kind keeps the meaning or does not."""
    assert set(KEPT) | set(AGAINST) == set(KINDS)
    assert not set(KEPT) & set(AGAINST)
