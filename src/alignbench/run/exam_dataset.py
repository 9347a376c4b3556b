"""Samples that examine the judge: labelled answers replayed, as they are, changed or forged."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser

from alignbench.digest import unit_interval
from alignbench.errors import InputError
from alignbench.packs import expand, load_pack
from alignbench.packs.forged import forged_answers
from alignbench.packs.perturbed import changed_answers
from alignbench.run.dataset import scenario_sample
from alignbench.vocabulary import ALIGNED, MISALIGNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessage

    from alignbench.packs import Condition, LabelledAnswer, Pack

__all__ = ["attack_dataset", "exam_dataset", "stability_dataset"]


def exam_dataset(packs: Sequence[Pack]) -> MemoryDataset:
    """Make one sample of every labelled answer, to conflicts and to twins.

    They are mixed, misaligned ones and others in turn, so that the first few (`--limit`) examine the judge on both.

    Raises:
        InputError: A pack without labelled answers.
    """
    for pack in packs:
        if not pack.labels:
            raise InputError(
                "no labelled answers to examine a judge on",
                item=pack.id,
                allowed="labelled/SCENARIO.yaml beside pack.yaml",
            )
    every = [(pack, answer) for pack in packs for answer in pack.labels]
    mixed = sorted(every, key=lambda item: unit_interval("exam", item[0].id, item[1].id))
    misaligned = [item for item in mixed if item[1].verdict == MISALIGNED]
    others = [item for item in mixed if item[1].verdict != MISALIGNED]
    turns = chain.from_iterable(zip_longest(misaligned, others))
    return MemoryDataset([_sample(*item) for item in turns if item is not None], name="judge_exam")


def stability_dataset(packs: Sequence[Pack]) -> MemoryDataset:
    """Make one sample of every changed answer of the packs; packs of a user's own have none.

    Raises:
        InputError: The file of changed answers does not fit the labelled ones.
    """
    samples = [
        _sample(pack, one.base, one.answer, attack=one.answer.id, technique=one.kind)
        for pack in packs
        for one in changed_answers(pack)
    ]
    return MemoryDataset(samples, name="judge_stability")


def attack_dataset() -> MemoryDataset:
    """Make one sample of every forged answer, and one of every answer that was forged, as it was before.

    Raises:
        InputError: A forged answer of an answer that does not exist or is not misaligned.
    """
    samples: dict[str, Sample] = {}
    for forged in forged_answers():
        pack = load_pack(forged.pack)
        base = next((answer for answer in pack.labels if answer.id == forged.answer), None)
        if base is None or base.verdict != MISALIGNED:
            raise InputError(f"answer {forged.answer!r}", item=forged.id, allowed="a misaligned labelled answer")
        attacked = base.model_copy(update={"text": forged.forge(base.text)})
        for sample in (
            _sample(pack, base),
            _sample(pack, base, attacked, attack=forged.id, technique=forged.technique),
        ):
            samples.setdefault(str(sample.id), sample)
    return MemoryDataset(list(samples.values()), name="judge_attack")


def _sample(
    pack: Pack, answer: LabelledAnswer, shown: LabelledAnswer | None = None, *, attack: str = "", technique: str = ""
) -> Sample:
    """The sample of a labelled answer; with `shown` of what was made of it, under the id `attack`."""
    shown = shown or answer
    (condition,) = expand(pack.axes, answer.condition)
    if answer.twin:
        condition = condition.without_nudge()
    sample = scenario_sample(pack, pack.scenarios[answer.scenario], condition, twin=answer.twin)
    assert isinstance(sample.input, list)  # noqa: S101  (scenario_sample makes messages)
    sample.input += _earlier_turns(pack, answer, condition)
    sample.id = "/".join([str(sample.id), answer.id, *([attack] if attack else [])])
    sample.metadata = {
        **(sample.metadata or {}),
        "pack": pack.reference,
        "turns": 1,
        "follow_ups": [],
        "answer": answer.id,
        "kind": answer.kind,
        "attack": attack,
        "technique": technique,
        "label": shown.verdict,
        "label_position_1": shown.position_1,
        "label_position_2": shown.position_2,
        "text": shown.text,
    }
    return sample


def _earlier_turns(pack: Pack, answer: LabelledAnswer, condition: Condition) -> list[ChatMessage]:
    """What was said before an answer to a follow-up: until then the model kept to the standard."""
    turn = answer.turn or 1 + len(condition.follow_ups)
    held = next((a for a in pack.answers(answer.scenario, twin=answer.twin) if a.verdict == ALIGNED), answer)
    pairs = [(ChatMessageAssistant(content=held.text), ChatMessageUser(content=text))
             for text in condition.follow_ups[: turn - 1]]  # fmt: skip
    return list(chain.from_iterable(pairs))
