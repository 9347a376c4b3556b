"""Read a log: what it says about itself, and its parts as they stand in the file."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from alignbench.errors import InputError, first_line
from alignbench.identity import judge_config
from alignbench.logs.find import find_logs
from alignbench.logs.layout import HEADER, SAMPLE, SUMMARIES, Dataset, Eval, Header, Model, Sample, Summary
from alignbench.logs.zip_member import DamagedMemberError, check_members, read_member

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from inspect_ai.log import EvalSample

__all__ = [
    "JUDGE_TASKS", "Key", "Log", "Samples", "check_samples", "choose", "header_grader", "no_verdicts", "pack_logs",
    "planned_samples", "read_summaries",
]  # fmt: skip

PACK_TASKS, JUDGE_TASKS = ("pack",), ("judge_exam", "judge_attack")
"""Kinds of our tasks: of a model under test, and of the judge."""
_OTHER_TASKS = (
    "logs of `inspect eval alignbench/PACK`; of another task a CSV with model, scenario and verdict, made of the "
    "scores in inspect_ai.analysis.samples_df as docs/tables.md shows"
)
_RAW = msgspec.json.Decoder(msgspec.Raw)
_NAN, _INFINITY = (re.compile(word + rb"(?=[,\]}])") for word in (rb"NaN", rb"-?Infinity"))

S = TypeVar("S", bound=Summary)
Key = tuple[str, int]
"""Id and epoch of a sample."""


@dataclass(frozen=True, slots=True)
class Log:
    """The header of one log: where it is, what was run, what its task says, samples planned, whether some are void."""

    path: str
    eval: Eval
    metadata: dict[str, Any]
    planned: int
    invalidated: bool

    @property
    def name(self) -> str:
        """The file's name: a table must not carry the folders of the machine that made it."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def age(self) -> tuple[Any, ...]:
        """Sorts the passes over one task; a copy scored again has more scorers, or else a longer name."""
        return self.eval.created, len(self.eval.scorers or []), len(self.name), self.name


def _decode(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    """Inspect writes NaN and infinity, which are no JSON; text that changes on the way is in no field that we read."""
    text = _NAN.sub(b"null", raw)
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        if b"Infinity" not in text:
            raise
        return decoder.decode(_INFINITY.sub(b"null", text))


def _plain(path: str) -> bool:
    """Whether a log is a local zip, which can be read without Inspect."""
    return "://" not in path and path.endswith(".eval")


def _damaged(path: str, error: Exception) -> InputError:
    return InputError(f"this log is damaged: {first_line(error)}", file=path, allowed="a whole log")


def _sample_name(sample_id: str | int, epoch: int) -> str:
    """Where a sample stands in an .eval file."""
    return f"samples/{sample_id}_epoch_{epoch}.json"


def check_samples(path: str, keys: Iterable[tuple[str | int, int]]) -> None:
    """Refuse a local `.eval` file in which one of these samples is lost or damaged.

    For what reads whole samples through Inspect, whose reader does not compare checksums.

    Raises:
        InputError: A sample is lost or damaged.
    """
    if _plain(path):
        try:
            check_members(path, (_sample_name(*key) for key in keys))
        except zipfile.BadZipFile as error:
            raise _damaged(path, error) from error


def _read(path: str, member: str, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Decode the header or the summaries of a log."""
    if _plain(path):
        try:
            return _decode(decoder, read_member(path, member))
        except DamagedMemberError as error:
            raise _damaged(path, error) from error
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
    return Log(path, about, metadata, planned, header.invalidated)


def planned_samples(log: Log) -> list[Key]:
    """The samples that were to be run: each id (after `--limit` and `--sample-id`) in each epoch."""
    about = _read(log.path, "header.json", HEADER).eval
    epochs = about.config.epochs or 1
    return [(str(one), epoch) for one in about.dataset.sample_ids or [] for epoch in range(1, epochs + 1)]


def read_summaries(log: Log, kind: type[S]) -> list[S]:
    """The summaries of a log, in the order of their samples: no two runs finish them in the same."""
    summaries: list[S] = _read(log.path, "summaries.json", SUMMARIES[kind])
    summaries.sort(key=lambda summary: (str(summary.id), summary.epoch))
    return summaries


class Samples:
    """Single samples of one log, for what its summaries do not tell."""

    def __init__(self, log: Log) -> None:
        self._path = log.path
        self._all: dict[Key, Sample] | None = None
        self._last: Sample | None = None

    def read(self, summary: Summary) -> Sample:
        """The sample of a summary.

        Raises:
            InputError: The log does not hold it, or not as Inspect writes it.
        """
        if self._last is None or (self._last.id, self._last.epoch) != (summary.id, summary.epoch):
            self._last = self._read(summary)
        return self._last

    def _read(self, summary: Summary) -> Sample:
        if self._path.endswith(".json"):
            # One text: each look at a sample would parse all of it again.
            self._all = self._all or self._read_all()
            return self._all[str(summary.id), summary.epoch]
        if _plain(self._path):
            try:
                name = _sample_name(summary.id, summary.epoch)
                sample: Sample = _decode(SAMPLE, read_member(self._path, name))
            except DamagedMemberError as error:
                raise _damaged(self._path, error) from error
            except Exception:  # noqa: S110  (as for the header: Inspect will say)
                pass
            else:
                return sample
        return self._through_inspect(summary)

    def _read_all(self) -> dict[Key, Sample]:
        from inspect_ai.log import read_eval_log

        samples = read_eval_log(self._path).samples or []
        return {(str(sample.id), sample.epoch): _narrowed(self._path, sample) for sample in samples}

    def _through_inspect(self, summary: Summary) -> Sample:
        from inspect_ai.log import read_eval_log_sample

        left_out = {"events", "store", "output", "attachments"}
        try:
            sample = read_eval_log_sample(self._path, summary.id, summary.epoch, exclude_fields=left_out)
        except Exception as error:  # Inspect has no common class for "this sample is not there".
            raise InputError(f"Inspect cannot read this log: {first_line(error)}", file=self._path,
                             item=str(summary.id)) from error  # fmt: skip
        return _narrowed(self._path, sample)


def _narrowed(path: str, sample: EvalSample) -> Sample:
    """What we need of a sample that Inspect has read."""
    wanted = {"id", "epoch", "input", "messages", "scores", "invalidation"}
    try:
        narrow: Sample = _decode(SAMPLE, sample.model_dump_json(include=wanted).encode())
    except msgspec.MsgspecError as error:
        raise InputError(f"this log is unlike what Inspect writes: {error}", file=path) from error
    return narrow


def choose(paths: Sequence[str | Path], kinds: Sequence[str] = PACK_TASKS) -> list[Log]:
    """The logs of alignbench tasks; of several passes over one the last, which holds what earlier did."""
    logs = [log for log in (_read_log(path, kinds) for path in find_logs(paths)) if log is not None]
    newest = {log.eval.task_id or log.path: log for log in sorted(logs, key=lambda log: log.age)}
    chosen = [log for log in logs if newest[log.eval.task_id or log.path] is log]
    if not chosen:
        where = ", ".join(map(str, paths))
        if kinds == PACK_TASKS:
            raise InputError("no log of an alignbench task", file=where, allowed=_OTHER_TASKS)
        raise InputError("no log of a judge's examination", file=where)
    return chosen


def pack_logs(paths: Sequence[str | Path]) -> list[str]:
    """The logs that `verdicts` reads: those of packs, and of several passes over one task the last.

    Raises:
        InputError: No logs, or unreadable ones.
    """
    return [log.path for log in choose(paths)]


def no_verdicts(
    paths: Sequence[str | Path], command: str = "alignbench judge rescore LOG --grader PROVIDER/MODEL"
) -> InputError:
    """The error for logs in which nothing was judged."""
    where = ", ".join(map(str, paths))
    return InputError("the logs hold no verdicts", file=where, allowed=f"judged logs; to judge: `{command}`")


def header_grader(log: Log) -> tuple[str, str]:
    """The judge as the header names it, for samples that have no score to name it."""
    bound = (log.eval.model_roles or {}).get("grader")
    model = bound[0] if isinstance(bound, list) and bound else bound
    if not isinstance(model, Model):
        return "", ""
    return model.model, judge_config(model.args, model.config)
