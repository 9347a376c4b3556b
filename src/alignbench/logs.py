"""From Inspect logs to the verdict table; the only reader of logs.

Header and summaries only. A finished local `.eval` file is read directly (a zip of zstd-compressed JSON, of
which just the fields we need are decoded); anything else, such as a `.json` log, a remote path or a run still
going, through Inspect.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from alignbench.errors import InputError, first_line
from alignbench.files import atomic_path
from alignbench.identity import judge_config, model_settings
from alignbench.table import KEY_COLUMNS, arrow_schema, as_table
from alignbench.zip_member import read_member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

__all__ = ["exam_rows", "find_logs", "pack_logs", "verdicts", "write_verdicts"]

LOG_NAME = re.compile(r"^[^.].*\.eval$|^\d{4}-\d{2}-\d{2}T.*\.json$")
"""What Inspect takes for a log in a folder: other JSON files there are none."""
_NAN = re.compile(rb"NaN(?=[,\]}])")
GROUP_ROWS = 5_000
"""Rows that are written at once."""
PARTIAL = "partial_log"
"""Flag of every row of a log in which planned samples are missing."""


class _Model(msgspec.Struct):
    model: str = ""
    args: dict[str, Any] = {}
    config: dict[str, Any] = {}


class _Dataset(msgspec.Struct):
    sample_ids: list[str | int] | None = None


class _Config(msgspec.Struct):
    epochs: int | None = None


class _Eval(msgspec.Struct):
    task: str
    model: str
    created: str = ""
    scorers: list[Any] | None = None
    task_id: str = ""
    model_args: dict[str, Any] = {}
    model_generate_config: dict[str, Any] = {}
    model_roles: dict[str, _Model | list[_Model]] | None = None
    metadata: dict[str, Any] | None = None
    dataset: _Dataset = msgspec.field(default_factory=_Dataset)
    config: _Config = msgspec.field(default_factory=_Config)


class _Plan(msgspec.Struct):
    config: dict[str, Any] = {}


class _Header(msgspec.Struct):
    eval: _Eval
    plan: _Plan = msgspec.field(default_factory=_Plan)
    status: str = "started"


# There are thousands of what follows, and no cycles among them: counting them made the garbage collector run for
# nearly half of the time that reading took.
class _SampleMetadata(msgspec.Struct, gc=False):
    scenario: str | None = None
    family: str = ""
    split: str = "seen"
    twin: bool = False
    condition: str = "default"
    nudge: str = "neutral"
    value_1: str = ""
    value_2: str = ""
    turns: int = 1


class _ScoreMetadata(msgspec.Struct, gc=False):
    # A score of somebody else's scorer may have anything under these names; ours has text.
    rows: Any = None
    judge: Any = ""
    judge_config: Any = ""
    rubric: Any = ""
    rubric_digest: Any = ""


class _Score(msgspec.Struct, gc=False):
    metadata: _ScoreMetadata | None = None


class _Summary(msgspec.Struct, gc=False):
    id: str | int
    epoch: int
    metadata: _SampleMetadata
    scores: dict[str, _Score] | None = None
    error: str | None = None
    uuid: str | None = None


class _ExamMetadata(_SampleMetadata, gc=False):
    answer: str = ""
    kind: str = ""
    attack: str = ""
    technique: str = ""
    label: str = ""
    label_position_1: int | None = None
    label_position_2: int | None = None


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int = 0
    input_tokens_cache_read: int | None = None
    input_tokens_cache_write: int | None = None
    output_tokens: int = 0
    total_cost: float | None = None

    def row(self) -> tuple[int | None, int | None, float | None]:
        """Input tokens with those from the cache, output tokens and cost; nothing where nothing was counted."""
        read = self.input_tokens + (self.input_tokens_cache_read or 0) + (self.input_tokens_cache_write or 0)
        return read or None, self.output_tokens or None, self.total_cost


class _ExamSummary(_Summary, kw_only=True, gc=False):
    metadata: _ExamMetadata
    role_usage: dict[str, _Usage] = {}


_S = TypeVar("_S", bound=_Summary)

_Row = tuple[str | None, str | None, str | None, int | None, int | None, int | None, str]

_ERROR: _Row = (None, "error", None, None, None, None, "")

_HEADER = msgspec.json.Decoder(_Header)
_SUMMARIES = msgspec.json.Decoder(list[_Summary])
_EXAM_SUMMARIES = msgspec.json.Decoder(list[_ExamSummary])
_ROWS = msgspec.json.Decoder(list[_Row])
# Scores hold few distinct verdicts, so most rows have been decoded before.
_decode_rows = lru_cache(maxsize=65_536)(_ROWS.decode)


@dataclass(frozen=True, slots=True)
class _Log:
    path: str
    eval: _Eval
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


def find_logs(paths: Sequence[str | Path]) -> list[str]:
    """Find the logs that paths name.

    Args:
        paths: Log folders (searched recursively) and log files, local or remote.

    Returns:
        Log files, sorted within each path, each once.

    Raises:
        InputError: A path that does not exist, or a folder without logs.
    """
    found: dict[str, None] = {}
    for path in map(str, paths):
        if "://" in path:
            found.update(dict.fromkeys(_remote_logs(path)))
            continue
        if os.path.isdir(path):  # noqa: PTH112  (paths may be long lists; no object is needed)
            inside = [
                str(file) for file in sorted(Path(path).rglob("*")) if LOG_NAME.match(file.name) and file.is_file()
            ]
            if not inside:
                raise InputError("no logs in this folder", file=path, allowed="a folder that `inspect eval` wrote to")
            found.update(dict.fromkeys(inside))
        elif os.path.isfile(path):  # noqa: PTH113
            if not path.endswith((".eval", ".json")):
                raise InputError("this is no log", file=path, allowed=".eval, .json; tables: .csv, .parquet")
            found[path] = None
        else:
            raise InputError("no such file or folder", file=path)
    return list(found)


def _remote_logs(path: str) -> list[str]:
    from inspect_ai.log import list_eval_logs

    if path.endswith((".eval", ".json")):
        return [path]
    logs = [info.name for info in list_eval_logs(path)]
    if not logs:
        raise InputError("no logs in this folder", file=path)
    return logs


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

    try:
        if header:
            return read_eval_log(path, header_only=True).model_dump_json().encode()
        summaries = read_eval_log_sample_summaries(path)
        return b"[" + b",".join(item.model_dump_json().encode() for item in summaries) + b"]"
    except Exception as error:  # Inspect has no common class for "this is no log".
        raise InputError(f"Inspect cannot read this log: {first_line(error)}", file=path) from error


PACK_TASKS, JUDGE_TASKS = ("pack",), ("judge_exam", "judge_attack")
"""Kinds of our tasks: of a model under test, and of the judge."""


def _kind(metadata: dict[str, Any]) -> str:
    """What a log of ours is of, as its task says; empty for others."""
    kind = metadata.get("kind", "pack" if metadata.get("pack") and metadata.get("pack_digest") else "")
    return str(kind)


def _read_log(path: str, kinds: Sequence[str]) -> _Log | None:
    """What a log says about itself; None where it is no log of an alignbench task of these kinds."""
    header: _Header = _read(path, "header.json", _HEADER)
    about, metadata = header.eval, header.eval.metadata or {}
    if _kind(metadata) not in kinds:
        return None
    planned = len(about.dataset.sample_ids or []) * (about.config.epochs or 1)
    # What a run sets for its task (`--temperature`) goes before what the model came with.
    about.model_generate_config |= {name: value for name, value in header.plan.config.items() if value is not None}
    # Hundreds of logs are open at once: the ids would be most of what they take.
    about.dataset = _Dataset()
    return _Log(path, about, metadata, planned, header.status)


def _choose(paths: Sequence[str | Path], kinds: Sequence[str] = PACK_TASKS) -> list[_Log]:
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
    return [log.path for log in _choose(paths)]


def _grader(log: _Log) -> tuple[str, str]:
    """The judge as the header names it, for samples that have no score to name it."""
    bound = (log.eval.model_roles or {}).get("grader")
    model = bound[0] if isinstance(bound, list) and bound else bound
    if not isinstance(model, _Model):
        return "", ""
    return model.model, judge_config(model.args, model.config)


def _rows(log: _Log, summary: _Summary, scorer: str, score: _ScoreMetadata) -> list[_Row]:
    try:
        return _decode_rows(score.rows)
    except msgspec.DecodeError:
        # Summaries keep a kilobyte of text; the rows of a very long conversation stand in the sample alone.
        return _ROWS.decode(_sample_rows(log.path, summary, scorer))


def _sample_rows(path: str, summary: _Summary, scorer: str) -> str:
    from inspect_ai.log import read_eval_log_sample

    sample = read_eval_log_sample(path, summary.id, summary.epoch, exclude_fields={"messages", "events", "store"})
    return str(((sample.scores or {})[scorer].metadata or {})["rows"])


def _judged(summary: _Summary) -> dict[str, _ScoreMetadata]:
    """The scores that our judges gave, by scorer."""
    scores = {name: score.metadata for name, score in (summary.scores or {}).items()}
    return {name: score for name, score in scores.items() if score is not None and isinstance(score.rows, str)}


def _samples(log: _Log, decoder: msgspec.json.Decoder[list[_S]]) -> Iterator[tuple[_S, _ScoreMetadata, list[_Row]]]:
    """Each sample with each judge's rows; a sample that failed has a row a turn, with the reason `error`."""
    summaries: list[_S] = _read(log.path, "summaries.json", decoder)
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
                yield summary, _unscored(log, judge, config), [_ERROR] * summary.metadata.turns


def _unscored(log: _Log, judge: str, config: str) -> _ScoreMetadata:
    rubric, digest = log.metadata.get("rubric", ""), log.metadata.get("rubric_digest", "")
    return _ScoreMetadata(None, judge, config, rubric, digest)


def _columns(log: _Log) -> tuple[dict[str, list[Any]], int]:
    """The columns that differ within a log, and the number of rows."""
    names = (
        "scenario", "family", "split", "twin", "condition", "nudge", "epoch", "turn", "turns", "judge",
        "judge_config", "rubric", "rubric_digest", "verdict", "unscored_reason", "refusal_type", "severity",
        "value_1", "value_2", "position_1", "position_2", "flags", "sample_uuid",
    )  # fmt: skip
    records = []
    for summary, score, rows in _samples(log, _SUMMARIES):
        about = summary.metadata
        for turn, (verdict, reason, refusal, severity, first, second, flags) in enumerate(rows, start=1):
            records.append(
                (about.scenario, about.family, about.split, about.twin, about.condition, about.nudge,
                 summary.epoch, turn, len(rows), score.judge, score.judge_config, score.rubric,
                 score.rubric_digest, verdict, reason, refusal, severity, about.value_1, about.value_2,
                 first, second, flags, summary.uuid or "")
            )  # fmt: skip
    if not records:
        return {name: [] for name in names}, 0
    return dict(zip(names, map(list, zip(*records, strict=True)), strict=True)), len(records)


def _arrow(log: _Log) -> pa.Table:
    """The rows of one log."""
    import pyarrow as pa

    columns, rows = _columns(log)
    about, metadata = log.eval, log.metadata
    if rows and log.status != "success" and len(set(columns["sample_uuid"])) < log.planned:
        columns["flags"] = ["+".join(filter(None, (flags, PARTIAL))) for flags in columns["flags"]]
    constant = {
        "model": about.model,
        "model_args": model_settings(about.model_args, about.model_generate_config),
        "task": about.task,
        "pack": metadata["pack"],
        "pack_version": metadata.get("pack_version", ""),
        "pack_digest": metadata["pack_digest"],
        "log": log.name,
    }
    schema = arrow_schema()
    arrays = []
    for field in schema:
        if field.name in constant:
            codes = pa.array([0] * rows, pa.int32())
            arrays.append(pa.DictionaryArray.from_arrays(codes, pa.array([constant[field.name]], pa.string())))
        elif pa.types.is_dictionary(field.type):
            arrays.append(pa.array(columns[field.name], pa.string()).dictionary_encode())
        else:
            arrays.append(pa.array(columns[field.name], field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def verdicts(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the verdict table of logs.

    Args:
        paths: Log folders and log files. Logs of other tasks are passed over; of several passes over one task
            the last one counts.

    Returns:
        The table, checked: one row per output and judge.

    Raises:
        InputError: No logs, unreadable logs, no verdicts in them, or two rows with one key.
    """
    import pyarrow as pa

    table = pa.concat_tables([_arrow(log) for log in _choose(paths)]).unify_dictionaries()
    if not table.num_rows:
        raise _no_verdicts(paths)
    return as_table(table.to_pandas(integer_object_nulls=False, types_mapper=_pandas_type))


def exam_rows(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read what judges said of labelled answers, bare and forged, from the logs of their examinations.

    Args:
        paths: Log folders and log files, as for `verdicts`; logs of other tasks are passed over.

    Returns:
        One row an answer, judge and repetition, with the columns `alignbench.judging.card.EXAM_COLUMNS`.

    Raises:
        InputError: No logs of an examination, unreadable logs, or nothing judged in them.
    """
    import pandas as pd

    from alignbench.judging.card import EXAM_COLUMNS

    records = [record for log in _choose(paths, JUDGE_TASKS) for record in _exam_records(log)]
    if not records:
        raise _no_verdicts(paths)
    return pd.DataFrame.from_records(records, columns=list(EXAM_COLUMNS))


def _exam_records(log: _Log) -> Iterator[tuple[Any, ...]]:
    digests = log.metadata.get("packs", {})
    for summary, score, rows in _samples(log, _EXAM_SUMMARIES):
        about, pack = summary.metadata, str(summary.id).split("/")[0]
        usage = summary.role_usage.get("grader", _Usage()).row()
        verdict, reason, _, _, first, second, flags = rows[-1]
        yield (score.judge, score.judge_config, score.rubric, score.rubric_digest,
               digests.get(pack, {}).get("label_digest", ""), pack, about.scenario, about.twin, about.answer,
               about.kind, about.attack, about.technique, summary.epoch, about.label, about.label_position_1,
               about.label_position_2, verdict, reason, first, second, flags, *usage, summary.error)  # fmt: skip


def _pandas_type(kind: pa.DataType) -> Any:
    import pandas as pd
    import pyarrow as pa

    return pd.Int16Dtype() if pa.types.is_int16(kind) else None


def _no_verdicts(paths: Sequence[str | Path]) -> InputError:
    return InputError(
        "the logs hold no verdicts",
        file=", ".join(map(str, paths)),
        allowed="judged logs; judge these with `inspect score`",
    )


def write_verdicts(paths: Sequence[str | Path], output: str | Path) -> int:
    """Write the verdict table of logs to a file, one log at a time: memory does not grow with their number.

    Args:
        paths: As for `verdicts`.
        output: A `.parquet` or `.csv` file; it appears whole or not at all.

    Returns:
        The number of rows.

    Raises:
        InputError: As for `verdicts`, or another kind of file.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    suffix = Path(output).suffix
    if suffix not in (".csv", ".parquet"):
        raise InputError(f"cannot write a {suffix!r} file", file=output, allowed=".csv, .parquet")
    logs = _choose(paths)
    keys = _Keys()
    with atomic_path(output) as file:
        schema = arrow_schema()
        if suffix == ".csv":
            schema = pa.schema([pa.field(f.name, _plain_type(f.type)) for f in schema])
        writer = (pa.csv.CSVWriter if suffix == ".csv" else pa.parquet.ParquetWriter)(file, schema)
        with writer:
            for table in _batches(logs, keys):
                writer.write_table(table.cast(schema) if suffix == ".csv" else table)
        if not keys.rows:
            raise _no_verdicts(paths)
        if keys.double:
            # The whole table is needed to name the two rows.
            verdicts(paths)
    return keys.rows


def _batches(logs: Sequence[_Log], keys: _Keys) -> Iterator[pa.Table]:
    """The rows of the logs, some thousand at once: each group of rows in a Parquet file takes memory until the end."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for log in logs:
        waiting.append(_arrow(log))
        keys.add(waiting[-1])
        if log is logs[-1] or sum(table.num_rows for table in waiting) >= GROUP_ROWS:
            yield pa.concat_tables(waiting).unify_dictionaries()
            waiting = []


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return pa.string() if pa.types.is_dictionary(kind) else kind


class _Keys:
    """Eight bytes a row: enough to see that a key stands there twice."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Take in the rows of one log."""
        import numpy as np

        columns = [table.column(name).to_pylist() for name in KEY_COLUMNS]
        hashes = np.fromiter((hash(key) for key in zip(*columns, strict=True)), dtype=np.int64, count=table.num_rows)
        self.seen.append(hashes)
        self.rows += table.num_rows

    @property
    def double(self) -> bool:
        """Whether two rows have one key (or, once in 10 million tables of a million rows, one hash)."""
        import numpy as np

        every = np.concatenate(self.seen)
        # In place: a set of them, as `unique` makes it, would be what this command takes most memory for.
        every.sort()
        return bool((every[1:] == every[:-1]).any())
