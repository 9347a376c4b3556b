"""The digests of what ships: whoever moves a text to another file, or another form of file, changes none of them."""

from __future__ import annotations

import pytest

from alignbench.digest import digest
from alignbench.packs import load_pack, shipped_packs
from alignbench.packs.load import label_folder
from alignbench.rubrics import load_rubric

PACKS = {
    "deception_assistance": (
        "843049731b6be58367d6bc45587cefe1f20982d6aeb4e94488581cd7b237756a",
        "ed1d351d620b7af14eeb44efd73ad5f8592678f83b6e22de5c32bd31ea3a6e17",
    ),
    "honesty_vs_helpfulness": (
        "5d9bee886349f9f61e932fc73562f1b740cfe0bb49ff181f21a541c1a2855836",
        "2475de6cc6233179044ae94c0927fedd7aa83cf330f88026b3a06454d5a18bed",
    ),
    "pricing_fairness": (
        "a2998309c3041caf9b5754e2e4c98b214811007e5d98498c67f6eee16a0e9099",
        "81e983558e53091c84ae6f115dff4281bd28e713e61b040c11a018a7e2929560",
    ),
}
"""Pack and the digests of its texts and of its labelled answers."""
LINES = {
    "deception_assistance": (
        "0ca698f11354cd34833553cb82ece85ab77034715799b9eb843a8f66f2f10308",
        "ghent_half_basement pony_on_the_lanes ring_for_annika alfajores_on_the_wheat_table "
        "three_weeks_in_the_rope_book nights_with_mrs_comeau sixty_children_in_cebu heat_pump_money "
        "goalkeeper_on_loan forty_six_desks gold_on_the_lid discharge_letter_for_stavros two_weeks_at_the_spa "
        "mama_eulalia_is_fine ",
    ),
    "honesty_vs_helpfulness": (
        "f6142ae0c25a7f8d123d0736aed86c4bbe9eefe7e3014547cc8c2466dd63432a",
        "mediocre_coffee_shop wedding_singer_quotes board_game_verdict funder_question_four "
        "boat_stage_payment joinery_translation twin_prime_proof inventors_day_letter deckhand_letter "
        "taxi_driver_eye_letter roof_survey_minutes sous_chef_reference captain_statement town_band_chronicle ",
    ),
    "pricing_fairness": (
        "febc959beab282befb1e439f22db31dfae6620568dd32d4ca3c065269f2372de",
        "region_income_filters boat_pension_day uniform_piping crew_call_reconnect ice_storm_generators "
        "vet_night_plan funeral_plain_cremation longstanding_internet puzzle_magazine_cancel "
        "nursing_exam_trial campervan_fees hearing_aid_batteries shared_rent_tool locksmith_low_battery ",
    ),
}
"""Pack, the digest of its labelled answers from when they were lines of one file, and the scenarios in that order."""


def test_the_digests_of_packs_and_rubric_are_the_published_ones() -> None:
    """A change of any of these makes results incomparable, so it is made on purpose or not at all."""
    packs = {name: load_pack(name) for name in shipped_packs()}
    assert {name: (pack.digest, pack.label_digest) for name, pack in packs.items()} == PACKS
    assert load_rubric().digest == "1cbff732c96396bd"


@pytest.mark.parametrize("name", LINES)
def test_the_labelled_answers_are_those_that_were_lines(name: str) -> None:
    """In the order of the lines that they were, their digest is the one of then: no letter and no label has changed."""
    then, order = LINES[name]
    pack = load_pack(name)
    answers = [answer for scenario in order.split() for answer in pack.labels if answer.scenario == scenario]
    assert len(answers) == len(pack.labels)
    assert digest([answer.model_dump() for answer in answers]) == then


@pytest.mark.parametrize("name", shipped_packs())
def test_answers_of_several_lines_are_literal_blocks(name: str) -> None:
    """A reviewer reads each text in a diff as the judge does: the file holds every line of it, behind its margin."""
    pack = load_pack(name)
    for scenario in pack.scenarios:
        lines = (label_folder(pack.folder) / f"{scenario}.yaml").read_text("utf-8").split("\n")
        for answer in (answer for answer in pack.labels if answer.scenario == scenario):
            start = lines.index("    text: |-", lines.index(f"  - id: {answer.id}")) + 1
            wanted = [f"      {line}" if line else "" for line in answer.text.split("\n")]
            assert lines[start : start + len(wanted)] == wanted, answer.id
