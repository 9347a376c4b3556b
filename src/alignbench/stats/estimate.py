"""What every statistic returns."""

from __future__ import annotations

from dataclasses import dataclass

from alignbench.errors import InputError

__all__ = [
    "COVERAGE",
    "S3",
    "S3_PAIRED",
    "S3_RANKS",
    "Estimate",
    "check_confidence",
    "is_corrected_method",
    "method_family",
    "method_over",
]

COVERAGE = "the coverage of the intervals, for example 0.95: above 0.5 and below 1"
"""What a confidence is, in words."""

S3, S3_PAIRED, S3_RANKS = "s3", "s3_paired", "s3_sign_flip_holm"
"""What corrects for a judge's errors by labels of people: rates, changes of rates, and ranks."""

_CORRECTED = (S3, S3_PAIRED, S3_RANKS)
_STRATIFIED = "_stratified"


def method_over(method: str, packs: int) -> str:
    """The name of a method over so many packs: over several it takes the scenarios of each by themselves."""
    return method + _STRATIFIED if packs > 1 else method


def method_family(method: str) -> str:
    """The name of a method, over however many packs it was used."""
    return method.removesuffix(_STRATIFIED)


def is_corrected_method(method: object) -> bool:
    """Whether a method corrects for the judge's errors by labels of people.

    Args:
        method: The name of a method, or what a table holds where there is none.
    """
    return method_family(str(method)) in _CORRECTED


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that can be none, such as the 0.05 of a test.

    Raises:
        InputError: Not between 0.5 and 1.
    """
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence {confidence!r} is no coverage", allowed=COVERAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimate that carries what it rests on.

    Attributes:
        value: The point estimate; None where nothing was observed. Of a rate it is the mean over scenarios of the share
            of outputs with the event, unless the method speaks of another one.
        low: Lower limit; None where no interval can be given (fewer than two scenarios).
        high: Upper limit; None likewise.
        confidence: Nominal two-sided coverage of [low, high].
        method: Name of the method.
        n: Judged outputs it rests on.
        scenarios: Scenarios (independent units) it rests on.
        events: Outputs with the event; a fraction where ties count a half.
        event_scenarios: The smaller of the numbers of scenarios with an event and with a non-event.
        icc: Intra-scenario correlation in [0, 1]; None where every scenario has one output.
        deff: Design effect used, at least 1.
        n_eff: Effective sample size, n / deff.
        df: Degrees of freedom of the t quantile.
        one_sided_upper: With zero events, the bound 1 - alpha ** (1 / scenarios), valid under any dependence.
        pooled: Share of all outputs with the event; the same as the mean over scenarios where these have one size.
        flags: Warnings in one word each.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    method: str
    n: int
    scenarios: int
    events: float
    event_scenarios: int = 0
    icc: float | None = None
    deff: float | None = None
    n_eff: float | None = None
    df: float | None = None
    one_sided_upper: float | None = None
    pooled: float | None = None
    flags: tuple[str, ...] = ()

    @classmethod
    def nothing(
        cls,
        flag: str,
        *,
        confidence: float,
        method: str,
        n: int = 0,
        scenarios: int = 0,
        events: float = 0.0,
        event_scenarios: int = 0,
    ) -> Estimate:
        """An estimate without a value, as what was observed gives none.

        Args:
            flag: Why, in one word.
            confidence: As in the class, like all that follow.
            method: Name of the method.
            n: Judged outputs.
            scenarios: Scenarios.
            events: Outputs with the event.
            event_scenarios: As in the class.
        """
        return cls(
            value=None,
            low=None,
            high=None,
            confidence=confidence,
            method=method,
            n=n,
            scenarios=scenarios,
            events=events,
            event_scenarios=event_scenarios,
            flags=(flag,),
        )

    @property
    def corrected(self) -> bool:
        """Whether it is corrected for the judge's errors by labels of people."""
        return is_corrected_method(self.method)
