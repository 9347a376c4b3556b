"""Each planned sample of a log with what each of its judges said of it, or why nobody said anything."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import msgspec

from alignbench.errors import InputError
from alignbench.logs.edits import edited_rows, is_edited, original_metadata, says_otherwise
from alignbench.logs.layout import ScoreMetadata, Summary, WholeScore, decode_rows
from alignbench.logs.planned import absent_samples
from alignbench.logs.read import JUDGE_TASKS, Samples, header_grader, read_summaries
from alignbench.logs.unasked import is_same_judge, settle_judges
from alignbench.vocabulary import ABSENT, ERROR, INVALID, LIMITED, Flag, TurnRow, join_flags, split_flags, unscored_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alignbench.logs.layout import Score
    from alignbench.logs.read import Log

__all__ = ["samples"]

_SCORER = re.compile(r"(?:.*/)?rubric_judge\d*")
"""Our scorer's name in logs; Inspect numbers the further ones."""

S = TypeVar("S", bound=Summary)
Judge = tuple[str, str]
"""Name and configuration digest."""


def samples(log: Log, kind: type[S]) -> Iterator[tuple[S, ScoreMetadata, list[TurnRow]]]:
    """Each planned sample with each judge's rows, one a planned turn, in the order of the samples.

    A turn without a verdict has its reason: `error` where the sample failed, `limited` where a limit ended it,
    `invalid` where a person said so, `absent` where it, or the judge's score of it, is not there.

    Args:
        log: The log.
        kind: What a summary of it is: `Summary`, or `ExamSummary`.
    """
    summaries = read_summaries(log, kind)
    missing = absent_samples(log, summaries, kind)
    lost = set(map(id, missing))
    ours = [summary for summary in summaries if summary.metadata.scenario is not None]
    scores = _Scores(log, ours)
    if missing:
        ours = sorted([*ours, *missing], key=lambda summary: (str(summary.id), summary.epoch))
    for summary in ours:
        absent = id(summary) in lost
        said = [] if absent else scores.rows(summary)
        if len(said) < len(scores.judges):
            row = unscored_row(ABSENT if absent else scores.reason(summary))
            unsaid = scores.judges.keys() - {(about.judge, about.judge_config) for about, _ in said}
            said += [(scores.judges[judge], [row] * summary.metadata.turns) for judge in sorted(unsaid)]
        for about, rows in said:
            flags = scores.flags(summary, about.judge) if summary.model_fallbacks else ()
            yield summary, about, _flagged(rows, (*flags, Flag.PARTIAL_LOG) if missing else flags)


def _flagged(rows: list[TurnRow], flags: Sequence[str]) -> list[TurnRow]:
    """Rows with further flags."""
    if not flags:
        return rows
    return [row._replace(flags=join_flags((*split_flags(row.flags), *flags))) for row in rows]


class _Scores:
    """The scores that judges of ours have given to the samples of a log.

    Attributes:
        judges: What each judge says of itself; where no score says anything, the one that the header names.
    """

    def __init__(self, log: Log, there: Sequence[Summary]) -> None:
        self._log, self._samples = log, Samples(log)
        self._named: dict[str, ScoreMetadata] = {}
        self.judges: dict[Judge, ScoreMetadata] = {}
        given = [
            (name, score.metadata)
            for summary in there
            for name, score in (summary.scores or {}).items()
            if score.metadata is not None and score.metadata.is_ours
        ]
        settle_judges(about for _, about in given)
        for name, about in given:
            self.judges.setdefault((about.judge, about.judge_config), about)
            self._named.setdefault(name, about)
        # What was finished and has no score at all is of a run without a judge (`--no-score`).
        unjudged = any(not (summary.error or summary.limit or summary.scores) for summary in there)
        scorers = [str(scorer.get("name")) for scorer in log.eval.scorers or [] if isinstance(scorer, dict)]
        if not self.judges and not unjudged and any(map(_SCORER.fullmatch, scorers)):
            about = self._header()
            self.judges[about.judge, about.judge_config] = about

    def _header(self) -> ScoreMetadata:
        """The judge as the header names it."""
        metadata = self._log.metadata
        return ScoreMetadata(
            None, *header_grader(self._log), metadata.get("rubric", ""), metadata.get("rubric_digest", "")
        )

    def rows(self, summary: Summary) -> list[tuple[ScoreMetadata, list[TurnRow]]]:
        """The judges of a sample and their rows."""
        found = [self._of_score(summary, name, score) for name, score in (summary.scores or {}).items()]
        return [said for said in found if said is not None]

    def reason(self, summary: Summary) -> str:
        """Why there is no verdict on what is missing of a sample."""
        if self._is_invalid(summary):
            return INVALID
        if summary.error is not None:
            return ERROR
        return LIMITED if summary.limit is not None else ABSENT

    def flags(self, summary: Summary, judge: str) -> tuple[str, ...]:
        """Which of the models behind a row is not the one that was asked for."""
        found = []
        for one in summary.model_fallbacks or ():
            judges = [name for name, _ in self.judges if _is_called(one.model, name)]
            of_judge = self._log.metadata.get("kind") in JUDGE_TASKS or judges
            if not of_judge or _is_called(one.model, self._log.eval.model):
                found.append(Flag.MODEL_FALLBACK)
            elif judge in (judges or [judge]):
                found.append(Flag.JUDGE_FALLBACK)
        return tuple(dict.fromkeys(found))

    def _of_score(self, summary: Summary, name: str, score: Score) -> tuple[ScoreMetadata, list[TurnRow]] | None:
        """The judge of a score and its rows; None for a score of somebody else's scorer."""
        about, twin = score.metadata, summary.metadata.twin
        if about is None or not about.is_ours:
            return self._replaced(summary, name) if _SCORER.fullmatch(name) else None
        rows = _unedited(about.rows, bytes(score.value), score.answer, score.reason, twin)
        if rows is None:
            whole = self._whole(summary, name)
            if is_edited(whole):
                return about, self._completed(summary, edited_rows(whole, twin=twin))
            rows = self._decoded(summary, whole, about.rows)
        if summary.error is not None or summary.limit is not None:
            rows = self._without_cut_turn(summary, rows)
        return about, self._completed(summary, rows)

    def _replaced(self, summary: Summary, name: str) -> tuple[ScoreMetadata, list[TurnRow]] | None:
        """A score that a person added, or beside which a person has put other metadata."""
        whole = self._whole(summary, name)
        if not is_edited(whole):
            return None
        original = original_metadata(whole)
        rows = edited_rows(whole, twin=summary.metadata.twin)
        if original is None:
            # The score of a sample is that of its last turn; nobody has judged those before it.
            rows = [unscored_row(self.reason(summary))] * (summary.metadata.turns - 1) + rows
        about, named = original, self._named.get(name)
        if named is not None and (about is None or is_same_judge(about, named)):
            about = named
        about = about or self._header()
        return about, self._completed(summary, rows)

    def _whole(self, summary: Summary, name: str) -> WholeScore:
        return (self._samples.read(summary).scores or {}).get(name, WholeScore())

    def _decoded(self, summary: Summary, whole: WholeScore, rows: str) -> list[TurnRow]:
        """The rows of a score; summaries keep a kilobyte of text, those of a very long conversation are longer."""
        full = whole.metadata.rows if whole.metadata is not None else rows
        try:
            return decode_rows(full)
        except (msgspec.DecodeError, TypeError) as error:
            raise InputError("rows of a score that cannot be read", file=self._log.path,
                             item=str(summary.id)) from error  # fmt: skip

    def _completed(self, summary: Summary, rows: list[TurnRow]) -> list[TurnRow]:
        """The rows of all planned turns; a solver that made more turns keeps its own count."""
        if self._is_invalid(summary):
            rows = [unscored_row(INVALID, row.flags) for row in rows]
        open_turns = summary.metadata.turns - len(rows)
        return rows + [unscored_row(self.reason(summary))] * open_turns if open_turns > 0 else rows

    def _without_cut_turn(self, summary: Summary, rows: list[TurnRow]) -> list[TurnRow]:
        """Rows without a verdict on an answer that an error or a limit broke off, or that never began."""
        sample = self._samples.read(summary)
        before = sample.input if isinstance(sample.input, list) else []
        said, given = (sum(message.role == "assistant" for message in part) for part in (sample.messages, before))
        if said <= given or not rows:
            # Where nothing was said, our judge writes one row all the same.
            return []
        last = sample.messages[-1]
        if last.role == "tool" or last.tool_calls:
            return [*rows[:-1], unscored_row(self.reason(summary), rows[-1].flags)]
        return rows

    def _is_invalid(self, summary: Summary) -> bool:
        return self._log.invalidated and self._samples.read(summary).invalidation is not None


# Scores hold few distinct verdicts, so most have been looked at before.
@lru_cache(maxsize=65_536)
def _unedited(rows: str, value: bytes, answer: str | None, reason: str | None, twin: bool) -> list[TurnRow] | None:
    """The rows of a score that says what our judge writes beside them; None where only the whole sample can tell."""
    try:
        found = decode_rows(rows)
        edited = not found or says_otherwise(msgspec.json.decode(value), answer, reason, found[-1], twin=twin)
    except msgspec.DecodeError:
        return None
    return None if edited else found


def _is_called(asked: str, model: str) -> bool:
    """Whether a provider's name of a model is that of a model in Inspect's words, which begin with the provider."""
    return asked == model or model.endswith(f"/{asked}")
