"""What every pack that ships must be, beyond what `alignbench packs validate` asks of anybody's pack."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from alignbench.packs import Pack, Scenario, load_pack, shipped_packs
from alignbench.packs.check import validate_packs
from alignbench.packs.load import label_folder
from alignbench.rubrics import load_rubric
from alignbench.run.models.persona import PERSONAS, SampleKey, match_label

SCENARIOS = Path(str(files("alignbench.scenarios")))
CANARY = re.compile(r"alignbench:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture(params=shipped_packs())
def pack(request: pytest.FixtureRequest) -> Pack:
    """Each shipped pack in turn."""
    return load_pack(request.param)


@cache
def pairs() -> Counter[tuple[str, str]]:
    """How many scenarios of all packs set two values against each other, the values in alphabetical order."""
    found: Counter[tuple[str, str]] = Counter()
    for name in shipped_packs():
        pack = load_pack(name)
        for scenario in pack.scenarios.values():
            first, second = sorted(value.id for value in pack.pair(scenario))
            found[first, second] += 1
    return found


def squeezed(text: str) -> str:
    """A text without regard to spacing and case."""
    return " ".join(text.casefold().split())


def test_there_are_no_faults_and_no_warnings() -> None:
    """`alignbench packs validate` finds nothing in any of them."""
    faults, packs = validate_packs()
    assert [str(fault) for fault in faults] == []
    assert [pack.id for pack in packs] == list(shipped_packs())


def test_a_pack_has_twelve_conflicts_or_more(pack: Pack) -> None:
    """Fewer scenarios say little about a model."""
    assert len(pack.scenarios) >= 12


def test_every_scenario_has_three_nudges_and_a_twin_of_its_own(pack: Pack) -> None:
    """The four requests of a scenario differ, and the twin looks like the conflict: it is about as long."""
    for scenario in pack.scenarios.values():
        prompts = [*scenario.prompts.model_dump().values(), scenario.twin.prompt]
        assert len({squeezed(prompt) for prompt in prompts}) == 4, scenario.id
        ratio = len(scenario.twin.prompt) / len(scenario.prompts.neutral)
        assert 0.5 < ratio < 2, scenario.id


def test_every_conflict_has_the_four_answers_and_every_twin_two(pack: Pack) -> None:
    """Aligned, blatantly and subtly misaligned, refused; and helped and refused for the twin."""
    for name in pack.scenarios:
        conflict = [answer for answer in pack.answers(name, twin=False) if answer.condition == "default"]
        verdicts = Counter(answer.verdict for answer in conflict)
        assert len(conflict) >= 4, name
        assert verdicts["aligned"] >= 1, name
        assert verdicts["misaligned"] >= 2, name
        assert verdicts["refused"] >= 1, name
        assert {"blatant", "subtle"} <= {answer.kind for answer in conflict}, name
        assert {"aligned", "refused"} <= {answer.verdict for answer in pack.answers(name, twin=True)}, name


def test_the_texts_of_a_scenario_are_unique_and_none_holds_another(pack: Pack) -> None:
    """A judge that finds an answer in its prompt has found that answer and no other."""
    for name in pack.scenarios:
        texts = [squeezed(answer.text) for answer in pack.labels if answer.scenario == name]
        inside = [one for at, one in enumerate(texts) for to, two in enumerate(texts) if at != to and one in two]
        assert inside == [], name


def judge_prompt(pack: Pack, scenario: Scenario, prompt: str, answer: str, *, twin: bool) -> str:
    """What a judge is shown of an answer, as far as texts of the pack stand in it."""
    said = [scenario.system_prompt(twin=twin) or "", *(turn.content for turn in scenario.history(twin=twin))]
    transcript = "\n\n".join([*said, prompt, answer])
    fields = {
        "standard_misaligned": pack.meta.standard.misaligned,
        "standard_aligned": pack.meta.standard.aligned,
        "misaligned_if": scenario.misaligned_if,
        "aligned_if": scenario.twin.aligned_if if twin else scenario.aligned_if,
        "judged": "[2]",
        "transcript": transcript,
    }
    return load_rubric().fill({**dict.fromkeys(("value_1", "value_2"), ""), **fields})


def test_the_scripted_grader_recognises_every_answer(pack: Pack) -> None:
    """In the judge's prompt for each nudge and for the twin it finds exactly the answer that was given."""
    for scenario in pack.scenarios.values():
        for twin in (False, True):
            answers = pack.answers(scenario.id, twin=twin)
            prompts = [scenario.twin.prompt] if twin else list(scenario.prompts.model_dump().values())
            for prompt in prompts:
                cases = {answer.id: judge_prompt(pack, scenario, prompt, answer.text, twin=twin) for answer in answers}
                found = {name: match_label(case, answers) for name, case in cases.items()}
                assert {name: label and label.id for name, label in found.items()} == {name: name for name in cases}
                assert match_label(judge_prompt(pack, scenario, prompt, "Something else.", twin=twin), answers) is None


def test_every_persona_has_something_to_say(pack: Pack) -> None:
    """Whatever a named persona does at a sample, there is a labelled answer of that verdict."""
    for name in pack.scenarios:
        for twin in (False, True):
            verdicts = {answer.verdict for answer in pack.answers(name, twin=twin)}
            keys = [SampleKey(f"{name}/{epoch}", name, twin, "default", epoch) for epoch in range(1, 11)]
            acts = {persona.act(key) for persona in PERSONAS.values() for key in keys}
            assert acts <= verdicts, name


def test_families_are_held_out_whole(pack: Pack) -> None:
    """A family is seen or unseen as a whole, and there are families of both kinds."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for scenario in pack.scenarios.values():
        splits[scenario.family].add(scenario.split)
    assert {family: found for family, found in splits.items() if len(found) > 1} == {}
    assert set.union(*splits.values()) == {"seen", "unseen"}


def test_scenario_ids_are_unique_over_all_packs() -> None:
    """Tables that hold several packs can be read by scenario."""
    counts = Counter(name for pack in shipped_packs() for name in load_pack(pack).scenarios)
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_value_is_used_and_stands_in_two_pairs() -> None:
    """Eight to twelve values, each compared with two others or more."""
    values = load_pack(shipped_packs()[0]).values
    partners = {name: {other for pair in pairs() if name in pair for other in pair} - {name} for name in values}
    assert 8 <= len(values) <= 12
    assert {name: sorted(met) for name, met in partners.items() if len(met) < 2} == {}


def test_every_pair_of_values_stands_in_three_scenarios() -> None:
    """A pair in one scenario would measure that scenario."""
    assert {pair: count for pair, count in pairs().items() if count < 3} == {}


def test_the_values_connect() -> None:
    """From each value every other one can be reached, so that they have one order."""
    names = {name for pair in pairs() for name in pair}
    reached, frontier = set(), {min(names)}
    while frontier:
        reached |= frontier
        frontier = {name for pair in pairs() if reached & set(pair) for name in pair} - reached
    assert reached == names


def test_every_file_carries_the_canary_of_its_pack(pack: Pack) -> None:
    """Whichever file leaks into training data can be recognised, and its pack be told."""
    paths = [path for folder in (pack.folder, label_folder(pack.folder)) for path in folder.rglob("*.*")]
    assert len(paths) == 2 * len(pack.scenarios) + 2
    found = {str(path): set(CANARY.findall(path.read_text(encoding="utf-8"))) for path in paths}
    assert {name: canaries for name, canaries in found.items() if canaries != {pack.meta.canary}} == {}


def test_common_files_carry_a_canary_and_no_two_packs_share_one() -> None:
    """values.yaml and conditions.yaml have one of their own."""
    texts = [(SCENARIOS / name).read_text(encoding="utf-8") for name in ("values.yaml", "conditions.yaml")]
    common = {canary for text in texts for canary in CANARY.findall(text)}
    own = [load_pack(name).meta.canary for name in shipped_packs()]
    assert all(CANARY.search(text) for text in texts)
    assert len({*common, *own}) == len(common) + len(own)


def test_the_card_says_who_wrote_and_who_checked(pack: Pack) -> None:
    """AI assistance, who has checked the labels, and the limits are told, in the card and in pack.yaml."""
    card = squeezed((pack.folder / "CARD.md").read_text(encoding="utf-8"))
    for text in (card, squeezed(pack.meta.provenance)):
        assert re.search(r"\bai[- ]assist", text)
        assert re.search(r"\bchecked\b[^.]*\blabels\b|\blabels\b[^.]*\bchecked\b", text)
    assert "## limits" in card
    assert pack.meta.licence.casefold() in card


def test_the_card_counts_what_is_there(pack: Pack) -> None:
    """Every family and the number of scenarios stand in the card as they are."""
    card = (pack.folder / "CARD.md").read_text(encoding="utf-8")
    families = {scenario.family for scenario in pack.scenarios.values()}
    assert [family for family in sorted(families) if family not in card] == []
    assert re.search(rf"\b{len(pack.scenarios)}\b", card)
    stated = re.search(r"(\d+) (?:labelled )?answers", card)
    assert stated is None or int(stated.group(1)) == len(pack.labels)
