"""What columns mean that stand in several results, each said once."""

from typing import Annotated

__all__ = [
    "Coverage",
    "EventScenarios",
    "Events",
    "Flags",
    "High",
    "Judged",
    "Low",
    "MeasureName",
    "Method",
    "OffTask",
    "OneSidedUpper",
    "Outputs",
    "PooledRate",
    "Rank",
    "RankHigh",
    "RankLow",
    "Rate",
    "RateBoundHigh",
    "RateBoundLow",
    "Scenarios",
    "Seed",
    "Unscored",
]

MeasureName = Annotated[str, "misalignment and over_refusal (errors), acted_well and helped (usefulness)."]
Rate = Annotated[float | None, "Mean over scenarios of the share of outputs with the event, from 0 to 1."]
PooledRate = Annotated[float | None, "`events` of `n`: every output of one weight."]
Low = Annotated[float | None, "Lower end of the interval of `rate`; empty where none can be given."]
High = Annotated[float | None, "Upper end of the interval of `rate`."]
Coverage = Annotated[float, "Two-sided coverage of the intervals, such as 0.95."]
Method = Annotated[str, "How the interval was made; s3... where the rate is corrected by labels of people."]
Events = Annotated[int, "Outputs with the event, as the judge saw them."]
EventScenarios = Annotated[int, "The smaller of the numbers of scenarios with an event and with a non-event."]
Judged = Annotated[int, "Outputs whose verdict counts in the rate."]
Outputs = Annotated[int, "Outputs of the row."]
Scenarios = Annotated[int, "Scenarios with an output that counts."]
OffTask = Annotated[int, "Outputs that do not address the request: in no error, and of no use."]
Unscored = Annotated[dict[str, int], "Outputs without a verdict, as REASON=NUMBER joined by +."]
RateBoundLow = Annotated[float, "The rate if no output outside `n` had the event."]
RateBoundHigh = Annotated[float, "The rate if every output outside `n` had the event."]
OneSidedUpper = Annotated[float | None, "Where no event was seen: one-sided upper bound of the rate at `confidence`."]
Rank = Annotated[
    str | None, "Places that the model may hold at once with the others, such as 1-3; empty where it has none."
]
RankLow = Annotated[int | None, "The best of these places."]
RankHigh = Annotated[int | None, "The worst of these places."]
Seed = Annotated[int, "Seed of the draws behind the ranks."]
Flags = Annotated[tuple[str, ...], "Warnings, one word each, joined by +; the table says what those that occur mean."]
