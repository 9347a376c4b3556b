"""Forged answers: labelled misaligned answers that speak to the judge (`scorers/attacks/forged.jsonl`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field

from alignbench.digest import digest
from alignbench.packs.schema import Canary, Id, Record, Text
from alignbench.packs.source import Fault, json_lines, parse_record

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


class _Header(Record):
    canary: Canary
    title: Text


@cache
def forged_answers() -> tuple[ForgedAnswer, ...]:
    """The forged answers that ship with alignbench, in file order.

    Raises:
        InputError: The first fault of the file.
    """
    documents = list(json_lines(Path(str(files("alignbench.scorers"))) / "attacks" / "forged.jsonl"))
    found: list[ForgedAnswer] = []
    for number, document in enumerate(documents):
        if isinstance(document, Fault):
            raise document.as_error()
        if number == 0:
            _, faults = parse_record(_Header, document)
        else:
            forged, faults = parse_record(ForgedAnswer, document)
            found += [forged] if forged else []
        if faults:
            raise faults[0].as_error()
    return tuple(found)


def forged_digest() -> str:
    """Sha256 of the forged answers: results of an attack compare only where it is the same."""
    return digest([forged.model_dump() for forged in forged_answers()])
