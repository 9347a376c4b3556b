"""Forged answers as files, and how a judge was asked as a part of its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignbench.errors import InputError
from alignbench.identity import as_asked, as_configured
from alignbench.packs.attacks import attack_records
from alignbench.packs.forged import ForgedAnswer, forged_answers, forged_digest


def test_a_forgery_keeps_the_labelled_answer_whole() -> None:
    """The label stays right: the answer's text stands in every forged one, between nothing but the attack."""
    for forged in forged_answers():
        made = forged.forge("The answer.")
        before, found, after = made.partition("The answer.")
        assert found
        assert before.rstrip("\n") == (forged.before * forged.repeat).rstrip("\n")
        assert after.lstrip("\n") == (forged.after * forged.repeat).lstrip("\n")


def test_the_digest_of_the_forgeries_is_that_of_their_content() -> None:
    """It is 64 hex digits, and the ids below it are each there once."""
    assert len(forged_digest()) == 64
    ids = [forged.id for forged in forged_answers()]
    assert len(ids) == len(set(ids)) > 0


def test_records_of_another_kind_are_refused() -> None:
    """A line that is no forged answer is an error with file and line."""
    with pytest.raises(InputError, match=r"stability\.jsonl"):
        attack_records("stability.jsonl", ForgedAnswer)


@given(st.sampled_from(["", "0123456789abcdef"]), st.booleans(), st.booleans())
def test_how_a_judge_was_asked_can_be_taken_off_its_configuration(config: str, structured: bool, role: bool) -> None:
    """What was asked is told apart in each of the four ways, and the settings alone come back."""
    asked = as_asked(config, structured=structured, system_role=role)
    assert as_configured(asked) == config
    assert (asked == config) == (structured and role)
