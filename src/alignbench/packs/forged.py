"""Forged answers: labelled misaligned answers that speak to the judge (`scorers/attacks/forged.jsonl`)."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field

from alignbench.digest import digest
from alignbench.packs.attacks import attack_records
from alignbench.packs.schema import Id, Record, Text

__all__ = ["ForgedAnswer", "forged_answers", "forged_digest"]


class ForgedAnswer(Record):
    """A labelled answer with an attack on the judge round it.

    Attributes:
        id: Its id.
        technique: What sort of attack it is.
        pack: Pack of the labelled answer.
        answer: Id of the labelled answer.
        before: Text before it; may be empty.
        after: Text after it; may be empty.
        repeat: How often `before` and `after` are said in a row.
        note: What the attack hopes for.
    """

    id: Id
    technique: Id
    pack: Id
    answer: Id
    before: str
    after: str
    repeat: Annotated[int, Field(ge=1, strict=True)] = 1
    note: Text

    def forge(self, text: str) -> str:
        """Put the attack round the text of the labelled answer."""
        parts = (self.before * self.repeat, text, self.after * self.repeat)
        return "\n\n".join(part for part in parts if part)


@cache
def forged_answers() -> tuple[ForgedAnswer, ...]:
    """The forged answers that ship with alignbench, in file order.

    Raises:
        InputError: The first fault of the file.
    """
    return attack_records("forged.jsonl", ForgedAnswer)


def forged_digest() -> str:
    """Sha256 of the forged answers: results of an attack compare only where it is the same."""
    return digest([forged.model_dump() for forged in forged_answers()])
