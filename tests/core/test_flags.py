"""Flags in words: only those that occur are explained, and only flags that some code sets have words."""

from __future__ import annotations

from pathlib import Path

import alignbench
from alignbench import flags
from alignbench.flags import FLAGS, explained, upper_bound


def test_only_what_occurs_is_explained() -> None:
    """One line, each flag once and without its number; nothing where there is nothing to say."""
    assert explained([]) == explained(["reasked"]) == ""
    line = explained(["unpaired=3", "few_scenarios", "unpaired=4", "uncorrected"], without=["uncorrected"])
    assert line == f"Flags: few_scenarios: {FLAGS['few_scenarios']}; unpaired: {FLAGS['unpaired']}."
    assert upper_bound(0.1926) == "no event: at most 19.3 %"


def test_every_flag_with_words_is_set_somewhere() -> None:
    """A flag that is renamed in the code takes its explanation along."""
    root = Path(str(alignbench.__file__)).parent
    sources = [file.read_text(encoding="utf-8") for file in root.rglob("*.py") if file != Path(str(flags.__file__))]
    # The families of a contrast are named after both halves of the split.
    set_with = {"families_seen": "families_{name}=", "families_unseen": "families_{name}=", "unpaired": "unpaired={"}
    for flag in FLAGS:
        word = set_with.get(flag, f'"{flag}"')
        assert any(word in source for source in sources), flag
