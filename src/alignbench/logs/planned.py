"""The samples that were planned and are not in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from alignbench.circumstances import NUDGE, level_of, without_nudge
from alignbench.logs.layout import Summary
from alignbench.logs.read import planned_samples
from alignbench.packs import expand, load_pack, shipped_packs
from alignbench.packs.forged import forged_answers, forged_digest
from alignbench.packs.perturbed import KINDS, changed_answers
from alignbench.vocabulary import NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alignbench.logs.read import Log
    from alignbench.packs import LabelledAnswer, Pack

__all__ = ["absent_samples"]

S = TypeVar("S", bound=Summary)
Facts = dict[str, Any]

_OF_SCENARIO = ("family", "split", "value_1", "value_2")
_OF_ANSWER = ("kind", "label", "label_position_1", "label_position_2")


def absent_samples(log: Log, there: Sequence[S], kind: type[S]) -> list[S]:
    """Stand-ins for the planned samples of which a log has no summary.

    An id says which scenario, kind and condition was planned. The rest is what other samples of the log say: of the
    same sample in another epoch, or of its scenario and its condition. What they do not know, the shipped pack does
    where it is still the one of the run; else it is left at the defaults.

    Args:
        log: The log.
        there: Its summaries.
        kind: What a summary of it is.
    """
    present = {(str(summary.id), summary.epoch) for summary in there}
    if len(present) >= log.planned:
        return []
    missing = [key for key in planned_samples(log) if key not in present]
    known = _known(there)
    found = []
    for name, epoch in missing:
        facts = known.get(name) or _told(name, known, log)
        if facts is not None:
            found.append(msgspec.convert({"id": name, "epoch": epoch, "metadata": facts}, kind))
    return found


def _known(there: Iterable[Summary]) -> dict[str, Facts]:
    """What samples say of themselves, of their scenario, of their condition and of their labelled answer, by name."""
    known: dict[str, Facts] = {}
    for summary in there:
        facts = msgspec.structs.asdict(summary.metadata)
        if facts["scenario"] is None:
            continue
        name = str(summary.id)
        known[name] = facts
        for place, names in _places(name, facts).items():
            known[place] = {name: facts[name] for name in names if name in facts}
    return known


def _places(name: str, facts: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Under which names something is known of other samples; a slash at the end keeps them apart from ids."""
    scenario = "/".join(name.split("/")[:2])
    places = {
        f"{scenario}/": _OF_SCENARIO,
        f"{without_nudge(facts['condition'])}/": ("turns",),
    }
    if answer := facts.get("answer"):
        # A forged answer keeps the label of what it was made of, a changed one may have another.
        changed = facts.get("technique", "") in KINDS
        places[f"{scenario}/{answer}/"] = ("kind",) if changed else _OF_ANSWER
    if attack := facts.get("attack"):
        places[f"{attack}/"] = ("technique",)
    return places


def _told(name: str, known: Mapping[str, Facts], log: Log) -> Facts | None:
    """What the id of a sample says of it; None where it is no id of ours."""
    parts = name.split("/")
    if len(parts) < 4 or parts[2] not in ("conflict", "twin"):
        return None
    _, scenario, kind, condition, *rest = parts
    nudge = level_of(condition, NUDGE) or NEUTRAL
    facts: Facts = {"scenario": scenario, "twin": kind == "twin", "condition": condition, "nudge": nudge}
    # An examination puts one of the labelled answers there, and perhaps one of the attacks on it.
    facts |= dict(zip(("answer", "attack"), rest, strict=False))
    places = _places(name, facts)
    if any(place not in known for place in places):
        facts |= _packed(parts[0], facts, log)
    for place in places:
        facts |= known.get(place, {})
    return facts


def _packed(name: str, facts: Facts, log: Log) -> Facts:
    """What the shipped pack says of a sample; nothing where the run had another pack of this name."""
    packs = log.metadata.get("packs")
    digests = packs.get(name) if isinstance(packs, dict) else log.metadata
    if not isinstance(digests, dict) or name not in shipped_packs():
        return {}
    pack = load_pack(name)
    scenario = pack.scenarios.get(facts["scenario"])
    if scenario is None or pack.digest != digests.get("pack_digest"):
        return {}
    first, second = pack.pair(scenario)
    found: Facts = {"family": scenario.family, "split": scenario.split, "value_1": first.id, "value_2": second.id}
    if "answer" not in facts:
        condition = next(iter(expand(pack.axes, facts["condition"])))
        return found | {"turns": 1 + len(condition.follow_ups)}
    if pack.label_digest == digests.get("label_digest"):
        found |= _labelled(pack, facts)
    for forged in forged_answers() if log.metadata.get("attack_digest") == forged_digest() else ():
        if forged.id == facts.get("attack"):
            found["technique"] = forged.technique
    return found


def _labelled(pack: Pack, facts: Facts) -> Facts:
    """What a pack says of a labelled answer, or of the changed one that was made of it."""
    found: Facts = {}
    for answer in pack.labels:
        if answer.id == facts["answer"]:
            found = _label(answer)
    # The id of a changed answer ends with the hash of its text, so no other text has it.
    for changed in changed_answers(pack) if facts.get("attack") else ():
        if changed.answer.id == facts["attack"]:
            found = {"technique": changed.kind, **_label(changed.answer)}
    return found


def _label(answer: LabelledAnswer) -> Facts:
    return {"kind": answer.kind, "label": answer.verdict, "label_position_1": answer.position_1,
            "label_position_2": answer.position_2}  # fmt: skip
