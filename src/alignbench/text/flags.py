"""What the one-word warnings of a result mean, in words, for whoever prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignbench.vocabulary import FEW_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FLAGS", "explain_flags", "upper_bound"]

FLAGS = {
    "few_scenarios": "fewer than 10 scenarios",
    "one_scenario": "one scenario says nothing of others, so there is no interval",
    "nothing_judged": "no output has a verdict that counts",
    "missing_pack": "a pack is missing, so there is no value over all packs",
    "unscored_share": "more than 10 % of the outputs are off task or without a verdict",
    "partial_log": "the run was not finished, so that outputs that were planned may be missing",
    "model_fallback": "another model answered in place of the one asked for",
    "judge_fallback": "another model judged in place of the one asked for",
    "score_edited": "a person changed a verdict",
    "self_graded": "a model judged its own answers",
    "same_family": "a judge is of the maker of the model that it judged",
    "content_filter": "the provider withheld an answer, or the rest of one",
    "reasked": "the judge's first reply could not be used, so it was asked again",
    "evidence_missing": "what the judge quotes does not stand in the answer",
    "uncorrected": "not corrected for the judge's errors",
    "no_labels": "a pack has no label of a model's outputs",
    "unlabelled_stratum": "of what the judge flagged, of the rest, or of one count of votes nothing is labelled",
    "few_labels": f"fewer labels in a pack than a corrected rate needs ({FEW_LABELS} if not said otherwise)",
    "transported": "corrected by the error rates of the judge's exam, which is a guess",
    "no_correction": "by its exam on a pack the judge is hardly better than chance: no correction exists",
    "few_informative": "the two differ in too few scenarios for the test to reject at all",
    "no_pairs": "no output is judged on both sides",
    "unpaired": "outputs without a judged partner, left out",
    "missingness_differs": "one side has been judged less often than the other (sign flips of scenarios, p < .05)",
    "digest_unknown": "nothing shows that packs and rubrics were the same",
    "judge_unknown": "nothing shows that the judge was the same",
    "other_judges": "verdicts of judges who have not judged both are left out",
    "other_scenarios": "other scenarios or repetitions of the packs than the models beside it",
    "judge_unfit": "the judge is unfit by its card: its verdicts decide nothing",
    "judge_too_few": "the judge's exam has too few answers to tell whether it is fit",
    "judge_diagnostic": "the judge is diagnostic by its card: rates need its errors corrected by labels of people",
    "identical_rows": "one model, and the same verdict on every output",
    "not_measured": "not measured on both sides",
    "packs_differ": "seen and unseen families are not from the same packs",
    "families_seen": "families among the seen scenarios",
    "families_unseen": "families among the unseen scenarios",
    "no_spread": "all scenarios agree, so the interval is a cautious one, or there is none",
    "separated": "some value always or never wins, so its worth has no finite estimate",
    "one_scenario_bridge": "a link between values rests on one scenario, so there is no interval",
    "ridge_only": "without one scenario some value always or never wins, so its worth has no interval",
    "nudge_separated": "nudged answers always follow the nudge and are left out",
    "nudge_confounded": "the effect of the nudges cannot be told from the worths",
    "two_values": "an order of two values has two forms only",
    "no_repeats": "one output a scenario, so its noise is not known",
    "few_event_scenarios": "fewer than 10 scenarios with an event (or a disagreement): the interval may be narrow",
    "nobody_at_risk": "no conversation is left that could flip",
    "undefined": "not defined on these outputs",
    "undefined_draws": "no interval: the draws it is made from are undefined or all alike",
    "no_disagreement": "nobody disagrees, so there is no interval",
    "no_events_in_pilot": "the pilot has no event (or nothing else); half an output was added",
    "margin_impossible": "no result on so few scenarios could meet the margin, or a pack has too few",
    "no_discordant_pairs": "the two models never differ in the pilot",
}  # fmt: skip
"""Flag to words; a flag such as `unpaired=3` stands here without its number."""


def explain_flags(flags: Iterable[str]) -> str:
    """One line that explains the flags that occur; empty where none does.

    Args:
        flags: Flags of some rows, in any number.
    """
    found = {flag.partition("=")[0] for flag in flags}
    parts = [f"{flag}: {words}" for flag, words in FLAGS.items() if flag in found]
    return f"Flags: {'; '.join(parts)}." if parts else ""


def upper_bound(share: float, what: str = "event") -> str:
    """How an upper bound reads that stands beside a rate of nothing.

    Args:
        share: The bound.
        what: What was not seen.
    """
    return f"no {what}: at most {100 * share:.1f} %"
