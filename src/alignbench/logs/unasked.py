"""Which judge a sample has that needed none."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from alignbench.identity import as_configured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alignbench.logs.layout import ScoreMetadata

__all__ = ["is_same_judge", "settle_judges"]

Configured = tuple[str, str, str]
"""Name, digest of the settings as they were configured, and digest of the rubric."""


def settle_judges(scores: Iterable[ScoreMetadata]) -> None:
    """Give the scores of one log for which the judge was not asked the judge as it was asked for the others.

    How a judge can be asked shows at its first call. A sample that needs no call and is done before says how the judge
    was configured; it belongs to the same judge as the rest.
    """
    unasked: list[tuple[Configured, ScoreMetadata]] = []
    asked: dict[Configured, set[str]] = defaultdict(set)
    for score in scores:
        key = _configured(score)
        if score.structured is None:
            unasked.append((key, score))
        else:
            asked[key].add(score.judge_config)
    for key, score in unasked:
        if len(asked[key]) == 1:
            (score.judge_config,) = asked[key]


def is_same_judge(unasked: ScoreMetadata, other: ScoreMetadata) -> bool:
    """Whether a score for which the judge was not asked is, but for how it would have been asked, another's judge's."""
    return unasked.structured is None and _configured(unasked) == _configured(other)


def _configured(score: ScoreMetadata) -> Configured:
    return str(score.judge), as_configured(str(score.judge_config)), str(score.rubric_digest)
