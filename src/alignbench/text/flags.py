"""What the one-word warnings of a result mean, in words, for whoever prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.vocabulary import Flag, flag_word

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FLAGS", "explained"]

FLAGS: dict[str, str] = {
    Flag.FEW_SCENARIOS: "fewer than 10 scenarios",
    Flag.ONE_SCENARIO: "one scenario says nothing of others, so there is no interval",
    Flag.NOTHING_JUDGED: "no output has a verdict that counts",
    Flag.MISSING_PACK: "a pack is missing, so there is no value over all packs",
    Flag.UNSCORED_SHARE: "more than 10 % of the outputs are off task or without a verdict",
    Flag.PARTIAL_LOG: "the run was not finished, so that outputs that were planned may be missing",
    Flag.MODEL_FALLBACK: "another model answered in place of the one asked for",
    Flag.JUDGE_FALLBACK: "another model judged in place of the one asked for",
    Flag.SCORE_EDITED: "a person changed a verdict",
    Flag.SELF_GRADED: "a model judged its own answers",
    Flag.SAME_FAMILY: "a judge is of the maker of the model that it judged",
    Flag.CONTENT_FILTER: "the provider withheld an answer, or the rest of one",
    Flag.REASKED: "the judge's first reply could not be used, so it was asked again",
    Flag.EVIDENCE_MISSING: "what the judge quotes does not stand in the answer",
    Flag.UNCORRECTED: "not corrected for the judge's errors",
    Flag.NO_LABELS: "a pack has no label of a model's outputs",
    Flag.UNLABELLED_STRATUM: "of what the judge flagged, of the rest, or of one count of votes nothing is labelled",
    Flag.FEW_LABELS: "fewer labels in a pack than a corrected rate needs (50 if not said otherwise)",
    Flag.TRANSPORTED: "corrected by the error rates of the judge's exam, which is a guess",
    Flag.NO_CORRECTION: "by its exam on a pack the judge is hardly better than chance: no correction exists",
    Flag.FEW_INFORMATIVE: "the two differ in too few scenarios for the test to reject at all",
    Flag.NO_PAIRS: "no output is judged on both sides",
    Flag.UNPAIRED: "outputs without a judged partner, left out",
    Flag.MISSINGNESS_DIFFERS: "one side has been judged less often than the other (sign flips of scenarios, p < .05)",
    Flag.DIGEST_UNKNOWN: "nothing shows that packs and rubrics were the same",
    Flag.JUDGE_UNKNOWN: "nothing shows that the judge was the same",
    Flag.OTHER_JUDGES: "verdicts of judges who have not judged both are left out",
    Flag.OTHER_SCENARIOS: "other scenarios or repetitions of the packs than the models beside it",
    Flag.JUDGE_UNFIT: "the judge is unfit by its card: its verdicts decide nothing",
    Flag.JUDGE_TOO_FEW: "the judge's exam has too few answers to tell whether it is fit",
    Flag.JUDGE_DIAGNOSTIC: "the judge is diagnostic by its card: rates need its errors corrected by labels of people",
    Flag.IDENTICAL_ROWS: "one model, and the same verdict on every output",
    Flag.NOT_MEASURED: "not measured on both sides",
    Flag.PACKS_DIFFER: "seen and unseen families are not from the same packs",
    Flag.FAMILIES_SEEN: "families among the seen scenarios",
    Flag.FAMILIES_UNSEEN: "families among the unseen scenarios",
    Flag.NO_SPREAD: "all scenarios agree, so the interval is a cautious one, or there is none",
    Flag.SEPARATED: "some value always or never wins, so its worth has no finite estimate",
    Flag.ONE_SCENARIO_BRIDGE: "a link between values rests on one scenario, so there is no interval",
    Flag.RIDGE_ONLY: "without one scenario some value always or never wins, so its worth has no interval",
    Flag.NUDGE_SEPARATED: "nudged answers always follow the nudge and are left out",
    Flag.NUDGE_CONFOUNDED: "the effect of the nudges cannot be told from the worths",
    Flag.TWO_VALUES: "an order of two values has two forms only",
    Flag.NO_REPEATS: "one output a scenario, so its noise is not known",
    Flag.FEW_EVENT_SCENARIOS: "fewer than 10 scenarios with an event (or a disagreement): the interval may be narrow",
    Flag.NOBODY_AT_RISK: "no conversation is left that could flip",
    Flag.UNDEFINED: "not defined on these outputs",
    Flag.UNDEFINED_DRAWS: "no interval: the draws it is made from are undefined or all alike",
    Flag.NO_DISAGREEMENT: "nobody disagrees, so there is no interval",
    Flag.NO_EVENTS_IN_PILOT: "the pilot has no event (or nothing else); half an output was added",
    Flag.MARGIN_IMPOSSIBLE: "no result on so few scenarios could meet the margin, or a pack has too few",
    Flag.NO_DISCORDANT_PAIRS: "the two models never differ in the pilot",
    Flag.OTHER_RUBRIC: "the two judged by different rubrics",
    Flag.OUTPUTS_UNVERIFIED: "the tables do not name their samples, so nothing shows that the outputs are the same",
    Flag.MODELS_POOLED: "each row holds several models: changes that go both ways cancel (--by model,pack: one each)",
}  # fmt: skip
"""Flag to words; a flag such as `unpaired=3` stands here without its number."""


def explained(flags: Iterable[str]) -> str:
    """One line that explains the flags that occur; empty where none does.

    Args:
        flags: Flags of some rows, in any number.
    """
    found = {flag_word(flag) for flag in flags}
    parts = [f"{flag}: {words}" for flag, words in FLAGS.items() if flag in found]
    return f"Flags: {'; '.join(parts)}." if parts else ""
