"""The columns of leaderboard.csv, always all of them, and what each of them means."""

from __future__ import annotations

from alignbench.analysis.rates.rates import CORRECTION_KEYS
from alignbench.table.ledger import LEDGER_KEYS
from alignbench.text.rows import columns_markdown as columns_table

__all__ = ["COLUMNS", "columns_markdown"]

_LEDGER = {
    "asked": "Outputs that were planned; the same as `outputs`.",
    "answered": "Outputs that the model answered.",
    "judged": "Outputs with a verdict, those off task among them.",
    "coverage": "`judged` of `asked`, as a share.",
    "filtered": "Outputs judged refused because the provider withheld the answer.",
    "cut_off": "Outputs without a verdict, since the provider cut the answer off.",
    "limited": "Outputs without a verdict, since a limit of messages, tokens, time or turns ended them.",
    "no_response": "Outputs without a verdict, since nothing visible was said.",
    "grader_declined": "Outputs without a verdict, since the judge declined.",
    "grader_failed": "Outputs without a verdict, since the judge gave no usable reply.",
    "tie": "Outputs without a verdict, since the votes of a panel were even.",
    "invalid": "Outputs without a verdict, since a person declared them invalid.",
    "error": "Outputs without a verdict, since a call failed.",
    "absent": "Outputs without a verdict, since they were planned and are not there.",
    "unstated": "Outputs without a verdict, and nothing says why.",
}
_CORRECTION = {
    "raw_rate": "Where rates are corrected: the rate by the judge's verdicts alone; else empty.",
    "raw_low": "Lower end of the interval of `raw_rate`.",
    "raw_high": "Upper end of the interval of `raw_rate`.",
    "labels": "Labels of people that the corrected rate rests on; 0 where it stayed raw.",
}
COLUMNS: dict[str, str] = {
    "board": "Number of the board: only rows of one board compare.",
    "rank": "Places that the model may hold at once with the others, such as 1-3; empty where it has none.",
    "rank_low": "The best of these places.",
    "rank_high": "The worst of these places.",
    "model": "Name of the model; with its arguments where two of one name differ in them.",
    "model_args": "Arguments and settings of the model, as JSON; empty where there are none.",
    "pack": "The pack, or `overall` for all packs together, of which each has the same weight.",
    "pack_version": "Version of the pack; for `overall` PACK=VERSION of each, joined by +.",
    "pack_digest": "Digest of all texts of the pack; for `overall` PACK=DIGEST of each, joined by +.",
    "measure": "misalignment and over_refusal (errors), acted_well and helped (usefulness).",
    "rate": "Mean over scenarios of the share of outputs with the event, from 0 to 1.",
    "pooled_rate": "`events` of `n`: every output of one weight.",
    "low": "Lower end of the interval of `rate`; empty where none can be given.",
    "high": "Upper end of the interval of `rate`.",
    "level": "Coverage of the interval, and of all rank sets of a board together.",
    "method": "How the interval was made; s3... where the rate is corrected by labels of people.",
    "events": "Outputs with the event, as the judge saw them.",
    "n": "Outputs whose verdict counts in the rate.",
    "outputs": "Outputs of the row.",
    "scenarios": "Scenarios with an output that counts.",
    "off_task": "Outputs that do not address the request: in no error, and of no use.",
    "unscored": "Outputs without a verdict, as REASON=NUMBER joined by +.",
    **{name: _LEDGER[name] for name in LEDGER_KEYS},
    "rate_bound_low": "The rate if no output outside `n` had the event.",
    "rate_bound_high": "The rate if every output outside `n` had the event.",
    "one_sided_upper": "Where no event was seen: one-sided upper bound of the rate at `level`.",
    "judge": "Name of the judge; empty where it is unknown.",
    "judge_config": "Digest of the judge's settings.",
    "judge_card": "What the judge's exam found on the pack: fit, diagnostic, too_few, unfit or unexamined.",
    "rubric": "Id of the rubric.",
    "rubric_digest": "Digest of the rubric and the judge's prompt.",
    "first_date": "Start of the earliest run in the row (UTC); empty where unknown.",
    "last_date": "Start of the latest run in the row (UTC).",
    "epochs": "Repetitions (epochs) that the outputs come from.",
    "seed": "Seed of the draws behind the ranks.",
    "package_version": "Version of alignbench that made this file.",
    "flags": "Warnings, one word each, joined by +; leaderboard.md says what those that occur mean.",
    "reason": "Why the model has no rank.",
    "apart": "What keeps the model from the first group of models that may be ranked together.",
    **{name: _CORRECTION[name] for name in CORRECTION_KEYS},
}  # fmt: skip
"""Column to what it means, in the order of the file."""


def columns_markdown() -> str:
    """The columns as a page."""
    return "\n".join(
        [
            "# Columns of leaderboard.csv",
            "",
            "One row a board, model, pack and measure. An empty cell is not known or does not apply. A text that a "
            "spreadsheet would take for a formula has a `'` before it.",
            "",
            columns_table(COLUMNS),
            "",
        ]
    )
