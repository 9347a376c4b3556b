"""Scripted models with known truth. This module knows the arithmetic; `providers` brings it to Inspect.

A persona answers with the labelled answers of a pack. Whether an answer is misaligned or refused is a draw whose
probability differs between scenarios (logit-normal) and whose mean over the population of scenarios is the stated rate.
Every draw is a hash of (seed, sample id, epoch, turn): the same in any order, in any process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alignbench.circumstances import DEFAULT, without_nudge
from alignbench.digest import unit_interval
from alignbench.errors import InputError
from alignbench.vocabulary import ALIGNED, MISALIGNED, MISALIGNMENT, REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alignbench.packs import LabelledAnswer

__all__ = ["PERSONAS", "Act", "Grader", "Persona", "SampleKey", "make_grader", "make_persona", "match_label"]

Act = Literal["aligned", "misaligned", "refused"]
Rate = float | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SampleKey:
    """Which sample is being answered.

    Attributes:
        id: Sample id, `<pack>/<scenario>/<conflict|twin>/<condition>`.
        scenario: Scenario id; personas of one seed share a scenario's difficulty.
        twin: Whether it is the benign twin.
        condition: Canonical condition.
        epoch: Repetition, from 1.
    """

    id: str
    scenario: str
    twin: bool
    condition: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Persona:
    """A scripted model under test.

    Attributes:
        misaligned: Rate on conflicts: one number, or numbers by condition with `default` for the others.
        refusal: Share of conflicts refused, likewise.
        over_refusal: Share of twins refused, likewise.
        scenario_sd: Standard deviation of the scenarios' log-odds.
        hazard: Chance of giving in at each further turn of a conversation.
        seed: Changes every draw and every scenario's difficulty.
    """

    misaligned: Rate = 0.0
    refusal: Rate = 0.0
    over_refusal: Rate = 0.0
    scenario_sd: float = 1.0
    hazard: float = 0.1
    seed: int = 0

    def truth(self, measure: str, condition: str = "default") -> float:
        """The rate over the population of scenarios, at the first turn.

        Args:
            measure: misalignment or over_refusal.
            condition: Canonical condition.
        """
        return _at(self.misaligned if measure == MISALIGNMENT.name else self.over_refusal, condition)

    def act(self, key: SampleKey, turn: int = 1) -> Act:
        """What it does at a turn; once it has given in it stays with that."""
        act = self._first_act(key)
        for later in range(2, turn + 1):
            if key.twin or act == MISALIGNED:
                break
            if self._draw(key, later, "yield") < self.hazard:
                act = MISALIGNED
        return act

    def _first_act(self, key: SampleKey) -> Act:
        draw = self._draw(key, 1, "act")
        if key.twin:
            refused = self._probability(_at(self.over_refusal, key.condition), "over_refusal", key.scenario)
            return REFUSED if draw < refused else ALIGNED
        rate, refusal = _at(self.misaligned, key.condition), _at(self.refusal, key.condition)
        misaligned = self._probability(rate, "misaligned", key.scenario)
        if draw < misaligned:
            return MISALIGNED
        # Refusing comes second, so its rate is one among what is left; the two difficulties are independent.
        left = refusal / (1 - rate) if rate < 1 else 0.0
        refused = self._probability(left, "refusal", key.scenario)
        return REFUSED if draw < misaligned + (1 - misaligned) * refused else ALIGNED

    def choice(self, key: SampleKey, turn: int, options: int) -> int:
        """Which of several answers of one kind it gives."""
        return int(self._draw(key, turn, "choice") * options)

    def _draw(self, key: SampleKey, turn: int, purpose: str) -> float:
        return unit_interval(self.seed, key.id, key.epoch, turn, purpose)

    def _probability(self, rate: float, purpose: str, scenario: str) -> float:
        if rate in (0, 1) or self.scenario_sd == 0:
            return rate
        uniform = min(max(unit_interval(self.seed, "scenario", purpose, scenario), 1e-12), 1 - 1e-12)
        logit = _intercept(rate, self.scenario_sd) + self.scenario_sd * NormalDist().inv_cdf(uniform)
        return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True)
class Grader:
    """A scripted judge with known errors.

    Attributes:
        sensitivity: Share of misaligned answers that it calls misaligned; the others it calls aligned.
        specificity: Share of aligned answers that it calls aligned; the others it calls misaligned.
        fail: Share of answers on which its replies cannot be used.
        style: Share of the changed answers of an examination on which it follows the look instead of the text.
        seed: Changes every draw.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0
    fail: float = 0.0
    style: float = 0.0
    seed: int = 0

    def fails(self, key: SampleKey, text: str) -> bool:
        """Whether its replies on this answer cannot be used, however often it is asked."""
        return unit_interval(self.seed, "fail", key.id, key.epoch, text) < self.fail

    def verdict(self, truth: str, key: SampleKey, text: str, looks: str = "") -> str:
        """The verdict it gives to an answer whose true verdict is known; `looks`: what a changed one looks like."""
        if looks and unit_interval(self.seed, "style", key.id, key.epoch, text) < self.style:
            return looks
        draw = unit_interval(self.seed, "grade", key.id, key.epoch, text)
        if truth == MISALIGNED and draw >= self.sensitivity:
            return ALIGNED
        if truth == ALIGNED and draw >= self.specificity:
            return MISALIGNED
        return truth


PERSONAS: dict[str, Persona] = {
    "candid": Persona(misaligned=0.02, refusal=0.03, over_refusal=0.02),
    "pleaser": Persona(misaligned=0.45, refusal=0.02, over_refusal=0.01),
    "refuser": Persona(misaligned=0.04, refusal=0.60, over_refusal=0.35),
    "base": Persona(misaligned=0.22, refusal=0.10, over_refusal=0.06),
    "tuned": Persona(misaligned=0.03, refusal=0.14, over_refusal=0.06),
}
"""The named ones; `base` and `tuned` have the rates before and after of "Teaching Claude Why" (2026)."""


def _at(rate: Rate, condition: str) -> float:
    if not isinstance(rate, Mapping):
        return rate
    return rate.get(condition, rate.get(without_nudge(condition), rate[DEFAULT]))


@lru_cache(maxsize=1024)
def _intercept(rate: float, sd: float) -> float:
    """Solve mean(sigmoid(a + sd * z)) = rate for a, z standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)
    weights = weights / weights.sum()
    low, high = -60.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        mean = float((weights / (1 + np.exp(-(middle + sd * nodes)))).sum())
        low, high = (middle, high) if mean < rate else (low, middle)
    return (low + high) / 2


def make_persona(name: str, args: Mapping[str, Any]) -> Persona:
    """A named persona with some of its fields changed.

    Raises:
        InputError: An unknown name or field, or a number out of range.
    """
    if name not in PERSONAS:
        raise InputError(f"unknown persona {name!r}", allowed=", ".join([*PERSONAS, "grader"]))
    persona = replace(PERSONAS[name], **_checked(name, args, Persona))
    for condition in {"default", *_conditions(persona.misaligned), *_conditions(persona.refusal)}:
        total = _at(persona.misaligned, condition) + _at(persona.refusal, condition)
        if total > 1:
            raise InputError(
                f"misaligned + refusal = {total:g} in {condition}", item=f"persona/{name}", allowed="at most 1"
            )
    return persona


def make_grader(args: Mapping[str, Any]) -> Grader:
    """The scripted judge with some of its fields changed.

    Raises:
        InputError: An unknown field, or a number out of range.
    """
    return replace(Grader(), **_checked("grader", args, Grader))


def _conditions(rate: Rate) -> set[str]:
    return set(rate) if isinstance(rate, Mapping) else set()


def _checked(name: str, args: Mapping[str, Any], kind: type[Persona | Grader]) -> dict[str, Any]:
    known = [item.name for item in fields(kind)]
    for argument, value in args.items():
        if argument not in known:
            raise InputError(f"unknown argument {argument!r}", item=f"persona/{name}", allowed=", ".join(known))
        numbers = value.values() if isinstance(value, Mapping) else [value]
        by_condition = argument in ("misaligned", "refusal", "over_refusal")
        if isinstance(value, Mapping) and not (by_condition and "default" in value):
            wanted = "one number, or for a rate numbers by condition with `default` among them"
            raise InputError(f"{argument} = {value!r}", item=f"persona/{name}", allowed=wanted)
        for number in numbers:
            _check_number(name, argument, number)
    return dict(args)


def _check_number(name: str, argument: str, number: Any) -> None:
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise InputError(f"{argument} = {number!r}", item=f"persona/{name}", allowed="a number")
    if argument == "seed":
        if not isinstance(number, int):
            raise InputError(f"seed = {number!r}", item=f"persona/{name}", allowed="a whole number")
    elif number < 0 or (number > 1 and argument != "scenario_sd"):
        wanted = "0 or more" if argument == "scenario_sd" else "0 to 1"
        raise InputError(f"{argument} = {number!r}", item=f"persona/{name}", allowed=wanted)


def match_label(prompt: str, answers: Sequence[LabelledAnswer]) -> LabelledAnswer | None:
    """The labelled answer that stands last in a judge's prompt, or None.

    The last one is the answer to judge: earlier turns come before it. Of two that end together the longer one wins.
    """
    best, best_end = None, (-1, 0)
    for answer in answers:
        start = prompt.rfind(answer.text)
        end = (start + len(answer.text), len(answer.text))
        if start >= 0 and end > best_end:
            best, best_end = answer, end
    return best
