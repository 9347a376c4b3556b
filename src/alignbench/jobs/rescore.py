"""Another judge for logs that exist: through Inspect's own scoring, the model under test is never called.

Samples stream from the old log through the judge into the new one, which takes its place whole or not at all.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from inspect_ai import score_async
from inspect_ai.log import (
    EvalResults,
    EvalSample,
    read_eval_log,
    read_eval_log_sample_summaries,
    read_eval_log_samples_by_id,
    recompute_metrics,
    write_eval_log,
)

from alignbench.errors import InputError, first_line
from alignbench.files import atomic_path, make_folder
from alignbench.logs import check_samples, pack_logs
from alignbench.logs.copy import LogCopy
from alignbench.rubrics import load_rubric
from alignbench.run.grader import GRADER
from alignbench.run.scoring.judge import configured, judge_identity, rubric_judge
from alignbench.run.scoring.transcript import live_turns
from alignbench.vocabulary import ERROR, begin_unscored

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence

    from inspect_ai.log import EvalLog, EvalSampleSummary
    from inspect_ai.model import Model
    from inspect_ai.scorer import Score

    Key = tuple[str | int, int]

__all__ = ["Rescored", "rescore"]

SUFFIX = "-scored"
"""What Inspect, too, adds to the name of a scored copy."""
STREAMED = 32
"""Samples in work at a time; the provider's own limits on connections lie below it."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, LookupError, ValueError)
"""How zipfile, pydantic and Inspect say that a member is damaged, lost, or not what they write."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """What became of one log.

    Attributes:
        source: The log that was read.
        target: The log that was written; the same as `source` where there was nothing to do.
        judged: Samples that this judge has now judged.
        kept: Samples that it had judged before.
        failed: Samples on which it could not be called; the same command tries these again.
        unanswered: Samples that failed before the model under test had given every answer.
        rubric_changed: Whether the rubric differs from the one of the run.
        invalid: Samples that a person has declared invalid.
    """

    source: Path
    target: Path
    judged: int
    kept: int
    failed: int
    unanswered: int
    rubric_changed: bool
    invalid: int = 0


def rescore(
    paths: Sequence[str | Path],
    grader: Model,
    *,
    rubric: str | None = None,
    output: str | Path | None = None,
    in_place: bool = False,
) -> Iterator[Rescored]:
    """Add a judge to logs; of several passes over one task the last one is taken.

    What the judge is told of each case stands in the log, so packs may have changed since. Samples that it has judged
    already are not judged again: after failed calls the same command judges what is missing.

    Args:
        paths: Log folders and log files (`.eval`).
        grader: The judge.
        rubric: Id or path of the rubric; default: the run's.
        output: Folder for the copies; default: beside each log, with `-scored` in its name.
        in_place: Replace each log by its scored copy instead.

    Yields:
        What became of each log.

    Raises:
        InputError: No logs, one that is no local `.eval` file, another log in the way, or every call failed.
    """
    if in_place and output is not None:
        raise InputError("in place and into a folder", allowed="one of the two")
    for path in pack_logs(paths):
        if "://" in path or not path.endswith(".eval"):
            raise InputError("only local .eval logs can be judged again", file=path,
                             allowed="a copy made with `inspect log convert --to eval`")  # fmt: skip
        source, target = Path(path), _target(Path(path), output, in_place)
        try:
            found = _rescore(_resumed(source, target), target, grader, rubric)
        except _DAMAGED as error:
            raise InputError(f"this log cannot be judged again: {first_line(error)}", file=source,
                             allowed="a whole log") from error  # fmt: skip
        yield found


def _target(source: Path, output: str | Path | None, in_place: bool) -> Path:
    if in_place:
        return source
    if output is not None:
        return Path(output) / source.name
    stem = source.stem.removesuffix(SUFFIX)
    return source.with_name(f"{stem}{SUFFIX}{source.suffix}")


def _resumed(source: Path, target: Path) -> Path:
    """The log to go on from: a copy made before, which holds what the source holds and more."""
    if not target.exists() or target.samefile(source):
        return source
    one, other = (read_eval_log(path, header_only=True).eval for path in (source, target))
    if one.eval_id != other.eval_id:
        raise InputError("another log has this name", file=target, allowed="another folder (-o)")
    return target


@dataclass(frozen=True, slots=True)
class _Job:
    """One log and one judge.

    Attributes:
        source: The log.
        grader: The judge.
        rubric: Id or path of the rubric.
        identity: What the judge's own scores say of it.
    """

    source: Path
    grader: Model
    rubric: str
    identity: Mapping[str, str]

    def own(self, scores: Mapping[str, Score] | None) -> dict[str, Score]:
        """The scores that this judge gave before, under this rubric."""
        found = {}
        for name, score in (scores or {}).items():
            # A person who edits a score may put other metadata there; the first entry is the judge's own.
            given = score.history[0].metadata if score.history else score.metadata
            about = configured(given) if isinstance(given, dict) else {}
            if about and all(about.get(key) == value for key, value in self.identity.items()):
                found[name] = score
        return found


@dataclass(slots=True)
class _Plan:
    """Which samples of a log the judge has still to judge."""

    pending: list[Key] = field(default_factory=list)
    again: bool = False
    kept: int = 0
    unanswered: int = 0
    invalid: int = 0


def _rescore(source: Path, target: Path, grader: Model, rubric: str | None) -> Rescored:
    log = read_eval_log(source, header_only=True)
    about = log.eval.metadata or {}
    reference = rubric or _rubric_of(log)
    digest = load_rubric(reference).digest
    job = _Job(source, grader, reference, {**judge_identity(grader), "rubric_digest": digest})
    changed = about.get("rubric_digest") != digest
    summaries = read_eval_log_sample_summaries(source)
    plan = _planned(job, summaries, invalidated=log.invalidated)
    if not plan.pending:
        return Rescored(source, source, 0, plan.kept, 0, plan.unanswered, changed, plan.invalid)
    make_folder(target.parent)
    with atomic_path(target) as file:
        with LogCopy(source, file, summaries) as copy:
            failures = anyio.run(_judge, job, log, plan, copy)
            if len(failures) == len(plan.pending):
                raise InputError(f"every call of the judge {grader} failed. {failures[0]}", file=source)
            copy.finish(log)
        write_eval_log(log, file, header_only=True)
    judged = len(plan.pending) - len(failures)
    return Rescored(source, target, judged, plan.kept, len(failures), plan.unanswered, changed, plan.invalid)


def _rubric_of(log: EvalLog) -> str:
    """Id or path of the rubric of a run."""
    options = [scorer.options or {} for scorer in log.eval.scorers or []]
    given = next((one["rubric"] for one in options if "rubric" in one), None)
    return str(given or log.eval.task_args.get("rubric") or (log.eval.metadata or {})["rubric"])


def _planned(job: _Job, summaries: Sequence[EvalSampleSummary], *, invalidated: bool) -> _Plan:
    """Which samples to judge: what a limit cut short by the answers that there are, as a run itself does it."""
    plan, doubtful = _Plan(), []
    for summary in summaries:
        own = job.own(summary.scores)
        plan.again |= bool(own)
        if own and not any(map(_failed, own.values())):
            plan.kept += 1
        elif invalidated or (summary.error is not None and not summary.scores) or _replaced(summary.scores):
            doubtful.append((summary.id, summary.epoch))
        else:
            plan.pending.append((summary.id, summary.epoch))
    # A sample may have failed in its answer or in its judge, or be invalid; only the whole sample says which.
    check_samples(str(job.source), plan.pending + doubtful)
    for at in range(0, len(doubtful), STREAMED):
        keys = doubtful[at : at + STREAMED]
        for key, sample in zip(keys, read_eval_log_samples_by_id(job.source, keys), strict=True):
            own = job.own(sample.scores)
            if sample.invalidation is not None:
                plan.invalid += 1
            elif own and not any(map(_failed, own.values())):
                plan.kept += 1
            elif sample.error is None or sample.scores or _answered(sample):
                plan.pending.append(key)
            else:
                plan.unanswered += 1
    return plan


def _replaced(scores: Mapping[str, Score] | None) -> bool:
    """Whether some score lacks what our judge writes beside it, as after an edit, or comes from another scorer."""
    return any("rows" not in (score.metadata or {}) for score in (scores or {}).values())


def _failed(score: Score) -> bool:
    """Whether a score says no more than that the judge could not be called; not where a person has edited it since."""
    unscored = isinstance(score.value, float) and math.isnan(score.value)
    # Summaries keep a kilobyte of the rows; a judge that cannot be called leaves the same in all of them.
    rows = str((score.metadata or {}).get("rows"))
    return unscored and score.reason in (None, ERROR) and begin_unscored(rows, ERROR)


def _answered(sample: EvalSample) -> bool:
    """Whether the model under test has given every answer that it was asked for."""
    scripted = sample.input if isinstance(sample.input, list) else []
    return len(live_turns(sample.messages, scripted)) >= int(sample.metadata["turns"])


async def _judge(job: _Job, log: EvalLog, plan: _Plan, copy: LogCopy) -> list[str]:
    """Judge the pending samples, write them into the copy, bring the header up to date; returns what failed."""
    failures: list[str] = []

    def done(sample: EvalSample) -> None:
        failures.extend(str(score.explanation) for score in job.own(sample.scores).values() if _failed(score))
        copy.add(sample)

    roles, results = log.eval.model_roles, log.results
    counts = (results.total_samples, results.completed_samples) if results else (len(plan.pending), 0)
    before = (list(log.eval.scorers or []), list(results.scores) if results else [], list(log.reductions or []))
    # Inspect would make every model that the header names, and ask for their keys: only the judge is needed.
    log.eval.model_roles = None
    log.results = results or EvalResults()
    log.results.total_samples = len(plan.pending)
    log = await score_async(
        log,
        rubric_judge(job.rubric, failed_calls="note"),
        model=job.grader,
        model_roles={GRADER: job.grader},
        action="append",
        display="none",
        copy=False,
        samples=_stream(job, plan.pending, done),
    )
    log.eval.model_roles = roles
    assert log.results is not None  # noqa: S101  (set above)
    log.results.total_samples, log.results.completed_samples = counts
    if plan.again:
        part = _anew(job, log, copy.summaries)
        log.eval.scorers, log.results.scores, log.reductions = before
        _replace_means(log, part)
    return failures


def _stream(
    job: _Job, keys: Sequence[Key], done: Callable[[EvalSample], None]
) -> Callable[[int], AbstractAsyncContextManager[EvalSample]]:
    """Read samples in batches as they are asked for, and hand each over when it is judged."""
    working, reading = anyio.Semaphore(STREAMED), anyio.Lock()
    ready: dict[int, EvalSample] = {}
    fetched: set[int] = set()

    @asynccontextmanager
    async def sample_at(index: int) -> AsyncGenerator[EvalSample, None]:
        async with working:
            async with reading:
                if index not in ready:
                    batch = [at for at in range(index, min(index + STREAMED, len(keys))) if at not in fetched]
                    fetched.update(batch)
                    # In a thread: Inspect's reader of many samples brings an event loop of its own.
                    wanted = [keys[at] for at in batch]
                    samples = await anyio.to_thread.run_sync(read_eval_log_samples_by_id, job.source, wanted)
                    ready.update(zip(batch, samples, strict=True))
                sample = ready.pop(index)
            for name in job.own(sample.scores):
                del (sample.scores or {})[name]
            yield sample
            done(sample)

    return sample_at


def _anew(job: _Job, log: EvalLog, summaries: Iterable[EvalSampleSummary]) -> EvalLog:
    """The means of this judge over all samples, as the results of a log of its own."""
    assert log.eval.scorers is not None  # noqa: S101  (Inspect has put this judge there)
    spec, samples, names = log.eval.scorers[-1], [], []
    for summary in summaries:
        for name, score in job.own(summary.scores).items():
            names.append(name)
            scores = {spec.name: score}
            samples.append(EvalSample(id=summary.id, epoch=summary.epoch, input="", target="", scores=scores))
    alone = log.eval.model_copy(update={"scorers": [spec]})
    part = log.model_copy(update={"eval": alone, "samples": samples, "results": None, "reductions": None})
    recompute_metrics(part)
    for result in (*(part.results.scores if part.results else ()), *(part.reductions or ())):
        result.scorer = max(names, key=names.count)
    return part


def _replace_means(log: EvalLog, part: EvalLog) -> None:
    """Put the means and reductions of `part` in the place of the same judge's earlier ones."""
    assert log.results is not None  # noqa: S101  (they are there after scoring)
    assert part.results is not None  # noqa: S101  (scored just now)
    own = {score.scorer for score in part.results.scores}
    log.results.scores = [score for score in log.results.scores if score.scorer not in own] + part.results.scores
    earlier = [one for one in log.reductions or [] if one.scorer not in own]
    log.reductions = earlier + (part.reductions or [])
