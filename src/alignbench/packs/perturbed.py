"""Changed answers: does a judge follow the text or the look? (`scorers/attacks/stability.jsonl`).

Each derives from a labelled answer. Some keep its meaning and its label, by a mechanical change or a paraphrase; others
are texts whose look says one thing and whose content another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from alignbench.digest import digest
from alignbench.errors import InputError
from alignbench.packs.attacks import attack_records
from alignbench.packs.load import load_pack
from alignbench.packs.schema import Id, LabelledAnswer, Position, Record, Text, label_problem
from alignbench.packs.transformations import TRANSFORMATIONS
from alignbench.vocabulary import ALIGNED, MISALIGNED, REFUSAL_TYPES, SEVERITY_MAX, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alignbench.packs.load import Pack

__all__ = ["AGAINST", "FLIP", "KEPT", "KINDS", "Changed", "PerturbedAnswer", "changed_answers", "changed_digest",
           "perturbed_answers",
           "perturbed_digest"]  # fmt: skip

PARAPHRASE, FLIP = "paraphrase", "label_flip"
KEPT = (*TRANSFORMATIONS, PARAPHRASE)
"""Kinds of change that keep meaning and label."""
AGAINST = ("step_then_refusal", "partial_compliance", "two_versions", FLIP)
"""Kinds whose look says another thing than the text."""
KINDS = (*KEPT, *AGAINST)
_HASH = 8


class PerturbedAnswer(Record):
    """A line of the file: which answer is changed, how, and what the changed text is.

    Attributes:
        id: Its id.
        kind: What was done, one of KINDS.
        pack: Pack of the labelled answer.
        answer: Id of the labelled answer that it derives from; of a label flip, the one whose style it borrows.
        text: The changed text; null where a function makes it of the answer.
        verdict: Its right verdict; null where it is that of the answer.
        refusal_type: As in a labelled answer.
        severity: Likewise.
        position_1: Likewise.
        position_2: Likewise.
        looks: The verdict that its look suggests; null where the meaning is kept.
        labeller: Who wrote and labelled it.
        note: What makes text and look differ.
    """

    id: Id
    kind: str
    pack: Id
    answer: Id
    text: Text | None = None
    verdict: Verdict | None = None
    refusal_type: str | None = None
    severity: Annotated[int, Field(ge=0, le=SEVERITY_MAX, strict=True)] = 0
    position_1: Position | None = None
    position_2: Position | None = None
    looks: Verdict | None = None
    labeller: Text
    note: str = ""

    @model_validator(mode="after")
    def _fields_agree(self) -> PerturbedAnswer:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r}; allowed: {', '.join(KINDS)}")
        if (self.text is None) != (self.kind in TRANSFORMATIONS):
            raise ValueError(f"text of kind {self.kind!r}; allowed: null exactly where a function makes it")
        if self.kind in KEPT:
            if (self.verdict, self.looks) != (None, None):
                raise ValueError(f"a verdict of kind {self.kind!r}; allowed: null, as it is that of the answer")
            return self
        if self.verdict is None or self.looks in (None, self.verdict):
            raise ValueError("verdict and looks; allowed: two different ones")
        if self.refusal_type not in (None, *REFUSAL_TYPES):
            raise ValueError(f"refusal_type {self.refusal_type!r}; allowed: {', '.join(REFUSAL_TYPES)}")
        problem = label_problem(self.verdict, self.severity, (self.position_1, self.position_2))
        if problem:
            raise ValueError(problem)
        return self


@dataclass(frozen=True, slots=True)
class Changed:
    """A changed answer as the judge sees it.

    Attributes:
        kind: What was done.
        base: The labelled answer that it derives from.
        answer: The changed text with its right verdict. Its id ends with the start of the hash of the text, so that the
            rows of an examination themselves say which text was judged.
        looks: The verdict of somebody who follows the look: where the meaning is kept, another than the right one.
    """

    kind: str
    base: LabelledAnswer
    answer: LabelledAnswer
    looks: str


@cache
def perturbed_answers() -> tuple[PerturbedAnswer, ...]:
    """The lines of the file that ships with alignbench, in file order.

    Raises:
        InputError: The first fault of the file.
    """
    return attack_records("stability.jsonl", PerturbedAnswer)


def changed_answers(pack: Pack) -> tuple[Changed, ...]:
    """The changed answers of a shipped pack; a pack of a user's own has none.

    Raises:
        InputError: One derives from an answer that does not exist, or changes nothing.
    """
    return _changed(pack.id) if pack.reference == pack.id else ()


@cache
def _changed(pack_id: str) -> tuple[Changed, ...]:
    labels = {answer.id: answer for answer in load_pack(pack_id).labels}
    return tuple(_change(line, labels.get(line.answer)) for line in perturbed_answers() if line.pack == pack_id)


def _change(line: PerturbedAnswer, base: LabelledAnswer | None) -> Changed:
    if base is None:
        raise InputError(f"answer {line.answer!r}", item=line.id, allowed="a labelled answer of the pack")
    text = line.text if line.text is not None else TRANSFORMATIONS[line.kind](base.text)
    if text == base.text:
        raise InputError(f"{line.kind!r} changes nothing in {line.answer!r}", item=line.id, allowed="another answer")
    update: dict[str, object] = {"id": f"{line.id}_{hashlib.sha256(text.encode()).hexdigest()[:_HASH]}", "text": text}
    if line.verdict is not None:
        own = ("verdict", "refusal_type", "severity", "position_1", "position_2", "labeller")
        update |= {name: getattr(line, name) for name in own}
    looks = line.looks or (ALIGNED if base.verdict == MISALIGNED else MISALIGNED)
    return Changed(line.kind, base, base.model_copy(update=update), looks)


def changed_digest(ids: Iterable[str]) -> str:
    """Sha256 of some changed answers, by their ids, which end with hashes of the texts."""
    return digest(sorted(ids))


def perturbed_digest(packs: Sequence[Pack]) -> str:
    """The same of every changed answer of some packs."""
    return changed_digest(one.answer.id for pack in packs for one in changed_answers(pack))
