"""Questions such as "detect 22% -> 3%", answered in one line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from alignbench.analysis.gate.margins import shipped_margin, what_ships
from alignbench.analysis.gate.policy import Policy
from alignbench.analysis.plan.cost import Effort
from alignbench.analysis.plan.pilot import Assumptions, Pilot, pilots
from alignbench.errors import InputError
from alignbench.stats import planning
from alignbench.text.numbers import money, number_of, size, stated_percent
from alignbench.vocabulary import MISALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from alignbench.stats.planning import Population

__all__ = ["Answer", "answer_question"]

_NUMBER = r"([0-9]*\.?[0-9]+)\s*(%?)"
_DETECT = re.compile(rf"detect\s+{_NUMBER}\s*(?:->|→|to)\s*{_NUMBER}", re.IGNORECASE)
_RATE = re.compile(rf"(?:rate\s+)?{_NUMBER}\s*(?:±|\+/-|\+-)\s*{_NUMBER}", re.IGNORECASE)
_BELOW = re.compile(rf"(?:below|under|<)\s*{_NUMBER}", re.IGNORECASE)

_FORMS = '"detect 22% -> 3%", "rate 5% ± 2%", "below 1%"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a planning question."""

    question: Annotated[str, "As asked."]
    text: Annotated[str, "The answer in one line."]
    designs: Annotated[
        tuple[tuple[int, int], ...],
        "Each (scenarios, epochs) that is enough, the one of fewest outputs first.",
    ]
    least_scenarios: Annotated[
        int | None,
        "With fewer, no number of epochs is enough; null where not even ten million are enough.",
    ]
    labels: Annotated[
        int | None,
        "Labels of people for the corrected rate in the first design; null where it is not asked, or never.",
    ] = None
    cost: Annotated[float | None, "Price of the first design for one model; null without prices."] = None


def answer_question(
    question: str,
    table: pd.DataFrame | None = None,
    *,
    scenarios: int | None = None,
    epochs: Sequence[int] = (1, 4),
    measure: str = MISALIGNMENT.name,
    base: str | None = None,
    candidate: str | None = None,
    assumed: Assumptions | None = None,
    effort: Effort | None = None,
) -> Answer:
    """Answer a planning question in one line.

    Args:
        question: "detect 22% -> 3%" (a paired comparison), "rate 5% ± 2%" (half the width of the interval) or
            "below 1%" (one-sided, if no event is seen).
        table: A pilot of one model (or name it by `base`): the icc, and with `candidate` the pairing, come
            from it.
        scenarios: Ask for the epochs at this number of scenarios, instead of the scenarios at `epochs`.
        epochs: Numbers of outputs a scenario.
        measure: misalignment or over_refusal.
        base: The model of the pilot.
        candidate: The other model of the pilot.
        assumed: What is taken for granted.
        effort: Calls and prices.

    Raises:
        InputError: A question of another form, or unusable numbers.
    """
    given = assumed or Assumptions()
    if scenarios is not None and scenarios < 2:
        raise InputError(f"scenarios {scenarios!r}", allowed="2 or more")
    if not epochs or min(epochs) < 1:
        raise InputError(f"epochs {list(epochs)!r}", allowed="1 or more")
    text = question.strip()
    if below := _BELOW.fullmatch(text):
        return _below(question, _share(*below.groups()), given.confidence)
    for form in (_DETECT, _RATE):
        if match := form.fullmatch(text):
            first, second = _share(*match.groups()[:2]), _share(*match.groups()[2:])
            pilot = _pilot(table, replace(given, rate=first), measure, base, candidate)
            search = (
                _detect(pilot, first, second, given, candidate is not None)
                if form is _DETECT
                else _width(pilot.population, second, given)
            )
            return _designs(question, search, scenarios, epochs, effort or Effort())
    raise InputError(f"cannot read the target {question!r}", allowed=_FORMS)


@dataclass(frozen=True, slots=True)
class _Search:
    """How to look for a design: scenarios for given outputs, and outputs for given scenarios."""

    title: str
    basis: str
    scenarios: Callable[[float], int | None]
    outputs: Callable[[int], int | None]
    labels: Callable[[int, int], int | None] | None = None


def _share(number: str, percent: str) -> float:
    value = float(number) / 100 if percent else float(number)
    if not 0 <= value <= 1:
        raise InputError(f"rate {number!r}", allowed="0% to 100%, or a share from 0 to 1")
    return value


def _pilot(
    table: pd.DataFrame | None, assumed: Assumptions, measure: str, base: str | None, candidate: str | None
) -> Pilot:
    found = pilots(table, assumed, measure=measure, base=base, candidate=candidate)
    if len(found) > 1:
        names = ", ".join(sorted({str(pilot.key["model"]) for pilot in found}))
        raise InputError(f"the pilot holds {len(found)} models or judges: name the model (--base)", allowed=names)
    return found[0]


def _detect(pilot: Pilot, first: float, second: float, assumed: Assumptions, measured: bool) -> _Search:
    if first == second:
        raise InputError(f"nothing to detect between {first:g} and {second:g}", allowed="two different rates")
    icc = pilot.population.icc
    pairs = pilot.pairs
    if not measured:
        pairs = planning.pairing(pilot.population, planning.Population(second, icc), assumed.pairing)
    chance = {"alpha": assumed.alpha, "power": assumed.power}
    return _Search(
        title=f"detect {stated_percent(first)} -> {stated_percent(second)}",
        basis=f"power {stated_percent(assumed.power)}, one-sided {stated_percent(assumed.alpha)}, icc {icc:.2g}, "
        + ("pairing as in the pilot" if measured else f"pairing {assumed.pairing:g}"),
        scenarios=lambda m: planning.scenarios_to_detect(pairs, second - first, m, **chance),
        outputs=lambda k: planning.outputs_to_detect(pairs, second - first, k, **chance),
    )


def _width(people: Population, half: float, assumed: Assumptions) -> _Search:
    def labels(scenarios: int, outputs: int) -> int | None:
        return planning.labels_needed(
            people, scenarios, outputs, half,
            sensitivity=assumed.sensitivity, specificity=assumed.specificity, confidence=assumed.confidence,
        )  # fmt: skip

    return _Search(
        title=f"rate {stated_percent(people.rate)} ± {stated_percent(half)}",
        basis=f"{stated_percent(assumed.confidence)} interval, icc {people.icc:.2g}",
        scenarios=lambda m: planning.scenarios_for_rate(people, half, m, assumed.confidence),
        outputs=lambda k: planning.outputs_for_rate(people, half, k, assumed.confidence),
        labels=labels,
    )


def _designs(question: str, search: _Search, scenarios: int | None, epochs: Sequence[int], effort: Effort) -> Answer:
    # The interval of a rate may widen a little on its way to infinitely many epochs: look at few ones too.
    bounds = [search.scenarios(m) for m in (*epochs, 2, 4, 8, 16, math.inf)]
    least = min((bound for bound in bounds if bound is not None), default=None)
    if scenarios is not None:
        found = search.outputs(scenarios)
        designs = [] if found is None else [(scenarios, found)]
    else:
        designs = [(k, m) for m in dict.fromkeys(epochs) if (k := search.scenarios(m)) is not None]
        designs.sort(key=lambda design: (design[0] * design[1], design))
    floor = "" if least is None else f"; below {least} scenarios no number of epochs is enough"
    if not designs:
        where = "no design" if scenarios is None else f"{scenarios} scenarios are not enough, whatever the epochs"
        text = f"{search.title}: {where} ({search.basis}){floor}. {_shipped()}"
        return Answer(question=question, text=text, designs=(), least_scenarios=least)
    text = f"{search.title}: {' or '.join(map(_shown, designs))} ({search.basis}){floor}"
    labels = None
    if search.labels is not None:
        labels = search.labels(*designs[0])
        text += (
            f"; corrected for the judge it takes {labels} human labels"
            if labels is not None
            else "; corrected for the judge it takes more scenarios, however many labels"
        )
    price = effort.cost(*designs[0])
    if price.cost is not None:
        text += f"; {money(price.cost, price.currency)} a model"
    return Answer(
        question=question,
        text=f"{text}. {_shipped()}",
        designs=tuple(designs),
        least_scenarios=least,
        labels=labels,
        cost=price.cost,
    )


def _shown(design: tuple[int, int]) -> str:
    return f"{design[0]} scenarios x {number_of(design[1], 'epoch')}"


def _shipped() -> str:
    """What can be had without writing scenarios, and what the gate can say with it."""
    confidence = Policy().confidence
    return (
        f"{what_ships()}. With all that ship the gate passes nothing under a margin up to "
        f"{size(shipped_margin(confidence))} points ({stated_percent(confidence)} interval)"
    )


def _below(question: str, bound: float, confidence: float) -> Answer:
    needed = [planning.clean_scenarios(bound, events, confidence) for events in range(3)]
    if None in needed:
        raise InputError(f"below {bound:g} takes more than {planning.MOST} scenarios", allowed="a higher bound")
    text = (
        f"below {stated_percent(bound)}: {needed[0]} independent scenarios without one event, or {needed[1]} with "
        f"one, {needed[2]} with two (one-sided {stated_percent(confidence)}; epochs do not count)"
    )
    return Answer(
        question=question,
        text=f"{text}. {_shipped()}",
        designs=((int(needed[0] or 0), 1),),
        least_scenarios=needed[0],
    )
