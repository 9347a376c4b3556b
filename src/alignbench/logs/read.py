"""Read a log: what it says about itself, and each sample with what the judges said of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from alignbench.errors import InputError, first_line
from alignbench.identity import judge_config
from alignbench.logs.find import find_logs
from alignbench.logs.layout import (
    ERROR,
    HEADER,
    Dataset,
    Eval,
    Header,
    Model,
    Row,
    ScoreMetadata,
    Summary,
    decode_rows,
    decode_rows_once,
)
from alignbench.logs.zip_member import read_member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["JUDGE_TASKS", "Log", "choose", "no_verdicts", "pack_logs", "samples"]

PACK_TASKS, JUDGE_TASKS = ("pack",), ("judge_exam", "judge_attack")
"""Kinds of our tasks: of a model under test, and of the judge."""
_RAW = msgspec.json.Decoder(msgspec.Raw)
_NAN = re.compile(rb"NaN(?=[,\]}])")

S = TypeVar("S", bound=Summary)


@dataclass(frozen=True, slots=True)
class Log:
    """The header of one log: where it is, what was run, what its task says, samples planned, how it ended."""

    path: str
    eval: Eval
    metadata: dict[str, Any]
    planned: int
    status: str

    @property
    def name(self) -> str:
        """The file's name: a table must not carry the folders of the machine that made it."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def age(self) -> tuple[Any, ...]:
        """Sorts the passes over one task; a copy scored again has more scorers, or else a longer name."""
        return self.eval.created, len(self.eval.scorers or []), len(self.name), self.name


def _decode(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    """Inspect writes NaN, which is no JSON; text that changes on the way is in no field that we read."""
    return decoder.decode(_NAN.sub(b"null", raw))


def _read(path: str, member: str, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Decode the header or the summaries of a log."""
    if "://" not in path and path.endswith(".eval"):
        try:
            return _decode(decoder, read_member(path, member))
        except Exception:  # noqa: S110  (a run still going, a format we do not know, a broken zip: Inspect will say)
            pass
    raw = _through_inspect(path, header=member == "header.json")
    try:
        return _decode(decoder, raw)
    except msgspec.MsgspecError as error:
        raise InputError(f"this log is unlike what Inspect writes: {error}", file=path) from error


def _through_inspect(path: str, *, header: bool) -> bytes:
    """Header or summaries as JSON, read by Inspect."""
    from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

    _refuse_depth(path)
    try:
        if header:
            return read_eval_log(path, header_only=True).model_dump_json().encode()
        summaries = read_eval_log_sample_summaries(path)
        return b"[" + b",".join(item.model_dump_json().encode() for item in summaries) + b"]"
    except Exception as error:  # Inspect has no common class for "this is no log".
        raise InputError(f"Inspect cannot read this log: {first_line(error)}", file=path) from error


def _refuse_depth(path: str) -> None:
    """Refuse JSON nested past all reason: the time that Inspect's reader takes grows with the square of the depth."""
    if "://" in path or not path.endswith(".json"):
        return
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (a path here is text)
            _decode(_RAW, file.read())
    except RecursionError as error:
        raise InputError("nested too deeply to be a log", file=path) from error
    except (OSError, msgspec.MsgspecError):
        # Inspect will say.
        return


def _kind(metadata: dict[str, Any]) -> str:
    """What a log of ours is of, as its task says; empty for others."""
    kind = metadata.get("kind", "pack" if metadata.get("pack") and metadata.get("pack_digest") else "")
    return str(kind)


def _read_log(path: str, kinds: Sequence[str]) -> Log | None:
    """What a log says about itself; None where it is no log of an alignbench task of these kinds."""
    header: Header = _read(path, "header.json", HEADER)
    about, metadata = header.eval, header.eval.metadata or {}
    if _kind(metadata) not in kinds:
        return None
    planned = len(about.dataset.sample_ids or []) * (about.config.epochs or 1)
    # What a run sets for its task (`--temperature`) goes before what the model came with.
    about.model_generate_config |= {name: value for name, value in header.plan.config.items() if value is not None}
    # Hundreds of logs are open at once: the ids would be most of what they take.
    about.dataset = Dataset()
    return Log(path, about, metadata, planned, header.status)


def choose(paths: Sequence[str | Path], kinds: Sequence[str] = PACK_TASKS) -> list[Log]:
    """The logs of alignbench tasks; of several passes over one the last, which holds what earlier did."""
    logs = [log for log in (_read_log(path, kinds) for path in find_logs(paths)) if log is not None]
    newest = {log.eval.task_id or log.path: log for log in sorted(logs, key=lambda log: log.age)}
    chosen = [log for log in logs if newest[log.eval.task_id or log.path] is log]
    if not chosen:
        wanted = "an alignbench task" if kinds == PACK_TASKS else "a judge's examination"
        raise InputError(f"no log of {wanted}", file=", ".join(map(str, paths)))
    return chosen


def pack_logs(paths: Sequence[str | Path]) -> list[str]:
    """The logs that `verdicts` reads: those of packs, and of several passes over one task the last.

    Raises:
        InputError: No logs, or unreadable ones.
    """
    return [log.path for log in choose(paths)]


def no_verdicts(paths: Sequence[str | Path]) -> InputError:
    """The error for logs in which nothing was judged."""
    return InputError(
        "the logs hold no verdicts",
        file=", ".join(map(str, paths)),
        allowed="judged logs; judge these with `inspect score`",
    )


def _grader(log: Log) -> tuple[str, str]:
    """The judge as the header names it, for samples that have no score to name it."""
    bound = (log.eval.model_roles or {}).get("grader")
    model = bound[0] if isinstance(bound, list) and bound else bound
    if not isinstance(model, Model):
        return "", ""
    return model.model, judge_config(model.args, model.config)


def _rows(log: Log, summary: Summary, scorer: str, score: ScoreMetadata) -> list[Row]:
    try:
        return decode_rows(score.rows)
    except msgspec.DecodeError:
        # Summaries keep a kilobyte of text; the rows of a very long conversation stand in the sample alone.
        return decode_rows_once(_sample_rows(log.path, summary, scorer))


def _sample_rows(path: str, summary: Summary, scorer: str) -> str:
    from inspect_ai.log import read_eval_log_sample

    sample = read_eval_log_sample(path, summary.id, summary.epoch, exclude_fields={"messages", "events", "store"})
    return str(((sample.scores or {})[scorer].metadata or {})["rows"])


def _judged(summary: Summary) -> dict[str, ScoreMetadata]:
    """The scores that our judges gave, by scorer."""
    scores = {name: score.metadata for name, score in (summary.scores or {}).items()}
    return {name: score for name, score in scores.items() if score is not None and isinstance(score.rows, str)}


def samples(log: Log, decoder: msgspec.json.Decoder[list[S]]) -> Iterator[tuple[S, ScoreMetadata, list[Row]]]:
    """Each sample with each judge's rows; a sample that failed has a row a turn, with the reason `error`."""
    summaries: list[S] = _read(log.path, "summaries.json", decoder)
    # Logs hold samples in the order in which they were done, which no two runs have in common.
    summaries.sort(key=lambda summary: (str(summary.id), summary.epoch))
    judged = [(summary, _judged(summary)) for summary in summaries if summary.metadata.scenario is not None]
    judges = {(score.judge, score.judge_config) for _, scores in judged for score in scores.values()}
    for summary, scores in judged:
        for name, score in scores.items():
            yield summary, score, _rows(log, summary, name, score)
        if summary.error is not None:
            done = {(score.judge, score.judge_config) for score in scores.values()}
            for judge, config in sorted((judges or {_grader(log)}) - done):
                yield summary, _unscored(log, judge, config), [ERROR] * summary.metadata.turns


def _unscored(log: Log, judge: str, config: str) -> ScoreMetadata:
    rubric, digest = log.metadata.get("rubric", ""), log.metadata.get("rubric_digest", "")
    return ScoreMetadata(None, judge, config, rubric, digest)
