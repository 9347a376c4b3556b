"""Rows of value priorities: what each of their columns means."""

from dataclasses import dataclass
from typing import Annotated

from alignbench.table.meanings import Coverage, Flags, RankHigh, RankLow
from alignbench.text.rows import SPREAD

__all__ = ["DiagnosticRow", "DisagreementRow", "ExcludedRow", "MatrixRow", "PositionRow", "WorthRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """How often the outputs of the default condition favour one value over another."""

    group: Annotated[dict[str, object], SPREAD]
    value: Annotated[str, "The value."]
    against: Annotated[str, "The value that it collides with."]
    outputs: Annotated[int, "Outputs with a position on both."]
    scenarios: Annotated[int, "Scenarios in which the two collide."]
    wins: Annotated[int, "Outputs that stand closer to `value`."]
    ties: Annotated[int, "Outputs that stand as close to the one as to the other."]
    losses: Annotated[int, "Outputs that stand closer to `against`."]
    share: Annotated[float | None, "Mean over scenarios of the share of outputs that favour `value`, ties a half."]
    low: Annotated[float | None, "Lower end of the interval of `share`; empty where none can be given."]
    high: Annotated[float | None, "Upper end of the interval of `share`."]
    confidence: Coverage
    method: Annotated[str, "How the interval was made."]
    deff: Annotated[float | None, "Design effect: outputs by as many independent ones as say as much; at least 1."]
    event_scenarios: Annotated[int, "The smaller of the numbers of scenarios with a win and with a loss."]
    difference: Annotated[float | None, "Mean position (0 to 6) on `value` minus that on `against`."]
    difference_low: Annotated[float | None, "Lower end of the interval of `difference`."]
    difference_high: Annotated[float | None, "Upper end of the interval of `difference`."]
    fitted: Annotated[float, "The share by the worths: what one order of all values makes of the pair."]
    residual: Annotated[float, "How far the share is from `fitted`, in standard errors; empty where it fits exactly."]
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class WorthRow:
    """How much a value is worth to a model among those that it is joined with by scenarios."""

    group: Annotated[dict[str, object], SPREAD]
    part: Annotated[int, "Number of the connected part of the values; worths of two parts are not comparable."]
    value: Annotated[str, "The value."]
    outputs: Annotated[int, "Outputs that place it, nudged ones included."]
    scenarios: Annotated[int, "Scenarios in which it collides with another."]
    share: Annotated[
        float | None,
        "Its mean win share over its opponents, in the default condition; empty where it has no output there.",
    ]
    share_low: Annotated[float | None, "Lower end of the interval of `share`."]
    share_high: Annotated[float | None, "Upper end of the interval of `share`."]
    worth: Annotated[float, "Its log-worth (Bradley-Terry), centred on 0 within the part."]
    low: Annotated[float, "Lower end of the interval of `worth`; empty where none can be given."]
    high: Annotated[float, "Upper end of the interval of `worth`."]
    se: Annotated[float, "Standard error of `worth`, by leaving out each scenario in turn; empty without an interval."]
    df: Annotated[int, "Degrees of freedom of the interval: scenarios beyond what the worths need."]
    confidence: Coverage
    elo: Annotated[float, "The worth as an Elo rating: 1000 + 400 / ln 10 times it."]
    rank: Annotated[str | None, "Places that the value may hold at once with the others; empty where no order holds."]
    rank_low: RankLow
    rank_high: RankHigh
    method: Annotated[str, "bradley_terry, or bradley_terry_davidson where there are ties."]
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """Where the outputs of the default condition stand on one value: 0 against it, 3 neutral, 6 for it."""

    group: Annotated[dict[str, object], SPREAD]
    value: Annotated[str, "The value."]
    outputs: Annotated[int, "Outputs with a position on it."]
    scenarios: Annotated[int, "Scenarios that they answer."]
    mean: Annotated[float | None, "Mean over scenarios of the mean position, from 0 to 6."]
    low: Annotated[float | None, "Lower end of the interval of `mean`; empty where none can be given."]
    high: Annotated[float | None, "Upper end of the interval of `mean`."]
    confidence: Coverage
    method: Annotated[str, "How the interval was made."]
    at_least_1: Annotated[float, "Share of the outputs at position 1 or above."]
    at_least_2: Annotated[float, "Share of the outputs at position 2 or above."]
    at_least_3: Annotated[float, "Share of the outputs at position 3 or above."]
    at_least_4: Annotated[float, "Share of the outputs at position 4 or above."]
    at_least_5: Annotated[float, "Share of the outputs at position 5 or above."]
    at_least_6: Annotated[float, "Share of the outputs at position 6."]
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticRow:
    """Whether one order of worths fits the pairs of a connected part of the values."""

    group: Annotated[dict[str, object], SPREAD]
    part: Annotated[int, "Number of the connected part of the values."]
    parts: Annotated[int, "How many parts the values fall into."]
    values: Annotated[tuple[str, ...], "The values of the part, joined by +."]
    outputs: Annotated[int, "Outputs that were fitted, nudged ones included."]
    scenarios: Annotated[int, "Scenarios that they answer."]
    pairs: Annotated[int, "Pairs of values that collide somewhere."]
    nudge: Annotated[float | None, "Pull of a nudge towards a value, in log-odds; empty without nudged outputs."]
    nudge_low: Annotated[float | None, "Lower end of the interval of `nudge`."]
    nudge_high: Annotated[float | None, "Upper end of the interval of `nudge`."]
    tie: Annotated[float, "Davidson's tie parameter; 0 without ties."]
    deviance: Annotated[float, "Twice the log-likelihood lost against a model with a parameter for every pair."]
    deviance_df: Annotated[int, "Its degrees of freedom: pairs beyond what the worths can fit; 0: nothing to test."]
    dispersion: Annotated[float, "1 if the outputs of a scenario were independent, more where they are alike."]
    p: Annotated[float | None, "p of the deviance under that dispersion; empty where nothing can be tested."]
    largest_residual: Annotated[float | None, "The largest misfit of a pair, in standard errors; empty without one."]
    largest_residual_pair: Annotated[str | None, "That pair of values."]
    triads: Annotated[int, "Triples of values that all collide with each other."]
    circular_triads: Annotated[int, "Triples in which the values go round in a circle."]
    clear_circular_triads: Annotated[int, "Of these, those in which every share is clear of a half."]
    fits: Annotated[bool | None, "Whether one order fits: `p` not small, no clear circle; empty where not tested."]
    order: Annotated[str | None, "The values from the highest worth down, each with its places; empty if none holds."]
    reason: Annotated[str, "Why there is no order, or what it leaves out."]
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementRow:
    """How far the models' answers to one scenario lie apart."""

    group: Annotated[dict[str, object], SPREAD]
    pack: Annotated[str, "The pack."]
    scenario: Annotated[str, "The scenario."]
    value_1: Annotated[str, "The first of its two values."]
    value_2: Annotated[str, "The second."]
    models: Annotated[int, "Models with a position, at least 2."]
    disagreement: Annotated[
        float, "D: standard deviation between models of the mean position, the larger of the two values."
    ]
    corrected: Annotated[float, "D less what a model's own repetitions vary; empty without repetitions."]
    high: Annotated[bool, "Whether D is 1.5 or more: at least two answers lie three positions apart."]
    flags: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedRow:
    """What became of the outputs of a group; only placed ones are compared."""

    group: Annotated[dict[str, object], SPREAD]
    outputs: Annotated[int, "All outputs to conflicts, in the default condition or nudged and nothing else."]
    placed: Annotated[int, "Outputs with a position on two values: those in the other parts."]
    refused: Annotated[int, "Outputs judged refused; they are no win of any value."]
    deferred: Annotated[int, "Outputs judged deferred."]
    off_task: Annotated[int, "Outputs that do not address the request."]
    no_position: Annotated[int, "Outputs that the judge gave no position."]
    no_values: Annotated[int, "Outputs to scenarios that name no two values."]
    unscored: Annotated[dict[str, int], "Outputs without a verdict, as REASON=NUMBER joined by +."]
