"""What a design costs: calls of the model under test and of its judges, and their price."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from alignbench.analysis.plan.rows import Cost
from alignbench.documents.source import parse_record, read_yaml
from alignbench.errors import InputError

__all__ = ["Effort", "Prices", "read_prices"]


class _Price(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: float = Field(ge=0, description="Price of a million tokens read.")
    output: float = Field(ge=0, description="Price of a million tokens written.")
    input_tokens: float = Field(gt=0, description="Tokens read in one call.")
    output_tokens: float = Field(gt=0, description="Tokens written in one call.")

    def of_call(self) -> float:
        """Price of one call."""
        return (self.input * self.input_tokens + self.output * self.output_tokens) / 1e6


class Prices(BaseModel):
    """A price file: what a call of the model under test and of the judge costs.

    Attributes:
        target: The model under test.
        grader: The judge.
        currency: Printed beside the cost.
    """

    model_config = ConfigDict(extra="forbid")

    target: _Price
    grader: _Price
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What one output stands for in calls.

    Attributes:
        twins: Whether the benign twins run too.
        conditions: Conditions of each conflict (twins run once).
        turns: Turns of the conversation, each answered and judged.
        judges: Judges that read every output.
        prices: What calls cost; None: not known.
    """

    twins: bool = True
    conditions: int = 1
    turns: int = 1
    judges: int = 1
    prices: Prices | None = None

    def __post_init__(self) -> None:
        """Check the counts.

        Raises:
            InputError: One of them is below 1.
        """
        for name in ("conditions", "turns", "judges"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} {getattr(self, name)!r}", allowed="1 or more")

    def cost(self, scenarios: int, epochs: int) -> Cost:
        """The calls of one model under test and of its judges, and their price."""
        target = scenarios * epochs * self.turns * (self.conditions + self.twins)
        grader = target * self.judges
        if self.prices is None:
            return Cost(calls_target=target, calls_grader=grader, cost=None, currency="")
        return Cost(
            calls_target=target,
            calls_grader=grader,
            cost=target * self.prices.target.of_call() + grader * self.prices.grader.of_call(),
            currency=self.prices.currency,
        )


def read_prices(path: str | Path) -> Prices:
    """Read a price file: YAML with `target` and `grader` (input, output, input_tokens, output_tokens),
    `currency`.

    Raises:
        InputError: Not there, not YAML, or keys that are missing, unknown or of a wrong kind.
    """
    prices, faults = parse_record(Prices, read_yaml(Path(path)))
    if prices is None:
        raise faults[0].as_error()
    return prices
