"""From a pack to Inspect samples, one for each scenario, twin and condition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

from alignbench.digest import unit_interval
from alignbench.errors import InputError
from alignbench.packs import Condition, Pack, Scenario, expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inspect_ai.model import ChatMessage

__all__ = ["MAX_SAMPLES", "pack_dataset", "scenario_sample"]

MAX_SAMPLES = 5_000
"""Inspect's bookkeeping is quadratic in the samples of a task."""


def pack_dataset(
    pack: Pack,
    *,
    conditions: str | Sequence[str] = "default",
    twins: bool | str = True,
    split: str | None = None,
    families: str | Sequence[str] | None = None,
    shard: str | None = None,
) -> MemoryDataset:
    """Make the samples of a pack.

    Args:
        pack: The pack.
        conditions: See `alignbench.packs.expand`.
        twins: Whether the benign twins are asked too; "only" for the twins alone.
        split: `seen` or `unseen` families only.
        families: These families only.
        shard: "i/n": the i-th of n parts, split by a hash of the scenario id, counted from 1.

    Raises:
        InputError: An argument names something that does not exist, or leaves nothing, or more than MAX_SAMPLES.
    """
    if not (isinstance(twins, bool) or twins == "only"):
        raise InputError(f"twins {twins!r}", item=pack.id, allowed="true, false, only")
    points = expand(pack.axes, conditions)
    scenarios = _select(pack, split, families, shard)
    samples = [
        sample
        for scenario in scenarios
        for sample in (*_conflicts(pack, scenario, points, twins), *_twins(pack, scenario, points, twins))
    ]
    if len(samples) > MAX_SAMPLES:
        # Half as many parts again, because a hash does not split evenly.
        parts = math.ceil(1.5 * len(samples) / MAX_SAMPLES * _shard(shard, pack)[1])
        raise InputError(
            f"{len(samples)} samples in one task",
            item=pack.id,
            allowed=f"{MAX_SAMPLES}; use -T shard=1/{parts} to shard={parts}/{parts}",
        )
    return MemoryDataset(samples, name=pack.id, location=pack.id)


def _select(pack: Pack, split: str | None, families: str | Sequence[str] | None, shard: str | None) -> list[Scenario]:
    if split not in (None, "seen", "unseen"):
        raise InputError(f"split {split!r}", item=pack.id, allowed="seen, unseen")
    known = sorted({scenario.family for scenario in pack.scenarios.values()})
    wanted = [families] if isinstance(families, str) else list(families or known)
    for family in wanted:
        if family not in known:
            raise InputError(f"unknown family {family!r}", item=pack.id, allowed=", ".join(known))
    part, parts = _shard(shard, pack)
    chosen = [
        scenario
        for scenario in pack.scenarios.values()
        if split in (None, scenario.split)
        and scenario.family in wanted
        and int(unit_interval("shard", scenario.id) * parts) == part - 1
    ]
    if not chosen:
        raise InputError(f"no scenario left with split={split!r}, families={wanted}, shard={shard!r}", item=pack.id)
    return chosen


def _shard(shard: str | None, pack: Pack) -> tuple[int, int]:
    if shard is None:
        return 1, 1
    first, slash, second = str(shard).partition("/")
    if slash and first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise InputError(f"shard {shard!r}", item=pack.id, allowed="i/n with 1 <= i <= n, for example 1/4")


def _conflicts(pack: Pack, scenario: Scenario, points: Sequence[Condition], twins: bool | str) -> Iterator[Sample]:
    if twins == "only":
        return
    for condition in points:
        yield scenario_sample(pack, scenario, condition, twin=False)


def _twins(pack: Pack, scenario: Scenario, points: Sequence[Condition], twins: bool | str) -> Iterator[Sample]:
    if not twins:
        return
    for condition in dict.fromkeys(point.without_nudge() for point in points):
        yield scenario_sample(pack, scenario, condition, twin=True)


def scenario_sample(pack: Pack, scenario: Scenario, condition: Condition, *, twin: bool) -> Sample:
    """The sample of one scenario, or of its twin, in one condition."""
    system = _system(scenario.system_prompt(twin=twin), condition)
    prompt = scenario.twin.prompt if twin else condition.prompt(scenario.prompts)
    return _sample(pack, scenario, condition, system, prompt, pack.criteria(scenario, twin=twin), twin=twin)


def _system(own: str | None, condition: Condition) -> str:
    return "\n\n".join(text for text in (own, condition.system) if text)


def _sample(
    pack: Pack,
    scenario: Scenario,
    condition: Condition,
    system: str,
    prompt: str,
    criteria: dict[str, str],
    *,
    twin: bool,
) -> Sample:
    messages: list[ChatMessage] = [ChatMessageSystem(content=system)] if system else []
    for turn in scenario.history(twin=twin):
        kind = ChatMessageUser if turn.role == "user" else ChatMessageAssistant
        messages.append(kind(content=turn.content))
    messages.append(ChatMessageUser(content=prompt))
    first, second = pack.pair(scenario)
    return Sample(
        id=f"{pack.id}/{scenario.id}/{'twin' if twin else 'conflict'}/{condition.name}",
        input=messages,
        target=criteria["aligned_if"],
        metadata={
            "scenario": scenario.id,
            "family": scenario.family,
            "split": scenario.split,
            "twin": twin,
            "condition": condition.name,
            "nudge": condition.nudge,
            "value_1": first.id,
            "value_2": second.id,
            "turns": 1 + len(condition.follow_ups),
            # An empty list in every log would cost more than all the text beside it.
            **({"follow_ups": list(condition.follow_ups)} if condition.follow_ups else {}),
            "criteria": {
                **criteria,
                "standard_misaligned": pack.meta.standard.misaligned,
                "standard_aligned": pack.meta.standard.aligned,
                "value_1": f"{first.title}. {first.meaning}",
                "value_2": f"{second.title}. {second.meaning}",
            },
        },
    )
