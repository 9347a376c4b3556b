"""What judges said of labelled answers, from the logs of their examinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alignbench.logs.layout import ExamSummary, Usage
from alignbench.logs.read import JUDGE_TASKS, Log, choose, no_verdicts
from alignbench.logs.samples import samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

__all__ = ["exam_rows"]


def exam_rows(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read what judges said of labelled answers, bare and forged, from the logs of their examinations.

    Args:
        paths: Log folders and log files, as for `verdicts`; logs of other tasks are passed over.

    Returns:
        One row an answer, judge and repetition, with the columns `alignbench.judges.card.EXAM_COLUMNS`.

    Raises:
        InputError: No logs of an examination, unreadable logs, or nothing judged in them.
    """
    import pandas as pd

    from alignbench.judges.card import EXAM_COLUMNS

    records = [record for log in choose(paths, JUDGE_TASKS) for record in _exam_records(log)]
    if not records:
        raise no_verdicts(paths, "alignbench judge exam")
    return pd.DataFrame.from_records(records, columns=list(EXAM_COLUMNS))


def _exam_records(log: Log) -> Iterator[tuple[Any, ...]]:
    digests = log.metadata.get("packs", {})
    for summary, score, rows in samples(log, ExamSummary):
        about, pack = summary.metadata, str(summary.id).split("/")[0]
        usage = summary.role_usage.get("grader", Usage()).row()
        last = rows[-1]
        yield (score.judge, score.judge_config, score.rubric, score.rubric_digest,
               digests.get(pack, {}).get("label_digest", ""), pack, about.scenario, about.twin, about.answer,
               about.kind, about.attack, about.technique, summary.epoch, about.label, about.label_position_1,
               about.label_position_2, last.verdict, last.reason, last.position_1, last.position_2, last.flags, *usage,
               summary.error)  # fmt: skip
