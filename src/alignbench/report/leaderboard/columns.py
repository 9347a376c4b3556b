"""The columns of leaderboard.csv, always all of them, and what each of them means."""

from dataclasses import dataclass
from typing import Annotated

from alignbench.analysis.rates.rows import RawRate
from alignbench.table.ledger import Ledger
from alignbench.table.meanings import (
    Events,
    High,
    Judged,
    Low,
    MeasureName,
    Method,
    OffTask,
    OneSidedUpper,
    Outputs,
    PooledRate,
    Rank,
    RankHigh,
    RankLow,
    Rate,
    RateBoundHigh,
    RateBoundLow,
    Scenarios,
    Seed,
    Unscored,
)
from alignbench.text.rows import SPREAD, columns_markdown, meanings

__all__ = ["LeaderboardRow", "leaderboard_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """One measure of one model on one pack, or on all packs together, with what it was measured by."""

    board: Annotated[int, "Number of the board: only rows of one board compare."]
    rank: Rank
    rank_low: RankLow
    rank_high: RankHigh
    model: Annotated[str, "Name of the model; with its arguments where two of one name differ in them."]
    model_args: Annotated[str, "Arguments and settings of the model, as JSON; empty where there are none."]
    pack: Annotated[str, "The pack, or `overall` for all packs together, of which each has the same weight."]
    pack_version: Annotated[str, "Version of the pack; for `overall` PACK=VERSION of each, joined by +."]
    pack_digest: Annotated[str, "Digest of all texts of the pack; for `overall` PACK=DIGEST of each, joined by +."]
    measure: MeasureName
    rate: Rate
    pooled_rate: PooledRate
    low: Low
    high: High
    confidence: Annotated[float, "Coverage of the interval, and of all rank sets of a board together."]
    method: Method
    events: Events
    n: Judged
    outputs: Outputs
    scenarios: Scenarios
    off_task: OffTask
    unscored: Unscored
    ledger: Annotated[Ledger, SPREAD]
    rate_bound_low: RateBoundLow
    rate_bound_high: RateBoundHigh
    one_sided_upper: OneSidedUpper
    judge: Annotated[str, "Name of the judge; empty where it is unknown."]
    judge_config: Annotated[str, "Digest of the judge's settings."]
    judge_card: Annotated[
        str, "What the judge's exam found on the pack: fit, diagnostic, too_few, unfit or unexamined."
    ]
    rubric: Annotated[str, "Id of the rubric."]
    rubric_digest: Annotated[str, "Digest of the rubric and the judge's prompt."]
    first_date: Annotated[str, "Start of the earliest run in the row (UTC); empty where unknown."]
    last_date: Annotated[str, "Start of the latest run in the row (UTC)."]
    epochs: Annotated[int, "Repetitions (epochs) that the outputs come from."]
    seed: Seed
    package_version: Annotated[str, "Version of alignbench that made this file."]
    flags: Annotated[
        tuple[str, ...], "Warnings, one word each, joined by +; leaderboard.md says what those that occur mean."
    ]
    reason: Annotated[str, "Why the model has no rank."]
    apart: Annotated[str, "What keeps the model from the first group of models that may be ranked together."]
    raw: Annotated[RawRate, SPREAD]


def leaderboard_columns() -> str:
    """The columns as a page."""
    return "\n".join(
        [
            "# Columns of leaderboard.csv",
            "",
            "One row a board, model, pack and measure. An empty cell is not known or does not apply. A text that a "
            "spreadsheet would take for a formula has a `'` before it.",
            "",
            columns_markdown(meanings(LeaderboardRow)),
            "",
        ]
    )
